"""Robust accuracy as a function of the budget, from one attack for the smallest norm."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from engine.attacks.core.attack import AttackResult


def robust_curve(result: AttackResult, eps: Sequence[float] | Tensor) -> Tensor:
    """The share of samples that no perturbation found breaks within each budget of ``eps`` ``[E]``: float64 ``[E]``.

    It is ``mean(d > eps)`` over the norms d of the successes, infinite for failures; samples that the model gives no
    valid answer for are left out, and the share is NaN if there are no others. It never rises with eps, and at eps = 0
    it is the clean accuracy; of a targeted attack, one less the share that is seen as the target. A stronger attack can
    only lower it, so it bounds the robust accuracy from above.
    """
    smallest = result.smallest[~result.invalid]
    budgets = torch.as_tensor(eps, dtype=torch.float64, device=smallest.device)
    return (smallest[None] > budgets[:, None]).double().mean(1)
