"""Writes IDX files for tests."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np


def idx_bytes(values: np.ndarray) -> bytes:
    """An IDX file of unsigned bytes."""
    header = bytes((0, 0, 8, values.ndim)) + struct.pack(f">{values.ndim}I", *values.shape)
    return header + values.astype(np.uint8).tobytes()


def write_idx(path: Path, values: np.ndarray) -> Path:
    """Write an IDX file, gzipped where the name ends in .gz."""
    content = idx_bytes(values)
    path.write_bytes(gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)
    return path


def write_idx_folder(
    folder: Path,
    *,
    train: int = 12,
    test: int = 6,
    size: tuple[int, ...] = (5, 4),
    classes: int = 3,
    name: str = "{split}-{what}-idx{dims}-ubyte",
    test_split: str = "t10k",
) -> dict[str, np.ndarray]:
    """A small data set of random images; returns its arrays as x_train, y_train, x_test, y_test."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    arrays: dict[str, np.ndarray] = {}
    for side, split, n in (("train", "train", train), ("test", test_split, test)):
        x = rng.integers(0, 256, (n, *size), dtype=np.uint8)
        y = (np.arange(n) % classes).astype(np.uint8)
        write_idx(folder / name.format(split=split, what="images", dims=x.ndim), x)
        write_idx(folder / name.format(split=split, what="labels", dims=1), y)
        arrays |= {f"x_{side}": x, f"y_{side}": y}
    return arrays
