"""Pages with many plots, made piece by piece: a plot takes a thirtieth of a second, and the window must stay fluid."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from PySide6.QtCore import QTimer, Signal, Slot
from PySide6.QtWidgets import QWidget

from gui.panels.related.page import Page
from gui.theme import Theme


class PiecewisePage(Page):
    """Made by :meth:`making`, a piece a tick from :meth:`go_on`, or all at once by :meth:`finish`; ``finished()`` comes once.

    Its plots are first laid out and painted one a tick as well, unless :meth:`finish` is called.
    """

    finished = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self.made = False
        self._steps = self.making()
        self._exhausted = False
        self._waiting: list[QWidget] = []  # plots that are not shown yet
        self._timer = QTimer(self, interval=0)
        self._timer.timeout.connect(self._on_tick)

    def making(self) -> Iterator[None]:
        """Make everything, with a yield wherever painting may come between."""
        raise NotImplementedError

    def pieces(self) -> Sequence[QWidget]:
        """What is dear to lay out and to paint, and hidden by nobody else."""
        raise NotImplementedError

    def go_on(self) -> None:
        """Make what is not made yet while the window goes on."""
        if not self.made:
            self._timer.start()

    def finish(self) -> None:
        """Make all of it now."""
        if not self.made:
            for _ in self._steps:
                pass
            self._end()
        self._timer.stop()
        while self._waiting:
            self._waiting.pop().show()

    @Slot()
    def _on_tick(self) -> None:
        if not self._exhausted:
            self._exhausted = next(self._steps, self) is self
        elif not self.made:
            self._waiting = [piece for piece in reversed(self.pieces()) if not piece.isHidden()]
            for piece in self._waiting:
                piece.hide()
            self._end()
        elif self._waiting:
            self._waiting.pop().show()
        else:
            self._timer.stop()

    def _end(self) -> None:
        self.made = True
        self.finished.emit()
