"""One source in its column: what it is, and its panel, or a sentence where there is nothing to draw."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QStackedLayout,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from gui.icons import icon
from gui.panels.base import Panel
from gui.panels.labels import ElidedLabel
from gui.panels.sidebyside.kinds import Kind
from gui.panels.sidebyside.mirror import Choices, choices_of
from gui.plots.chips import Chips
from gui.plots.flow import FlowRow
from gui.selection import Selection
from gui.sidebyside import Content, Source
from gui.theme import Theme

PARKED = ("chips", "caption", "notes", "slider")
"""What a panel says below its plot that stands once for all columns, or is of no use here."""
LEAST = QSize(120, 160)
KEPT = {"matrix": ("slider",), "all_pairs": ("slider",)}


class Column(QFrame):
    """``menu_wanted(menu)`` asks to fill it with what can be done with it, ``remove_wanted()`` to take it away."""

    remove_wanted = Signal()
    menu_wanted = Signal(object)

    def __init__(self, theme: Theme, selection: Selection) -> None:
        super().__init__(objectName="column")
        self.theme = theme
        self._selection = selection
        self.source: Source | None = None
        self.content: Content | None = None
        self.panel: Panel | None = None
        self.kind: Kind | None = None
        self.choices: Choices = {}
        self.controls: list[QWidget] = []  # rows of choices, which stand once above all columns
        self.name = ElidedLabel()
        self.name.setProperty("role", "title")
        self.says = ElidedLabel()
        self.says.setProperty("role", "small")
        self.menu_button = QToolButton(autoRaise=True)
        self.remove_button = QToolButton(autoRaise=True)
        self.menu = QMenu(self)
        self.menu.aboutToShow.connect(self._ask_menu)
        self.menu_button.setMenu(self.menu)
        self.menu_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.remove_button.clicked.connect(self.remove_wanted)
        for button in (self.menu_button, self.remove_button):
            button.setIconSize(QSize(14, 14))
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        line = QHBoxLayout()
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(0)
        line.addWidget(self.name, 1)
        line.addWidget(self.menu_button)
        line.addWidget(self.remove_button)
        self.message = QLabel(alignment=Qt.AlignmentFlag.AlignCenter, wordWrap=True)
        self.message.setProperty("role", "muted")
        self.message.setMinimumWidth(60)
        self._stack = QStackedLayout()
        column = QVBoxLayout(self)
        column.setContentsMargins(2, 0, 2, 0)
        column.setSpacing(1)
        column.addLayout(line)
        column.addWidget(self.says)
        column.addLayout(self._stack, 1)
        self._stack.addWidget(self.message)
        self._parked = QWidget(self)  # holds what is not to be seen
        self._parked.hide()
        self.setMinimumWidth(LEAST.width())
        self.set_theme(theme)

    # --- what it is --------------------------------------------------------------------------------------------

    def set_source(self, number: int, source: Source, content: Content | None, problem: str) -> None:
        """What stands in this column; without content it says what is being done, or the problem."""
        self.source = source
        self.content = content
        self.name.set_text(self.title(number))
        self.menu_button.setAccessibleName(f"More for {source.label}")
        self.menu_button.setToolTip("Another run, move, read again")
        self.remove_button.setAccessibleName(f"Remove {source.label}")
        self.remove_button.setToolTip(f"Remove {source.label}; the file stays as it is")
        if content is None:
            self.take_away()
            self.say(problem or f"Reading {source.label} …")

    def title(self, number: int) -> str:
        """The name of the column: its number, its source, and which run of it."""
        assert self.source is not None
        return column_title(number, self.source, self.content)

    def say(self, sentence: str) -> None:
        """A sentence in the panel's place."""
        self.says.set_text(self._what())
        self.message.setText(sentence)
        self._stack.setCurrentWidget(self.message)

    def _what(self) -> str:
        content = self.content
        return "" if content is None else " · ".join(filter(None, (content.title, content.experiment)))

    # --- the panel ---------------------------------------------------------------------------------------------

    def making(self, kind: Kind) -> Iterator[None]:
        """Make the panel and draw on it, with a yield between what takes long; :meth:`reveal` then shows it."""
        content = self.content
        if content is None:
            return  # it says why
        self.take_away()
        if not kind.is_drawn_from(content):
            assert self.source is not None
            self.say(f"“{self.source.label}” has {_lacking(kind, content)}.")
            return
        yield
        panel = kind.panel.begun(self._selection, self.theme, self._parked)
        yield
        yield from panel.making()
        yield
        self.panel = panel
        self.choices = choices_of(panel)
        panel.header.hide()
        panel.bare()
        for name in set(PARKED) - set(KEPT.get(kind.key, ())):
            part = getattr(panel, name, None)
            if isinstance(part, QWidget):
                self._park(part)
        self.controls = [row for row in panel.findChildren(FlowRow) if _stands_alone(row, panel)]
        for row in self.controls:
            self._park(row)
        for button in panel.findChildren(QPushButton):
            button.hide()  # what they would measure is not of this source
        panel.subtitle_changed.connect(self._on_subtitle)
        self._stack.addWidget(panel)
        yield
        for name in panel.tables:
            if len(content.tables.get(name, ())):
                panel.show_records(name, content.tables[name])
                yield
        for topic in panel.topics:
            if topic in content.frames:
                panel.show_frame(content.frames[topic])
                yield

    def reveal(self) -> None:
        """Show the panel that was made."""
        if self.panel is not None:
            self._stack.setCurrentWidget(self.panel)
            self._on_subtitle(self.panel.subtitle)

    def _park(self, part: QWidget) -> None:
        part.setParent(self._parked)

    def take_in(self) -> None:
        """Take back the controls that stood above all columns."""
        for row in self.controls:
            self._park(row)

    def take_away(self) -> None:
        """Let the panel go, with all that it drew."""
        self.take_in()
        self.controls, self.choices = [], {}
        for part in self._parked.findChildren(QWidget, options=Qt.FindChildOption.FindDirectChildrenOnly):
            part.deleteLater()
        if self.panel is not None:
            self._stack.removeWidget(self.panel)
            self.panel.hide()
            self.panel.deleteLater()
            self.panel = None
        self.message.setText("")
        self._stack.setCurrentWidget(self.message)

    @property
    def chips(self) -> Chips | None:
        """The panel's legend, which is not shown in the column."""
        found = getattr(self.panel, "chips", None)
        return found if isinstance(found, Chips) else None

    @Slot()
    def _ask_menu(self) -> None:
        self.menu_wanted.emit(self.menu)

    def _on_subtitle(self, text: str) -> None:
        self.says.set_text(text or self._what())

    def minimumSizeHint(self) -> QSize:
        """The same whatever panel is in it: columns are of one width, and one that comes does not move the others."""
        return LEAST

    def sizeHint(self) -> QSize:
        return LEAST

    def hasHeightForWidth(self) -> bool:
        """Rows of text that wrap are the panel's to make room for: else all columns would be measured for each."""
        return False

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.menu_button.setIcon(icon("chevron-down", theme))
        self.remove_button.setIcon(icon("close", theme))
        if self.panel is not None:
            self.panel.set_theme(theme)


def _stands_alone(row: QWidget, panel: QWidget) -> bool:
    """Whether a row of choices is for the whole panel, rather than a legend or part of one of its pages."""
    if isinstance(row, Chips):
        return False
    above = row.parentWidget()
    while above is not None and above is not panel:
        if isinstance(above, QStackedWidget | FlowRow):
            return False
        above = above.parentWidget()
    return True


def column_title(number: int, source: Source, content: Content | None) -> str:
    """ "2 · digits, run 4"."""
    run = f", run {content.run}" if content is not None and not source.key.startswith(("run:", "point:")) else ""
    return f"{number} · {source.label}{run}"


def _lacking(kind: Kind, content: Content) -> str:
    """What is missing and what to run; of a sweep's point only the numbers and the network are kept."""
    if not content.row:
        return kind.lacking
    what, _, how = kind.lacking.partition(": ")
    return f"{what}: open the point as a session, {how}, save it, and add its file"
