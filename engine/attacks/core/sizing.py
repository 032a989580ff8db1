"""How many samples go through a model at a time."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from engine.attacks.core.look import sheltered

WORK = 4e8  # floating-point operations of one forward pass of a batch: a few hundredths of a second on one core
LEAST, MOST = 32, 512
MOST_LOOKS = 4096  # points at which an attack that asks about several a sample looks at once


def batch_size(model: nn.Module, x: Tensor, most: int = MOST) -> int:
    """Samples in a batch: a power of 2 from 32 to ``most``, fewer the more a forward pass of one sample computes.

    The work is counted, not timed, so that equal inputs are cut alike every time.
    """
    try:
        with sheltered(model, 0), torch.no_grad(), FlopCounterMode(display=False) as counter:
            model(x[:1])
        work = counter.get_total_flops()
    except Exception:  # whatever is wrong with the model is said where it is attacked
        return LEAST
    size = most
    while size > LEAST and size * work > WORK:
        size //= 2
    return size
