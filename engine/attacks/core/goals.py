"""Which class each sample is driven to."""

from __future__ import annotations

from collections.abc import Generator

import torch
from torch import Tensor, nn

from engine.attacks.core.look import logits_of, sheltered
from engine.errors import AttackError
from engine.generators import drain
from engine.seeds import generator
from engine.specs import Goal

BATCH = 128


def choosing_targets(
    model: nn.Module, x: Tensor, y: Tensor, goal: Goal | int, n_classes: int, seed: int, *, batch: int = BATCH
) -> Generator[None, None, Tensor | None]:
    """:func:`choose_targets` with a breath after each batch that the model has to look at."""
    if goal == "untargeted":
        return None
    if n_classes < 2:
        raise AttackError(f"A targeted attack needs at least 2 classes, and the data has {n_classes}.")
    if isinstance(goal, int):
        if not 0 <= goal < n_classes:
            raise AttackError(
                f"Class {goal} is to be reached, but there are {n_classes} classes, counted from 0: choose one of 0 to "
                f"{n_classes - 1}."
            )
        return torch.full_like(y, goal)
    if goal == "next":
        return (y + 1) % n_classes
    if goal == "random":
        away = torch.randint(1, n_classes, y.shape, generator=generator(seed, "attack", "targets"))
        return (y + away.to(y.device)) % n_classes
    chosen = [torch.empty_like(y[:0])]
    for start in range(0, len(x), batch):
        part = slice(start, start + batch)
        with sheltered(model, seed), torch.no_grad():
            logits = logits_of(model, x[part])
        # a copy, since a model may keep its output; the sample's own class is never its target
        chosen.append(logits.scatter(1, y[part, None], torch.inf).argmin(1))
        yield
    return torch.cat(chosen)


def choose_targets(
    model: nn.Module, x: Tensor, y: Tensor, goal: Goal | int, n_classes: int, seed: int, *, batch: int = BATCH
) -> Tensor | None:
    """A target class other than y for each sample: int64 ``[N]``, or None for an untargeted goal.

    ``next`` is ``y + 1`` modulo ``n_classes``; ``random`` is uniform over the other classes; ``least-likely`` is the
    other class with the lowest logit (Kurakin, Goodfellow & Bengio 2017, "Adversarial machine learning at scale"). A number
    is that class for all samples, also those that are of it. Raises AttackError when there is no other class, or no such.
    """
    return drain(choosing_targets(model, x, y, goal, n_classes, seed, batch=batch))
