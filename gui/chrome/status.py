"""The status line: device, speed, memory and session at the left, the last message at the right."""

from __future__ import annotations

from PySide6.QtCore import QTimer, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from gui.panels.labels import ElidedLabel

MESSAGE_SECONDS = 8
FIELDS = {
    "device": "What torch computes on",
    "rate": "Steps a second of the running job",
    "memory": "Memory this program holds (resident set)",
    "session": "The session file, and when it was saved",
}


class StatusBar(QWidget):
    """One line of facts. Each fact keeps its place, so that the line does not dance."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Status")
        self._labels: dict[str, QLabel] = {}
        row = QHBoxLayout(self)
        row.setContentsMargins(4, 0, 4, 0)
        row.setSpacing(26)
        for name, tip in FIELDS.items():
            label = QLabel(toolTip=tip)
            label.setProperty("role", "small")
            label.hide()
            self._labels[name] = label
            row.addWidget(label)
        self._message = ElidedLabel()
        self._message.setProperty("role", "small")
        self._message.setAlignment(self._message.alignment().AlignRight | self._message.alignment().AlignVCenter)
        row.addWidget(self._message, 1)
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self._forget)

    def set_device(self, text: str) -> None:
        """As "loading engine…" or "CPU · 1 thread"."""
        self._set("device", text)

    def set_rate(self, steps_per_second: float | None) -> None:
        """Steps a second, or None where no job runs."""
        digits = 0 if steps_per_second is None or steps_per_second >= 10 else 1
        self._set("rate", "" if steps_per_second is None else f"{steps_per_second:.{digits}f} steps/s")

    def set_memory(self, resident_bytes: int | None) -> None:
        """Bytes held."""
        self._set("memory", "" if resident_bytes is None else f"{resident_bytes / 2**20:.0f} MB")

    def set_session(self, text: str) -> None:
        """As "digits.rapidity · saved 12:04" or "not saved yet"."""
        self._set("session", text)

    def text(self, name: str) -> str:
        """What a field shows."""
        return self._labels[name].text()

    @property
    def message(self) -> str:
        return self._message.full_text

    def show_message(self, text: str, seconds: float = MESSAGE_SECONDS) -> None:
        """A sentence that goes by itself after a while; 0 seconds keeps it."""
        self._message.set_text(text)
        self._timer.stop()
        if seconds:
            self._timer.start(round(seconds * 1000))

    @Slot()
    def _forget(self) -> None:
        self._message.set_text("")

    def _set(self, name: str, text: str) -> None:
        label = self._labels[name]
        if label.text() != text:
            label.setText(text)
            label.setVisible(bool(text))
            label.setAccessibleName(f"{FIELDS[name]}: {text}")
