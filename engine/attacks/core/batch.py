"""A batch of samples as an attack sees it: what is known of them, what may be asked of the model, and who is done."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor, nn

from engine.attacks.core.board import Board
from engine.attacks.core.look import broken_rows, input_gradient, input_gradients, logits_of
from engine.attacks.tools.draws import Draws
from engine.attacks.tools.losses import Loss, margin_of
from engine.attacks.tools.norms import sizes
from engine.attacks.tools.projections import Ball, Box, ball
from engine.seeds import derive
from engine.specs import Norm

ROUNDING = 1 + 1e-6  # by how much a float32 point may lie outside its ball


@dataclass(frozen=True, eq=False, slots=True)
class Point:
    """Where the samples of one batch are at one step of an attack."""

    places: Tensor
    """int64 ``[n]``: each sample's place among all."""
    x: Tensor
    logits: Tensor
    success: Tensor
    """bool ``[n]``"""
    step: int
    steps: int
    restart: int
    stage: str
    fraction: float
    """How much of the attack is done, in [0, 1]."""


Steps: TypeAlias = Generator[Point | None, None, None]
"""A running attack on one batch: a point of its trajectory, or None at a moment at which it may be cancelled."""
Method: TypeAlias = Callable[["Batch"], Steps]


@dataclass(frozen=True, slots=True)
class Question:
    """What does not change during an attack."""

    model: nn.Module
    seed: int
    targeted: bool
    norm: Norm
    stop: bool
    """A sample rests at its first success."""
    least_confidence: float
    """Softmax probability that a target must reach to count as reached."""
    low_precision: bool
    examples: tuple[Tensor, Tensor] | None
    """Labelled inputs ``[M, ...]``, ``[M]`` that an attack may start from or aim at."""
    least_margin: float = 0.0
    """By how much the logit of the class that counts as a success must exceed the others (the kappa of C&W)."""
    most_rows: int = 512
    """How many points may go through the model at once where an attack asks about several of each sample."""

    def reached(self, logits: Tensor, labels: Tensor) -> Tensor:
        """bool ``[n]``: the prediction is the target (with the confidence asked for), or is not the true class."""
        if self.least_margin > 0:
            return margin_of(logits, labels, labels if self.targeted else None) <= -self.least_margin
        if not self.targeted:
            return logits.argmax(1) != labels
        reached = logits.argmax(1) == labels
        if self.least_confidence > 0:
            reached &= logits.softmax(1).gather(1, labels[:, None])[:, 0] >= self.least_confidence
        return reached


class Watched:
    """One forward pass with its graph, from which gradients may be taken."""

    def __init__(self, batch: Batch, x: Tensor, rows: Tensor | None) -> None:
        self._batch, self._rows = batch, rows
        with torch.enable_grad():
            self.x = x.detach().requires_grad_()
            self.logits = batch.ask(self.x, rows)
        """``[n, K]``, with its graph."""

    def gradient(self, values: Tensor, *, keep_graph: bool = False) -> Tensor:
        """The gradient ``[n, ...]`` of each sample's own value ``[n]``; 0 where the model's gradient is not finite."""
        gradient = input_gradient(values, self.x, keep_graph=keep_graph)
        self._batch.count_gradients(self._rows)
        broken = broken_rows(gradient)
        if broken is None:
            return gradient
        self._batch.note_stuck(broken, self._rows)
        return torch.where(column(broken, gradient), 0.0, gradient)

    def gradients(self, values: Tensor) -> Tensor:
        """The gradients ``[m, n, ...]`` of m values of each sample, ``[n, m]``, in one batched backward pass where the model
        allows it; the graph stays. It is work for ``n m`` rows at once. 0 where the model's gradient is not finite."""
        found = input_gradients(values, self.x) if self._batch.batched else None
        if found is None:
            self._batch.batched = False
            return torch.stack([self.gradient(value, keep_graph=True) for value in values.unbind(1)])
        for _ in found:
            self._batch.count_gradients(self._rows)
        broken = broken_rows(found.transpose(0, 1))
        if broken is None:
            return found
        self._batch.note_stuck(broken, self._rows)
        return torch.where(broken.reshape(1, -1, *[1] * (found.ndim - 2)), 0.0, found)


class Batch:
    """The samples of one batch that an attack still works on; tensors of first dimension n.

    Nothing that happens to a sample depends on its batch mates. Samples that are done leave at the next :meth:`live`,
    and all attributes shrink alike.
    """

    def __init__(
        self,
        question: Question,
        board: Board,
        places: Tensor,
        x: Tensor,
        y: Tensor,
        target: Tensor | None,
        box: Box | None,
        ball: Ball | None,
    ) -> None:
        self.question, self.board, self.places = question, board, places
        self.x, self.y, self.target, self.box = x, y, target, box
        self._ball = ball
        self.draws = Draws(question.seed, places)
        self.n_classes = 0
        """Known after the first look at the model."""
        self.restart = 0
        self.restarts = 1
        self.stage = ""
        """Which member of an ensemble is at work; '' outside one."""
        self.share = (0.0, 1.0)
        """Where the running member's work begins and ends within the whole."""
        self.guarded = False
        """Points outside the ball do not count: for an attack that knows no budget, within one that has one."""
        self.batched = True
        """The model's operations know backward passes of several values at once, as far as has been seen."""
        self.point: Point | None = None
        self._forwards = torch.zeros(len(x), dtype=torch.int64, device=x.device)
        self._gradients = torch.zeros(len(x), dtype=torch.int64, device=x.device)
        self._leaving = torch.zeros(len(x), dtype=torch.bool, device=x.device)
        self._answerless = torch.zeros_like(self._leaving)
        self._any_leaving = False

    def __len__(self) -> int:
        return len(self.x)

    @property
    def model(self) -> nn.Module:
        """For looking into its layers; its answers are asked for through the batch, which counts them."""
        return self.question.model

    @property
    def targeted(self) -> bool:
        return self.target is not None

    @property
    def labels(self) -> Tensor:
        """The target classes, or the true ones when untargeted."""
        return self.y if self.target is None else self.target

    @property
    def clean(self) -> Tensor:
        """``[n, K]``: the class scores of the samples themselves, which need not be asked for again."""
        if self.board.clean is None:
            raise RuntimeError("the model has not been looked at yet")
        return self.board.clean[self.places]

    @property
    def ball(self) -> Ball:
        """The ball of a fixed-budget attack."""
        if self._ball is None:
            raise RuntimeError("an attack without a budget has no ball")
        return self._ball

    @property
    def forwards(self) -> Tensor:
        """int64 ``[n]``: forward passes so far."""
        return self._forwards

    @property
    def gradients(self) -> Tensor:
        """int64 ``[n]``: backward passes so far."""
        return self._gradients

    @property
    def done(self) -> bool:
        """Whether every sample is done."""
        return self._any_leaving and bool(self._leaving.all())

    # --- asking the model ----------------------------------------------------------------------------------------

    def logits(self, x: Tensor, rows: Tensor | None = None) -> Tensor:
        """Class scores ``[n, K]`` of one point a sample; of the samples ``rows`` (bool or index) if given.

        An index may name a sample several times, for as many of its points.
        """
        with torch.no_grad():
            return self.ask(x, rows)

    def watch(self, x: Tensor, rows: Tensor | None = None) -> Watched:
        """Look at one point a sample in such a way that gradients can be taken."""
        return Watched(self, x, rows)

    def gradient(self, x: Tensor, loss: Loss, rows: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """Class scores ``[n, K]``, the attacker's gain ``[n]`` and its gradient ``[n, ...]`` at one point a sample."""
        watched = self.watch(x, rows)
        y = self.y if rows is None else self.y[rows]
        target = self.target if rows is None or self.target is None else self.target[rows]
        with torch.enable_grad():
            gain = loss(watched.logits, y, target)
        gradient = watched.gradient(gain)
        return watched.logits.detach(), gain.detach(), gradient

    def exact_logits(self, x: Tensor) -> Tensor:
        """Class scores ``[n, K]`` in the model's own precision, whatever the attack computes with."""
        with torch.no_grad():
            return self.ask(x, None, exact=True)

    def ask(self, x: Tensor, rows: Tensor | None, *, exact: bool = False) -> Tensor:
        """The model's answer, counted; 0 for samples whose answer is not finite, which leave as invalid."""
        logits = logits_of(self.question.model, x, low_precision=self.question.low_precision and not exact)
        self.n_classes = logits.shape[1]
        _tally(self._forwards, rows)
        broken = broken_rows(logits)
        if broken is None:
            return logits
        self.note_invalid(broken, rows)
        return torch.where(broken[:, None], 0.0, logits)

    def count_forwards(self, rows: Tensor | None = None) -> None:
        """Count one forward pass that did not go through the batch."""
        _tally(self._forwards, rows)

    def count_gradients(self, rows: Tensor | None = None) -> None:
        """Count one backward pass."""
        _tally(self._gradients, rows)

    def note_invalid(self, broken: Tensor, rows: Tensor | None = None) -> None:
        """The model's answer for these is not a number: they leave, neither broken nor robust unless broken before."""
        mask = self._mask(broken, rows)
        lost = self.places[mask]
        if self.point is not None and not self.board.minimal:
            self._offer(self.point, self.point.success & torch.isin(self.point.places, lost))
        self.board.invalid[lost] = ~self.board.success[lost]
        self._answerless |= mask
        self.finish(mask)

    def note_stuck(self, broken: Tensor, rows: Tensor | None = None) -> None:
        """The gradient for these is not a number: unless something breaks them without it, they are not called robust."""
        self.board.stuck[self.places[self._mask(broken, rows)]] = True

    def _mask(self, some: Tensor, rows: Tensor | None) -> Tensor:
        """bool ``[n]`` of all live samples, from one of those at ``rows``."""
        if rows is None:
            return some
        mask = torch.zeros_like(self._leaving)
        mask[(rows.nonzero()[:, 0] if rows.dtype == torch.bool else rows)[some]] = True
        return mask

    # --- telling what was found ----------------------------------------------------------------------------------

    def succeeded(self, logits: Tensor, rows: Tensor | None = None) -> Tensor:
        """bool ``[n]``: what the attack is after is reached at points with these class scores."""
        return self.question.reached(logits, self.labels if rows is None else self.labels[rows])

    def distance(self, x: Tensor, rows: Tensor | None = None) -> Tensor:
        """How far each sample has been moved, in the attack's norm; float64 ``[n]``."""
        return sizes(x, self.x if rows is None else self.x[rows], self.question.norm)

    def at(
        self,
        x: Tensor,
        logits: Tensor,
        *,
        step: int,
        steps: int,
        rows: Tensor | None = None,
        norm: Tensor | None = None,
        size: Tensor | None = None,
    ) -> Point:
        """Say where the samples are and what the model says there; to be yielded. Neither tensor may change later.

        ``rows`` (int64 index) if only these samples have moved. An attack for the smallest norm may tell the ``norm``
        float64 [n] if it knows it, and the ``size`` float64 [n] that it makes small if that is another.
        """
        places = self.places if rows is None else self.places[rows]
        success = self._confirmed(x, self.succeeded(logits, rows), logits, rows)
        if self._any_leaving:
            success = success & ~(self._answerless if rows is None else self._answerless[rows])
        if self.guarded:
            x, logits, success = self._within(x, logits, success, rows)
        before, begin, end = self.point, *self.share
        fraction = (self.restart + step / max(1, steps)) / self.restarts
        fraction = begin + (end - begin) * min(1.0, fraction)
        self.point = Point(places, x, logits, success, step, steps, self.restart, self.stage, fraction)
        some = bool(success.any())
        if some:
            new = success & (self.board.first_success[places] < 0)
            if bool(new.any()):
                self.board.first_success[places[new]], self.board.first_restart[places[new]] = step, self.restart
                if self.stage:
                    self.board.first_stage[places[new]] = self.board.stages.index(self.stage)
        if self.board.minimal:
            if some:
                norm = self.distance(x, rows) if norm is None else norm
                self.board.offer_nearer(places, x, logits, success, norm, norm if size is None else size)
        elif self.question.stop:
            if some:
                self._offer(self.point, success)
                self.finish(
                    success if rows is None else torch.zeros_like(self._leaving).index_fill_(0, rows[success], True)
                )
        elif before is not None and torch.equal(before.places, places):
            lost = before.success & ~success
            if bool(lost.any()):
                self._offer(before, lost)
        return self.point

    def _within(self, x: Tensor, logits: Tensor, success: Tensor, rows: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        """For points outside the ball the best ones so far, which are failures: else the sample would have left."""
        outside = self.distance(x, rows) > self.ball.eps * ROUNDING
        if not bool(outside.any()) or self.board.logits is None:
            return x, logits, success
        places = self.places if rows is None else self.places[rows]
        x = torch.where(column(outside, x), self.board.x_adv[places], x)
        return x, torch.where(outside[:, None], self.board.logits[places], logits), success & ~outside

    def finish(self, mask: Tensor) -> None:
        """These samples (bool ``[n]``) are done: they leave at the next :meth:`live`."""
        self._leaving |= mask
        self._any_leaving = self._any_leaving or bool(mask.any())

    def live(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        """The rows of each tensor that belong to samples not yet done; those that are done leave the batch."""
        if not self._any_leaving:
            return tensors
        keep = ~self._leaving
        self.flush(self._leaving)
        if self.point is not None and not self.board.minimal and not self.question.stop:
            # the next point has fewer rows: a success that it loses could not be told from here
            self._offer(self.point, self.point.success & torch.isin(self.point.places, self.places))
        self.count()
        rows = torch.nonzero(keep).flatten()
        self.x, self.y, self.places = self.x[rows], self.y[rows], self.places[rows]
        self.target = None if self.target is None else self.target[rows]
        self._ball = None if self._ball is None else self._ball.rows(rows)
        self.draws = self.draws.rows(rows)
        self._forwards, self._gradients = self._forwards[rows], self._gradients[rows]
        self._leaving, self._any_leaving = self._leaving[rows], False
        self._answerless = self._answerless[rows]
        return tuple(tensor[rows] for tensor in tensors)

    def restarting(self, restarts: int) -> Iterator[int]:
        """Count the restarts of an attack: each ends with its last point, and what is done leaves in between."""
        self.restarts = restarts
        for restart in range(restarts):
            self.restart = restart
            yield restart
            self.flush()
            self.point = None
            self.live()
        self.restart, self.restarts = 0, 1

    def flush(self, mask: Tensor | None = None) -> None:
        """Offer the last point of the samples in ``mask`` (bool [n]; default all) as their best."""
        if self.point is None:
            return
        wanted = self.places if mask is None else self.places[mask]
        rows = torch.isin(self.point.places, wanted)
        if self.board.minimal:
            self.board.put_failures(self.point.places[rows], self.point.x[rows], self.point.logits[rows])
        elif bool(rows.any()):
            self._offer(self.point, rows)

    def begin(self, stage: str, share: tuple[float, float], *, guarded: bool) -> None:
        """A member of an ensemble begins to work on the samples not yet broken, with random numbers of its own."""
        self.finish(self.board.success[self.places])
        self.live()
        self.restart, self.restarts = 0, 1
        self.stage, self.share, self.guarded = stage, share, guarded
        if stage not in self.board.stages:
            self.board.stages.append(stage)
        self.draws = Draws(derive(self.question.seed, stage), self.places)

    def settle(self) -> None:
        """The attack has nothing more to do here: keep the last points and the counts."""
        self.flush()
        self.point = None
        self.count()

    def count(self) -> None:
        """Write what the samples have cost so far to the board."""
        self.board.forwards[self.places], self.board.gradients[self.places] = self._forwards, self._gradients

    def _offer(self, point: Point, rows: Tensor) -> None:
        places, x, logits = point.places[rows], point.x[rows], point.logits[rows]
        labels = self.board.labels[places]
        worth = -margin_of(logits, labels, labels if self.targeted else None).double()
        self.board.offer(places, x, logits, point.success[rows], point.step >= point.steps, worth)

    def _confirmed(self, x: Tensor, success: Tensor, logits: Tensor, rows: Tensor | None) -> Tensor:
        """In low precision a success counts only if the model agrees in float32."""
        if not self.question.low_precision or not bool(success.any()):
            return success
        with torch.no_grad():
            exact = logits_of(self.question.model, x[success])
        which = success if rows is None else rows[success]
        self._forwards[which] += 1
        logits[success] = exact  # ours alone: nobody has seen these logits yet
        confirmed = success.clone()
        confirmed[success] = self.succeeded(exact, which)
        return confirmed


def repack(batches: Sequence[Batch]) -> None:
    """Put all samples still worked on into as few of the batches as hold them, and leave the others empty.

    For the moments between the members of an ensemble, when a few samples of each batch are left.
    """
    total, most = sum(map(len, batches)), batches[0].question.most_rows
    used = -(-total // most)
    if used >= sum(len(batch) > 0 for batch in batches):
        return
    shared = {name: torch.cat([getattr(batch, name) for batch in batches]) for name in _OF_EACH_SAMPLE}
    target = None if batches[0].target is None else torch.cat([b.target for b in batches if b.target is not None])
    size = -(-total // max(1, used))
    for number, batch in enumerate(batches):
        rows = slice(number * size, (number + 1) * size)
        for name, values in shared.items():
            setattr(batch, name, values[rows])
        batch.target = None if target is None else target[rows]
        if batch._ball is not None:
            batch._ball = ball(batch.question.norm, batch.x, batch._ball.eps, batch.box)
        batch.draws = Draws(batch.draws.seed, batch.places)


_OF_EACH_SAMPLE = ("places", "x", "y", "_forwards", "_gradients", "_leaving", "_answerless")


def _tally(counts: Tensor, rows: Tensor | None) -> None:
    """Count one pass of each of the samples ``rows``: None for all, bool, or indices, an index as often as it occurs."""
    if rows is None:
        counts += 1
    elif rows.dtype == torch.bool:
        counts += rows
    else:
        counts.index_add_(0, rows, torch.ones_like(rows))


def column(values: Tensor, like: Tensor) -> Tensor:
    """One value a sample ``[n]``, shaped to go with ``like`` ``[n, ...]``."""
    return values.reshape(-1, *[1] * (like.ndim - 1))
