"""Robustness in the report: its figure, its tables, and nothing where nothing was measured."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.events import Frame, Record
from engine.experiments import open_experiment
from engine.report import robustness, write_report
from engine.session import Session
from engine.specs import ExperimentSpec, HardeningSpec, MlpSpec, RobustnessSpec, TrainingSpec

TINY = ExperimentSpec(
    title="Tiny",
    model=MlpSpec(depth=2, width=16),
    training=TrainingSpec(epochs=2, learning_rate=0.01),
    robustness=RobustnessSpec(samples=20, budgets=3, steps=3, queries=10),
    hardening=HardeningSpec(pgd_at=False, trades=False, smoothing=False, noise=False),
)


@pytest.fixture(scope="module", params=[False, True], ids=["one network", "two"])
def session(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    settings = TINY.robustness.model_copy(update={"hardened": request.param})
    spec = TINY.model_copy(update={"robustness": settings})
    with Session.create(tmp_path_factory.mktemp("copies"), spec) as made:
        recorder = made.recorder(made.begin_run("robustness", spec))
        for event in open_experiment("robustness", spec, {}):
            if isinstance(event, Frame | Record):
                recorder.put(event)
        recorder.close("finished")
        yield made


def test_the_report_has_curves_norms_and_signs(session: Session, tmp_path: Path) -> None:
    page = write_report(session, tmp_path).read_text(encoding="utf-8")
    assert (tmp_path / "figures" / "robustness.svg").exists()
    for name in ("robustness", "robustness_norms", "robustness_signs"):
        assert (tmp_path / "tables" / f"{name}.csv").exists()
    frame = session.frame("robustness")
    assert frame is not None and robustness.CAPTION in page
    networks = len(frame.info["networks"])
    assert page.count("<b>worst case</b>") == networks and page.count("<td>Unbounded attack") == networks
    value, low, high = (100 * frame.arrays[end][0, 1] for end in ("worst", "worst_low", "worst_high"))
    assert f"{value:.1f} [{low:.1f}, {high:.1f}]" in page


def test_without_a_run_there_is_nothing(tmp_path: Path) -> None:
    with Session.create(tmp_path, TINY) as empty:
        assert robustness.figure(empty) is None and robustness.table(empty) == ""
