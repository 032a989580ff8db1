"""Pages with many plots, made piece by piece: a plot takes a thirtieth of a second, and the window must stay fluid."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from PySide6.QtCore import QTimer, Signal, Slot
from PySide6.QtWidgets import QWidget

from gui.panels.page import Page
from gui.plots.turns import in_turn
from gui.theme import Theme


class PiecewisePage(Page):
    """Made by :meth:`making`, a piece a tick from :meth:`go_on`, or all at once by :meth:`finish`; ``finished()`` comes once.

    Its plots are first painted one after the other as well, unless :meth:`finish` is called.
    """

    finished = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self.made = False
        self._steps = self.making()
        self._exhausted = False
        self._painting: Iterator[None] | None = None  # what was made, painted in turn
        self._timer = QTimer(self, interval=0)
        self._timer.timeout.connect(self._on_tick)

    def making(self) -> Iterator[None]:
        """Make everything, with a yield wherever painting may come between."""
        raise NotImplementedError

    def pieces(self) -> Sequence[QWidget]:
        """What is dear to paint."""
        raise NotImplementedError

    @property
    def at_rest(self) -> bool:
        """Whether it is made, and painted if it can be seen."""
        return self.made and self._painting is None

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
        self._painting = None  # all that waits is painted at once

    @Slot()
    def _on_tick(self) -> None:
        if not self._exhausted:
            self._exhausted = next(self._steps, self) is self
            return
        if not self.made and self._painting is None:
            self._painting = in_turn(self.pieces(), self._end)
        if self._painting is None or next(self._painting, self) is self:
            self._painting = None
            self._timer.stop()

    def _end(self) -> None:
        self.made = True
        self.finished.emit()
