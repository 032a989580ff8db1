"""The L2 attack of N. Carlini, D. Wagner (2017), "Towards evaluating the robustness of neural networks".

For one c after another it minimises ``||x' - x||_2^2 + c max(kappa - gain(x'), 0)`` by Adam, the gain being the margin by
which x' is a success. Inside a box x' = middle + half width * tanh(w), and w is what moves; without a box x' itself.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from engine.attacks.core.batch import Batch, Steps
from engine.attacks.tools.constants import Constants, Race
from engine.attacks.tools.losses import margin
from engine.attacks.tools.projections import Box
from engine.attacks.tools.refinement import refined
from engine.specs import CarliniWagnerSpec

INSIDE = 0.99  # where a value at the edge of the box begins, 1 being the edge; from the authors' 0.999999 it hardly gets away


def carlini_wagner(batch: Batch, spec: CarliniWagnerSpec) -> Steps:
    """Each search is a restart; a step of it costs a forward and a backward pass."""
    constants = Constants(len(batch), spec, batch.x.device)
    for search in batch.restarting(spec.searches):
        race = Race(batch, spec, constants.of(search))
        yield from _search(batch, spec, race)
        constants.learn(batch, race.found)
    yield from refined(batch, spec.refine)


def _search(batch: Batch, spec: CarliniWagnerSpec, race: Race) -> Steps:
    w = _opened(race.x, batch.box)
    adam = Adam(w, spec.learning_rate)
    for step in range(spec.steps):
        x_adv, inner = _closed(w, batch.box)
        logits, gain, gradient = batch.gradient(x_adv, margin, race.rows)
        point = batch.at(x_adv, logits, step=step, steps=spec.steps, rows=race.rows)
        race.succeed(point.success, race.rows)
        yield point
        delta = x_adv - race.x
        idle = race.idle(step, gain, partial(_squared_length, delta))
        slope = race.pull(gain, gradient).add_(delta, alpha=2)
        if inner is not None:
            slope.mul_(inner)
        w, slope, adam.mean, adam.square = race.stop(idle, w, slope, adam.mean, adam.square)
        if not len(race):
            return
        w = w - adam.step(slope)
    x_adv, _ = _closed(w, batch.box)
    point = batch.at(x_adv, batch.logits(x_adv, race.rows), step=spec.steps, steps=spec.steps, rows=race.rows)
    race.succeed(point.success, race.rows)
    yield point


def _opened(x: Tensor, box: Box | None) -> Tensor:
    """The w that stands for x."""
    if box is None:
        return x
    return ((x - box.lower) / box.width * 2 - 1).mul_(INSIDE).atanh_()


def _closed(w: Tensor, box: Box | None) -> tuple[Tensor, Tensor | None]:
    """The x that w stands for, and its derivative (None: 1)."""
    if box is None:
        return w, None
    bent, half = w.tanh(), box.width / 2
    return box.clamp(torch.addcmul(box.lower + half, bent, half)), (1 - bent.square_()).mul_(half)


class Adam:
    """D. Kingma, J. Ba (2015), "Adam: a method for stochastic optimization", for samples of which some may leave."""

    def __init__(self, w: Tensor, learning_rate: float) -> None:
        self.mean, self.square = torch.zeros_like(w), torch.zeros_like(w)
        self._rate, self._steps = learning_rate, 0

    def step(self, slope: Tensor) -> Tensor:
        """What to subtract."""
        self._steps += 1
        self.mean = torch.lerp(slope, self.mean, 0.9)
        self.square = (self.square * 0.999).addcmul_(slope, slope, value=0.001)
        correction = 1 - 0.999**self._steps
        root = (self.square / correction).sqrt_().add_(1e-8)
        return (self.mean / root).mul_(self._rate / (1 - 0.9**self._steps))


def _squared_length(delta: Tensor) -> Tensor:
    return delta.flatten(1).square().sum(1, dtype=torch.float64)
