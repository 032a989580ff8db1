"""The standard AutoAttack sequence against its own code: its number, or a lower one, and where that code crashes as well.

All members begin at random points, others there than here: one sample may go the other way.
"""

from __future__ import annotations

import pytest
import torch
from comparing import attacked, broken, spec, within
from networks import Victim
from peers import MISSING, REASON

if MISSING:
    pytest.skip(REASON, allow_module_level=True)

from peers import autoattack_peers as autoattack


@pytest.mark.parametrize("norm", ["Linf", "L2"])
def test_autoattack_leaves_no_more_robust_than_its_own_code(pair_of_victims: Victim, norm: str) -> None:
    """A standard network and an adversarially trained one."""
    victim, eps = pair_of_victims, pair_of_victims.eps[norm]
    ours = attacked(victim, spec("AutoAttackSpec", norm=norm, eps=eps))
    theirs = autoattack.standard(victim.model, victim.x, victim.y, norm=norm, eps=eps)
    assert within(victim, ours.x_adv, norm, eps)
    assert 0.2 <= victim.accuracy(theirs) <= 0.8
    assert victim.accuracy(ours.x_adv) <= victim.accuracy(theirs) + 1 / 200


def test_so_it_is_in_l1(pair_of_victims: Victim) -> None:
    victim = pair_of_victims.first(40)
    eps = victim.eps["L1"]
    ours = attacked(victim, spec("AutoAttackSpec", norm="L1", eps=eps))
    theirs = autoattack.standard(victim.model, victim.x, victim.y, norm="L1", eps=eps)
    assert within(victim, ours.x_adv, "L1", eps)
    assert victim.accuracy(ours.x_adv) <= victim.accuracy(theirs) + 1 / 40


@pytest.mark.parametrize("norm", ["Linf", "L2", "L1"])
def test_with_few_classes_autoattack_works_where_its_own_code_crashes(few_class_victim: Victim, norm: str) -> None:
    """Its targeted loss needs four classes, its targeted attacks ten; its members that work are no stronger."""
    victim = few_class_victim.first(60)
    eps = victim.eps[norm]
    with pytest.raises((IndexError, RuntimeError)):
        autoattack.standard(victim.model, victim.x, victim.y, norm=norm, eps=eps)
    ours = attacked(victim, spec("AutoAttackSpec", norm=norm, eps=eps))
    assert within(victim, ours.x_adv, norm, eps)
    assert 0.1 <= victim.accuracy(ours.x_adv) <= 0.9
    ce = broken(victim, autoattack.sequence(victim.model, victim.x, victim.y, norm=norm, eps=eps, attacks=["apgd-ce"]))
    fab = autoattack.fab(victim.model, victim.x, victim.y, norm=norm, targets=victim.n_classes - 1)
    size = torch.linalg.vector_norm((fab - victim.x).flatten(1), {"Linf": torch.inf, "L2": 2, "L1": 1}[norm], dim=1)
    either = ce | (broken(victim, fab) & (size <= eps))
    assert ours.success.sum() >= either.sum()


def test_the_fast_ensemble_is_the_first_half(pair_of_victims: Victim) -> None:
    victim, eps = pair_of_victims, pair_of_victims.eps["Linf"]
    ours = attacked(victim, spec("FastEnsembleSpec", norm="Linf", eps=eps))
    theirs = autoattack.sequence(victim.model, victim.x, victim.y, norm="Linf", eps=eps, attacks=["apgd-ce", "apgd-t"])
    assert victim.accuracy(ours.x_adv) <= victim.accuracy(theirs) + 1 / 200


@pytest.mark.mnist
def test_autoattack_agrees_with_its_own_code_on_mnist(mnist_victim: Victim) -> None:
    few, eps = mnist_victim.first(20), mnist_victim.eps["Linf"]
    ours = attacked(few, spec("AutoAttackSpec", norm="Linf", eps=eps))
    theirs = autoattack.standard(few.model, few.x, few.y, norm="Linf", eps=eps)
    assert 0.2 <= few.accuracy(theirs) <= 0.8
    assert few.accuracy(ours.x_adv) <= few.accuracy(theirs) + 1 / 20
