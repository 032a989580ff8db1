"""The control of every attack: the same inputs moved at random, by as much as the attack moved them."""

from __future__ import annotations

from collections.abc import Generator

import torch
from torch import Tensor

from engine.generators import drain

HALVINGS = 40  # of the interval in which the right length lies
AT_ONCE = 1 << 16  # values moved between two breaths: a few hundredths of a second


def moving_at_random(
    x: Tensor, x_adv: Tensor, norm: str, bounds: tuple[float, float] | None, generator: torch.Generator
) -> Generator[None, None, Tensor]:
    """:func:`random_perturbation` with a breath after every few samples."""
    rows = max(1, AT_ONCE // max(1, x[0].numel()))
    moved = []
    for some, attacked in zip(torch.split(x, rows), torch.split(x_adv, rows), strict=True):
        moved.append(_moved(some, attacked, norm, bounds, generator))
        yield
    return torch.cat(moved)


def random_perturbation(
    x: Tensor, x_adv: Tensor, norm: str, bounds: tuple[float, float] | None, generator: torch.Generator
) -> Tensor:
    """Inputs [N, ...] moved in a random direction until each is as far from ``x`` as ``x_adv`` is, in the attack's norm.

    Directions are random signs for L-inf and Gaussian for L2 and L1; for L0 the same changes are made to values
    chosen at random. Inputs stay within ``bounds``: what is clipped there is made up for by a longer step, as far as
    the bounds leave room (not for L0, where a change that is clipped away altogether is lost).
    """
    return drain(moving_at_random(x, x_adv, norm, bounds, generator))


def _moved(
    x: Tensor, x_adv: Tensor, norm: str, bounds: tuple[float, float] | None, generator: torch.Generator
) -> Tensor:
    clean = x.flatten(1).double()
    if norm == "L0":
        return _scattered(x, x_adv, bounds, generator)
    wanted = length((x_adv.flatten(1).double() - clean), norm)
    noise = torch.randn(clean.shape, generator=generator, dtype=torch.float64)
    direction = noise.sign() if norm == "Linf" else noise / noise.norm(dim=1, keepdim=True)

    def moved(step: Tensor) -> Tensor:
        there = clean + step[:, None] * direction
        return there if bounds is None else there.clamp(*bounds)

    low, high = torch.zeros_like(wanted), wanted.clone()
    for _ in range(HALVINGS):  # far enough, or as far as the bounds let
        high = torch.where(length(moved(high) - clean, norm) < wanted, 2 * high, high)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        short = length(moved(middle) - clean, norm) < wanted
        low, high = torch.where(short, middle, low), torch.where(short, high, middle)
    return moved(high).to(x.dtype).reshape(x.shape)


def length(delta: Tensor, norm: str) -> Tensor:
    """Size of perturbations [N, D] in a norm that can be stretched (not L0), [N]."""
    if norm == "Linf":
        return delta.abs().amax(1)
    return delta.abs().sum(1) if norm == "L1" else delta.norm(dim=1)


def _scattered(x: Tensor, x_adv: Tensor, bounds: tuple[float, float] | None, generator: torch.Generator) -> Tensor:
    """As many values changed as the attack changed, by as much, but others and with random signs."""
    delta = (x_adv - x).flatten(1)
    order = torch.rand(delta.shape, generator=generator).argsort(1)
    sign = torch.randint(0, 2, delta.shape, generator=generator) * 2 - 1
    there = x.flatten(1) + delta.gather(1, order) * sign
    return (there if bounds is None else there.clamp(*bounds)).reshape(x.shape)
