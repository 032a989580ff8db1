"""Projected gradient descent. Source: A. Madry, A. Makelov, L. Schmidt, D. Tsipras, A. Vladu (2018), "Towards deep
learning models resistant to adversarial attacks". In L1 its steps change few values at a time: F. Tramer, D. Boneh
(2019), "Adversarial training and robustness for multiple perturbations"."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.attacks.core.batch import Batch, Steps, column
from engine.attacks.tools.expectation import mean_gradient, mean_logits
from engine.attacks.tools.losses import cross_entropy
from engine.specs import PgdSpec


def pgd(batch: Batch, spec: PgdSpec) -> Steps:
    """L-inf steps go along the gradient's sign, L2 steps along the gradient made length 1."""
    return descend(
        batch,
        alpha=spec.step_size,
        steps=spec.steps,
        random_start=spec.random_start,
        restarts=spec.restarts,
        sparsity=spec.sparsity,
        eot=spec.eot,
    )


def descend(
    batch: Batch,
    *,
    alpha: float,
    steps: int,
    random_start: bool = False,
    restarts: int = 1,
    sparsity: float = 0.99,
    eot: int = 1,
) -> Steps:
    """In each restart the starting point and then ``steps`` iterates.

    The forward pass that a step needs also gives the iterate's score, so a step costs one pass forward and one back.
    """
    for restart in batch.restarting(restarts):
        x = random_point(batch, restart) if random_start else batch.x
        for step in range(steps):
            logits, _, gradient = yield from mean_gradient(batch, x, cross_entropy, eot)
            yield batch.at(x, logits, step=step, steps=steps)
            x, gradient = batch.live(x, gradient)
            direction = batch.ball.ascent(gradient, x, sparsity=sparsity)
            x = batch.ball.project(torch.add(x, direction, alpha=alpha))
        logits = yield from mean_logits(batch, x, eot)
        yield batch.at(x, logits, step=steps, steps=steps)


def random_point(batch: Batch, restart: int) -> Tensor:
    """Where a restart begins: uniform in the L-inf ball; in L2 and L1 in a uniform direction, at a uniform distance.

    The distance is ours: nearly all of a high-dimensional ball's volume lies at its surface, and starts there are
    measurably weaker when steps are few.
    """
    point = batch.ball.draw(batch.draws, restart)
    if batch.question.norm == "Linf":
        return point
    share = column(batch.draws.uniform("distance of the start", restart), point).to(point.dtype)
    return batch.ball.project(torch.lerp(batch.x, point, share))
