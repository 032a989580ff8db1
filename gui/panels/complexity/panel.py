"""Complexity: what width, depth and every other setting of a sweep do to networks, and which of their numbers go together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QTimer, Signal, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QPushButton, QStackedWidget, QVBoxLayout, QWidget

from gui.panels.base import Panel
from gui.panels.complexity.against import AgainstPage
from gui.panels.complexity.networks import SESSION, SWEEP, Networks, of_frame, of_sweep
from gui.panels.complexity.relate import RelatePage
from gui.panels.sweep.model import Read
from gui.plots.controls import Segmented
from gui.plots.flow import FlowRow
from gui.selection import Selection
from gui.theme import Theme

if TYPE_CHECKING:
    from engine.events import Frame
    from engine.sweep.store import SweepStore

AGAINST, RELATE = "against", "relate"
FIRST = {SWEEP: AGAINST, SESSION: RELATE}  # the session's networks were made to be related
LEAST_MS = 1000  # between two readings of all columns while a sweep runs


class ComplexityPanel(Panel):
    """Two pages, of the open sweep or of the session's run. Columns are read, and statistics worked out, off the window's thread.

    ``point_chosen(id)`` and ``open_requested(id)`` are of points of the sweep; ``sweep_requested()`` wants its step shown.
    """

    key = "complexity"
    title = "Complexity"
    topics = ("complexity",)
    empty_text = (
        "No networks to compare yet. A sweep trains one for each of its points: entanglement, rank and accuracy are then drawn "
        "against width, depth or any other setting."
    )

    point_chosen = Signal(object)
    open_requested = Signal(int)
    sweep_requested = Signal()

    def __init__(self, selection: Selection, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(selection, theme, parent)
        self.read: Read = lambda work, done: done(work())  # the window does both in the background
        self.work: Read = lambda work, done: done(work())
        self._store: SweepStore | None = None
        self._found: dict[str, Networks] = {}
        self._reading = self._old = False
        self._page_chosen = False  # else what is drawn has its own first page
        self._soon = QTimer(self, interval=LEAST_MS, singleShot=True)
        self._soon.timeout.connect(self._read_again)
        self._first = QTimer(self, interval=0, singleShot=True)  # what is new is drawn on in a piece of its own
        self._first.timeout.connect(self._draw_first)
        self._pages: dict[str, AgainstPage | RelatePage] = {}
        self._new: set[str] = set()  # made, and not drawn on yet
        link = QPushButton("Choose what varies")
        link.setProperty("role", "link")
        link.clicked.connect(self.sweep_requested)
        self.add_empty_action(link)
        self.page_choice = Segmented(
            theme,
            "Page",
            [
                (AGAINST, "against a setting", "Means over networks against width, depth or any setting"),
                (RELATE, "relation", "Any column against any other, with its rank correlation over networks"),
            ],
        )
        self.page_choice.chosen.connect(self.show_page)
        self.source_choice = Segmented(
            theme,
            "Networks of",
            [(SWEEP, "sweep", "The open sweep"), (SESSION, "session", "The session's last run over networks")],
        )
        self.source_choice.chosen.connect(self._on_source)
        self._controls = FlowRow([self.page_choice, self.source_choice])
        self.source_choice.hide()
        self._stacked = QStackedWidget()
        self._stacked.addWidget(QWidget())  # while a page is being made
        body = QWidget()
        column = self._column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        column.addWidget(self._controls)
        column.addWidget(self._stacked, 1)
        self.set_body(body)

    # --- pages, made when they are first looked at ---------------------------------------------------------------

    @property
    def against(self) -> AgainstPage:
        page = self._page(AGAINST)
        assert isinstance(page, AgainstPage)
        return page

    @property
    def relate(self) -> RelatePage:
        page = self._page(RELATE)
        assert isinstance(page, RelatePage)
        return page

    @property
    def page(self) -> AgainstPage | RelatePage:
        """The page in front."""
        return self._page(self.page_choice.key())

    def _page(self, key: str) -> AgainstPage | RelatePage:
        page = self._begun(key)
        page.finish()
        self._draw_new(key)
        return page

    def _begun(self, key: str) -> AgainstPage | RelatePage:
        if key not in self._pages:
            made = AgainstPage(self.theme) if key == AGAINST else RelatePage(self.theme)
            self._pages[key] = made
            made.setParent(self)
            made.hide()
            made.work = lambda work, done: self.work(work, done)
            made.requested.connect(self.sweep_requested)
            made.said.connect(self._say)
            made.finished.connect(self._on_made)
            if isinstance(made, RelatePage):
                made.point_chosen.connect(self.point_chosen)
                made.open_requested.connect(self.open_requested)
        return self._pages[key]

    @Slot()
    def _on_made(self) -> None:
        for key, page in self._pages.items():
            if not page.made or self._stacked.indexOf(page) >= 0:
                continue
            self._stacked.addWidget(page)
            page.row.hide()
            self._column.insertWidget(1, page.row)
            if key == self.page_choice.key():
                self._stacked.setCurrentWidget(page)
            self._new.add(key)
        self._first.start()

    @Slot()
    def _draw_first(self) -> None:
        for key in list(self._new):
            self._draw_new(key)

    def _draw_new(self, key: str) -> None:
        """Draw on a page for the first time."""
        if key in self._new:
            self._new.discard(key)
            self._pages[key].show_networks(self.networks)
            self._say()

    @Slot(str)
    def show_page(self, key: str) -> None:
        """Bring a page to the front, as soon as it is made; it stays there whatever is drawn."""
        self._page_chosen = True
        self._bring(key)

    def _bring(self, key: str) -> None:
        self.page_choice.set_key(key)
        if not self.isVisible() and key not in self._pages:
            return  # made when it is seen
        page = self._begun(key)
        if page.made:
            self._new.discard(key)
            self._stacked.setCurrentWidget(page)
            page.show_networks(self.networks)
        else:
            self._stacked.setCurrentIndex(0)  # nothing for a moment
            page.go_on()
        self._say()

    # --- networks ------------------------------------------------------------------------------------------------

    @property
    def networks(self) -> Networks | None:
        """What is drawn: the sweep's, or where none is open the session's."""
        return self._found.get(self._source())

    def _source(self) -> str:
        if len(self._found) == 2:
            return self.source_choice.key()
        return next(iter(self._found), SWEEP)

    def set_store(self, store: SweepStore | None) -> None:
        """Another sweep is open, or none."""
        self._store = store
        self._found.pop(SWEEP, None)
        self.source_choice.set_key(SWEEP)
        self._soon.stop()
        self._reading = False  # an answer that never came was of the file before
        self._old = store is not None
        self._show()
        if store is not None and self.isVisible():
            self._read_again()

    def refresh(self) -> None:
        """The sweep has more networks: read, when the panel is seen, and not too often."""
        self._old = self._store is not None
        if self._old and self.isVisible() and not self._soon.isActive() and not self._reading:
            self._soon.start()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not self.is_empty and self.page_choice.key() not in self._pages:
            self._bring(self.page_choice.key())
        if self._old and not self._soon.isActive():
            self._read_again()

    @Slot()
    def _read_again(self) -> None:
        store = self._store
        if store is None or self._reading:
            return
        self._reading, self._old = True, False

        def work() -> Networks:
            columns = store.columns()
            return of_sweep(columns, store.column(*(column.name for column in columns)))

        def done(found: Networks) -> None:
            if store is not self._store:
                return
            self._reading = False
            self._found[SWEEP] = found
            self._show()
            if self._old:
                self.refresh()

        self.read(work, done)

    def await_session(self) -> None:
        """What the session measures now is wanted, once it comes, even where a sweep is open."""
        self.source_choice.set_key(SESSION)
        self._show()

    def show_frame(self, frame: Frame) -> None:
        self._found[SESSION] = of_frame(frame)
        self._show()

    def clear(self) -> None:
        self._found.pop(SESSION, None)  # the open sweep is none of the session's
        self._show()

    def _show(self) -> None:
        networks = self.networks
        both = len(self._found) == 2
        self.source_choice.setVisible(both)
        self._controls.arrange()
        if networks is None and self._store is None:
            for page in self._pages.values():
                if page.made:
                    page.show_networks(None)
            super().clear()
            return
        self.show_content()
        self._bring(self.page_choice.key() if self._page_chosen else FIRST[self._source()])

    @Slot(str)
    def _on_source(self, _key: str) -> None:
        self._show()

    def show_point(self, point: int | None) -> None:
        """Ring the point of the sweep that was chosen elsewhere."""
        page = self._pages.get(RELATE)
        if isinstance(page, RelatePage):
            page.show_point(point)

    @Slot()
    def _say(self) -> None:
        front = self._pages.get(self.page_choice.key())
        for page in self._pages.values():
            if page.made:
                page.row.setVisible(page is front and page.networks is not None)
        if front is not None and self.networks is not None:
            self.set_subtitle(front.summary)

    # --- look and export -----------------------------------------------------------------------------------------

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self.page_choice.set_theme(theme)
        self.source_choice.set_theme(theme)
        for page in self._pages.values():
            page.finish()
            page.set_theme(theme)

    def plots(self) -> Sequence[tuple[str, Any]]:
        return () if self.is_empty or self.networks is None else self.page.plots()

    def csv_rows(self) -> Iterable[Sequence[Any]]:
        """The numbers of the page in front."""
        return () if self.is_empty or self.networks is None else self.page.csv_rows()
