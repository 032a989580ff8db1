"""Tabs of docks that do not fit: their names stay whole, and a button at the end of the bar lists them all."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QObject, QPoint, QSize, Qt, Slot
from PySide6.QtGui import QAction, QActionGroup, QHelpEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QMenu, QTabBar, QToolButton, QToolTip

from gui.icons import icon
from gui.theme import Theme

SCROLLER = "ScrollLeftButton"  # Qt's name for the first of the two arrows that it shows where tabs do not fit


class TabMenu(QToolButton):
    """Lies over the arrows that Qt shows where the tabs of a bar do not fit, and opens a list of all of them.

    ``titles(bar)`` gives the whole title of each tab, in order. The button belongs to the bar and goes with it.
    """

    def __init__(self, bar: QTabBar, titles: Callable[[QTabBar], Sequence[str]], theme: Theme) -> None:
        super().__init__(bar)
        self._bar = bar
        self._titles = titles
        bar.setElideMode(Qt.TextElideMode.ElideNone)  # two letters of a name are no name
        self.setObjectName("tab-menu")
        self.setAccessibleName("All panels of these tabs")
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the arrow keys go through the tabs, and View has every panel
        self.setCursor(Qt.CursorShape.ArrowCursor)
        self.clicked.connect(self.offer)
        self.hide()
        self.set_theme(theme)
        self._arrow = bar.findChild(QToolButton, SCROLLER)
        bar.installEventFilter(self)
        if self._arrow is not None:
            self._arrow.installEventFilter(self)
        self._follow()

    def set_theme(self, theme: Theme) -> None:
        """Take another theme."""
        self.setIcon(icon("chevron-down", theme))
        self.setIconSize(QSize(12, 12))
        self._ground = theme.window
        self.update()

    # --- where it lies ---------------------------------------------------------------------------------------------

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        match event.type():
            case QEvent.Type.Show | QEvent.Type.Hide | QEvent.Type.Resize | QEvent.Type.Move:
                self._follow()
            case QEvent.Type.Paint if watched is self._bar and self.text() != str(self._bar.count()):
                self._follow()  # Qt has no word for a tab that came or went
            case QEvent.Type.ToolTip if watched is self._bar and isinstance(event, QHelpEvent):
                return self._tell(event)
        return False

    def _follow(self) -> None:
        """Be where Qt's arrows are, and seen when they are."""
        needed = self._arrow is not None and self._arrow.isVisibleTo(self._bar)
        if needed:
            assert self._arrow is not None
            left = self._arrow.x()
            self.setGeometry(left, 0, max(0, self._bar.width() - left), self._bar.height())
            self.raise_()
        self.setVisible(needed)
        count = self._bar.count()
        self.setText(str(count))
        self.setToolTip(f"All {count} panels of these tabs")

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._ground)  # the arrows and the end of a name lie below
        painter.end()
        super().paintEvent(event)

    # --- what it does ----------------------------------------------------------------------------------------------

    @Slot()
    def offer(self) -> None:
        """Show the list."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        group = QActionGroup(menu)
        for place, title in enumerate(self._titles(self._bar)):
            action = QAction(title, menu, checkable=True)
            action.setChecked(place == self._bar.currentIndex())
            action.setData(place)
            group.addAction(action)
            menu.addAction(action)
        group.triggered.connect(self._on_chosen)
        corner = self.mapToGlobal(QPoint(self.width() - menu.sizeHint().width(), self.height()))
        menu.popup(corner)

    @Slot(QAction)
    def _on_chosen(self, action: QAction) -> None:
        self._bar.setCurrentIndex(action.data())

    def _tell(self, event: QHelpEvent) -> bool:
        """Say the whole title of a tab whose name is a short one."""
        place, titles = self._bar.tabAt(event.pos()), self._titles(self._bar)
        if not 0 <= place < len(titles):
            return False
        QToolTip.showText(event.globalPos(), titles[place], self._bar)
        return True
