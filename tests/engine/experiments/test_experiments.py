"""Whole experiments: what they yield, what they reuse, and that they give the same numbers every time."""

from collections.abc import Iterator

import numpy as np
import pace
import pytest

from engine.errors import UserError
from engine.events import Artifact, Event, Frame, Progress, Record
from engine.experiments import artifact_keys, open_experiment, shorter
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
    attack=PgdSpec(eps=0.3, alpha=0.06, steps=8, samples=40, stop=False),
    probe=ProbeSpec(samples=30, reference=60, bootstrap=100, every=10),
)


def run(name: str, spec: ExperimentSpec, given: dict[str, Artifact] | None = None) -> list[Event]:
    return [event for event in open_experiment(name, spec, given or {}) if event is not None]


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
    assert topics == {
        "dataset",
        "model",
        "gallery",
        "matrix/clean",
        "matrix/adversarial",
        "profile",
        "pairs",
        "structure",
    }
    assert set(artifacts(story)) == {"weights", "adversarial"}
    assert {event.table for event in story if isinstance(event, Record)} == {
        "steps", "epochs", "attack", "attack_samples", "attacked", "profile",
    }  # fmt: skip


def test_every_step_and_epoch_is_recorded_once_in_order(story: list[Event]) -> None:
    steps = [row["step"] for row in rows(story, "steps")]
    assert steps == list(range(1, len(steps) + 1))
    assert [row["epoch"] for row in rows(story, "epochs")] == [1, 2]
    assert len(frames(story, "gallery")) == SMALL.attack.steps + 1 + 1, "and one of the best points found"


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


def test_a_training_stopped_early_leaves_the_network_of_a_shorter_one() -> None:
    spec = SMALL.model_copy(update={"training": TrainingSpec(epochs=5)})
    kept: dict[str, Artifact] = {}
    for event in open_experiment("train", spec, {}):
        if isinstance(event, Artifact):
            kept[event.key] = event
        if isinstance(event, Record) and event.table == "epochs" and event.row["epoch"] == 4:
            break  # stopped in the fourth epoch
    short = shorter(spec, 3)
    stopped = kept[artifact_keys(short)["weights"]]
    whole = artifacts(run("train", short))["weights"]
    assert whole.key == stopped.key
    for name, weights in whole.arrays.items():
        assert np.array_equal(stopped.arrays[name], weights)
    assert not rows(run("attack", short, {"weights": stopped}), "steps"), "it is attacked as it is"


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
    assert events[-1] == Progress(3, 3, "entanglement measured")


def test_an_untargeted_attack_drives_failed_inputs_nowhere() -> None:
    spec = SMALL.model_copy(update={"attack": PgdSpec(goal="untargeted", eps=0.05, alpha=0.02, steps=4, samples=60)})
    events = run("story", spec)
    made = artifacts(events)["adversarial"].arrays
    missed = made["prediction"] == made["y"]
    assert 0 < missed.sum() < 60
    assert (made["target"][missed] == -1).all()
    assert (made["target"][~missed] == made["prediction"][~missed]).all()
    frame = frames(events, "profile", "measure")[0]
    names = [group["name"] for group in frame.info["groups"]]
    for group in ("adv_target", "clean_target", "random_target"):
        assert frame.arrays["count"][names.index(group)] == (~missed).sum()
    assert frame.arrays["count"][names.index("adv_true")] == 60


def test_restarts_are_counted_on_and_success_is_that_of_the_best(story: list[Event]) -> None:
    spec = SMALL.model_copy(
        update={"attack": PgdSpec(eps=0.15, alpha=0.05, steps=4, restarts=4, samples=60, stop=False)}
    )
    events = run("attack", spec)
    table = rows(events, "attack")
    assert [row["step"] for row in table] == list(range(21)), "the last row is of the best points found"
    so_far = [float(str(row["success_so_far"])) for row in table]
    assert so_far == sorted(so_far)
    assert so_far[-1] == pytest.approx(artifacts(events)["adversarial"].arrays["success"].mean())
    assert so_far[-1] > max(float(str(row["success_rate"])) for row in table[:5])
    assert frames(events, "gallery")[-1].arrays["first_success"].max() > 4


def test_one_test_sample_is_too_few_and_told_in_a_sentence() -> None:
    spec = SMALL.model_copy(update={"dataset": GaussianNoiseSpec(features=8, classes=2, train_size=20, test_size=2)})
    run("model", spec)
    one = spec.model_copy(update={"dataset": spec.dataset.model_copy(update={"test_size": 1})})
    with pytest.raises(UserError, match="in pairs"):
        run("model", one)


def test_experiments_leave_nothing_in_memory() -> None:
    import gc

    from engine.experiments.lens import Lens

    run("story", SMALL)
    gc.collect()
    assert not [each for each in gc.get_objects() if type(each) is Lens]


@pytest.mark.parametrize("model", [MlpSpec(depth=4, width=64), CnnSpec()], ids=["mlp", "cnn"])
def test_no_pull_takes_longer_than_a_cancel_may(model: MlpSpec | CnnSpec) -> None:
    spec = SMALL.model_copy(update={"model": model, "probe": ProbeSpec(every=1000), "training": TrainingSpec(epochs=1)})
    assert pace.longest_breath(lambda: open_experiment("story", spec, {}), 0.2) < 0.2


def test_closing_an_experiment_half_way_leaves_nothing_behind() -> None:
    import threading

    before = threading.active_count()
    events = open_experiment("story", SMALL, {})
    for _ in range(30):
        next(events)
    events.close()
    assert threading.active_count() <= before  # others may end meanwhile
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
