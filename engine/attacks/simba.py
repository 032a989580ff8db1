"""SimBA. Source: C. Guo, J. Gardner, Y. You, A. Wilson, K. Weinberger (2019), "Simple black-box adversarial attacks"."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.attacks.core.batch import Batch, Steps, column
from engine.attacks.tools.cosines import Cosines
from engine.attacks.tools.draws import Draws
from engine.attacks.tools.losses import improves, log_odds
from engine.attacks.tools.queries import Budget
from engine.specs import SimbaSpec

EVERY = 10  # looks between two points of the trajectory, unless a sample succeeds
SKIPS = 3


def simba(batch: Batch, spec: SimbaSpec) -> Steps:
    """Steps of alpha along and against one direction after another; the first that lowers the probability of the true
    class, or raises that of the target, is kept.

    The probability is compared through its log odds, which also tell apart what is 1 to the last bit. Each look takes
    every sample one trial further, wherever it is in its own order, so a point's step number is what has been asked of
    each. A trial that the ball or the box would undo is skipped.
    """
    budget, basis = Budget(batch, spec.queries), _Basis(batch, spec)
    trial = torch.zeros_like(batch.y)  # 2 k: along direction k of the sample's order, 2 k + 1: against it
    x = batch.x
    budget.live()
    if len(batch) == 0:
        return
    logits = batch.clean
    gain, asked, told = log_odds(logits.double(), batch.y, batch.target), 1, 0
    while True:
        won = batch.succeeded(logits)
        if asked >= told + EVERY or bool(won.any()) or told == 0 or asked >= spec.queries:
            yield batch.at(x, logits, step=asked, steps=spec.queries)
            told = asked
        else:
            yield None
        x, logits, gain, trial = budget.live(x, logits, gain, trial)
        if len(batch) == 0 or batch.ball.eps == 0:
            return
        trial, moved = basis.next(batch, x, trial)
        seen = batch.logits(moved)
        asked += 1
        seen_gain = log_odds(seen.double(), batch.y, batch.target)
        better = improves(seen_gain, batch.succeeded(seen), gain, batch.succeeded(logits))
        x = torch.where(column(better, x), moved, x)
        logits, gain = torch.where(better[:, None], seen, logits), torch.where(better, seen_gain, gain)
        trial = torch.where(better | (trial % 2 == 1), (trial // 2 + 1) * 2, trial + 1)


class _Basis:
    """The directions that are tried, in an order that is the same for all samples; a new order when all were tried."""

    def __init__(self, batch: Batch, spec: SimbaSpec) -> None:
        self._alpha, self._shape = spec.alpha, batch.x.shape[1:]
        self._waves = Cosines(self._shape, spec.frequencies, batch.x) if spec.basis == "dct" else None
        self._size = (self._shape if self._waves is None else self._waves.kept).numel()
        self._draws = Draws(batch.question.seed, torch.zeros_like(batch.places[:1]))
        self._order = batch.places.new_empty(0)
        self._rounds = 0

    def next(self, batch: Batch, x: Tensor, trial: Tensor) -> tuple[Tensor, Tensor]:
        """The trials int64 ``[n]`` that come next and move anything, and the points ``[n, ...]`` that they lead to."""
        moved = self._point(batch, x, trial)
        for _ in range(SKIPS):
            void = (moved == x).flatten(1).all(1)
            if not bool(void.any()):
                break
            trial = trial + void
            moved = torch.where(column(void, x), self._point(batch, x, trial), moved)
        return trial, moved

    def _point(self, batch: Batch, x: Tensor, trial: Tensor) -> Tensor:
        step = self._alpha * (1 - 2 * (trial % 2)).to(x.dtype)
        number = trial // 2
        while int(number.max()) >= len(self._order):
            order = self._draws.permutation(self._size, "simba", self._rounds)[0]
            self._order, self._rounds = torch.cat([self._order, order]), self._rounds + 1
        which = self._order[number]
        if self._waves is not None:
            return batch.ball.project(x + column(step, x) * self._waves.wave(which))
        moved = x.flatten(1).clone()
        return batch.ball.project(moved.scatter_add_(1, which[:, None], step[:, None]).reshape(x.shape))
