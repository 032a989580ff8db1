"""Auto-PGD against AutoAttack's own code and torchattacks: with the same steps at least as many samples break."""

from __future__ import annotations

import pytest
from comparing import attacked, broken, spec, within
from networks import Victim
from peers import MISSING, REASON

if MISSING:
    pytest.skip(REASON, allow_module_level=True)

from peers import autoattack_peers as autoattack
from peers import torchattacks_peers as torchattacks

RANDOM_STARTS = 1
"""Both start at random points, others there than here: one sample of 200 may go the other way."""


@pytest.mark.parametrize("norm", ["Linf", "L2", "L1"])
@pytest.mark.parametrize("loss", ["ce", "dlr"])
def test_apgd_breaks_as_many_as_autoattacks_own(victim: Victim, norm: str, loss: str) -> None:
    eps = victim.eps[norm]
    ours = attacked(victim, spec("ApgdSpec", norm=norm, eps=eps, loss=loss, steps=100))
    theirs = autoattack.apgd(
        victim.model, victim.x, victim.y, norm=norm, eps=eps, loss=loss, steps=100, larger_eps=norm == "L1"
    )
    assert 0.2 <= ours.success.double().mean() <= 0.8 and within(victim, ours.x_adv, norm, eps)
    assert ours.success.sum() >= broken(victim, theirs).sum() - RANDOM_STARTS


@pytest.mark.parametrize("norm", ["Linf", "L2", "L1"])
def test_targeted_apgd_breaks_as_many_as_autoattacks_own(victim: Victim, norm: str) -> None:
    """With the numbers of target classes that its standard version has."""
    eps, targets = victim.eps[norm], 5 if norm == "L1" else 9
    settings = spec("ApgdSpec", norm=norm, eps=eps, loss="targeted-dlr", steps=100, n_target_classes=targets)
    ours = attacked(victim, settings)
    theirs = autoattack.apgd_targeted(
        victim.model, victim.x, victim.y, norm=norm, eps=eps, steps=100, targets=targets, larger_eps=norm == "L1"
    )
    assert 0.2 <= ours.success.double().mean() <= 0.8 and within(victim, ours.x_adv, norm, eps)
    assert ours.success.sum() >= broken(victim, theirs).sum() - RANDOM_STARTS


@pytest.mark.parametrize("steps", [10, 30])
@pytest.mark.parametrize("norm", ["Linf", "L2"])
def test_apgd_of_few_steps_breaks_as_many_as_torchattacks(victim: Victim, norm: str, steps: int) -> None:
    eps = victim.eps[norm]
    ours = attacked(victim, spec("ApgdSpec", norm=norm, eps=eps, steps=steps))
    theirs = torchattacks.apgd(victim.model, victim.x, victim.y, norm=norm, eps=eps, steps=steps)
    assert ours.success.sum() >= broken(victim, theirs).sum() - RANDOM_STARTS


@pytest.mark.parametrize("norm", ["Linf", "L2"])
def test_targeted_apgd_of_few_steps_breaks_as_many_as_torchattacks(victim: Victim, norm: str) -> None:
    eps = victim.eps[norm]
    ours = attacked(victim, spec("ApgdSpec", norm=norm, eps=eps, loss="targeted-dlr", steps=20))
    theirs = torchattacks.apgd_targeted(victim.model, victim.x, victim.y, norm=norm, eps=eps, steps=20)
    assert ours.success.sum() >= broken(victim, theirs).sum() - RANDOM_STARTS
