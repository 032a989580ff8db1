"""AutoAttack's own code as packaged on PyPI, pyautoattack 0.2.0 (Croce & Hein 2020, "Reliable evaluation of adversarial
robustness with an ensemble of diverse parameter-free attacks"). Inputs are in [0, 1]; all goals are untargeted."""

from __future__ import annotations

import torch
from pyautoattack import AutoAttack
from pyautoattack.autopgd_base import APGDAttack, APGDAttack_targeted
from pyautoattack.fab_pt import FABAttack_PT
from pyautoattack.square import SquareAttack
from torch import Tensor, nn

from .contained import contained

ORDER = {"Linf": torch.inf, "L2": 2, "L1": 1}


@contained
def standard(model: nn.Module, x: Tensor, y: Tensor, *, norm: str, eps: float) -> Tensor:
    """The standard version: APGD-CE, APGD-T, FAB-T, Square, each on the survivors of the one before."""
    return AutoAttack(model, norm=norm, eps=eps, version="standard", seed=torch.initial_seed()).run_standard_evaluation(
        x, y
    )[0]


@contained
def sequence(model: nn.Module, x: Tensor, y: Tensor, *, norm: str, eps: float, attacks: list[str]) -> Tensor:
    """Some of its attacks in the given order, with the parameters that the standard version gives them."""
    suite = AutoAttack(model, norm=norm, eps=eps, version="standard", seed=torch.initial_seed())
    suite.attacks_to_run = attacks
    return suite.run_standard_evaluation(x, y)[0]


@contained
def apgd(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    *,
    norm: str,
    eps: float,
    steps: int = 100,
    loss: str = "ce",
    restarts: int = 1,
    larger_eps: bool = False,
) -> Tensor:
    """``larger_eps``: the schedule 3 eps, 2 eps, eps that the standard version uses for L1."""
    attack = APGDAttack(
        model,
        n_iter=steps,
        norm=norm,
        n_restarts=restarts,
        eps=eps,
        seed=torch.initial_seed(),
        loss=loss,
        device="cpu",
        use_largereps=larger_eps,
    )
    return attack.perturb(x, y)


@contained
def apgd_targeted(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    *,
    norm: str,
    eps: float,
    steps: int = 100,
    targets: int = 9,
    larger_eps: bool = False,
) -> Tensor:
    attack = APGDAttack_targeted(
        model,
        n_iter=steps,
        norm=norm,
        eps=eps,
        seed=torch.initial_seed(),
        n_target_classes=targets,
        device="cpu",
        use_largereps=larger_eps,
    )
    return attack.perturb(x, y)


@contained
def fab(model: nn.Module, x: Tensor, y: Tensor, *, norm: str, steps: int = 100, targets: int = 0) -> Tensor:
    """Each sample's smallest perturbation, whatever its size; ``targets`` above 0: the targeted version."""
    # eps bounds the random starts of further restarts alone, of which there are none here
    attack = FABAttack_PT(model, norm=norm, n_iter=steps, eps=1.0, seed=torch.initial_seed(), device="cpu")
    if not targets:
        return attack.attack_single_run(x, y)
    best, smallest = x, torch.full((len(x),), torch.inf)
    for target in range(2, targets + 2):
        attack.target_class = target
        found = attack.attack_single_run(x, y, is_targeted=True)
        size = torch.linalg.vector_norm((found - x).flatten(1), ORDER[norm], dim=1)
        with torch.no_grad():
            better = (model(found).argmax(1) != y) & (size < smallest)
        best = torch.where(better.reshape(-1, *[1] * (x.ndim - 1)), found, best)
        smallest = torch.where(better, size, smallest)
    return best


@contained
def square(
    model: nn.Module, x: Tensor, y: Tensor, *, norm: str, eps: float, queries: int, rescale: bool = True
) -> Tensor:
    """``rescale``: the schedule of square sizes shrunk to the number of queries; the standard version leaves it as it is."""
    attack = SquareAttack(
        model, norm=norm, eps=eps, n_queries=queries, seed=torch.initial_seed(), resc_schedule=rescale, device="cpu"
    )
    return attack.perturb(x, y)
