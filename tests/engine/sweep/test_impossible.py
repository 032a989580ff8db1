"""Values of an axis that no point of a sweep can be built with, found without working the points out."""

from __future__ import annotations

import itertools
import random

import pace
import pytest

from engine.errors import SpecError
from engine.specs import AxisSpec, ExperimentSpec, FgsmSpec, PgdSpec, SweepSpec, TiSpec
from engine.sweep.impossible import impossible
from engine.sweep.points import Points


def spec_of(*axes: AxisSpec, mode: str = "grid", **given: object) -> ExperimentSpec:
    sweep = SweepSpec(axes=axes, mode=mode, points=20)  # type: ignore[arg-type]
    return ExperimentSpec(sweep=sweep).model_copy(update=given)


def values(field: str, *them: bool | int | float | str) -> AxisSpec:
    return AxisSpec(field=field, values=them)


def found(spec: ExperimentSpec) -> dict[str, tuple[object, ...]]:
    return {each.field: each.values for each in impossible(spec)}


def by_brute_force(spec: ExperimentSpec) -> dict[str, tuple[object, ...]]:
    """The oracle: every point is worked out."""
    points = Points(spec)
    alive: set[tuple[str, object]] = set()
    seen: dict[tuple[str, object], None] = {}
    for index in range(len(points)):
        here = list(points.values(index).items())
        seen |= dict.fromkeys(here)
        try:
            points.spec(index)
        except SpecError:
            continue
        alive |= set(here)
    dead = [each for each in seen if each not in alive]
    return {field: tuple(value for name, value in dead if name == field) for field, _ in dead}


def check(spec: ExperimentSpec) -> None:
    """What is said is what brute force finds; where no point works, the axes that are to blame are said alone."""
    told, dead = impossible(spec), by_brute_force(spec)
    if any(each.all_of_them for each in told):
        assert dead.keys() == {axis.field for axis in spec.sweep.axes}
        assert all(set(dead[axis.field]) == set(axis.values) for axis in spec.sweep.axes)
    else:
        assert {each.field: set(each.values) for each in told} == {field: set(them) for field, them in dead.items()}


def test_nothing_is_said_where_every_value_works() -> None:
    assert impossible(spec_of(values("model.width", 8, 16), values("seed", 0, 1))) == []
    assert impossible(ExperimentSpec()) == []


def test_a_value_out_of_its_range_is_named_with_the_reason() -> None:
    (told,) = impossible(spec_of(values("model.width", 8, 16), values("attack.restarts", 1, 0, 2, -3)))
    assert (told.field, told.values, told.all_of_them) == ("attack.restarts", (0, -3), False)
    assert told.reason.startswith("attack.restarts is 0: must be at least 1.")
    assert told.sentence.startswith(
        "attack.restarts = 0, -3 can never work: every point with one of these values fails."
    )
    assert told.reason in told.sentence and "\n" not in told.sentence


def test_an_axis_of_which_no_value_works_says_that_every_point_fails() -> None:
    (told,) = impossible(spec_of(values("model.channels", 8, 16)))
    assert told.all_of_them and told.values == (8, 16)
    assert "no value of model.channels can work, so every point fails" in told.sentence.lower()
    assert "It belongs to model.family = 'cnn'" in told.sentence


def test_many_values_are_told_in_one_line() -> None:
    (told,) = impossible(spec_of(AxisSpec(field="attack.eps", low=-1000.0, high=1.0, count=2003)))
    assert len(told.values) > 1000 and len(told.sentence) < 300
    assert "more" in told.sentence


def test_a_field_of_some_variants_is_possible_where_one_of_them_is_swept() -> None:
    families = values("model.family", "linear", "cnn")
    assert found(spec_of(families, values("model.channels", 4, 8))) == {"model.family": ("linear",)}
    both = spec_of(values("attack.method", "pgd", "apgd"), values("attack.steps", 5, 10))
    assert found(both) == {}


def test_what_only_goes_together_with_another_value_is_possible() -> None:
    start = values("attack.random_start", True, False)
    restarts = values("attack.restarts", 1, 4)
    assert found(spec_of(start, restarts)) == {}
    without = spec_of(restarts, attack=PgdSpec(random_start=False))
    (told,) = impossible(without)
    assert told.values == (4,) and "random start" in told.reason


def test_of_a_range_that_points_are_drawn_from_its_ends_are_looked_at() -> None:
    drawn = AxisSpec(field="attack.eps", low=-1.0, high=0.3)
    (told,) = impossible(spec_of(drawn, mode="random"))
    assert told.values == (-1.0,) and not told.all_of_them


def test_a_range_that_goes_past_what_is_allowed_on_both_sides_has_values_that_work() -> None:
    (told,) = impossible(spec_of(AxisSpec(field="model.width", low=-5, high=100_000), mode="random"))
    assert told.values == (-5, 100_000) and not told.all_of_them
    (told,) = impossible(spec_of(AxisSpec(field="attack.alpha", low=-1.0, high=1e6), mode="random"))
    assert told.values == (-1.0, 1e6) and not told.all_of_them, "its least is beyond 0"
    (told,) = impossible(spec_of(AxisSpec(field="model.width", low=-5, high=0), mode="random"))
    assert told.all_of_them


def test_of_numbers_that_must_be_odd_the_even_ones_are_to_blame_alone() -> None:
    kernels = values("attack.kernel", 2, 4, 7, 8)
    axes = (kernels, values("attack.steps", 5, 10))
    assert found(spec_of(*axes, attack=TiSpec())) == {"attack.kernel": (2, 4, 8)}
    drawn = spec_of(AxisSpec(field="attack.kernel", low=2, high=8), mode="random", attack=TiSpec())
    (told,) = impossible(drawn)
    assert told.values == (2, 8) and not told.all_of_them


@pytest.mark.parametrize("seed", range(12))
def test_it_agrees_with_working_every_point_out(seed: int) -> None:
    draw = random.Random(seed)
    choices = [
        values("attack.method", "pgd", "fgsm", "patch", "sequence"),
        values("attack.restarts", 1, 0, 3),
        values("attack.random_start", True, False),
        values("attack.steps", 5, -1),
        values("attack.eps", 0.1, -0.1),
        values("attack.norm", "Linf", "L2", "L1"),
        values("attack.goal", "untargeted", "next"),
        values("model.family", "mlp", "linear", "cnn"),
        values("model.width", 8, 0),
        values("model.channels", 4, 0),
        values("seed", 0, -1),
    ]
    axes = draw.sample(choices, 4)
    spec = spec_of(*axes, attack=draw.choice([PgdSpec(), PgdSpec(random_start=False), FgsmSpec()]))
    check(spec)


def test_it_takes_no_longer_for_millions_of_points() -> None:
    long = [AxisSpec(field=f"attack.{name}", low=1, high=50, count=50) for name in ("steps", "restarts", "samples")]
    spec = spec_of(*long, values("model.width", *range(1, 60)), attack=PgdSpec(random_start=False))
    assert len(Points(spec)) == 50**3 * 59
    assert pace.least(lambda: impossible(spec), 0.5) < 0.5
    (told,) = impossible(spec)
    assert told.field == "attack.restarts" and told.values == tuple(range(2, 51))


def test_a_large_axis_costs_little() -> None:
    fields = ("seed", "attack.samples", "training.epochs", "probe.samples")
    spec = spec_of(*(AxisSpec(field=name, low=0, high=9_999, count=10_000) for name in fields), mode="random")
    grid = spec_of(AxisSpec(field="seed", low=-9, high=9_990, count=10_000))
    assert pace.least(lambda: (found(spec), found(grid)), 0.5) < 0.5
    assert found(spec).keys() <= set(fields)
    assert found(grid) == {"seed": tuple(range(-9, 0))}


def test_all_pairs_of_these_axes_agree_too() -> None:
    these = [values("model.family", "mlp", "cnn"), values("model.depth", 0, 2, -1), values("model.channels", 8, -8)]
    for pair in itertools.permutations(these, 2):
        check(spec_of(*pair))
