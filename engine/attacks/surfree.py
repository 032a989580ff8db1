"""SurFree. Source: T. Maho, T. Furon, E. Le Merrer (2021), "SurFree: a fast surrogate-free black-box attack"."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from engine.attacks.batch import Batch, Steps, column
from engine.attacks.cosines import Cosines
from engine.attacks.decision import beginning, bisect, straight
from engine.attacks.probes import Probes, normal
from engine.attacks.queries import Budget
from engine.specs import SurFreeSpec

START_GAP = 1e-3  # how exactly, as a share of the way, the boundary is found at first
ENOUGH = 0.01  # a turn is found when it and the one beyond it differ by this in the distance, as a share
WIDEST = math.radians(89.0)
EVERY = 10  # looks between two points of the trajectory
TRYING, WIDENING, HALVING = 0, 1, 2


def surfree(batch: Batch, spec: SurFreeSpec) -> Steps:
    """Each look takes every sample one turn further, wherever it is in its own search; a point's step number is the most
    that has been asked of a sample.

    With u the unit way to the boundary point, at distance d, and v a unit direction at right angles to it, a turn by theta
    leads to ``x + d cos(theta) (u cos(theta) + v sin(theta))``: were the boundary a plane, the nearest point of it in the
    plane of u and v would be among these.
    """
    budget = Budget(batch, spec.queries)
    far, logits = yield from beginning(batch, spec, budget)
    everyone = torch.arange(len(batch), device=batch.x.device)
    path = straight(batch.x, far)
    share, logits = yield from bisect(batch, budget, path, torch.ones_like(batch.distance(far)), logits, START_GAP)
    x = path(share, everyone)
    if len(batch) == 0:
        return
    turns = _Turns(batch, spec)
    state = turns.fresh(batch, x)
    told = -EVERY
    looks = 0
    while True:
        out = budget.left <= 0
        if looks >= told + EVERY or bool(out.any()):
            yield batch.at(x, logits, step=spec.queries - int(budget.left.min()), steps=spec.queries)
            told = looks
        else:
            yield None
        x, logits, *rest = budget.live(x, logits, *state.tensors())
        if len(batch) == 0:
            return
        state = _State(*rest)
        angle = turns.angle(state)
        turn = (state.toward * column(angle.cos(), x)).addcmul_(state.aside, column(angle.sin(), x))
        moved = torch.addcmul(batch.x, turn, column(state.distance * angle.cos(), x))
        moved = moved if batch.box is None else batch.box.clamp(moved)
        seen = batch.logits(moved)
        won = batch.succeeded(seen)
        nearer = won & (batch.distance(moved) < batch.distance(x))
        x = torch.where(column(nearer, x), moved, x)
        logits = torch.where(nearer[:, None], seen, logits)
        looks += 1
        state = turns.after(batch, state, angle, won, x, looks)


@dataclass(frozen=True, eq=False)
class _State:
    """Where each sample's search is; tensors of first dimension n, angles in radians."""

    toward: Tensor
    aside: Tensor
    distance: Tensor
    widest: Tensor
    phase: Tensor
    trial: Tensor
    good: Tensor
    """The widest turn known to succeed, signed."""
    bad: Tensor
    """One beyond it that is known to fail, or comes next."""
    halvings: Tensor
    history: Tensor
    count: Tensor

    def tensors(self) -> list[Tensor]:
        return [getattr(self, field.name) for field in fields(self)]


class _Turns:
    def __init__(self, batch: Batch, spec: SurFreeSpec) -> None:
        self._spec = spec
        self._waves = Cosines(batch.x.shape[1:], spec.frequencies, batch.x)
        self._probes = Probes(batch.question.seed, "surfree", normal, self._waves.kept, batch.x)
        self._memory = min(spec.memory, self._waves.kept.numel() // 2)
        c = 1 - torch.arange(spec.trials, dtype=batch.x.dtype, device=batch.x.device) / spec.trials
        self._trials = torch.stack([c, -c], 1).flatten()

    def fresh(self, batch: Batch, x: Tensor) -> _State:
        n = len(batch)
        zero = torch.zeros_like(batch.x.flatten(1)[:, 0])
        state = _State(
            toward=torch.zeros_like(x), aside=torch.zeros_like(x), distance=zero,
            widest=torch.full_like(zero, math.radians(self._spec.theta_max)),
            phase=torch.zeros_like(batch.y), trial=torch.zeros_like(batch.y), good=zero, bad=zero,
            halvings=torch.zeros_like(batch.y),
            history=x.new_zeros(n, self._memory, x[0].numel()), count=torch.zeros_like(batch.y),
        )
        return self._renewed(batch, state, torch.ones(n, dtype=torch.bool, device=x.device), x, 0)

    def angle(self, state: _State) -> Tensor:
        trying = self._trials[state.trial] * state.widest
        return torch.where(
            state.phase == TRYING, trying, torch.where(state.phase == WIDENING, state.bad, (state.good + state.bad) / 2)
        )

    def after(self, batch: Batch, s: _State, angle: Tensor, won: Tensor, x: Tensor, looks: int) -> _State:
        step = angle.sign() * s.widest / self._spec.trials
        trying, widening, halving = (s.phase == phase for phase in (TRYING, WIDENING, HALVING))
        good = torch.where(won, angle, s.good)
        beyond = (angle + step).clamp(-WIDEST, WIDEST)
        bad = torch.where(won & ~halving, beyond, torch.where(won, s.bad, angle))
        phase = torch.where(trying & won & (s.trial < 2), WIDENING, torch.where((trying & won) | (widening & ~won), HALVING, s.phase))
        halvings = s.halvings + halving
        trial = s.trial + (trying & ~won)
        failed = trial >= len(self._trials)
        near = (good.cos() - bad.cos()).abs() <= ENOUGH
        found = (phase == HALVING) & (near | (halvings >= self._spec.halvings)) | ((phase == WIDENING) & (good.abs() >= WIDEST))
        widest = torch.where(failed, s.widest * self._spec.rho, torch.where(found, (s.widest / self._spec.rho).clamp_max(WIDEST), s.widest))
        ended = failed | found
        keep = ~ended
        state = _State(
            s.toward, s.aside, s.distance, widest, phase * keep, trial * keep, good, bad, halvings * keep, s.history, s.count
        )
        return self._renewed(batch, state, ended, x, looks) if bool(ended.any()) else state

    def _renewed(self, batch: Batch, s: _State, rows: Tensor, x: Tensor, looks: int) -> _State:
        """A new direction for these samples (bool ``[n]``), which are at ``x``."""
        where = rows.nonzero()[:, 0]
        away = (x[where] - batch.x[where]).flatten(1)
        length = torch.linalg.vector_norm(away, dim=1)
        toward = away / length.clamp_min(1e-30)[:, None]
        drawn = self._waves.synthesis(self._probes.take(looks, 1)).flatten(1).expand(len(where), -1)
        aside = drawn
        if self._memory:
            past = s.history[where]
            aside = aside - ((past @ aside[:, :, None]).transpose(1, 2) @ past)[:, 0]
        aside = aside - (aside * toward).sum(1, keepdim=True) * toward
        size = torch.linalg.vector_norm(aside, dim=1, keepdim=True)
        aside = torch.where(size > 1e-4, aside / size.clamp_min(1e-30), 0.0)
        new_toward, new_aside, distance = s.toward.clone(), s.aside.clone(), s.distance.clone()
        new_toward[where] = toward.reshape(-1, *x.shape[1:])
        new_aside[where] = aside.reshape(-1, *x.shape[1:])
        distance[where] = length
        history, count = s.history, s.count.clone()
        if self._memory:
            history[where, s.count[where] % self._memory] = aside  # ours alone
            count[where] += 1
        return _State(
            new_toward, new_aside, distance, s.widest, s.phase, s.trial, s.good, s.bad, s.halvings, history, count
        )
