"""World lines of pairs in the cone |C| <= 1: where each pair goes from layer to layer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Slot
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from engine.experiments import views
from gui.panels.base import Panel
from gui.plots.axes import PlainAxis
from gui.plots.chips import Chips, Entry
from gui.plots.controls import view_choice
from gui.plots.dots import Dots
from gui.plots.flow import FlowRow
from gui.plots.groups import short
from gui.plots.plot import Plot, pen
from gui.plots.says import reading
from gui.selection import Selection
from gui.theme import Theme

if TYPE_CHECKING:
    from engine.events import Frame

CEILING = 16.6  # ln(2 / epsilon) of float32 features: beyond it two directions cannot be told apart
NEAR = 14  # pixels within which the pointer takes a line
NOTE = "Layer index as time is an analogy; the cone itself is a theorem"


class SpacetimePanel(Panel):
    """World lines (X_l, l) with X_l = C_1 + … + C_l, coloured by group; a click chooses the pair."""

    key = "spacetime"
    title = "Spacetime diagram"
    topics = ("pairs", "matrix/clean")
    empty_text = "No world lines yet. They are measured while a network trains: press the button on the Train step."

    def __init__(self, selection: Selection, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(selection, theme, parent)
        self._frame_shown: Frame | None = None
        self._matrix: Frame | None = None
        self._lines = np.zeros((0, 1))  # X [K, L+1] of the view shown
        self._depth = np.zeros(1)
        self._hidden: set[str] = set()
        self._curves: dict[str, pg.PlotCurveItem] = {}
        self._pointed: tuple[int, int] | None = None  # (line, layer)
        self.view_choice = view_choice(theme)
        self.view_choice.chosen.connect(selection.set_view)
        self.plot = Plot(theme, {"left": _DepthAxis("left")})
        self.plot.setAccessibleName("World lines of pairs")
        self.plot.set_axis_text("bottom", "X = Σ C")
        self.plot.set_axis_text("left", "layer")
        self.plot.hovered.connect(self._on_hover)
        self.plot.left.connect(self._on_left)
        self.plot.clicked.connect(self._on_click)
        self.plot.moved.connect(self._on_keys)
        self.plot.entered.connect(self._on_enter)
        self._cone = pg.PlotCurveItem(antialias=True)
        self._axis = pg.PlotCurveItem(antialias=True)
        self._chosen: dict[
            str, pg.PlotCurveItem
        ] = {}  # the chosen pair's lines by group; "" if only the matrix knows it
        self._halo = pg.PlotCurveItem(connect="finite", antialias=True)
        self._dot = Dots(size=8, pxMode=True)
        self._cone_text = pg.TextItem("light cone\n|C| = 1", anchor=(1, 1))
        self._tap_line = pg.InfiniteLine(angle=0)
        for item, z in (
            (self._axis, 0),
            (self._cone, 0.5),
            (self._tap_line, 0.6),
            (self._halo, 4),
            (self._dot, 6),
            (self._cone_text, 1),
        ):
            item.setZValue(z)
            self.plot.addItem(item, ignoreBounds=True)
        self._tap_line.hide()
        self.chips = Chips(theme, "Groups of pairs")
        self.chips.toggled.connect(self._on_chip)
        self.caption = QLabel(NOTE, wordWrap=True)
        self.caption.setProperty("role", "small")
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        column.addWidget(FlowRow([self.view_choice]))
        column.addWidget(self.plot, 1)
        column.addWidget(self.chips)
        column.addWidget(self.caption)
        self.set_body(body)
        self._recolour()
        selection.view_changed.connect(self._redraw)
        selection.pair_changed.connect(self._mark)
        selection.tap_changed.connect(self._show_tap)

    # --- frames ------------------------------------------------------------------------------------------------

    def show_frame(self, frame: Frame) -> None:
        if frame.topic == "matrix/clean":
            self._matrix = frame
            self._mark()
            return
        self._frame_shown = frame
        if not len(frame.arrays["a"]):
            self.show_empty("No pairs were measured at this moment.")
            return
        self._redraw()
        self.show_content()

    def clear(self) -> None:
        self._frame_shown = self._matrix = self._pointed = None
        self._lines = np.zeros((0, 1))
        for curve in (*self._curves.values(), *self._chosen.values(), self._halo):
            curve.setData([], [])
        super().clear()

    @Slot()
    def _redraw(self, *_: object) -> None:
        frame = self._frame_shown
        if frame is None:
            return
        taps = frame.info["taps"]
        eta = frame.arrays["eta"][self.selection.view_index]
        self._lines, depth = views.world_lines(eta, taps)
        self._depth = depth.astype(float)
        names = [group["name"] for group in frame.info["groups"]]
        groups = frame.arrays["group"]
        for name in {*self._curves, *(names[g] for g in np.unique(groups))}:
            mine = self._lines[groups == names.index(name)] if name in names else self._lines[:0]
            x = np.full((len(mine), len(depth) + 1), np.nan)  # a NaN after each line keeps them apart
            x[:, :-1] = mine
            y = np.tile(np.append(self._depth, np.nan), len(mine))
            curve = self._curve(name)
            curve.setData(x.ravel(), y)
            curve.setVisible(name not in self._hidden)
        top = max(1.0, float(self._depth[-1]))
        self._cone.setData([-top, 0, top], [top, 0, top])
        self._axis.setData([0, 0], [0, top])
        self._cone_text.setPos(top * 1.02, 0.0)
        self.plot.set_home((-top * 1.04, top * 1.04), (-top * 0.03, top * 1.04))
        axis = self.plot.getPlotItem().getAxis("left")
        if isinstance(axis, _DepthAxis):
            axis.set_last(int(top))
        self.view_choice.set_key(self.selection.view)
        self._fill_chips(frame, names, groups)
        self._note(eta[:, views.layer_taps(taps)[1:]])
        self._mark()
        self._show_tap(self.selection.tap)
        self.set_subtitle(f"world lines of {len(self._lines)} pairs, {self.selection.view}")
        if self._pointed is not None and self.plot.readout.isVisible():
            self._point(*self._pointed)

    def _note(self, eta: np.ndarray) -> None:
        near = int((np.abs(eta) >= CEILING - 0.6).any(axis=1).sum())
        text = NOTE
        if near:
            word = "line reaches" if near == 1 else "lines reach"
            text = f"{near} {word} |η| ≈ {CEILING}, float32's ceiling: parallel as far as can be told · {NOTE}"
        self.caption.setText(text)

    def _curve(self, name: str) -> pg.PlotCurveItem:
        found = self._curves.get(name)
        if found is None:
            found = pg.PlotCurveItem(
                connect="finite", antialias=True, pen=pen(self.theme.group_colour(name), alpha=0.65)
            )
            found.setZValue(2)
            self.plot.addItem(found, ignoreBounds=True)
            self._curves[name] = found
        return found

    def _fill_chips(self, frame: Frame, names: Sequence[str], groups: np.ndarray) -> None:
        labels = {group["name"]: group["label"] for group in frame.info["groups"]}
        here = [names[g] for g in np.unique(groups)]
        entries = []
        for name in here:
            count = int((groups == names.index(name)).sum())
            entries.append(
                Entry(name, short(name, labels[name]), self.theme.group_colour(name), f"{labels[name]}: {count} pairs")
            )
        self.chips.set_entries(entries, [name for name in here if name not in self._hidden])

    # --- selection ---------------------------------------------------------------------------------------------

    def marked(self) -> list[tuple[str, np.ndarray]]:
        """World lines [L+1] of the chosen pair with their groups: those measured, else the one that the matrix knows."""
        frame, pair = self._frame_shown, self.selection.pair
        if frame is None or pair is None:
            return []
        a, b = frame.arrays["a"], frame.arrays["b"]
        rows = np.flatnonzero(((a == pair[0]) & (b == pair[1])) | ((a == pair[1]) & (b == pair[0])))
        if len(rows):
            groups = frame.info["groups"]
            return [(groups[int(frame.arrays["group"][row])]["name"], self._lines[row]) for row in rows]
        eta = None if self._matrix is None else views.pair_eta(self._matrix, *pair)
        if eta is None or self._matrix is None:
            return []
        x, _ = views.world_lines(eta[self.selection.view_index], self._matrix.info["taps"])
        return [("", x)] if len(x) == len(self._depth) else []

    @Slot()
    def _mark(self, *_: object) -> None:
        lines = self.marked()
        x = np.array([[*line, np.nan] for _, line in lines]).ravel()
        self._halo.setData(x, np.tile(np.append(self._depth, np.nan), len(lines)))
        by_group: dict[str, list[np.ndarray]] = {}
        for group, line in lines:
            by_group.setdefault(group, []).append(np.append(line, np.nan))
        for group in {*self._chosen, *by_group}:
            mine = by_group.get(group, [])
            self._chosen_curve(group).setData(
                np.concatenate(mine) if mine else [], np.tile(np.append(self._depth, np.nan), len(mine))
            )

    def _chosen_curve(self, group: str) -> pg.PlotCurveItem:
        found = self._chosen.get(group)
        if found is None:
            found = pg.PlotCurveItem(connect="finite", antialias=True)
            found.setZValue(5)
            self.plot.addItem(found, ignoreBounds=True)
            self._chosen[group] = found
            self._recolour()
        return found

    @Slot(object)
    def _show_tap(self, name: str | None) -> None:
        taps = [] if self._frame_shown is None else self._frame_shown.info["taps"]
        layer = next((int(tap["layer"]) for tap in taps if tap["name"] == name), None)
        self._tap_line.setVisible(layer is not None)
        if layer is not None:
            self._tap_line.setPos(layer)

    @Slot(str, bool)
    def _on_chip(self, key: str, on: bool) -> None:
        self._hidden.discard(key) if on else self._hidden.add(key)
        self._curve(key).setVisible(on)

    # --- pointer and keys --------------------------------------------------------------------------------------

    def _seen(self) -> np.ndarray:
        """Which lines are drawn, bool [K]."""
        frame = self._frame_shown
        if frame is None:
            return np.zeros(0, dtype=bool)
        hidden = [k for k, group in enumerate(frame.info["groups"]) if group["name"] in self._hidden]
        return ~np.isin(frame.arrays["group"], hidden)

    def nearest(self, x: float, y: float, within: float = NEAR) -> tuple[int, int] | None:
        """The drawn line nearest to a data point, if it is within so many pixels, and its nearest layer."""
        seen = np.flatnonzero(self._seen())
        if not len(seen):
            return None
        wide, high = self.plot.pixel()
        px = (self._lines[seen] - x) / wide
        py = np.broadcast_to((self._depth - y) / high, px.shape)
        ax, ay, bx, by = px[:, :-1], py[:, :-1], px[:, 1:], py[:, 1:]
        dx, dy = bx - ax, by - ay
        # the foot of the perpendicular on each segment, kept between its ends
        t = np.clip(-(ax * dx + ay * dy) / np.maximum(dx * dx + dy * dy, 1e-12), 0, 1)
        away = np.hypot(ax + t * dx, ay + t * dy)
        away[np.isnan(away)] = np.inf
        if away.size == 0 or away.min() > within:
            return None
        row = int(np.unravel_index(int(away.argmin()), away.shape)[0])
        layer = min(len(self._depth) - 1, max(1, round(y)))
        return int(seen[row]), layer

    def describe(self, line: int, layer: int) -> str:
        """What the readout says of a line at a layer."""
        frame = self._frame_shown
        if frame is None:
            return ""
        taps = frame.info["taps"]
        tap = views.layer_taps(taps)[layer]
        group = frame.info["groups"][int(frame.arrays["group"][line])]
        a, b = int(frame.arrays["a"][line]), int(frame.arrays["b"][line])
        other = "a training sample" if b < 0 else f"sample {b}"
        eta = float(frame.arrays["eta"][self.selection.view_index, line, tap])
        return f"{group['label']}\nsample {a} · {other}\nlayer {layer} ({taps[tap]['name']})\n{reading(eta)}"

    def _point(self, line: int, layer: int) -> None:
        frame = self._frame_shown
        if frame is None or line >= len(self._lines):
            return
        self._pointed = (line, layer)
        x, y = float(self._lines[line, layer]), float(self._depth[layer])
        group = frame.info["groups"][int(frame.arrays["group"][line])]["name"]
        if np.isfinite(x):
            self._dot.setData([x], [y])
            self._dot.setBrush(pg.mkBrush(self.theme.group_colour(group)))
            self._dot.setPen(pen(self.theme.text))
            self._dot.show()
        self.plot.readout.say(self.describe(line, layer), self.plot.at(x if np.isfinite(x) else 0.0, y))

    @Slot(float, float)
    def _on_hover(self, x: float, y: float) -> None:
        found = self.nearest(x, y)
        if found is None:
            self.plot.leave()
        else:
            self._point(*found)

    @Slot()
    def _on_left(self) -> None:
        self._pointed = None
        self._dot.hide()

    def _choose(self, line: int) -> None:
        frame = self._frame_shown
        if frame is not None:
            self.selection.set_pair((int(frame.arrays["a"][line]), int(frame.arrays["b"][line])))

    @Slot(float, float)
    def _on_click(self, x: float, y: float) -> None:
        found = self.nearest(x, y)
        if found is not None:
            self._choose(found[0])

    @Slot(int, int)
    def _on_keys(self, across: int, up: int) -> None:
        seen = np.flatnonzero(self._seen())
        if not len(seen):
            return
        last = len(self._depth) - 1
        line, layer = self._pointed or (int(seen[0]), last)
        layer = min(last, max(1, layer + up))
        if across:
            # the next line at this layer, from left to right
            order = seen[np.argsort(self._lines[seen, layer], kind="stable")]
            where = np.flatnonzero(order == line)
            line = int(order[((int(where[0]) if len(where) else 0) + across) % len(order)])
        self._point(line, layer)

    @Slot()
    def _on_enter(self) -> None:
        if self._pointed is not None:
            self._choose(self._pointed[0])

    # --- look and export ---------------------------------------------------------------------------------------

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self.plot.set_theme(theme)
        self.view_choice.set_theme(theme)
        self.chips.set_theme(theme)
        self._recolour()
        self._redraw()

    def _recolour(self) -> None:
        theme = self.theme
        self._cone.setPen(pen(theme.muted, 1, dash=True))
        self._axis.setPen(pen(theme.grid))
        self._tap_line.setPen(pen(theme.accent, 1, alpha=0.8))
        self._halo.setPen(pen(theme.text, 4.5))
        for name, curve in self._chosen.items():
            curve.setPen(pen(theme.group_colour(name) if name else theme.accent, 2.5))
        self._cone_text.setColor(theme.muted)
        self._cone_text.setFont(theme.font(theme.small))
        for name, curve in self._curves.items():
            curve.setPen(pen(theme.group_colour(name), alpha=0.65))

    def plots(self) -> Sequence[tuple[str, Any]]:
        return (("spacetime", self.plot.getPlotItem()),)

    def csv_rows(self) -> Iterable[Sequence[Any]]:
        """The world lines drawn, one row a layer of a pair; b is -1 for a training sample."""
        frame = self._frame_shown
        if frame is None:
            return
        yield ["view", "group", "a", "b", "layer", "X", "rapidity", "C"]
        taps = views.layer_taps(frame.info["taps"])
        groups = frame.info["groups"]
        for line in np.flatnonzero(self._seen()):
            head = [self.selection.view, groups[int(frame.arrays["group"][line])]["name"]]
            head += [int(frame.arrays["a"][line]), int(frame.arrays["b"][line])]
            eta = frame.arrays["eta"][self.selection.view_index, line, taps]
            c = views.readings(eta)["C"]
            for layer in range(len(self._depth)):
                yield [*head, layer, float(self._lines[line, layer]), float(eta[layer]), float(c[layer])]


class _DepthAxis(PlainAxis):
    """Layers are whole numbers, and there is none beyond the last."""

    _last = 1
    room = (18.0, 15.0)

    def set_last(self, last: int) -> None:
        if last != self._last:
            self._last = last
            self.picture = None
            self.update()

    def tickValues(self, minVal: float, maxVal: float, size: float) -> list[tuple[float, Any]]:
        found = super().tickValues(minVal, maxVal, size)
        if not found:
            return found
        step, values = found[0]
        step = max(1.0, step)
        places = np.arange(np.ceil(values[0] / step) * step if len(values) else 0, self._last + 0.5, step)
        return [(step, places[(places >= 0) & (places <= self._last)])]
