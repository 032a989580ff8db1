"""One network looked through: features of inputs compared with each other and with the members of a class."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import torch
from torch import Tensor

from engine.geometry.gram import upper_pairs
from engine.geometry.groups import partner_means
from engine.geometry.pairs import centred, chords, rapidity, unit_rows
from engine.geometry.partners import partner_pairs
from engine.geometry.readings import quantities
from engine.models import Network, observe

Features = list[Tensor]
"""Features of N inputs at every tap: T tensors [N, D_l]."""

VIEWS = 2  # centred by the reference mean, and as they are


class Lens:
    """A network and the reference samples that give its centre and its classes.

    ``reference_x`` [R, ...] and ``reference_y`` [R] are training samples. Centring subtracts their mean feature at
    each tap: without it, features after a ReLU look correlated whatever they show.
    """

    def __init__(self, model: Network, reference_x: Tensor, reference_y: Tensor) -> None:
        self._model = model
        self._labels = reference_y
        self._reference = self.features(reference_x)
        self._means = [f.double().mean(0) for f in self._reference]
        self._partners, self._real = partners(reference_y)

    def features(self, x: Tensor) -> Features:
        """Features of inputs [N, ...] at every tap of the network, in order."""
        return list(observe(self._model, x).values())

    def matrix(self, features: Features) -> Tensor:
        """Rapidity of all pairs of N inputs: float64 [views, T, N(N-1)/2]."""
        return torch.stack(
            [
                torch.stack([upper_pairs(self._seen(f, tap, view)) for tap, f in enumerate(features)])
                for view in range(VIEWS)
            ]
        )

    def between(self, a: Features, b: Features) -> Tensor:
        """Rapidity of input i of ``a`` with input i of ``b``: float64 [views, T, N]."""
        return torch.stack(
            [
                torch.stack(
                    [
                        rapidity(*chords(self._units(f, tap, v), self._units(g, tap, v)))
                        for tap, (f, g) in enumerate(zip(a, b, strict=True))
                    ]
                )
                for v in range(VIEWS)
            ]
        )

    def toward(self, features: Features, labels: Tensor) -> Tensor:
        """Each input's mean over the reference members of its class in ``labels`` [N]: float64 [N, views, Q, T].

        NaN for a class without reference members.
        """
        known = labels.clamp(max=len(self._partners) - 1)
        real = self._real[known] & (labels == known)[:, None]
        eta = torch.stack(
            [
                torch.stack([self._to_members(f, tap, view, self._partners[known]) for tap, f in enumerate(features)])
                for view in range(VIEWS)
            ]
        )
        means = partner_means(torch.from_numpy(quantities(eta.numpy())), real).mean  # [Q, views, T, N]
        return means.permute(3, 1, 0, 2)

    def _to_members(self, features: Tensor, tap: int, view: int, partners: Tensor) -> Tensor:
        return partner_pairs(self._units(features, tap, view), self._reference_units(tap, view), partners)

    @cache  # noqa: B019  a lens lives as long as its experiment
    def _reference_units(self, tap: int, view: int) -> Tensor:
        return self._units(self._reference[tap], tap, view)

    def _units(self, features: Tensor, tap: int, view: int) -> Tensor:
        return unit_rows(self._seen(features, tap, view))[0]

    def members(self, labels: Sequence[int], generator: torch.Generator) -> Features:
        """Features of one random reference member of each of the given classes; NaN for a class that has none."""
        chosen, missing = [], []
        for label in labels:
            members = torch.nonzero(self._labels == label).flatten()
            missing.append(not len(members))
            chosen.append(
                members[torch.randint(len(members), (1,), generator=generator)] if len(members) else torch.tensor([0])
            )
        nobody = torch.tensor(missing)[:, None]
        return [f[torch.cat(chosen)].masked_fill(nobody, torch.nan) for f in self._reference]

    def _seen(self, features: Tensor, tap: int, view: int) -> Tensor:
        return centred(features, self._means[tap]) if view == 0 else features.double()


def paired_values(eta: Tensor) -> Tensor:
    """All quantities of pairs, one pair an input: eta [views, T, N] to float64 [N, views, Q, T]."""
    return torch.from_numpy(np.transpose(quantities(eta.numpy()), (3, 1, 0, 2)).copy())


def partners(labels: Tensor) -> tuple[Tensor, Tensor]:
    """The members of each class among ``labels`` [R]: their positions int64 [K, m], and which of these are real [K, m].

    Classes with fewer than m members are filled up with position 0, which is not real there.
    """
    found = [torch.nonzero(labels == k).flatten() for k in range(int(labels.max()) + 1)]
    padded = torch.nn.utils.rnn.pad_sequence(found, batch_first=True, padding_value=-1)
    return padded.clamp(min=0), padded >= 0
