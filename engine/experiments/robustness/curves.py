"""Robust accuracy at several budgets from the smallest budget at which each sample broke. NumPy only, so that a window may use it.

A perturbation within a small budget is within every larger one. So a sample that an attack breaks at one budget counts as
broken at all larger ones, whether or not the attack finds it there again: curves never rise. A sample that the network sees
wrongly as it is needs no perturbation: it is broken at budget 0, and there every curve begins at the clean accuracy.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from engine.experiments.rates import paired_difference, wilson

NOISE, FGSM, PGD, APGD = "noise", "fgsm", "pgd", "apgd"
MINIMAL, SQUARE, TRANSFERRED = "minimal", "square", "transferred"
ATTACKS = {
    NOISE: "Random noise",
    FGSM: "FGSM",
    PGD: "PGD",
    APGD: "APGD-CE",
    MINIMAL: "Smallest norm (FMN)",
    SQUARE: "Square",
    TRANSFERRED: "Transfer",
}
"""Settings that choose an attack, and what it is called; in the order in which they are run."""
WHITE_BOX = (FGSM, PGD, APGD, MINIMAL)
BLACK_BOX = (SQUARE, TRANSFERRED)
WORST = "worst"
SLACK = 1e-6  # by which a norm may be above eps for the sake of rounding, relative


@dataclass(frozen=True, eq=False)
class Band:
    """Shares with their 95% Wilson intervals, arrays of one shape."""

    share: np.ndarray
    low: np.ndarray
    high: np.ndarray


@dataclass(frozen=True, eq=False)
class Gap:
    """By how much the worst case over all attacks lies below the best of them, at each of B budgets."""

    best: np.ndarray
    """int64 [B]: the attack that leaves the fewest."""
    gap: np.ndarray
    """Its robust accuracy less that of the worst case."""
    low: np.ndarray
    """95% interval of the difference on the same samples."""
    high: np.ndarray


def broken_within(norm: np.ndarray, eps: np.ndarray) -> np.ndarray:
    """The first of the ascending budgets ``eps`` [B] that holds each norm [n]: int64, B where none does."""
    return np.searchsorted(eps * (1 + SLACK), norm, side="left").astype(np.int64)


def robust(broken_at: np.ndarray, budgets: int) -> Band:
    """Share of samples not broken at each budget; ``broken_at`` int [..., n] gives [..., budgets]."""
    n = broken_at.shape[-1]
    left = (broken_at[..., None, :] > np.arange(budgets)[:, None]).sum(-1)
    low, high = wilson(left, n)
    return Band(left / max(1, n), low, high)


def from_norms(norms: np.ndarray) -> tuple[np.ndarray, Band]:
    """The whole curve of an attack for the smallest norm from its norms [n], 0 for what is wrong as it is and infinite for failures.

    A step function: ``share[k]`` holds from ``eps[k]`` to the next, and ``eps[0]`` is 0.
    """
    eps, counts = np.unique(np.append(norms[np.isfinite(norms)], 0.0), return_counts=True)
    counts[0] -= 1
    left = len(norms) - np.cumsum(counts)
    low, high = wilson(left, len(norms))
    return eps, Band(left / max(1, len(norms)), low, high)


def worst(broken_at: np.ndarray) -> np.ndarray:
    """When each sample is broken by any of A attacks [A, n]: int64 [n]."""
    least: np.ndarray = broken_at.min(0)
    return least


def gap_to_best(broken_at: np.ndarray, budgets: int) -> Gap:
    """Of A attacks [A, n]."""
    together, each = worst(broken_at), robust(broken_at, budgets).share
    best = each.argmin(0)
    found = np.zeros((3, budgets))
    for k in range(budgets):
        single, all_of_them = broken_at[best[k]] > k, together > k
        kept, lost = int(all_of_them.sum()), int((single & ~all_of_them).sum())
        difference = paired_difference(kept, lost, 0, int((~single).sum()))
        found[:, k] = difference.value, difference.low, difference.high
    return Gap(best, found[0], np.maximum(found[1], 0.0), found[2])


def cdf(norms: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Norms found in order, the share of all that have one no larger, and half the width of the 95% band of the whole curve.

    Infinite norms are of samples never broken. Source of the band: P. Massart (1990), "The tight constant in the
    Dvoretzky-Kiefer-Wolfowitz inequality".
    """
    n = len(norms)
    if not n:
        return np.empty(0), np.empty(0), math.nan
    values, counts = np.unique(norms[np.isfinite(norms)], return_counts=True)
    return values, np.cumsum(counts) / n, math.sqrt(math.log(2 / 0.05) / (2 * n))
