"""What is compared between trainings at every layer: where x_adv points, how far classes are apart, how many directions are used."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from engine.experiments.lens import Features, Lens, Work, look
from engine.experiments.probe import Probe
from engine.geometry.bootstrap import PairBootstrap, resampling_inputs
from engine.geometry.groups import class_groups
from engine.geometry.jackknife import jackknife, left_out
from engine.geometry.spectrum import spectrum
from engine.models import Network
from engine.seeds import derive

QUANTITIES = ("adv_target", "clean_target", "same", "different", "rank")
GROUPS = 10  # that the jackknife of the rank leaves out one by one

Ends = tuple[Tensor, Tensor, Tensor]
"""Mean, low and high end of a 95% interval, each ``[Q, T]``."""


@dataclass(frozen=True, eq=False)
class Geometry:
    """One network seen at T taps, features centred by the mean of the reference samples."""

    adversarial: Tensor
    """float64 ``[N, T]``: each attacked input's mean C with the reference members of its target class."""
    clean: Tensor
    """The same of the input before the attack."""
    eta: Tensor
    """float64 ``[T, P(P-1)/2]``: rapidity of all pairs of clean probe samples."""
    rank: Tensor
    """float64 ``[1 + G, T]``: effective rank of the probe samples, of all, and without each group."""


class Comparing:
    """The same inputs, pairs and resamples for every network, so that differences are paired."""

    def __init__(self, probe: Probe, x: Tensor, target: Tensor, resamples: int, seed: int) -> None:
        self._probe, self._x, self._target = probe, x, target
        self._resamples, self._seed = resamples, seed
        self._pairs: PairBootstrap | None = None
        self._clean: dict[Network, tuple[Lens, Tensor, Tensor, Tensor]] = {}

    def geometry(self, model: Network, x_adv: Tensor) -> Work[Geometry]:
        """``model`` seen with these attacked inputs ``[N, ...]``, which may have been made for another network."""
        if model not in self._clean:  # what attacks do not change
            lens = yield from look(model, *self._probe.reference)
            clean = yield from self._toward(lens, self._x)
            features = yield from lens.features(self._probe.x)
            eta = yield from lens.matrix(features)
            self._clean[model] = lens, clean, eta[0], (yield from _ranks(lens, features))
        lens, clean, eta, rank = self._clean[model]
        return Geometry((yield from self._toward(lens, x_adv)), clean, eta, rank)

    def means(self, seen: Geometry) -> Work[Ends]:
        """Every quantity with its interval: over inputs, over pairs by their inputs, and of the rank by the jackknife."""
        return (yield from self._ends(seen.adversarial, seen.clean, seen.eta, seen.rank))

    def differences(self, seen: Geometry, other: Geometry) -> Work[Ends]:
        """``seen`` less ``other``, each difference on one and the same input, pair, or set of inputs."""
        parts = (getattr(seen, name) - getattr(other, name) for name in ("adversarial", "clean", "eta", "rank"))
        return (yield from self._ends(*parts))

    def _toward(self, lens: Lens, x: Tensor) -> Work[Tensor]:
        features = yield from lens.features(x)
        values, _ = yield from lens.toward(features, self._target)
        return values[:, 0, 0]

    def _ends(self, adversarial: Tensor, clean: Tensor, eta: Tensor, rank: Tensor) -> Work[Ends]:
        if self._pairs is None:
            y = self._probe.y
            self._pairs = PairBootstrap(
                class_groups(y), n=len(y), n_groups=2, resamples=self._resamples, seed=derive(self._seed, "pairs")
            )
        rows: list[list[Tensor]] = [[], [], []]
        for values in (adversarial, clean):
            found = yield from resampling_inputs(values, resamples=self._resamples, seed=derive(self._seed, "inputs"))
            for row, end in zip(rows, (found.mean, found.low, found.high), strict=True):
                row.append(end)
        pairs = yield from self._pairs.resampling(eta)
        for row, ends in zip(rows, (pairs.mean, pairs.low, pairs.high), strict=True):
            row.extend(ends)
        for row, end in zip(rows, (rank[0], *jackknife(rank[0], rank[1:])), strict=True):
            row.append(end)
        mean, low, high = (torch.stack(row) for row in rows)
        return mean, low, high


def _ranks(lens: Lens, features: Features) -> Work[Tensor]:
    """Effective rank at each tap: of all inputs, and without each group of them."""
    n = len(features[0])
    kept = [torch.arange(n), *left_out(n, min(GROUPS, n))]
    found = torch.empty(len(kept), len(features), dtype=torch.float64)
    for tap, f in enumerate(features):
        seen = lens.seen(f, tap, 0)
        for row, members in enumerate(kept):
            found[row, tap] = spectrum(seen[members]).effective_rank
            yield
    return found
