"""A point opened: a session in which Train is done."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.events import Artifact, Frame, Record
from engine.experiments import KEPT_NETWORK, artifact_keys, open_experiment
from engine.generators import drain
from engine.report.headlines import shares
from engine.session import pack
from engine.specs import AxisSpec, ExperimentSpec, MlpSpec, PgdSpec, ProbeSpec, SweepSpec, TrainingSpec
from engine.sweep.measure import measured
from engine.sweep.opened import is_point, point_session
from engine.sweep.store import SweepStore
from engine.sweep.work import Outcome

SPEC = ExperimentSpec(
    title="Widths",
    model=MlpSpec(depth=1, width=16),
    training=TrainingSpec(epochs=1, learning_rate=0.01, batch_size=200),
    attack=PgdSpec(steps=2, samples=20),
    probe=ProbeSpec(samples=20, reference=40, bootstrap=50, pairs=8, every=100),
    sweep=SweepSpec(axes=(AxisSpec(field="model.width", values=(4, 8, 12)),), reach="trained"),
)


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> SweepStore:
    """Point 1 is finished with its network, point 2 without, point 0 waits."""
    store = SweepStore.create(tmp_path_factory.mktemp("sweep") / "widths.sweep", SPEC)
    for index in (1, 2):
        found = drain(measured(store.points.spec(index), "trained", False))
        weights = pack(found.weights) if index == 1 else None
        store.finish(Outcome(index, found.row, weights, seconds=0.1))
    yield store
    store.close()


def test_its_network_is_taken_for_the_trained_one(sweep: SweepStore, tmp_path: Path) -> None:
    with point_session(sweep, 1, tmp_path) as session:
        assert session.spec.model.width == 8
        key = artifact_keys(session.spec)["weights"]
        given = {"weights": session.artifact("weights", key)}
        assert given["weights"] is not None
        events = [each for each in open_experiment("attack", session.spec, given) if isinstance(each, Record)]
    tables = {event.table for event in events}
    assert "attack" in tables
    assert "steps" not in tables, "nothing is trained again"


def test_its_data_and_its_trained_network_are_shown_without_training(sweep: SweepStore, tmp_path: Path) -> None:
    with point_session(sweep, 1, tmp_path) as session:
        assert is_point(session)
        weights = session.artifact("weights", artifact_keys(session.spec)["weights"])
        assert weights is not None
        events = list(open_experiment(KEPT_NETWORK, session.spec, {"weights": weights}))
        own = list(open_experiment("train", session.spec, {}))
    shown = [event for event in events if isinstance(event, Frame)]
    assert [frame.topic for frame in shown[:2]] == ["dataset", "model"]
    assert not any(isinstance(event, Record | Artifact) for event in events), "it makes nothing of its own"
    # the last picture of the network is that of the training which the sweep did
    trained = [event for event in own if isinstance(event, Frame) and event.phase == "train"]
    last = {frame.topic: frame for frame in trained if frame.step == trained[-1].step}
    mine = {frame.topic: frame for frame in shown if frame.phase == "train"}
    assert mine.keys() == last.keys() and "matrix/clean" in mine
    for topic, frame in mine.items():
        assert (frame.step, frame.keep) == (last[topic].step, True)
        for name, values in frame.arrays.items():
            np.testing.assert_array_equal(values, last[topic].arrays[name])


def test_without_its_network_the_untrained_one_is_shown(sweep: SweepStore, tmp_path: Path) -> None:
    with point_session(sweep, 2, tmp_path) as session:
        events = list(open_experiment(KEPT_NETWORK, session.spec, {}))
    assert {event.phase for event in events if isinstance(event, Frame)} == {"data", "init"}


def test_its_run_has_its_row(sweep: SweepStore, tmp_path: Path) -> None:
    row = sweep.row(1).row
    with point_session(sweep, 1, tmp_path) as session:
        (run,) = session.runs()
        assert (run.experiment, run.status) == ("train", "finished")
        point = session.table(1, "point").row(0)
        assert point["model.width"] == 8
        assert point["test_accuracy"] == row["test_accuracy"]
        (share,) = shares(session)
        assert (share.value, share.n) == (row["test_accuracy"], row["test_samples"])
        assert share.low == pytest.approx(row["test_low"])
        assert session.spec.title == "Widths, point 1: width = 8"


def test_a_point_without_its_network_is_to_be_trained_anew_and_comes_out_the_same(
    sweep: SweepStore, tmp_path: Path
) -> None:
    with point_session(sweep, 2, tmp_path) as session:
        assert not session.has_artifact("weights", artifact_keys(session.spec)["weights"])
        again = drain(measured(session.spec, "trained", False))
    assert again.row["test_accuracy"] == sweep.row(2).row["test_accuracy"]
    assert np.isfinite(again.row["train_loss"])


def test_a_point_that_waits_opens_with_its_settings(sweep: SweepStore, tmp_path: Path) -> None:
    with point_session(sweep, 0, tmp_path) as session:
        assert session.spec.model.width == 4
        assert session.runs() == []


def test_there_is_no_point_beyond_the_last(sweep: SweepStore, tmp_path: Path) -> None:
    with pytest.raises(IndexError):
        point_session(sweep, 3, tmp_path)
    assert not list(tmp_path.iterdir())
