"""The classes and taps that there are, for the panel that has them chosen among."""

from __future__ import annotations

from PySide6.QtCore import QObject, Slot

from gui.panels.reconcile.panel import ReconcilePanel
from gui.stage import Stage


class Choices(QObject):
    """Tells the reconciliation what the data and the network at hand have, whether or not it is seen."""

    def __init__(self, stage: Stage, panel: ReconcilePanel, parent: QObject) -> None:
        super().__init__(parent)
        self._stage, self._panel = stage, panel
        stage.topic_changed.connect(self._on_topic)
        stage.cleared.connect(self._on_cleared)

    @Slot(str)
    def _on_topic(self, topic: str) -> None:
        if topic in ("dataset", "model"):
            data, model = self._stage.frame("dataset"), self._stage.frame("model")
            self._panel.set_known(data.info["classes"] if data else (), model.info["taps"] if model else ())

    @Slot()
    def _on_cleared(self) -> None:
        self._panel.set_known((), ())
