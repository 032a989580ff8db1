"""The attacks for the smallest perturbation against Foolbox and AutoAttack's own code, in the same number of steps: at
least as many successes, and a median norm at most 2 % larger. Failures count as infinitely large."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from comparing import attacked, moved, smallest, spec
from networks import Victim
from peers import MISSING, REASON
from torch import Tensor

from engine.attacks import choose_targets

if MISSING:
    pytest.skip(REASON, allow_module_level=True)

from peers import autoattack_peers as autoattack
from peers import foolbox_peers as foolbox

ATTACKS: dict[str, tuple[str, str, dict[str, Any], Callable[..., Tensor], dict[str, Any]]] = {
    "DeepFool L2": ("DeepFoolSpec", "L2", {"steps": 50}, foolbox.deepfool, {"norm": "L2", "steps": 50}),
    "DeepFool Linf": ("DeepFoolSpec", "Linf", {"steps": 50}, foolbox.deepfool, {"norm": "Linf", "steps": 50}),
    "C&W 100": (
        "CarliniWagnerSpec",
        "L2",
        {"steps": 100, "searches": 9},
        foolbox.carlini_wagner,
        {"steps": 100, "searches": 9},
    ),
    "C&W 200": (
        "CarliniWagnerSpec",
        "L2",
        {"steps": 200, "searches": 5},
        foolbox.carlini_wagner,
        {"steps": 200, "searches": 5},
    ),
    "DDN 30": ("DdnSpec", "L2", {"steps": 30}, foolbox.ddn, {"steps": 30}),
    "DDN 100": ("DdnSpec", "L2", {"steps": 100}, foolbox.ddn, {"steps": 100}),
    "FMN L0": ("FmnSpec", "L0", {"steps": 100}, foolbox.fmn, {"norm": "L0", "steps": 100}),
    "FMN L1": ("FmnSpec", "L1", {"steps": 100}, foolbox.fmn, {"norm": "L1", "steps": 100}),
    "FMN L2": ("FmnSpec", "L2", {"steps": 100}, foolbox.fmn, {"norm": "L2", "steps": 100}),
    "FMN Linf": ("FmnSpec", "Linf", {"steps": 100}, foolbox.fmn, {"norm": "Linf", "steps": 100}),
    "EAD EN": ("EadSpec", "L1", {"steps": 100, "rule": "EN"}, foolbox.ead, {"steps": 100, "rule": "EN"}),
    "EAD L1": ("EadSpec", "L1", {"steps": 100, "rule": "L1"}, foolbox.ead, {"steps": 100, "rule": "L1"}),
    "FAB L1": ("FabSpec", "L1", {"steps": 50}, autoattack.fab, {"norm": "L1", "steps": 50}),
    "FAB L2": ("FabSpec", "L2", {"steps": 50}, autoattack.fab, {"norm": "L2", "steps": 50}),
    "FAB Linf": ("FabSpec", "Linf", {"steps": 50}, autoattack.fab, {"norm": "Linf", "steps": 50}),
    "FAB-T L1": ("FabTargetedSpec", "L1", {"steps": 20}, autoattack.fab, {"norm": "L1", "steps": 20, "targets": 9}),
    "FAB-T L2": ("FabTargetedSpec", "L2", {"steps": 20}, autoattack.fab, {"norm": "L2", "steps": 20, "targets": 9}),
    "FAB-T Linf": (
        "FabTargetedSpec",
        "Linf",
        {"steps": 20},
        autoattack.fab,
        {"norm": "Linf", "steps": 20, "targets": 9},
    ),
}
"""Our spec, the norm, our settings, the peer, its settings."""


@pytest.mark.parametrize("name", ATTACKS)
def test_the_median_norm_is_at_most_the_peers(victim: Victim, name: str) -> None:
    kind, norm, own, peer, their = ATTACKS[name]
    easy = victim.correct()
    result = attacked(easy, spec(kind, norm=norm, **own))
    ours = smallest(easy, result.x_adv, norm)
    theirs = smallest(easy, peer(easy.model, easy.x, easy.y, **their), norm)
    assert ours.isfinite().sum() >= theirs.isfinite().sum() >= len(easy.x) / 2
    assert ours.median() <= 1.02 * theirs.median()
    torch.testing.assert_close(result.norm, moved(easy, result.x_adv, norm))


@pytest.mark.parametrize("name", ["C&W 100", "DDN 100", "FMN L1", "FMN L2", "FMN Linf"])
def test_so_it_is_towards_a_target(pair_of_victims: Victim, name: str) -> None:
    kind, norm, own, peer, their = ATTACKS[name]
    easy = pair_of_victims.correct()
    target = choose_targets(easy.model, easy.x, easy.y, "random", easy.n_classes, 0)
    result = attacked(easy, spec(kind, norm=norm, goal="random", **own), target)
    ours = smallest(easy, result.x_adv, norm, target)
    theirs = smallest(easy, peer(easy.model, easy.x, easy.y, target=target, **their), norm, target)
    assert ours.isfinite().sum() >= theirs.isfinite().sum() >= len(easy.x) / 3
    assert ours.median() <= 1.02 * theirs.median()
