"""The elastic-net attack. Source: P.-Y. Chen, Y. Sharma, H. Zhang, J. Yi, C.-J. Hsieh (2018), "EAD: elastic-net attacks
to deep neural networks via adversarial examples".

For one c after another it minimises ``c max(kappa - gain(x'), 0) + ||x' - x||_2^2 + beta ||x' - x||_1`` by iterative
shrinkage: a gradient step on the first two terms, after which values changed by less than beta are as they were and the
others go back by beta. (The step's length does not enter there; so it is in the paper and its code.) FISTA begins each
step ahead of the last point, at ``x_k + k / (k + 3) (x_k - x_(k-1))``, ISTA at the point itself.
"""

from __future__ import annotations

import math
from functools import partial

import torch
from torch import Tensor
from torch.nn.functional import softshrink

from engine.attacks.core.batch import Batch, Point, Steps
from engine.attacks.tools.constants import Constants, Race
from engine.attacks.tools.losses import margin
from engine.attacks.tools.refinement import refined
from engine.attacks.tools.thresholds import norms
from engine.specs import EadSpec


def ead(batch: Batch, spec: EadSpec) -> Steps:
    """Each search is a restart. A step costs a forward and a backward pass, with FISTA a second forward pass where the
    point's success would be news."""
    constants = Constants(len(batch), spec, batch.x.device)
    best = torch.full((len(batch),), torch.inf, dtype=torch.float64, device=batch.x.device)
    for search in batch.restarting(spec.searches):
        race = Race(batch, spec, constants.of(search))
        yield from _search(batch, spec, race, best)
        (best,) = constants.learn(batch, race.found, best)
    yield from refined(batch, spec.refine, size=partial(_distance, spec=spec))


def _search(batch: Batch, spec: EadSpec, race: Race, best: Tensor) -> Steps:
    """``best`` float64 ``[n]``, the smallest distance of a success by the decision rule, is kept up to date."""
    ahead, last = race.x, torch.zeros_like(race.x)
    for step in range(spec.steps):
        logits, gain, gradient = batch.gradient(ahead, margin, race.rows)
        if step == 0 or not spec.fista:
            yield _at(batch, spec, race, best, ahead, logits, step)
        delta = ahead - race.x
        idle = race.idle(step, gain, partial(_elastic, delta, spec.beta))
        rate = spec.learning_rate * math.sqrt(1 - step / spec.steps)
        moved = (delta * (1 - 2 * rate)).sub_(race.pull(gain, gradient), alpha=rate)
        x_adv = race.x + softshrink(moved, spec.beta)
        x_adv = x_adv if batch.box is None else batch.box.clamp(x_adv)
        delta = x_adv - race.x
        if step == 0 and race.aborts:  # the steps only become shorter: who has not moved yet never will
            idle = (delta == 0).flatten(1).all(1)
        x_adv, delta, last = race.stop(idle, x_adv, delta, last)
        if not len(race):
            return
        if not spec.fista:
            ahead = x_adv
            continue
        ahead, last = torch.lerp(last, delta, 1 + step / (step + 3)).add_(race.x), delta
        yield _look(batch, spec, race, best, x_adv, step + 1)
    if not spec.fista:
        yield _at(batch, spec, race, best, ahead, batch.logits(ahead, race.rows), spec.steps)


def _look(batch: Batch, spec: EadSpec, race: Race, best: Tensor, x_adv: Tensor, step: int) -> Point | None:
    """Ask the model about those points whose success would be news: the first with this c, or nearer than the best."""
    size = _distance(x_adv - race.x, spec)
    rows = race.rows
    news = size < best if rows is None else size < best[rows]
    news |= ~race.found if rows is None else ~race.found[rows]
    if not bool(news.all()):
        some = torch.nonzero(news)[:, 0]
        if not len(some):
            return None
        rows, x_adv, size = some if rows is None else rows[some], x_adv[some], size[some]
    return _tell(batch, spec, race, best, x_adv, batch.logits(x_adv, rows), size, rows, step)


def _at(batch: Batch, spec: EadSpec, race: Race, best: Tensor, x_adv: Tensor, logits: Tensor, step: int) -> Point:
    """Tell of points that the model has been asked about anyway."""
    return _tell(batch, spec, race, best, x_adv, logits, _distance(x_adv - race.x, spec), race.rows, step)


def _tell(
    batch: Batch,
    spec: EadSpec,
    race: Race,
    best: Tensor,
    x_adv: Tensor,
    logits: Tensor,
    size: Tensor,
    rows: Tensor | None,
    step: int,
) -> Point:
    point = batch.at(x_adv, logits, step=step, steps=spec.steps, rows=rows, size=size)
    race.succeed(point.success, rows)
    where = slice(None) if rows is None else rows
    best[where] = torch.where(point.success, torch.minimum(size, best[where]), best[where])
    return point


def _distance(delta: Tensor, spec: EadSpec) -> Tensor:
    """What the decision rule compares: float64 ``[n]``."""
    return _elastic(delta, spec.beta) if spec.rule == "EN" else norms(delta, "L1")


def _elastic(delta: Tensor, beta: float) -> Tensor:
    """The elastic-net distance ``beta L1 + L2^2``: float64 ``[n]``."""
    return beta * norms(delta, "L1") + norms(delta, "L2").square_()
