"""FGSM and PGD against Foolbox and torchattacks: where nothing is random the same points, else at least as many successes."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from comparing import attacked, broken, significantly_more, spec, within
from networks import Victim
from peers import MISSING, REASON
from torch import Tensor

from engine.attacks import choose_targets

if MISSING:
    pytest.skip(REASON, allow_module_level=True)

from peers import foolbox_peers as foolbox
from peers import torchattacks_peers as torchattacks

STEPS = 20


def target_of(victim: Victim, goal: str) -> Tensor | None:
    return choose_targets(victim.model, victim.x, victim.y, goal, victim.n_classes, 0)


@pytest.mark.parametrize("norm", ["Linf", "L2"])
@pytest.mark.parametrize("goal", ["untargeted", "next"])
def test_fgsm_breaks_exactly_what_foolbox_breaks(victim: Victim, norm: str, goal: str) -> None:
    eps, target = victim.eps[norm], target_of(victim, goal)
    ours = attacked(victim, spec("FgsmSpec", norm=norm, eps=eps, goal=goal), target)
    theirs = foolbox.fgsm(victim.model, victim.x, victim.y, norm=norm, eps=eps, target=target)
    clean = broken(victim, victim.x, target)
    assert torch.equal(ours.success, broken(victim, theirs, target) | clean)
    torch.testing.assert_close(ours.x_adv[~clean], theirs[~clean], rtol=0, atol=1e-5)


def test_fgsm_breaks_exactly_what_torchattacks_breaks(victim: Victim) -> None:
    ours = attacked(victim, spec("FgsmSpec", eps=victim.eps["Linf"]))
    theirs = torchattacks.fgsm(victim.model, victim.x, victim.y, eps=victim.eps["Linf"])
    assert torch.equal(ours.success, broken(victim, theirs) | broken(victim, victim.x))


@pytest.mark.parametrize("norm", ["Linf", "L2"])
@pytest.mark.parametrize("goal", ["untargeted", "next"])
@pytest.mark.parametrize("peer", [foolbox.pgd, torchattacks.pgd], ids=["foolbox", "torchattacks"])
def test_pgd_that_does_not_stop_ends_where_its_peer_ends(victim: Victim, norm: str, goal: str, peer: Any) -> None:
    """Rounding of a gradient near 0 can flip a sign, and a few steps later a point is elsewhere: 5 of 200 may be."""
    eps, alpha, target = victim.eps[norm], victim.eps[norm] / 8, target_of(victim, goal)
    settings = {"norm": norm, "eps": eps, "alpha": alpha, "steps": STEPS, "random_start": False}
    ours = attacked(victim, spec("PgdSpec", goal=goal, stop=False, **settings), target)
    theirs = peer(victim.model, victim.x, victim.y, target=target, **settings)
    assert within(victim, ours.x_adv, norm, eps)
    attackable = ~broken(victim, victim.x, target)
    apart = (ours.x_adv - theirs).flatten(1).abs().amax(1)[attackable] > 1e-4
    assert apart.sum() <= 5


@pytest.mark.parametrize("norm", ["Linf", "L2"])
@pytest.mark.parametrize("goal", ["untargeted", "next"])
@pytest.mark.parametrize("peer", [foolbox.pgd, torchattacks.pgd], ids=["foolbox", "torchattacks"])
def test_pgd_breaks_all_that_its_peer_breaks(victim: Victim, norm: str, goal: str, peer: Any) -> None:
    """Success on the way counts here, the end alone there."""
    eps, target = victim.eps[norm], target_of(victim, goal)
    settings = {"norm": norm, "eps": eps, "alpha": eps / 8, "steps": STEPS, "random_start": False}
    ours = attacked(victim, spec("PgdSpec", goal=goal, **settings), target)
    theirs = broken(victim, peer(victim.model, victim.x, victim.y, target=target, **settings), target)
    assert 0.02 < theirs.double().mean() < 0.8, "says nothing"
    assert ours.success.sum() >= theirs.sum()


@pytest.mark.parametrize(
    ("peer", "norm"),
    [(foolbox.pgd, "Linf"), (foolbox.pgd, "L2"), (foolbox.pgd, "L1"), (torchattacks.pgd, "Linf")],
    ids=["foolbox Linf", "foolbox L2", "foolbox L1", "torchattacks Linf"],
)
def test_pgd_from_random_starts_breaks_as_many_as_its_peer(victim: Victim, peer: Any, norm: str) -> None:
    """The best of ten starts each; they are others there than here, so that one sample of 200 may go the other way."""
    ours, theirs = best_of_ten(victim, peer, norm)
    assert 0.2 <= ours.double().mean() <= 0.8
    assert ours.sum() >= theirs.sum() - 1


def test_pgd_in_l2_breaks_as_many_as_torchattacks_but_for_chance(victim: Victim) -> None:
    """Its starts have a radius uniform in [0, eps], ours and Foolbox's fill the ball evenly: they lie farther out."""
    ours, theirs = best_of_ten(victim, torchattacks.pgd, "L2")
    assert not significantly_more(theirs, ours)


def best_of_ten(victim: Victim, peer: Any, norm: str) -> tuple[Tensor, Tensor]:
    eps = victim.eps[norm]
    settings = {"norm": norm, "eps": eps, "alpha": eps / 8, "steps": STEPS, "random_start": True}
    ours = attacked(victim, spec("PgdSpec", restarts=10, **settings))
    assert within(victim, ours.x_adv, norm, eps)
    starts = [broken(victim, peer(victim.model, victim.x, victim.y, seed=seed, **settings)) for seed in range(10)]
    return ours.success, torch.stack(starts).any(0)


@pytest.mark.parametrize("quantile", [0.8, 0.95])
def test_pgd_in_l1_breaks_as_many_as_sparse_descent(victim: Victim, quantile: float) -> None:
    """Its peer moves a fixed share of the coordinates at a time (Tramèr & Boneh 2019)."""
    eps = victim.eps["L1"]
    settings = {"eps": eps, "alpha": eps / 8, "steps": STEPS}
    ours = attacked(victim, spec("PgdSpec", norm="L1", random_start=False, **settings))
    theirs = broken(victim, foolbox.sparse_l1(victim.model, victim.x, victim.y, quantile=quantile, **settings))
    assert ours.success.sum() >= theirs.sum()
