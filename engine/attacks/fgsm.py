"""The fast gradient sign method. Source: I. Goodfellow, J. Shlens, C. Szegedy (2015), "Explaining and harnessing
adversarial examples"; in L2 it is the fast gradient method, along the gradient made length 1."""

from __future__ import annotations

from collections.abc import Iterator

from engine.attacks.base import Iterate, Working
from engine.attacks.pgd import descend
from engine.attacks.problem import Problem
from engine.specs import FgsmSpec


def fgsm(problem: Problem, spec: FgsmSpec) -> Iterator[Working | Iterate]:
    """One step from the sample to the edge of its ball: PGD with one step of alpha = eps and no random start, exactly."""
    return descend(problem, alpha=spec.eps, steps=1, random_start=False, restarts=1)
