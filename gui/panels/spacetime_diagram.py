"""Pairs as they go from layer to layer: world lines in the cone |C| <= 1, rapidities, and boosts in three conventions."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Slot
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from engine.experiments import spacetime, views
from gui.panels.base import Panel
from gui.panels.labels import Caption
from gui.panels.spacetime_marks import DepthAxis, DiagramMarks
from gui.panels.spacetime_words import AXES, NOTE, NOTES, as_spacetime, line_rows
from gui.plots.chips import Chips, Entry
from gui.plots.controls import Segmented, view_choice
from gui.plots.dots import Dots
from gui.plots.flow import FlowRow
from gui.plots.groups import short
from gui.plots.plot import Plot, pen
from gui.plots.says import reading
from gui.selection import Selection
from gui.theme import Theme

if TYPE_CHECKING:
    from engine.events import Frame

NEAR = 14  # pixels within which the pointer takes a line


class SpacetimePanel(Panel):
    """Lines of pairs against depth, coloured by group; a click chooses the pair.

    Drawn is the cone diagram, X_l = C_1 + … + C_l; or the rapidity behind each layer with float32's ceiling; or the boost from
    the input to each layer: as a Gram rapidity change (R), as a Doppler rapidity (D), or in the paper's view (E).
    """

    key = "spacetime"
    title = "Spacetime diagram"
    tab = "Spacetime"
    topics = ("pairs", "matrix/clean")
    empty_text = "No world lines yet. They are measured while a network trains: press the button on the Train step."

    def __init__(self, selection: Selection, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(selection, theme, parent)
        self._frame_shown: Frame | None = None
        self._matrix: Frame | None = None
        self._lines = np.zeros((0, 1))  # where each line is, [K, L+1], of the view and diagram shown
        self._proper = np.zeros((0, 1))  # tau [K, L+1]
        self._depth = np.zeros(1)
        self._hidden: set[str] = set()
        self._curves: dict[str, pg.PlotCurveItem] = {}
        self._means: dict[str, pg.PlotCurveItem] = {}  # of the lines of each group
        self._pointed: tuple[int, int] | None = None  # (line, layer)
        self.make(self._building(theme))

    def _building(self, theme: Theme) -> Iterator[None]:
        self.view_choice = view_choice(theme)
        self.view_choice.chosen.connect(self.selection.set_view)
        self.diagram_choice = Segmented(
            theme,
            "Diagram",
            [
                ("cone", "cone", "World lines (X, l) with X = C_1 + … + C_l, inside the cone |C| ≤ 1"),
                ("rapidity", "rapidity", "η behind each layer, with the ceiling of float32 features"),
                ("boost", "boost", "How much closer than at the input, as a boost, in one of three conventions"),
            ],
        )
        self.convention_choice = Segmented(
            theme,
            "Convention",
            [
                ("R", "(R) Gram", "Gram rapidity change Δη = η_l − η_0: adds up over layers (theorem). Recommended"),
                ("D", "(D) Doppler", "χ = ln(d_0 / d_l): adds up over layers (theorem)"),
                ("E", "(E) paper's view", "Length contraction γ = d_0 / d_l: its rapidity does not add up. Do not sum"),
            ],
        )
        for choice in (self.diagram_choice, self.convention_choice):
            choice.chosen.connect(self._on_diagram)
        yield
        self.plot = Plot(theme, {"left": DepthAxis("left")})
        self.plot.setAccessibleName("Lines of pairs against depth")
        self.plot.set_axis_text("bottom", AXES["cone"])
        self.plot.set_axis_text("left", "layer")
        self.plot.hovered.connect(self._on_hover)
        self.plot.left.connect(self._on_left)
        self.plot.clicked.connect(self._on_click)
        self.plot.moved.connect(self._on_keys)
        self.plot.entered.connect(self._on_enter)
        yield
        self._marks = DiagramMarks(self.plot)
        self._chosen: dict[
            str, pg.PlotCurveItem
        ] = {}  # the chosen pair's lines by group; "" if only the matrix knows it
        self._halo = pg.PlotCurveItem(connect="finite", antialias=True)
        self._dot = Dots(size=8, pxMode=True)
        self._tap_line = pg.InfiniteLine(angle=0)
        for item, z in (
            (self._tap_line, 0.6),
            (self._halo, 4),
            (self._dot, 6),
        ):
            item.setZValue(z)
            self.plot.addItem(item, ignoreBounds=True)
        self._tap_line.hide()
        yield
        self.chips = Chips(theme, "Groups of pairs")
        self.chips.toggled.connect(self._on_chip)
        self.chosen = Caption()
        self.chosen.hide()
        self.caption = QLabel(NOTE, wordWrap=True)
        self.caption.setProperty("role", "small")
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        self._row = FlowRow([self.diagram_choice, self.view_choice, self.convention_choice])
        self.convention_choice.hide()  # after the row, which shows what it takes in
        self._row.arrange()
        column.addWidget(self._row)
        column.addWidget(self.plot, 1)
        column.addWidget(self.chips)
        column.addWidget(self.chosen)
        column.addWidget(self.caption)
        self.set_body(body)
        yield
        self._recolour()
        self.selection.view_changed.connect(self._redraw)
        self.selection.pair_changed.connect(self._mark)
        self.selection.tap_changed.connect(self._show_tap)

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
        self._lines = self._proper = np.zeros((0, 1))
        self.chosen.hide()
        for curve in (*self._curves.values(), *self._means.values(), *self._chosen.values(), self._halo):
            curve.setData([], [])
        super().clear()

    # --- what is shown -----------------------------------------------------------------------------------------

    @property
    def diagram(self) -> str:
        """ "cone", "rapidity", or the convention of the boost: "R", "D", "E"."""
        chosen = self.diagram_choice.key()
        return self.convention_choice.key() if chosen == "boost" else chosen

    @Slot(str)
    def _on_diagram(self, _: str) -> None:
        self.convention_choice.setVisible(self.diagram_choice.key() == "boost")
        self._row.arrange()
        self._pointed = None
        self._dot.hide()
        self.plot.home()
        self._redraw()

    def _places(self, eta: np.ndarray, taps: Sequence[Any]) -> np.ndarray:
        """Where the lines of these rapidities ``[..., T]`` are drawn, ``[..., L + 1]``; gaps where there is no number."""
        if self.diagram == "cone":
            return views.world_lines(eta, taps)[0]
        found = (
            spacetime.rapidities(eta, taps) if self.diagram == "rapidity" else spacetime.boosts(self.diagram, eta, taps)
        )
        return np.where(np.isfinite(found), found, np.nan)

    @Slot()
    def _redraw(self, *_: object) -> None:
        frame = self._frame_shown
        if frame is None:
            return
        taps = frame.info["taps"]
        eta = frame.arrays["eta"][self.selection.view_index]
        self._lines = self._places(eta, taps)
        self._proper = spacetime.proper_depth(eta, taps)
        depth = np.arange(self._lines.shape[1])
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
            whole = mine[np.isfinite(mine).all(axis=1)]
            self._means[name].setData(whole.mean(0) if len(whole) else [], self._depth if len(whole) else [])
            self._means[name].setVisible(name not in self._hidden)
        top = max(1.0, float(self._depth[-1]))
        sizes = np.abs(self._lines[np.isfinite(self._lines)])
        self._marks.draw(self.diagram, top, float(sizes.max(initial=0.0)))
        axis = self.plot.getPlotItem().getAxis("left")
        if isinstance(axis, DepthAxis):
            axis.set_last(int(top))
        self.view_choice.set_key(self.selection.view)
        self._fill_chips(frame, names, groups)
        self._note(eta[:, views.layer_taps(taps)[1:]])
        self._mark()
        self._show_tap(self.selection.tap)
        self.set_subtitle(f"{self._what()} of {len(self._lines)} pairs, {self.selection.view}")
        if self._pointed is not None and self.plot.readout.isVisible():
            self._point(*self._pointed)

    def _what(self) -> str:
        if self.diagram in ("cone", "rapidity"):
            return "world lines" if self.diagram == "cone" else "rapidities"
        return f"boosts ({self.diagram})"

    def _note(self, eta: np.ndarray) -> None:
        near = int((np.abs(eta) >= spacetime.CEILING - 0.6).any(axis=1).sum())
        text = f"Thick: mean of a group; τ = Σ sin θ: proper depth, of {len(self._depth) - 1} layers · {NOTES[self.diagram]}"
        if near:
            word = "line reaches" if near == 1 else "lines reach"
            said = f"{near} {word} |η| ≈ {spacetime.CEILING:.1f}, float32's ceiling: parallel as far as can be told"
            text = f"{said} · {text}"
        elif self.diagram == "rapidity":
            largest = float(np.abs(eta[np.isfinite(eta)]).max(initial=0.0))
            text = f"Largest |η| {largest:.1f}; float32's ceiling {spacetime.CEILING:.1f} · {text}"
        self.caption.setText(text)

    def proper_of(self, group: str) -> tuple[float, float, int]:
        """Of the pairs drawn of a group: mean proper depth, mean ``sin theta`` behind the last layer, and how many."""
        frame = self._frame_shown
        assert frame is not None
        names = [each["name"] for each in frame.info["groups"]]
        mine = self._proper[frame.arrays["group"] == names.index(group)]
        mine = mine[np.isfinite(mine).all(axis=1)]
        if not len(mine):
            return math.nan, math.nan, 0
        return float(mine[:, -1].mean()), float((mine[:, -1] - mine[:, -2]).mean()), len(mine)

    def _curve(self, name: str) -> pg.PlotCurveItem:
        found = self._curves.get(name)
        if found is None:
            found, mean = pg.PlotCurveItem(connect="finite", antialias=True), pg.PlotCurveItem(antialias=True)
            for item, z in ((found, 2), (mean, 3)):
                item.setZValue(z)
                self.plot.addItem(item, ignoreBounds=True)
            self._curves[name], self._means[name] = found, mean
            self._colour(name)
        return found

    def _fill_chips(self, frame: Frame, names: Sequence[str], groups: np.ndarray) -> None:
        labels = {group["name"]: group["label"] for group in frame.info["groups"]}
        here = [names[g] for g in np.unique(groups)]
        entries = []
        for name in here:
            count = int((groups == names.index(name)).sum())
            depth, rate, whole = self.proper_of(name)
            text, tip = short(name, labels[name]), f"{labels[name]}: {count} pairs"
            if whole:
                text += f" · τ {depth:.2f}"
                tip += (
                    f". Means of the pairs drawn: proper depth τ = Σ sin θ {depth:.3f} of {len(self._depth) - 1} layers; "
                    f"time dilation dτ/dl = sin θ behind the last layer {rate:.3f}"
                )
            entries.append(Entry(name, text, self.theme.group_colour(name), tip))
        self.chips.set_entries(entries, [name for name in here if name not in self._hidden])

    # --- selection ---------------------------------------------------------------------------------------------

    def marked(self) -> list[tuple[str, np.ndarray]]:
        """Lines [L+1] of the chosen pair with their groups: those measured, else the one that the matrix knows."""
        taps = [] if self._frame_shown is None else self._frame_shown.info["taps"]
        found = [(group, self._places(eta, taps)) for group, eta in self._marked_eta()]
        return [(group, x) for group, x in found if len(x) == len(self._depth)]

    def _marked_eta(self) -> list[tuple[str, np.ndarray]]:
        """Rapidities [T] of the chosen pair with their groups."""
        frame, pair, view = self._frame_shown, self.selection.pair, self.selection.view_index
        if frame is None or pair is None:
            return []
        a, b = frame.arrays["a"], frame.arrays["b"]
        rows = np.flatnonzero(((a == pair[0]) & (b == pair[1])) | ((a == pair[1]) & (b == pair[0])))
        if len(rows):
            groups = frame.info["groups"]
            return [(groups[int(frame.arrays["group"][k])]["name"], frame.arrays["eta"][view, k]) for k in rows]
        eta = None if self._matrix is None else views.pair_eta(self._matrix, *pair)
        if eta is None or self._matrix is None or len(self._matrix.info["taps"]) != len(frame.info["taps"]):
            return []
        return [("", eta[view])]

    @Slot()
    def _mark(self, *_: object) -> None:
        lines = self.marked()
        self._say_chosen()
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

    def _say_chosen(self) -> None:
        """The chosen pair's proper depth and boosts, in words."""
        frame = self._frame_shown
        found = [] if frame is None else self._marked_eta()
        self.chosen.setVisible(bool(found))
        if frame is None or not found:
            return
        lines = []
        for group, eta in found:
            head = f"Chosen pair{f', {short(group, group)}' if group else ''}"
            lines.append(f"{head}: {as_spacetime(eta, frame.info['taps'], len(self._depth) - 1)}")
        self.chosen.set_text("\n".join(lines))

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
        self._means[key].setVisible(on)

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
        head = f"{group['label']}\nsample {a} · {other}\nlayer {layer} ({taps[tap]['name']})\n{reading(eta)}"
        if math.isnan(eta):
            return head
        return f"{head}\n{as_spacetime(frame.arrays['eta'][self.selection.view_index, line], taps, layer)}"

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
        for choice in (self.view_choice, self.diagram_choice, self.convention_choice):
            choice.set_theme(theme)
        self.chips.set_theme(theme)
        self._recolour()
        self._redraw()

    def _recolour(self) -> None:
        theme = self.theme
        self._marks.set_theme(theme)
        self._tap_line.setPen(pen(theme.accent, 1, alpha=0.8))
        self._halo.setPen(pen(theme.text, 4.5))
        for name, curve in self._chosen.items():
            curve.setPen(pen(theme.group_colour(name) if name else theme.accent, 2.5))
        for name in self._curves:
            self._colour(name)

    def _colour(self, group: str) -> None:
        self._curves[group].setPen(pen(self.theme.group_colour(group), alpha=0.5))
        self._means[group].setPen(pen(self.theme.group_colour(group), 2.2))

    def plots(self) -> Sequence[tuple[str, Any]]:
        return (("spacetime", self.plot.getPlotItem()),)

    def csv_rows(self) -> Iterable[Sequence[Any]]:
        """The lines drawn, one row a layer of a pair; b is -1 for a training sample. ``boost_E`` must not be summed."""
        frame = self._frame_shown
        return () if frame is None else line_rows(frame, self.selection.view, np.flatnonzero(self._seen()))
