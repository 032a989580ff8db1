"""A pair's way through the layers, read as spacetime: proper depth, and its boost in three conventions. NumPy only.

Everything is relative to the input, theta_0 to theta_l. The Gram rapidity change (R) and the Doppler rapidity (D) add up over
layers, which is a theorem. The Einstein rapidity (E), the paper-like one, does not: show it, never sum it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.experiments.views import layer_taps
from engine.geometry.ceiling import ceiling
from engine.geometry.transitions import Boost, doppler_boost, einstein_boost, gram_boost

__all__ = ["CEILING", "CONVENTIONS", "Convention", "boost", "boosts", "proper_depth", "proper_rate", "rapidities"]

CEILING = ceiling("float32")
"""|eta| beyond which float32 features of two inputs cannot be told from parallel ones."""


@dataclass(frozen=True)
class Convention:
    """One way to write a change of a pair's geometry as a boost."""

    key: str
    name: str
    formula: str
    additive: bool


CONVENTIONS: tuple[Convention, ...] = (
    Convention("R", "Gram rapidity change", "Δη = η_l − η_0", True),
    Convention("D", "Doppler", "χ = ln(d_0 / d_l)", True),
    Convention("E", "the paper's view", "η_E = ±arcosh(d_0 / d_l)", False),
)

_BOOST = {"R": gram_boost, "D": doppler_boost, "E": einstein_boost}

Taps = Sequence[Mapping[str, Any]]


def rapidities(eta: np.ndarray, taps: Taps) -> np.ndarray:
    """Rapidity at the input and behind each layer, ``[..., L + 1]`` from ``[..., T]``, in float64."""
    return np.asarray(eta, dtype=np.float64)[..., layer_taps(taps)]


def boost(convention: str, eta0: Any, eta1: Any) -> Boost:
    """The change from ``eta0`` to ``eta1`` in the convention "R", "D" or "E"; NaN where both are saturated alike."""
    with np.errstate(invalid="ignore", over="ignore"):
        return _BOOST[convention](eta0, eta1)


def boosts(convention: str, eta: np.ndarray, taps: Taps) -> np.ndarray:
    """Rapidity of the boost from the input to each layer, ``[..., L + 1]``, 0 at the input; positive is contraction."""
    at = rapidities(eta, taps)
    return boost(convention, at[..., :1], at).rapidity


def proper_rate(eta: np.ndarray, taps: Taps) -> np.ndarray:
    """Time dilation ``d tau / d l = sin theta_l = 1 / gamma_l``, ``[..., L + 1]``, in [0, 1]; the input's own first."""
    at = np.abs(rapidities(eta, taps))
    e = np.exp(-at)
    rate: np.ndarray = 2 * e / (1 + e * e)
    return rate


def proper_depth(eta: np.ndarray, taps: Taps) -> np.ndarray:
    """Proper depth ``tau_l = sin theta_1 + … + sin theta_l``, ``[..., L + 1]``, 0 at the input; at most l."""
    rate = proper_rate(eta, taps)[..., 1:]
    return np.concatenate([np.zeros((*rate.shape[:-1], 1)), np.cumsum(rate, axis=-1)], axis=-1)
