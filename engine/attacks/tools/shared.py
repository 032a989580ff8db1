"""Attacks that look for one thing that does the same to all samples: how it is fitted, and what it then does to each."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import torch
from torch import Tensor

from engine.attacks.core.attack import JointSteps
from engine.attacks.core.batch import Batch, column
from engine.attacks.core.goals import choosing_targets
from engine.attacks.core.look import broken_rows, input_gradient, logits_of
from engine.attacks.tools.draws import Draws
from engine.attacks.tools.losses import cross_entropy
from engine.errors import AttackError
from engine.specs import SharedSpec

AT_LAST = -1
"""The step of the places at which the attacked samples are evaluated."""
FITTING = 1 << 40  # examples have places of their own, beyond those of all samples

T = TypeVar("T")
Work = Generator[None, None, T]
Points = tuple[Tensor, Tensor]  # [n, ...], and the class scores there


class Shared(Protocol):
    """What is fitted: a tensor, how it is put on samples, and how it follows a gradient."""

    def begin(self, fit: Fit) -> Tensor:
        """What it is at first."""

    def put(self, value: Tensor, x: Tensor, draws: Draws, step: int) -> Tensor:
        """The samples ``x`` ``[n, ...]`` with it, within the input range; where it goes may depend on ``step``."""

    def pull(self, gradient: Tensor, draws: Draws, step: int) -> Tensor:
        """The gradient with respect to it, of the shape of its value, given that to the points ``[n, ...]`` put there."""

    def ascend(self, value: Tensor, gradient: Tensor) -> Tensor:
        """One step uphill."""

    def wanted(self, logits: Tensor, y: Tensor, target: Tensor | None) -> Tensor:
        """bool ``[n]``: it does to these what it is after."""


@dataclass(frozen=True, eq=False, slots=True)
class Fit:
    """The samples ``[M, ...]`` that it is fitted to."""

    x: Tensor
    y: Tensor
    target: Tensor | None
    draws: Draws
    attacked: bool
    """They are the attacked samples themselves."""


def fitted(batches: Sequence[Batch], spec: SharedSpec, shared: Shared) -> JointSteps:
    """In each epoch every sample of the fit is seen once; after it what does best with all of them so far is shown on the
    attacked samples.

    No sample rests before the others, since there is one thing for all. What is asked of examples is shared out evenly
    among the attacked samples, so that the counts add up to what the attack has cost.
    """
    for batch in batches:
        batch.live()
    running = [batch for batch in batches if len(batch)]
    if not running:
        return
    fit = yield from _fit_of(running, spec)
    if not fit.attacked and running[0].question.examples is not None:
        _share_out(running, 0, len(running[0].question.examples[0]))
    value = shared.begin(fit)
    best, most = value, -1
    shown: list[Points] = []
    for epoch in range(spec.epochs + 1):
        if epoch > 0:
            value = yield from _epoch(running, spec, shared, fit, value, epoch)
        if fit.attacked:
            points = yield from _points(running, shared, value)
            count = sum(
                int(shared.wanted(logits, b.y, b.target).sum()) for b, (_, logits) in zip(running, points, strict=True)
            )
        else:
            count = yield from _count(running[0], shared, fit, value)
            _share_out(running, epoch * len(fit.x), len(fit.x))
        if count >= most:
            best, most = value, count
            shown = points if fit.attacked else (yield from _points(running, shared, best))
        for batch, (x, logits) in zip(running, shown, strict=True):
            _tell(batch, x, logits, epoch, spec.epochs)
        last = running[-1].point
        if last is not None:
            yield last
        running, shown = _still(running, shown)
        if not running:
            return


def _tell(batch: Batch, x: Tensor, logits: Tensor, epoch: int, epochs: int) -> None:
    """A point that replaces all before it: successes of another perturbation are none of this one."""
    batch.point = None
    point = batch.at(x, logits, step=epoch, steps=epochs)
    lost = point.places[~point.success]
    batch.board.first_success[lost] = batch.board.first_restart[lost] = -1


def _still(batches: Sequence[Batch], shown: list[Points]) -> tuple[list[Batch], list[Points]]:
    """The batches, and what is shown of them, without samples whose answers were not numbers."""
    left = [batch.live(*points) for batch, points in zip(batches, shown, strict=True)]
    kept = [(batch, (x, logits)) for batch, (x, logits) in zip(batches, left, strict=True) if len(batch)]
    return [batch for batch, _ in kept], [points for _, points in kept]


def _points(batches: Sequence[Batch], shared: Shared, value: Tensor) -> Work[list[Points]]:
    """Each batch's points with it, and the class scores there."""
    points = []
    for batch in batches:
        x = shared.put(value, batch.x, batch.draws, AT_LAST)
        points.append((x, batch.logits(x)))
        yield None
    return points


def _epoch(
    batches: Sequence[Batch], spec: SharedSpec, shared: Shared, fit: Fit, value: Tensor, epoch: int
) -> Work[Tensor]:
    """One step for each minibatch."""
    question = batches[0].question
    order = Draws(question.seed, fit.draws.places.new_zeros(1)).permutation(len(fit.x), "minibatches", epoch)[0]
    for rows in torch.split(order, spec.minibatch):
        total = torch.zeros_like(value)
        for part in torch.split(rows, question.most_rows):
            draws = fit.draws.rows(part)
            x = shared.put(value, fit.x[part], draws, epoch)
            target = None if fit.target is None else fit.target[part]
            gradient = _gradient(batches[0], x, fit.y[part], target, spec.clip)
            total = total + shared.pull(gradient, draws, epoch)
            yield None
        value = shared.ascend(value, total)
    if fit.attacked:
        for batch in batches:
            batch.count_forwards()
            batch.count_gradients()
    else:
        _share_out(batches, epoch * len(fit.x), len(fit.x), gradients=True)
    return value


def _share_out(batches: Sequence[Batch], first: int, passes: int, *, gradients: bool = False) -> None:
    """Count that many forward passes, with their ``gradients``, as those of the samples in turn, from the ``first``-th on."""
    whose = torch.arange(first, first + passes, device=batches[0].x.device) % sum(map(len, batches))
    for batch in batches:
        own = whose[(whose >= 0) & (whose < len(batch))]
        batch.count_forwards(own)
        if gradients:
            batch.count_gradients(own)
        whose = whose - len(batch)


def _gradient(batch: Batch, x: Tensor, y: Tensor, target: Tensor | None, clip: float) -> Tensor:
    """The gradient ``[n, ...]`` of each sample's loss; 0 where the model gives no number."""
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        gain = cross_entropy(logits_of(batch.model, x), y, target)
        gradient = input_gradient(gain.clamp_max(clip) if target is None else gain, x)
    broken = broken_rows(gradient)
    return gradient if broken is None else torch.where(column(broken, gradient), 0.0, gradient)


def _count(batch: Batch, shared: Shared, fit: Fit, value: Tensor) -> Work[int]:
    """With how many examples it does what it is after, each at a place that stays the same."""
    count = 0
    for part in torch.split(torch.arange(len(fit.x), device=fit.x.device), batch.question.most_rows):
        with torch.no_grad():
            logits = logits_of(batch.model, shared.put(value, fit.x[part], fit.draws.rows(part), AT_LAST))
        count += int(shared.wanted(logits, fit.y[part], None if fit.target is None else fit.target[part]).sum())
        yield None
    return count


def _fit_of(batches: Sequence[Batch], spec: SharedSpec) -> Work[Fit]:
    """The examples that the model sees as what they are, or the samples; without any of the class aimed at."""
    question = batches[0].question
    attacked = spec.fit == "samples" or question.examples is None
    if attacked:
        x, y, places = (torch.cat([getattr(b, name) for b in batches]) for name in ("x", "y", "places"))
        target = None if batches[0].target is None else torch.cat([b.labels for b in batches])
    else:
        assert question.examples is not None
        x, y = question.examples
        seen = []
        for part in torch.split(x, question.most_rows):
            with torch.no_grad():
                seen.append(logits_of(batches[0].model, part).argmax(1))
            yield None
        right = torch.cat(seen) == y
        x, y, places = x[right], y[right], torch.nonzero(right)[:, 0] + FITTING
        if len(x) == 0:
            raise AttackError(
                "The network sees no training sample as what it is, so there is nothing to fit to: train it longer, or "
                "fit to the attacked samples."
            )
        target = None
        if batches[0].target is not None:
            choosing = choosing_targets(batches[0].model, x, y, spec.aim, batches[0].n_classes, question.seed)
            target = yield from choosing
    if target is not None and spec.one_target:
        others = y != target
        if not bool(others.any()):
            raise AttackError(
                f"All samples are of class {spec.aim}, which the patch is to be taken for: choose others."
            )
        x, y, places, target = x[others], y[others], places[others], target[others]
    return Fit(x, y, target, Draws(question.seed, places), attacked)
