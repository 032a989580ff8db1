"""Every panel that shows results: its text, its picture, its drawing and its numbers."""

from __future__ import annotations

import csv
from itertools import groupby
from xml.etree import ElementTree

import frames
import hardening_frames
import look_frames
import noise_frames
import pytest
import reconcile_frames
import relation_frames
import robustness_frames
from attack_tables import INF, attack_run, smallest
from PySide6.QtGui import QImage

from gui.helptext import read_help
from gui.panels.all_pairs import AllPairsPanel
from gui.panels.attack_gallery import GalleryPanel
from gui.panels.attack_results import ResultsPanel
from gui.panels.bell.panel import BellPanel
from gui.panels.claims.panel import ClaimsPanel
from gui.panels.class_matrix import ClassMatrixPanel
from gui.panels.compare import ComparePanel
from gui.panels.correlation_matrix import MatrixPanel
from gui.panels.curves.panel import CurvesPanel
from gui.panels.dataset_gallery import DatasetPanel
from gui.panels.decision_map import DecisionMapPanel
from gui.panels.hardening.panel import HardeningPanel
from gui.panels.model_summary import ModelPanel
from gui.panels.noise.panel import NoisePanel
from gui.panels.profile.panel import ProfilePanel
from gui.panels.reconcile.panel import ReconcilePanel
from gui.panels.relations import RelationsPanel
from gui.panels.robustness.panel import RobustnessPanel
from gui.panels.spacetime_diagram import SpacetimePanel
from gui.panels.structure import StructurePanel
from gui.panels.takeover import TakeoverPanel
from gui.panels.training_curves import TrainingPanel

PANELS = [
    DatasetPanel,
    TrainingPanel,
    HardeningPanel,
    GalleryPanel,
    MatrixPanel,
    ProfilePanel,
    SpacetimePanel,
    ComparePanel,
    ModelPanel,
    CurvesPanel,
    ResultsPanel,
    DecisionMapPanel,
    ClassMatrixPanel,
    TakeoverPanel,
    BellPanel,
    StructurePanel,
    AllPairsPanel,
    RelationsPanel,
    ReconcilePanel,
    NoisePanel,
    RobustnessPanel,
    ClaimsPanel,
]


def fill(panel):
    makers = {
        "dataset": frames.dataset_frame,
        "gallery": frames.gallery_frame,
        "matrix/clean": frames.matrix_frame,
        "profile": frames.profile_frame,
        "pairs": frames.pairs_frame,
        "model": frames.model_frame,
        "decision_map": frames.decision_map_frame,
        "class_matrix": frames.class_matrix_frame,
        "robustness": robustness_frames.robustness_frame,
        "takeover": look_frames.takeover_frame,
        "falsifier": look_frames.falsifier_frame,
        "bell": look_frames.bell_frame,
        "structure": look_frames.structure_frame,
        "hardening": hardening_frames.hardening_frame,
        "all_pairs": look_frames.all_pairs_frame,
        "vulnerability": relation_frames.vulnerability_frame,
        "max_likelihood": noise_frames.max_likelihood_frame,
        "noise_descent": noise_frames.noise_descent_frame,
        "transferability": relation_frames.transferability_frame,
        "reconciliation": reconcile_frames.reconciliation_frame,
        "reconciliation_curve": reconcile_frames.curve_frame,
        "price": reconcile_frames.price_frame,
    }
    for topic in panel.topics:
        if topic in makers:
            panel.show_frame(makers[topic]())
    if "steps" in panel.tables:
        panel.show_records("steps", frames.steps_table())
        panel.show_records("epochs", frames.epochs_table())
    if "attack" in panel.tables:
        for name, table in zip(("attack", "attack_samples"), frames.attack_steps(), strict=True):
            panel.show_records(name, table)
    if panel.key == "results":
        panel.set_runs([attack_run([0.1, 0.2, INF, 0.3]), smallest(attack_run([0.05, 0.1, 0.4, INF], run=2))])
    if panel.key == "compare":
        panel.set_runs([{"id": 1, "title": "only"}])


@pytest.fixture(params=PANELS, ids=lambda cls: cls.key)
def panel(request, qtbot, selection, theme):
    made = request.param(selection, theme)
    made.resize(420, 360)
    qtbot.addWidget(made)
    made.show()
    fill(made)
    return made


def test_it_explains_itself_with_a_kind_and_a_source(panel):
    text = read_help(panel.key)
    assert text is not None
    assert text.kinds
    assert text.source
    assert "Honest reading" in text.body


def test_its_picture_shows_something(panel):
    image: QImage = panel.picture().scaled(120, 120)
    colours = {image.pixelColor(x, y).name() for x in range(0, 120, 2) for y in range(0, 120, 2)}
    assert len(colours) > 8


def test_its_numbers_can_be_saved(panel, tmp_path):
    target = tmp_path / "numbers.csv"
    panel.ask_save = lambda *_: str(target)
    panel.save_csv()
    with target.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    tables = [list(table) for full, table in groupby(rows, bool) if full]  # blank lines part several tables
    assert all(len(table) > 1 and len({len(row) for row in table}) == 1 for table in tables) and tables


def test_its_plots_can_be_saved_as_drawings(panel, tmp_path):
    target = tmp_path / "plot.svg"
    panel.ask_save = lambda *_: str(target)
    panel.save_svg()
    assert bool(panel.plots()) == (panel.key not in {"dataset", "gallery", "compare", "model", "claims"})
    for number, _ in enumerate(panel.plots(), 1):
        path = target if number == 1 else target.with_stem(f"{target.stem}-{number}")
        assert ElementTree.parse(path).getroot().tag.endswith("svg")


def test_it_survives_every_size(panel):
    for size in ((140, 120), (230, 380), (1200, 900), (900, 140)):
        panel.resize(*size)
        panel.grab()


def test_clearing_twice_is_harmless_and_it_fills_again(panel):
    panel.clear()
    panel.clear()
    assert panel.is_empty or panel.key == "claims"  # which shows what is claimed before anything is measured
    fill(panel)
    assert not panel.is_empty
