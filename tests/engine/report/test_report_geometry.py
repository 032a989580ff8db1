"""The report of closer looks at the geometry: figures, tables, and verdicts with their runs."""

from __future__ import annotations

import csv
import html
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from engine.events import Artifact, Frame, Record
from engine.experiments import open_experiment
from engine.experiments.claims import CLAIMS, Claim, verdict
from engine.report import tables, write_report
from engine.session import Session
from engine.specs import ControlsSpec, ExperimentSpec, MlpSpec, PgdSpec, ProbeSpec, TrainingSpec

TINY = ExperimentSpec(
    title="Tiny",
    model=MlpSpec(depth=2, width=16),
    training=TrainingSpec(epochs=3, learning_rate=0.01),
    attack=PgdSpec(eps=0.3, alpha=0.1, steps=4, samples=24, stop=False),
    probe=ProbeSpec(samples=30, reference=40, bootstrap=50, pairs=8, every=50),
    controls=ControlsSpec(draws=3, repeats=2, memorised=40, networks=4, permutations=100, rows=200),
)
LOOKS = (
    "all_pairs",
    "null",
    "repeats",
    "layers",
    "bell",
    "structure",
    "takeover",
    "falsifier",
    "vulnerability",
    "transferability",
)
FIGURES = {"takeover", "all_pairs", "null", "layers", "bell", "structure"}


def put(session: Session, name: str, spec: ExperimentSpec, given: dict[str, Artifact] | None = None) -> int:
    """Run an experiment and record all it says; returns the run. What is given of earlier runs is used and added to."""
    given = {} if given is None else given
    run = session.begin_run(name, spec)
    recorder = session.recorder(run)
    for event in open_experiment(name, spec, dict(given)):
        if isinstance(event, Frame | Record):
            recorder.put(event)
        elif isinstance(event, Artifact):
            given[event.name] = event
    recorder.close("finished")
    return run


def without(claim: Claim) -> str:
    """What stands in a verdict's place."""
    return f"not run: {', '.join(claim.tested_by)}" if claim.tested_by else "not yet testable here"


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    with Session.create(tmp_path_factory.mktemp("copies"), TINY) as made:
        given: dict[str, Artifact] = {}
        for name in LOOKS:
            put(made, name, TINY, given)
        yield made


@pytest.fixture(scope="module")
def folder(session: Session, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("report")
    write_report(session, made)
    return made


@pytest.fixture(scope="module")
def page(folder: Path) -> str:
    return (folder / "report.html").read_text(encoding="utf-8")


def test_every_look_has_its_figure_with_a_caption_that_names_its_run(page: str, folder: Path) -> None:
    assert {path.stem for path in (folder / "figures").glob("*.svg")} >= FIGURES
    captions = dict(re.findall(r"<h2>([^<]+)</h2><figure>.*?<figcaption>(.*?)</figcaption>", page, flags=re.S))
    runs = {name: number for number, name in enumerate(LOOKS, 1)}
    for title, name in (
        ("Adversarial takeover", "takeover"),
        ("All pairs of the test set", "all_pairs"),
        ("Pairs beside their null", "null"),
        ("The parts of every layer", "layers"),
        ("Signs and the CHSH protocol", "bell"),
        ("Sets of features", "structure"),
    ):
        assert captions[title].startswith(("Measurement", "Theorem:"))
        assert captions[title].endswith(f"Run {runs[name]}."), title


def test_layers_are_compared_in_a_table_with_the_values_of_the_frame(page: str, session: Session) -> None:
    text = page.split("<h2>How alike layers are</h2>")[1].split("</table>")[0]
    frame = session.frame("structure", run=LOOKS.index("structure") + 1)
    assert frame is not None
    rows = [re.findall(r"<td[^>]*>([^<]*)", row) for row in text.split("<tr>")[2:]]
    names = [tap["name"] for tap in frame.info["taps"]]
    assert [row[0] for row in rows] == names
    layers, networks = frame.arrays["cka_layers"], frame.arrays["cka_networks"]
    for k, (before, last, untrained) in enumerate(tuple(row[1:]) for row in rows):
        assert before == (f"{layers[k, k - 1]:.4g}" if k else "–")
        assert (last, untrained) == (f"{layers[k, -2]:.4g}", f"{networks[k, k]:.4g}")


def test_verdicts_are_a_table_as_well_one_row_a_number(folder: Path, session: Session) -> None:
    with (folder / "tables" / "claims.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(dict.fromkeys(row["claim"] for row in rows)) == [claim.key for claim in CLAIMS]
    frames = {name: frame for name in LOOKS if (frame := session.frame(name)) is not None}
    for claim in CLAIMS:
        own = [row for row in rows if row["claim"] == claim.key]
        found = verdict(claim, frames)
        assert {row["verdict"] for row in own} == {found.word if found else without(claim)}
        if found and found.numbers:
            assert [row["value"] for row in own] == ["" if np.isnan(n.value) else str(n.value) for n in found.numbers]
        else:
            assert len(own) == 1


def test_every_table_of_the_looks_is_written(session: Session, folder: Path) -> None:
    written = {path.stem for path in (folder / "tables").glob("*.csv")}
    assert written >= {*LOOKS, "transferability_pairs"}
    with (folder / "tables" / "layers.csv").open(newline="") as file:
        first = next(csv.DictReader(file))
    assert first["layer"] == "1", "counts have no decimal point"


def test_the_takeover_table_has_the_numbers_of_the_frame(page: str, session: Session) -> None:
    for name in ("takeover", "falsifier"):
        frame = session.frame(name)
        assert frame is not None
        for row in range(len(frame.info["names"])):
            mean, low, high = (frame.arrays[f"all_{end}"][row, -2] for end in ("mean", "low", "high"))
            assert f"{mean:+.3f} [{low:+.3f}, {high:+.3f}]" in page, (name, row)


def test_the_null_stands_beside_theory_and_trained_networks(page: str, session: Session) -> None:
    table = page.split("<h2>Null</h2>")[1].split("</table>")[0]
    frame, trained = session.frame("null"), session.frame("repeats")
    assert frame is not None
    assert trained is not None
    for kept in (frame, trained):
        mean, low, high = (kept.arrays[end][0, 0, 0, -2] for end in ("mean", "low", "high"))
        assert f"{mean:+.3f} [{low:+.3f}, {high:+.3f}]" in table
    assert f"{frame.arrays['theory'][0, 0, 0, -2]:+.3f}" in table
    assert "in 3 networks" in table


def test_the_wrong_p_value_is_struck_out_and_explained(page: str) -> None:
    transfer = page.split("<h2>Transfer</h2>")[1].split("</table>")[0]
    assert transfer.count("<s>") == 3 * 4  # of three similarities, for each of the four attacks that are shown
    assert "pairs that share a network are not independent" in transfer
    assert "<h2>Vulnerability</h2>" in page


def test_verdicts_are_those_of_the_claims_board(page: str, session: Session) -> None:
    frames = {name: frame for name in LOOKS if (frame := session.frame(name)) is not None}
    board = page.split("<h2>Claims</h2>")[1].split("</table>")[0]
    rows = board.split("<tr>")[2:]
    assert len(rows) == len(CLAIMS)
    for claim, row in zip(CLAIMS, rows, strict=True):
        assert html.escape(claim.text) in row
        found = verdict(claim, frames)
        if found is None:
            assert without(claim) in row
        else:
            assert f"<b>{found.word}</b>" in row
            assert html.escape(found.control) in row
            for name in claim.tested_by:
                assert f"{name}, run " in row


# --- no verdict ---------------------------------------------------------------------------------------------------


def test_without_a_run_there_is_no_section_and_with_a_part_no_verdict(tmp_path: Path) -> None:
    with Session.create(tmp_path, TINY) as part:
        assert tables.claims(part) == ""
        put(part, "null", TINY)
        board = tables.claims(part)
    assert "<b>" not in board
    assert "not run: repeats" in board


def test_runs_of_different_settings_give_no_verdict(tmp_path: Path) -> None:
    wider = TINY.model_copy(update={"model": MlpSpec(depth=2, width=24)})
    with Session.create(tmp_path, TINY) as mixed:
        put(mixed, "null", TINY)
        put(mixed, "repeats", wider)
        board = tables.claims(mixed)
        assert "<b>" not in board
        assert "made with different settings<br><small>repeats, run 2, null, run 1</small>" in board
        put(mixed, "null", wider)
        assert "<b>" in tables.claims(mixed)


def test_another_attack_does_not_part_runs_that_know_no_attack(tmp_path: Path) -> None:
    other = TINY.model_copy(update={"attack": PgdSpec(eps=0.1, samples=24)})
    with Session.create(tmp_path, TINY) as mixed:
        put(mixed, "null", TINY)
        put(mixed, "repeats", other)
        assert "<b>" in tables.claims(mixed)


def test_a_takeover_that_was_cut_off_is_not_reported(tmp_path: Path) -> None:
    with Session.create(tmp_path, TINY) as part:
        recorder = part.recorder(part.begin_run("takeover", TINY))
        info = {"done": False, "taps": [], "names": [], "labels": [], "inputs": 0, "success": 0.0}
        recorder.put(Frame("takeover", "measure", 0, {"step": np.zeros(1)}, info))
        recorder.close("cancelled")
        assert tables.takeover(part) == ""
        page = write_report(part, tmp_path / "out").read_text(encoding="utf-8")
    assert "<svg" not in page


def test_what_was_not_measured_has_a_dash_and_no_figure_of_its_own(tmp_path: Path) -> None:
    with Session.create(tmp_path, TINY) as part:
        put(part, "null", TINY)
        table = tables.null(part)
    assert re.search(r"<td class=n>–(<tr>|</table>)", table), "no network was trained anew"


def test_a_figure_of_nothing_above_zero_has_an_ordinary_axis(tmp_path: Path) -> None:
    """Collapse of samples that are all the same is exactly 0, which no logarithm can show."""
    from engine.report.canvas import logarithmic, new_figure, plain

    for values, scale in (([0.0, 0.0], "linear"), ([0.0, np.nan], "linear"), ([0.0, 0.5], "log")):
        figure = new_figure()
        axes = plain(figure.subplots())
        axes.plot([0, 1], values)
        logarithmic(axes)
        assert axes.get_yscale() == scale
        figure.savefig(tmp_path / "figure.svg")
