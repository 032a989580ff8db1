"""What each part of each layer does to pairs: bars of the boost of its linear map, its bias and its activation."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Slot
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QVBoxLayout, QWidget

from gui.panels.labels import Caption
from gui.panels.profile import split_words as words
from gui.panels.profile.part_axis import ROOM, PartAxis
from gui.panels.profile.split_words import INITIAL, LABELS, TRAINED
from gui.plots.chips import Chips, Entry
from gui.plots.groups import short
from gui.plots.plot import Plot, padded, pen
from gui.plots.whiskers import Whiskers
from gui.selection import Selection
from gui.theme import Theme

if TYPE_CHECKING:
    from engine.events import Frame

INIT_CHIP, GAP_CHIP, LOGITS_CHIP = "/init", "/gap", "/logits"
SIGNS = {"linear": "W", "bias": "b", "activation": "σ"}
BAR = 0.36  # of a part's room, how wide a bar is


@dataclass
class _Bars:
    """The bars of one group: filled for the trained network with its intervals, outlined for the one before training."""

    trained: pg.BarGraphItem
    initial: pg.BarGraphItem
    whiskers: Whiskers


class LayerSplit(QWidget):
    """A plot of the frame ``layers``: mean boost (change of rapidity) of each part of each layer, by group of pairs."""

    def __init__(self, selection: Selection, theme: Theme) -> None:
        super().__init__()
        self.theme, self.selection = theme, selection
        self._frame_shown: Frame | None = None
        self._hidden: set[str] = set()
        self._parts: list[int] = []  # the parts that some layer has
        self._pointed: tuple[int, int] | None = None  # (layer, part)
        self._bars: dict[str, _Bars] = {}
        self._axis = PartAxis("bottom")
        self.plot = Plot(theme, {"bottom": self._axis})
        self.plot.setAccessibleName("Boost of each part of each layer")
        self.plot.set_grid(False, True)
        self.plot.set_axis_text("left", "boost Δη")
        self._zero = pg.InfiniteLine(pos=0, angle=0)
        self._tap_line = pg.LinearRegionItem(movable=False)
        self._gap = pg.PlotCurveItem(connect="finite", antialias=True)
        for item, z in ((self._tap_line, -1), (self._zero, 1), (self._gap, 6)):
            item.setZValue(z)
            self.plot.addItem(item, ignoreBounds=True)
        self._tap_line.hide()
        self.plot.hovered.connect(self._on_hover)
        self.plot.left.connect(self._on_left)
        self.plot.clicked.connect(self._on_click)
        self.plot.moved.connect(self._on_keys)
        self.plot.entered.connect(self._on_enter)
        self.chips = Chips(theme, "What is drawn of each layer")
        self.chips.toggled.connect(self._on_chip)
        self.caption = Caption()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        column.addWidget(self.plot, 1)
        column.addWidget(self.chips)
        column.addWidget(self.caption)
        self._recolour()
        selection.tap_changed.connect(self._show_tap)

    # --- frames ------------------------------------------------------------------------------------------------

    def show_frame(self, frame: Frame) -> None:
        """Draw a frame of the topic ``layers``."""
        self._frame_shown = frame
        boost = frame.arrays["boost"]
        self._parts = [p for p in range(len(frame.info["parts"])) if np.isfinite(boost[:, :, p, :, 0]).any()]
        self._redraw()

    def clear(self) -> None:
        """Forget everything drawn."""
        self._frame_shown = self._pointed = None
        for bars in self._bars.values():
            bars.trained.hide()
            bars.initial.hide()
            bars.whiskers.set_visible(False)
        self._gap.setData([], [])

    @property
    def frame(self) -> Frame | None:
        """The frame shown."""
        return self._frame_shown

    def shown_groups(self) -> list[str]:
        """The groups that are drawn."""
        frame = self._frame_shown
        return [] if frame is None else [name for name in frame.info["groups"] if name not in self._hidden]

    def shown_layers(self) -> list[str]:
        """The names of the layers that are drawn, in order: all, or all but the logits."""
        frame = self._frame_shown
        names = [] if frame is None else [str(name) for name in frame.info["layers"]]
        return names[:-1] if LOGITS_CHIP in self._hidden and self._has_logits() else names

    def _has_logits(self) -> bool:
        names = [] if self._frame_shown is None else list(self._frame_shown.info["layers"])
        return len(names) > 1 and names[-1] == "logits"

    def place(self, layer: int, part: int) -> float:
        """Where the bars of a part stand."""
        k = self._parts.index(part)
        return layer + (k - (len(self._parts) - 1) / 2) * self._pitch

    @property
    def _pitch(self) -> float:
        """From one part of a layer to the next."""
        return ROOM / max(1, len(self._parts))

    @property
    def _wide(self) -> float:
        """Of a bar."""
        return BAR * self._pitch

    def values(self, net: int, group: str) -> tuple[np.ndarray, ...]:
        """Mean, low and high [layers × parts] of a group, the parts of a layer in order; NaN where there is none."""
        frame = self._frame_shown
        assert frame is not None
        g = list(frame.info["groups"]).index(group)
        found = frame.arrays["boost"][net][: len(self.shown_layers()), self._parts][:, :, g]
        return tuple(found[..., k].ravel() for k in range(3))

    def _redraw(self) -> None:
        frame = self._frame_shown
        if frame is None:
            return
        names = self.shown_layers()
        x = np.array([self.place(layer, part) for layer in range(len(names)) for part in self._parts])
        groups = list(frame.info["groups"])
        low, high = 0.0, 0.0
        for name in groups:
            bars, drawn = self._bars_of(name), name not in self._hidden
            at = x + (groups.index(name) - (len(groups) - 1) / 2) * self._wide * 1.12
            mean, least, most = self.values(TRAINED, name)
            before = self.values(INITIAL, name)[0]
            self._set_bars(bars.trained, at, mean, drawn)
            self._set_bars(bars.initial, at, before, drawn and INIT_CHIP not in self._hidden)
            bars.whiskers.set_data(at, mean, least, most)
            bars.whiskers.set_visible(drawn)
            if drawn:
                some = np.concatenate([least, most, before])
                some = some[np.isfinite(some)]
                low, high = min(low, some.min(initial=0.0)), max(high, some.max(initial=0.0))
        self._draw_gap(frame)
        there = np.isfinite(frame.arrays["boost"][..., 0]).any(axis=(0, 3))  # [layers, parts]
        signs = [
            [(self.place(0, p), SIGNS[frame.info["parts"][p]]) for p in self._parts if there[layer, p]]
            for layer in range(len(names))
        ]
        self._axis.set_parts(names, signs)
        self.plot.set_home((-0.55, len(names) - 0.45), padded(low, high, 0.06), slack=0.15)
        self._fill_chips(frame)
        self.caption.set_text(words.caption(frame))
        self._show_tap(self.selection.tap)

    def _set_bars(self, item: pg.BarGraphItem, x: np.ndarray, mean: np.ndarray, shown: bool) -> None:
        ok = np.isfinite(mean)
        if ok.any():
            item.setOpts(x=x[ok], height=mean[ok], width=self._wide)
        item.setVisible(shown and bool(ok.any()))

    def _draw_gap(self, frame: Frame) -> None:
        """gap(n) of each Gaussian linear map, across its own bars."""
        gaps = frame.arrays["gap"][TRAINED][: len(self.shown_layers())]
        linear = list(frame.info["parts"]).index("linear")
        x, y = [], []
        for layer, gap in enumerate(gaps):
            if math.isfinite(gap) and linear in self._parts:
                middle = self.place(layer, linear)
                x += [middle - 1.35 * self._wide, middle + 1.35 * self._wide, np.nan]
                y += [gap, gap, np.nan]
        self._gap.setData(np.array(x, dtype=float), np.array(y, dtype=float))
        self._gap.setVisible(bool(x) and GAP_CHIP not in self._hidden)

    def _bars_of(self, group: str) -> _Bars:
        found = self._bars.get(group)
        if found is None:
            blank = {"x": [0.0], "height": [0.0], "width": self._wide}
            whiskers = Whiskers(self.plot, self.theme.text, beam=0.045, dots=False, z=4)
            found = _Bars(pg.BarGraphItem(**blank), pg.BarGraphItem(**blank), whiskers)
            for item, z in ((found.trained, 2), (found.initial, 3)):
                item.setZValue(z)
                self.plot.addItem(item, ignoreBounds=True)
            self._bars[group] = found
            self._recolour()
        return found

    def _fill_chips(self, frame: Frame) -> None:
        theme = self.theme
        entries = [
            Entry(name, short(name, LABELS.get(name, name)), theme.group_colour(name), LABELS.get(name, name))
            for name in frame.info["groups"]
        ]
        if np.isfinite(frame.arrays["boost"][INITIAL, ..., 0]).any():
            tip = "Outlined: the same measurement on the network before training"
            entries.append(Entry(INIT_CHIP, "at initialisation", theme.text, tip, "outline"))
        if np.isfinite(frame.arrays["gap"][TRAINED]).any():
            tip = (
                "Null of a linear map (theorem): a Gaussian one with n outputs adds gap(n) to the mean of ln γ; at large "
                "|η| that is what it adds to |η|"
            )
            entries.append(Entry(GAP_CHIP, "null: gap(n)", theme.text, tip, "dash"))
        if self._has_logits():
            tip = "The logits: what training asks for, so that their boost only repeats that it succeeded"
            entries.append(Entry(LOGITS_CHIP, "logits", theme.muted, tip, "tag"))
        self.chips.set_entries(entries, [e.key for e in entries if e.key not in self._hidden])

    # --- selection, pointer and keys ---------------------------------------------------------------------------

    @Slot(object)
    def _show_tap(self, name: str | None) -> None:
        names = self.shown_layers()
        self._tap_line.setVisible(name in names)
        if name in names:
            self._tap_line.setRegion((names.index(name) - 0.5, names.index(name) + 0.5))

    @Slot(str, bool)
    def _on_chip(self, key: str, on: bool) -> None:
        self._hidden.discard(key) if on else self._hidden.add(key)
        self._redraw()

    def describe(self, layer: int, part: int) -> str:
        """What the readout says of a part of a layer."""
        return "" if self._frame_shown is None else words.describe(self._frame_shown, layer, part, self.shown_groups())

    def _point(self, layer: int, part: int) -> None:
        frame = self._frame_shown
        if frame is None or part not in self._parts:
            return
        self._pointed = (layer, part)
        found = frame.arrays["boost"][TRAINED, layer, part, :, 0]
        y = float(np.nanmax(found)) if np.isfinite(found).any() else 0.0
        self.plot.readout.say(self.describe(layer, part), self.plot.at(self.place(layer, part), y))

    @Slot(float, float)
    def _on_hover(self, x: float, _: float) -> None:
        frame = self._frame_shown
        if frame is None or not self._parts:
            return
        layer = min(len(self.shown_layers()) - 1, max(0, round(x)))
        self._point(layer, min(self._parts, key=lambda part: abs(self.place(layer, part) - x)))

    @Slot()
    def _on_left(self) -> None:
        self._pointed = None

    @Slot(float, float)
    def _on_click(self, x: float, _: float) -> None:
        self._choose(round(x))

    def _choose(self, layer: int) -> None:
        names = self.shown_layers()
        if 0 <= layer < len(names):
            self.selection.set_tap(names[layer])

    @Slot(int, int)
    def _on_keys(self, across: int, _: int) -> None:
        if self._frame_shown is None or not self._parts:
            return
        places = [(layer, part) for layer in range(len(self.shown_layers())) for part in self._parts]
        at = places.index(self._pointed) + across if self._pointed in places else 0
        self._point(*places[min(len(places) - 1, max(0, at))])

    @Slot()
    def _on_enter(self) -> None:
        if self._pointed is not None:
            self._choose(self._pointed[0])

    # --- look and export ---------------------------------------------------------------------------------------

    def set_theme(self, theme: Theme) -> None:
        """Recolour everything."""
        self.theme = theme
        self.plot.set_theme(theme)
        self.chips.set_theme(theme)
        self._recolour()
        self._redraw()

    def _recolour(self) -> None:
        theme = self.theme
        self._zero.setPen(pen(theme.line_strong))
        self._gap.setPen(pen(theme.text, 1.2, dash=True))
        tint = QColor(theme.accent)
        tint.setAlphaF(0.10)
        self._tap_line.setBrush(tint)
        for line in self._tap_line.lines:
            line.setPen(pg.mkPen(None))
        for group, bars in self._bars.items():
            colour = QColor(theme.group_colour(group))
            colour.setAlphaF(0.72)
            bars.trained.setOpts(brush=colour, pen=pg.mkPen(None))
            bars.initial.setOpts(brush=pg.mkBrush(None), pen=pen(theme.text, 1, alpha=0.85))
            bars.whiskers.set_colour(theme.text, alpha=0.8, width=1.0)

    def csv_rows(self) -> Iterable[Sequence[Any]]:
        """The bars drawn, one row each, with the linear maps' null and speed limit."""
        frame = self._frame_shown
        if frame is None:
            return ()
        nets = [TRAINED] + ([] if INIT_CHIP in self._hidden else [INITIAL])
        return words.rows_of(frame, nets, self.shown_layers(), self._parts, self.shown_groups())
