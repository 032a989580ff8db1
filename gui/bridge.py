"""From the engine's mailbox to the window: fetched at display rate, never pushed.

The engine posts no Qt signal. A timer empties the mailbox some thirty times a second and hands on what it found.
"""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

from engine.runtime import Delivery, Mailbox

TICK_MS = 33
DELIVERIES_A_TICK = 20  # jobs that fail at once in a long queue must not hold up the window


class Bridge(QObject):
    """Empties the mailbox at every tick. ``delivered`` comes once for each delivery, ``ticked`` after them all."""

    delivered = Signal(object)  # Delivery: apply its events first, then its lifecycle
    ticked = Signal()

    def __init__(self, mailbox: Mailbox, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.mailbox = mailbox
        self._timer = QTimer(self, interval=TICK_MS, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self.tick)

    def start(self) -> None:
        """Begin to fetch."""
        self._timer.start()

    def stop(self) -> None:
        """Fetch no more."""
        self._timer.stop()

    @Slot()
    def tick(self) -> None:
        """Fetch what is there now; also called by tests and once at the end."""
        for _ in range(DELIVERIES_A_TICK):
            delivery: Delivery = self.mailbox.drain()
            if delivery:
                self.delivered.emit(delivery)
            if not delivery.more:
                break
        self.ticked.emit()
