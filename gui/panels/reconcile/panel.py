"""Reconciliation: an unreadable input opens a lock that holds a readable image, and what that means and costs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from gui.panels.base import Panel
from gui.panels.reconcile.angle import CURVE, AnglePage
from gui.panels.reconcile.layers import LayersPage
from gui.panels.reconcile.lock import LockPage
from gui.panels.reconcile.price import PricePage
from gui.panels.related.page import Page
from gui.plots.controls import Segmented
from gui.plots.measure import MeasureButton
from gui.selection import Selection
from gui.theme import Theme

if TYPE_CHECKING:
    from engine.events import Frame
    from engine.specs import ExperimentSpec

LOCK, LAYERS, ANGLE, PRICE = "lock", "layers", "angle", "price"
RECONCILIATION, PRICED = "reconciliation", "price"


class ReconcilePanel(Panel):
    """Four pages. ``edited(part, spec, field)`` is an edit of the experiment; two signals ask for a run, one for a form."""

    key = "reconcile"
    title = "Reconciliation"
    tab = "Reconcile"
    topics = (RECONCILIATION, CURVE, PRICED)
    empty_text = (
        "Nothing was locked yet. An unreadable input of which the network is sure opens a lock that hides a readable image; "
        "every pixel of it comes from public helper data."
    )

    edited = Signal(str, object, str)
    reconciliation_requested = Signal()
    price_requested = Signal()
    settings_requested = Signal(str)

    def __init__(self, selection: Selection, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(selection, theme, parent)
        self.lock, self.layers, self.angle, self.price = (
            LockPage(theme),
            LayersPage(theme),
            AnglePage(theme),
            PricePage(theme),
        )
        self._pages: dict[str, Page] = {LOCK: self.lock, LAYERS: self.layers, ANGLE: self.angle, PRICE: self.price}
        for page in (self.lock, self.layers, self.angle):
            page.requested.connect(self.reconciliation_requested)
        self.price.requested.connect(self.price_requested)
        self.lock.edited.connect(self._on_edit)
        self.lock.failed.connect(self.failed)
        self.lock.settings_requested.connect(self._on_settings)
        self.lock.class_chosen.connect(selection.set_klass)
        self.layers.tap_chosen.connect(selection.set_tap)
        self.layers.layer_asked.connect(self._on_layer)
        selection.tap_changed.connect(self._show_tap)
        entries = [
            ("Open the lock", "Fooling noise, raw noise, clean images and the wrong lock, at every layer", self.reconciliation_requested),
            (PricePage.button_text, "Entangle first: genuine and impostor readings, distinct hashes", self.price_requested),
        ]  # fmt: skip
        self.measure = MeasureButton(theme, self, "Measure reconciliation", entries)
        self.add_tool(self.measure)
        self.page_choice = Segmented(
            theme,
            "Page",
            [
                (LOCK, "lock", "Open the lock: what opens it, and what does not"),
                (LAYERS, "layers", "Recovered at every layer, beside the binomial law"),
                (ANGLE, "angle", "Success against angle, and against added noise"),
                (PRICE, "price", "What entangling first would cost"),
            ],
        )
        self.page_choice.chosen.connect(self.show_page)
        self._stacked = QStackedWidget()
        for page in self._pages.values():
            page.said.connect(self._say)
            self._stacked.addWidget(page)
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        controls = QHBoxLayout()
        controls.setSpacing(8)
        controls.addWidget(self.page_choice, 0, Qt.AlignmentFlag.AlignTop)
        for page in self._pages.values():
            controls.addWidget(page.row, 1, Qt.AlignmentFlag.AlignTop)
        controls.addStretch(0)
        column.addLayout(controls)
        column.addWidget(self._stacked, 1)
        self.set_body(body)
        self.clear()

    # --- settings ----------------------------------------------------------------------------------------------

    def set_experiment(self, spec: ExperimentSpec) -> None:
        """The settings as they stand."""
        self.lock.set_experiment(spec)

    def set_known(self, classes: Sequence[str], taps: Sequence[Mapping[str, Any]]) -> None:
        """The classes and taps of the data and the network at hand, as far as they are known."""
        self.lock.set_known(classes, taps)

    @Slot(object, str)
    def _on_edit(self, spec: Any, field: str) -> None:
        self.edited.emit("reconcile", spec, field)

    @Slot(str)
    def _on_layer(self, name: str) -> None:
        self.lock.key.choose_layer(name)
        self.show_page(LOCK)

    @Slot()
    def _on_settings(self) -> None:
        self.settings_requested.emit("reconcile")

    @Slot(object)
    def _show_tap(self, name: str | None) -> None:
        self.layers.show_tap(name)

    # --- frames ------------------------------------------------------------------------------------------------

    def show_frame(self, frame: Frame) -> None:
        shown = {RECONCILIATION: (self.lock, self.layers, self.angle), CURVE: (self.angle,), PRICED: (self.price,)}
        fresh = self.is_empty
        for page in shown[frame.topic]:
            page.show_frame(frame)
        if frame.topic == PRICED and fresh:
            self.show_page(PRICE)
        self._say()
        self.show_content()

    def clear(self) -> None:
        for page in self._pages.values():
            page.clear()
        super().clear()
        self.show_content()  # a key can be chosen before anything is there to see
        self._say()

    @property
    def is_empty(self) -> bool:
        return super().is_empty or not (self.angle.has_frame or self.lock.frame or self.price.frame)

    @property
    def page(self) -> Page:
        """The page in front."""
        return self._pages[self.page_choice.key()]

    @Slot(str)
    def show_page(self, key: str) -> None:
        """Bring a page to the front."""
        self.page_choice.set_key(key)
        self._stacked.setCurrentWidget(self._pages[key])
        self._say()

    def show_look(self, name: str) -> None:
        """Bring to the front what an experiment will draw: its page, or the one of several that is there already."""
        if (name == PRICED) != (self.page is self.price):
            self.show_page(PRICE if name == PRICED else LOCK)

    @Slot()
    def _say(self) -> None:
        for page in self._pages.values():
            page.row.setVisible(page is self.page and page.frame is not None)
        self.set_subtitle(self.page.summary)

    # --- look and export ---------------------------------------------------------------------------------------

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self.measure.set_theme(theme)
        self.page_choice.set_theme(theme)
        for page in self._pages.values():
            page.set_theme(theme)

    def plots(self) -> Sequence[tuple[str, Any]]:
        there = self.angle.has_frame if self.page is self.angle else self.page.frame is not None
        return self.page.plots() if there else ()

    def csv_rows(self) -> Iterable[Sequence[Any]]:
        """The numbers of the page in front."""
        return () if self.is_empty else self.page.csv_rows()
