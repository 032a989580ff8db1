"""What the model said at each step of an attack, kept within a bound on memory."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from engine.attacks.core.batch import Point
from engine.attacks.tools.losses import margin_of

MOST_VALUES = 8_000_000  # numbers kept: 32 MB
KINDS = 3  # loss, confidence and margin: what each entry becomes for every sample


@dataclass(frozen=True, eq=False)
class Trajectory:
    """Loss, confidence and margin of N samples over S steps of an attack; a sample that is done keeps its last values.

    Steps are counted through all restarts and members. Of long attacks on many samples only every second, fourth, …
    step is kept; each says what was known when it ended.
    """

    step: Tensor
    """int64 ``[S]``"""
    loss: Tensor
    """``[S, N]``: cross-entropy to the target, or to the true class when untargeted."""
    confidence: Tensor
    """``[S, N]``: softmax probability of the prediction, in [0, 1]."""
    margin: Tensor
    """``[S, N]``: below 0 the attack has succeeded."""


class Diary:
    """Collects the logits of each step of an attack on ``samples`` samples."""

    def __init__(self, samples: int) -> None:
        self._samples = samples
        self._entries: list[tuple[int, list[tuple[Tensor, Tensor]]]] = []
        self._count = 0
        self._every = 1
        self._values = 0

    def __len__(self) -> int:
        return len(self._entries)

    def note(self, points: Sequence[Point]) -> None:
        """Keep what the model said at these points."""
        entry = [(point.places, point.logits.detach()) for point in points]
        if self._entries and self._count % self._every:  # belongs to the entry before it: its newer values
            self._entries[-1] = (self._count, [*self._entries[-1][1], *entry])
        else:
            self._entries.append((self._count, entry))
        self._count += 1
        self._values += sum(logits.numel() for _, logits in entry)
        # reading makes a row for all samples of each entry, however few samples it is about
        if self._values + KINDS * self._samples * len(self._entries) > MOST_VALUES:
            self._thin()

    def snapshot(self) -> Diary:
        """The same entries, which later ones leave as they are."""
        same = copy(self)
        same._entries = list(self._entries)
        return same

    def read(self, clean: Tensor, labels: Tensor, *, targeted: bool) -> Trajectory:
        """The trajectory; ``clean`` ``[N, K]`` is what the model says before the attack, ``labels`` ``[N]`` what is asked."""
        if not self._entries:
            empty = clean.new_zeros(0, len(clean))
            return Trajectory(torch.zeros(0, dtype=torch.int64, device=clean.device), empty, empty, empty)
        parts = [part for _, entry in self._entries for part in entry]
        places = torch.cat([where for where, _ in parts])
        seen = torch.cat([logits for _, logits in parts])  # evaluated at once: most steps are of few samples
        now = _said(clean, labels, targeted)
        told = iter(torch.split(_said(seen, labels[places], targeted), [len(where) for where, _ in parts], dim=1))
        rows = []
        for _, entry in self._entries:
            now = now.clone()
            for where, _ in entry:
                now[:, where] = next(told)
            rows.append(now)
        steps = torch.tensor([step for step, _ in self._entries], dtype=torch.int64, device=clean.device)
        return Trajectory(steps, *torch.stack(rows, 1).unbind())

    def _thin(self) -> None:
        """Join every second entry to the one before it; of each sample an entry keeps the newest values alone."""
        self._every *= 2
        thinned = []
        for number in range(0, len(self._entries), 2):
            step, entry = self._entries[number]
            later: list[tuple[Tensor, Tensor]] = []
            if number + 1 < len(self._entries):
                step, later = self._entries[number + 1]
            places = torch.cat([p for p, _ in entry + later])
            logits = torch.cat([seen for _, seen in entry + later])
            order = torch.full((int(places.max()) + 1,), -1, dtype=torch.int64, device=places.device)
            order[places] = torch.arange(len(places), device=places.device)  # the last of equal places stays
            newest = order[order >= 0]
            thinned.append((step, [(places[newest], logits[newest])]))
        self._entries = thinned
        self._values = sum(logits.numel() for _, entry in thinned for _, logits in entry)


def _said(logits: Tensor, labels: Tensor, targeted: bool) -> Tensor:
    """Loss, confidence and margin at class scores ``[n, K]``: ``[3, n]``."""
    loss = cross_entropy(logits, labels, reduction="none")
    return torch.stack([loss, logits.softmax(1).amax(1), margin_of(logits, labels, labels if targeted else None)])
