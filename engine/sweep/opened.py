"""A point of a sweep opened as a session of its own: its settings, its network, and what was measured on it."""

from __future__ import annotations

from pathlib import Path

from engine.events import Artifact, Event, Record
from engine.experiments.keys import artifact_keys
from engine.session import Session
from engine.specs import ExperimentSpec
from engine.sweep.store import PointRow, SweepStore

TABLE = "point"
"""The table that holds the row of the point, its axes first."""


def point_session(store: SweepStore, index: int, workdir: Path) -> Session:
    """A new session, without a file yet, that holds one point: its settings, and one run with what the sweep kept of it.

    A point that was trained has its network where Train would have put it, if the sweep kept networks; so it can be
    attacked and looked into at once. One that is not finished has its settings alone.

    Raises:
        IndexError: there is no such point.
        SpecError: its settings do not fit together.
        SessionError: the session cannot be written in ``workdir``.
    """
    point = store.row(index)
    spec = store.points.spec(index)
    session = Session.create(workdir, spec.model_copy(update={"title": _title(store, point)}))
    try:
        if point.status == "finished":
            _record(session, point, _events(store, point, session.spec))
    except BaseException:
        session.close()
        raise
    return session


def is_point(session: Session) -> bool:
    """Whether a session was made from a point of a sweep."""
    return any(TABLE in session.tables(run.id) for run in session.runs())


def _title(store: SweepStore, point: PointRow) -> str:
    settings = ", ".join(f"{field.rpartition('.')[2]} = {value}" for field, value in point.values.items())
    title = f"{store.spec.title}, point {point.id}" + (f": {settings}" if settings else "")
    return title if len(title) <= 200 else title[:199] + "…"


def _events(store: SweepStore, point: PointRow, spec: ExperimentSpec) -> list[Event]:
    events: list[Event] = [Record(TABLE, {"id": point.id, **point.values, **point.row})]
    if "test_accuracy" in point.row:
        names = ("train_loss", "train_accuracy", "test_accuracy", "test_samples")
        epoch = {"epoch": spec.training.epochs, **{name: point.row.get(name) for name in names}}
        events.append(Record("epochs", {**epoch, "step": None, "test_loss": None}))
    weights = store.weights(point.id)
    if weights is not None:
        events.append(Artifact("weights", artifact_keys(spec)["weights"], weights))
    return events


def _record(session: Session, point: PointRow, events: list[Event]) -> None:
    recorder = session.recorder(session.begin_run("train" if "test_accuracy" in point.row else "model", session.spec))
    try:
        for event in events:
            recorder.put(event)
    finally:
        recorder.close("finished")
