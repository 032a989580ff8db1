"""Plots that change all at once, painted one after the other: each takes a third of a frame, and the window must stay fluid."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

SETTLING = 3
"""Paintings of a plot before it is at rest: each may give its axes another width, and so its curves another size."""


def in_turn(widgets: Sequence[QWidget], change: Callable[[], None]) -> Iterator[None]:
    """Do ``change()``, which moves or redraws all of these, and let them be painted one at each step.

    There is a yield wherever the event loop is to come by. Where it is given up before its end, all are painted at once.
    """
    for widget in widgets:
        widget.setUpdatesEnabled(False)
    try:
        change()
        waiting = [widget for widget in widgets if widget.isVisible()]
        _let(widget for widget in widgets if widget not in waiting)
        yield  # they are laid out,
        yield  # and once more where rows of text have wrapped to their width
        while waiting:
            _let([waiting.pop(0)])
            for _ in range(SETTLING):
                yield
    finally:
        _let(widgets)


def _let(widgets: Sequence[QWidget] | Iterator[QWidget]) -> None:
    for widget in widgets:
        if isValid(widget) and not widget.updatesEnabled():
            widget.setUpdatesEnabled(True)
