"""Axes are written as a person writes them, and read back as they were."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import SpecError
from engine.specs import AxisSpec, CnnSpec, ExperimentSpec, SweepSpec, parameters, variants
from engine.sweep.axes import PARTS, axis_text, check, field_named, levels, parse_axis, sweepable

VALUES: dict[str, Any] = {
    "model.width": st.integers(1, 2**53),
    "seed": st.integers(0, 2**63 - 1),
    "training.learning_rate": st.floats(allow_nan=False, allow_infinity=False),
    "model.bias": st.booleans(),
    "model.activation": st.sampled_from(["relu", "tanh", "gelu"]),
    "dataset.folder": st.text(),
}
FINITE = st.floats(1e-300, 1e300)


@given(st.data())
def test_values_read_back_as_they_were(data: st.DataObject) -> None:
    field = data.draw(st.sampled_from(sorted(VALUES)))
    values = data.draw(st.lists(VALUES[field], min_size=1, max_size=6, unique=True))
    axis = AxisSpec(field=field, values=tuple(values))
    assert parse_axis(field, axis_text(axis)) == axis


@given(FINITE, FINITE, st.integers(1, 10_000), st.sampled_from(["linear", "log"]))
def test_ranges_read_back_as_they_were(one: float, other: float, count: int, scale: Any) -> None:
    low, high = sorted((one, other))
    if low == high:
        count = 1
    axis = AxisSpec(field="training.learning_rate", low=low, high=high, count=count, scale=scale)
    assert parse_axis(axis.field, axis_text(axis)) == axis


@pytest.mark.parametrize(
    ("field", "text", "expected"),
    [
        ("model.width", "16, 32, 64", (16, 32, 64)),
        ("model.width", "[16, 32,]", (16, 32)),
        ("model.width", "1e3, 2_000", (1000, 2000)),
        ("model.width", "8, 8, 9", (8, 9)),
        ("model.depth", "1 .. 8 : 8", (1, 2, 3, 4, 5, 6, 7, 8)),
        ("model.depth", "1..3:9", (1, 2, 3)),
        ("model.depth", "1.5 .. 4.5 : 2", (2, 4)),
        ("model.width", "1 .. 1000 : 4 log", (1, 10, 100, 1000)),
        ("training.learning_rate", "1e-4 .. 1e-1 : 4 log", (1e-4, 1e-3, 1e-2, 1e-1)),
        ("attack.eps", "0.1 .. 0.5", (0.1, 0.2, 0.3, 0.4, 0.5)),
        ("attack.eps", "-1 .. 1 : 3 linear", (-1.0, 0.0, 1.0)),
        ("model.family", "mlp, linear", ("mlp", "linear")),
        ("attack.method", "fgsm", ("fgsm",)),
        ("training.method", "standard, pgd-at", ("standard", "pgd-at")),
        ("model.bias", "true, False", (True, False)),
        ("dataset.folder", 'a b, "c, d"', ("a b", "c, d")),
        ("dataset.folder", "'x','y'", ("x", "y")),
        ("seed", "0, 9223372036854775807", (0, 2**63 - 1)),
    ],
)
def test_what_a_text_comes_to(field: str, text: str, expected: tuple[Any, ...]) -> None:
    found = levels(parse_axis(field, text))
    assert found == expected
    assert [type(value) for value in found] == [type(value) for value in expected]


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        ("model.widht", "1", "Did you mean model.width?"),
        ("width", "1", "model.width"),
        ("model", "1", "is not a field"),
        ("sweep.points", "1", "is not a field"),
        ("threads", "1", "is not a field"),
        ("model.width", "1.5", "not a whole number"),
        ("model.width", "true", "not a whole number"),
        ("model.width", '"16"', "not a whole number"),
        ("model.width", "", "has no values"),
        ("model.width", "16,,32", "cannot be read"),
        ("model.width", "8 .. 1", "low below high"),
        ("model.width", "1 .. 8 : many", "not a range"),
        ("model.width", "1 .. 8 : 100000", "less than or equal to 10000"),
        ("model.width", "1 .. 8 : 0", "greater than or equal to 1"),
        ("model.width", "1.2 .. 1.8 : 3", "no whole number"),
        ("training.learning_rate", "0 .. 1 : 3 log", "not above 0"),
        ("training.learning_rate", "inf", "not a number"),
        ("model.family", "mlpp", "Did you mean mlp?"),
        ("model.activation", "1", "It is one of relu"),
        ("model.bias", "yes", "not true or false"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(field: str, text: str, said: str) -> None:
    with pytest.raises(SpecError, match=r"[.?]$") as caught:
        parse_axis(field, text)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_every_field_of_every_variant_can_be_an_axis() -> None:
    names = {name for name, _, _ in sweepable()}
    every = {f"{part}.{field.name}" for part in PARTS for cls in variants(part).values() for field in parameters(cls)}
    tags = {"dataset.source", "model.family", "training.method", "attack.method"}
    assert names == every | tags | {"seed"}


def test_a_field_has_the_choices_of_all_variants_and_the_range_of_the_chosen_one() -> None:
    norms = {name for name, _ in field_named("attack.norm").choices}
    assert norms == {"Linf", "L2", "L1", "L0"}
    depth = {name: field for name, field, _ in sweepable(ExperimentSpec(model=CnnSpec()))}["model.depth"]
    assert (depth.minimum, depth.maximum) == (1, 6)


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("model.width", (16, "32")),
        ("model.width", (True,)),
        ("model.width", (16.5,)),
        ("attack.eps", ("0.1",)),
        ("model.bias", (1,)),
        ("model.activation", (3,)),
        ("dataset.folder", (3,)),
    ],
)
def test_a_wrong_kind_of_value_in_a_file_is_told(field: str, values: tuple[Any, ...]) -> None:
    with pytest.raises(SpecError, match=field):
        check(ExperimentSpec(sweep=SweepSpec(axes=(AxisSpec(field=field, values=values),))))


def test_a_grid_has_no_more_points_than_can_be_counted() -> None:
    axes = tuple(AxisSpec(field=f"attack.{name}", low=0, high=1, count=10_000) for name in ("eps", "alpha"))
    with pytest.raises(SpecError, match=r"100,000,000 points.*random"):
        check(ExperimentSpec(sweep=SweepSpec(axes=axes)))
    check(ExperimentSpec(sweep=SweepSpec(axes=axes, mode="random")))


@given(st.integers(2, 200), FINITE, FINITE)
def test_a_range_runs_from_its_low_to_its_high_end(count: int, one: float, other: float) -> None:
    low, high = sorted((one, other))
    if low == high:
        return
    for scale in ("linear", "log"):
        found = levels(AxisSpec(field="attack.eps", low=low, high=high, count=count, scale=scale))  # type: ignore[arg-type]
        assert found[0] == low and found[-1] == high
        assert list(found) == sorted(found)
        if scale == "log" and math.log(high) - math.log(low) > 1:
            ratios = [math.log(float(b)) - math.log(float(a)) for a, b in itertools.pairwise(found)]
            assert max(ratios) - min(ratios) < 1e-9 * (math.log(high) - math.log(low))
