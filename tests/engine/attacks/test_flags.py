"""Oracle 19: each flag is raised on its planted defence and stays down on plain networks."""

import pytest
import torch
from torch import nn

from engine.attacks.checks.flags import black_box_better, flags
from engine.data import load
from engine.generators import drain
from engine.models.build import build
from engine.specs import CnnSpec, DigitsSpec, MlpSpec

X = torch.rand(60, 1, 8, 8, generator=torch.Generator().manual_seed(0))


def plain():
    draw = torch.Generator().manual_seed(1)
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.Tanh(), nn.Linear(32, 10))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=draw) / 4)
    return model.eval()


class Noisy(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = plain()

    def forward(self, x):
        return self.inner(x + 0.05 * torch.randn_like(x))


class Optimising(nn.Module):
    """Purifies its input by gradient steps of its own."""

    def __init__(self):
        super().__init__()
        self.inner = plain()

    def forward(self, x):
        with torch.enable_grad():
            z = x.detach().clone().requires_grad_()
            (step,) = torch.autograd.grad(self.inner(z).square().sum(), z)
        return self.inner(x - 0.01 * step)


class Branching(nn.Module):
    """Looks longer at bright inputs."""

    def __init__(self):
        super().__init__()
        self.inner = plain()

    def forward(self, x):
        if x[0].mean() > X[0].mean() + 1e-3 or x[0].mean() < X[0].mean() - 1e-3:
            x = x * 1.01
        return self.inner(x)


class GradientKiller(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = plain()

    def forward(self, x):
        return self.inner((x * 8).round() / 8)


def raised(model, x=X):
    y = model(x).argmax(1)
    state = torch.get_rng_state()
    found = drain(flags(model, x, y, seed=0, batch=25))
    assert torch.equal(torch.get_rng_state(), state)
    assert [f.name for f in found] == [
        "randomised",
        "probabilities",
        "zero gradients",
        "inner optimisation",
        "changing computation",
    ]
    assert all(f.sentence.endswith(".") for f in found)
    return {f.name for f in found if f.raised}


@pytest.mark.parametrize(
    "spec", [MlpSpec(depth=3, width=32), CnnSpec(depth=2, channels=4), MlpSpec(depth=2, activation="tanh")]
)
def test_no_flag_is_raised_on_a_plain_network(spec):
    dataset = drain(load(DigitsSpec(), 0))
    assert raised(build(spec, dataset, 0), dataset.x_test[:60]) == set()


@pytest.mark.parametrize(
    ("model", "flag"),
    [
        (Noisy(), "randomised"),
        (nn.Sequential(plain(), nn.Softmax(1)), "probabilities"),
        (GradientKiller(), "zero gradients"),
        (Optimising(), "inner optimisation"),
        (Branching(), "changing computation"),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_each_planted_defence_raises_its_flag_and_no_other(model, flag):
    assert raised(model) == {flag}


def test_a_saturated_model_has_samples_without_a_gradient():
    model = plain()
    with torch.no_grad():
        model[3].weight.mul_(3000)
        model[3].bias.mul_(3000)
    found = drain(flags(model, X, model(X).argmax(1), seed=0))
    zero = next(f for f in found if f.name == "zero gradients")
    assert zero.raised and 0.5 < zero.figure <= 1 and "DLR" in zero.sentence


def test_queries_that_beat_gradients_are_told():
    white, black = torch.zeros(500, dtype=torch.bool), torch.zeros(500, dtype=torch.bool)
    white[:100] = True
    black[:100] = True
    assert not black_box_better(white, black).raised
    black[100] = True
    assert not black_box_better(white, black).raised  # one in 500 is AutoAttack's allowance
    black[101:110] = True
    found = black_box_better(white, black)
    assert found.raised and found.figure == pytest.approx(10 / 500)
