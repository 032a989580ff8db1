"""Loss and accuracy over a whole set."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from engine.models import eval_mode


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Mean cross-entropy (nats) and share of right predictions over ``n`` samples."""

    loss: float
    accuracy: float
    n: int


def evaluate(model: nn.Module, x: Tensor, y: Tensor, *, batch: int = 256) -> Generator[None, None, Evaluation]:
    """``evaluation = yield from evaluate(...)``, one yield after each batch. The model is left as it was.

    ``x`` ``[N, ...]``, ``y`` int64 ``[N]``, N at least 1.
    """
    loss, right = 0.0, 0
    for inputs, labels in zip(torch.split(x, batch), torch.split(y, batch), strict=True):
        with torch.no_grad(), eval_mode(model):  # ended before the yield: neither may leak to the caller
            logits = model(inputs)
            loss += cross_entropy(logits, labels, reduction="sum").item()
            right += int((logits.argmax(1) == labels).sum())
        yield
    return Evaluation(loss / len(x), right / len(x), len(x))
