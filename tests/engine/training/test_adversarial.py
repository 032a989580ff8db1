"""Adversarial trainings: plain training where nothing is attacked, exact inner maxima, and what they are for."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from global_rng import global_rng_untouched
from small_data import images
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from engine.data import Dataset, drain, load
from engine.experiments.rates import share
from engine.models import Network, build
from engine.seeds import generator
from engine.specs import (
    DigitsSpec,
    FastTrainingSpec,
    MlpSpec,
    PgdTrainingSpec,
    TradesTrainingSpec,
    TrainingSpec,
    TrainingSpecs,
)
from engine.training import StepResult, evaluate, fit, withstanding
from engine.training.balls import L2Ball, LinfBall, ball, ball_of
from engine.training.climb import climb
from engine.training.fast import FastTraining
from engine.training.pgd_at import PgdTraining
from engine.training.trades import TradesTraining, divergence

SMALL = MlpSpec(depth=2, width=16)
SHARED = {"epochs": 3, "batch_size": 16, "learning_rate": 0.01}
ATTACKED = [
    PgdTrainingSpec(eps=0.1, steps=3, **SHARED),
    PgdTrainingSpec(norm="L2", eps=0.5, steps=3, **SHARED),
    TradesTrainingSpec(eps=0.1, steps=3, **SHARED),
    FastTrainingSpec(eps=0.1, **SHARED),
    FastTrainingSpec(norm="L2", eps=0.5, **SHARED),
]


def trained(
    spec: TrainingSpecs, model: MlpSpec = SMALL, data: Dataset | None = None
) -> tuple[list[StepResult], Network]:
    data = data or images()
    network = build(model, data, 0)
    return [step for step in fit(network, data, spec, 0) if step is not None], network


def same_weights(one: nn.Module, other: nn.Module) -> bool:
    a, b = one.state_dict(), other.state_dict()
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize("batch_norm", [False, True], ids=["plain", "batch norm"])
@pytest.mark.parametrize(
    "spec",
    [
        PgdTrainingSpec(eps=0, **SHARED),
        PgdTrainingSpec(norm="L2", eps=0, **SHARED),
        TradesTrainingSpec(eps=0, **SHARED),
        TradesTrainingSpec(beta=0, eps=0.3, **SHARED),
        FastTrainingSpec(eps=0, **SHARED),
        FastTrainingSpec(norm="L2", eps=0, **SHARED),
    ],
    ids=lambda spec: f"{spec.method} {spec.norm}",
)
def test_where_nothing_is_attacked_it_is_plain_training_bit_for_bit(spec: TrainingSpecs, batch_norm: bool) -> None:
    model = MlpSpec(depth=2, width=16, batch_norm=batch_norm)
    steps, network = trained(spec, model)
    expected, plain = trained(TrainingSpec(**SHARED), model)
    assert steps == expected
    assert same_weights(network, plain)


@pytest.mark.parametrize("spec", ATTACKED, ids=lambda spec: f"{spec.method} {spec.norm}")
def test_equal_seeds_give_equal_weights_whatever_is_done_between_breaths(spec: TrainingSpecs) -> None:
    data = images()
    with global_rng_untouched():
        one, network = trained(spec)
        twin = build(SMALL, data, 0)
        breaths, found = 0, []
        for step in fit(twin, data, spec, 0):
            breaths += step is None
            if step is not None:
                found.append(step)
            drain(evaluate(twin, data.x_test, data.y_test))
            assert not any(module.training for module in twin.modules())
    assert found == one
    assert same_weights(network, twin)
    assert breaths >= len(one)  # it can be cancelled within a step
    assert not same_weights(network, trained(TrainingSpec(**SHARED))[1])


@pytest.mark.parametrize("spec", ATTACKED, ids=lambda spec: f"{spec.method} {spec.norm}")
def test_perturbed_samples_stay_in_the_ball_and_in_the_range_of_the_data(spec: TrainingSpecs) -> None:
    data = images()
    model = build(SMALL, data, 0).eval()
    objective = _objective(spec, data.bounds)
    x_adv = drain(objective.perturb(model, data.x_train, data.y_train))
    delta = (x_adv - data.x_train).flatten(1)
    size = delta.abs().amax(1) if spec.norm == "Linf" else delta.norm(dim=1)
    assert float(size.max()) <= spec.eps * (1 + 1e-5)
    assert float(size.mean()) > 0.5 * spec.eps
    assert float(x_adv.min()) >= 0
    assert float(x_adv.max()) <= 1
    assert all(parameter.grad is None for parameter in model.parameters())


def _objective(spec: TrainingSpecs, bounds: tuple[float, float] | None) -> PgdTraining | TradesTraining | FastTraining:
    draws = generator(0, "test")
    match spec:
        case PgdTrainingSpec():
            return PgdTraining(spec, bounds, draws)
        case TradesTrainingSpec():
            return TradesTraining(spec, bounds, draws)
        case FastTrainingSpec():
            return FastTraining(spec, bounds, draws)
    raise AssertionError


@pytest.mark.parametrize("norm", ["Linf", "L2"])
@pytest.mark.parametrize("kind", ["pgd-at", "fast"])
def test_on_an_affine_model_the_inner_maximum_is_the_closed_form(norm: str, kind: str) -> None:
    """Two classes: max_{|delta| <= eps} of the loss lies at a margin lowered by eps times the dual norm of w."""
    torch.manual_seed(0)
    model = nn.Linear(12, 2)
    x, y, eps = torch.randn(40, 12), torch.arange(40) % 2, 0.3
    if kind == "pgd-at":
        spec: TrainingSpecs = PgdTrainingSpec(norm=norm, eps=eps, steps=10, reach=20.0)
    else:
        spec = FastTrainingSpec(norm=norm, eps=eps, alpha=50.0)
    objective = _objective(spec, None)
    x_adv = drain(objective.perturb(model, x, y))
    w = (model.weight[1] - model.weight[0]).detach()
    sign = 2.0 * y - 1
    dual = w.abs().sum() if norm == "Linf" else w.norm()

    def margin(inputs: Tensor) -> Tensor:
        logits = model(inputs).detach()
        return sign * (logits[:, 1] - logits[:, 0])

    tolerance = 1e-5 if norm == "Linf" else 2e-3  # the end of a long L2 step is projected, not exactly along w
    torch.testing.assert_close(margin(x) - margin(x_adv), (eps * dual).expand(40), atol=tolerance, rtol=tolerance)
    start = _objective(spec, None)
    around = ball(spec, x, None)  # type: ignore[arg-type]
    began = around.draw(start._draws)
    assert bool(
        (cross_entropy(model(x_adv), y, reduction="none") >= cross_entropy(model(began), y, reduction="none")).all()
    )


def test_at_the_sample_itself_the_divergence_has_no_gradient() -> None:
    """KL(p || q) is least at q = p: so TRADES needs its random start."""
    data = images()
    model = build(SMALL, data, 0)
    leaf = data.x_train.clone().requires_grad_()
    told = model(data.x_train).log_softmax(1).detach()
    (gradient,) = torch.autograd.grad(divergence(told, model(leaf)).sum(), leaf)
    (elsewhere,) = torch.autograd.grad(divergence(told.roll(1, 0), model(leaf)).sum(), leaf)
    assert float(gradient.abs().max()) < 1e-6 < 1e-3 < float(elsewhere.abs().max())


def test_the_divergence_is_that_of_the_definition() -> None:
    draw = torch.Generator().manual_seed(0)
    p, logits = torch.rand(5, 4, generator=draw).softmax(1), torch.randn(5, 4, generator=draw)
    q = logits.softmax(1)
    torch.testing.assert_close(divergence(p.log(), logits), (p * (p / q).log()).sum(1))


def test_trades_adds_beta_times_the_divergence() -> None:
    data = images()
    model = build(SMALL, data, 0)
    x_adv = data.x_train + 0.01
    spec = TradesTrainingSpec(beta=3.0, eps=0.1)
    loss, logits = _objective(spec, None).loss(model, data.x_train, x_adv, data.y_train)
    clean = model(data.x_train)
    expected = cross_entropy(clean, data.y_train) + 3 * divergence(clean.log_softmax(1), model(x_adv)).mean()
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(logits, clean)


def test_balls_project_to_the_nearest_point() -> None:
    x = torch.tensor([[0.2, 0.5], [0.9, 0.1]])
    out = torch.tensor([[0.6, 0.5], [0.9, 0.1]])
    torch.testing.assert_close(LinfBall(x, 0.1, (0, 1)).project(out), torch.tensor([[0.3, 0.5], [0.9, 0.1]]))
    torch.testing.assert_close(L2Ball(x, 0.1, (0, 1)).project(out), torch.tensor([[0.3, 0.5], [0.9, 0.1]]))
    assert torch.equal(L2Ball(x, 0.0, None).project(out), x)
    tiny = torch.tensor([[3e-30, 4e-30], [0.0, 0.0]])
    torch.testing.assert_close(L2Ball(x, 1.0, None).ascent(tiny), torch.tensor([[0.6, 0.8], [0.0, 0.0]]))


def test_withstanding_is_clean_accuracy_at_eps_0_and_no_sample_regains_it() -> None:
    data = images(n=80)
    model = trained(TrainingSpec(**SHARED), data=data)[1]
    right = model(data.x_test).argmax(1) == data.y_test

    def robust(eps: float) -> Tensor:
        return drain(
            withstanding(
                model,
                data.x_test,
                data.y_test,
                norm="Linf",
                eps=eps,
                bounds=data.bounds,
                alpha=eps / 2,
                steps=4,
                seed=0,
            )
        )

    assert torch.equal(robust(0.0), right)
    assert not bool((robust(0.3) & ~right).any())
    assert int(robust(0.5).sum()) < int(right.sum())
    assert torch.equal(robust(0.3), robust(0.3))


def test_pgd_training_is_more_robust_than_standard_training_on_the_digits() -> None:
    """Robust accuracies with 95% Wilson intervals that do not overlap."""
    data = drain(load(DigitsSpec(), 0))
    model, shared = MlpSpec(depth=2, width=64), {"epochs": 6, "learning_rate": 0.003}
    found = []
    for spec in (TrainingSpec(**shared), PgdTrainingSpec(eps=0.15, steps=3, **shared)):
        network = trained(spec, model, data)[1]
        right = drain(
            withstanding(
                network, data.x_test, data.y_test, norm="Linf", eps=0.15, bounds=(0, 1), alpha=0.04, steps=10, seed=0
            )
        )
        found.append(share(int(right.sum()), len(right)))
    standard, hardened = found
    assert standard.high < hardened.low
    assert hardened.value > 0.3


def test_training_without_bounds_works_on_vectors() -> None:
    data = replace(images(), bounds=None)
    steps, network = trained(PgdTrainingSpec(eps=0.1, steps=2, **SHARED), data=data)
    assert len(steps) == 9
    assert all(parameter.isfinite().all() for parameter in network.parameters())


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
@pytest.mark.parametrize("spec", [TrainingSpec(**SHARED), *ATTACKED], ids=lambda spec: f"{spec.method}")
def test_every_method_trains_with_all_softening_and_a_last_batch_of_one(spec: TrainingSpecs, optimizer: str) -> None:
    data = images()
    n = len(data.x_train)
    size = next(size for size in range(2, n) if n % size == 1)
    changed = {"label_noise": 0.3, "label_smoothing": 0.1, "input_noise": 0.2, "weight_decay": 0.01}
    changed |= {"optimizer": optimizer, "batch_size": size, "epochs": 2}
    steps, network = trained(spec.model_copy(update=changed), MlpSpec(depth=2, width=8, batch_norm=True), data)
    assert len(steps) == 2 * -(-n // size)
    assert all(math.isfinite(step.loss) for step in steps)
    assert all(value.isfinite().all() for value in network.state_dict().values())
    assert not any(module.training for module in network.modules())


@pytest.mark.parametrize("norm", ["Linf", "L2"])
def test_where_the_loss_is_flat_the_climb_stays_at_its_start(norm: str) -> None:
    x = torch.randn(4, 3, generator=generator(0, "flat"))
    around = ball_of(norm, 0.5, x, None)
    start = around.draw(generator(0, "start"))
    assert torch.equal(drain(climb(around, lambda at: (0 * at).sum(), start, alpha=0.2, steps=3)), start)
