"""What stands in the cells of a table of results, and how it is read back."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np


def is_known(value: Any) -> bool:
    """Neither missing nor NaN."""
    return value is not None and value == value  # NaN is not equal to itself


def plain(value: Any) -> float | int | str:
    """A value as SQLite has it."""
    bare: float | int | str = value.item() if isinstance(value, np.generic) else value
    if isinstance(bare, str):
        return readable(bare)
    return int(bare) if isinstance(bare, bool) else bare


def readable(text: str) -> str:
    """Half a surrogate, as in the name of a file that is no UTF-8, is no text; and a NUL ends it for many programs."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")


def column_of(values: Iterable[Any]) -> np.ndarray:
    """Cells as an array ``[n]``: float64 with NaN for what is missing, or objects where some are texts."""
    held = list(values)
    if any(isinstance(value, str) for value in held):
        texts = np.full(len(held), None, dtype=object)
        texts[:] = held
        return texts
    return np.array([math.nan if value is None else value for value in held], dtype=np.float64)
