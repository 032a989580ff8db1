"""Reconciliation: an unreadable input opens a lock that holds a readable image, and what that means and costs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from gui.panels.base import Panel
from gui.panels.page import Page
from gui.panels.pieces import PiecewisePage
from gui.panels.reconcile.angle import CURVE, AnglePage
from gui.panels.reconcile.layers import LayersPage
from gui.panels.reconcile.lock import LockPage
from gui.panels.reconcile.price import PricePage
from gui.panels.reconcile.words import differences, differences_of_price
from gui.panels.tag import OTHER, Tag
from gui.plots.controls import Segmented
from gui.plots.measure import MeasureButton
from gui.selection import Selection
from gui.theme import Theme

if TYPE_CHECKING:
    from engine.events import Frame
    from engine.specs import ExperimentSpec

LOCK, LAYERS, ANGLE, PRICE = "lock", "layers", "angle", "price"
RECONCILIATION, PRICED = "reconciliation", "price"
MAKERS: dict[str, type[Page]] = {LOCK: LockPage, LAYERS: LayersPage, ANGLE: AnglePage, PRICE: PricePage}
DRAWN = {LOCK: {RECONCILIATION}, LAYERS: {RECONCILIATION}, ANGLE: {RECONCILIATION, CURVE}, PRICE: {PRICED}}
"""The topics that each page draws."""


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
        self._spec: ExperimentSpec | None = None
        self._frames: dict[str, Frame] = {}
        self._pages: dict[str, Page] = {}
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
        self._stacked.addWidget(QWidget())  # while a page is being made
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        self._controls = QHBoxLayout()
        self._controls.setSpacing(8)
        self._controls.addWidget(self.page_choice, 0, Qt.AlignmentFlag.AlignTop)
        self.other = Tag(OTHER, theme)  # the lock has a sentence of its own
        self.other.hide()
        self._controls.addWidget(self.other, 0, Qt.AlignmentFlag.AlignTop)
        self._controls.addStretch(0)
        column.addLayout(self._controls)
        column.addWidget(self._stacked, 1)
        self.set_body(body)
        self.clear()

    # --- pages, made when they are first looked at: six plots would keep the window from coming up -----------------

    def _page(self, key: str) -> Any:
        """A page by its key, made now if it is not yet."""
        page = self._begun(key)
        if isinstance(page, PiecewisePage):
            page.finish()
        return page

    def _begun(self, key: str) -> Page:
        """A page by its key, which may still be in the making."""
        if key not in self._pages:
            made = self._pages[key] = MAKERS[key](self.theme)
            made.setParent(self)
            made.requested.connect(self.price_requested if key == PRICE else self.reconciliation_requested)
            made.said.connect(self._say)
            if isinstance(made, PiecewisePage):
                made.finished.connect(partial(self._on_made, key))
            else:
                self._on_made(key)
        return self._pages[key]

    def _on_made(self, key: str) -> None:
        page = self._pages[key]
        self._stacked.addWidget(page)
        page.row.hide()
        self._controls.insertWidget(self._controls.count() - 1, page.row, 1, Qt.AlignmentFlag.AlignTop)
        match page:
            case LockPage():
                page.edited.connect(self._on_edit)
                page.failed.connect(self.failed)
                page.settings_requested.connect(self._on_settings)
                page.class_chosen.connect(self.selection.set_klass)
            case LayersPage():
                page.tap_chosen.connect(self.selection.set_tap)
                page.layer_asked.connect(self._on_layer)
                self.selection.tap_changed.connect(page.show_tap)
                page.show_tap(self.selection.tap)
        for topic in DRAWN[key]:
            if topic in self._frames:
                page.show_frame(self._frames[topic])
        if key == self.page_choice.key():
            self._stacked.setCurrentWidget(page)
            self._say()

    def _made(self) -> dict[str, Page]:
        return {key: page for key, page in self._pages.items() if getattr(page, "made", True)}

    @property
    def lock(self) -> LockPage:
        return self._page(LOCK)

    @property
    def layers(self) -> LayersPage:
        return self._page(LAYERS)

    @property
    def angle(self) -> AnglePage:
        return self._page(ANGLE)

    @property
    def price(self) -> PricePage:
        return self._page(PRICE)

    # --- settings ----------------------------------------------------------------------------------------------

    def set_experiment(self, spec: ExperimentSpec) -> None:
        """The settings as they stand."""
        self._spec = spec
        self.lock.set_experiment(spec)
        self._compare()

    def _compare(self) -> None:
        """Say where the page in front shows what was made with other settings than those that stand now."""
        key, spec, found = self.page_choice.key(), self._spec, []
        frame = self._frames.get(PRICED if key == PRICE else RECONCILIATION)
        if frame is not None and spec is not None and key != LOCK:
            found = (differences_of_price if key == PRICE else differences)(frame, spec)
        self.other.say_made_with(found)

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

    # --- frames ------------------------------------------------------------------------------------------------

    def show_frame(self, frame: Frame) -> None:
        first = not self._frames
        self._frames[frame.topic] = frame
        for key, page in self._made().items():
            if frame.topic in DRAWN[key]:
                page.show_frame(frame)
        if first and frame.topic == PRICED:
            self.show_page(PRICE)
        self._say()
        self.show_content()

    def clear(self) -> None:
        self._frames.clear()
        for page in self._made().values():
            page.clear()
        super().clear()
        self.show_page(self.page_choice.key())
        self.show_content()  # a key can be chosen before anything is there to see

    @property
    def is_empty(self) -> bool:
        return super().is_empty or not self._frames

    @property
    def page(self) -> Page:
        """The page in front."""
        return self._page(self.page_choice.key())

    @Slot(str)
    def show_page(self, key: str) -> None:
        """Bring a page to the front, as soon as it is made."""
        self.page_choice.set_key(key)
        page = self._begun(key)
        if isinstance(page, PiecewisePage) and not page.made:
            self._stacked.setCurrentIndex(0)  # nothing for a moment
            page.go_on()
        else:
            self._stacked.setCurrentWidget(page)
        self._say()

    def show_look(self, name: str) -> None:
        """Bring to the front what an experiment will draw: its page, or the one of several that is there already."""
        if (name == PRICED) != (self.page_choice.key() == PRICE):
            self.show_page(PRICE if name == PRICED else LOCK)

    @Slot()
    def _say(self) -> None:
        front = self._begun(self.page_choice.key())
        for page in self._made().values():
            page.row.setVisible(page is front and page.frame is not None)
        self.set_subtitle(front.summary)
        self._compare()

    # --- look and export ---------------------------------------------------------------------------------------

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self.measure.set_theme(theme)
        self.page_choice.set_theme(theme)
        self.other.set_theme(theme)
        for key in self._pages:
            self._page(key).set_theme(theme)

    def plots(self) -> Sequence[tuple[str, Any]]:
        return self.page.plots() if self._frames.keys() & DRAWN[self.page_choice.key()] else ()

    def csv_rows(self) -> Iterable[Sequence[Any]]:
        """The numbers of the page in front."""
        return () if self.is_empty else self.page.csv_rows()
