"""Robust accuracy against eps under many attacks, the norms that break samples, and signs that gradients mislead."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Signal, Slot
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QPushButton, QStackedWidget, QVBoxLayout, QWidget

from gui.panels.base import Panel
from gui.panels.robustness.curves import CurvesPage
from gui.panels.robustness.norms import NormsPage
from gui.panels.robustness.page import ALL, Page
from gui.panels.robustness.signs import SignsPage
from gui.panels.tag import OTHER, Tag
from gui.plots.boxes import fill_box, quiet_box
from gui.plots.controls import Segmented
from gui.plots.flow import FlowRow
from gui.plots.measure import MeasureButton
from gui.selection import Selection
from gui.theme import Theme

if TYPE_CHECKING:
    from engine.events import Frame
    from engine.specs import ExperimentSpec

CURVES, NORMS, SIGNS = "curves", "norms", "signs"
PAGES: dict[str, type[Page]] = {CURVES: CurvesPage, NORMS: NormsPage, SIGNS: SignsPage}
PARTS = ("dataset", "model", "training", "robustness", "hardening")


class RobustnessPanel(Panel):
    """Three pages. ``robustness_requested()`` asks for the measurement, ``settings_requested()`` for its settings."""

    key = "robustness"
    title = "Robustness"
    topics = ("robustness",)
    empty_text = (
        "Not measured yet. Attacks of every kind at many budgets: how much accuracy is left, how small a perturbation suffices, and "
        "whether the gradients can be trusted."
    )

    robustness_requested = Signal()
    settings_requested = Signal()

    def __init__(self, selection: Selection, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(selection, theme, parent)
        self._latest: Frame | None = None
        self._spec: ExperimentSpec | None = None
        self._wanted: int | None = None  # the network that a person chose
        self._pages: dict[str, Page] = {}  # made when first looked at: a plot takes a thirtieth of a second
        self.button, self.settings_button = QPushButton("Measure robustness"), QPushButton("Settings")
        for button, tip, asked in (
            (
                self.button,
                "Attack the network at many budgets, and look for signs of masked gradients",
                self.robustness_requested,
            ),
            (self.settings_button, "Attacks, budgets and samples", self.settings_requested),
        ):
            button.setProperty("role", "link")
            button.setToolTip(tip)
            button.clicked.connect(asked)
            self.add_empty_action(button)
        self.other = Tag(OTHER, theme)
        self.other.hide()
        self.measure = MeasureButton(theme, self, self.button.text(), [("", "", self.robustness_requested)])
        self.add_tool(self.measure)
        self.settings = self.header.add_button("settings", f"Settings: {self.title}", "Settings", first=True)
        self.settings.clicked.connect(self.settings_requested)
        self.page_choice = Segmented(
            theme,
            "Page",
            [
                (CURVES, "curves", "Robust accuracy against eps"),
                (NORMS, "norms", "How small a perturbation breaks a sample"),
                (SIGNS, "signs", "Signs that gradients mislead, and robustness is overrated"),
            ],
        )
        self.page_choice.chosen.connect(self.show_page)
        self.network_box = quiet_box("Network", "The network that is drawn; of all of them, the worst case")
        self.network_box.activated.connect(self._on_network)
        self._stacked = QStackedWidget()
        self._stacked.addWidget(QWidget())  # while a page is being made
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        self._row = FlowRow([self.page_choice, self.network_box, self.other])
        column.addWidget(self._row)
        column.addWidget(self._stacked, 1)
        self.set_body(body)

    # --- frames ------------------------------------------------------------------------------------------------

    def show_frame(self, frame: Frame) -> None:
        self._latest = frame
        self.show_page(self.page_choice.key())
        self.show_content()

    def clear(self) -> None:
        self._latest, self._wanted = None, None
        for page in self._pages.values():
            if page.made:
                page.clear()
        super().clear()

    @property
    def page(self) -> Page:
        """The page in front, made now if it is not yet."""
        page = self._begun(self.page_choice.key())
        page.finish()
        return page

    def _begun(self, key: str) -> Page:
        if key not in self._pages:
            page = self._pages[key] = PAGES[key](self.theme)
            page.requested.connect(self.robustness_requested)
            page.said.connect(self._say)
            page.finished.connect(partial(self._on_made, key))
            page.setParent(self)
        return self._pages[key]

    def _on_made(self, key: str) -> None:
        self._stacked.addWidget(self._pages[key])
        if key == self.page_choice.key():
            self._draw()

    @property
    def network(self) -> int:
        """Position of the network drawn: the one chosen, else the only one, else all."""
        count = len(self._latest.info["networks"]) if self._latest is not None else 0
        if self._wanted is not None and self._wanted < count and (self._wanted != ALL or count > 1):
            return self._wanted
        return 0 if count < 2 else ALL

    @Slot(str)
    def show_page(self, key: str) -> None:
        """Bring a page to the front, as soon as it is made."""
        self.page_choice.set_key(key)
        page = self._begun(key)
        if page.made:
            self._draw()
        else:
            self._stacked.setCurrentIndex(0)  # nothing for a moment
            page.go_on()

    def _draw(self) -> None:
        frame, page = self._latest, self._begun(self.page_choice.key())
        if not page.made:
            return
        self._stacked.setCurrentWidget(page)
        if frame is None:
            return
        networks = frame.info["networks"]
        items = [("all networks", ALL), *((str(each["label"]), k) for k, each in enumerate(networks))]
        fill_box(self.network_box, items, self.network)
        self.network_box.setVisible(len(networks) > 1)
        page.look_at(self.network)
        page.show_frame(frame)
        self._compare()

    @Slot()
    def _say(self) -> None:
        words = self._begun(self.page_choice.key()).summary
        if self._latest is not None and not self._latest.info["done"]:
            measured = sum(self._latest.info["measured"])
            of = f" ({measured} of {self._latest.info['total']} networks)" if self._latest.info["total"] > 1 else ""
            words = f"measuring{of} · {words}"
        self.set_subtitle(words)

    @Slot(int)
    def _on_network(self, position: int) -> None:
        self._wanted = self.network_box.itemData(position)
        self._draw()

    # --- settings ----------------------------------------------------------------------------------------------

    def set_experiment(self, spec: ExperimentSpec) -> None:
        """The settings as they stand."""
        self._spec = spec
        self._compare()

    def _compare(self) -> None:
        """Say where what is shown was made with other settings than those that stand now."""
        frame, spec = self._latest, self._spec
        told = []
        if frame is not None and spec is not None and frame.info["key"] != spec.key(*PARTS):
            now = spec.robustness
            told = [
                f"{name} {frame.info[name]} → {getattr(now, name)}"
                for name in ("norm", "steps", "queries")
                if frame.info[name] != getattr(now, name)
            ] or ["attacks, budgets, data, training or seed"]
        self.other.say_made_with(told)
        self._row.arrange()

    # --- look and export ---------------------------------------------------------------------------------------

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self.measure.set_theme(theme)
        self.page_choice.set_theme(theme)
        self.other.set_theme(theme)
        for page in self._pages.values():
            page.finish()
            page.set_theme(theme)

    def picture(self) -> QImage:
        if self._latest is not None:
            self.page.finish()  # a picture does not wait
        return super().picture()

    def plots(self) -> Sequence[tuple[str, Any]]:
        return self.page.plots() if self._latest is not None else ()

    def csv_rows(self) -> Iterable[Sequence[Any]]:
        """The numbers of the page in front."""
        return () if self.is_empty else self.page.csv_rows()
