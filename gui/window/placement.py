"""Where the window stands and how its panels are arranged, kept from one start to the next."""

from __future__ import annotations

import base64

from PySide6.QtCore import QByteArray, QObject, QTimer, Slot
from PySide6.QtWidgets import QMainWindow

from gui.settings import Settings
from gui.workspace import Workspace

SIZE = (1440, 900)


class Placement(QObject):
    """Puts the window and its panels where they were, and remembers where they are."""

    def __init__(self, window: QMainWindow, docks: Workspace, settings: Settings) -> None:
        super().__init__(window)
        self._window, self._docks, self._settings = window, docks, settings
        self.arranged = False
        # sizes of docks hold only once the window has its size
        self._soon = QTimer(self, interval=0, singleShot=True)
        self._soon.timeout.connect(self._arrange)

    def restore(self) -> None:
        """Give the window its place and size."""
        geometry = self._settings.values.geometry
        if not (geometry and self._window.restoreGeometry(QByteArray.fromBase64(geometry.encode()))):
            self._window.resize(*SIZE)

    def arrange_once(self) -> None:
        """The window is shown: the first time, the panels are given their room."""
        if not self.arranged:
            self.arranged = True
            self._soon.start()

    def remember(self) -> None:
        """Put into the settings how everything stands."""
        layout = self._docks.save_layout() if self.arranged else self._settings.values.layout
        geometry = base64.b64encode(self._window.saveGeometry().data()).decode()
        self._settings.update(layout=layout, geometry=geometry)

    @Slot()
    def _arrange(self) -> None:
        self._docks.share_out()
        if self._settings.values.layout:
            self._docks.restore_layout(self._settings.values.layout)
