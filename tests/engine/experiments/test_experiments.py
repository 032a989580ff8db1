"""Whole experiments: what they yield, what they reuse, and that they give the same numbers every time."""

from collections.abc import Iterator

import numpy as np
import pytest

from engine.errors import UserError
from engine.events import Artifact, Event, Frame, Progress, Record
from engine.experiments import artifact_keys, open_experiment
from engine.experiments.views import layer_taps, square
from engine.specs import (
    CnnSpec,
    ExperimentSpec,
    FgsmSpec,
    GaussianNoiseSpec,
    LinearSpec,
    MlpSpec,
    PgdSpec,
    ProbeSpec,
    TrainingSpec,
    UniformNoiseSpec,
)

SMALL = ExperimentSpec(
    model=MlpSpec(depth=2, width=24),
    training=TrainingSpec(epochs=2, learning_rate=0.005),
    attack=PgdSpec(eps=0.3, alpha=0.06, steps=8, samples=40),
    probe=ProbeSpec(samples=30, reference=60, bootstrap=100, every=10),
)


def run(name: str, spec: ExperimentSpec, given: dict[str, Artifact] | None = None) -> list[Event]:
    return list(open_experiment(name, spec, given or {}))


def artifacts(events: list[Event]) -> dict[str, Artifact]:
    return {event.name: event for event in events if isinstance(event, Artifact)}


def frames(events: list[Event], topic: str, phase: str | None = None) -> list[Frame]:
    return [e for e in events if isinstance(e, Frame) and e.topic == topic and (phase is None or e.phase == phase)]


def rows(events: list[Event], table: str) -> list[dict[str, object]]:
    return [dict(event.row) for event in events if isinstance(event, Record) and event.table == table]


def said(events: list[Event]) -> Iterator[tuple[object, ...]]:
    """Events as comparable values, bit for bit."""
    for event in events:
        match event:
            case Record(table, row):
                yield table, tuple(row.items())
            case Frame():
                yield event.topic, event.phase, event.step, tuple((k, v.tobytes()) for k, v in event.arrays.items())
            case Artifact():
                yield event.name, event.key, tuple((k, v.tobytes()) for k, v in event.arrays.items())
            case Progress():
                pass  # data that is still in memory is not read, and not told, again


@pytest.fixture(scope="module")
def story() -> list[Event]:
    return run("story", SMALL)


def test_the_story_shows_every_panel_and_keeps_its_results(story: list[Event]) -> None:
    topics = {event.topic for event in story if isinstance(event, Frame)}
    assert topics == {"dataset", "model", "gallery", "matrix/clean", "matrix/adversarial", "profile", "pairs"}
    assert set(artifacts(story)) == {"weights", "adversarial"}
    assert {event.table for event in story if isinstance(event, Record)} == {"steps", "epochs", "attack", "profile"}


def test_every_step_and_epoch_is_recorded_once_in_order(story: list[Event]) -> None:
    steps = [row["step"] for row in rows(story, "steps")]
    assert steps == list(range(1, len(steps) + 1))
    assert [row["epoch"] for row in rows(story, "epochs")] == [1, 2]
    assert len(frames(story, "gallery")) == SMALL.attack.steps + 1


def test_the_same_spec_gives_the_same_events_bit_for_bit(story: list[Event]) -> None:
    assert list(said(run("story", SMALL))) == list(said(story))


def test_another_seed_gives_other_weights(story: list[Event]) -> None:
    other = artifacts(run("train", SMALL.model_copy(update={"seed": 1})))["weights"]
    assert any(not np.array_equal(other.arrays[k], v) for k, v in artifacts(story)["weights"].arrays.items())


@pytest.mark.parametrize("every", [1, 1000])
def test_probing_never_changes_what_training_does(story: list[Event], every: int) -> None:
    spec = SMALL.model_copy(update={"probe": SMALL.probe.model_copy(update={"every": every, "samples": 10})})
    other = run("train", spec)
    assert rows(other, "steps") == rows(story, "steps")
    assert rows(other, "epochs") == rows(story, "epochs")
    for name, weights in artifacts(story)["weights"].arrays.items():
        assert np.array_equal(weights, artifacts(other)["weights"].arrays[name])


def test_a_later_step_uses_what_an_earlier_run_made(story: list[Event]) -> None:
    again = run("entangle", SMALL, artifacts(story))
    assert not rows(again, "steps")
    assert not frames(again, "gallery")
    measured, before = frames(again, "profile", "measure")[0], frames(story, "profile", "measure")[0]
    for name, values in before.arrays.items():
        assert np.array_equal(measured.arrays[name], values, equal_nan=True), name


def test_a_result_made_from_other_settings_is_not_used(story: list[Event]) -> None:
    changed = SMALL.model_copy(update={"training": TrainingSpec(epochs=1)})
    assert artifact_keys(changed)["weights"] != artifact_keys(SMALL)["weights"]
    assert rows(run("attack", changed, artifacts(story)), "steps")


def test_groups_and_controls_are_measured_on_both_networks(story: list[Event]) -> None:
    frame = frames(story, "profile", "measure")[0]
    mean, low, high = (frame.arrays[name] for name in ("mean", "low", "high"))
    assert np.isfinite(mean[:, :, 0]).all(), "every group has a correlation at every tap, trained and at initialisation"
    finite = np.isfinite(mean)
    assert (low[finite] <= mean[finite] + 1e-12).all()
    assert (mean[finite] <= high[finite] + 1e-12).all()
    names = [group["name"] for group in frame.info["groups"]]
    assert frame.arrays["count"][names.index("adv_target")] == SMALL.attack.samples
    assert frame.arrays["count"][names.index("same")] == SMALL.probe.samples


def test_at_initialisation_the_trained_and_the_initial_curve_are_one(story: list[Event]) -> None:
    mean = frames(story, "profile", "init")[0].arrays["mean"]
    assert np.array_equal(mean[0], mean[1], equal_nan=True)


def test_the_group_means_are_the_means_of_the_matrix(story: list[Event]) -> None:
    matrix, profile = frames(story, "matrix/clean", "measure")[0], frames(story, "profile", "measure")[0]
    labels = matrix.arrays["label"]
    upper = np.triu(np.ones((len(labels), len(labels)), dtype=bool), 1)
    names = [group["name"] for group in profile.info["groups"]]
    for view in (0, 1):
        for tap in range(len(matrix.info["taps"])):
            c = square(matrix, tap, view)
            for group, chosen in (("same", labels[:, None] == labels), ("different", labels[:, None] != labels)):
                expected = np.nanmean(c[upper & chosen])
                assert profile.arrays["mean"][0, view, 0, names.index(group), tap] == pytest.approx(expected, abs=1e-5)


def test_the_attack_moves_features_to_the_target_class_far_above_the_control(story: list[Event]) -> None:
    frame = frames(story, "profile", "measure")[0]
    names = [group["name"] for group in frame.info["groups"]]
    last = layer_taps(frame.info["taps"])[-2]  # the last hidden layer: the logits are what the attack asked for
    adversarial = frame.arrays["low"][0, 0, 0, names.index("adv_target"), last]
    control = frame.arrays["high"][0, 0, 0, names.index("random_target"), last]
    assert adversarial > control + 0.1


def test_the_random_control_moves_as_far_as_the_attack(story: list[Event]) -> None:
    import torch

    from engine.data import drain, load
    from engine.experiments.bench import Attacked
    from engine.experiments.probe import Probe
    from engine.models import build

    dataset = drain(load(SMALL.dataset, SMALL.seed))
    for norm in ("Linf", "L2"):
        spec = SMALL.model_copy(update={"attack": PgdSpec(norm=norm)})
        probe = Probe(spec, dataset, build(spec.model, dataset, spec.seed))
        x = torch.full((20, 1, 8, 8), 0.5)
        delta = torch.randn(x.shape, generator=torch.Generator().manual_seed(0)) * 0.01
        index = torch.arange(20)
        moved = probe.random_perturbation(Attacked(index, x, index % 10, x + delta, index % 10, index >= 0)) - x
        order = torch.inf if norm == "Linf" else 2
        size, wanted = (d.flatten(1).norm(order, dim=1) for d in (moved, delta))
        assert torch.allclose(size, wanted, rtol=1e-4)


@pytest.mark.parametrize(
    "spec",
    [
        SMALL.model_copy(update={"attack": FgsmSpec(norm="L2", eps=1.0, goal="untargeted", samples=20)}),
        SMALL.model_copy(update={"model": CnnSpec(depth=1, channels=4, width=16), "training": TrainingSpec(epochs=1)}),
        SMALL.model_copy(
            update={
                "dataset": GaussianNoiseSpec(features=16, classes=3, train_size=60, test_size=30),
                "model": LinearSpec(depth=3, width=8, bias=False),
            }
        ),
        SMALL.model_copy(
            update={
                "dataset": UniformNoiseSpec(features=16, classes=2, train_size=60, test_size=30),
                "attack": PgdSpec(goal="least-likely", steps=3, restarts=2, samples=10),
            }
        ),
        SMALL.model_copy(update={"probe": ProbeSpec(samples=4, reference=4, bootstrap=50, pairs=2, every=100)}),
    ],
    ids=["fgsm-l2-untargeted", "cnn", "gaussian-linear", "uniform-restarts", "smallest-probe"],
)
def test_the_story_runs_for_every_kind_of_data_network_and_attack(spec: ExperimentSpec) -> None:
    events = run("story", spec)
    assert frames(events, "profile", "measure")
    assert events[-1] == Progress(4, 4, "entanglement measured")


def test_closing_an_experiment_half_way_leaves_nothing_behind() -> None:
    import threading

    before = threading.active_count()
    events = open_experiment("story", SMALL, {})
    for _ in range(30):
        next(events)
    events.close()
    assert threading.active_count() == before
    with pytest.raises(StopIteration):
        next(events)


def test_a_loss_that_is_not_a_number_is_told_in_a_sentence() -> None:
    wild = SMALL.model_copy(
        update={"model": LinearSpec(depth=3), "training": TrainingSpec(optimizer="sgd", learning_rate=100.0)}
    )
    with pytest.raises(UserError, match="learning rate"):
        run("train", wild)


def test_data_that_is_not_there_is_told_in_a_sentence() -> None:
    from engine.specs import IdxSpec

    with pytest.raises(UserError, match="/nowhere"):
        run("story", SMALL.model_copy(update={"dataset": IdxSpec(folder="/nowhere")}))
