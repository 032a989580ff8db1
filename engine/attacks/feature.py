"""The feature-space attack: which small change of an input gives it another input's features?

Source: S. Sabour, Y. Cao, F. Faghri, D. J. Fleet (2016), "Adversarial manipulation of deep representations", there with
L-BFGS; here with projected gradient steps on the squared distance of the features, relative to what it is at the sample.
"""

from __future__ import annotations

import torch
from torch import Tensor

from engine.attacks.core.batch import Batch, Steps
from engine.attacks.pgd import random_point
from engine.attacks.tools.guides import guides_of
from engine.attacks.tools.layers import seeing
from engine.errors import AttackError
from engine.specs import FeatureSpec


def feature(batch: Batch, spec: FeatureSpec) -> Steps:
    """Each sample is driven to an example that the network sees as the target class; untargeted, as any other class. A
    chosen test sample comes as the only example."""
    for restart in batch.restarting(spec.restarts):
        guides = _chosen(batch) if spec.target_sample >= 0 else (yield from guides_of(batch, restart))
        with seeing(batch.model, spec.layer) as seen:
            batch.logits(guides)
            goal = _features(seen)
            batch.logits(batch.x)
            scale = _distance(_features(seen), goal)
        scale = torch.where(scale > 0, scale, 1.0)
        x = random_point(batch, restart) if spec.random_start else batch.x
        for step in range(spec.steps):
            with seeing(batch.model, spec.layer) as seen:
                watched = batch.watch(x)
            gradient = watched.gradient(-_distance(_features(seen), goal) / scale)
            yield batch.at(x, watched.logits.detach(), step=step, steps=spec.steps)
            x, gradient, goal, scale = batch.live(x, gradient, goal, scale)
            x = batch.ball.project(torch.add(x, batch.ball.ascent(gradient, x), alpha=spec.step_size))
        yield batch.at(x, batch.logits(x), step=spec.steps, steps=spec.steps)


def _chosen(batch: Batch) -> Tensor:
    """The one example, for each sample ``[n, ...]``."""
    examples = batch.question.examples
    if examples is None or len(examples[0]) != 1:
        raise AttackError("This attack aims at one chosen sample: give it that one alone as example, with its label.")
    return examples[0].expand_as(batch.x)


def _features(seen: list[Tensor]) -> Tensor:
    if not seen or not isinstance(seen[0], Tensor) or seen[0].ndim < 2:
        raise AttackError(
            "The chosen layer gives no features of each input: choose a layer of numbers, such as relu 1."
        )
    return seen[0].flatten(1).float()


def _distance(a: Tensor, b: Tensor) -> Tensor:
    """Squared distance of rows ``[n, D]``."""
    return (a - b).square().sum(1)
