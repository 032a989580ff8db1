"""The fast gradient sign method. Source: I. Goodfellow, J. Shlens, C. Szegedy (2015), "Explaining and harnessing
adversarial examples"; in L2 it is the fast gradient method, along the gradient made length 1."""

from __future__ import annotations

from engine.attacks.core.batch import Batch, Steps
from engine.attacks.pgd import descend
from engine.specs import FgsmSpec


def fgsm(batch: Batch, spec: FgsmSpec) -> Steps:
    """One step from the sample to the edge of its ball: PGD with one step of alpha = eps and no random start, exactly."""
    return descend(batch, alpha=spec.eps, steps=1)
