"""The basic iterative method. Source: A. Kurakin, I. Goodfellow, S. Bengio (2017), "Adversarial examples in the physical
world"; the paper's is in L-inf."""

from __future__ import annotations

from engine.attacks.core.batch import Batch, Steps
from engine.attacks.pgd import descend
from engine.specs import BimSpec


def bim(batch: Batch, spec: BimSpec) -> Steps:
    """PGD that begins at the sample itself."""
    return descend(batch, alpha=spec.step_size, steps=spec.steps, sparsity=spec.sparsity)
