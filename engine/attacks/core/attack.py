"""A running attack: the driver that leads all batches in step, and the result, verified."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TypeAlias

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from engine.attacks.core.batch import Batch, Method, Point, Question
from engine.attacks.core.board import Board
from engine.attacks.core.iterate import Iterate, Working
from engine.attacks.core.look import broken_rows, logits_of, sheltered
from engine.attacks.core.trajectory import Diary, Trajectory
from engine.attacks.tools.losses import margin_of
from engine.attacks.tools.norms import sizes
from engine.errors import AttackError
from engine.seeds import derive

JointSteps: TypeAlias = Generator[Point | None, None, None]
JointMethod: TypeAlias = Callable[[Sequence[Batch]], JointSteps]
"""An attack on all batches at once. Of its points only the last of each batch counts; it yields one when all have moved."""


@dataclass(frozen=True, eq=False)
class AttackResult:
    """The best point found for each of N samples, evaluated anew with the bare model in its own precision."""

    x_adv: Tensor
    """``[N, ...]``; of a failure the last point tried, or the sample itself where the attack made none."""
    success: Tensor
    """bool"""
    success_8bit: Tensor
    """bool: a success that is still one when ``x_adv`` is rounded to 256 levels, as in an image file; without a box as ``success``."""
    invalid: Tensor
    """bool: the model's answer was not a number, at the sample or on the way: neither broken nor robust."""
    first_success: Tensor
    """int64: the step at which a sample first succeeded, within the restart ``first_restart``; -1 = never."""
    first_restart: Tensor
    """int64: the restart in which it did; -1 = never."""
    first_stage: tuple[str, ...]
    """The member of an ensemble by which it did; "" = by none."""
    already: Tensor
    """bool: a success before the attack began, so that none was needed."""
    norm: Tensor
    """float64: size of the perturbation in the attack's norm, in input units."""
    prediction: Tensor
    confidence: Tensor
    loss: Tensor
    margin: Tensor
    """Below 0: success."""
    forwards: Tensor
    """int64: forward passes that the sample has cost, the look at the clean sample included, verification not."""
    gradients: Tensor
    """int64: backward passes that the sample has cost."""
    told: Callable[[], Trajectory]
    """Reads :attr:`trajectory`, which takes as long as a few forward passes and is not always asked for."""
    disagreements: int
    """Samples whose success while attacking and on evaluation differ; above 0 the model is not deterministic, or on its edge."""

    @cached_property
    def trajectory(self) -> Trajectory:
        """What the model said at each step."""
        return self.told()

    @property
    def smallest(self) -> Tensor:
        """float64: the norm of each success, infinite for a failure, NaN for what is invalid: what minimal-norm attacks are compared by."""
        found = torch.where(self.success, self.norm, torch.inf)
        return torch.where(self.invalid, torch.nan, found)


@dataclass(frozen=True, slots=True)
class Costs:
    """What an attack has come to so far: means over its samples."""

    forwards: float
    gradients: float
    smallest: float
    """Median norm of the smallest perturbation found, over samples that needed one and have one; NaN where no such is sought."""
    invalid: Tensor
    """bool ``[N]``"""
    broken: Tensor
    """bool ``[N]``: a success at some step so far; of one perturbation for all samples, in its present form."""


class Attack(Iterator[Iterate]):
    """A running attack: iterate over it, or over :meth:`events`, and at any time ask for the :meth:`result` so far."""

    def __init__(self, question: Question, board: Board, batches: Sequence[Batch], method: JointMethod) -> None:
        self.x: Tensor = board.x
        """``[N, ...]``: the samples that the attack begins with."""
        self._question, self._board, self._batches, self._method = question, board, batches, method
        self._model, self._seed = question.model, question.seed
        self._modules = list(question.model.modules())
        self._slices = [batch.places for batch in batches]
        self._diary = Diary(len(board.x))
        self._verified: list[Tensor] | None = None
        self._rounded: Tensor | None = None
        self._latest = Working(0, 1, 0, 0.0)
        self._moves = 0
        self._events = self._attack_and_verify()

    def __next__(self) -> Iterate:
        for event in self._events:
            if isinstance(event, Iterate):
                return event.keep()
        raise StopIteration

    def events(self) -> Iterator[Working | Iterate]:
        """The iterates, and Working between pieces of work of a few hundredths of a second.

        Whoever must be able to cancel at once iterates over this. An iterate from here is to be read before the next
        event is asked for.
        """
        return self._events

    def close(self) -> None:
        """End the attack; the result so far can still be asked for."""
        self._events.close()

    @property
    def clean(self) -> Tensor:
        """``[N, K]``: class scores of the samples themselves; raises RuntimeError before the model has been looked at."""
        if self._board.clean is None:
            raise RuntimeError("an attack knows nothing of its samples before its first iterate")
        return self._board.clean

    @property
    def already(self) -> Tensor:
        """bool ``[N]``: what the attack is after was so before it began; known when :attr:`clean` is."""
        return self._board.already.clone()

    def costs(self) -> Costs:
        """Forward and backward passes so far, and how small the perturbations are."""
        board = self._board
        for batch in self._batches:
            batch.count()
        found = board.smallest[board.success & ~board.already] if board.minimal else board.norm[:0]
        return Costs(
            forwards=float(board.forwards.double().mean()),
            gradients=float(board.gradients.double().mean()),
            smallest=float(found.median()) if len(found) else math.nan,
            invalid=board.invalid.clone(),
            broken=board.first_success >= 0,
        )

    def result(self) -> AttackResult:
        """The best points so far, evaluated anew; raises RuntimeError before the first look at the model."""
        board = self._board
        if board.clean is None or board.logits is None:
            raise RuntimeError("an attack has no result before its first iterate")
        if self._verified is None:
            for batch in self._batches:
                batch.settle()
        logits = torch.cat(self._verified or list(self._verification()))
        rounded = self._rounded if self._rounded is not None else torch.cat(list(self._rounding(logits)))
        success = self._succeeded(logits) & ~board.invalid
        labels = board.labels
        late = success & (board.first_success < 0)  # the attack's own precision did not see it
        return AttackResult(
            x_adv=board.x_adv.clone(),
            success=success,
            success_8bit=rounded & success,
            invalid=board.invalid.clone(),
            first_success=torch.where(late, self._latest.step, board.first_success),
            first_restart=torch.where(late, self._latest.restart, board.first_restart),
            first_stage=tuple(board.stages[k] if k >= 0 else "" for k in board.first_stage.tolist()),
            already=board.already.clone(),
            norm=sizes(board.x_adv, board.x, self._question.norm),
            prediction=logits.argmax(1),
            confidence=logits.softmax(1).amax(1),
            loss=cross_entropy(logits, labels, reduction="none"),
            margin=margin_of(logits, labels, labels if board.targeted else None),
            forwards=board.forwards.clone(),
            gradients=board.gradients.clone(),
            told=partial(self._diary.snapshot().read, board.clean, labels, targeted=board.targeted),
            disagreements=int((success != (board.success & ~board.invalid)).sum()),
        )

    # --- the events ----------------------------------------------------------------------------------------------

    def _attack_and_verify(self) -> Generator[Working | Iterate, None, None]:
        yield from self._look_at_clean()
        joint = self._method(self._batches)
        try:
            while True:
                self._moves += 1
                with sheltered(self._model, derive(self._seed, "model", str(self._moves)), self._modules):
                    event = next(joint, self)
                if isinstance(event, Attack):
                    break
                if event is None:
                    yield self._latest
                    continue
                points = [batch.point for batch in self._batches if batch.point is not None]
                self._diary.note(points)
                iterate = Iterate(self._board, points)
                self._latest = Working(iterate.step, iterate.steps, iterate.restart, iterate.fraction)
                yield iterate
                iterate.expire()
        finally:
            joint.close()
        for batch in self._batches:
            batch.settle()
        self._board.invalid |= self._board.stuck & ~self._board.success
        self._check_any_valid()
        if not self._diary:
            yield Iterate(self._board, ())  # no sample needed an attack: this is what it ends with
        self._latest = Working(self._latest.step, self._latest.steps, self._latest.restart, 1.0)
        verified = []
        for logits in self._verification():
            verified.append(logits)
            yield self._latest
        self._verified = verified
        rounded = []
        for part in self._rounding(torch.cat(verified)):
            rounded.append(part)
            yield self._latest
        self._rounded = torch.cat(rounded)

    def _look_at_clean(self) -> Generator[Working, None, None]:
        """What the model says before the attack: samples that need none, or have no answer, are done."""
        seen = []
        for batch in self._batches:
            with sheltered(self._model, derive(self._seed, "model", "clean")):
                try:
                    logits = batch.exact_logits(batch.x)
                except (RuntimeError, TypeError) as error:
                    raise AttackError(
                        f"The model cannot take inputs of shape {list(batch.x.shape)} and {batch.x.dtype}: {error}"
                    ) from error
            _check_classes(logits, torch.cat([batch.y, batch.labels]))
            self._board.put(batch.places, batch.x, logits)
            seen.append(logits)
            solved = batch.succeeded(logits) & ~self._board.invalid[batch.places]
            places = batch.places[solved]
            self._board.already[places] = self._board.success[places] = self._board.ended[places] = True
            self._board.worth[places] = 0.0 if self._board.minimal else torch.inf
            self._board.first_success[places] = self._board.first_restart[places] = 0
            batch.finish(solved)
            yield self._latest
        self._check_any_valid()
        self._board.clean = torch.cat(seen)

    def _check_any_valid(self) -> None:
        if bool(self._board.invalid.all()):
            raise AttackError(
                f"The model's outputs or gradients are not finite for any of {len(self.x)} samples, so there is nothing "
                "to attack: train it again with a smaller learning rate, or choose another model."
            )

    def _verification(self) -> Iterator[Tensor]:
        """The bare model's logits at the best points, a batch at a time."""
        for places in self._slices:
            with sheltered(self._model, derive(self._seed, "model", "verify")), torch.no_grad():
                logits = logits_of(self._model, self._board.x_adv[places])
            broken = broken_rows(logits)
            if broken is not None:
                self._board.invalid[places[broken]] = True
                logits = torch.where(broken[:, None], 0.0, logits)
            yield logits

    def _rounding(self, logits: Tensor) -> Iterator[Tensor]:
        """Whether each success is still one after 8-bit quantisation, a batch at a time."""
        success = self._succeeded(logits) & ~self._board.invalid
        box = self._batches[0].box
        for places in self._slices:
            here = success[places]
            if box is None or not bool(here.any()):
                yield here
                continue
            which = places[here]
            with sheltered(self._model, derive(self._seed, "model", "verify")), torch.no_grad():
                seen = logits_of(self._model, box.rounded(self._board.x_adv[which], levels=256))
            still = here.clone()
            still[here] = self._question.reached(seen, self._board.labels[which]) & seen.isfinite().all(1)
            yield still

    def _succeeded(self, logits: Tensor) -> Tensor:
        return self._question.reached(logits, self._board.labels)


def lockstep(method: Method) -> JointMethod:
    """Lead an attack on single batches through all of them, step by step."""

    def joint(batches: Sequence[Batch]) -> JointSteps:
        for batch in batches:
            batch.live()  # samples that need no attack
        running = [(batch, method(batch)) for batch in batches]
        try:
            while running:
                latest: Point | None = None
                ended: list[Batch] = []
                for batch, steps in list(running):
                    point = None
                    while len(batch) and point is None:
                        try:
                            point = next(steps)
                        except StopIteration:
                            break
                        if point is None:
                            yield None
                    latest = point or latest
                    if point is None or batch.done:
                        steps.close()
                        running.remove((batch, steps))
                        ended.append(batch)
                    if point is None:
                        batch.settle()
                    yield None
                if latest is not None:
                    yield latest
                for batch in ended:  # not before their last points have been shown
                    batch.settle()
        finally:
            for _, steps in running:
                steps.close()

    return joint


def run(attack: Attack) -> AttackResult:
    """Take an attack to its end and give its result."""
    for _ in attack.events():
        pass
    return attack.result()


def _check_classes(logits: Tensor, labels: Tensor) -> None:
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= logits.shape[1]:
        raise AttackError(
            f"The model tells {logits.shape[1]} classes apart, but labels or targets run from {low} to {high}: "
            "choose a model made for this data, or other targets."
        )
