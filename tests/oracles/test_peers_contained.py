"""The peers leave nothing behind, and stay within the budgets they are given: else nothing is compared."""

from __future__ import annotations

import logging
import sys
from importlib.metadata import version

import pytest
import torch
from global_rng import global_rng_untouched
from networks import Victim, standard_mlp
from peers import LIBRARIES, MISSING, REASON
from torch import Tensor, nn

if MISSING:
    pytest.skip(REASON, allow_module_level=True)

from peers import autoattack_peers as autoattack
from peers import foolbox_peers as foolbox
from peers import torchattacks_peers as torchattacks
from peers.contained import contained
from peers.queries import Asked, OutOfQueries

ORDER = {"Linf": torch.inf, "L2": 2, "L1": 1}
STEPS = {"eps": 0.1, "alpha": 0.03, "steps": 3}
CALLS = {
    "foolbox FGSM": (foolbox.fgsm, "Linf", {"norm": "Linf", "eps": 0.1}),
    "foolbox PGD": (foolbox.pgd, "L2", {"norm": "L2", "random_start": True, **STEPS}),
    "foolbox PGD L1": (foolbox.pgd, "L1", {"norm": "L1", "random_start": True, **STEPS}),
    "foolbox sparse L1": (foolbox.sparse_l1, "L1", STEPS),
    "foolbox MI": (foolbox.momentum, "Linf", {"norm": "Linf", **STEPS}),
    "foolbox DeepFool": (foolbox.deepfool, None, {"norm": "L2", "steps": 3}),
    "foolbox C&W": (foolbox.carlini_wagner, None, {"steps": 30, "searches": 2, "initial_const": 1.0}),
    "foolbox DDN": (foolbox.ddn, None, {"steps": 5}),
    "foolbox FMN L0": (foolbox.fmn, None, {"norm": "L0", "steps": 5}),
    "foolbox FMN L1": (foolbox.fmn, None, {"norm": "L1", "steps": 5}),
    "foolbox FMN L2": (foolbox.fmn, None, {"norm": "L2", "steps": 5}),
    "foolbox FMN Linf": (foolbox.fmn, None, {"norm": "Linf", "steps": 5}),
    "foolbox EAD": (foolbox.ead, None, {"steps": 30, "searches": 2, "initial_const": 1.0}),
    "foolbox Boundary": (foolbox.boundary, None, {"queries": 30}),
    "foolbox HopSkipJump": (foolbox.hop_skip_jump, None, {"norm": "L2", "queries": 150}),
    "torchattacks FGSM": (torchattacks.fgsm, "Linf", {"eps": 0.1}),
    "torchattacks PGD": (torchattacks.pgd, "Linf", {"norm": "Linf", "random_start": True, **STEPS}),
    "torchattacks PGD L2": (torchattacks.pgd, "L2", {"norm": "L2", "random_start": True, **STEPS}),
    "torchattacks EOT": (torchattacks.eot_pgd, "Linf", {"draws": 2, **STEPS}),
    "torchattacks MI": (torchattacks.mi, "Linf", STEPS),
    "torchattacks NI": (torchattacks.ni, "Linf", STEPS),
    "torchattacks DI": (torchattacks.di, "Linf", STEPS),
    "torchattacks SI": (torchattacks.si, "Linf", STEPS),
    "torchattacks VMI": (torchattacks.vmi, "Linf", STEPS),
    "torchattacks APGD": (torchattacks.apgd, "Linf", {"norm": "Linf", "eps": 0.1, "steps": 5}),
    "torchattacks APGD-T": (torchattacks.apgd_targeted, "L2", {"norm": "L2", "eps": 0.4, "steps": 5}),
    "torchattacks FAB": (torchattacks.fab, "Linf", {"norm": "Linf", "eps": 0.1, "steps": 3}),
    "torchattacks Square": (torchattacks.square, "Linf", {"norm": "Linf", "eps": 0.3, "queries": 50}),
    "torchattacks SPSA": (
        torchattacks.spsa,
        "Linf",
        {"eps": 0.1, "delta": 0.01, "learning_rate": 0.01, "steps": 3, "draws": 8},
    ),
    "torchattacks DeepFool": (torchattacks.deepfool, None, {"steps": 3}),
    "torchattacks SparseFool": (torchattacks.sparsefool, None, {"steps": 2}),
    "torchattacks one-pixel": (torchattacks.one_pixel, None, {"pixels": 1, "steps": 2, "population": 4}),
    "torchattacks Pixle": (torchattacks.pixle, None, {"restarts": 2, "iterations": 2}),
    "AutoAttack": (autoattack.sequence, "Linf", {"norm": "Linf", "eps": 0.1, "attacks": ["apgd-ce", "square"]}),
    "AutoAttack APGD-CE": (autoattack.apgd, "L1", {"norm": "L1", "eps": 1.0, "steps": 10, "larger_eps": True}),
    "AutoAttack APGD-T": (autoattack.apgd_targeted, "L2", {"norm": "L2", "eps": 0.4, "steps": 5, "targets": 2}),
    "AutoAttack FAB": (autoattack.fab, None, {"norm": "L1", "steps": 3}),
    "AutoAttack FAB-T": (autoattack.fab, None, {"norm": "Linf", "steps": 3, "targets": 2}),
    "AutoAttack Square": (autoattack.square, "L2", {"norm": "L2", "eps": 2.0, "queries": 50}),
}


@pytest.fixture(scope="module")
def few() -> Victim:
    return standard_mlp().correct().first(12)


def snapshot(model: nn.Module) -> list[object]:
    state = [(p.requires_grad, p.grad, p.detach().clone()) for p in model.parameters()]
    return [state, [m.training for m in model.modules()], sys.gettrace(), logging.root.manager.disable]


@pytest.mark.parametrize("name", CALLS)
def test_a_peer_moves_samples_within_its_budget_and_leaves_nothing_behind(name: str, few: Victim) -> None:
    attack, norm, settings = CALLS[name]
    x, y = few.x.clone(), few.y.clone()
    before = snapshot(few.model)
    with global_rng_untouched():
        x_adv = attack(few.model, x, y, **settings)
        again = attack(few.model, x, y, **settings)
    after = snapshot(few.model)
    assert before[1:] == after[1:]
    assert all(a[:2] == b[:2] and torch.equal(a[2], b[2]) for a, b in zip(before[0], after[0], strict=True))
    assert torch.equal(x, few.x) and torch.equal(y, few.y) and torch.equal(x_adv, again)
    assert x_adv.shape == x.shape and not x_adv.requires_grad and not torch.equal(x_adv, x)
    assert x_adv.min() >= 0 and x_adv.max() <= 1
    if norm is not None:
        size = torch.linalg.vector_norm((x_adv - x).flatten(1), ORDER[norm], dim=1)
        assert (size <= settings["eps"] * (1 + 1e-5)).all()


def test_the_peers_are_the_versions_that_the_figures_are_about() -> None:
    assert {name: version(name) for name in LIBRARIES} == LIBRARIES


def test_jsma_moves_few_pixels_towards_its_target(few: Victim) -> None:
    x_adv = torchattacks.jsma(few.model, few.x, few.y, target=(few.y + 1) % 10, gamma=0.2)
    assert 0 < ((x_adv != few.x).flatten(1).sum(1)).max() <= 14
    assert (few.predict(x_adv) == (few.y + 1) % 10).any()


def test_ti_needs_colour_images(few: Victim, colour_victim: Victim) -> None:
    colour = colour_victim.first(12)
    assert not torch.equal(torchattacks.ti(colour.model, colour.x, colour.y, kernel=3, **STEPS), colour.x)
    with pytest.raises(RuntimeError):
        torchattacks.ti(few.model, few.x, few.y, kernel=3, **STEPS)


def test_a_trace_and_a_gradient_survive_a_peer_that_clears_them(few: Victim) -> None:
    calls: list[str] = []

    def trace(frame: object, event: str, argument: object) -> None:
        calls.append(event)

    @contained
    def careless(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
        sys.settrace(None)
        model.train()
        model(x).sum().backward()
        print("noise")  # noqa: T201
        return x.add_(1)

    parameter = next(few.model.parameters())
    parameter.grad = torch.ones_like(parameter)
    before, x = sys.gettrace(), few.x.clone()
    try:
        sys.settrace(trace)
        careless(few.model, x, few.y)
        assert sys.gettrace() is trace
    finally:
        sys.settrace(before)
        gradient, parameter.grad = parameter.grad, None
    assert torch.equal(gradient, torch.ones_like(parameter))
    assert torch.equal(x, few.x) and not few.model.training


def test_the_budget_ends_a_peer_and_its_nearest_adversarial_point_is_kept(few: Victim) -> None:
    asked = Asked(few.model, few.x, few.y, 3, lambda delta: delta.flatten(1).norm(dim=1))
    others = foolbox.starting_points(few.model, few.x, few.y)
    near = few.x + 0.9 * (others - few.x)
    for points in (others, near, few.x):
        asked(points)
    with pytest.raises(OutOfQueries):
        asked(near)
    fooled = few.predict(near) != few.y
    assert fooled.any()
    assert torch.equal(asked.nearest[fooled], near[fooled]) and torch.equal(asked.nearest[~fooled], others[~fooled])
