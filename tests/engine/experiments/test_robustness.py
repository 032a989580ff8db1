"""Robust accuracy against eps: closed forms on affine models, a copy of the network, and the look from end to end."""

import math

import numpy as np
import pytest
import torch
from looking import last, longest_breath, looked, rows
from torch import nn

from engine.experiments.robustness.curves import (
    APGD,
    ATTACKS,
    FGSM,
    MINIMAL,
    NOISE,
    PGD,
    SQUARE,
    TRANSFERRED,
    broken_within,
    cdf,
    gap_to_best,
    robust,
    worst,
)
from engine.experiments.robustness.trying import Question, Source, begun, trying
from engine.generators import drain
from engine.specs import DigitsSpec, ExperimentSpec, HardeningSpec, MlpSpec, RobustnessSpec, TrainingSpec

N, D = 60, 12
ONLY_MINIMAL = {**dict.fromkeys(ATTACKS, False), MINIMAL: True}


class Affine(nn.Module):
    """Two classes, told apart by the sign of w·x + b."""

    def __init__(self) -> None:
        super().__init__()
        draw = torch.Generator().manual_seed(3)
        self.weight = nn.Parameter(torch.randn(D, generator=draw))
        self.bias = 0.1

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        score = x.flatten(1) @ self.weight + self.bias
        return torch.stack([-score, score], 1) / 2


def asked(settings: RobustnessSpec, model: nn.Module) -> Question:
    """Samples of which some are seen wrongly, and none whose distance is so near to a budget that rounding decides."""
    draw = torch.Generator().manual_seed(5)
    x = torch.randn(4 * N, D, generator=draw)
    with torch.no_grad():
        score = model(x)[:, 1] * 2
    y = (score > 0).long()
    weight = model.weight.detach()  # type: ignore[union-attr]
    distance = score.abs() / (weight.norm() if settings.norm == "L2" else weight.abs().sum())
    eps = np.linspace(0, settings.eps, settings.budgets)
    near = np.abs(distance.numpy()[:, None] / eps[1:] - 1).min(1) < 0.02
    chosen = np.flatnonzero(~near)[:N]
    x, y = x[chosen], y[chosen]
    y[::7] = 1 - y[::7]
    return Question(x, y, eps, settings, 0, None, chosen)


def closed_form(question: Question, model: Affine) -> np.ndarray:
    """Share of samples that are seen rightly and farther from the boundary than eps, from margin / ||w||_*."""
    weight = model.weight.detach()
    score = question.x @ weight + model.bias
    distance = score.abs() / (weight.norm() if question.settings.norm == "L2" else weight.abs().sum())
    held = torch.where((score > 0).long() == question.y, distance, 0.0).detach().numpy()
    return np.array([(held > eps).mean() for eps in question.eps])


def tried_on(question: Question, model: nn.Module, source: nn.Module | None = None):
    tried = drain(begun(question, model))
    drain(trying(question, model, Source(source) if source is not None else None, tried))
    return tried


@pytest.mark.parametrize("norm", ["Linf", "L2"])
def test_on_an_affine_model_attacks_that_are_exact_there_give_the_closed_form(norm: str) -> None:
    model = Affine()
    settings = RobustnessSpec(norm=norm, eps=1.5 if norm == "L2" else 0.5, budgets=6, steps=60, queries=60)
    question = asked(settings, model)
    tried = tried_on(question, model, model)
    found = dict(zip(question.attacks, robust(tried.broken_at, 6).share, strict=True))
    expected = closed_form(question, model)
    assert 0.8 < expected[0] < 1 and expected[-1] < 0.5
    for name in (FGSM, PGD, APGD, MINIMAL, TRANSFERRED):
        assert found[name] == pytest.approx(expected, abs=1e-12), name
    for name in (NOISE, SQUARE):
        assert (found[name] >= expected - 1e-12).all() and found[name][0] == expected[0]
    assert robust(worst(tried.broken_at), 6).share == pytest.approx(expected, abs=1e-12)


def test_a_failure_has_an_infinite_norm_and_is_never_broken() -> None:
    model = Affine()
    question = asked(RobustnessSpec(eps=0.5, budgets=4, steps=1, **ONLY_MINIMAL), model)
    tried = tried_on(question, model)
    failed = np.isinf(tried.norm)
    assert failed.any() and (tried.broken_at[0, failed] == 4).all() and np.isinf(tried.smallest[failed]).all()


def test_the_smallest_norm_on_an_affine_model_is_the_distance_to_the_boundary() -> None:
    model = Affine()
    question = asked(RobustnessSpec(norm="L2", eps=1.5, budgets=4, steps=60, queries=10, square=False), model)
    tried = tried_on(question, model, model)
    distance = ((question.x @ model.weight + model.bias).abs() / model.weight.norm()).detach().numpy()
    assert tried.norm[tried.right] == pytest.approx(distance[tried.right], rel=0.01)
    assert (tried.norm[tried.right] >= distance[tried.right] * (1 - 1e-5)).all()
    assert not tried.norm[~tried.right].any()
    assert (tried.smallest <= tried.norm).all()


def test_an_identical_copy_takes_over_exactly_what_breaks_the_network() -> None:
    draw = torch.Generator().manual_seed(1)
    model = nn.Sequential(nn.Linear(D, 32), nn.Tanh(), nn.Linear(32, 4)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=draw) / 2)
    x = torch.rand(N, D, generator=draw)
    settings = RobustnessSpec(eps=0.2, budgets=5, steps=8, apgd=False, square=False, minimal=False)
    with torch.no_grad():
        y = model(x).argmax(1)
    y[:5] = (y[:5] + 1) % 4
    question = Question(x, y, np.linspace(0, 0.2, 5), settings, 0, (0.0, 1.0), np.arange(N))
    tried = tried_on(question, model, model)
    pgd, copy = (tried.broken_at[question.attacks.index(name)] for name in (PGD, TRANSFERRED))
    assert np.array_equal(pgd, copy) and len(np.unique(pgd)) > 3


def test_curves_never_rise_and_begin_at_clean_accuracy() -> None:
    broken_at = np.array([[0, 1, 3, 3, 2, 3], [0, 3, 3, 1, 1, 3]])
    found = robust(broken_at, 3)
    assert found.share.tolist() == [[5 / 6, 4 / 6, 3 / 6], [5 / 6, 3 / 6, 3 / 6]]
    assert (np.diff(found.share) <= 0).all() and (found.low < found.share).all() and (found.share < found.high).all()
    assert worst(broken_at).tolist() == [0, 1, 3, 1, 1, 3]
    gap = gap_to_best(broken_at, 3)
    assert gap.best.tolist() == [0, 1, 0] and gap.gap == pytest.approx([0, 1 / 6, 1 / 6])
    assert (gap.low >= 0).all() and (gap.high > gap.gap).all()


def test_a_norm_is_held_by_the_first_budget_that_is_no_smaller() -> None:
    eps = np.array([0.0, 0.1, 0.2])
    assert broken_within(np.array([0.0, 0.1, 0.1 * (1 + 1e-8), 0.11, 0.3, math.inf]), eps).tolist() == [
        0,
        1,
        1,
        2,
        3,
        3,
    ]


def test_the_band_of_norms_is_that_of_massart_and_what_never_broke_is_counted() -> None:
    values, share, half = cdf(np.array([0.2, 0.1, 0.2, math.inf]))
    assert values.tolist() == [0.1, 0.2] and share.tolist() == [0.25, 0.75]
    assert half == pytest.approx(math.sqrt(math.log(40) / 8))


# --- the look ----------------------------------------------------------------------------------------------------

SMALL = ExperimentSpec(
    dataset=DigitsSpec(),
    model=MlpSpec(depth=2, width=32),
    training=TrainingSpec(epochs=3, learning_rate=0.003),
    robustness=RobustnessSpec(samples=50, budgets=4, steps=10, queries=50, eps=0.3),
)


@pytest.fixture(scope="module")
def events():
    return looked("robustness", SMALL)


@pytest.fixture(scope="module")
def frame(events):
    return last(events, "robustness")


def test_the_frame_holds_every_curve_with_its_interval(frame) -> None:
    arrays, names = frame.arrays, [each["name"] for each in frame.info["attacks"]]
    assert names == list(ATTACKS) and frame.keep and frame.info["done"]
    assert arrays["robust"].shape == (1, 7, 4) and arrays["worst"].shape == (1, 4)
    assert (np.diff(arrays["robust"]) <= 0).all() and (np.diff(arrays["worst"]) <= 0).all()
    assert (arrays["robust"][..., 0] == arrays["clean"][:, None]).all() and arrays["clean"][0] > 0.8
    assert (arrays["worst"][:, None] <= arrays["robust"]).all()
    assert arrays["robust"][0, names.index(NOISE), 1] > arrays["robust"][0, names.index(PGD), 1]
    best = np.take_along_axis(arrays["robust"][0], arrays["best"], axis=0)[0]
    assert best - arrays["worst"][0] == pytest.approx(arrays["gap"][0])
    right = arrays["right"][0]
    assert arrays["median"][0, 0, 0] == np.median(arrays["norm"][0][right])
    assert (arrays["low"] <= arrays["robust"]).all() and (arrays["robust"] <= arrays["high"]).all()


def test_while_it_runs_what_is_not_tried_yet_is_not_drawn(events) -> None:
    first = next(e for e in events if getattr(e, "topic", "") == "robustness")
    assert np.isfinite(first.arrays["robust"][0, 0]).tolist() == [True, True, False, False]
    assert np.isnan(first.arrays["robust"][0, 1:]).all() and not first.keep and not first.info["done"]


def test_every_point_every_norm_and_every_sign_is_a_row(events, frame) -> None:
    points = rows(events, "robustness")
    assert len(points) == 8 * 4
    row = next(r for r in points if r["attack"] == "pgd" and r["eps"] == pytest.approx(0.2))
    assert set(row) == {"model", "attack", "eps", "n", "robust", "low", "high"} and row["n"] == 50
    assert row["robust"] == frame.arrays["robust"][0, 2, 2] and row["model"] == "standard"
    assert len(rows(events, "robustness_norms")) == 50
    assert len(rows(events, "robustness_signs")) == 11


def test_a_plain_network_shows_no_sign(frame) -> None:
    assert [sign["name"] for sign in frame.info["signs"][0] if sign["raised"]] == []


def test_it_breathes_often_enough_for_a_quick_cancel(events) -> None:
    given = {e.name: e for e in events if type(e).__name__ == "Artifact"}
    assert longest_breath("robustness", SMALL, given) < 0.2


def test_other_trainings_are_drawn_beside_it_where_they_are_asked_for(events) -> None:
    given = {e.name: e for e in events if type(e).__name__ == "Artifact"}
    only = {**dict.fromkeys(ATTACKS, False), "fgsm": True}
    settings = RobustnessSpec(samples=50, budgets=3, steps=2, eps=0.3, hardened=True, **only)
    chosen = HardeningSpec(pgd_at=False, trades=False, smoothing=False, noise=False, eps=0.15)
    spec = SMALL.model_copy(update={"robustness": settings, "hardening": chosen})
    frame = last(looked("robustness", spec, given), "robustness")
    assert [each["name"] for each in frame.info["networks"]] == ["standard", "fast"]
    assert frame.arrays["robust"].shape == (2, 1, 3) and len(frame.info["signs"]) == 2
    assert frame.arrays["robust"][1, 0, 1] > frame.arrays["robust"][0, 0, 1]


def test_without_an_attack_it_says_what_to_do() -> None:
    nothing = dict.fromkeys(ATTACKS, False)
    spec = SMALL.model_copy(update={"robustness": RobustnessSpec(**nothing)})
    with pytest.raises(Exception, match="No attack is chosen"):
        looked("robustness", spec)
