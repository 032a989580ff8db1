"""Points that differ in how a network is attacked or looked at are one network, and count as one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.report.sweeps.figures import scatter
from engine.report.sweeps.summary import network_numbers
from engine.specs import AxisSpec, ExperimentSpec, SweepSpec
from engine.sweep import curves
from engine.sweep.networks import numbers, one_each, reach_of, told_apart
from engine.sweep.statistics import relate
from engine.sweep.store import SweepStore
from engine.sweep.work import Outcome

FIELDS = ("model.width", "attack.eps", "seed", "training.epochs", "probe.samples", "model.activation")


def test_fields_of_the_attack_and_of_the_measurement_make_no_other_network() -> None:
    assert told_apart(FIELDS, "attacked") == ("model.width", "seed", "training.epochs", "model.activation")


def test_neither_does_training_where_nothing_is_trained() -> None:
    assert told_apart(FIELDS, "initial") == ("model.width", "seed", "model.activation")


@pytest.mark.parametrize(
    ("names", "reach"),
    [
        (("initial_change", "theory_change"), "initial"),
        (("proper_depth", "model.width", "seed", "input_rank"), "initial"),
        (("initial_change", "change"), "attacked"),
        (("initial_change", "training.epochs"), "attacked"),
        (("parameters", "test_accuracy"), "attacked"),
    ],
)
def test_what_is_known_before_training_speaks_of_untrained_networks(names: tuple[str, ...], reach: str) -> None:
    assert reach_of(names, "attacked") == reach


def test_an_untrained_network_that_is_trained_in_four_ways_is_no_four_in_the_figures_of_a_sweep(tmp_path: Path) -> None:
    axes = (AxisSpec(field="seed", low=0, high=8, count=9), AxisSpec(field="training.epochs", values=(1, 2, 3, 4)))
    draw = np.random.default_rng(3)
    theory, shake = draw.normal(size=(2, 9))
    with SweepStore.create(tmp_path / "a.sweep", ExperimentSpec(sweep=SweepSpec(axes=axes))) as store:
        for index in range(36):
            row = {"theory_change": theory[index // 4], "initial_change": theory[index // 4] + shake[index // 4]}
            store.finish(Outcome(index, {**row, "change": draw.normal(), "test_accuracy": 0.5 + 0.01 * index}))
        drawn = scatter(store)
        assert drawn is not None
        titles = {axes.get_ylabel(): axes.get_title() for axes in drawn.axes if axes.get_title()}
        found = network_numbers(store, store.column(*store.points.fields), "initial_change")
    assert titles["Δ ln γ before training"].endswith("n = 9")
    assert titles["Test accuracy"].endswith("n = 36")
    assert found.tolist() == np.repeat(np.arange(9), 4).tolist()


def columns(repeats: int) -> dict[str, np.ndarray]:
    """12 networks, each attacked at so many eps."""
    draw = np.random.default_rng(5)
    x, y = draw.normal(size=12), draw.normal(size=12)
    found = {
        "id": np.arange(12 * repeats),
        "seed": np.repeat(np.arange(12.0), repeats),
        "model.activation": np.repeat(np.array(["relu", "tanh"] * 6, dtype=object), repeats),
        "attack.eps": np.tile(np.arange(float(repeats)), 12),
        "change": np.repeat(x, repeats),
        "test_accuracy": np.repeat(y, repeats),
    }
    shake = draw.normal(size=(12, repeats))
    found["robust_accuracy"] = (y[:, None] + shake - shake.mean(axis=1, keepdims=True)).ravel()
    return found


def test_a_network_that_is_attacked_in_ten_ways_is_no_ten_networks() -> None:
    """The oracle: the same networks, each attacked once."""
    once, often = columns(1), columns(10)
    taken = one_each(often, numbers(often, told_apart(("seed", "model.activation", "attack.eps"), "attacked")))
    found, wanted = (relate(each, "change", "test_accuracy", permutations=300) for each in (taken, once))
    assert found.n == wanted.n == 12
    assert (found.rho, found.p, found.low, found.high) == (wanted.rho, wanted.p, wanted.low, wanted.high)
    assert relate(often, "change", "test_accuracy", permutations=300).n == 120, "which is what it would have been"
    np.testing.assert_allclose(taken["robust_accuracy"], columns(10)["test_accuracy"][::10])
    assert list(taken["model.activation"]) == ["relu", "tanh"] * 6


def test_what_is_missing_of_one_point_is_taken_from_the_others() -> None:
    held = {"id": np.arange(4), "seed": np.array([0.0, 0, 1, 1]), "rank": np.array([np.nan, 3.0, np.nan, np.nan])}
    taken = one_each(held, numbers(held, ("seed",)))
    np.testing.assert_array_equal(taken["rank"], [3.0, np.nan])


def test_without_fields_that_tell_apart_all_points_are_one_network() -> None:
    held = {"id": np.arange(3), "attack.eps": np.arange(3.0), "rank": np.array([1.0, 2.0, 6.0])}
    of = numbers(held, told_apart(("attack.eps",), "attacked"))
    assert set(of) == {0}
    np.testing.assert_array_equal(one_each(held, of)["rank"], [3.0])


def test_nothing_is_one_of_nothing() -> None:
    held = {"id": np.empty(0, np.int64), "seed": np.empty(0), "rank": np.empty(0)}
    assert len(one_each(held, numbers(held, ("seed",)))["rank"]) == 0


def test_intervals_of_curves_are_over_networks_however_often_each_was_attacked() -> None:
    values = np.array([1.0, 2.0, 4.0, 8.0])
    where, all_of_them = curves.places(np.zeros(4)), np.ones(4, bool)
    wanted = curves.curve(where, values, all_of_them)
    again = curves.places(np.zeros(12))
    found = curves.curve(again, np.repeat(values, 3), np.ones(12, bool), of=np.repeat(np.arange(4), 3))
    assert found.n.tolist() == wanted.n.tolist() == [4]
    np.testing.assert_allclose([found.mean, found.low, found.high], [wanted.mean, wanted.low, wanted.high])


def test_one_network_at_two_places_is_at_both() -> None:
    where = curves.places(np.array([0.0, 1.0, 0.0, 1.0]))
    y = np.array([1.0, 2.0, 3.0, 6.0])
    found = curves.curve(where, y, np.ones(4, bool), of=np.array([0, 0, 1, 1]))
    assert found.n.tolist() == [2, 2]
    np.testing.assert_allclose(found.mean, [2.0, 4.0])
