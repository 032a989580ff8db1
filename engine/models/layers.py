"""The modules networks are made of. None draws a random number when it is made: see :mod:`engine.models.initial`."""

from __future__ import annotations

import weakref

import torch
from torch import Tensor, nn

from engine.specs import Activation

LEAKY_SLOPE = 0.01


class Linear(nn.Linear):
    """A linear map whose weights are left to the initialisation; torch's own would draw from the global generator."""

    def reset_parameters(self) -> None:
        pass


class Conv(nn.Conv2d):
    """A 3x3 convolution that keeps the image's size, its weights left to the initialisation."""

    def __init__(self, inputs: int, outputs: int, bias: bool) -> None:
        super().__init__(inputs, outputs, kernel_size=3, padding=1, bias=bias)

    def reset_parameters(self) -> None:
        pass


class BatchNorm(nn.BatchNorm1d):
    """Each unit normalised over the batch in training, by its running mean and deviation otherwise.

    A batch of one sample has no deviation: it is normalised as outside training. Source: S. Ioffe, C. Szegedy (2015),
    "Batch normalization: accelerating deep network training by reducing internal covariate shift".
    """

    def forward(self, x: Tensor) -> Tensor:
        if self.training and len(x) > 1:
            return super().forward(x)
        return nn.functional.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps)


class Residual(nn.Module):
    """A block ``x + alpha (W activation(x) + b)`` on vectors of one width."""

    def __init__(self, width: int, bias: bool, activation: nn.Module, alpha: float) -> None:
        super().__init__()
        self.activation = activation
        self.linear = Linear(width, width, bias)
        self.alpha = alpha

    def forward(self, x: Tensor) -> Tensor:
        added: Tensor = self.linear(self.activation(x))
        return x + self.alpha * added

    def extra_repr(self) -> str:
        return f"alpha={self.alpha:g}"


class Erf(nn.Module):
    """The error function, element by element."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.erf(x)


class Normalise(nn.Module):
    """Subtract a mean and divide by a deviation, both fixed, one for each channel (images) or feature (vectors).

    They come from the training data, so that the model takes raw inputs and eps stays in input units. A channel that
    never changes is only shifted.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, x_train: Tensor) -> None:
        super().__init__()
        mean, std = (found.clone() for found in _remembered(x_train))
        self.register_buffer("mean", mean)
        self.register_buffer("std", torch.where(std > 1e-6 * mean.abs(), std, torch.ones_like(std)))

    def forward(self, x: Tensor) -> Tensor:
        return (x - self.mean) / self.std


_last: tuple[weakref.ref[Tensor], int, tuple[Tensor, Tensor]] | None = None


def _remembered(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and deviation of the data asked for last: an experiment builds many networks on the same, each a fifth of a second on MNIST."""
    global _last
    last, version = _last, x._version
    if last is not None and last[0]() is x and last[1] == version:
        return last[2]
    found = _mean_and_deviation(x)
    _last = weakref.ref(x), version, found
    return found


def _mean_and_deviation(x: Tensor) -> tuple[Tensor, Tensor]:
    """Per channel ``[C, 1, 1]`` or per feature ``[D]``, in parts that fit a processor's cache.

    torch.var_mean would take ten times as long on MNIST.
    """
    over = (0, 2, 3) if x.ndim == 4 else (0,)
    shape = (-1, 1, 1) if x.ndim == 4 else (-1,)
    parts = torch.split(x, max(1, (1 << 19) // x[0].numel()))
    shares = [len(part) / len(x) for part in parts]
    mean = torch.stack([part.mean(over).double() * share for part, share in zip(parts, shares, strict=True)]).sum(0)
    centre = mean.float().reshape(shape)
    spread = [(part - centre).square_().mean(over).double() * share for part, share in zip(parts, shares, strict=True)]
    return centre, torch.stack(spread).sum(0).sqrt().float().reshape(shape)


def activation(name: Activation) -> nn.Module:
    """A fresh activation module. GELU is the exact one, ``x Phi(x)``."""
    match name:
        case "relu":
            return nn.ReLU()
        case "leaky_relu":
            return nn.LeakyReLU(LEAKY_SLOPE)
        case "tanh":
            return nn.Tanh()
        case "erf":
            return Erf()
        case "gelu":
            return nn.GELU()
