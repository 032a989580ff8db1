"""An attack leaves everything as it found it: parameters, buffers, modes, gradients, generators, gradient mode."""

import copy

import pytest
import torch
from torch import nn

from engine.attacks import choose_targets, run, start
from engine.errors import AttackError
from engine.specs import FgsmSpec, PgdSpec


@pytest.fixture
def model():
    """Batch norm and dropout in train mode, one frozen layer, one module left in evaluation mode, gradients present."""
    torch_state = torch.get_rng_state()
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.5), nn.Flatten(), nn.Linear(64, 3)
    )
    torch.set_rng_state(torch_state)
    draw = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=draw))
    model.train()
    model[3].eval()
    model[0].requires_grad_(False)
    model[5].weight.grad = torch.ones(3, 64)
    return model


X = torch.rand(9, 1, 4, 4, generator=torch.Generator().manual_seed(1))
Y = torch.arange(9) % 3
SPECS = [
    FgsmSpec(goal="untargeted", norm="L2"),
    PgdSpec(goal="untargeted", steps=3),
    PgdSpec(norm="L2", goal="next", steps=3),
]


def snapshot(model):
    return {
        "state": {name: value.clone() for name, value in copy.deepcopy(model).state_dict().items()},
        "modes": [module.training for module in model.modules()],
        "requires_grad": [p.requires_grad for p in model.parameters()],
        "grads": [None if p.grad is None else p.grad.clone() for p in model.parameters()],
        "rng": torch.get_rng_state(),
        "grad_mode": torch.is_grad_enabled(),
    }


def assert_same(before, after):
    for name, value in before["state"].items():
        assert torch.equal(value, after["state"][name]), name
    for a, b in zip(before["grads"], after["grads"], strict=True):
        assert (a is None and b is None) or torch.equal(a, b)
    assert torch.equal(before["rng"], after["rng"])
    assert all(before[name] == after[name] for name in ("modes", "requires_grad", "grad_mode"))


@pytest.mark.parametrize("spec", SPECS, ids=lambda s: f"{s.method}-{s.norm}-{s.goal}")
def test_nothing_of_the_model_changes_at_any_iterate(model, spec):
    before = snapshot(model)
    target = choose_targets(model, X, Y, spec.goal, 3, 0)
    choose_targets(model, X, Y, "least-likely", 3, 0)
    assert_same(before, snapshot(model))
    attack = start(model, X, Y, spec, seed=0, bounds=(0, 1), target=target, batch=4)
    for _ in attack.events():
        assert_same(before, snapshot(model))
    attack.result()
    assert_same(before, snapshot(model))
    assert not X.requires_grad and X.grad is None


def test_nothing_changes_when_the_attack_is_closed_early(model):
    before = snapshot(model)
    attack = start(model, X, Y, PgdSpec(goal="untargeted", steps=30), seed=0, bounds=(0, 1), batch=4)
    events = attack.events()
    for _ in range(5):
        next(events)
    attack.close()
    assert_same(before, snapshot(model))


def test_nothing_changes_when_the_model_fails(model):
    model[4].register_forward_hook(lambda _module, _inputs, output: output * torch.nan)
    before = snapshot(model)
    with pytest.raises(AttackError):
        next(start(model, X, Y, SPECS[1], seed=0, bounds=(0, 1)))
    assert_same(before, snapshot(model))


def test_the_model_is_attacked_in_evaluation_mode(model):
    """Dropout and batch statistics would give other predictions, and another attack."""
    trained = copy.deepcopy(model).eval()
    result, expected = (run(start(m, X, Y, SPECS[1], seed=0, bounds=(0, 1))) for m in (model, trained))
    assert torch.equal(result.x_adv, expected.x_adv)
    model[3].train()
    assert torch.equal(run(start(model, X, Y, SPECS[1], seed=0, bounds=(0, 1))).x_adv, expected.x_adv)


def test_an_attack_works_where_gradients_are_off_and_leaves_them_off(model):
    expected = run(start(model, X, Y, SPECS[0], seed=0, bounds=(0, 1))).x_adv
    with torch.no_grad():
        found = run(start(model, X, Y, SPECS[0], seed=0, bounds=(0, 1))).x_adv
        assert not torch.is_grad_enabled()
    assert torch.equal(found, expected)


def test_parameters_get_no_gradient_even_while_they_want_one(model):
    for parameter in model.parameters():
        parameter.requires_grad_(True)
        parameter.grad = None
    run(start(model, X, Y, SPECS[1], seed=0, bounds=(0, 1)))
    assert all(p.grad is None and p.requires_grad for p in model.parameters())
