"""An attack's question, checked: this model, these samples, this ball around them, towards or away from these labels."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from engine.attacks.core.look import broken_rows
from engine.attacks.tools.projections import Bounds, Box, box_of
from engine.errors import AttackError
from engine.specs import AttackSpecBase


def check_spec(spec: AttackSpecBase) -> None:
    """Raise AttackError for a budget that is none; a spec checks itself, unless it was made without checks."""
    eps = getattr(spec, "eps", 0.0)
    if not (math.isfinite(eps) and eps >= 0):
        raise AttackError(f"eps is {eps}, but the radius of a ball is a number from 0 upwards.")


def checked_samples(x: Tensor, y: Tensor, bounds: Bounds) -> Box | None:
    """The box that the samples lie in; raises AttackError for samples or labels that cannot be attacked."""
    if len(x) == 0:
        raise AttackError("There are no samples to attack: choose at least one.")
    if len(y) == 1 and y.ndim == 1 and len(x) != 1:
        raise AttackError(
            f"There is 1 label for inputs of shape {tuple(x.shape)}: the first dimension counts the samples, so a single "
            "one has the shape [1, ...] (x[None])."
        )
    if x.ndim < 2 or not x.is_floating_point():
        raise AttackError(
            f"An attack needs floating-point inputs [N, C, H, W] or [N, D], but these are {x.dtype} of shape {tuple(x.shape)}."
        )
    if y.shape != x.shape[:1] or y.dtype != torch.int64:
        raise AttackError(
            f"{len(x)} samples need {len(x)} whole-number labels (int64), but these are {y.dtype} of shape {tuple(y.shape)}."
        )
    broken = broken_rows(x)
    if broken is not None:
        raise AttackError(
            f"{int(broken.sum())} of {len(x)} samples hold values that are not finite: remove them from the data."
        )
    box = box_of(bounds, x)
    if box is not None:
        outside = ~box.contains(x)
        if bool(outside.any()):
            raise AttackError(
                f"{int(outside.sum())} of {len(x)} samples have values outside {box}, the range of valid inputs "
                f"(found {float(x.min()):g} to {float(x.max()):g}): scale the data into it."
            )
    return box


def checked_target(y: Tensor, target: Tensor | None, spec: AttackSpecBase) -> Tensor | None:
    """A copy of the target classes; raises AttackError where they do not fit the goal or the labels."""
    targeted = spec.aim != "untargeted"
    if target is None:
        if isinstance(spec.aim, int):
            return torch.full_like(y, spec.aim)
        if targeted:
            raise AttackError("The attack's goal is targeted, but no target classes are given: choose targets first.")
        return None
    if not targeted:
        raise AttackError("The attack's goal is untargeted, but target classes are given: choose a targeted goal.")
    if target.shape != y.shape or target.dtype != torch.int64:
        raise AttackError(
            f"{len(y)} samples need {len(y)} target classes (int64), but these are {target.dtype} of shape {tuple(target.shape)}."
        )
    same = int((target == y).sum())
    if same and not spec.one_target:
        raise AttackError(
            f"For {same} of {len(y)} samples the target is the true class, so there is nothing to reach: choose another target."
        )
    return target.detach().clone()


def checked_examples(x: Tensor, examples: tuple[Tensor, Tensor] | None) -> tuple[Tensor, Tensor] | None:
    """Labelled examples of the samples' shape; raises AttackError for others."""
    if examples is None:
        return None
    if not isinstance(examples, tuple) or len(examples) != 2:
        raise AttackError("Examples are a pair: inputs [M, ...] and their int64 labels [M].")
    inputs, labels = examples
    if inputs.shape[1:] != x.shape[1:] or labels.shape != inputs.shape[:1] or labels.dtype != torch.int64:
        raise AttackError(
            f"Examples must be labelled inputs of the samples' shape {tuple(x.shape[1:])}, but these are "
            f"{tuple(inputs.shape)} with labels {tuple(labels.shape)} of {labels.dtype}."
        )
    return inputs.detach().to(x.dtype), labels.detach()
