"""Auto-PGD against AutoAttack's own code and torchattacks: with the same steps as many samples break.

Both begin at random points, others there than here, and one run differs from the next by two or three samples of 200.
So several runs of each are counted together, and McNemar's test tells chance from a weaker attack.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from comparing import attacked, broken, significantly_more, spec, within
from networks import Victim
from peers import MISSING, REASON
from torch import Tensor

if MISSING:
    pytest.skip(REASON, allow_module_level=True)

from peers import autoattack_peers as autoattack
from peers import torchattacks_peers as torchattacks

RUNS = 5


def breaks_as_many(
    victim: Victim, own: dict[str, Any], peer: Callable[..., Tensor], their: dict[str, Any], runs: int = RUNS
) -> bool:
    ours, theirs = [], []
    for seed in range(runs):
        result = attacked(victim, spec("ApgdSpec", **own), seed=seed)
        assert within(victim, result.x_adv, own["norm"], own["eps"])
        assert 0.2 <= result.success.double().mean() <= 0.8
        ours.append(result.success)
        theirs.append(broken(victim, peer(victim.model, victim.x, victim.y, seed=seed, **their)))
    return not significantly_more(torch.cat(theirs), torch.cat(ours))


@pytest.mark.parametrize("loss", ["ce", "dlr"])
@pytest.mark.parametrize("norm", ["Linf", "L2", "L1"])
def test_apgd_breaks_as_many_as_autoattacks_own(victim: Victim, norm: str, loss: str) -> None:
    """In L1 with the five restarts that its standard version has."""
    restarts, runs = (5, 2) if norm == "L1" else (1, RUNS)
    settings = {"norm": norm, "eps": victim.eps[norm], "loss": loss, "steps": 100, "restarts": restarts}
    assert breaks_as_many(victim, settings, autoattack.apgd, settings | {"larger_eps": norm == "L1"}, runs)


@pytest.mark.parametrize("norm", ["Linf", "L2", "L1"])
def test_targeted_apgd_breaks_as_many_as_autoattacks_own(victim: Victim, norm: str) -> None:
    """With the numbers of target classes that its standard version has."""
    settings = {"norm": norm, "eps": victim.eps[norm], "steps": 100}
    targets = 5 if norm == "L1" else 9
    own = settings | {"loss": "targeted-dlr", "n_target_classes": targets}
    their = settings | {"targets": targets, "larger_eps": norm == "L1"}
    assert breaks_as_many(victim, own, autoattack.apgd_targeted, their, runs=1)


@pytest.mark.parametrize("steps", [10, 30])
@pytest.mark.parametrize("norm", ["Linf", "L2"])
def test_apgd_of_few_steps_breaks_as_many_as_torchattacks(victim: Victim, norm: str, steps: int) -> None:
    settings = {"norm": norm, "eps": victim.eps[norm], "steps": steps}
    assert breaks_as_many(victim, settings, torchattacks.apgd, settings)


@pytest.mark.parametrize("norm", ["Linf", "L2"])
def test_targeted_apgd_of_few_steps_breaks_as_many_as_torchattacks(victim: Victim, norm: str) -> None:
    settings = {"norm": norm, "eps": victim.eps[norm], "steps": 20}
    assert breaks_as_many(victim, settings | {"loss": "targeted-dlr"}, torchattacks.apgd_targeted, settings, runs=2)
