"""How many directions a set of features takes up: the spectrum of its normalised Gram matrix, read as a density matrix.

rho = G / tr G for unit rows, so each sample weighs the same. Its von Neumann entropy S, effective rank exp S and purity
tr rho^2 stand beside what isotropic directions in as many dimensions would give.

Source: O. Roy, M. Vetterli (2007), "The effective rank: a measure of effective dimensionality"; theirs is of the singular
values, this one of their squares, which is the entropy of a density matrix.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.geometry.pairs import unit_rows


@dataclass(frozen=True)
class Spectrum:
    """Of m live rows; NaN throughout where there is none."""

    entropy: float
    """S in nats, from 0 (all parallel or opposite) to ln min(m, d)."""
    effective_rank: float
    """exp S."""
    purity: float
    """tr rho^2, from 1 / min(m, d) to 1."""
    participation: float
    """1 / purity."""
    null_purity: float
    """Expected purity of m independent isotropic directions in as many dimensions."""
    m: int
    """Rows that have a direction."""
    dead: int
    """Rows that have none: zero, or not finite."""


def spectrum(x: Tensor) -> Spectrum:
    """The spectrum of the rows of ``x`` ``[N, D]``, any real type; dead rows are counted and left out."""
    unit, dead = unit_rows(x)
    live = unit[~dead]
    m, d = live.shape
    nan = float("nan")
    if m == 0:
        return Spectrum(nan, nan, nan, nan, nan, 0, int(dead.sum()))
    # the same eigenvalues come from the smaller of the two products
    product = live @ live.T if m <= d else live.T @ live
    values = torch.linalg.eigvalsh(product).clamp_min(0) / m
    values = values / values.sum()
    entropy = float(-(torch.special.xlogy(values, values)).sum())
    entropy = max(entropy, 0.0)
    purity = float(values.square().sum())
    return Spectrum(entropy, math.exp(entropy), purity, 1 / purity, isotropic_purity(m, d), m, int(dead.sum()))


def isotropic_purity(m: int, d: int) -> float:
    """E tr rho^2 of m independent isotropic unit vectors in d dimensions: ``1/m + (1 - 1/m) / d``."""
    return 1 / m + (1 - 1 / m) / d
