"""The points of a sweep are what its axes say, worked out one at a time."""

from __future__ import annotations

import itertools
import time
import tracemalloc
from typing import Any

import numpy as np
import pace
import pytest
from scipy import stats

from engine.errors import SpecError
from engine.spec_files import apply_overrides, dump_spec, load_spec
from engine.specs import AxisSpec, ExperimentSpec, MlpSpec, SweepSpec
from engine.sweep.axes import parse_axis
from engine.sweep.points import Points


def sweep(*axes: tuple[str, str], **given: Any) -> ExperimentSpec:
    return ExperimentSpec(sweep=SweepSpec(axes=tuple(parse_axis(*axis) for axis in axes), **given))


def test_a_grid_is_the_product_of_its_axes_the_last_fastest() -> None:
    axes = {"model.width": (16, 32, 64), "attack.eps": (0.1, 0.2), "seed": (0, 1, 2, 3)}
    points = Points(ExperimentSpec(sweep=SweepSpec(axes=tuple(AxisSpec(field=f, values=v) for f, v in axes.items()))))
    expected = [dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())]
    assert [points.values(index) for index in range(len(points))] == expected


def test_without_axes_there_is_one_point_the_experiment_itself() -> None:
    spec = ExperimentSpec(seed=7)
    points = Points(spec)
    assert len(points) == 1 and points.values(0) == {} and points.spec(0) == spec


def test_there_is_no_point_beyond_the_last() -> None:
    points = Points(sweep(("seed", "0, 1")))
    for index in (-1, 2):
        with pytest.raises(IndexError, match="2 points"):
            points.values(index)


def test_a_point_is_what_set_would_make_of_the_experiment() -> None:
    spec = sweep(
        ("model.family", "cnn, linear"),
        ("attack.method", "pgd, ddn"),
        ("dataset.source", "digits, uniform-noise"),
        ("model.bias", "true, false"),
        ("model.width", "9"),
    )
    spec = spec.model_copy(update={"model": MlpSpec(depth=3, sigma_w=1.25), "threads": 4})
    points = Points(spec)
    for index in range(len(points)):
        values = points.values(index)
        texts = [f"{field}={str(value).lower()}" for field, value in values.items()]
        bare = spec.model_copy(update={"sweep": SweepSpec(), "threads": 1})
        assert points.spec(index) == apply_overrides(bare, texts)


def test_a_text_with_quotes_and_newlines_arrives_as_it_is() -> None:
    folder = 'C:\\new "folder"\n\ttrue = ü\x7f'
    axis = AxisSpec(field="dataset.folder", values=(folder,))
    spec = ExperimentSpec(sweep=SweepSpec(axes=(AxisSpec(field="dataset.source", values=("idx",)), axis)))
    assert Points(spec).spec(0).dataset.model_dump()["folder"] == folder


@pytest.mark.parametrize(
    ("axes", "said"),
    [
        ([("model.width", "0, 16")], "model.width is 0: must be at least 1"),
        ([("model.family", "linear, mlp"), ("model.activation", "tanh")], "belongs to model.family"),
        ([("attack.method", "deepfool, pgd"), ("attack.goal", "next")], "no targeted form"),
    ],
)
def test_a_point_that_cannot_be_says_why_and_the_others_can(axes: list[tuple[str, str]], said: str) -> None:
    points = Points(sweep(*axes))
    with pytest.raises(SpecError, match=said):
        points.spec(0)
    points.spec(1)


def test_random_points_are_the_same_whatever_others_there_are() -> None:
    axes = (("model.width", "1 .. 100 : 2"), ("attack.eps", "0 .. 1"), ("model.activation", "relu, tanh"))
    few, many = (Points(sweep(*axes, mode="random", points=n)) for n in (10, 1000))
    assert [few.values(index) for index in range(10)] == [many.values(index) for index in reversed(range(10))][::-1]
    other = Points(sweep(*axes, mode="random", points=10).model_copy(update={"seed": 1}))
    assert all(few.values(index) != other.values(index) for index in range(10))


def test_random_points_are_spread_as_their_axes_say() -> None:
    points = Points(
        sweep(
            ("training.learning_rate", "1e-4 .. 1e-1 : 4 log"),
            ("attack.eps", "0.25 .. 0.75"),
            ("model.width", "3 .. 7"),
            ("model.depth", "1 .. 7 : 2 log"),
            ("model.activation", "relu, tanh, gelu"),
            mode="random",
            points=4000,
        )
    )
    drawn = [points.values(index) for index in range(len(points))]
    rate = np.log10([float(each["training.learning_rate"]) for each in drawn])
    assert stats.kstest(rate, stats.uniform(-4, 3).cdf).pvalue > 1e-3
    eps = [float(each["attack.eps"]) for each in drawn]
    assert stats.kstest(eps, stats.uniform(0.25, 0.5).cdf).pvalue > 1e-3
    for field, values in (("model.width", [3, 4, 5, 6, 7]), ("model.activation", ["relu", "tanh", "gelu"])):
        counts = [sum(each[field] == value for each in drawn) for value in values]
        assert sum(counts) == len(drawn) and stats.chisquare(counts).pvalue > 1e-3
    counts = [sum(each["model.depth"] == value for each in drawn) for value in range(1, 8)]
    shares = np.log2([(k + 1) / k for k in range(1, 8)]) / 3  # each whole number has its part of the logarithm
    assert sum(counts) == len(drawn) and stats.chisquare(counts, len(drawn) * shares).pvalue > 1e-3
    # axes are drawn apart from each other
    assert abs(stats.spearmanr(rate, eps).statistic) < 0.06


@pytest.mark.parametrize("mode", ["grid", "random"])
def test_a_million_points_cost_nothing_until_they_are_asked_for(mode: Any) -> None:
    spec = sweep(("attack.eps", "0 .. 1 : 1000"), ("seed", "0 .. 999 : 1000"), mode=mode, points=1_000_000)
    tracemalloc.start()
    began = time.process_time()
    points = Points(spec)
    assert len(points) == 1_000_000
    last = points.values(999_999)
    took = time.process_time() - began
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert set(last) == {"attack.eps", "seed"}
    assert peak < 2**20 and took < 1.0 * pace.slowness()


def test_sorting_a_grid_by_an_axis_is_what_sorting_its_points_gives() -> None:
    points = Points(sweep(("model.width", "32, 8, 16"), ("attack.eps", "0.3, 0.1"), ("seed", "5, 1, 4, 2")))
    for field in points.fields:
        for descending in (False, True):
            expected = sorted(range(24), key=lambda index: points.values(index)[field], reverse=descending)
            assert [points.in_order_of(field, place, descending) for place in range(24)] == expected


def test_a_sweep_in_a_file_is_the_same_sweep(tmp_path: Any) -> None:
    spec = sweep(("model.width", "16, 32"), ("training.learning_rate", "1e-4 .. 1e-1 : 4 log"), ("model.bias", "true"))
    (tmp_path / "a.toml").write_text(dump_spec(spec), encoding="utf-8")
    assert load_spec(tmp_path / "a.toml") == spec
