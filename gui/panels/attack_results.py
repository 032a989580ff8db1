"""What the session's attacks came to: norms, robustness curves, two attacks compared, and the worst case over all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QComboBox, QFrame, QScrollArea, QStackedWidget, QVBoxLayout, QWidget

from engine.experiments.attack_results import NORMS, AttackRun, summary
from gui.forms.fields import ChoiceField
from gui.panels.base import Panel
from gui.panels.results.comparison import ComparisonPage
from gui.panels.results.listed import ListedPage
from gui.panels.results.norms import NormsPage
from gui.panels.results.page import Page, Shown, norm_name, percent, size
from gui.panels.results.robustness import RobustnessPage
from gui.plots.controls import Segmented
from gui.plots.flow import FlowRow
from gui.selection import Selection
from gui.theme import Theme

NONE = -1  # no second attack
PAGES = (
    ("norms", "norms", "How large the perturbations are"),
    ("robustness", "robustness", "Share of samples not broken within each budget"),
    ("comparison", "A vs B", "Two attacks on the same samples"),
    ("listed", "all attacks", "Every attack of this session, and the worst case over them"),
)


class ResultsPanel(Panel):
    """Looks at attacks that have ended. Which are drawn is chosen as A and B; what is drawn, by page."""

    key = "results"
    title = "Attack results"
    tab = "Results"
    empty_text = "No attack has ended yet. Each attack of this session is listed here, to be compared with the others."

    def __init__(self, selection: Selection, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(selection, theme, parent)
        self._all: tuple[AttackRun, ...] = ()
        self._until: int | None = None  # the run of the moment shown: later ones are not there yet
        self._wanted: list[int | None] = [None, None]  # runs of A and B that a person chose
        self._wanted_norm: str | None = None
        self.page_choice = Segmented(theme, "Page", PAGES)
        self.page_choice.chosen.connect(self._on_page)
        self.boxes = (AttackBox(), AttackBox())
        for which, box in enumerate(self.boxes):
            box.setProperty("quiet", True)
            box.setAccessibleName(f"Attack {'AB'[which]}")
            box.setToolTip("The attack drawn as A" if which == 0 else "A second attack, drawn as B")
        self.boxes[0].activated.connect(self._on_a)
        self.boxes[1].activated.connect(self._on_b)
        self.norm_box = QComboBox()
        self.norm_box.setProperty("quiet", True)
        self.norm_box.setAccessibleName("Norm")
        self.norm_box.setToolTip("The norm in which perturbations are measured")
        self.norm_box.activated.connect(self._on_norm)
        self.norms, self.robustness = NormsPage(theme), RobustnessPage(theme)
        self.comparison, self.listed = ComparisonPage(theme), ListedPage(theme)
        self.listed.picked.connect(self._on_picked)
        self._pages: dict[str, Page] = {
            "norms": self.norms,
            "robustness": self.robustness,
            "comparison": self.comparison,
            "listed": self.listed,
        }
        self._stack_of_pages = _Pages()
        for page in self._pages.values():
            page.sample_chosen.connect(selection.set_sample)
            self._stack_of_pages.addWidget(page)
        self._row = FlowRow([self.page_choice, self.norm_box, *self.boxes])
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self._row)
        self._stack_of_pages.setObjectName("scrolled")
        area = QScrollArea(widgetResizable=True, horizontalScrollBarPolicy=Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setMinimumSize(60, 50)
        area.setWidget(self._stack_of_pages)
        column.addWidget(area, 1)
        self.set_body(body)
        selection.sample_changed.connect(self._show_sample)

    # --- attacks -----------------------------------------------------------------------------------------------

    def set_runs(self, runs: Sequence[AttackRun]) -> None:
        """The attacks that have ended, oldest first."""
        self._all = tuple(runs)
        self._redraw()

    def set_moment(self, run: int | None) -> None:
        """Show nothing of runs later than this one; None shows all."""
        if run != self._until:
            self._until = run
            self._redraw()

    def clear(self) -> None:
        self._all = ()
        self._wanted, self._wanted_norm = [None, None], None
        super().clear()

    def choose(self, a: int | None = None, b: int | None = None) -> None:
        """Draw the attacks of these runs; None leaves the choice to the panel, -1 as B draws no second one."""
        self._wanted = [a, b]
        self._redraw()

    @property
    def runs(self) -> tuple[AttackRun, ...]:
        """The attacks that can be chosen now."""
        return tuple(run for run in self._all if self._until is None or run.run <= self._until)

    @property
    def a(self) -> AttackRun | None:
        """The attack drawn as A: the one chosen, else the latest."""
        runs = self.runs
        found = [run for run in runs if run.run == self._wanted[0]]
        return found[0] if found else runs[-1] if runs else None

    @property
    def b(self) -> AttackRun | None:
        """The attack drawn as B: the one chosen, else the latest other one on the same network that shares samples with A."""
        first = self.a
        if first is None or self._wanted[1] == NONE:
            return None
        others = [run for run in self.runs if run is not first]
        found = [run for run in others if run.run == self._wanted[1]]
        if found:
            return found[0]
        same = [r for r in others if r.network == first.network and np.isin(r.sample, first.sample).any()]
        return same[-1] if same else None

    @property
    def norm(self) -> str:
        """The norm drawn: the one chosen where A has it, else that of A."""
        first = self.a
        if first is None:
            return "L2"
        return self._wanted_norm if self._wanted_norm in first.norms else first.norm  # type: ignore[return-value]

    @property
    def page(self) -> Page:
        """The page in front."""
        return self._pages[self.page_choice.key()]

    # --- drawing -----------------------------------------------------------------------------------------------

    def _redraw(self) -> None:
        first, second = self.a, self.b
        if first is None:
            later = bool(self._all)
            self.show_empty("No attack had ended at the moment shown." if later else None)
            self.set_subtitle("")
            return
        self._fill_boxes(first, second)
        page = self.page
        self._stack_of_pages.setCurrentWidget(page)
        self._stack_of_pages.updateGeometry()
        page.show_results(Shown(first, second, self.norm, self.runs))
        page.show_sample(self.selection.sample)
        self.set_subtitle(f"{first.name} · {headline(first)}")
        self.show_content()

    def _fill_boxes(self, first: AttackRun, second: AttackRun | None) -> None:
        runs = self.runs
        for which, (box, chosen) in enumerate(zip(self.boxes, (first, second), strict=True)):
            items = [
                (f"{'AB'[which]} · {run.label}", run.run) for run in reversed(runs) if not (which and run is first)
            ]
            if which:
                items.insert(0, ("no second attack", NONE))
            if [(box.itemText(k), box.itemData(k)) for k in range(box.count())] != items:
                box.clear()
                for text, run in items:
                    box.addItem(text, run)
            box.setCurrentIndex(box.findData(chosen.run if chosen is not None else NONE))
            what = "The attack drawn as A" if which == 0 else "A second attack, drawn as B"
            box.setToolTip(f"{what}: {chosen.label}" if chosen is not None else what)
        norms = [norm for norm in NORMS if norm in first.norms]
        if [self.norm_box.itemData(k) for k in range(self.norm_box.count())] != norms:
            self.norm_box.clear()
            for norm in norms:
                self.norm_box.addItem(norm_name(norm), norm)
        self.norm_box.setCurrentIndex(self.norm_box.findData(self.norm))
        listing = self.page is self.listed
        for widget, shown in (
            (self.boxes[0], not listing),
            (self.boxes[1], not listing and len(runs) > 1),
            (self.norm_box, not listing),
        ):
            widget.setVisible(shown)
        self._row.arrange()

    @Slot(object)
    def _show_sample(self, sample: int | None) -> None:
        if not self.is_empty:
            self.page.show_sample(sample)

    # --- asked by a person -------------------------------------------------------------------------------------

    @Slot(str)
    def _on_page(self, _: str) -> None:
        self._redraw()

    @Slot(int)
    def _on_a(self, position: int) -> None:
        self.choose(self.boxes[0].itemData(position), self._wanted[1])

    @Slot(int)
    def _on_b(self, position: int) -> None:
        self.choose(self._wanted[0], self.boxes[1].itemData(position))

    @Slot(int)
    def _on_norm(self, position: int) -> None:
        self._wanted_norm = self.norm_box.itemData(position)
        self._redraw()

    @Slot(int, int)
    def _on_picked(self, run: int, which: int) -> None:
        wanted = list(self._wanted)
        chosen = (self.a, self.b)[which]
        off = which == 1 and chosen is not None and chosen.run == run
        wanted[which] = NONE if off else run
        if which == 0 and self.b is not None and self.b.run == run:
            wanted[1] = None
        self.choose(*wanted)

    # --- look and export ---------------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        room = self.width() - 2 * self.theme.pad - 10
        for box in self.boxes:
            box.most = room // 2 if room >= 2 * AttackBox.LEAST else room
        self._row.arrange()

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self.page_choice.set_theme(theme)
        for page in self._pages.values():
            page.set_theme(theme)
        self._row.arrange()

    def plots(self) -> Sequence[tuple[str, Any]]:
        return self.page.plots()

    def csv_rows(self) -> Iterable[Sequence[Any]]:
        """The numbers of the page in front."""
        return () if self.is_empty else self.page.csv_rows()


class _Pages(QStackedWidget):
    """As high as the page in front needs, not as the highest of all."""

    def sizeHint(self) -> QSize:
        page = self.currentWidget()
        return page.sizeHint() if page is not None else super().sizeHint()

    def minimumSizeHint(self) -> QSize:
        page = self.currentWidget()
        return QSize(60, page.minimumSizeHint().height() if page is not None else 50)

    def heightForWidth(self, width: int) -> int:
        # as low as the page may be, with what it says wrapped: what Qt takes would be as high as it would like to be
        page = self.currentWidget()
        layout = page.layout() if page is not None else None
        if layout is None:
            return 50
        return layout.minimumHeightForWidth(width) if layout.hasHeightForWidth() else layout.minimumSize().height()


class AttackBox(ChoiceField):
    """A list of attacks as wide as the name of the one chosen, up to ``most`` pixels: beyond them it is cut with "…"."""

    LEAST = 150
    most = 245

    def __init__(self) -> None:
        super().__init__(())

    def sizeHint(self) -> QSize:
        wide = self.fontMetrics().horizontalAdvance(self.currentText()) + 34
        return QSize(min(wide, max(self.LEAST, self.most)), super().sizeHint().height())


def headline(run: AttackRun) -> str:
    """An attack in one number with its interval."""
    found = summary(run)
    if run.minimal:
        return f"median norm {size(found.median)}"
    return f"robust accuracy {percent(found.robust)}" if run.bounds_accuracy else f"success {percent(found.success)}"
