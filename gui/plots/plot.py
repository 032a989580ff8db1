"""The one way a plot looks and behaves: thin axes, a quiet grid, wheel zoom, a double click or 0 goes home."""

from __future__ import annotations

from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt, Signal, Slot
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QToolButton, QWidget

from gui.icons import icon
from gui.plots.axes import PlainAxis
from gui.plots.bare import BarePlotItem
from gui.plots.readout import Readout
from gui.theme import Theme

Range = tuple[float, float]


class _View(pg.ViewBox):
    """A view box that reports clicks; the wheel zooms, dragging moves."""

    clicked = Signal(float, float)

    def mouseClickEvent(self, ev: Any) -> None:
        if ev.button() != Qt.MouseButton.LeftButton:
            return
        ev.accept()
        if ev.double():
            return  # the plot goes home
        where = self.mapSceneToView(ev.scenePos())
        self.clicked.emit(where.x(), where.y())


class Plot(pg.PlotWidget):
    """A themed plot. Its range is set by ``set_home``, never searched for at every draw (that costs 1.3 ms).

    Signals carry data coordinates: ``hovered(x, y)``, ``clicked(x, y)``; ``left()`` when the pointer is gone;
    ``moved(dx, dy)`` for the arrow keys and ``entered()`` for Return, so that all is reachable by keyboard;
    ``held()`` and ``homed()`` when a person has zoomed or gone home, for plots that are linked; ``home_changed()`` when
    what is drawn asks for another range, for plots that share one.
    """

    hovered = Signal(float, float)
    clicked = Signal(float, float)
    left = Signal()
    moved = Signal(int, int)
    entered = Signal()
    homed = Signal()
    held = Signal()
    home_changed = Signal()

    def __init__(self, theme: Theme, axes: dict[str, pg.AxisItem] | None = None, parent: QWidget | None = None) -> None:
        made = {"left": PlainAxis("left"), "bottom": PlainAxis("bottom")}
        made.update(axes or {})
        self._box = _View(enableMenu=False)
        super().__init__(parent, plotItem=BarePlotItem(self._box, made))
        self.theme = theme
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(60, 50)
        item = self.getPlotItem()
        item.setContentsMargins(0, 2, 8, 0)
        for axis in ("left", "bottom"):
            item.getAxis(axis).enableAutoSIPrefix(False)
        self._box.disableAutoRange()
        self._box.setDefaultPadding(0)
        self._home: tuple[Range, Range] | None = None
        self._common: tuple[Range, Range] | None = None  # the home of all plots that share one
        self._zoomed = False
        self._texts: dict[str, str] = {}
        self._reset = QToolButton(self)
        self._reset.setToolTip("Show everything again (0, or double click)")
        self._reset.setAccessibleName("Reset zoom")
        self._reset.setCursor(Qt.CursorShape.PointingHandCursor)
        self._reset.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._reset.hide()
        self._reset.clicked.connect(self.home)
        self.readout = Readout(self, theme)
        self._box.sigRangeChangedManually.connect(self._on_zoom)
        self._box.clicked.connect(self.clicked)
        self.scene().sigMouseMoved.connect(self._on_move)
        self.set_theme(theme)

    # --- range -------------------------------------------------------------------------------------------------

    @property
    def zoomed(self) -> bool:
        """Whether a person has moved away from home."""
        return self._zoomed

    def set_home(self, x: Range, y: Range, *, slack: float = 0.0) -> None:
        """The range that shows everything; taken at once unless a person has zoomed.

        With ``slack`` the old range stays while it holds the new one and is larger by no more than that share:
        live data then move the curves, not the axes, which cost the most to draw.
        """
        home = ((float(x[0]), float(x[1])), (float(y[0]), float(y[1])))
        if self._home is not None and all(_holds(old, new, slack) for old, new in zip(self._home, home, strict=True)):
            return
        self._home = home
        self.home_changed.emit()
        if not self._zoomed:
            self._go_home()

    @property
    def own_home(self) -> tuple[Range, Range] | None:
        """The range that shows everything drawn here; None where nothing is."""
        return self._home

    def set_common(self, home: tuple[Range, Range] | None) -> None:
        """Go home to this range, which plots beside this one share; None goes by what is drawn here alone."""
        if home != self._common:
            self._common = home
            if not self._zoomed:
                self._go_home()

    def show_range(self, x: Range, y: Range) -> None:
        """Show a range, as if a person had zoomed there."""
        self._zoomed = True
        self._box.setRange(xRange=x, yRange=y, padding=0)

    @Slot()
    def home(self) -> None:
        """Back to the range that shows everything."""
        self.follow_home()
        self.homed.emit()

    @Slot()
    def follow_hold(self) -> None:
        """Stay where it is, because a person has moved a linked plot."""
        self._zoomed = True

    @Slot()
    def follow_home(self) -> None:
        """Go home because a linked plot did."""
        self._zoomed = False
        self._reset.hide()
        self._go_home()

    def zoom(self, factor: float) -> None:
        """Zoom about the middle; below 1 goes closer."""
        self._box.scaleBy((factor, factor))
        self._on_zoom()

    def _go_home(self) -> None:
        home = self._common or self._home
        if home is not None:
            self._box.setRange(xRange=home[0], yRange=home[1], padding=0)

    def _on_zoom(self, *_: object) -> None:
        self._zoomed = True
        self._reset.show()
        self._reset.raise_()
        self.held.emit()

    # --- look --------------------------------------------------------------------------------------------------

    def set_axis_text(self, side: str, text: str) -> None:
        """The label of an axis, with its unit in the text."""
        if self._texts.get(side) == text:
            return  # setting a label lays the whole plot out again
        self._texts[side] = text
        self._write_axis_text(side, text)

    def _write_axis_text(self, side: str, text: str) -> None:
        axis = self.getPlotItem().getAxis(side)
        if not text:
            axis.showLabel(False)
            return
        axis.label.setFont(self.theme.font(self.theme.small))  # first: by it a long text is cut
        axis.setLabel(text, **{"color": self.theme.muted, "font-size": f"{self.theme.small}px"})

    def set_grid(self, x: bool, y: bool) -> None:
        """Grid lines at the labelled ticks."""
        alpha = 46 if self.theme.is_dark else 38
        item = self.getPlotItem()
        item.getAxis("bottom").setGrid(alpha if x else False)
        item.getAxis("left").setGrid(alpha if y else False)
        self._grid = (x, y)

    _grid: tuple[bool, bool] = (False, False)

    def set_theme(self, theme: Theme) -> None:
        """Recolour background, axes, grid and texts."""
        self.theme = theme
        self.setBackground(theme.surface)
        item = self.getPlotItem()
        for side in item.axes:
            axis = item.getAxis(side)
            axis.setPen(pg.mkPen(theme.line_strong, width=1))
            axis.setTextPen(pg.mkPen(theme.muted))
            axis.setTickFont(theme.font(theme.small))
            axis.setStyle(
                tickLength=-3,
                tickTextOffset=5,
                autoExpandTextSpace=True,
                autoReduceTextSpace=True,
                hideOverlappingLabels=False,
            )
        for side, text in self._texts.items():
            self._write_axis_text(side, text)
        self.set_grid(*self._grid)
        self._reset.setStyleSheet(
            f"QToolButton {{ background: {theme.raised}; color: {theme.text}; border: 1px solid {theme.line_strong};"
            f" border-radius: 4px; padding: 2px; }}"
        )
        self._reset.setIcon(icon("reset", theme))
        self.readout.set_theme(theme)

    # --- pointer and keys --------------------------------------------------------------------------------------

    def at(self, x: float, y: float) -> QPoint:
        """Where a data point is in this widget."""
        return self.mapFromScene(self._box.mapViewToScene(QPointF(x, y)))

    def pixel(self) -> tuple[float, float]:
        """How many data units one pixel is, across and up."""
        width, height = self._box.viewPixelSize()
        return float(width), float(height)

    def shows(self, x: float, y: float) -> bool:
        """Whether a data point lies inside the visible range."""
        (x0, x1), (y0, y1) = self._box.viewRange()
        return x0 <= x <= x1 and y0 <= y <= y1

    def _on_move(self, where: QPointF) -> None:
        if self._box.sceneBoundingRect().contains(where):
            at = self._box.mapSceneToView(where)
            self.hovered.emit(at.x(), at.y())
        else:
            self.leave()

    def leave(self) -> None:
        """The pointer is gone: no readout."""
        self.readout.silence()
        self.left.emit()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.leave()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        super().mouseDoubleClickEvent(event)
        if event.button() == Qt.MouseButton.LeftButton:
            self.home()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if hasattr(self, "_reset"):
            self._reset.adjustSize()
            self._reset.move(self.width() - self._reset.width() - 8, 6)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {
            Qt.Key.Key_Left: (-1, 0),
            Qt.Key.Key_Right: (1, 0),
            Qt.Key.Key_Up: (0, 1),
            Qt.Key.Key_Down: (0, -1),
        }
        key = event.key()
        if key in steps:
            self.moved.emit(*steps[Qt.Key(key)])
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.entered.emit()
        elif key == Qt.Key.Key_0:
            self.home()
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.zoom(1 / 1.25)
        elif key == Qt.Key.Key_Minus:
            self.zoom(1.25)
        elif key == Qt.Key.Key_Escape and self.readout.isVisible():
            self.leave()
        else:
            event.ignore()  # so that the window's shortcuts still work
            return
        event.accept()


def pen(
    colour: str,
    width: float = 1.0,
    *,
    dash: bool = False,
    dot: bool = False,
    dash_dot: bool = False,
    alpha: float = 1.0,
) -> Any:
    """A cosmetic pen; width 1 is the fast one."""
    ink = QColor(colour)
    ink.setAlphaF(alpha)
    style = Qt.PenStyle.SolidLine
    made = pg.mkPen(ink, width=width, style=style)
    if dash:
        made.setDashPattern([5, 3.5])
    if dot:
        made.setDashPattern([1.2, 2.6])
    if dash_dot:
        made.setDashPattern([7, 3, 1.5, 3])
    return made


def _holds(old: Range, new: Range, slack: float) -> bool:
    inside = old[0] <= new[0] and new[1] <= old[1]
    return inside and old[1] - old[0] <= (new[1] - new[0]) * (1 + slack)


def padded(low: float, high: float, share: float = 0.06) -> Range:
    """A range a little larger than the data; never empty."""
    if not low < high:
        wide = abs(low) * 0.1 or 1.0
        return low - wide, high + wide
    extra = (high - low) * share
    return low - extra, high + extra
