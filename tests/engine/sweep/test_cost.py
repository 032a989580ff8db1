"""What a sweep takes is told before it is run, at once, and within reason."""

from __future__ import annotations

import time
from typing import Any

import pace
import pytest

from engine.data import load
from engine.generators import drain
from engine.models import build, parameter_count
from engine.specs import CnnSpec, DigitsSpec, ExperimentSpec, LinearSpec, MlpSpec, ResidualSpec, SweepSpec, TrainingSpec
from engine.sweep import cost as cost_module
from engine.sweep.axes import parse_axis
from engine.sweep.cost import ASK_FROM, cost, duration, seconds_of
from engine.sweep.points import Points


def points_of(*axes: tuple[str, str], base: ExperimentSpec | None = None, **given: Any) -> Points:
    sweep = SweepSpec(axes=tuple(parse_axis(*axis) for axis in axes), **given)
    return Points((base or ExperimentSpec()).model_copy(update={"sweep": sweep}))


@pytest.mark.parametrize(
    "model",
    [
        LinearSpec(depth=3, width=20),
        MlpSpec(depth=0),
        MlpSpec(depth=4, width=33),
        ResidualSpec(depth=3, width=24),
        CnnSpec(depth=2, channels=6, width=40),
    ],
)
def test_parameters_are_counted_from_the_spec_as_in_the_network(model: Any) -> None:
    spec = ExperimentSpec(dataset=DigitsSpec(), model=model.model_copy(update={"bias": False}))
    network = build(spec.model, drain(load(spec.dataset, 0)), 0)  # type: ignore[arg-type]
    assert cost_module.parameter_count(spec) == parameter_count(network)


def test_more_work_is_told_to_take_longer() -> None:
    spec = ExperimentSpec(training=TrainingSpec(epochs=4))
    for change in ("training.epochs=8", "model.width=1024", "training.method=pgd-at"):
        part, _, rest = change.partition(".")
        points = points_of((f"{part}.{rest.split('=')[0]}", rest.split("=")[1]), base=spec)
        assert seconds_of(points.spec(0), "attacked", True) > seconds_of(spec, "attacked", True)
    by_reach = [seconds_of(spec, reach, True) for reach in ("initial", "trained", "attacked")]
    assert by_reach == sorted(by_reach)


def test_the_cost_is_that_of_all_points_and_of_those_that_can_be() -> None:
    one, many, half = points_of(), points_of(("seed", "0 .. 99 : 100")), points_of(("model.width", "0, 128"))
    assert cost(many).seconds == pytest.approx(100 * cost(one).seconds)
    assert cost(half).seconds == pytest.approx(cost(one).seconds)
    assert cost(many, done=[2.0, 4.0]).seconds == pytest.approx(300.0)
    rest = cost(many, done=[2.0, 4.0], left=7)
    assert rest.seconds == pytest.approx(21.0) and rest.sentence.startswith("7 of 100 points: about 26 s")
    assert cost(many, [2.0], workers=2).sentence.startswith("100 points: about 1.8 min on 2 processes, as its finished")
    assert cost(points_of(("model.width", "0"))).seconds == 0


def test_the_start_of_the_processes_is_in_the_time_of_the_clock_and_not_in_that_of_computing() -> None:
    found = cost(points_of(("seed", "0, 1")), done=[1.0], workers=2)
    assert found.seconds == pytest.approx(2.0) and found.takes.startswith("about 6 s on 2 processes")


def test_networks_that_are_kept_take_room() -> None:
    kept, initial = (cost(points_of(reach=reach)).bytes for reach in ("trained", "initial"))
    assert kept - initial == 4 * cost_module.parameter_count(ExperimentSpec())


def test_a_million_points_are_estimated_at_once_and_asked_about() -> None:
    points = points_of(("attack.eps", "0 .. 1 : 1000"), ("seed", "0 .. 999 : 1000"))
    began = time.process_time()
    found = cost(points)
    assert time.process_time() - began < 1.0 * pace.slowness()
    assert found.ask and found.points == 1_000_000 and "1,000,000 points" in found.sentence
    assert not cost(points_of()).ask and cost(points_of(("seed", f"0 .. 99999 : {ASK_FROM}"))).ask


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "1 s"), (42, "42 s"), (120, "2 min"), (1500, "25 min"), (9000, "2.5 h"), (90_000, "25 h"), (1e6, "12 days")],
)
def test_times_are_said_in_words(seconds: float, text: str) -> None:
    assert duration(seconds) == text
