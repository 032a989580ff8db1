"""What attacks have in common: their iterates, the best of them, and its verification."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.attacks.forward import Score
from engine.attacks.problem import Problem


@dataclass(frozen=True, eq=False)
class Iterate:
    """All samples at one step of an attack; tensors of first dimension N, never changed afterwards."""

    step: int
    """0 is the starting point of a restart, ``steps`` its end."""
    steps: int
    restart: int
    x_adv: Tensor
    """``[N, ...]``, inside the ball and the box."""
    loss: Tensor
    """Cross-entropy to the target, or to the true class when untargeted."""
    prediction: Tensor
    """int64"""
    confidence: Tensor
    """Softmax probability of the prediction, in [0, 1]."""
    success: Tensor
    """bool: the prediction is the target, or is not the true class when untargeted."""
    active: Tensor
    """bool: the attack goes on to move this sample in this restart."""


@dataclass(frozen=True, slots=True)
class Working:
    """Part of a step is done: a moment at which to look whether anyone has cancelled."""

    step: int
    steps: int
    restart: int
    done: int
    total: int


@dataclass(frozen=True, eq=False)
class AttackResult:
    """The best point found for each of N samples, evaluated anew with the bare model."""

    x_adv: Tensor
    success: Tensor
    """bool"""
    first_success: Tensor
    """int64: the step at which a sample first succeeded, within the restart ``first_restart``; -1 = never."""
    first_restart: Tensor
    """int64: the restart in which it did; -1 = never."""
    norm: Tensor
    """float64: size of the perturbation in the attack's norm, in input units."""
    prediction: Tensor
    confidence: Tensor
    loss: Tensor
    disagreements: int
    """Samples whose success while attacking and on evaluation differ; above 0 the model is not deterministic."""


class Attack(Iterator[Iterate]):
    """A running attack: iterate over it, or over :meth:`events`, and at any time ask for the :meth:`result` so far.

    Of each restart a sample keeps its last point, or, where that fails, a point at which it had succeeded; of several
    restarts the one that succeeds, and among those the one with the better loss. So ``success`` says whether any
    iterate succeeded, and more restarts never lower it.
    """

    def __init__(self, problem: Problem, steps: Iterator[Working | Iterate]) -> None:
        self._problem = problem
        self._steps = steps
        self._best: _Best | None = None
        self._verified: Score | None = None
        self._events = self._attack_and_verify()

    def __next__(self) -> Iterate:
        for event in self._events:
            if isinstance(event, Iterate):
                return event
        raise StopIteration

    def events(self) -> Iterator[Working | Iterate]:
        """The iterates, and Working between the batches of each step and of the final verification.

        Whoever must be able to cancel within one batch, however many samples there are, iterates over this.
        """
        return self._events

    def close(self) -> None:
        """End the attack; the result so far can still be asked for."""
        self._events.close()
        self._verified = None

    def result(self) -> AttackResult:
        """The best points so far, evaluated anew; raises RuntimeError before the first iterate."""
        best = self._best
        if best is None:
            raise RuntimeError("an attack has no result before its first iterate")
        found = self._verified or Score.joined([part.score(best.x_adv[part.rows]) for part in self._problem.parts])
        success = self._problem.succeeded(found.prediction)
        return AttackResult(
            x_adv=best.x_adv,
            success=success,
            first_success=best.first_success,
            first_restart=best.first_restart,
            norm=torch.cat([part.ball.distance(best.x_adv[part.rows]) for part in self._problem.parts]),
            prediction=found.prediction,
            confidence=found.confidence,
            loss=found.loss,
            disagreements=int((success != best.success).sum()),
        )

    def _attack_and_verify(self) -> Generator[Working | Iterate, None, None]:
        event: Working | Iterate | None = None
        for event in self._steps:
            if isinstance(event, Iterate):
                self._best = _better(self._best, event, self._problem)
            yield event
        if self._best is None or event is None:
            return
        scores: list[Score] = []
        for part in self._problem.parts:
            if scores:
                yield Working(event.steps, event.steps, event.restart, done=len(scores), total=len(self._problem.parts))
            scores.append(part.score(self._best.x_adv[part.rows]))
        self._verified = Score.joined(scores)


def run(attack: Attack) -> AttackResult:
    """Take an attack to its end and give its result."""
    for _ in attack:
        pass
    return attack.result()


def iterate(
    problem: Problem, points: list[Tensor], scores: list[Score], *, step: int, steps: int, restart: int
) -> Iterate:
    """The iterate that the batches' points and scores make together."""
    joined = Score.joined(scores)
    return Iterate(
        step=step,
        steps=steps,
        restart=restart,
        x_adv=torch.cat(points),
        loss=joined.loss,
        prediction=joined.prediction,
        confidence=joined.confidence,
        success=problem.succeeded(joined.prediction),
        active=torch.full_like(problem.labels, step < steps, dtype=torch.bool),
    )


@dataclass(frozen=True, eq=False)
class _Best:
    x_adv: Tensor
    success: Tensor
    last: Tensor
    """bool: the point is the end of its restart."""
    gain: Tensor
    first_success: Tensor
    first_restart: Tensor


def _better(best: _Best | None, new: Iterate, problem: Problem) -> _Best:
    """Sample by sample the better of two points: success first, then the end of a restart, then the loss."""
    gain = problem.gain(new.loss)
    last = new.step == new.steps
    if best is None:
        never = torch.full_like(new.prediction, -1)
        nobody = torch.zeros_like(new.success)
        best = _Best(new.x_adv, nobody, nobody, gain, never, never)
    more = gain > best.gain
    by_end = ~best.last | more if last else ~best.last & more
    better = (new.success & ~best.success) | ((new.success == best.success) & by_end)
    # a step that is better for every sample, as most steps are, is taken as it is
    every = bool(better.all())
    rows = better.reshape(-1, *[1] * (new.x_adv.ndim - 1))
    first = new.success & (best.first_success < 0)
    any_first = bool(first.any())
    return _Best(
        x_adv=new.x_adv if every else torch.where(rows, new.x_adv, best.x_adv),
        success=new.success | best.success,
        last=best.last | better if last else best.last & ~better,
        gain=gain if every else torch.where(better, gain, best.gain),
        first_success=torch.where(first, new.step, best.first_success) if any_first else best.first_success,
        first_restart=torch.where(first, new.restart, best.first_restart) if any_first else best.first_restart,
    )
