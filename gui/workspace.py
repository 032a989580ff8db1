"""The panels and their places in the dock area."""

from __future__ import annotations

from PySide6.QtWidgets import QApplication

from gui.chrome.dock import DockArea
from gui.chrome.log import LogPanel
from gui.panels.all_pairs import AllPairsPanel
from gui.panels.attack_checks import ChecksPanel
from gui.panels.attack_gallery import GalleryPanel
from gui.panels.attack_results import ResultsPanel
from gui.panels.base import Panel
from gui.panels.bell.panel import BellPanel
from gui.panels.claims.panel import ClaimsPanel
from gui.panels.class_matrix import ClassMatrixPanel
from gui.panels.compare import ComparePanel
from gui.panels.complexity.panel import ComplexityPanel
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
from gui.panels.sidebyside.panel import SideBySidePanel
from gui.panels.spacetime_diagram import SpacetimePanel
from gui.panels.structure import StructurePanel
from gui.panels.sweep.panel import SweepPanel
from gui.panels.takeover import TakeoverPanel
from gui.panels.training_curves import TrainingPanel
from gui.selection import Selection
from gui.theme import Theme

WIDTHS = {"training": 30, "gallery": 36, "matrix": 34, "profile": 58, "spacetime": 42}
HEIGHTS = dict.fromkeys(("training", "profile", "gallery", "matrix", "spacetime"), 50)
IN_FRONT = ("dataset", "gallery", "matrix", "profile", "spacetime")


class Workspace(DockArea):
    """The dock area with every panel in its place."""

    def __init__(self, selection: Selection, theme: Theme) -> None:
        super().__init__()
        self.training = TrainingPanel(selection, theme)
        self.dataset = DatasetPanel(selection, theme)
        self.gallery = GalleryPanel(selection, theme)
        self.curves = CurvesPanel(selection, theme)
        self.results = ResultsPanel(selection, theme)
        self.map = DecisionMapPanel(selection, theme)
        self.classes = ClassMatrixPanel(selection, theme)
        self.checks = ChecksPanel(selection, theme)
        self.robustness = RobustnessPanel(selection, theme)
        self.model = ModelPanel(selection, theme)
        self.matrix = MatrixPanel(selection, theme)
        self.profile = ProfilePanel(selection, theme)
        self.spacetime = SpacetimePanel(selection, theme)
        self.takeover = TakeoverPanel(selection, theme)
        self.bell = BellPanel(selection, theme)
        self.structure = StructurePanel(selection, theme)
        self.all_pairs = AllPairsPanel(selection, theme)
        self.relations = RelationsPanel(selection, theme)
        self.noise = NoisePanel(selection, theme)
        self.hardening = HardeningPanel(selection, theme)
        self.reconcile = ReconcilePanel(selection, theme)
        self.claims = ClaimsPanel(selection, theme)
        self.compare = ComparePanel(selection, theme)
        self.sidebyside = SideBySidePanel(selection, theme)
        self.sweep = SweepPanel(selection, theme)
        self.complexity = ComplexityPanel(selection, theme)
        self.log = LogPanel(selection, theme)
        # rows first, then the panels of each row: Qt nests the splits in this order
        self.add_panel(self.training)
        self.add_panel(self.profile, below="training")
        self.add_panel(self.gallery, beside="training")
        self.add_panel(self.matrix, beside="gallery")
        self.add_panel(self.spacetime, beside="profile")
        self.add_panel(self.dataset, behind="training")
        self.add_panel(self.model, behind="dataset")
        self.add_panel(self.curves, behind="gallery")
        self.add_panel(self.map, behind="curves")
        self.add_panel(self.classes, behind="matrix")
        self.add_panel(self.takeover, behind="profile")
        self.add_panel(self.reconcile, behind="takeover")
        self.add_panel(self.claims, behind="reconcile")
        self.add_panel(self.results, behind="claims")
        self.add_panel(self.checks, behind="results")
        self.add_panel(self.robustness, behind="checks")
        self.add_panel(self.sweep, behind="robustness")
        self.add_panel(self.compare, behind="sweep")
        self.add_panel(self.sidebyside, behind="compare")
        self.add_panel(self.log, behind="sidebyside")
        self.add_panel(self.bell, behind="spacetime")
        self.add_panel(self.structure, behind="bell")
        self.add_panel(self.all_pairs, behind="structure")
        self.add_panel(self.relations, behind="all_pairs")
        self.add_panel(self.noise, behind="relations")
        self.add_panel(self.hardening, behind="noise")
        self.add_panel(self.complexity, behind="noise")
        for key in IN_FRONT:
            self.show_panel(key)

    @property
    def drawn(self) -> tuple[Panel, ...]:
        """The panels that draw what the engine says, in the order in which they take their turn."""
        return (
            self.training,
            self.gallery,
            self.curves,
            self.matrix,
            self.profile,
            self.spacetime,
            self.map,
            self.classes,
            self.checks,
            self.robustness,
            self.takeover,
            self.bell,
            self.structure,
            self.all_pairs,
            self.relations,
            self.noise,
            self.hardening,
            self.reconcile,
            self.claims,
            self.complexity,
            self.dataset,
            self.model,
        )

    @property
    def listing(self) -> tuple[Panel, ...]:
        """The panels that draw what the session holds of all its runs."""
        return (self.results, self.sweep, self.compare, self.sidebyside, self.log)

    def toggle_focused(self) -> None:
        """Show the panel in use alone, or all again; the profile, where none is in use."""
        focus = QApplication.focusWidget()
        key = next((p.key for p in self.panels if focus is not None and p.isAncestorOf(focus)), "profile")
        self.toggle_maximised(key)

    def show_log(self, on: bool) -> None:
        """Bring the log to the front, or the profile in its place."""
        self.show_panel("log" if on else "profile")

    def share_out(self) -> None:
        """Give each panel its share of the room; sizes hold only once the window has its own."""
        self.arrange(WIDTHS, HEIGHTS)
