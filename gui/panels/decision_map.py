"""What the network says in a plane of the input space: through a sample, what the attack made of it, and a third one."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QRectF, Signal, Slot
from PySide6.QtGui import QColor, QResizeEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from gui.panels.base import Panel
from gui.panels.decision_map_thumbnails import NAMES, THIRD, X_ADV, Thumbnails, X, class_name
from gui.panels.results.page import norm_name
from gui.plots.chips import Chips, Entry
from gui.plots.contour import zero_line
from gui.plots.dots import Dots
from gui.plots.flow import FlowRow
from gui.plots.plot import Plot, pen
from gui.selection import Selection
from gui.theme import Theme

if TYPE_CHECKING:
    from engine.events import Frame

FAINTEST, STRONGEST = 0.22, 0.80  # how much of a class's colour its region has, at the boundary and far from it
SNAP = 12.0  # pixels from a point within which a click means its sample
NEAREST, SELECTED = "nearest", "selected"


class DecisionMapPanel(Panel):
    """Regions in the colours of their classes, pale at the boundary of the true class; the ball, the box, the three points.

    ``map_requested(sample, third)`` asks for another map; -1 leaves a choice to the experiment.
    """

    key = "map"
    title = "Decision map"
    tab = "Map"
    topics = ("decision_map",)
    empty_text = "No map yet. It shows what the network says in the plane through a sample, what the attack made of it, and a third one."

    map_requested = Signal(int, int)

    def __init__(self, selection: Selection, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(selection, theme, parent)
        self._frame_shown: Frame | None = None
        self._hidden: set[str] = set()
        self._pointed: tuple[int, int] | None = None  # (row, column) of the grid
        self.button, self.first_button = QPushButton(), QPushButton()  # beside the map, and where there is none yet
        for button in (self.button, self.first_button):
            button.setProperty("role", "link")
            button.clicked.connect(self._ask)
        self.add_empty_action(self.first_button)
        self.third_box = QComboBox()
        self.third_box.setProperty("quiet", True)
        self.third_box.setAccessibleName("Third sample of the plane")
        self.third_box.addItem("third: nearest", NEAREST)
        self.third_box.addItem("third: selected", SELECTED)
        self.third_box.setToolTip("Which sample the plane goes through besides x and x_adv, at the next map")
        self.third_box.activated.connect(self._offer)
        self.plot = Plot(theme)
        self.plot.setAccessibleName("Classes seen in the plane")
        self.plot.getViewBox().setAspectLocked(True)
        self.image = pg.ImageItem(axisOrder="row-major")
        self._boundary = pg.PlotCurveItem(connect="pairs", antialias=True)
        self._ball = pg.PlotCurveItem(antialias=True)
        self._box = pg.PlotCurveItem(antialias=True)
        self._way = pg.PlotCurveItem(antialias=True)
        self._points = [Dots(size=9, pxMode=True, symbol=symbol) for symbol in ("o", "d", "s")]
        self._words = [pg.TextItem(name, anchor=(0, 1)) for name in NAMES]
        items = (self.image, self._box, self._boundary, self._ball, self._way, *self._points, *self._words)
        for z, item in enumerate(items):
            item.setZValue(z)
            self.plot.addItem(item, ignoreBounds=True)
        self.plot.hovered.connect(self._on_hover)
        self.plot.left.connect(self._on_left)
        self.plot.clicked.connect(self._on_click)
        self.plot.moved.connect(self._on_keys)
        self.thumbnails = Thumbnails(theme)
        self.chips = Chips(theme, "Classes and lines")
        self.chips.toggled.connect(self._on_chip)
        self.note = QLabel(wordWrap=True, visible=False)
        self.note.setProperty("role", "small")
        line = QHBoxLayout()
        line.setSpacing(6)
        line.addWidget(self.plot, 1)
        line.addWidget(self.thumbnails)
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        self._row = FlowRow([self.button, self.third_box])
        column.addWidget(self._row)
        column.addLayout(line, 1)
        column.addWidget(self.note)
        column.addWidget(self.chips)
        self.set_body(body)
        self._recolour()
        self._offer()
        selection.sample_changed.connect(self._offer)

    # --- frames ------------------------------------------------------------------------------------------------

    def show_frame(self, frame: Frame) -> None:
        self._frame_shown = frame
        self._pointed = None
        self.thumbnails.show_frame(frame)
        self._draw()
        low_a, high_a, low_b, high_b = (float(v) for v in frame.arrays["extent"])
        self.plot.home()
        self.plot.set_home((low_a, high_a), (low_b, high_b))
        across, up = frame.info.get("axes") or ("x_adv", "the third sample")
        for side, where in (("bottom", across), ("left", up)):
            self.plot.set_axis_text(side, f"to {where.partition(' (')[0]} (L2, input units)")
        note = str(frame.info.get("note") or "")
        self.note.setText(note)
        self.note.setVisible(bool(note))
        self.set_subtitle(self._says())
        self._offer()
        self.show_content()

    def clear(self) -> None:
        self._frame_shown = None
        self._pointed = None
        self.image.clear()
        self.thumbnails.show_frame(None)
        self._offer()
        super().clear()

    def _says(self) -> str:
        frame = self._frame_shown
        if frame is None:
            return ""
        info = frame.info
        seen = int(frame.arrays["point_prediction"][X_ADV]) if "point_prediction" in frame.arrays else -1
        words = [f"sample {info['index']} (class {self._class(info['y'])})", str(info.get("title") or info["method"])]
        if seen >= 0:
            words.append(f"x_adv seen as {self._class(seen)}")
        return " · ".join(words)

    def _class(self, number: int) -> str:
        return class_name(self._frame_shown, number)

    # --- drawing -----------------------------------------------------------------------------------------------

    def axes(self) -> tuple[np.ndarray, np.ndarray]:
        """Coordinates of the grid's columns (a) and rows (b)."""
        assert self._frame_shown is not None
        low_a, high_a, low_b, high_b = self._frame_shown.arrays["extent"]
        rows, columns = self._frame_shown.arrays["margin"].shape
        return np.linspace(low_a, high_a, columns), np.linspace(low_b, high_b, rows)

    def _draw(self) -> None:
        frame = self._frame_shown
        if frame is None:
            return
        arrays = frame.arrays
        a, b = self.axes()
        da, db = a[1] - a[0], b[1] - b[0]
        self.image.setImage(regions(arrays["prediction"], arrays["margin"], self.theme), levels=(0, 255))
        self.image.setRect(QRectF(a[0] - da / 2, b[0] - db / 2, a[-1] - a[0] + da, b[-1] - b[0] + db))
        self._boundary.setData(*zero_line(arrays["margin"], a, b))
        for curve, name in ((self._ball, "ball"), (self._box, "box")):
            outline = arrays.get(name)
            curve.setData(*(outline.T if outline is not None else (np.empty(0), np.empty(0))))
        points = arrays["points"]
        self._way.setData(points[[X, X_ADV], 0], points[[X, X_ADV], 1])
        for k, (at_a, at_b) in enumerate(points):
            self._points[k].setData([at_a], [at_b])
            self._words[k].setPos(at_a, at_b)
            # x and x_adv are often close: their names stand on either side; and none leaves the picture at the top
            near_top = at_b > b[-1] - 0.12 * (b[-1] - b[0])
            self._words[k].setAnchor((1 if k == X else 0, 0 if near_top else 1))
            self._words[k].setText(NAMES[k] if k != THIRD or frame.info["third_index"] >= 0 else "random")
        same = bool(np.allclose(points[X], points[X_ADV]))
        self._words[X].setText("x = x_adv" if same else "x")
        for k, shown in ((X_ADV, not same), (THIRD, frame.info["third_index"] != frame.info["index"])):
            self._points[k].setVisible(shown)
            self._words[k].setVisible(shown)
        self._fill_chips()
        self._show_hidden()
        self.thumbnails.give_way(self.width())

    def _fill_chips(self) -> None:
        frame = self._frame_shown
        if frame is None:
            return
        theme, info = self.theme, frame.info
        seen = [int(k) for k in np.unique(frame.arrays["prediction"]) if k >= 0]
        entries = [
            Entry(
                f"class {k}",
                self._class(k),
                theme.class_colour(k),
                f"Seen as class {self._class(k)}; click to choose it",
            )
            for k in seen
        ]
        name = norm_name(info["norm"])
        entries.append(Entry("boundary", f"edge of {self._class(info['y'])}", theme.text, "Margin of the true class 0"))
        if "ball" in frame.arrays:
            radius = f"ε = {info['eps']:g}" if info.get("eps") is not None else f"‖x_adv − x‖ = {info['radius']:.3g}"
            entries.append(
                Entry(
                    "ball",
                    f"{name} ball, {radius}",
                    theme.text,
                    f"Where the {name} ball around x cuts the plane",
                    "dash",
                )
            )
        if "box" in frame.arrays:
            entries.append(
                Entry("box", "valid inputs", theme.text, "Within it all values lie in the data's range", "dot")
            )
        self.chips.set_entries(entries, [e.key for e in entries if e.key not in self._hidden])

    def _show_hidden(self) -> None:
        for key, item in (("boundary", self._boundary), ("ball", self._ball), ("box", self._box)):
            item.setVisible(key not in self._hidden)

    @Slot(str, bool)
    def _on_chip(self, key: str, on: bool) -> None:
        if key.startswith("class "):
            self.selection.set_klass(int(key.removeprefix("class ")))
            self._fill_chips()
            return
        self._hidden.discard(key) if on else self._hidden.add(key)
        self._show_hidden()

    # --- asking for a map --------------------------------------------------------------------------------------

    @Slot()
    def _offer(self, *_: object) -> None:
        """What the button will do with what is selected."""
        through = self.third_box.currentData() == SELECTED and self._frame_shown is not None
        chosen = self.selection.sample
        text = "Map the selected sample" if chosen is not None else "Map a fooled sample"
        tip = "The plane through the selected sample, what the attack made of it, and the nearest sample of that class"
        if chosen is None:
            tip = "No sample is selected: the first that the attack has fooled is mapped"
        if through:
            text = "Map with the selected sample"
            tip = "The plane of the sample shown, through the selected one"
        for button in (self.button, self.first_button):
            button.setText(text)
            button.setAccessibleName(text)
            button.setToolTip(tip)
            button.setEnabled(not through or chosen is not None)
        self._row.arrange()

    @Slot()
    def _ask(self) -> None:
        chosen = self.selection.sample if self.selection.sample is not None else -1
        if self.third_box.currentData() == SELECTED and self._frame_shown is not None:
            self.map_requested.emit(int(self._frame_shown.info["index"]), chosen)
        else:
            self.map_requested.emit(chosen, -1)

    # --- pointer and keys --------------------------------------------------------------------------------------

    def describe(self, row: int, column: int) -> str:
        """What the readout says of a point of the grid."""
        frame = self._frame_shown
        if frame is None:
            return ""
        arrays, info = frame.arrays, frame.info
        a, b = self.axes()
        where = []
        if "ball" in arrays:
            where.append(
                f"{'inside' if arrays['in_ball'][row, column] else 'outside'} the {norm_name(info['norm'])} ball"
            )
        if "box" in arrays:
            where.append("a valid input" if arrays["in_box"][row, column] else "not a valid input")
        margin = float(arrays["margin"][row, column])
        lines = [
            f"seen as {self._class(int(arrays['prediction'][row, column]))} · confidence {arrays['confidence'][row, column]:.1%}",
            f"margin of {self._class(info['y'])} {margin:+.3g}".replace("-", "−"),
            f"L2 distance from x {math.hypot(a[column], b[row]):.3g}",
        ]
        return "\n".join([*lines, " · ".join(where)] if where else lines)

    def _point(self, row: int, column: int) -> None:
        self._pointed = (row, column)
        a, b = self.axes()
        self.plot.readout.say(self.describe(row, column), self.plot.at(float(a[column]), float(b[row])))

    @Slot(float, float)
    def _on_hover(self, x: float, y: float) -> None:
        if self._frame_shown is None:
            return
        a, b = self.axes()
        column = round((x - a[0]) / (a[1] - a[0]))
        row = round((y - b[0]) / (b[1] - b[0]))
        if 0 <= row < len(b) and 0 <= column < len(a):
            self._point(row, column)
        else:
            self.plot.leave()

    @Slot()
    def _on_left(self) -> None:
        self._pointed = None

    @Slot(float, float)
    def _on_click(self, x: float, y: float) -> None:
        frame = self._frame_shown
        if frame is None:
            return
        across, up = self.plot.pixel()
        points = frame.arrays["points"]
        away = np.hypot((points[:, 0] - x) / across, (points[:, 1] - y) / up)
        nearest = int(away.argmin())
        if away[nearest] <= SNAP:
            self.choose(nearest)

    def choose(self, point: int) -> None:
        """Select the sample of one of the three points: x and x_adv are one sample."""
        if self._frame_shown is None:
            return
        index = int(self._frame_shown.info["third_index" if point == THIRD else "index"])
        if index >= 0:
            self.selection.set_sample(index)

    @Slot(int, int)
    def _on_keys(self, across: int, up: int) -> None:
        if self._frame_shown is None:
            return
        a, b = self.axes()
        if self._pointed is None:
            column, row = (int(np.abs(axis).argmin()) for axis in (a, b))  # at x
        else:
            row, column = self._pointed[0] + up, self._pointed[1] + across
        self._point(min(len(b) - 1, max(0, row)), min(len(a) - 1, max(0, column)))

    # --- look and export ---------------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.thumbnails.give_way(self.width())

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self.plot.set_theme(theme)
        self.chips.set_theme(theme)
        self.thumbnails.set_theme(theme)
        self._recolour()
        self._draw()

    def _recolour(self) -> None:
        theme = self.theme
        self._boundary.setPen(pen(theme.text, 1.4))
        self._ball.setPen(pen(theme.text, 1.2, dash=True))
        self._box.setPen(pen(theme.text, 1.2, dot=True))
        self._way.setPen(pen(theme.text, 1, alpha=0.5))
        for point, word in zip(self._points, self._words, strict=True):
            point.setPen(pen(theme.surface, 1.2))
            point.setBrush(pg.mkBrush(theme.text))
            word.setFont(theme.font(theme.small, bold=True))
            word.setColor(theme.text)

    def plots(self) -> Sequence[tuple[str, Any]]:
        return (("map", self.plot.getPlotItem()),)

    def csv_rows(self) -> Iterable[Sequence[Any]]:
        """One row a point of the grid: its coordinates and what the network says there."""
        frame = self._frame_shown
        if frame is None:
            return
        names = ("prediction", "margin", "confidence", "in_ball", "in_box")
        yield ["a", "b", *names]
        a, b = self.axes()
        for row in range(len(b)):
            for column in range(len(a)):
                yield [float(a[column]), float(b[row]), *(frame.arrays[name][row, column].item() for name in names)]


def regions(prediction: np.ndarray, margin: np.ndarray, theme: Theme) -> np.ndarray:
    """Pixels [G, G, 4] uint8: each point in the colour of the class seen there, stronger the further from margin 0."""
    colours = np.array([QColor(c).getRgb()[:3] for c in theme.class_colours()], dtype=np.float32)
    paper = np.array(QColor(theme.surface).getRgb()[:3], dtype=np.float32)
    away = np.abs(np.nan_to_num(margin.astype(np.float32)))
    scale = float(np.quantile(away.ravel()[:: max(1, away.size // 10_000)], 0.9)) or 1.0
    strength = FAINTEST + (STRONGEST - FAINTEST) * np.sqrt(np.minimum(away / scale, 1))
    pixels = np.full((*prediction.shape, 4), 255, dtype=np.uint8)
    kind = prediction % len(colours)
    for channel in range(3):
        pixels[..., channel] = paper[channel] + strength * (colours[:, channel] - paper[channel])[kind] + 0.5
    pixels[prediction < 0, :3] = 128
    return pixels
