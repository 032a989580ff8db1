"""Two to six sources side by side: the same panel for each, on shared axes, and where their settings differ."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QHideEvent, QShowEvent
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QMenu,
    QPushButton,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from gui.differing import summary, unfair
from gui.documents import SUFFIX
from gui.icons import icon
from gui.panels.base import Panel
from gui.panels.labels import ElidedLabel
from gui.panels.sidebyside.axes import SharedAxes
from gui.panels.sidebyside.column import Column
from gui.panels.sidebyside.kinds import BY_KEY, KINDS, Kind
from gui.panels.sidebyside.mirror import Mirror, legend
from gui.panels.sidebyside.table import DifferencesTable
from gui.plots.chips import Chips
from gui.plots.controls import Segmented
from gui.plots.flow import FlowRow
from gui.plots.plot import Plot
from gui.plots.turns import in_turn
from gui.selection import Selection
from gui.sidebyside import MOST, Content, Source
from gui.theme import Theme

PANELS, DIFFERENCES = "panels", "differences"
SHARED, OWN = "shared", "own"


class SideBySidePanel(Panel):
    """Columns of one kind of panel. What is in them is told by :meth:`set_sources`; they are made a piece a tick.

    ``run_wanted(run id)``, ``file_wanted()`` and ``dropped(paths)`` ask for another source, ``remove_wanted(key)``,
    ``move_wanted(key, by)``, ``run_of_wanted(key, run id)`` and ``read_wanted(key)`` for something done to one.
    """

    key = "sidebyside"
    title = "Side by side"
    empty_text = (
        "Nothing to compare yet. Add two or more runs of this session, or session files: drop them here. The same panel is "
        "drawn for each on shared axes, and what differs between their settings is listed."
    )

    run_wanted = Signal(int)
    file_wanted = Signal()
    dropped = Signal(object)
    remove_wanted = Signal(str)
    move_wanted = Signal(str, int)
    run_of_wanted = Signal(str, int)
    read_wanted = Signal(str)

    def __init__(self, selection: Selection, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(selection, theme, parent)
        self.columns: list[Column] = []
        self._runs: list[tuple[int, str]] = []
        self._steps: Iterator[None] | None = None
        self._axes = SharedAxes(self)
        self._mirror = Mirror(self._fill_legend_soon)
        self._timer = QTimer(self, interval=0)
        self._timer.timeout.connect(self._on_tick)
        self._legend_timer = QTimer(self, interval=0, singleShot=True)
        self._legend_timer.timeout.connect(self._fill_legend)
        selection.changed.connect(self._fill_legend_soon)
        self.setAcceptDrops(True)
        self._build(theme)

    def _build(self, theme: Theme) -> None:
        self.add_menu = QMenu(self)
        self.add_menu.setAccessibleName("Add a source")
        self.runs_menu = self.add_menu.addMenu("Run of this session")
        self.runs_menu.aboutToShow.connect(self._fill_runs)
        self.file_action = self.add_menu.addAction("Session file…", self.file_wanted.emit)
        self.add_button = QToolButton(text="Add", autoRaise=True)
        self.add_button.setAccessibleName("Add a run or a session file")
        self.add_button.setToolTip("Add a run of this session or a session file")
        self.add_button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.add_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.add_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.add_button.setMenu(self.add_menu)
        self.add_tool(self.add_button)
        self.first_run_button = QPushButton("Run of this session…")
        self.first_run_button.setMenu(self.runs_menu)
        self.first_file_button = QPushButton("Session file…")
        self.first_file_button.clicked.connect(self.file_wanted)
        for button in (self.first_run_button, self.first_file_button):
            button.setProperty("role", "link")
            self.add_empty_action(button)

        self.kind_box = QComboBox()
        self.kind_box.setProperty("quiet", True)
        self.kind_box.setAccessibleName("Panel to compare")
        self.kind_box.setToolTip("The panel that every column shows")
        self.kind_box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        for kind in KINDS:
            self.kind_box.addItem(kind.label, kind.key)
        self.kind_box.activated.connect(self._on_kind)
        self.page_choice = Segmented(
            theme,
            "Page",
            [
                (PANELS, "panels", "The same panel for each source"),
                (DIFFERENCES, "differences", "Where the settings differ, and the numbers of each with their intervals"),
            ],
        )
        self.page_choice.chosen.connect(self._on_page)
        self.axes_choice = Segmented(
            theme,
            "Axes",
            [
                (SHARED, "shared axes", "One range that covers all; moving one moves all"),
                (OWN, "own axes", "Each by what it draws"),
            ],
        )
        self.axes_choice.chosen.connect(self._link)
        self._row = FlowRow([self.page_choice, self.kind_box, self.axes_choice])

        self._above = QWidget()  # the controls of the first column, which all follow
        above = self._controls = QVBoxLayout(self._above)
        above.setContentsMargins(0, 0, 0, 0)
        above.setSpacing(3)
        self._columns_page = QWidget()
        page = QVBoxLayout(self._columns_page)
        page.setContentsMargins(0, 0, 0, 0)
        page.setSpacing(3)
        self._beside = QHBoxLayout()
        self._beside.setSpacing(6)
        page.addWidget(self._above)
        page.addLayout(self._beside, 1)
        self.legend = Chips(theme, "Legend of all columns")
        self.legend.toggled.connect(self._on_legend)
        page.addWidget(self.legend)
        self.note = ElidedLabel()
        self.note.setProperty("role", "small")
        page.addWidget(self.note)
        self.table = DifferencesTable(theme)
        self.pages = QStackedWidget()
        self.pages.addWidget(self._columns_page)
        self.pages.addWidget(self.table)
        self.summary = ElidedLabel()
        self.summary.setProperty("role", "small")
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self._row)
        column.addWidget(self.pages, 1)
        column.addWidget(self.summary)
        self.set_body(body)
        self._dress()

    # --- what there is to add ----------------------------------------------------------------------------------

    def set_runs(self, runs: Sequence[tuple[int, str]]) -> None:
        """The runs of the session in the window, oldest first: id and words."""
        self._runs = list(runs)
        self.runs_menu.setEnabled(bool(self._runs))
        self.first_run_button.setEnabled(bool(self._runs))

    @Slot()
    def _fill_runs(self) -> None:
        self.runs_menu.clear()
        there = {column.source.key for column in self.columns if column.source is not None}
        for run, words in reversed(self._runs):
            action = self.runs_menu.addAction(words)
            action.triggered.connect(partial(self._ask_run, run))
            action.setEnabled(f"run:{run}" not in there)

    def _ask_run(self, run: int, _checked: bool = False) -> None:
        self.run_wanted.emit(run)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if self._dropped(event):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        found = self._dropped(event)
        if found:
            event.acceptProposedAction()
            self.dropped.emit(found)

    @staticmethod
    def _dropped(event: Any) -> list[Path]:
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls()]
        return [path for path in paths if path.suffix == SUFFIX]

    # --- sources -----------------------------------------------------------------------------------------------

    def set_sources(self, shown: Sequence[tuple[Source, Content | None, str]]) -> None:
        """The columns, from left to right: source, what was read of it, or None and the problem, or "" while it is read."""
        old = {column.source.key: column for column in self.columns if column.source is not None}
        self.columns = []
        for number, (source, content, problem) in enumerate(shown, 1):
            column = old.pop(source.key, None) or self._new_column(source.key)
            if column.content is not content:
                column.take_away()
                column.kind = None  # to be made
            column.set_source(number, source, content, problem)
            self.columns.append(column)
        for column in old.values():
            self._beside.removeWidget(column)
            column.take_away()
            column.content = None
            column.hide()
            column.deleteLater()
        for place, column in enumerate(self.columns):
            self._beside.insertWidget(place, column, 1)
            column.show()
        self.add_menu.setEnabled(len(shown) < MOST)
        self.add_button.setEnabled(len(shown) < MOST)
        self.add_button.setToolTip(
            "Add a run of this session or a session file"
            if len(shown) < MOST
            else f"{MOST} columns are the most that can be read side by side; remove one first"
        )
        self._tell()
        self._begin()
        self.show_content() if shown else self.show_empty()

    def clear(self) -> None:
        self.set_sources(())
        super().clear()

    def _new_column(self, key: str) -> Column:
        column = Column(self.theme, self.selection)
        column.remove_wanted.connect(partial(self.remove_wanted.emit, key))
        column.menu_wanted.connect(partial(self._fill_menu, key))
        return column

    def _fill_menu(self, key: str, menu: QMenu) -> None:
        menu.clear()
        place = next(
            k for k, column in enumerate(self.columns) if column.source is not None and column.source.key == key
        )
        column = self.columns[place]
        for text, by, possible in (("Move left", -1, place > 0), ("Move right", 1, place + 1 < len(self.columns))):
            action = menu.addAction(text, partial(self.move_wanted.emit, key, by))
            action.setEnabled(possible)
        menu.addAction("Read again", partial(self.read_wanted.emit, key))
        content = column.content
        if content is not None and len(content.runs) > 1 and not key.startswith("run:"):
            runs = menu.addMenu("Another run")
            for run, words in reversed(content.runs):
                action = runs.addAction(words, partial(self.run_of_wanted.emit, key, run))
                action.setEnabled(run != content.run)

    def _tell(self) -> None:
        """What differs, in the table and in a line."""
        read = [column for column in self.columns if column.content is not None]
        heads = [column.name.full_text for column in read]
        contents = [column.content for column in read if column.content is not None]
        found = self.table.set_sources(heads, contents)
        self.summary.set_text(summary(found, len(contents)))
        colour = self.theme.warning if unfair(found) else self.theme.muted
        self.summary.setStyleSheet(f"color: {colour};")
        count = len(self.columns)
        what = f"{len(found)} field{'' if len(found) == 1 else 's'} differ{'s' if len(found) == 1 else ''}"
        self.set_subtitle(f"{count} source{'' if count == 1 else 's'}" + (f" · {what}" if len(contents) > 1 else ""))

    # --- columns, made piece by piece ---------------------------------------------------------------------------

    @property
    def kind(self) -> Kind:
        """The kind of panel in the columns."""
        return BY_KEY[self.kind_box.currentData()]

    def set_kind(self, key: str) -> None:
        """Show another kind of panel, by its key."""
        self.kind_box.setCurrentIndex(self.kind_box.findData(key))
        self._on_kind(0)

    @Slot(int)
    def _on_kind(self, _: int) -> None:
        self._mirror.forget()
        self._row.arrange()
        self._begin()

    def _begin(self) -> None:
        self._steps = None  # what was being made is given up first
        self._link()
        self._steps = self._making()
        if self.isVisible():
            self._timer.start()

    def _making(self) -> Iterator[None]:
        kind = self.kind
        self._mirror.keep([column.choices for column in self.columns])
        self.note.set_text(kind.note)
        self.note.setVisible(bool(kind.note))
        for column in list(self.columns):
            if column.kind is not kind:
                column.kind = None  # made only in part, it is made anew
                yield from column.making(kind)
                column.kind = kind
                if column.panel is not None:
                    self._mirror.join(column.choices)
                    yield
                    # before anything of it is seen: so it is laid out once
                    self._hoist()
                    self._draw_legend()
                    yield
                    yield from in_turn(column.panel.findChildren(Plot), column.reveal)
        kind.agree(self.panels())
        yield
        self._hoist()
        self._draw_legend()
        yield
        yield from in_turn([plot for panel in self.panels() for plot in panel.findChildren(Plot)], self._link)

    def _hoist(self) -> None:
        """Put the controls of the first column above all; those of the others follow unseen."""
        first = next((column for column in self.columns if column.panel is not None), None)
        if first is not None and first.controls and all(row.parentWidget() is self._above for row in first.controls):
            return
        for column in self.columns:
            column.take_in()
        self._above.setVisible(first is not None and bool(first.controls))
        for row in first.controls if first is not None else ():
            self._controls.addWidget(row)
            row.show()

    @property
    def is_made(self) -> bool:
        """Whether everything asked for is drawn."""
        return self._steps is None

    def finish(self) -> None:
        """Make all of it now."""
        while self._steps is not None:
            self._on_tick()

    @Slot()
    def _on_tick(self) -> None:
        steps = self._steps
        if steps is None or next(steps, self) is self:
            self._steps = None
            self._timer.stop()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._steps is not None:
            self._timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._timer.stop()

    def panels(self) -> list[Panel]:
        """The panels there are, from left to right."""
        return [column.panel for column in self.columns if column.panel is not None]

    # --- one axis, one legend ------------------------------------------------------------------------------------

    @Slot()
    def _link(self, *_: object) -> None:
        whole = [each.panel for each in self.columns if each.panel is not None and each.kind is self.kind]
        self._axes.share(whole if self.axes_choice.key() == SHARED else ())

    @Slot()
    def _fill_legend_soon(self, *_: object) -> None:
        self._legend_timer.start()

    @Slot()
    def _fill_legend(self) -> None:
        if self._steps is None:  # else when all is made
            self._draw_legend()

    def _draw_legend(self) -> None:
        rows = [chips for column in self.columns if (chips := column.chips) is not None]
        entries, on = legend(rows)
        self.legend.set_entries(entries, on)
        self.legend.setVisible(bool(entries))

    @Slot(str, bool)
    def _on_legend(self, key: str, on: bool) -> None:
        name = next((chips.accessibleName() for column in self.columns if (chips := column.chips) is not None), "")
        self._mirror.toggle(name, key, on)

    def show_page(self, page: str) -> None:
        """Show the panels or the differences."""
        self.page_choice.set_key(page)
        self._on_page(page)

    @Slot(str)
    def _on_page(self, page: str) -> None:
        self.pages.setCurrentIndex(0 if page == PANELS else 1)
        for control in (self.kind_box, self.axes_choice):
            control.setVisible(page == PANELS)
        self._row.arrange()

    # --- look and export ---------------------------------------------------------------------------------------

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        for part in (self.page_choice, self.axes_choice, self.legend, self.table, *self.columns):
            part.set_theme(theme)
        if self._steps is not None:
            self._begin()  # what is made in part has the colours before
        self._dress()
        self._tell()
        self._fill_legend_soon()

    def _dress(self) -> None:
        self.add_button.setIcon(icon("chevron-down", self.theme))
        self.add_button.setFont(self.theme.font(self.theme.small))

    def plots(self) -> Sequence[tuple[str, Any]]:
        """Every plot of every column."""
        return [
            (f"{column.name.full_text}: {name}", item)
            for column in self.columns
            if column.panel is not None and not column.panel.is_empty
            for name, item in column.panel.plots()
        ]

    def csv_rows(self) -> Iterable[Sequence[Any]]:
        """The differences and the numbers of all sources."""
        return self.table.csv_rows()
