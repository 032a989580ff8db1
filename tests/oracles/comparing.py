"""What two attacks on the same samples are compared by, measured in the same way for both: with the network, from x_adv."""

from __future__ import annotations

from typing import Any

import torch
from networks import Victim
from scipy.stats import binomtest
from torch import Tensor

import engine.specs
from engine.attacks import AttackResult, run, start
from engine.specs import AttackSpec

ORDER = {"Linf": torch.inf, "L2": 2, "L1": 1, "L0": 0}
SIGNIFICANT = 0.05


def spec(name: str, **settings: Any) -> AttackSpec:
    """An attack's settings by the name of their class, untargeted unless told otherwise."""
    made: AttackSpec = getattr(engine.specs, name)(**{"goal": "untargeted", **settings})
    return made


def attacked(
    victim: Victim, settings: AttackSpec, target: Tensor | None = None, *, seed: int = 0, sound: bool = True
) -> AttackResult:
    """The lab's attack. Its result is ``sound``: its own numbers hold when looked at anew (not so where a network is random)."""
    result = run(
        start(
            victim.model,
            victim.x,
            victim.y,
            settings,
            seed=seed,
            bounds=(0.0, 1.0),
            target=target,
            examples=(victim.x, victim.y),
        )
    )
    assert not sound or torch.equal(result.success, broken(victim, result.x_adv, target))
    assert result.x_adv.min() >= 0 and result.x_adv.max() <= 1
    return result


def within(victim: Victim, x_adv: Tensor, norm: str, eps: float) -> bool:
    """Whether no sample has left its ball, up to rounding."""
    return bool((moved(victim, x_adv, norm) <= eps * (1 + 1e-5) + 1e-7).all())


def moved(victim: Victim, x_adv: Tensor, norm: str) -> Tensor:
    """How far each sample has been moved: float64 ``[n]``."""
    delta = (x_adv.double() - victim.x.double()).flatten(1)
    return torch.linalg.vector_norm(delta, ORDER[norm], dim=1)


def broken(victim: Victim, x_adv: Tensor, target: Tensor | None = None) -> Tensor:
    """bool ``[n]``: the network is wrong, or sees the target."""
    prediction = victim.predict(x_adv)
    return prediction != victim.y if target is None else prediction == target


def smallest(victim: Victim, x_adv: Tensor, norm: str, target: Tensor | None = None) -> Tensor:
    """The size of each sample's perturbation, infinite where it does not succeed; ``[n]``."""
    return torch.where(broken(victim, x_adv, target), moved(victim, x_adv, norm), torch.inf)


def significantly_more(mine: Tensor, theirs: Tensor) -> bool:
    """McNemar's exact test on bool ``[n]``: whether the samples in ``mine`` alone outnumber those in ``theirs`` alone by
    more than chance explains."""
    only_mine, only_theirs = int((mine & ~theirs).sum()), int((theirs & ~mine).sum())
    if only_mine + only_theirs == 0:
        return False
    return binomtest(only_mine, only_mine + only_theirs, 0.5, alternative="greater").pvalue < SIGNIFICANT
