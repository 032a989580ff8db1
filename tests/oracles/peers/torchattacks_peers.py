"""torchattacks 3.5.1 (Kim 2020, "Torchattacks: a PyTorch repository for adversarial attacks"). Images in [0, 1] only."""

from __future__ import annotations

from typing import Any

import torch
import torchattacks
from torch import Tensor, nn

from .contained import contained


@contained
def fgsm(model: nn.Module, x: Tensor, y: Tensor, *, eps: float, target: Tensor | None = None) -> Tensor:
    return _run(torchattacks.FGSM(model, eps=eps), x, y, target)


@contained
def pgd(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    *,
    norm: str,
    eps: float,
    alpha: float,
    steps: int,
    random_start: bool = False,
    target: Tensor | None = None,
) -> Tensor:
    kind = {"Linf": torchattacks.PGD, "L2": torchattacks.PGDL2}[norm]
    return _run(kind(model, eps=eps, alpha=alpha, steps=steps, random_start=random_start), x, y, target)


@contained
def eot_pgd(model: nn.Module, x: Tensor, y: Tensor, *, eps: float, alpha: float, steps: int, draws: int) -> Tensor:
    return _run(torchattacks.EOTPGD(model, eps=eps, alpha=alpha, steps=steps, eot_iter=draws), x, y)


@contained
def mi(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    *,
    eps: float,
    alpha: float,
    steps: int,
    mu: float = 1.0,
    target: Tensor | None = None,
) -> Tensor:
    return _run(torchattacks.MIFGSM(model, eps=eps, alpha=alpha, steps=steps, decay=mu), x, y, target)


@contained
def ni(model: nn.Module, x: Tensor, y: Tensor, *, eps: float, alpha: float, steps: int, mu: float = 1.0) -> Tensor:
    return _run(torchattacks.NIFGSM(model, eps=eps, alpha=alpha, steps=steps, decay=mu), x, y)


@contained
def di(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    *,
    eps: float,
    alpha: float,
    steps: int,
    mu: float = 1.0,
    probability: float = 0.5,
    resize: float = 0.9,
) -> Tensor:
    attack = torchattacks.DIFGSM(
        model, eps=eps, alpha=alpha, steps=steps, decay=mu, diversity_prob=probability, resize_rate=resize
    )
    return _run(attack, x, y)


@contained
def ti(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    *,
    eps: float,
    alpha: float,
    steps: int,
    mu: float = 1.0,
    kernel: int = 15,
    sigma: float = 3.0,
    probability: float = 0.5,
    resize: float = 0.9,
) -> Tensor:
    """Colour images alone: its kernel is made for three channels."""
    attack = torchattacks.TIFGSM(
        model,
        eps=eps,
        alpha=alpha,
        steps=steps,
        decay=mu,
        len_kernel=kernel,
        nsig=sigma,
        diversity_prob=probability,
        resize_rate=resize,
    )
    return _run(attack, x, y)


@contained
def si(
    model: nn.Module, x: Tensor, y: Tensor, *, eps: float, alpha: float, steps: int, mu: float = 1.0, copies: int = 5
) -> Tensor:
    return _run(torchattacks.SINIFGSM(model, eps=eps, alpha=alpha, steps=steps, decay=mu, m=copies), x, y)


@contained
def vmi(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    *,
    eps: float,
    alpha: float,
    steps: int,
    mu: float = 1.0,
    draws: int = 5,
    beta: float = 1.5,
) -> Tensor:
    return _run(torchattacks.VMIFGSM(model, eps=eps, alpha=alpha, steps=steps, decay=mu, N=draws, beta=beta), x, y)


@contained
def apgd(
    model: nn.Module, x: Tensor, y: Tensor, *, norm: str, eps: float, steps: int, loss: str = "ce", restarts: int = 1
) -> Tensor:
    return _run(
        torchattacks.APGD(
            model, norm=norm, eps=eps, steps=steps, loss=loss, n_restarts=restarts, seed=torch.initial_seed()
        ),
        x,
        y,
    )


@contained
def apgd_targeted(
    model: nn.Module, x: Tensor, y: Tensor, *, norm: str, eps: float, steps: int, n_classes: int = 10
) -> Tensor:
    return _run(
        torchattacks.APGDT(model, norm=norm, eps=eps, steps=steps, n_classes=n_classes, seed=torch.initial_seed()), x, y
    )


@contained
def fab(model: nn.Module, x: Tensor, y: Tensor, *, norm: str, eps: float, steps: int, n_classes: int = 10) -> Tensor:
    return _run(
        torchattacks.FAB(model, norm=norm, eps=eps, steps=steps, n_classes=n_classes, seed=torch.initial_seed()), x, y
    )


@contained
def square(model: nn.Module, x: Tensor, y: Tensor, *, norm: str, eps: float, queries: int) -> Tensor:
    return _run(torchattacks.Square(model, norm=norm, eps=eps, n_queries=queries, seed=torch.initial_seed()), x, y)


@contained
def spsa(
    model: nn.Module, x: Tensor, y: Tensor, *, eps: float, delta: float, learning_rate: float, steps: int, draws: int
) -> Tensor:
    """Asks 2 draws steps times a sample."""
    attack = torchattacks.SPSA(
        model, eps=eps, delta=delta, lr=learning_rate, nb_iter=steps, nb_sample=draws, max_batch_size=draws
    )
    return _run(attack, x, y)


@contained
def deepfool(model: nn.Module, x: Tensor, y: Tensor, *, steps: int = 50, overshoot: float = 0.02) -> Tensor:
    return _run(torchattacks.DeepFool(model, steps=steps, overshoot=overshoot), x, y)


@contained
def sparsefool(model: nn.Module, x: Tensor, y: Tensor, *, steps: int = 20, lam: float = 3.0) -> Tensor:
    return _run(torchattacks.SparseFool(model, steps=steps, lam=lam), x, y)


@contained
def one_pixel(model: nn.Module, x: Tensor, y: Tensor, *, pixels: int, steps: int, population: int) -> Tensor:
    attack = torchattacks.OnePixel(model, pixels=pixels, steps=steps, popsize=population)
    return _run(attack, x, y)


@contained
def jsma(model: nn.Module, x: Tensor, y: Tensor, *, target: Tensor, theta: float = 1.0, gamma: float = 0.1) -> Tensor:
    return _run(torchattacks.JSMA(model, theta=theta, gamma=gamma), x, y, target)


@contained
def pixle(model: nn.Module, x: Tensor, y: Tensor, *, restarts: int, iterations: int) -> Tensor:
    """It moves pixels of the image about, few at a time: no norm bounds it but the number of pixels."""
    attack = torchattacks.Pixle(
        model, x_dimensions=(1, 2), y_dimensions=(1, 2), restarts=restarts, max_iterations=iterations
    )
    return _run(attack, x, y)


def _run(attack: Any, x: Tensor, y: Tensor, target: Tensor | None = None) -> Tensor:
    if target is None:
        return attack(x, y)
    attack.set_mode_targeted_by_label(quiet=True)
    return attack(x, target)
