"""The geometry of one network among many, as a row of numbers: its pairs at the input and at the last hidden layer, and theory."""

from __future__ import annotations

import math
from collections.abc import Generator

import numpy as np
from torch import Tensor

from engine.experiments.expected import expected
from engine.experiments.network_pairs import Array, Place, at_the_end, at_the_input, by_class, mean, seen_first
from engine.models import Network
from engine.specs import ModelSpec

Numbers = dict[str, float]
"""By column; NaN where there is no number."""
Measuring = Generator[None, None, Numbers]


class NetworkGeometry:
    """Pairs of probe samples ``x`` ``[P, ...]`` with labels ``y`` ``[P]``, before training and at the end.

    The same input twice is one sample and no pair: pairs that are saturated at the input are left out everywhere. So is a
    dead one where it is dead. A mean of a pair that is saturated later has no value. ``reference`` ``[R, ...]`` are training
    samples whose mean is the centre of pairs by class.
    """

    def __init__(self, spec: ModelSpec, x: Tensor, y: Tensor, reference: Tensor) -> None:
        self._spec, self._x, self._y, self._reference = spec, x, y, reference
        self._input: Place | None = None

    def before(self, model: Network) -> Measuring:
        """At the input and at the last hidden layer of the network as initialised, and what theory says of it."""
        x = self._x
        self._input = yield from at_the_input(model, x)
        inputs, eta = seen_first(model, x).numpy(), self._input.eta
        theory = yield from expected(self._spec, inputs, eta)
        alive = np.isfinite(eta)
        return {
            "input_ln_gamma": _mean(self._input.ln_gamma[alive]),
            "input_rapidity": _mean(eta[alive]),
            "input_rank": self._input.rank,
            **(yield from self._at_the_end(model, "initial_")),
            "theory_change": theory.change,
            "theory_ln_gamma": theory.ln_gamma,
            "theory_rapidity": theory.rapidity,
        }

    def after(self, model: Network) -> Measuring:
        """At the last hidden layer of the trained network; :meth:`before` comes first."""
        row = yield from self._at_the_end(model, "")
        same, other = yield from by_class(model, self._x, self._y, self._reference)
        return row | {"rapidity_same": same, "rapidity_other": other}

    def _at_the_end(self, model: Network, prefix: str) -> Measuring:
        assert self._input is not None
        end = yield from at_the_end(model, self._x)
        alive = np.isfinite(self._input.eta)
        ln_gamma = end.ln_gamma[alive]
        return {
            f"{prefix}ln_gamma": _mean(ln_gamma),
            f"{prefix}rapidity": _mean(end.eta[alive]),
            f"{prefix}rank": end.rank,
            f"{prefix}change": _mean(ln_gamma - self._input.ln_gamma[alive]),
        }


def _mean(values: Array) -> float:
    return math.nan if np.isinf(values).any() else mean(values)
