"""Signs that a robust accuracy cannot be trusted: what a model does that standard attacks are not made for.

The signs are those of AutoAttack (F. Croce, M. Hein 2020, "Reliable evaluation of adversarial robustness with an
ensemble of diverse parameter-free attacks") after A. Athalye, N. Carlini, D. Wagner (2018), "Obfuscated gradients give a
false sense of security". Each is measured, and said with its figure; a flag that stays down is no proof of anything.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from engine.attacks.core.look import broken_rows, input_gradient, logits_of, sheltered
from engine.attacks.core.sizing import batch_size
from engine.attacks.tools.losses import cross_entropy
from engine.errors import AttackError
from engine.seeds import derive

REPEATS = 5  # looks at the same inputs
NOISE = 1e-4  # relative change of the scores between looks that is more than rounding
ROUNDING = 1e-3  # by how much probabilities may miss their sum of 1
SHARE = (
    0.002  # of the samples: by so much may a black-box attack do better before it says something (AutoAttack's value)
)
LEAST = 3  # samples that it must break alone: one or two are chance


@dataclass(frozen=True, slots=True)
class Flag:
    """One sign, looked for."""

    name: str
    """randomised | probabilities | zero gradients | inner optimisation | changing computation | black box better"""
    raised: bool
    figure: float
    """What was measured."""
    sentence: str
    """What was found, and what to do about it."""


def flags(
    model: nn.Module, x: Tensor, y: Tensor, *, seed: int, batch: int | None = None
) -> Generator[None, None, tuple[Flag, ...]]:
    """Look for the five signs that need no attack, on samples ``[N, ...]`` with labels int64 ``[N]``; yields between batches."""
    size = batch or batch_size(model, x)
    parts = list(zip(torch.split(x, size), torch.split(y, size), strict=True))
    found = []
    for sign in (_randomised, _probabilities, _zero_gradients, _inner_optimisation, _changing_computation):
        found.append((yield from sign(model, parts, seed)))
    return tuple(found)


Parts = list[tuple[Tensor, Tensor]]
Looking = Generator[None, None, Flag]


def _randomised(model: nn.Module, parts: Parts, seed: int) -> Looking:
    most, differing = 0.0, 0
    for x, _ in parts:
        looks = []
        for number in range(REPEATS):
            with sheltered(model, derive(seed, "flags", str(number))), torch.no_grad():
                looks.append(logits_of(model, x))
            yield
        spread = (torch.stack(looks) - looks[0]).abs().amax((0, 2))
        size = looks[0].abs().amax(1).clamp(min=1e-12)
        most = max(most, float((spread / size).nan_to_num(nan=0.0, posinf=0.0).max()))
        differing += int((torch.stack([look.argmax(1) for look in looks]) != looks[0].argmax(1)).any(0).sum())
    raised = most > NOISE
    sentence = (
        f"The same input is answered differently each time (scores change by up to {most:.1%}, {differing} predictions "
        "change): attack the mean of several looks (EOT above 1), or the attack aims at one draw of the noise."
        if raised
        else "The same input is answered alike each time."
    )
    return Flag("randomised", raised, most, sentence)


def _probabilities(model: nn.Module, parts: Parts, seed: int) -> Looking:
    like = total = 0
    for x, _ in parts:
        with sheltered(model, derive(seed, "flags")), torch.no_grad():
            scores = logits_of(model, x)
        like += int(((scores >= 0).all(1) & ((scores.sum(1) - 1).abs() < ROUNDING)).sum())
        total += len(x)
        yield
    share = like / total
    raised = share > 0.99
    sentence = (
        "The model gives probabilities, not class scores: where they round to 0 and 1 the cross-entropy has no gradient. "
        "Attack the scores before the softmax."
        if raised
        else "The model gives class scores, not probabilities."
    )
    return Flag("probabilities", raised, share, sentence)


def _zero_gradients(model: nn.Module, parts: Parts, seed: int) -> Looking:
    flat = total = 0
    for x, y in parts:
        with sheltered(model, derive(seed, "flags")):
            leaf = x.detach().requires_grad_()
            try:
                gradient = input_gradient(cross_entropy(logits_of(model, leaf), y, None), leaf)
            except AttackError:  # no gradient at all
                gradient = torch.zeros_like(x)
        none = (gradient.flatten(1) == 0).all(1)
        broken = broken_rows(gradient)
        flat += int((none if broken is None else none | broken).sum())
        total += len(x)
        yield
    raised = flat > 0
    sentence = (
        f"{flat} of {total} samples have no usable gradient: it is zero or not a number. Use a loss that does not "
        "saturate (DLR, margin), replace what kills the gradient by its smooth approximation, or attack by queries."
        if raised
        else "Every sample has a gradient."
    )
    return Flag("zero gradients", raised, flat / total, sentence)


def _inner_optimisation(model: nn.Module, parts: Parts, seed: int) -> Looking:
    x = parts[0][0]
    trace = _traced(model, x, seed)
    yield
    raised = trace.gradients > 0
    sentence = (
        f"The model takes gradients of its own while it answers ({trace.gradients} times in one pass): its gradient is not "
        "that of a fixed function. Attack through the whole loop, transfer from the undefended model, or attack by queries."
        if raised
        else "The model takes no gradients while it answers."
    )
    return Flag("inner optimisation", raised, float(trace.gradients), sentence)


def _changing_computation(model: nn.Module, parts: Parts, seed: int) -> Looking:
    """Whether passes of equal size call the same functions: the same inputs twice, then others."""
    x = parts[0][0]
    half = max(1, len(x) // 2)
    calls = []
    for part in (x[:half], x[:half], x[-half:]):
        calls.append(_traced(model, part, seed).calls)
        yield
    raised = not calls[0] == calls[1] == calls[2]
    lengths = [len(names) for names in calls]
    sentence = (
        f"The model does not compute the same for all inputs: passes of equal size take {min(lengths)} to {max(lengths)} "
        "operations. A gradient describes only the way that was taken: use random starts, and attack by queries as well."
        if raised
        else "The model computes the same for all inputs."
    )
    return Flag("changing computation", raised, float(max(lengths) - min(lengths)), sentence)


class _Trace(TorchFunctionMode):
    """Notes the names of all torch functions called, in order, and how many of them took gradients."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []
        self.gradients = 0

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        self.calls.append(getattr(func, "__qualname__", repr(func)))
        self.gradients += func in (torch.autograd.grad, torch.autograd.backward, Tensor.backward)
        return func(*args, **(kwargs or {}))


def _traced(model: nn.Module, x: Tensor, seed: int) -> _Trace:
    trace = _Trace()
    with sheltered(model, derive(seed, "flags")), torch.no_grad(), trace:
        logits_of(model, x)
    return trace


def black_box_better(white_box: Tensor, black_box: Tensor) -> Flag:
    """Whether queries break samples that gradients do not: successes bool ``[N]`` of two attacks on the same samples."""
    extra = int((black_box & ~white_box).sum())
    share = extra / max(1, len(white_box))
    raised = share > SHARE and extra >= LEAST
    sentence = (
        f"Queries alone break {extra} of {len(white_box)} samples that gradients leave standing: the gradients mislead. "
        "Look for what hides them, and report the worst case."
        if raised
        else f"Queries alone break {extra} of {len(white_box)} samples that gradients leave standing: no more than chance."
    )
    return Flag("black box better", raised, share, sentence)
