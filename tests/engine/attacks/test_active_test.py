"""An attack that is too weak for a model must be told apart from one that is not."""

from collections.abc import Generator
from typing import Any

import pace
import pytest
import torch
from torch import nn

from engine.attacks.checks.active_test import Readout, active_test
from engine.attacks.tools.draws import Draws
from engine.attacks.tools.norms import sizes
from engine.attacks.tools.projections import ball, box_of
from engine.data import load
from engine.errors import AttackError
from engine.generators import drain
from engine.models import build
from engine.specs import DeepFoolSpec, DigitsSpec, FgsmSpec, MlpSpec, PgdSpec, TrainingSpec
from engine.training import fit


@pytest.fixture(scope="module")
def trained():
    dataset = drain(load(DigitsSpec(), 0))
    model = build(MlpSpec(depth=2, width=128), dataset, 0)
    for _ in fit(model, dataset, TrainingSpec(epochs=5), 0):
        pass
    return model, dataset.x_test[:8]


def rated(trained, spec):
    model, x = trained
    return drain(active_test(model, x, spec, seed=0, bounds=(0, 1)))


def test_a_strong_attack_finds_the_planted_weakness_and_a_weak_one_does_not(trained):
    spec = PgdSpec(goal="next", eps=0.1, alpha=0.02, steps=40)
    strong = rated(trained, spec)
    feeble = rated(trained, spec.model_copy(update={"alpha": 0.0005, "steps": 3, "random_start": False}))
    once = rated(trained, FgsmSpec(eps=0.1))
    assert strong.planted.sum() >= 6 and torch.equal(strong.planted, feeble.planted)
    assert strong.rate >= 0.85 and feeble.rate == 0
    assert feeble.rate <= once.rate < strong.rate


@pytest.mark.parametrize(("norm", "eps"), [("Linf", 0.1), ("L2", 0.5)])
def test_what_is_planted_is_certainly_in_the_ball_and_not_by_chance(trained, norm, eps):
    """Checked from outside: the planted point itself is class 1, the sample and random points are class 0."""
    from engine.attacks.checks.active_test import _plant

    model, x = trained
    around = ball(norm, x[:1], eps, box_of((0, 1), x))
    seen = []
    readout = drain(_plant(model, "", around, Draws(0, torch.tensor([0]))))
    assert isinstance(readout, Readout)
    far = 1e3 * eps * Draws(0, torch.tensor([0])).normal("active test", 0, x.shape[1:])
    planted = around.project(x[:1] + far)
    assert float(sizes(planted, x[:1], norm)) <= eps * (1 + 1e-6)
    with torch.no_grad():
        assert readout(planted).argmax(1).item() == 1 and readout(x[:1]).argmax(1).item() == 0
        others = torch.cat([around.draw(Draws(5, torch.tensor([0])), k) for k in range(100)])
        seen = readout(others).argmax(1)
    assert seen.sum() == 0


def test_an_attack_without_a_budget_is_refused(trained):
    with pytest.raises(AttackError, match="fixed budget"):
        rated(trained, DeepFoolSpec())


def test_the_model_is_left_as_it_was(trained):
    model, _ = trained
    before = {name: value.clone() for name, value in model.state_dict().items()}
    rated((model, trained[1][:2]), FgsmSpec(eps=0.1))
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert not any(m._forward_hooks for m in model.modules())
    assert all(p.grad is None for p in model.parameters())


def test_a_layer_of_many_features_is_fitted_as_fast_as_one_of_few():
    """The support vector machine sees coordinates among the points, which are at most as many as these."""
    from engine.attacks.checks.active_test import _plant

    model = nn.Sequential(nn.Flatten(), nn.Linear(20, 20_000), nn.Tanh(), nn.Linear(20_000, 2))
    x = torch.rand(1, 20, generator=torch.Generator().manual_seed(0))
    around = ball("Linf", x, 0.1, box_of((0, 1), x))

    def planting() -> Generator[Any, Any, Any]:
        return _plant(model, "2", around, Draws(0, torch.tensor([0])))

    assert sum(1 for _ in planting()) >= 6
    assert pace.longest_breath(planting, 2.0) < 2, "the fit in 20 000 features takes far longer"
