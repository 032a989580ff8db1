"""Plots that change all at once, painted one after the other: each takes a third of a frame, and the window must stay fluid."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

SETTLING = 3
"""Paintings of a plot before it is at rest: each may give its axes another width, and so its curves another size."""


def in_turn(
    widgets: Sequence[QWidget], change: Callable[[], None], each: Callable[[int], None] | None = None
) -> Iterator[None]:
    """Do ``change()``, which moves or redraws all of these, and let them be painted one after the other.

    ``each(k)`` draws on the k-th just before it is painted. There is a yield wherever the event loop is to come by. Where
    this is given up before its end, all are painted at once.
    """
    for widget in widgets:
        widget.setUpdatesEnabled(False)
    try:
        change()
        yield  # they are laid out,
        yield  # and once more where rows of text have wrapped to their width
        for k, widget in enumerate(widgets):
            if each is not None:
                each(k)
            _let(widget)
            for _ in range(SETTLING if widget.isVisible() else each is not None):
                yield
    finally:
        for widget in widgets:
            _let(widget)


def _let(widget: QWidget) -> None:
    if isValid(widget) and not widget.updatesEnabled():
        widget.setUpdatesEnabled(True)
