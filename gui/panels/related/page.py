"""What the pages of the relations panel have in common."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QLabel, QPushButton, QStackedLayout, QVBoxLayout, QWidget

from gui.plots.flow import FlowRow
from gui.plots.plot import Plot
from gui.theme import Theme

if TYPE_CHECKING:
    from engine.events import Frame

NEAR = 14.0  # pixels within which a point is pointed at


class Page(QWidget):
    """One relation: what it draws, or a sentence and a button where there is nothing to draw yet."""

    topic = ""
    empty_text = ""
    button_text = ""

    requested = Signal()
    said = Signal()  # its one-line summary is another one

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.frame: Frame | None = None
        self.summary = ""
        self.row = FlowRow()  # its controls, which the panel puts above it
        self.button = QPushButton(self.button_text)
        self.button.setProperty("role", "link")
        self.button.clicked.connect(self.requested)
        text = QLabel(self.empty_text, alignment=Qt.AlignmentFlag.AlignCenter, wordWrap=True)
        text.setProperty("role", "muted")
        nothing = QWidget()
        column = QVBoxLayout(nothing)
        column.addStretch(1)
        column.addWidget(text)
        column.addWidget(self.button, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(1)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(nothing)

    def set_body(self, body: QWidget) -> None:
        """The widget that draws."""
        self._stack.addWidget(body)

    def show_frame(self, frame: Frame) -> None:
        """Draw."""
        self.frame = frame
        self.redraw()
        self._stack.setCurrentIndex(1)

    def clear(self) -> None:
        """Draw nothing."""
        self.frame = None
        self.summary = ""
        self._stack.setCurrentIndex(0)

    def redraw(self) -> None:
        """Draw the frame at hand."""
        raise NotImplementedError

    def set_theme(self, theme: Theme) -> None:
        """Recolour."""
        self.theme = theme

    def plots(self) -> Sequence[tuple[str, Any]]:
        """Names and plot items of what can be written as SVG."""
        return ()

    def csv_rows(self) -> Iterable[Sequence[Any]]:
        """The numbers drawn."""
        return ()


def quiet_box(name: str, tip: str) -> QComboBox:
    """A list without a frame."""
    box = QComboBox()
    box.setProperty("quiet", True)
    box.setAccessibleName(name)
    box.setToolTip(tip)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
    return box


def fill_box(box: QComboBox, items: Sequence[tuple[str, Any]], chosen: Any) -> None:
    """Put (text, data) into a list, only where they differ, and choose silently."""
    if [(box.itemText(k), box.itemData(k)) for k in range(box.count())] != list(items):
        box.clear()
        for text, data in items:
            box.addItem(text, data)
    box.setCurrentIndex(max(0, box.findData(chosen)))


def nearest(plot: Plot, x: np.ndarray, y: np.ndarray, at: tuple[float, float]) -> int | None:
    """Position of the point that is within :data:`NEAR` pixels of ``at``, the nearest one; None where none is."""
    wide, high = plot.pixel()
    if not len(x) or not wide or not high:
        return None
    distance = np.hypot((x - at[0]) / wide, (y - at[1]) / high)
    distance = np.where(np.isfinite(distance), distance, np.inf)
    found = int(distance.argmin())
    return found if distance[found] <= NEAR else None


def stepped(x: np.ndarray, y: np.ndarray, at: int | None, by: int) -> int | None:
    """The point that arrow keys reach from ``at``, in the order of x; NaN is passed over."""
    order = [int(k) for k in np.argsort(x, kind="stable") if np.isfinite(x[k]) and np.isfinite(y[k])]
    if not order:
        return None
    if at is None or at not in order:
        return order[0]
    return order[min(len(order) - 1, max(0, order.index(at) + by))]


def figure(value: float | None, places: int = 3) -> str:
    """A number for a readout."""
    if value is None or not np.isfinite(value):
        return "–"
    return f"{value:.{places}f}".replace("-", "−")


def statistics_rows(frame: Frame) -> Iterable[Sequence[Any]]:
    """Every statistic of a frame, for CSV."""
    yield ["statistic", "label", "unit", "given", "rho", "low", "high", "least", "most", "p", "n", "wrong"]
    for found in frame.info["statistics"]:
        numbers = ["" if found[key] is None else found[key] for key in ("rho", "low", "high", "least", "most", "p")]
        yield [
            found["name"],
            found["label"],
            found["unit"],
            ", ".join(found["given"]),
            *numbers,
            found["n"],
            found["wrong"],
        ]
