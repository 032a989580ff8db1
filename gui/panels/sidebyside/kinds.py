"""Which panels can be put side by side, what to run where a source lacks one, and what its columns must agree on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from gui.panels.all_pairs import AllPairsPanel
from gui.panels.attack_gallery import GalleryPanel
from gui.panels.base import Panel
from gui.panels.bell.panel import BellPanel
from gui.panels.class_matrix import ClassMatrixPanel
from gui.panels.correlation_matrix import MatrixPanel
from gui.panels.curves.panel import CurvesPanel
from gui.panels.profile.panel import ProfilePanel
from gui.panels.spacetime_diagram import SpacetimePanel
from gui.panels.structure import StructurePanel
from gui.panels.takeover import TakeoverPanel
from gui.panels.training_curves import TrainingPanel


def _nothing(_: Sequence[Any]) -> None:
    """Columns that agree by themselves: their scales are fixed."""


def _one_loss_axis(panels: Sequence[TrainingPanel]) -> None:
    """All logarithmic, if the numbers of one suggest it."""
    drawn = [panel for panel in panels if not panel.is_empty]
    if len({panel.is_log for panel in drawn}) > 1:
        for panel in drawn:
            panel.set_log(True)


def _one_amplification(panels: Sequence[GalleryPanel]) -> None:
    """Perturbations amplified alike, by what suits the largest."""
    reaches = [panel.full_scale for panel in panels if panel.full_scale is not None]
    for panel in panels:
        panel.set_full_scale(max(reaches, default=None))


@dataclass(frozen=True)
class Kind:
    """A panel to put side by side. ``lacking`` completes "… has none." by what to run."""

    panel: type[Panel]
    lacking: str
    note: str = ""  # below the columns: what is fixed, or an analogy
    agree: Callable[[Sequence[Any]], None] = _nothing
    needs: tuple[
        str, ...
    ] = ()  # topics or tables without which nothing is drawn; any of the panel's where none are named

    @property
    def key(self) -> str:
        return self.panel.key

    @property
    def label(self) -> str:
        return self.panel.title

    def is_drawn_from(self, content: Any) -> bool:
        """Whether a source has what the panel cannot do without."""
        if self.needs:
            return content.has(self.needs, self.needs)
        return content.has(self.panel.topics, self.panel.tables)


KINDS: tuple[Kind, ...] = (
    Kind(
        ProfilePanel,
        "no profile: run the Entangle step with these settings",
        "Mean and 95% bootstrap over inputs; one axis for all",
        needs=("profile",),
    ),
    Kind(
        TrainingPanel,
        "no training: run the Train step with these settings",
        "One axis for all; logarithmic, where one of them asks for it",
        _one_loss_axis,
        needs=("steps",),
    ),
    Kind(
        GalleryPanel,
        "no attack: run the Attack step with these settings",
        "Perturbations are amplified alike, by what suits the largest",
        _one_amplification,
        needs=("gallery",),
    ),
    Kind(CurvesPanel, "no attack: run the Attack step with these settings"),
    Kind(
        MatrixPanel,
        "no features: run the Train or the Entangle step with these settings",
        "Colours run from −1 to 1 in all",
    ),
    Kind(
        SpacetimePanel,
        "no world lines: run the Train or the Entangle step with these settings",
        "Layer index as time is an analogy; the cone itself is a theorem",
        needs=("pairs",),
    ),
    Kind(
        TakeoverPanel,
        "no takeover: choose Measure takeover on the Attack step with these settings",
        "Colours run from −1 to 1 in all",
    ),
    Kind(StructurePanel, "no sets of features: choose Measure sets of features on the Entangle step"),
    Kind(BellPanel, "no Bell test: choose Bell test of the features on the Entangle step"),
    Kind(AllPairsPanel, "no such measurement: choose Measure all pairs of the test set on the Entangle step"),
    Kind(ClassMatrixPanel, "no class matrix: choose Measure all pairs of classes on the Attack step"),
)
BY_KEY = {kind.key: kind for kind in KINDS}
TOPICS = tuple(dict.fromkeys(topic for kind in KINDS for topic in kind.panel.topics))
TABLES = tuple(dict.fromkeys(name for kind in KINDS for name in (*kind.panel.tables,)))
