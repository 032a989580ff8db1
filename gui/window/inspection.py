"""The inspector shows what is chosen, as it is at the moment shown."""

from __future__ import annotations

from PySide6.QtCore import QObject, Slot

from gui.chrome.inspector import Inspector
from gui.inspect import describe
from gui.selection import Selection
from gui.stage import Stage

READ = ("gallery", "matrix/clean", "pairs", "dataset")  # the topics that it reads


class Inspection(QObject):
    """Keeps the inspector to the selection and the stage."""

    def __init__(self, inspector: Inspector, selection: Selection, stage: Stage, parent: QObject) -> None:
        super().__init__(parent)
        self._inspector, self._selection, self._stage = inspector, selection, stage
        self._is_old = False
        selection.changed.connect(self.show)
        stage.moment_changed.connect(self.show)
        stage.topic_changed.connect(self._on_topic)

    @Slot()
    def show(self) -> None:
        """Show what is chosen."""
        self._is_old = False
        content = describe(self._selection, self._stage)
        if content is None:
            self._inspector.clear()
        else:
            self._inspector.set_content(content.title, content.image, content.rows, content.sections, content.subtitle)

    def refresh(self) -> None:
        """Show it anew, if what it was read from is another by now."""
        if self._is_old:
            self.show()

    @Slot(str)
    def _on_topic(self, topic: str) -> None:
        if topic in READ and self._selection.latest is not None:
            self._is_old = True
