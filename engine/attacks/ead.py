"""The elastic-net attack. Source: P.-Y. Chen, Y. Sharma, H. Zhang, J. Yi, C.-J. Hsieh (2018), "EAD: elastic-net attacks
to deep neural networks via adversarial examples".

For one c after another it minimises ``c max(kappa - gain(x'), 0) + ||x' - x||_2^2 + beta ||x' - x||_1`` by iterative
shrinkage: a gradient step on the first two terms, after which values changed by less than beta are as they were and the
others go back by beta. (The step's length does not enter there; so it is in the paper and its code.) FISTA begins each
step ahead of the last point, at ``x_k + k / (k + 3) (x_k - x_(k-1))``, ISTA at the point itself.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from engine.attacks.batch import Batch, Point, Steps
from engine.attacks.constants import Constants, Race
from engine.attacks.losses import margin
from engine.attacks.projections import Box
from engine.attacks.refinement import refined
from engine.attacks.thresholds import norms
from engine.specs import EadSpec


def ead(batch: Batch, spec: EadSpec) -> Steps:
    """Each search is a restart. A step costs a forward and a backward pass, with FISTA a second forward pass."""
    constants = Constants(len(batch), spec, batch.x.device)
    for search in batch.restarting(spec.searches):
        race = Race(batch, spec, constants.of(search))
        yield from _search(batch, spec, race)
        constants.learn(batch, race.found)
    yield from refined(batch, spec.refine)


def _search(batch: Batch, spec: EadSpec, race: Race) -> Steps:
    last = ahead = race.x
    for step in range(spec.steps):
        logits, gain, gradient = batch.gradient(ahead, margin, race.rows)
        if step == 0 or not spec.fista:
            yield _at(batch, spec, race, ahead, logits, race.rows, step)
        delta = ahead - race.x
        race.note(gain, _elastic(delta, spec.beta))
        slope = race.pull(gain, gradient).add_(delta, alpha=2)
        last, ahead, slope = race.keep(step, last, ahead, slope)
        if not len(race):
            return
        rate = spec.learning_rate * math.sqrt(1 - step / spec.steps)
        x_adv = _shrunk(torch.sub(ahead, slope, alpha=rate), race.x, spec.beta, batch.box)
        if not spec.fista:
            ahead = x_adv
            continue
        ahead = torch.lerp(last, x_adv, 1 + step / (step + 3))
        last = x_adv
        yield _look(batch, spec, race, x_adv, step + 1)
    if not spec.fista:
        yield _at(batch, spec, race, ahead, batch.logits(ahead, race.rows), race.rows, spec.steps)


def _look(batch: Batch, spec: EadSpec, race: Race, x_adv: Tensor, step: int) -> Point | None:
    """Ask the model about those points whose success would be news: the first of this search, or nearer than the best."""
    rows = torch.arange(len(batch), device=x_adv.device) if race.rows is None else race.rows
    places = batch.places[rows]
    delta = x_adv - race.x
    size = _elastic(delta, spec.beta) if spec.rule == "EN" else norms(delta, "L1")
    best = torch.where(batch.board.success[places], -batch.board.worth[places], torch.inf)
    news = ~race.found[rows] | (size < best)
    some = torch.nonzero(news)[:, 0]
    if not len(some):
        return None
    rows = None if len(some) == len(batch) else rows[some]
    x_adv = x_adv if len(some) == len(x_adv) else x_adv[some]
    return _at(batch, spec, race, x_adv, batch.logits(x_adv, rows), rows, step)


def _at(
    batch: Batch, spec: EadSpec, race: Race, x_adv: Tensor, logits: Tensor, rows: Tensor | None, step: int
) -> Point:
    x = batch.x if rows is None else batch.x[rows]
    size = _elastic(x_adv - x, spec.beta) if spec.rule == "EN" else None
    point = batch.at(x_adv, logits, step=step, steps=spec.steps, rows=rows, size=size)
    race.succeed(point.success, rows)
    return point


def _elastic(delta: Tensor, beta: float) -> Tensor:
    """The elastic-net distance ``beta L1 + L2^2``: float64 ``[n]``."""
    return beta * norms(delta, "L1") + norms(delta, "L2").square_()


def _shrunk(z: Tensor, x: Tensor, beta: float, box: Box | None) -> Tensor:
    """``z`` with its distance from ``x`` made smaller by beta a value, within the box; values nearer than that are x."""
    x_adv = x + torch.nn.functional.softshrink(z - x, beta)
    return x_adv if box is None else box.clamp(x_adv)
