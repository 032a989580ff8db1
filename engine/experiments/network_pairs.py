"""What the pairs of probe samples show at two places of a network: where it begins, and at its last hidden layer.

The input is what the first linear map sees, after the network's own normalisation: the laws of untrained networks begin
there. Features are computed in float64 with the network's weights, since float32 features of deep networks are parallel to
the last digit from a rapidity of 17 on.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Generator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.experiments.linear_lines import exact_rapidities
from engine.geometry import readings
from engine.geometry.gram import upper_pairs
from engine.geometry.groups import DIFFERENT, SAME, class_groups
from engine.geometry.pairs import centred
from engine.geometry.spectrum import spectrum
from engine.models import Network, observe

Array = NDArray[np.float64]
T = TypeVar("T")
Work = Generator[None, None, T]

BATCH = 64  # inputs that go through the network at a time
CEILING = 25.0
"""Rapidity beyond which float64 features have lost too many digits."""
AT_ONCE = 256  # pairs whose plane is carried through a linear network between two breaths


@dataclass(frozen=True, eq=False)
class Place:
    """All pairs of P probe samples at one place of a network."""

    eta: Array
    """Rapidity ``[P (P - 1) / 2]`` of features as they are, in triu order; NaN for a dead pair, infinite for a saturated one."""
    rank: float
    """Effective rank of the P features as they are; NaN where all are dead."""

    @property
    def ln_gamma(self) -> Array:
        """ln of the Lorentz factor of each pair, as :attr:`eta`."""
        return readings.ln_gamma(self.eta)


def at_the_input(model: Network, x: Tensor) -> Work[Place]:
    """Pairs of ``x`` ``[P, ...]`` as the first linear map sees them."""
    yield
    return _place(seen_first(model, x))


def at_the_end(model: Network, x: Tensor) -> Work[Place]:
    """Pairs of ``x`` ``[P, ...]`` at the last hidden layer; of a network without one, at its input."""
    features = yield from last_features(model, x)
    place = _place(features)
    yield
    lost = np.flatnonzero(np.abs(place.eta) > CEILING)
    for start in range(0, len(lost), AT_ONCE):
        some = lost[start : start + AT_ONCE]
        i, j = (torch.from_numpy(side[some]) for side in np.triu_indices(len(x), 1))
        exact = exact_rapidities(model, x[i], x[j], x[:1])
        yield
        if exact is None:
            break
        # row -1 is the logits', the one before it the last hidden layer's; view 1 is that of features as they are
        found = exact[1, -2].numpy()
        place.eta[some] = np.where(np.isnan(found), place.eta[some], found)
    return place


def by_class(model: Network, x: Tensor, y: Tensor, reference: Tensor) -> Work[tuple[float, float]]:
    """Mean rapidity at the last hidden layer of pairs of one class, and of different classes.

    Features are centred by the mean of the ``reference`` inputs: without it all look alike after a ReLU. NaN where no pair
    has a finite rapidity.
    """
    features = yield from last_features(model, x)
    known = yield from last_features(model, reference)
    eta = upper_pairs(centred(features, known.mean(0))).numpy()
    yield
    groups = class_groups(y).numpy()
    same, other = (mean(eta[groups == group]) for group in (SAME, DIFFERENT))
    return same, other


def seen_first(model: Network, x: Tensor) -> Tensor:
    """Inputs ``[N, ...]`` after the network's normalisation, float64 ``[N, D]``."""
    with torch.no_grad():
        normalised: Tensor = model.normalise(x)
    return normalised.flatten(1).double()


def last_features(model: Network, x: Tensor) -> Work[Tensor]:
    """Features of ``x`` ``[N, ...]`` at the last hidden layer, float64 ``[N, D]``."""
    tap = model.taps[-2]
    if tap.kind == "input":
        return seen_first(model, x)
    exact = copy.deepcopy(model).double()
    parts = []
    for part in torch.split(x, BATCH):
        parts.append(observe(exact, part.double(), [tap])[tap.name])
        yield
    return torch.cat(parts)


def mean(values: Array) -> float:
    """Over the finite ones; NaN where there is none."""
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if len(finite) else math.nan


def _place(features: Tensor) -> Place:
    return Place(upper_pairs(features).numpy(), spectrum(features).effective_rank)
