"""The worst case over several attacks on the same samples: what all of them together have found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.attacks.core.attack import AttackResult
from engine.attacks.tools.norms import sizes
from engine.errors import AttackError
from engine.specs import Norm


@dataclass(frozen=True, eq=False)
class WorstCase:
    """What is left of N samples after several attacks; tensors of first dimension N."""

    x_adv: Tensor
    """The nearest success; of a sample that none has broken the point of the smallest margin."""
    attack: Tensor
    """int64: the number of the attack that ``x_adv`` is from."""
    success: Tensor
    """bool: at least one attack has succeeded."""
    success_8bit: Tensor
    """bool: at least one has with a point that is still a success when rounded to 256 levels."""
    invalid: Tensor
    """bool: no attack has succeeded, and to at least one the model's answer was not a number: neither broken nor robust."""
    norm: Tensor
    """float64: how far the nearest success is, infinite where there is none."""

    @property
    def robust(self) -> Tensor:
        """bool: every attack has an answer, and none has succeeded."""
        return ~self.success & ~self.invalid


def worst_case(results: Sequence[AttackResult], x: Tensor, norm: Norm) -> WorstCase:
    """Per sample the best that any of the attacks has found; ``x`` ``[N, ...]`` are the samples, ``norm`` measures them all.

    A robust accuracy is that of the strongest attack tried on each sample, not on their average (F. Croce, M. Hein 2020).
    Raises AttackError without results, and for results of other samples.
    """
    if not results:
        raise AttackError("There are no attack results to take the worst case of: run an attack first.")
    for result in results:
        if result.x_adv.shape != x.shape:
            raise AttackError(
                f"The worst case is over attacks on the same samples, but these are {tuple(x.shape)} and one result is of "
                f"{tuple(result.x_adv.shape)}: attack all samples with each."
            )
    success = torch.stack([result.success for result in results])
    norms = torch.stack([sizes(result.x_adv, x, norm) for result in results])
    norms = torch.where(success, norms, torch.inf)
    margins = torch.stack([result.margin for result in results])
    margins = torch.where(torch.stack([result.invalid for result in results]), torch.inf, margins)
    broken = success.any(0)
    attack = torch.where(broken, norms.argmin(0), margins.argmin(0))
    return WorstCase(
        x_adv=torch.stack([result.x_adv for result in results])[attack, torch.arange(len(x), device=x.device)],
        attack=attack,
        success=broken,
        success_8bit=torch.stack([result.success_8bit for result in results]).any(0),
        invalid=torch.stack([result.invalid for result in results]).any(0) & ~broken,
        norm=norms.amin(0),
    )
