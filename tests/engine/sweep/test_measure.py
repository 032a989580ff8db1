"""One point of a sweep: what it measures, against the laws of untrained networks and against what the lab records."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from time import thread_time

import numpy as np
import pace
import pytest
import torch

from engine.errors import AttackError, TrainingError
from engine.events import Event, Frame, Record
from engine.experiments import open_experiment
from engine.experiments.expected import expected, proper_depth
from engine.experiments.network_pairs import at_the_end, at_the_input
from engine.generators import drain
from engine.models import build
from engine.specs import (
    CnnSpec,
    DigitsSpec,
    ExperimentSpec,
    GaussianNoiseSpec,
    LinearSpec,
    MlpSpec,
    ModelSpec,
    PatchSpec,
    PgdSpec,
    ProbeSpec,
    ResidualSpec,
    TrainingSpec,
)
from engine.sweep.measure import Measured, measured
from tests.global_rng import global_rng_untouched
from tests.small_data import vectors

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "b1_width_depth_sweep.json").read_text())[
    "width_depth_sweep"
]
NOISE = GaussianNoiseSpec(features=24, classes=2, train_size=32, test_size=16)
TINY = ExperimentSpec(
    model=MlpSpec(depth=2, width=16),
    training=TrainingSpec(epochs=2, learning_rate=0.01, batch_size=100),
    attack=PgdSpec(eps=0.2, alpha=0.1, steps=3, samples=30),
    probe=ProbeSpec(samples=20, reference=40, bootstrap=50, pairs=8, every=100),
)


def point(spec: ExperimentSpec, reach: str = "initial", geometry: bool = True) -> Measured:
    with global_rng_untouched():
        return drain(measured(spec, reach, geometry))


def plain(model: ModelSpec, seed: int = 0, **parts: object) -> ExperimentSpec:
    """Noise through an untrained network."""
    return ExperimentSpec.model_validate(
        {"dataset": NOISE, "probe": ProbeSpec(samples=16, reference=16), "model": model, "seed": seed, **parts}
    )


def z_of(values: list[float], expected: float) -> float:
    spread = np.array(values)
    return float((spread.mean() - expected) / (spread.std(ddof=1) / math.sqrt(len(values))))


# --- laws of networks that have learnt nothing --------------------------------------------------------------------


@pytest.mark.parametrize(("width", "depth"), [(8, 4), (6, 12), (16, 8)])
def test_the_mean_change_of_linear_networks_on_noise_is_the_law(width: int, depth: int) -> None:
    model = LinearSpec(depth=depth, width=width, bias=False, init="lecun", normalise="none")
    rows = [point(plain(model, seed)).row for seed in range(60)]
    expected = {row["theory_change"] for row in rows}
    assert len(expected) == 1
    assert abs(z_of([row["initial_change"] for row in rows], expected.pop())) < 3.5
    starts = [row["initial_rapidity"] - row["theory_rapidity"] for row in rows]
    assert abs(z_of(starts, 0.0)) < 3.5
    ends = [row["initial_ln_gamma"] - row["theory_ln_gamma"] for row in rows]
    assert abs(z_of(ends, 0.0)) < 3.5


def test_it_is_so_on_digits_behind_an_input_layer() -> None:
    model = LinearSpec(depth=5, width=12, normalise="standard")
    rows = [point(plain(model, seed, dataset=DigitsSpec())).row for seed in range(40)]
    assert abs(z_of([row["initial_change"] - row["theory_change"] for row in rows], 0.0)) < 3.5
    assert abs(z_of([row["initial_rapidity"] - row["theory_rapidity"] for row in rows], 0.0)) < 3.5


def test_the_published_sweep_over_width_and_depth_is_met() -> None:
    """Its law in every cell, and its measured values in those that are quick to draw."""
    basis, seeds = vectors(torch.eye(24)), 50
    orthogonal = np.zeros(1)
    for cell in GOLDEN:
        n, depth = cell["n"], cell["L"]
        spec = LinearSpec(depth=depth, width=n, bias=False, init="lecun", normalise="none")
        assert proper_depth(spec) == pytest.approx(cell["s"], rel=1e-12)
        if n * depth > 128:
            continue
        assert drain(expected(spec, basis.x_test.numpy(), orthogonal)).change == pytest.approx(cell["pred"], rel=1e-9)
        ends = [drain(at_the_end(build(spec, basis, seed), basis.x_test)) for seed in range(seeds)]
        assert abs(z_of([float(end.ln_gamma.mean()) for end in ends], cell["pred"])) < 3.5, cell
        sizes = [float(np.abs(end.eta).mean()) for end in ends]
        error = math.hypot(np.std(sizes) / math.sqrt(seeds), 0.01)
        assert abs(np.mean(sizes) - cell["E_abs_eta"]) < 3.5 * error, cell


@pytest.mark.parametrize("model", [MlpSpec(depth=3, width=512, activation="relu"), ResidualSpec(depth=3, width=512)])
def test_wide_networks_are_where_the_limit_of_infinite_width_has_them(model: ModelSpec) -> None:
    rows = [point(plain(model.model_copy(update={"normalise": "none"}), seed)).row for seed in range(12)]
    for name in ("change", "ln_gamma", "rapidity"):
        found = np.mean([row[f"initial_{name}"] for row in rows])
        assert found == pytest.approx(np.mean([row[f"theory_{name}"] for row in rows]), abs=0.02), name


@pytest.mark.parametrize(
    "model",
    [
        MlpSpec(depth=2, width=8, batch_norm=True),
        LinearSpec(depth=2, width=8, init="sigma", sigma_b=0.5),
        LinearSpec(depth=2, width=1),
    ],
)
def test_where_theory_does_not_say_its_columns_are_empty(model: ModelSpec) -> None:
    row = point(plain(model)).row
    assert [row[f"theory_{name}"] for name in ("change", "ln_gamma", "rapidity")] == [None, None, None]


def test_a_network_without_hidden_layers_changes_nothing() -> None:
    for model in (LinearSpec(depth=0), MlpSpec(depth=0)):
        row = point(plain(model)).row
        assert (row["initial_change"], row["theory_change"]) == (0.0, 0.0)
        assert row["initial_rapidity"] == row["theory_rapidity"] == row["input_rapidity"]


def test_rapidities_beyond_what_float64_features_tell_are_carried_exactly() -> None:
    model = LinearSpec(depth=60, width=2, bias=False, init="lecun", normalise="none")
    row = point(plain(model)).row
    assert row["theory_change"] == pytest.approx(60 * math.log(2))
    assert row["initial_change"] > 36, "features alone end there"


def test_a_pair_that_is_one_sample_twice_is_left_out() -> None:
    x = torch.randn(6, 5, generator=torch.Generator().manual_seed(1))
    twice = torch.cat([x, x[:1]])
    model = build(MlpSpec(depth=1, width=9, normalise="none"), vectors(x), 0)
    eta = drain(at_the_input(model, twice)).eta
    assert np.isinf(eta).sum() == 1
    assert np.isfinite(eta).sum() == 20


# --- the same as the lab ------------------------------------------------------------------------------------------


def recorded(spec: ExperimentSpec, step: str) -> list[Event]:
    events: Iterator[Event | None] = open_experiment(step, spec, {})
    return [event for event in events if event is not None]


def test_accuracy_and_success_are_those_that_train_and_attack_record() -> None:
    row = point(TINY, "attacked").row
    events = recorded(TINY, "attack")
    epoch = [event.row for event in events if isinstance(event, Record) and event.table == "epochs"][-1]
    for name in ("train_loss", "train_accuracy", "test_accuracy", "test_samples"):
        assert row[name] == epoch[name], name
    attacked = [event.row for event in events if isinstance(event, Record) and event.table == "attacked"]
    assert row["attacked"] == len(attacked) == 30
    assert row["attack_success"] == sum(each["success"] for each in attacked) / 30
    assert row["robust_accuracy"] == sum(each["prediction"] == each["y"] for each in attacked) / 30


def test_the_weights_are_those_that_train_keeps() -> None:
    found = point(TINY, "trained").weights
    kept = recorded(TINY, "train")[-1].arrays
    assert found.keys() == kept.keys()
    assert all(np.array_equal(found[name], kept[name]) for name in kept)


def test_rapidity_within_and_between_classes_is_that_of_the_profile() -> None:
    row = point(TINY, "trained").row
    frames = [each for each in recorded(TINY, "entangle") if isinstance(each, Frame) and each.topic == "profile"]
    frame = frames[-1]
    quantity = [item["name"] for item in frame.info["quantities"]].index("rapidity")
    groups = [item["name"] for item in frame.info["groups"]]
    for name, group in (("rapidity_same", "same"), ("rapidity_other", "different")):
        assert row[name] == pytest.approx(frame.arrays["mean"][0, 0, quantity, groups.index(group), -2], abs=1e-4)


def test_the_same_spec_gives_the_same_row_bit_for_bit() -> None:
    once, again = point(TINY, "attacked"), point(TINY, "attacked")
    without = [{name: value for name, value in each.row.items() if name != "seconds"} for each in (once, again)]
    assert without[0] == without[1]
    assert all(np.array_equal(once.weights[name], again.weights[name]) for name in once.weights)


def test_a_part_of_the_way_makes_a_part_of_the_row() -> None:
    initial, trained, bare = point(TINY), point(TINY, "trained"), point(TINY, "trained", geometry=False)
    assert not initial.weights
    assert "test_accuracy" not in initial.row and "ln_gamma" not in initial.row
    assert trained.row["initial_ln_gamma"] == initial.row["initial_ln_gamma"]
    assert "attack_success" not in trained.row
    assert trained.row.keys() - bare.row.keys() >= {"input_rank", "rank", "change", "theory_change", "rapidity_same"}
    assert bare.row["test_accuracy"] == trained.row["test_accuracy"]
    assert trained.row["change"] == pytest.approx(trained.row["ln_gamma"] - trained.row["input_ln_gamma"])


def test_every_number_is_finite_or_none_and_plain() -> None:
    narrow = TINY.model_copy(update={"model": MlpSpec(depth=40, width=2)})  # every unit is dead before long
    row = point(narrow, "attacked").row
    assert all(value is None or isinstance(value, int | str) or math.isfinite(value) for value in row.values())
    assert row["initial_ln_gamma"] is None
    assert {type(value) for value in row.values()} <= {int, float, type(None)}
    assert json.loads(json.dumps(row)) == row


def test_an_attack_on_images_alone_is_refused_before_training() -> None:
    spec = plain(LinearSpec(depth=1, width=4), attack=PatchSpec(samples=4))
    said: list[Event | None] = []
    with pytest.raises(AttackError, match="images alone"):
        said.extend(measured(spec, "attacked", True))
    assert not any("training," in getattr(event, "text", "") for event in said)


def test_a_loss_out_of_bounds_is_a_user_error() -> None:
    wild = TrainingSpec(optimizer="sgd", learning_rate=100, epochs=2)
    with pytest.raises(TrainingError):
        point(TINY.model_copy(update={"model": LinearSpec(depth=3), "training": wild}), "trained")


def test_images_through_a_convolutional_network_are_measured() -> None:
    row = point(TINY.model_copy(update={"model": CnnSpec(channels=2, width=8)}), "initial").row
    assert row["initial_rapidity"] > 0
    assert row["theory_change"] is None
    assert row["layers"] == 4


def test_it_breathes() -> None:
    """Nothing between two yields takes long, beyond the first data and the imports."""
    point(TINY, "attacked")
    longest, last = 0.0, thread_time()
    for _ in measured(TINY, "attacked", True):
        longest = max(longest, thread_time() - last)
        last = thread_time()
    assert longest / pace.slowness() < 0.2
