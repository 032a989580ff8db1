"""Which points of a sweep are the same network. What is said of networks counts each once, however often it was attacked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

_OF_NO_NETWORK = ("attack", "probe")
"""Parts that say how a network is attacked and measured, and not what it is."""

_SHAPE = ("parameters", "layers", "width", "depth", "proper_depth")
_UNTRAINED = ("input_", "initial_", "theory_")


def reach_of(names: Iterable[str], reach: str) -> str:
    """Of which networks some columns speak, in a sweep of this reach.

    What is known before any training speaks of untrained networks ("initial"): those that only their training tells apart
    are one there, and its numbers are no new ones.
    """
    return "initial" if all(_is_known_before_training(name) for name in names) else reach


def told_apart(fields: Iterable[str], reach: str) -> tuple[str, ...]:
    """Those axes that make another network; of networks that are not trained, their training makes none."""
    without = _OF_NO_NETWORK if reach != "initial" else (*_OF_NO_NETWORK, "training")
    return tuple(field for field in fields if field.partition(".")[0] not in without)


def numbers(columns: Mapping[str, np.ndarray], fields: Sequence[str]) -> np.ndarray:
    """The number of each point's network ``[n]``, in the order in which they come.

    Args:
        columns: those of :meth:`engine.sweep.store.SweepStore.column`, with ``fields`` among them.
        fields: the axes that make another network.
    """
    n = len(columns["id"])
    if not fields or not n:
        return np.zeros(n, dtype=np.int64)
    codes = np.stack([_codes(columns[name]) for name in fields], axis=1)
    _, first, found = np.unique(codes, axis=0, return_index=True, return_inverse=True)
    order = np.empty(len(first), dtype=np.int64)
    order[np.argsort(first)] = np.arange(len(first))
    return order[found.reshape(-1)]


def one_each(columns: Mapping[str, np.ndarray], of: np.ndarray) -> dict[str, np.ndarray]:
    """The columns with a row for each network: the means of its points, and of texts the first."""
    _, first = np.unique(of, return_index=True)
    if len(first) == len(of):
        return dict(columns)
    return {name: values[first] if values.dtype.kind != "f" else _mean(values, of) for name, values in columns.items()}


def _is_known_before_training(name: str) -> bool:
    part, is_field, _ = name.partition(".")
    if is_field or name == "seed":
        return part != "training"
    return name in _SHAPE or name.startswith(_UNTRAINED)


def _mean(values: np.ndarray, of: np.ndarray) -> np.ndarray:
    known = np.isfinite(values)
    size = int(of.max()) + 1
    count = np.bincount(of[known], minlength=size)
    total = np.bincount(of[known], values[known], size)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _codes(values: np.ndarray) -> np.ndarray:
    plain = np.array([str(value) for value in values]) if values.dtype == object else values
    return np.unique(plain, return_inverse=True)[1].reshape(-1)
