"""One network looked through: features of inputs compared with each other and with the members of a class.

Methods that take more than a moment are generators that yield None between two pieces of work of a few hundredths of
a second, so that a job can be cancelled there, and return their result.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import TypeVar

import torch
from torch import Tensor

from engine.geometry.gram import upper_pairs
from engine.geometry.groups import partner_means
from engine.geometry.pairs import centred, chords, rapidity, unit_rows
from engine.geometry.partners import partner_pairs
from engine.geometry.readings import QUANTITIES, quantities
from engine.models import Network, observe

T = TypeVar("T")
Work = Generator[None, None, T]

Features = list[Tensor]
"""Features of N inputs at every tap: T tensors [N, D_l]."""

VIEWS = 2  # centred by the reference mean, and as they are
BATCH = 64  # inputs that go through the network at a time
CHUNK = 256  # inputs compared with their class's members at a time
KEPT_WIDTH = 4096  # unit reference features up to this many are kept; wider ones are made when they are needed


class Lens:
    """A network and the reference samples that give its centre and its classes; made by :func:`look`.

    Centring subtracts the mean reference feature at each tap: without it, features after a ReLU look correlated
    whatever they show.
    """

    def __init__(self, model: Network, reference: Features, labels: Tensor) -> None:
        self.model = model
        self._labels = labels
        self._reference = reference
        self._means = [f.double().mean(0) for f in reference]
        self._partners, self._real = partners(labels)
        self._kept: dict[tuple[int, int], Tensor] = {}

    @property
    def reference(self) -> Features:
        """Features of the reference samples at every tap."""
        return self._reference

    @property
    def labels(self) -> Tensor:
        """The reference samples' classes."""
        return self._labels

    @property
    def width(self) -> int:
        """Features at all taps together: what a look at one input costs."""
        return sum(f.shape[1] for f in self._reference)

    def features(self, x: Tensor) -> Work[Features]:
        """Features of inputs [N, ...] at every tap of the network, in order."""
        return observed(self.model, x)

    def matrix(self, features: Features) -> Work[Tensor]:
        """Rapidity of all pairs of N inputs: float64 [views, T, N(N-1)/2]."""
        views = []
        for view in range(VIEWS):
            rows = []
            for tap, f in enumerate(features):
                rows.append(upper_pairs(self.seen(f, tap, view)))
                yield
            views.append(torch.stack(rows))
        return torch.stack(views)

    def rapidity(self, a: Features, b: Features) -> Work[Tensor]:
        """Rapidity of input i of ``a`` with input i of ``b``: float64 [views, T, N]."""
        views = []
        for view in range(VIEWS):
            rows = []
            for tap, (f, g) in enumerate(zip(a, b, strict=True)):
                rows.append(rapidity(*chords(self._units(f, tap, view), self._units(g, tap, view))))
                yield
            views.append(torch.stack(rows))
        return torch.stack(views)

    def between(self, a: Features, b: Features) -> Work[Tensor]:
        """All quantities of input i of ``a`` with input i of ``b``: float64 [N, views, Q, T]; rapidity may be infinite."""
        eta = yield from self.rapidity(a, b)
        return torch.from_numpy(quantities(eta.numpy())).permute(3, 1, 0, 2)

    def toward(self, features: Features, labels: Tensor) -> Work[tuple[Tensor, Tensor]]:
        """Each input's mean over the reference members of its class in ``labels`` [N].

        Returns float64 [N, views, Q, T], NaN for a label without reference members (-1 is none), and the number of
        saturated pairs left out of the mean rapidity, int64 [views, T].
        """
        known = labels.clamp(0, len(self._partners) - 1)
        real = self._real[known] & (labels == known)[:, None]
        found = torch.full((len(labels), VIEWS, len(QUANTITIES), len(features)), torch.nan, dtype=torch.float64)
        saturated = torch.zeros(VIEWS, len(features), dtype=torch.int64)
        for view in range(VIEWS):
            for tap, f in enumerate(features):
                reference = self._reference_units(tap, view)
                for start in range(0, len(labels), CHUNK):
                    rows = slice(start, start + CHUNK)
                    eta = partner_pairs(self._units(f[rows], tap, view), reference, self._partners[known[rows]])
                    means = partner_means(torch.from_numpy(quantities(eta.numpy())), real[rows])
                    found[rows, view, :, tap] = means.mean.T
                    saturated[view, tap] += means.saturated.amax(0).sum()
                yield
        return found, saturated

    def members(self, labels: Sequence[int], generator: torch.Generator) -> Features:
        """Features of one random reference member of each of the given classes; NaN for a class that has none."""
        chosen, missing = [], []
        for label in labels:
            members = torch.nonzero(self._labels == label).flatten()
            missing.append(not len(members))
            drawn = torch.randint(max(1, len(members)), (1,), generator=generator)
            chosen.append(members[drawn] if len(members) else drawn)
        nobody = torch.tensor(missing)[:, None]
        return [f[torch.cat(chosen)].masked_fill(nobody, torch.nan) for f in self._reference]

    def _reference_units(self, tap: int, view: int) -> Tensor:
        if (tap, view) in self._kept:
            return self._kept[tap, view]
        units = self._units(self._reference[tap], tap, view)
        if units.shape[1] <= KEPT_WIDTH:
            self._kept[tap, view] = units
        return units

    def _units(self, features: Tensor, tap: int, view: int) -> Tensor:
        return unit_rows(self.seen(features, tap, view))[0]

    def seen(self, features: Tensor, tap: int, view: int) -> Tensor:
        """Features [N, D] of a tap in float64: about the reference mean (view 0), or as they are."""
        return centred(features, self._means[tap]) if view == 0 else features.double()


def look(model: Network, reference_x: Tensor, reference_y: Tensor) -> Work[Lens]:
    """Look through a network as it is now, with reference samples [R, ...] of the training set and their labels [R]."""
    reference = yield from observed(model, reference_x)
    return Lens(model, reference, reference_y)


def observed(model: Network, x: Tensor) -> Work[Features]:
    """Features of inputs [N, ...] at every tap of a network, in order."""
    parts = []
    for start in range(0, len(x), BATCH):
        parts.append(list(observe(model, x[start : start + BATCH]).values()))
        yield
    return [torch.cat(part) for part in zip(*parts, strict=True)]


def partners(labels: Tensor) -> tuple[Tensor, Tensor]:
    """The members of each class among ``labels`` [R]: their positions int64 [K, m], and which of these are real [K, m].

    Classes with fewer than m members are filled up with position 0, which is not real there.
    """
    found = [torch.nonzero(labels == k).flatten() for k in range(int(labels.max()) + 1)]
    padded = torch.nn.utils.rnn.pad_sequence(found, batch_first=True, padding_value=-1)
    return padded.clamp(min=0), padded >= 0
