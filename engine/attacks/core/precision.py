"""Whether a model can be attacked in bfloat16, which some processors multiply two to four times as fast."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from engine.attacks.core.look import logits_of, sheltered
from engine.errors import AttackError

PROBED = 8  # samples that the model is tried on


def computes_bfloat16(model: nn.Module, x: Tensor) -> bool:
    """Whether the processor multiplies bfloat16 itself, and the model gives finite scores and gradients in it.

    Both are looked up or computed, never timed, so that an attack does the same every time. Float64 models stay in
    their own precision.
    """
    if x.dtype != torch.float32 or not _in_hardware(x.device):
        return False
    with sheltered(model, 0):
        some = x[:PROBED].detach().requires_grad_()
        try:
            logits = logits_of(model, some, low_precision=True)
            if not logits.requires_grad:
                return bool(logits.isfinite().all())
            (gradient,) = torch.autograd.grad(logits.sum(), some, allow_unused=True)
        except (RuntimeError, AttackError):  # what is wrong with the model is said where it is attacked
            return False
    return bool(logits.isfinite().all()) and (gradient is None or bool(gradient.isfinite().all()))


def _in_hardware(device: torch.device) -> bool:
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    return device.type == "cpu" and bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
