"""Projected gradient descent. Source: A. Madry, A. Makelov, L. Schmidt, D. Tsipras, A. Vladu (2018), "Towards deep
learning models resistant to adversarial attacks"; without a random start it is the basic iterative method of
A. Kurakin, I. Goodfellow, S. Bengio (2017), "Adversarial examples in the physical world"."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from engine.attacks.base import Iterate, Working, iterate
from engine.attacks.problem import Problem
from engine.specs import PgdSpec


def pgd(problem: Problem, spec: PgdSpec) -> Iterator[Working | Iterate]:
    """PGD as its spec says; L-inf steps go along the gradient's sign, L2 steps along the gradient made length 1."""
    return descend(problem, alpha=spec.alpha, steps=spec.steps, random_start=spec.random_start, restarts=spec.restarts)


def descend(
    problem: Problem, *, alpha: float, steps: int, random_start: bool, restarts: int
) -> Iterator[Working | Iterate]:
    """In each restart the starting point and then ``steps`` iterates; Working between the batches of a step.

    The forward pass that a step needs also gives the iterate's score, so a step costs one pass forward and one back.
    """
    parts = problem.parts
    for restart in range(restarts):
        # each batch writes its rows while they are in the processor's cache
        points = torch.empty_like(problem.x) if random_start else problem.x
        for step in range(steps + 1):
            following = torch.empty_like(points) if step < steps else points
            scores = []
            for number, part in enumerate(parts):
                if number:
                    yield Working(step, steps, restart, done=number, total=len(parts))
                if step == 0 and random_start:
                    points[part.rows] = part.random_start(restart)
                if step < steps:
                    scored, following[part.rows] = part.step(points[part.rows], alpha)
                else:
                    scored = part.score(points[part.rows])
                scores.append(scored)
            yield iterate(problem, points, scores, step=step, steps=steps, restart=restart)
            points = following
