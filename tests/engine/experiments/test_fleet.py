"""Fleets of small networks: what they consist of, that they are the same every time, and that they are made once."""

from collections.abc import Iterator

import numpy as np
import pace
import pytest
import torch

from engine.errors import AttackError
from engine.events import Artifact, Event, Progress
from engine.experiments import artifact_keys
from engine.experiments.bench import Bench
from engine.experiments.fleet import Fleet, fleet_of, input_gradients, shapes, shortened
from engine.generators import drain
from engine.models import weights_to_arrays
from engine.specs import CnnSpec, ControlsSpec, ExperimentSpec, LinearSpec, MlpSpec, TrainingSpec

SMALL = ExperimentSpec(training=TrainingSpec(epochs=3, learning_rate=0.003), controls=ControlsSpec(networks=4))


def made(spec: ExperimentSpec, given: dict[str, Artifact] | None = None) -> tuple[Fleet, list[Event]]:
    bench = Bench(spec, given or {})
    events = [event for event in fleet_of(bench) if event is not None]
    assert bench.fleet is not None
    return bench.fleet, events


@pytest.fixture(scope="module")
def first() -> tuple[Fleet, list[Event]]:
    return made(SMALL)


def artifacts(events: list[Event]) -> Iterator[Artifact]:
    return (event for event in events if isinstance(event, Artifact))


def test_the_first_dozen_holds_each_width_with_each_depth_once() -> None:
    dozen = shapes(MlpSpec(), 12)
    assert len({(spec.depth, spec.width) for spec in dozen}) == 12
    assert len({(spec.depth, spec.activation) for spec in dozen}) == 12
    assert len({(spec.width, spec.activation) for spec in dozen}) == 9


def test_three_dozen_are_all_different_and_then_they_begin_anew() -> None:
    many = shapes(MlpSpec(), 40)
    assert len({(spec.depth, spec.width, spec.activation) for spec in many}) == 36
    assert many[36:] == many[:4]
    assert many[:7] == shapes(MlpSpec(), 7)


def test_shapes_keep_what_else_the_model_says() -> None:
    assert all(spec.bias is False and spec.init == "lecun" for spec in shapes(MlpSpec(bias=False, init="lecun"), 5))
    linear = shapes(LinearSpec(), 12)
    assert all(isinstance(spec, LinearSpec) for spec in linear) and len(set(map(str, linear))) == 12


@pytest.mark.parametrize(("side", "most"), [(8, 2), (28, 2), (3, 1), (2, 1)])
def test_convolutions_fit_the_image(side: int, most: int) -> None:
    found = shapes(CnnSpec(), 12, side)
    assert max(spec.depth for spec in found) == most
    assert len({(spec.width, spec.channels, spec.activation, spec.depth) for spec in found}) == 12


def test_training_is_cut_to_whole_epochs() -> None:
    assert shortened(TrainingSpec(epochs=20, batch_size=64), 1400).epochs == 20
    assert shortened(TrainingSpec(epochs=500, batch_size=64), 3000).epochs == 1000 // 47
    assert shortened(TrainingSpec(epochs=500, batch_size=1), 3000).epochs == 1


def test_every_network_learns_and_says_so(first: tuple[Fleet, list[Event]]) -> None:
    fleet, events = first
    texts = [event.text for event in events if isinstance(event, Progress)]
    assert any("network 4 of 4" in text for text in texts) and not any("network 5" in text for text in texts)
    assert min(member.accuracy for member in fleet.members) > 0.6
    assert [member.accuracy for member in fleet.members] == pytest.approx(fleet.right.double().mean(1).tolist())
    assert [member.penultimate.kind for member in fleet.members] == ["activation"] * 4
    assert [member.layers for member in fleet.members] == [1, 2, 3, 4]


def test_equal_seeds_give_equal_fleets_and_networks_of_one_fleet_differ(first: tuple[Fleet, list[Event]]) -> None:
    (kept,) = artifacts(first[1])
    (again,) = artifacts(made(SMALL)[1])
    assert kept.arrays.keys() == again.arrays.keys()
    assert all(np.array_equal(kept.arrays[name], again.arrays[name]) for name in kept.arrays)
    (other,) = artifacts(made(SMALL.model_copy(update={"seed": 1}))[1])
    assert not np.array_equal(kept.arrays["0.layers.linear1.weight"], other.arrays["0.layers.linear1.weight"])


def test_an_earlier_run_s_fleet_is_used_again_without_training(first: tuple[Fleet, list[Event]]) -> None:
    fleet, events = first
    (kept,) = artifacts(events)
    assert kept.key == artifact_keys(SMALL)["fleet"]
    again, events = made(SMALL, {"fleet": kept})
    assert not list(artifacts(events)) and not any(isinstance(e, Progress) and "epoch" in e.text for e in events)
    for a, b in zip(fleet.members, again.members, strict=True):
        one, two = weights_to_arrays(a.model), weights_to_arrays(b.model)
        assert all(np.array_equal(one[name], two[name]) for name in one)
        assert a.told() == b.told()


@pytest.mark.parametrize("change", [{"controls": ControlsSpec(networks=5)}, {"training": TrainingSpec(epochs=4)}])
def test_a_fleet_of_other_settings_is_not_used(first: tuple[Fleet, list[Event]], change: dict[str, object]) -> None:
    (kept,) = artifacts(first[1])
    assert Bench(SMALL, {"fleet": kept}).given("fleet") is kept
    assert Bench(SMALL.model_copy(update=change), {"fleet": kept}).given("fleet") is None


def test_a_bench_makes_its_fleet_once() -> None:
    bench = Bench(SMALL.model_copy(update={"training": TrainingSpec(epochs=1)}), {})
    assert drain(fleet_of(bench)) is drain(fleet_of(bench))


def test_inputs_seen_by_all_are_seen_by_all(first: tuple[Fleet, list[Event]]) -> None:
    fleet, _ = first
    chosen = fleet.seen_by_all(50)
    assert 10 < len(chosen) <= 50
    for member in fleet.members:
        with torch.no_grad():
            assert torch.equal(member.model(fleet.data.x_test[chosen]).argmax(1), fleet.data.y_test[chosen])


def test_too_few_inputs_seen_by_all_are_refused_in_a_sentence(first: tuple[Fleet, list[Event]]) -> None:
    fleet, _ = first
    with pytest.raises(AttackError, match=r"Only 0 of .* seen rightly by all 4 networks"):
        Fleet(fleet.members, fleet.data, fleet.order, torch.zeros_like(fleet.right)).seen_by_all(50)


def test_the_margin_s_gradient_is_its_slope(first: tuple[Fleet, list[Event]]) -> None:
    fleet, _ = first
    model = fleet.members[1].model.double()
    x, y = fleet.data.x_test[:3].double(), fleet.data.y_test[:3]
    margin, gradient = drain(input_gradients(model, x, y))
    step = 1e-6 * torch.randn(x.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    moved, _ = drain(input_gradients(model, x + step, y))
    assert (moved - margin).tolist() == pytest.approx((gradient * step.flatten(1)).sum(1).tolist(), rel=1e-4, abs=1e-12)
    model.float()


def test_it_breathes_often_enough_for_a_quick_cancel() -> None:
    assert pace.longest_breath(lambda: fleet_of(Bench(SMALL, {})), 0.2) < 0.2
