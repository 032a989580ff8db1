"""The two menus of files: those that were saved lately, and the ready examples."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QMenu

from engine.paths import RESOURCES
from gui.documents import Documents
from gui.settings import Settings


class FileMenus(QObject):
    """Adds them to the File menu; the recent files are looked up as their menu opens."""

    def __init__(self, menu: QMenu, documents: Documents, settings: Settings, parent: QObject) -> None:
        super().__init__(parent)
        self._documents, self._settings = documents, settings
        self.recent = menu.addMenu("Open recent")
        self.recent.aboutToShow.connect(self._fill_recent)
        self.examples = menu.addMenu("Examples")
        for path in sorted((RESOURCES / "examples").glob("*.toml")):
            action = self.examples.addAction(path.stem.replace("-", " ").capitalize())
            action.triggered.connect(partial(_import, documents, path))

    @Slot()
    def _fill_recent(self) -> None:
        self.recent.clear()
        for path in self._settings.recent():
            self.recent.addAction(str(path), partial(self._documents.open, path))
        if self.recent.isEmpty():
            self.recent.addAction("No session was saved yet").setEnabled(False)


def _import(documents: Documents, path: Path, _checked: bool = False) -> None:
    documents.import_spec(path)
