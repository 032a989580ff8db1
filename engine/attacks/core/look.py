"""What an attack asks of a model: logits, and gradients with respect to the input alone. The model stays as it was."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from engine.errors import AttackError
from engine.specs import AttackSpecBase, variants


@contextmanager
def sheltered(model: nn.Module, seed: int, modules: Sequence[nn.Module] | None = None) -> Iterator[None]:
    """Put the model in evaluation mode, torch's global generators at a seed, and gradients on; afterwards all is as it was.

    Nothing of ours draws from the global generator, but a randomised model does: so it gives equal numbers for equal
    seeds, and whoever else uses the generator notices nothing. ``modules`` are all of the model's, if they are known:
    looking for them takes as long as a small model's forward pass.
    """
    training = [module for module in modules or model.modules() if module.training]
    if training:
        model.eval()
    generators = [torch.default_generator]
    device = next((parameter.device for parameter in model.parameters()), None)
    if device is not None and device.type == "cuda":  # such a model draws from its device's generator
        generators.append(torch.cuda.default_generators[device.index])
    states = [generator.get_state() for generator in generators]
    for generator in generators:
        generator.manual_seed(seed)
    try:
        with torch.enable_grad():
            yield
    finally:
        for generator, state in zip(generators, states, strict=True):
            generator.set_state(state)
        for module in training:
            module.training = True


def logits_of(model: nn.Module, x: Tensor, *, low_precision: bool = False) -> Tensor:
    """The model's outputs ``[n, K]`` for a batch; raises AttackError when they are not scores of 2 classes or more.

    In low precision the model computes in bfloat16 where torch holds that to be safe, and the outputs are float32.
    """
    if low_precision:
        with torch.autocast(x.device.type, torch.bfloat16):
            logits = model(x)
    else:
        logits = model(x)
    if not isinstance(logits, Tensor) or logits.ndim != 2 or len(logits) != len(x) or logits.shape[1] < 2:
        found = f"the shape {tuple(logits.shape)}" if isinstance(logits, Tensor) else f"a {type(logits).__name__}"
        raise AttackError(
            f"An attack needs one row of at least 2 class scores for each of {len(x)} samples, but the model gives "
            f"{found}: attack a classifier."
        )
    return logits.float() if low_precision else logits


def input_gradient(values: Tensor, x: Tensor, *, keep_graph: bool = False) -> Tensor:
    """The gradient of each sample's own value with respect to that sample; parameters get none.

    The values are summed, not averaged, so that a gradient does not depend on the batch. Raises AttackError when the
    model passes no gradient.
    """
    gradient = None
    if values.requires_grad:
        gradient = torch.autograd.grad(values.sum(), x, allow_unused=True, retain_graph=keep_graph)[0]
    if gradient is None:
        raise AttackError(
            "The model passes no gradient from its output to its input, so a gradient attack cannot work on it: "
            f"remove the layer that detaches or rounds its values, or attack another model. {_without_gradient()}"
        )
    return gradient


def input_gradients(values: Tensor, x: Tensor) -> Tensor | None:
    """The gradients ``[m, n, ...]`` of m values of each of n samples, ``[n, m]``, with respect to that sample, in one
    backward pass for all; the graph stays.

    None where that cannot be: the model has an operation without such a pass, or gives no gradient at all.
    """
    if not values.requires_grad:
        return None
    each = torch.eye(values.shape[1], dtype=values.dtype, device=values.device)[:, None].expand(-1, len(values), -1)
    try:
        found = torch.autograd.grad(values, x, each, retain_graph=True, is_grads_batched=True, allow_unused=True)
    except RuntimeError:
        return None
    gradients: Tensor | None = found[0]
    return gradients


def _without_gradient() -> str:
    titles = [cls.title for cls in variants("attack").values() if issubclass(cls, AttackSpecBase) and cls.gradient_free]
    return f"Attacks that need no gradient still work: {', '.join(titles)}."


def broken_rows(values: Tensor) -> Tensor | None:
    """Which rows hold a value that is NaN or infinite: bool ``[n]``, or None when none does."""
    # any such value makes the sum so; a sum that has only grown too large is looked at value by value, which is slow
    if math.isfinite(values.detach().sum().item()):
        return None
    broken = ~values.detach().isfinite().flatten(1).all(1)
    return broken if bool(broken.any()) else None
