"""Black-box attacks against torchattacks, AutoAttack's own Square and Foolbox, each with the same number of queries a sample.

All draw at random: differences count beyond what chance explains, sample by sample.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from comparing import attacked, broken, significantly_more, smallest, spec, within
from networks import Victim
from peers import MISSING, REASON
from torch import Tensor

if MISSING:
    pytest.skip(REASON, allow_module_level=True)

from peers import autoattack_peers as autoattack
from peers import foolbox_peers as foolbox
from peers import torchattacks_peers as torchattacks


@pytest.mark.parametrize("rescale", [False, True])
@pytest.mark.parametrize("norm", ["Linf", "L2", "L1"])
def test_square_breaks_as_many_as_autoattacks_own(pair_of_victims: Victim, norm: str, rescale: bool) -> None:
    victim, queries = pair_of_victims, 500
    eps = victim.eps[norm] * 1.2
    settings = {"norm": norm, "eps": eps, "queries": queries, "rescale": rescale}
    ours = attacked(victim, spec("SquareSpec", **settings))
    theirs = broken(victim, autoattack.square(victim.model, victim.x, victim.y, **settings))
    assert within(victim, ours.x_adv, norm, eps) and ours.forwards.max() <= queries + 1
    assert 0.1 < theirs.double().mean() < 0.9
    assert not significantly_more(theirs, ours.success)


@pytest.mark.parametrize("norm", ["Linf", "L2"])
def test_square_breaks_as_many_as_torchattacks(pair_of_victims: Victim, norm: str) -> None:
    victim, queries = pair_of_victims, 300
    settings = {"norm": norm, "eps": victim.eps[norm] * 1.2, "queries": queries}
    ours = attacked(victim, spec("SquareSpec", rescale=True, **settings))
    theirs = broken(victim, torchattacks.square(victim.model, victim.x, victim.y, **settings))
    assert not significantly_more(theirs, ours.success)


@pytest.mark.parametrize("kind", ["SpsaSpec", "NesSpec"])
def test_gradients_from_scores_break_as_many_as_spsa_of_torchattacks(pair_of_victims: Victim, kind: str) -> None:
    """Which asks 20 x 2 x 32 times a sample; of NES it has none."""
    victim, steps, draws = pair_of_victims, 20, 32
    eps = victim.eps["Linf"]
    step = {"eps": eps, "steps": steps, "draws": draws, "delta": 0.01, "learning_rate": eps / 5}
    theirs = broken(victim, torchattacks.spsa(victim.model, victim.x, victim.y, **step))
    settings = {"eps": eps, "queries": 2 * steps * draws, "probes": 2 * draws, "alpha": eps / 5}
    ours = attacked(victim, spec(kind, norm="Linf", **settings))
    assert ours.forwards.max() <= 2 * steps * draws and within(victim, ours.x_adv, "Linf", eps)
    assert 0.1 < theirs.double().mean() < 0.9
    assert not significantly_more(theirs, ours.success)


DECISIONS: dict[str, tuple[str, str, Callable[..., Tensor], dict[str, Any]]] = {
    "Boundary": ("BoundarySpec", "L2", foolbox.boundary, {}),
    "HopSkipJump L2": ("HopSkipJumpSpec", "L2", foolbox.hop_skip_jump, {"norm": "L2"}),
    "HopSkipJump Linf": ("HopSkipJumpSpec", "Linf", foolbox.hop_skip_jump, {"norm": "Linf"}),
}
"""Our spec, the norm, the peer, its settings."""


@pytest.mark.parametrize("queries", [1000, 3000])
@pytest.mark.parametrize("name", DECISIONS)
def test_decision_attacks_come_as_near_as_foolbox(pair_of_victims: Victim, name: str, queries: int) -> None:
    """From the same starting points: the nearest sample that the network takes for something else."""
    kind, norm, peer, their = DECISIONS[name]
    easy = pair_of_victims.correct()
    result = attacked(easy, spec(kind, norm=norm, queries=queries, begin="example"))
    ours = smallest(easy, result.x_adv, norm)
    theirs = smallest(easy, peer(easy.model, easy.x, easy.y, queries=queries, **their), norm)
    assert result.forwards.max() <= queries
    assert ours.isfinite().all() and theirs.isfinite().all()
    assert not significantly_more(theirs < ours, ours < theirs)
    assert ours.median() <= 1.02 * theirs.median()


@pytest.mark.parametrize(("kind", "norm"), [("GeoDaSpec", "L2"), ("GeoDaSpec", "Linf"), ("SurFreeSpec", "L2")])
def test_newer_decision_attacks_come_nearer_than_the_boundary_attack(
    pair_of_victims: Victim, kind: str, norm: str
) -> None:
    """No peer has them; what they were made for is to beat the older ones at few queries."""
    easy, queries = pair_of_victims.correct(), 1000
    ours = smallest(easy, attacked(easy, spec(kind, norm=norm, queries=queries, begin="example")).x_adv, norm)
    older = smallest(easy, foolbox.boundary(easy.model, easy.x, easy.y, queries=queries), norm)
    assert ours.isfinite().all() and torch.median(ours) < torch.median(older)
