"""The dock area: panels that can be moved, stacked, closed, and shown alone, without a title bar of Qt's own.

The panel's header is the dock's title bar: drag it to move the panel, click twice to show it alone, right-click for
more. The View menu brings back what was closed (:meth:`DockArea.view_actions`).
"""

from __future__ import annotations

import base64
from collections.abc import Sequence

from PySide6.QtCore import QByteArray, QChildEvent, QEvent, QPoint, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QDockWidget, QMainWindow, QMenu, QTabBar, QTabWidget, QWidget
from shiboken6 import isValid

from gui.chrome.tab_menu import TabMenu
from gui.panels.base import Panel
from gui.theme import Theme

LAYOUT_VERSION = 5  # a layout saved before the panels of now would put the new ones side by side


class PanelDock(QDockWidget):
    """A panel as a dock."""

    maximise_requested = Signal(str)
    shown_changed = Signal(str, bool)

    def __init__(self, panel: Panel, parent: QWidget | None = None) -> None:
        super().__init__(panel.tab or panel.title, parent, objectName=f"dock-{panel.key}")
        self.panel = panel
        self.shown = False  # on screen: neither closed nor behind another tab
        self.setFeatures(
            QDockWidget.DockWidgetFeature.DockWidgetMovable
            | QDockWidget.DockWidgetFeature.DockWidgetClosable
            | QDockWidget.DockWidgetFeature.DockWidgetFloatable
        )
        self.setTitleBarWidget(panel.header)
        self.setWidget(panel)
        self.setAccessibleName(panel.title)
        self.toggleViewAction().setText(panel.title)
        self.toggleViewAction().setToolTip(f"Show or hide {panel.title}")
        panel.header.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        panel.header.customContextMenuRequested.connect(self._offer)
        panel.maximise_requested.connect(self._ask_maximise)
        self.visibilityChanged.connect(self._on_visible)

    @Slot()
    def _ask_maximise(self) -> None:
        self.maximise_requested.emit(self.panel.key)

    @Slot(bool)
    def _on_visible(self, on: bool) -> None:
        self.shown = on
        self.shown_changed.emit(self.panel.key, on)

    @Slot(QPoint)
    def _offer(self, at: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction("Maximise or restore", self._ask_maximise)
        menu.addAction("Dock" if self.isFloating() else "Float", self._toggle_floating)
        menu.addSeparator()
        menu.addAction("Hide", self.close)
        menu.popup(self.panel.header.mapToGlobal(at))

    @Slot()
    def _toggle_floating(self) -> None:
        self.setFloating(not self.isFloating())


class DockArea(QMainWindow):
    """Holds the panels. Layouts are kept as text for the settings."""

    shown_changed = Signal(str, bool)  # a panel came on screen or went from it
    maximised_changed = Signal(str)  # key of the panel shown alone, "" when all are back

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Widget)
        self.setAccessibleName("Panels")
        self.setDockNestingEnabled(True)
        self.setTabPosition(Qt.DockWidgetArea.AllDockWidgetAreas, QTabWidget.TabPosition.North)
        self.setDocumentMode(True)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        self._docks: dict[str, PanelDock] = {}
        self._theme: Theme | None = None
        self._tab_menus: list[TabMenu] = []
        self._before: QByteArray | None = None  # the layout to go back to from a maximised panel
        self._maximised = ""
        self._default: QByteArray | None = None
        # a timer of its own: a call that waits in QTimer.singleShot outlives the window, and keeps all of it
        self._soon = QTimer(self, interval=0, singleShot=True)
        self._soon.timeout.connect(self._hide_stray_bars)

    # --- filling ---------------------------------------------------------------------------------------------

    def add_panel(
        self,
        panel: Panel,
        *,
        beside: str = "",
        below: str = "",
        behind: str = "",
    ) -> PanelDock:
        """Put a panel right of, under, or as a tab behind another; at the right end where none is named."""
        dock = PanelDock(panel, self)
        self._theme = panel.theme
        dock.maximise_requested.connect(self.toggle_maximised)
        dock.shown_changed.connect(self._on_shown)
        self._docks[panel.key] = dock
        self.addDockWidget(Qt.DockWidgetArea.TopDockWidgetArea, dock)
        if beside:
            self.splitDockWidget(self._docks[beside], dock, Qt.Orientation.Horizontal)
        elif below:
            self.splitDockWidget(self._docks[below], dock, Qt.Orientation.Vertical)
        elif behind:
            self.tabifyDockWidget(self._docks[behind], dock)
        return dock

    def arrange(self, widths: dict[str, int] | None = None, heights: dict[str, int] | None = None) -> None:
        """Share out the room, in proportion, and keep the result as what "Reset layout" brings back."""
        for sizes, orientation in ((widths, Qt.Orientation.Horizontal), (heights, Qt.Orientation.Vertical)):
            if sizes:
                self.resizeDocks([self._docks[key] for key in sizes], list(sizes.values()), orientation)
        self._default = self.saveState(LAYOUT_VERSION)
        self._soon.start()

    # --- what is on screen -----------------------------------------------------------------------------------

    @property
    def panels(self) -> Sequence[Panel]:
        return [dock.panel for dock in self._docks.values()]

    def dock(self, key: str) -> PanelDock:
        """The dock of a panel. Raises KeyError."""
        return self._docks[key]

    def panel(self, key: str) -> Panel:
        """A panel. Raises KeyError."""
        return self._docks[key].panel

    def is_shown(self, key: str) -> bool:
        """Whether a panel can be seen: neither closed nor behind another tab."""
        return self._docks[key].shown and not self._docks[key].visibleRegion().isEmpty()

    def shown_panels(self) -> list[Panel]:
        """The panels worth drawing."""
        return [dock.panel for key, dock in self._docks.items() if self.is_shown(key)]

    def show_panel(self, key: str) -> None:
        """Bring a panel on screen, to the front of its tabs."""
        if self._maximised and self._maximised != key:
            self.restore()
        self._docks[key].show()
        self._docks[key].raise_()

    def view_actions(self) -> list[QAction]:
        """A checkable action for each panel, for the View menu."""
        return [dock.toggleViewAction() for dock in self._docks.values()]

    # --- one panel alone -------------------------------------------------------------------------------------

    @property
    def maximised(self) -> str:
        """Key of the panel shown alone; "" where all are shown."""
        return self._maximised

    @Slot(str)
    def toggle_maximised(self, key: str) -> None:
        """Show a panel alone, or all again when it is."""
        if self._maximised:
            self.restore()
        else:
            self.maximise(key)

    def maximise(self, key: str) -> None:
        """Show one panel alone. Raises KeyError."""
        self.restore()
        alone = self._docks[key]
        if alone.isFloating():
            return
        self._before = self.saveState(LAYOUT_VERSION)
        self._maximised = key
        for dock in self._docks.values():
            if dock is not alone and not dock.isFloating():
                dock.hide()
        alone.show()
        alone.panel.set_maximised(True)
        self.maximised_changed.emit(key)

    def restore(self) -> None:
        """Show again what was shown before."""
        if not self._maximised:
            return
        self._docks[self._maximised].panel.set_maximised(False)
        self._maximised = ""
        if self._before is not None:
            self.restoreState(self._before, LAYOUT_VERSION)
            self._before = None
            self._soon.start()
        self.maximised_changed.emit("")

    # --- layouts ---------------------------------------------------------------------------------------------

    def save_layout(self) -> str:
        """The arrangement as text, of all panels even while one is shown alone."""
        state = self._before if self._before is not None else self.saveState(LAYOUT_VERSION)
        return base64.b64encode(state.data()).decode("ascii")

    def restore_layout(self, text: str) -> bool:
        """Take an arrangement from :meth:`save_layout`. False, and nothing changes, where it cannot be used."""
        try:
            state = base64.b64decode(text, validate=True)
        except ValueError:
            return False
        self.restore()
        self._soon.start()
        return bool(text) and self.restoreState(QByteArray(state), LAYOUT_VERSION)

    @Slot()
    def reset_layout(self) -> None:
        """Put every panel back where :meth:`arrange` put it."""
        self.restore()
        if self._default is not None:
            self.restoreState(self._default, LAYOUT_VERSION)
            self._soon.start()

    def set_theme(self, theme: Theme) -> None:
        """Pass a theme on to every panel."""
        self._theme = theme
        for dock in self._docks.values():
            dock.panel.set_theme(theme)
        for menu in filter(isValid, self._tab_menus):
            menu.set_theme(theme)

    @Slot()
    def _hide_stray_bars(self) -> None:
        """Hide tab bars that Qt made while docks were moved and then forgot: they would lie between the panels."""
        tops = {(dock.x(), dock.width(), dock.y()) for dock in self._docks.values() if not dock.isFloating()}
        for bar in self.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly):
            if (bar.x(), bar.width(), bar.y() + bar.height()) not in tops:
                bar.hide()

    def childEvent(self, event: QChildEvent) -> None:
        """Qt makes bars of tabs as docks are laid on each other: each gets its list."""
        super().childEvent(event)
        bar = event.child()
        if event.type() == QEvent.Type.ChildPolished and isinstance(bar, QTabBar) and self._theme is not None:
            # kept: Python would forget a list whose bar only Qt knows, and Qt call what is left of it
            self._tab_menus = [menu for menu in self._tab_menus if isValid(menu)]
            self._tab_menus.append(TabMenu(bar, self._titles, self._theme))

    def _titles(self, bar: QTabBar) -> list[str]:
        """Whole titles of the panels whose tabs are in a bar."""
        whole = {dock.windowTitle(): dock.panel.title for dock in self._docks.values()}
        return [whole.get(bar.tabText(place), bar.tabText(place)) for place in range(bar.count())]

    @Slot(str, bool)
    def _on_shown(self, key: str, on: bool) -> None:
        self.shown_changed.emit(key, on)

    def createPopupMenu(self) -> None:  # the View menu has these; no second menu on right-click
        return None

    def sizeHint(self) -> QSize:
        return QSize(900, 620)
