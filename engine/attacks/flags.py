"""Signs that an attack's number is not the truth about a model: defences that hide their gradients.

Source: F. Croce, M. Hein (2020), "Reliable evaluation of adversarial robustness with an ensemble of diverse parameter-free
attacks", whose code warns of these; what they mean is from A. Athalye, N. Carlini, D. Wagner (2018), "Obfuscated gradients
give a false sense of security".
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from engine.attacks.look import input_gradient, logits_of, sheltered
from engine.attacks.losses import margin
from engine.errors import AttackError
from engine.generators import drain
from engine.seeds import derive

LOOKS = 5  # at the same inputs, to see whether the answers differ
CHANGE = 1e-4  # of outputs made length 1: more than rounding
PROBABILITY = 1e-5  # how far from a probability rounding may take one
BATCH = 128
SHARE, LEAST = 0.002, 3  # of the samples that a black-box attack alone breaks: more than chance


@dataclass(frozen=True)
class Flag:
    """A reason to doubt robust accuracies of this model."""

    name: str
    sentence: str
    """What was found, and what to do."""
    figures: Mapping[str, float]


def flags(model: nn.Module, x: Tensor, y: Tensor, *, seed: int, samples: int = 256) -> tuple[Flag, ...]:
    """What the model itself gives away, at the first ``samples`` of the inputs ``x`` ``[N, ...]`` with labels ``y`` ``[N]``.

    Randomised outputs, probabilities instead of logits, gradients that vanish, gradients taken inside the model, and
    computations that change from input to input. Nothing is flagged on a plain network. The model is left as it was.
    Raises AttackError when the model gives no class scores.
    """
    return drain(flagging(model, x, y, seed=seed, samples=samples))


def flagging(
    model: nn.Module, x: Tensor, y: Tensor, *, seed: int, samples: int = 256
) -> Generator[None, None, tuple[Flag, ...]]:
    """:func:`flags` with breaths."""
    if not len(x):
        raise AttackError("There are no samples to look at the model with: choose at least one.")
    x, y = x[:samples].detach(), y[:samples]
    found = []
    for check in (_randomised, _probabilities, _vanishing, _busy):
        flag = yield from check(model, x, y, seed)
        if flag is not None:
            found.append(flag)
    return tuple(found)


def black_box_flag(white: Tensor, black: Tensor) -> Flag | None:
    """Whether an attack without gradients breaks samples that those with gradients could not: they should be stronger.

    ``white`` and ``black`` are bool ``[N]``: the samples that attacks of each kind have broken.
    """
    alone = int((black & ~white).sum())
    if alone < LEAST or alone <= SHARE * len(white):
        return None
    return Flag(
        "black box beats white box",
        f"Random search without gradients breaks {alone} of {len(white)} samples that withstand the gradient attacks, which "
        "know more of the model: the gradients mislead. Give Square more queries and restarts, attack with other losses, "
        "or write an attack for this model.",
        {"black box alone": alone, "white box": int(white.sum()), "black box": int(black.sum()), "samples": len(white)},
    )


_Checked = Generator[None, None, Flag | None]


def _randomised(model: nn.Module, x: Tensor, y: Tensor, seed: int) -> _Checked:  # noqa: ARG001
    first = functional.normalize((yield from _outputs(model, x, derive(seed, "flags", "0"))), dim=1)
    largest, changed = 0.0, torch.zeros(len(x), dtype=torch.bool, device=x.device)
    for look in range(1, LOOKS):
        seen = functional.normalize((yield from _outputs(model, x, derive(seed, "flags", str(look)))), dim=1)
        largest = max(largest, float(torch.linalg.vector_norm(seen - first, dim=1).max()))
        changed |= seen.argmax(1) != first.argmax(1)
    if largest <= CHANGE:
        return None
    return Flag(
        "randomised outputs",
        f"The model answers differently each time: within {LOOKS} looks the outputs differ by up to {largest:.1%}, and the "
        f"prediction of {int(changed.sum())} of {len(x)} samples changes. One gradient is mostly noise, and one success may "
        "be luck: attack the mean over 20 or more looks (EOT), and look at x_adv again and again.",
        {"largest difference": largest, "predictions changed": int(changed.sum()), "samples": len(x), "looks": LOOKS},
    )


def _probabilities(model: nn.Module, x: Tensor, y: Tensor, seed: int) -> _Checked:  # noqa: ARG001
    seen = yield from _outputs(model, x, seed)
    inside = bool((seen >= -PROBABILITY).all() and (seen <= 1 + PROBABILITY).all())
    if not inside or not bool(((seen.sum(1) - 1).abs() <= PROBABILITY).all()):
        return None
    sure = float((seen.amax(1) > 1 - 1e-6).double().mean())
    return Flag(
        "probabilities instead of logits",
        "The model's outputs are probabilities: they lie in [0, 1] and add up to 1. Where one is nearly 1, no loss has a "
        f"gradient ({sure:.0%} of these samples are within a millionth of it): attack the model without its last softmax.",
        {"share within 1e-6 of 1": sure, "samples": len(x)},
    )


def _vanishing(model: nn.Module, x: Tensor, y: Tensor, seed: int) -> _Checked:
    gone = {}
    for name, loss in (("cross-entropy", _cross_entropy), ("margin", margin)):
        gone[name] = yield from _without_gradient(model, x, y, seed, loss)
    saturated, dead = (float(gone[name].double().mean()) for name in ("cross-entropy", "margin"))
    if saturated == dead == 0:
        return None
    advice = (
        "the margin has a gradient there, so attack with it: APGD with DLR, FAB, C&W"
        if dead < saturated
        else "no loss helps there: attack without gradients (Square), from a similar model (transfer), or replace the layer "
        "that stops the gradient by a smooth one on the way back (BPDA)"
    )
    return Flag(
        "zero gradients",
        f"For {saturated:.0%} of {len(x)} samples the gradient of the cross-entropy with respect to the input is exactly 0, so "
        f"that gradient attacks stand still; for the margin it is {dead:.0%}. If these samples seem robust, it means little; "
        f"{advice}.",
        {"share by cross-entropy": saturated, "share by margin": dead, "samples": len(x)},
    )


def _busy(model: nn.Module, x: Tensor, y: Tensor, seed: int) -> _Checked:  # noqa: ARG001
    half = max(1, min(len(x) // 2, BATCH))
    traces = []
    for part in (x[:half], x[:half], x[-half:]):  # the same inputs again, then others of the same shape
        with sheltered(model, seed), torch.no_grad(), Trace() as trace:
            logits_of(model, part)
        traces.append(trace)
        yield
    inner = max(trace.gradients for trace in traces)
    if inner:
        return Flag(
            "gradients taken inside the model",
            f"The model itself takes gradients while it answers ({inner} times in one pass): a defence that optimises at "
            "inference. An attack from outside sees only its last steps: attack the whole loop (unrolled, with its gradients "
            "kept), or without gradients, and count what each look costs.",
            {"gradients in a pass": inner},
        )
    calls = [trace.calls for trace in traces]
    if calls[0] == calls[1] == calls[2]:
        return None
    lengths = [len(names) for names in calls]
    return Flag(
        "changing computation",
        f"The model does not compute the same for all inputs: passes of equal size take {min(lengths)} to {max(lengths)} "
        "operations. A gradient describes only the way that was taken: attack with random starts and without gradients as "
        "well, and each branch by itself.",
        {"fewest operations": min(lengths), "most operations": max(lengths)},
    )


class Trace(TorchFunctionMode):
    """Notes the names of all torch functions called, in order, and how many of them took gradients."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []
        self.gradients = 0

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        self.calls.append(getattr(func, "__qualname__", repr(func)))
        self.gradients += func in (torch.autograd.grad, torch.autograd.backward, Tensor.backward)
        return func(*args, **(kwargs or {}))


def _outputs(model: nn.Module, x: Tensor, seed: int) -> Generator[None, None, Tensor]:
    """The model's outputs ``[n, K]`` in float64."""
    parts = []
    for part in torch.split(x, BATCH):
        with sheltered(model, seed), torch.no_grad():
            parts.append(logits_of(model, part).double())
        yield
    return torch.cat(parts)


def _without_gradient(
    model: nn.Module, x: Tensor, y: Tensor, seed: int, loss: Callable[[Tensor, Tensor], Tensor]
) -> Generator[None, None, Tensor]:
    """bool ``[n]``: the loss has the input gradient 0."""
    gone = []
    for rows in torch.split(torch.arange(len(x), device=x.device), BATCH):
        leaf = x[rows].clone().requires_grad_()
        with sheltered(model, seed), torch.enable_grad():
            try:
                gradient = input_gradient(loss(logits_of(model, leaf), y[rows]), leaf)
            except AttackError:  # no way back to the input at all
                gradient = torch.zeros_like(leaf)
        gone.append((gradient == 0).flatten(1).all(1))
        yield
    return torch.cat(gone)


def _cross_entropy(logits: Tensor, y: Tensor) -> Tensor:
    return functional.cross_entropy(logits, y, reduction="none")
