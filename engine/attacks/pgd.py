"""Projected gradient descent. Source: A. Madry, A. Makelov, L. Schmidt, D. Tsipras, A. Vladu (2018), "Towards deep
learning models resistant to adversarial attacks"; without a random start it is the basic iterative method of
A. Kurakin, I. Goodfellow, S. Bengio (2017), "Adversarial examples in the physical world"."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor

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
        points: list[Tensor] = []
        for step in range(steps + 1):
            here, scores, moved = [], [], []
            for number, part in enumerate(parts):
                if number:
                    yield Working(step, steps, restart, done=number, total=len(parts))
                if step > 0:
                    here.append(points[number])
                elif random_start:
                    here.append(part.random_start(restart))
                else:
                    here.append(part.x)
                if step < steps:
                    scored, following = part.step(here[-1], alpha)
                    moved.append(following)
                else:
                    scored = part.score(here[-1])
                scores.append(scored)
            yield iterate(problem, here, scores, step=step, steps=steps, restart=restart)
            points = moved
