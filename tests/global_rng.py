"""Proves that a piece of work leaves the global random generators alone."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


@contextmanager
def global_rng_untouched() -> Iterator[None]:
    before = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].copy(), np.random.get_state()[2]  # noqa: NPY002
    yield
    assert torch.equal(torch.get_rng_state(), before[0]), "torch's global generator was used"
    assert random.getstate() == before[1], "Python's global generator was used"
    after = np.random.get_state()  # noqa: NPY002
    assert np.array_equal(after[1], before[2]) and after[2] == before[3], "numpy's global generator was used"
