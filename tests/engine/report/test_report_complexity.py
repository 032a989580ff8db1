"""Complexity in a report: its figure with a caption that keeps theorem and analogy apart, its tests, its cells."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from engine.events import Frame, Record
from engine.experiments.complexity.law import Cell
from engine.report import write_report
from engine.report.complexity import complexity_figure, draw_tests
from engine.session import Session
from engine.specs import ExperimentSpec

CELLS = [
    Cell(n, n * k, 50, n * k / (n - 1.5), 0.3 * k, 0.03, 0.31 * k, 0.4, 0.7 * k, 0.05, 0.71 * k, -0.001)
    for n in (8, 16)
    for k in (1, 2)
]


def frame(done: bool = True) -> Frame:
    columns = {"parameters": [2e3, 4e3, 8e3, 3e4], "depth": [1.0, 2, 1, 2]}
    columns |= {"change": [0.1, 0.2, 0.15, 0.3], "initial_change": [0.08, 0.1, 0.1, 0.2]}
    test = {"name": "change ~ parameters", "label": "Parameters & boost", "unit": "network", "rho": 0.8, "p": 0.3}
    test |= {"low": -0.1, "high": 1.0, "n": 4, "wrong": "", "holm": 1.0}
    info = {
        "law": {
            "cells": [cell.told() for cell in CELLS],
            "largest": {"z": 0.4, "p": 0.99, "cells": 4, "critical": 2.5},
        },
        "untrained": [
            {"width": 8, "depth": d, "change": 0.1 * d, "error": 0.01, "law": None, "kind": ""} for d in (1, 2)
        ],
        "statistics": [test],
        "networks": [{}] * 4,
        "done": done,
    }
    return Frame("complexity", "measure", 0, {name: np.array(values) for name, values in columns.items()}, info)


def written(path: Path, done: bool) -> tuple[str, Path]:
    with Session.create(path / "copies", ExperimentSpec()) as session:
        run = session.begin_run("complexity", session.spec)
        recorder = session.recorder(run)
        for event in (
            frame(done),
            *(cell.record() for cell in CELLS),
            Record("complexity", {"network": "1x8 relu", "change": 0.1}),
        ):
            recorder.put(event)
        recorder.close("finished")
        write_report(session, path / "out")
    return (path / "out" / "report.html").read_text(encoding="utf-8"), path / "out"


def test_a_finished_run_has_its_figure_its_tests_and_its_cells(tmp_path: Path) -> None:
    page, folder = written(tmp_path, done=True)
    assert (folder / "figures" / "complexity.svg").is_file()
    section = page.split("<h2>Complexity and boost</h2>")[1].split("</figcaption>")[0]
    assert "theorem" in section and section.endswith("is an analogy. Run 1.")
    assert "Parameters &amp; boost" in page and "<h2>The law of linear networks</h2>" in page
    with (folder / "tables" / "complexity_laws.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(float(row["width"]), float(row["depth"])) for row in rows] == [(cell.width, cell.depth) for cell in CELLS]
    assert "relates to special relativity" in page and "undecided" in page  # four networks are too few


def test_a_run_that_was_stopped_has_no_figure(tmp_path: Path) -> None:
    page, folder = written(tmp_path, done=False)
    assert not (folder / "figures" / "complexity.svg").exists() and "Complexity and boost" not in page


def test_of_few_networks_a_correlation_has_no_interval() -> None:
    few = frame()
    few.info["statistics"][0] |= {"low": None, "high": None}
    assert "ρ = +0.80, p = 0.3" in complexity_figure(few).axes[3].get_title()
    axes = Figure().subplots()
    draw_tests(axes, few.info["statistics"])
    assert [list(line.get_xdata()) for line in axes.get_lines()] == [[0.8], [0, 0]]


def test_every_cell_is_drawn_beside_its_law() -> None:
    law, collapse, untrained, fleet = complexity_figure(frame()).axes
    lines = [line for line in law.get_lines() if line.get_linestyle() == "--"]
    assert [list(line.get_ydata()) for line in lines] == [
        pytest.approx([cell.law for cell in CELLS if cell.width == width]) for width in (8, 16)
    ]
    assert "0.40, p = 0.99" in law.get_title() and "0.001" in collapse.get_title()
    assert "no law is known" in untrained.get_title() and "ρ = +0.80 [-0.10, +1.00]" in fleet.get_title()
