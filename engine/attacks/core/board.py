"""What an attack has found so far: for each of all N samples its best point, and what finding it has cost."""

from __future__ import annotations

import torch
from torch import Tensor


class Board:
    """The best point of each sample, as tensors of first dimension N; only :meth:`offer` writes points.

    A point that succeeds is better than one that does not. Among equals, an attack of a fixed budget keeps the end of
    a restart before a point on its way, then the larger gain; an attack for the smallest norm keeps the nearer point.
    """

    def __init__(self, x: Tensor, labels: Tensor, *, targeted: bool, minimal: bool, stops: bool) -> None:
        n, device = len(x), x.device
        self.x, self.labels, self.targeted, self.minimal = x, labels, targeted, minimal
        self.stops = stops
        """A sample rests at its first success."""
        self.x_adv = x.clone()
        self.logits: Tensor | None = None  # [N, K], as soon as K is known
        self.clean: Tensor | None = None
        """``[N, K]``: the class scores of the samples themselves, once the model has been looked at."""
        self.already = torch.zeros(n, dtype=torch.bool, device=device)
        """A success before the attack: the sample is left as it is."""
        self.success = torch.zeros(n, dtype=torch.bool, device=device)
        self.ended = torch.zeros(n, dtype=torch.bool, device=device)
        self.worth = torch.full((n,), -torch.inf, dtype=torch.float64, device=device)
        self.norm = torch.zeros(n, dtype=torch.float64, device=device)  # kept by an attack for the smallest norm alone
        self.invalid = torch.zeros(n, dtype=torch.bool, device=device)
        self.stuck = torch.zeros(n, dtype=torch.bool, device=device)
        """Somewhere the gradient was not a number."""
        self.first_success = torch.full((n,), -1, dtype=torch.int64, device=device)
        self.first_restart = torch.full((n,), -1, dtype=torch.int64, device=device)
        self.stages: list[str] = []
        """The members of an ensemble in the order in which they began."""
        self.first_stage = torch.full((n,), -1, dtype=torch.int64, device=device)
        """Which of them was the first to succeed."""
        self.forwards = torch.zeros(n, dtype=torch.int64, device=device)
        self.gradients = torch.zeros(n, dtype=torch.int64, device=device)

    @property
    def smallest(self) -> Tensor:
        """Of an attack for the smallest norm: the norm of each sample's best success, infinite where there is none."""
        return torch.where(self.success, self.norm, torch.inf)

    def offer(self, places: Tensor, x: Tensor, logits: Tensor, success: Tensor, ended: bool, worth: Tensor) -> None:
        """Take those of the points ``x`` [n, ...] of the samples at ``places`` that are better than what is there.

        ``worth`` float64 [n] orders points that are equal otherwise: the larger, the better.
        """
        held, was_ended = self.success[places], self.ended[places]
        better = (was_ended.logical_not() & ended) | ((was_ended == ended) & (worth > self.worth[places]))
        taken = (success & ~held) | ((success == held) & better)
        if not bool(taken.any()):
            return
        self.put(places[taken], x[taken], logits[taken])
        where = places[taken]
        self.success[where], self.ended[where], self.worth[where] = success[taken], ended, worth[taken]

    def offer_nearer(
        self, places: Tensor, x: Tensor, logits: Tensor, success: Tensor, norm: Tensor, size: Tensor
    ) -> None:
        """The same in an attack for the smallest norm: take successes whose ``size`` float64 [n] is below what is there.

        ``norm`` float64 [n] is what :attr:`smallest` tells; most attacks have no other size.
        """
        taken = torch.nonzero(success & (size < -self.worth[places]))[:, 0]
        if len(taken) == 0:
            return
        where = places[taken]
        self.put(where, x[taken], logits[taken])
        self.success[where], self.worth[where], self.norm[where] = True, -size[taken], norm[taken]

    def put_failures(self, places: Tensor, x: Tensor, logits: Tensor) -> None:
        """Write the points of samples without a success: of failures the newest, since their nearest is the sample."""
        failed = ~self.success[places]
        if bool(failed.any()):
            self.put(places[failed], x[failed], logits[failed])

    def put(self, places: Tensor, x: Tensor, logits: Tensor) -> None:
        """Write points without asking whether they are better."""
        if self.logits is None:
            self.logits = logits.new_zeros(len(self.x), logits.shape[1])
        self.x_adv[places] = x
        self.logits[places] = logits.detach()
