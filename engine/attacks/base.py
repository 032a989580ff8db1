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
        self._earlier: _Best | None = None  # the restarts that have ended
        self._latest: _Best | None = None  # the one that runs
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
        if self._latest is None:
            raise RuntimeError("an attack has no result before its first iterate")
        best = _better(self._earlier, self._latest)
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
                if event.step == 0 and self._latest is not None:
                    self._earlier, self._latest = _better(self._earlier, self._latest), None
                self._latest = _newer(self._latest, _Best.of(event, self._problem))
            yield event
        if self._latest is None or event is None:
            return
        best = _better(self._earlier, self._latest)
        scores: list[Score] = []
        for part in self._problem.parts:
            if scores:
                yield Working(event.steps, event.steps, event.restart, done=len(scores), total=len(self._problem.parts))
            scores.append(part.score(best.x_adv[part.rows]))
        self._verified = Score.joined(scores)


def run(attack: Attack) -> AttackResult:
    """Take an attack to its end and give its result."""
    for _ in attack:
        pass
    return attack.result()


def iterate(problem: Problem, x_adv: Tensor, scores: list[Score], *, step: int, steps: int, restart: int) -> Iterate:
    """The iterate that the points of all samples and the batches' scores make together."""
    joined = Score.joined(scores)
    return Iterate(
        step=step,
        steps=steps,
        restart=restart,
        x_adv=x_adv,
        loss=joined.loss,
        prediction=joined.prediction,
        confidence=joined.confidence,
        success=problem.succeeded(joined.prediction),
        active=torch.full_like(problem.labels, step < steps, dtype=torch.bool),
    )


@dataclass(frozen=True, eq=False)
class _Best:
    """For each sample one point of an attack and what speaks for it."""

    x_adv: Tensor
    success: Tensor
    last: Tensor
    """bool: the point is the end of its restart."""
    gain: Tensor
    first_success: Tensor
    first_restart: Tensor

    @classmethod
    def of(cls, iterate: Iterate, problem: Problem) -> _Best:
        return cls(
            x_adv=iterate.x_adv,
            success=iterate.success,
            last=torch.full_like(iterate.success, iterate.step == iterate.steps),
            gain=problem.gain(iterate.loss),
            first_success=torch.where(iterate.success, iterate.step, -1),
            first_restart=torch.where(iterate.success, iterate.restart, -1),
        )


def _newer(old: _Best | None, new: _Best) -> _Best:
    """Of two points of a restart the newer one, unless it fails where the older one succeeded."""
    return new if old is None else _merged(old, new, new.success | ~old.success)


def _better(old: _Best | None, new: _Best) -> _Best:
    """Of the points of two restarts the better one: success first, then the end of a restart, then the loss."""
    if old is None:
        return new
    by_end = (new.last & ~old.last) | ((new.last == old.last) & (new.gain > old.gain))
    return _merged(old, new, (new.success & ~old.success) | ((new.success == old.success) & by_end))


def _merged(old: _Best, new: _Best, taken: Tensor) -> _Best:
    """The new points where ``taken``, else the old ones; what succeeded first did so, whichever is kept."""
    if bool(taken.all()):  # as in most steps: copies nothing large
        x_adv, last, gain = new.x_adv, new.last, new.gain
    else:
        x_adv = torch.where(taken.reshape(-1, *[1] * (new.x_adv.ndim - 1)), new.x_adv, old.x_adv)
        last, gain = torch.where(taken, new.last, old.last), torch.where(taken, new.gain, old.gain)
    return _Best(
        x_adv=x_adv,
        success=new.success | old.success,
        last=last,
        gain=gain,
        first_success=torch.where(old.success, old.first_success, new.first_success),
        first_restart=torch.where(old.success, old.first_restart, new.first_restart),
    )
