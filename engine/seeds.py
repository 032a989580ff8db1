"""All randomness comes from one seed. Nothing in the engine touches a global generator."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def derive(seed: int, *purpose: str) -> int:
    """A 63-bit seed for one purpose, independent of every other purpose under the same seed."""
    text = "/".join((str(seed), *purpose))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def generator(seed: int, *purpose: str) -> torch.Generator:
    """A fresh CPU generator for one purpose; equal arguments give equal streams.

    A CPU generator of torch uses the low 32 bits of its seed, so two purposes share a stream with a chance of 2^-32.
    """
    import torch

    return torch.Generator().manual_seed(derive(seed, *purpose))
