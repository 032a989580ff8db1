"""Foolbox 3.3.4 (Rauber, Zimmermann, Bethge & Brendel 2020, "Foolbox Native"). Inputs are in [0, 1]; goals untargeted
unless ``target`` is given. Attacks that need a starting point begin at another sample that the model tells apart."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import foolbox
import torch
from foolbox import attacks
from torch import Tensor, nn

from .contained import contained
from .queries import Asked, OutOfQueries

FAST = {"Linf": attacks.LinfFastGradientAttack, "L2": attacks.L2FastGradientAttack, "L1": attacks.L1FastGradientAttack}
DESCENT = {
    "Linf": attacks.LinfProjectedGradientDescentAttack,
    "L2": attacks.L2ProjectedGradientDescentAttack,
    "L1": attacks.L1ProjectedGradientDescentAttack,
}
MOMENTUM = {
    "Linf": attacks.LinfMomentumIterativeFastGradientMethod,
    "L2": attacks.L2MomentumIterativeFastGradientMethod,
    "L1": attacks.L1MomentumIterativeFastGradientMethod,
}
FMN = {"L0": attacks.L0FMNAttack, "L1": attacks.L1FMNAttack, "L2": attacks.L2FMNAttack, "Linf": attacks.LInfFMNAttack}
DEEPFOOL = {"L2": attacks.L2DeepFoolAttack, "Linf": attacks.LinfDeepFoolAttack}


@contained
def fgsm(model: nn.Module, x: Tensor, y: Tensor, *, norm: str, eps: float, target: Tensor | None = None) -> Tensor:
    if target is None:
        return _within(FAST[norm](random_start=False), model, x, y, eps)
    # its own fast gradient attack knows no targets; one step of its descent is the same step
    return _within(DESCENT[norm](abs_stepsize=eps, steps=1, random_start=False), model, x, y, eps, target)


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
    attack = DESCENT[norm](abs_stepsize=alpha, steps=steps, random_start=random_start)
    return _within(attack, model, x, y, eps, target)


@contained
def sparse_l1(
    model: nn.Module, x: Tensor, y: Tensor, *, eps: float, alpha: float, steps: int, quantile: float = 0.99
) -> Tensor:
    """Sparse L1 descent (Tramèr & Boneh 2019): the steps move the largest 1 - quantile of the coordinates alone."""
    attack = attacks.SparseL1DescentAttack(quantile=quantile, abs_stepsize=alpha, steps=steps)
    return _within(attack, model, x, y, eps)


@contained
def momentum(
    model: nn.Module, x: Tensor, y: Tensor, *, norm: str, eps: float, alpha: float, steps: int, mu: float = 1.0
) -> Tensor:
    return _within(MOMENTUM[norm](momentum=mu, abs_stepsize=alpha, steps=steps, random_start=False), model, x, y, eps)


@contained
def deepfool(model: nn.Module, x: Tensor, y: Tensor, *, norm: str, steps: int = 50, overshoot: float = 0.02) -> Tensor:
    return _smallest(DEEPFOOL[norm](steps=steps, overshoot=overshoot, candidates=None), model, x, y)


@contained
def carlini_wagner(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    *,
    steps: int,
    searches: int = 9,
    learning_rate: float = 0.01,
    initial_const: float = 1e-3,
    target: Tensor | None = None,
) -> Tensor:
    attack = attacks.L2CarliniWagnerAttack(
        binary_search_steps=searches, steps=steps, stepsize=learning_rate, initial_const=initial_const
    )
    return _smallest(attack, model, x, y, target)


@contained
def ddn(
    model: nn.Module, x: Tensor, y: Tensor, *, steps: int, gamma: float = 0.05, target: Tensor | None = None
) -> Tensor:
    return _smallest(attacks.DDNAttack(steps=steps, gamma=gamma), model, x, y, target)


@contained
def fmn(
    model: nn.Module, x: Tensor, y: Tensor, *, norm: str, steps: int, gamma: float = 0.05, target: Tensor | None = None
) -> Tensor:
    """In L2 its projection does nothing: it takes long steps without a bound, succeeds always, and far away."""
    return _smallest(FMN[norm](steps=steps, gamma=gamma), model, x, y, target)


@contained
def ead(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    *,
    steps: int,
    searches: int = 9,
    learning_rate: float = 0.01,
    beta: float = 0.01,
    rule: str = "EN",
    initial_const: float = 1e-3,
) -> Tensor:
    attack = attacks.EADAttack(
        binary_search_steps=searches,
        steps=steps,
        initial_stepsize=learning_rate,
        regularization=beta,
        decision_rule=rule,
        initial_const=initial_const,
    )
    return _smallest(attack, model, x, y)


@contained
def boundary(model: nn.Module, x: Tensor, y: Tensor, *, queries: int) -> Tensor:
    return _asked(attacks.BoundaryAttack(steps=queries), model, x, y, queries, 2)


@contained
def hop_skip_jump(model: nn.Module, x: Tensor, y: Tensor, *, norm: str, queries: int) -> Tensor:
    attack = attacks.HopSkipJumpAttack(steps=queries, constraint={"L2": "l2", "Linf": "linf"}[norm])
    return _asked(attack, model, x, y, queries, {"L2": 2, "Linf": torch.inf}[norm])


def starting_points(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """For each sample the nearest in L2 of the others that the model puts into another class than y."""
    with torch.no_grad():
        apart = torch.cdist(x.flatten(1), x.flatten(1))
        apart[model(x).argmax(1)[None] == y[:, None]] = torch.inf
    return x[apart.argmin(1)]


def _asked(attack: Any, model: nn.Module, x: Tensor, y: Tensor, queries: int, order: float) -> Tensor:
    asked = Asked(model, x, y, queries, lambda delta: torch.linalg.vector_norm(delta.flatten(1), order, dim=1))
    # an assertion of HopSkipJump fails where rounding moves a point back over the boundary
    with suppress(OutOfQueries, AssertionError):
        attack.run(_known(asked), x, foolbox.Misclassification(y), starting_points=starting_points(model, x, y))
    return asked.nearest


def _known(model: nn.Module) -> foolbox.PyTorchModel:
    return foolbox.PyTorchModel(model, bounds=(0, 1), device="cpu")


def _criterion(y: Tensor, target: Tensor | None) -> Any:
    return foolbox.Misclassification(y) if target is None else foolbox.TargetedMisclassification(target)


def _within(attack: Any, model: nn.Module, x: Tensor, y: Tensor, eps: float, target: Tensor | None = None) -> Tensor:
    return attack(_known(model), x, _criterion(y, target), epsilons=eps)[1]


def _smallest(attack: Any, model: nn.Module, x: Tensor, y: Tensor, target: Tensor | None = None) -> Tensor:
    """Failures of C&W and EAD come back as images of zeros, which a network may take for another class: here as the samples."""
    found = attack(_known(model), x, _criterion(y, target), epsilons=None)[0]
    nothing = (found == 0).flatten(1).all(1)
    return torch.where(nothing.reshape(-1, *[1] * (x.ndim - 1)), x, found)
