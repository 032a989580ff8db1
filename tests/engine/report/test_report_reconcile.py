"""The report of noise and of reconciliation: figures with captions, tables, and the word reconstruction wherever it belongs."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.events import Artifact, Frame, Record
from engine.experiments import open_experiment
from engine.report import reconcile, write_report
from engine.session import Session
from engine.specs import ExperimentSpec, MaxLikelihoodSpec, MlpSpec, ReconcileSpec, TrainingSpec

TINY = ExperimentSpec(
    title="Tiny",
    model=MlpSpec(depth=2, width=24),
    training=TrainingSpec(epochs=4, learning_rate=0.01),
    max_likelihood=MaxLikelihoodSpec(
        candidates=256, rows=16, depth=4, samples=12, unseen=40, descent_steps=30, descent_depth=2
    ),
    reconcile=ReconcileSpec(
        trials=2, decodings=10, steps=20, confidence=0.9, price_depth=4, price_pairs=10, price_ratio=4
    ),
)
LOOKS = ("max_likelihood", "reconciliation", "price")
TITLES = {
    "Noise and the MaxLikelihood network": "reconstruction",
    "The same by gradient descent": "control",
    "Reconciliation": "Reconciliation, not encryption",
    "Reconciliation against the angle": "Theorem",
    "The price of entangling first": "reconstruction",
}


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    with Session.create(tmp_path_factory.mktemp("copies"), TINY) as made:
        given: dict[str, Artifact] = {}
        for name in LOOKS:
            recorder = made.recorder(made.begin_run(name, TINY))
            for event in open_experiment(name, TINY, dict(given)):
                if isinstance(event, Frame | Record):
                    recorder.put(event)
                elif isinstance(event, Artifact):
                    given[event.name] = event
            recorder.close("finished")
        yield made


@pytest.fixture(scope="module")
def folder(session: Session, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("report")
    write_report(session, made)
    return made


def test_every_figure_is_drawn_and_its_caption_says_what_is_measured_known_and_reconstructed(folder: Path) -> None:
    page = (folder / "report.html").read_text(encoding="utf-8")
    captions = dict(re.findall(r"<h2>([^<]+)</h2><figure>.*?<figcaption>(.*?)</figcaption>", page, flags=re.S))
    for title, words in TITLES.items():
        assert words in captions[title], title
        assert re.search(r" Run \d\.$", captions[title]), title


def test_the_tables_have_the_numbers_of_the_frames(session: Session, folder: Path) -> None:
    frame = session.frame("reconciliation")
    assert frame is not None
    with (folder / "tables" / "reconciliation.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == frame.arrays["recovered"].size
    told = np.array([float(row["recovered"]) for row in rows]).reshape(-1, 4).T
    np.testing.assert_allclose(told, frame.arrays["recovered"])
    page = (folder / "report.html").read_text(encoding="utf-8")
    for title in (
        "Noise in the MaxLikelihood network",
        "Controls of zero loss on noise",
        "Reconciliation at every tap",
        "Controls of reconciliation",
        "The price of entangling first",
    ):
        assert f"<h2>{title}</h2>" in page


def test_controls_and_added_noise_have_their_intervals_in_tables(session: Session, folder: Path) -> None:
    for name, share in (
        ("noise_controls", "accuracy"),
        ("reconciliation_controls", "recovered"),
        ("reconciliation_noise", "recovered"),
    ):
        with (folder / "tables" / f"{name}.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        assert rows, name
        for row in rows:
            assert float(row["low"]) <= float(row[share]) <= float(row["high"]), (name, row)
            assert int(row["n"]) > 0


def test_counts_are_written_without_a_decimal_point(folder: Path) -> None:
    for name, column in (("price", "layers"), ("price", "distinct"), ("reconciliation_curve", "repetition")):
        with (folder / "tables" / f"{name}.csv").open(newline="") as file:
            assert all(row[column].isdigit() for row in csv.DictReader(file)), (name, column)


def test_a_class_without_a_test_image_shows_none_and_no_number(session: Session) -> None:
    frame = session.frame("reconciliation")
    assert frame is not None
    clean = {**frame.info["cases"][2], "seen": -1, "confidence": math.nan, "recovered": False}
    cases = [*frame.info["cases"][:2], clean, frame.info["cases"][3]]
    figure = reconcile.reconciliation_figure(replace(frame, info={**frame.info, "cases": cases}))
    said = [axes.get_xlabel() for part in figure.subfigs for axes in part.axes]
    assert "clean test image\nnone" in said and not any("nan" in text for text in said)


def test_distinct_hashes_are_a_share_of_the_identities_that_each_kind_has(session: Session) -> None:
    frame = session.frame("price")
    assert frame is not None
    figure = reconcile.price_figure(replace(frame, info={**frame.info, "counts": [10, 10, 5]}))
    for axes, distinct, count in zip(figure.axes, frame.arrays["distinct"], (10, 10, 5), strict=True):
        (line,) = (line for line in axes.lines if str(line.get_label()).startswith("distinct"))
        np.testing.assert_allclose(np.asarray(line.get_ydata()), distinct / count)
