"""What the engine says of itself, beside what it says of jobs: it is ready, it could not start, it cannot record."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from engine.runtime import Delivery, EngineFailed, EngineReady, RecorderFailed
from gui.chrome.log import LogPanel
from gui.chrome.status import StatusBar
from gui.window.messages import Messages


class EngineNews(QObject):
    """Shows it in the status bar and says it."""

    ready = Signal()  # torch is in memory

    def __init__(self, status: StatusBar, log: LogPanel, messages: Messages, parent: QObject) -> None:
        super().__init__(parent)
        self._status, self._log, self._messages = status, log, messages

    def expect(self) -> None:
        """The engine is being started."""
        self._status.set_device("loading engine…")
        self._log.append("info", "Loading the engine.")

    def take(self, delivery: Delivery) -> None:
        """What the engine has said since the last tick."""
        for event in delivery.lifecycle:
            match event:
                case EngineReady(description=text, seconds=seconds):
                    self._status.set_device(text)
                    self._log.append("info", f"Engine ready in {seconds:.1f} s: {text}.")
                    self.ready.emit()
                case EngineFailed(message=message, traceback=trace):
                    self._status.set_device("engine failed")
                    self._messages.show_bug(message, trace)
                case RecorderFailed(message=message):
                    self._messages.fail(message)
