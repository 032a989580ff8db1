"""Attacks on few pixels against torchattacks: as many samples break with as many pixels, queries or steps."""

from __future__ import annotations

import pytest
from comparing import attacked, broken, moved, significantly_more, smallest, spec
from networks import Victim
from peers import MISSING, REASON

if MISSING:
    pytest.skip(REASON, allow_module_level=True)

from peers import autoattack_peers as autoattack
from peers import foolbox_peers as foolbox
from peers import torchattacks_peers as torchattacks


@pytest.mark.parametrize("gamma", [0.1, 0.2])
def test_jsma_reaches_as_many_targets(pair_of_victims: Victim, gamma: float) -> None:
    """With the same share of values, raised in pairs by 1."""
    few = pair_of_victims.correct().first(60)
    target = (few.y + 1) % few.n_classes
    ours = attacked(few, spec("JsmaSpec", goal="next", theta=1.0, gamma=gamma), target)
    theirs = torchattacks.jsma(few.model, few.x, few.y, target=target, theta=1.0, gamma=gamma)
    reached = broken(few, theirs, target)
    most = -(-few.x[0].numel() * gamma // 2) * 2
    assert moved(few, ours.x_adv, "L0").max() <= most
    assert 0.05 < reached.double().mean() < 0.95
    assert ours.success.sum() >= reached.sum()


@pytest.mark.parametrize("pixels", [1, 3])
def test_one_pixel_breaks_as_many(pair_of_victims: Victim, pixels: int) -> None:
    """With at least as many queries: the peer asks 10 candidates for each number that a candidate has, a generation."""
    few = pair_of_victims.correct().first(60)
    generations, population = 20, 30 * pixels
    ours = attacked(few, spec("OnePixelSpec", pixels=pixels, population=population, generations=generations))
    theirs = torchattacks.one_pixel(few.model, few.x, few.y, pixels=pixels, steps=generations, population=10)
    assert moved(few, ours.x_adv, "L0").max() <= pixels
    assert broken(few, theirs).any()
    assert not significantly_more(broken(few, theirs), ours.success)


def test_sigma_zero_changes_fewer_values_than_sparsefool(pair_of_victims: Victim) -> None:
    few = pair_of_victims.correct().first(40)
    ours = smallest(few, attacked(few, spec("SigmaZeroSpec", steps=100)).x_adv, "L0")
    theirs = smallest(few, torchattacks.sparsefool(few.model, few.x, few.y), "L0")
    assert ours.isfinite().sum() >= theirs.isfinite().sum() >= 30
    assert ours.median() <= theirs.median()


def test_sigma_zero_changes_as_few_values_as_fmn_of_foolbox(victim: Victim) -> None:
    easy = victim.correct()
    ours = smallest(easy, attacked(easy, spec("SigmaZeroSpec", steps=100)).x_adv, "L0")
    theirs = smallest(easy, foolbox.fmn(easy.model, easy.x, easy.y, norm="L0", steps=100), "L0")
    assert ours.isfinite().sum() >= theirs.isfinite().sum()
    assert ours.median() <= theirs.median()


def test_sparse_rs_breaks_more_than_pixle_and_one_pixel(pair_of_victims: Victim) -> None:
    """Pixle moves pixels about without a bound, so it breaks everything: what is compared is how many pixels that takes."""
    few = pair_of_victims.correct().first(60)
    pixels = 5
    ours = attacked(few, spec("SparseRsSpec", pixels=pixels, queries=1000))
    assert moved(few, ours.x_adv, "L0").max() <= pixels
    for theirs in (
        torchattacks.one_pixel(few.model, few.x, few.y, pixels=pixels, steps=20, population=10),
        torchattacks.pixle(few.model, few.x, few.y, restarts=20, iterations=50),
    ):
        as_sparse = broken(few, theirs) & (moved(few, theirs, "L0") <= pixels)
        assert not significantly_more(as_sparse, ours.success)


def test_l1_sparse_attacks_agree_with_autoattack_on_who_is_robust(pair_of_victims: Victim) -> None:
    """EAD and FMN look for the smallest L1 norm: what AutoAttack's APGD breaks within eps, one of them breaks there too."""
    easy = pair_of_victims.correct()
    eps = easy.eps["L1"]
    found = [
        smallest(easy, attacked(easy, spec(kind, norm="L1", **settings)).x_adv, "L1")
        for kind, settings in (("FmnSpec", {"steps": 200}), ("FabTargetedSpec", {"steps": 30}))
    ]
    ours = (found[0] <= eps) | (found[1] <= eps)
    theirs = autoattack.apgd(easy.model, easy.x, easy.y, norm="L1", eps=eps, larger_eps=True)
    assert ours.sum() >= broken(easy, theirs).sum()
