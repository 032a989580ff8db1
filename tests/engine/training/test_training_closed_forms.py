"""Losses of adversarial trainings on two classes told apart by an affine score, where the inner maximum is known."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import logsigmoid

from engine.data import drain
from engine.seeds import generator
from engine.specs import FastTrainingSpec, PgdTrainingSpec, TradesTrainingSpec
from engine.training.fast import FastTraining
from engine.training.pgd_at import PgdTraining
from engine.training.trades import TradesTraining

N, D, EPS = 40, 12, 0.3


def affine() -> nn.Linear:
    model = nn.Linear(D, 2)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(generator=generator(1, "affine")).mul_(0.4)
    return model


def samples() -> tuple[Tensor, Tensor]:
    return torch.randn(N, D, generator=generator(0, "samples")), torch.arange(N) % 2


def score(model: nn.Linear, x: Tensor) -> Tensor:
    """Logit of class 1 less that of class 0, float64: of which both probabilities are functions."""
    w, b = (parameter.detach().double() for parameter in (model.weight, model.bias))
    return x.double() @ (w[1] - w[0]) + b[1] - b[0]


def reach(model: nn.Linear, norm: str) -> float:
    """By how much the score moves within the ball: eps times the dual norm."""
    w = (model.weight[1] - model.weight[0]).detach().double()
    return EPS * float(w.abs().sum() if norm == "Linf" else w.norm())


def divergence(s: Tensor, moved: Tensor) -> Tensor:
    """KL between the answers at two scores."""
    p = torch.sigmoid(s)
    return p * (logsigmoid(s) - logsigmoid(moved)) + (1 - p) * (logsigmoid(-s) - logsigmoid(-moved))


@pytest.mark.parametrize("norm", ["Linf", "L2"])
def test_the_loss_of_trades_is_that_of_the_closed_form(norm: str) -> None:
    """The divergence rises on both sides of the sample: the climb ends at one of the two edges of the ball."""
    model, (x, y) = affine(), samples()
    spec = TradesTrainingSpec(norm=norm, eps=EPS, beta=6.0, steps=20, reach=20.0)
    training = TradesTraining(spec, None, generator(0, "draws"))
    x_adv = drain(training.perturb(model, x, y))
    loss, _ = training.loss(model, x, x_adv, y)
    s, moved, r = score(model, x), score(model, x_adv), reach(model, norm)
    assert (moved - s).abs().detach().tolist() == pytest.approx([r] * N, rel=2e-3)
    side = torch.sign(moved - s)
    assert 0 < int((side > 0).sum()) < N
    natural = -logsigmoid((2.0 * y - 1) * s).mean()
    expected = natural + 6 * divergence(s, s + side * r).mean()
    highest = natural + 6 * torch.maximum(divergence(s, s + r), divergence(s, s - r)).mean()
    found = float(loss.detach())
    assert found == pytest.approx(float(expected), rel=5e-3)
    assert float(natural) + 0.1 < found <= float(highest) * (1 + 1e-6)


@pytest.mark.parametrize("norm", ["Linf", "L2"])
def test_the_loss_of_adversarial_training_is_that_of_the_closed_form(norm: str) -> None:
    model, (x, y) = affine(), samples()
    training = PgdTraining(PgdTrainingSpec(norm=norm, eps=EPS, steps=10, reach=20.0), None, generator(0, "draws"))
    loss, _ = training.loss(model, x, drain(training.perturb(model, x, y)), y)
    expected = -logsigmoid((2.0 * y - 1) * score(model, x) - reach(model, norm)).mean()
    assert float(loss.detach()) == pytest.approx(float(expected), rel=2e-3)


def test_fast_training_is_one_step_of_fgsm_from_a_uniform_start_put_back_into_the_ball() -> None:
    """The step is 1.25 eps, as Wong, Rice and Kolter have it."""
    model, (x, y) = affine(), samples()
    x = x.sigmoid()
    spec = FastTrainingSpec(eps=EPS)
    assert spec.alpha == 1.25
    found = drain(FastTraining(spec, (0.0, 1.0), generator(0, "draws")).perturb(model, x, y))
    noise = (2 * torch.rand(x.shape, generator=generator(0, "draws")) - 1) * EPS
    w = (model.weight[1] - model.weight[0]).detach()
    uphill = (
        -(2.0 * y - 1)[:, None] * w.sign()
    )  # the gradient of the loss is that of the score, times a number below 0 for class 1
    expected = ((x + noise).clamp(0, 1) + 1.25 * EPS * uphill).clamp(x - EPS, x + EPS).clamp(0, 1)
    torch.testing.assert_close(found, expected)
    assert float((found - x).abs().max()) == pytest.approx(EPS)
    short = (found - x).abs() < EPS * (1 - 1e-4)
    inside = (found > 0) & (found < 1)
    # a start more than a quarter of eps on the far side does not reach the edge with a step of 1.25 eps
    share = float((short & inside).double().sum() / inside.double().sum())
    assert share == pytest.approx(3 / 8, abs=0.06)
