"""The report: everything it shows is in the session, and it says which settings made it."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np
import pytest
from attack_tables import FIXED, INF, attacked_table, fast

from engine.errors import ReportError
from engine.events import Frame, Record
from engine.experiments.attack_results import summary
from engine.experiments.attack_session import read_attacks
from engine.lab import Lab
from engine.report import write_report
from engine.report.attacks import results
from engine.report.attacks import table as attack_tables_of
from engine.runtime import Failed, Finished
from engine.session import Session, Table
from engine.specs import (
    DeepFoolSpec,
    ExperimentSpec,
    GaussianNoiseSpec,
    MlpSpec,
    PatchSpec,
    PgdSpec,
    ProbeSpec,
    TrainingSpec,
)

TINY = ExperimentSpec(
    title="Tiny <b>& bold</b>",
    model=MlpSpec(depth=2, width=16),
    training=TrainingSpec(epochs=2, learning_rate=0.01),
    attack=PgdSpec(eps=0.3, alpha=0.1, steps=4, samples=16),
    probe=ProbeSpec(samples=20, reference=40, bootstrap=50, pairs=8, every=5),
)


def run(session: Session, experiment: str, spec: ExperimentSpec) -> None:
    lab = Lab(session)
    ends: list[object] = []
    announce = lab.mailbox.announce
    lab.mailbox.announce = lambda event: ends.append(event) or announce(event)  # type: ignore[method-assign, func-returns-value]
    lab.start()
    lab.run(experiment, spec)
    while not any(isinstance(end, Finished) for end in ends):
        assert lab.engine.alive and not any(isinstance(end, Failed) for end in ends), ends
        lab.engine._thread.join(0.01)
    lab.close()


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Session:
    with Session.create(tmp_path_factory.mktemp("copies"), TINY) as made:
        run(made, "story", TINY)
        yield made


@pytest.fixture(scope="module")
def folder(session: Session, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("report")
    assert write_report(session, made) == made / "report.html"
    return made


def test_every_figure_is_on_the_page_and_in_files(folder: Path) -> None:
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 6
    assert page.count("<figcaption>") == 6
    for name in ("training", "gallery", "attacks", "profile", "matrices", "spacetime"):
        assert (folder / "figures" / f"{name}.svg").read_text(encoding="utf-8").startswith("<?xml")
        assert (folder / "figures" / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_the_page_needs_nothing_from_elsewhere(folder: Path) -> None:
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert set(re.findall(r"(?:src|href)=[\"']?(#|data:|[^\"']{1,20})", page)) <= {"#", "data:"}


def test_what_a_person_named_is_text_and_not_markup(folder: Path) -> None:
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "<b>&" not in page
    assert "Tiny &lt;b&gt;&amp; bold" in page


def test_the_numbers_are_those_of_the_session(folder: Path, session: Session) -> None:
    page = (folder / "report.html").read_text(encoding="utf-8")
    accuracy = session.table(1, "epochs").column("test_accuracy")[-1]
    assert f"{accuracy:.1%} [" in page, "with its interval"
    frame = session.frame("profile")
    assert frame is not None
    group = [g["name"] for g in frame.info["groups"]].index("adv_target")
    mean, low, high = (frame.arrays[name][0, 0, 0, group, -2] for name in ("mean", "low", "high"))
    assert f"{mean:+.3f} [{low:+.3f}, {high:+.3f}]" in page


def test_every_caption_says_what_kind_of_statement_it_is(folder: Path) -> None:
    page = (folder / "report.html").read_text(encoding="utf-8")
    for caption in re.findall(r"<figcaption>(.*?)</figcaption>", page):
        assert caption.startswith(("Measurement.", "Theorem:", "Analogy:"))


def test_the_settings_are_those_that_the_numbers_were_made_with(tmp_path: Path) -> None:
    with Session.create(tmp_path / "copies", TINY) as session:
        run(session, "data", TINY)
        session.set_spec(TINY.model_copy(update={"training": TrainingSpec(epochs=77)}))
        page = write_report(session, tmp_path / "out").read_text(encoding="utf-8")
    assert "epochs = 2" in page
    assert "epochs = 77" not in page
    assert "Settings of run 1" in page


def test_the_tables_hold_every_row(folder: Path, session: Session) -> None:
    for name in ("steps", "epochs", "attack", "attack_samples", "attacked", "profile"):
        with (folder / "tables" / f"{name}.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        table = session.table(1, name)
        assert len(rows) == len(table)
        assert set(rows[0]) == {"run", *table.columns}
        for column in table.columns:
            values = table.column(column)
            if values.dtype != object:
                assert np.array_equal([float(row[column]) for row in rows], values, equal_nan=True)


def test_a_session_with_nothing_in_it_makes_a_page_without_figures(tmp_path: Path) -> None:
    with Session.create(tmp_path / "copies", TINY) as empty:
        page = write_report(empty, tmp_path / "out").read_text(encoding="utf-8")
    assert "<svg" not in page
    assert "Settings" in page


@pytest.mark.parametrize("experiment", ["data", "model", "train"])
def test_a_session_that_went_part_of_the_way_makes_a_page(tmp_path: Path, experiment: str) -> None:
    noise = TINY.model_copy(update={"dataset": GaussianNoiseSpec(features=8, classes=2, train_size=64, test_size=32)})
    with Session.create(tmp_path / "copies", noise) as part:
        run(part, experiment, noise)
        page = write_report(part, tmp_path / "out").read_text(encoding="utf-8")
    assert page.count("<svg") == {"data": 0, "model": 3, "train": 4}[experiment]


def test_a_folder_that_cannot_be_written_is_told_in_a_sentence(session: Session, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(ReportError, match="taken"):
        write_report(session, tmp_path / "taken")


@pytest.fixture(scope="module")
def in_another_style(session: Session, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the same session, written by a program that draws its own figures otherwise."""
    import matplotlib

    made = tmp_path_factory.mktemp("again")
    with matplotlib.rc_context({"font.size": 23, "axes.facecolor": "black"}):
        before = dict(matplotlib.rcParams)
        write_report(session, made)
        assert dict(matplotlib.rcParams) == before
    return made


def test_two_reports_of_one_session_have_the_same_figures(folder: Path, in_another_style: Path) -> None:
    for figure in sorted((folder / "figures").glob("*.png")):
        assert figure.read_bytes() == (in_another_style / "figures" / figure.name).read_bytes(), figure.name


# --- attacks -----------------------------------------------------------------------------------------------------


def test_the_attacks_are_listed_with_their_intervals_and_the_worst_case(folder: Path, session: Session) -> None:
    page = (folder / "report.html").read_text(encoding="utf-8")
    _, (attack,) = read_attacks(session)
    found = summary(attack)
    assert f"<td>{attack.label}<td class=n>16" in page
    for interval in (found.robust, found.success):
        assert f"{interval.value:.1%} [{interval.low:.1%}, {interval.high:.1%}]" in page
    assert "Worst case over all attacks on the same network and samples: L∞ ≤ 0.3" in page


def session_with(tmp_path: Path, *attacks: tuple[ExperimentSpec, Table]) -> Session:
    session = Session.create(tmp_path / "copies", attacks[0][0])
    for spec, rows in attacks:
        recorder = session.recorder(session.begin_run("attack", spec))
        for k in range(len(rows)):
            recorder.put(Record("attacked", rows.row(k)))
        recorder.close("finished")
    return session


def test_a_patch_is_a_point_at_the_values_that_it_changed(tmp_path: Path) -> None:
    spec = FIXED.model_copy(update={"attack": PatchSpec(size=0.3)})
    with session_with(tmp_path, (spec, attacked_table([4, 6, INF, INF], norm="L0", eps=6))) as session:
        figure = results(session)
        table = attack_tables_of(session)
    left, right = figure.axes
    assert left.get_xlabel() == "ε, L0 (values changed)"
    assert right.get_xlabel() == "‖x_adv − x‖, L0 (values changed)"
    points = [tuple(float(v) for v in line.get_xydata()[0]) for line in left.lines if line.get_marker() == "o"]
    assert points == [(6.0, 0.5)]
    assert left.get_xlim()[1] > 6
    assert "<td class=n>size 0.3" in table


def test_a_fixed_budget_is_told_and_a_smallest_norm_gets_its_median(tmp_path: Path) -> None:
    small = FIXED.model_copy(update={"attack": DeepFoolSpec()})
    rows = attacked_table([0.5, 0.5, 0.5], norm="L2")
    with session_with(tmp_path, (FIXED, attacked_table([0.1, 0.1, INF])), (small, rows)) as session:
        figure = results(session)
        table = attack_tables_of(session)
    assert "<td class=n>ε = 0.1<td" in table
    assert "<td class=n>0.5 [0.5, 0.5]" in table
    labels = [line.get_label() for line in figure.axes[0].lines]
    assert "1 · PGD, L∞, ε = 0.1 (n = 3), right only" in labels, "it is bounded in another norm than the axis shows"


def test_figures_have_the_style_of_the_report_and_leave_that_of_others_alone(in_another_style: Path) -> None:
    drawn = (in_another_style / "figures" / "training.svg").read_text(encoding="utf-8")
    assert ">accuracy</text>" in drawn, "text is text, not outlines"
    assert "23px" not in drawn
    assert "#000000" not in drawn.lower().split('<g id="axes_1">')[1].split("</g>")[0]


def test_several_attacks_and_closer_looks_have_their_figures(tmp_path: Path) -> None:
    with Session.create(tmp_path / "copies", FIXED) as session:
        recorder = session.recorder(session.begin_run("attack", FIXED))
        recorder.put(Record("attack", {"step": 0, "samples": 4, "stage": "", "success_so_far": 0.5}))
        rows = attacked_table([0.1, 0.1, INF, INF], random_success=[0, 0, 1, 0])
        for k in range(4):
            recorder.put(Record("attacked", rows.row(k)))
        recorder.put(map_frame())
        recorder.put(matrix_frame())
        recorder.close("finished")
        recorder = session.recorder(session.begin_run("attack", fast()))
        recorder.put(Record("attack_samples", {"step": 0, "margin 0": 1.0}))
        recorder.put(Record("attacked", attacked_table([INF]).row(0)))
        recorder.close("finished")
        page = write_report(session, tmp_path / "out").read_text(encoding="utf-8")
    assert page.count("<svg") == 3
    for name in ("attacks", "decision_map", "class_matrix"):
        assert (tmp_path / "out" / "figures" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    assert page.count("<td>2 · FGSM") == 1
    with (tmp_path / "out" / "tables" / "attacked.csv").open(newline="") as file:
        exported = list(csv.DictReader(file))
    assert [row["run"] for row in exported] == ["1"] * 4 + ["2"]
    assert [row["random_success"] for row in exported] == ["0", "0", "1", "0", ""], "the second run has no such column"
    assert exported[0]["sample"] == "100", "counts have no decimal point"


def map_frame() -> Frame:
    a, _ = np.meshgrid(np.linspace(-1, 3, 9), np.linspace(-1, 3, 9))
    arrays = {
        "prediction": np.where(a < 1, 0, 1).astype(np.int16),
        "margin": (1 - a).astype(np.float32),
        "extent": np.array([-1.0, 3.0, -1.0, 3.0]),
        "points": np.array([[0.0, 0.0], [1.5, 0.0], [1.0, 2.0]]),
        "ball": np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]),
    }
    return Frame("decision_map", "map", 0, arrays, {"third_index": -1, "classes": ["a", "b"]})


def matrix_frame() -> Frame:
    count = np.array([[0, 5], [5, 0]])
    arrays = {"success": np.array([[0, 2], [5, 0]]), "count": count}
    return Frame("class_matrix", "matrix", 2, arrays, {"classes": ["a", "b"]})
