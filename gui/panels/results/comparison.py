"""Two attacks on the same samples: which needs less for which sample, and whether one breaks more."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QGridLayout, QLabel, QVBoxLayout, QWidget

from engine.experiments.attack_results import Comparison, compare
from gui.panels.results.page import LOWEST, Page, Shown, colours, norm_name
from gui.plots.axes import CappedAxis
from gui.plots.dots import Dots
from gui.plots.plot import Plot, pen
from gui.theme import Theme

SNAP = 12.0  # pixels
MANY = 4000  # points that are drawn at most
WIDE = 320  # pixels from which the numbers stand beside the plot
FLAT = 0.01  # spread of the norms, relative, below which they are one
RIM = 1.12  # where what was not broken is drawn, relative to the largest norm


class ComparisonPage(Page):
    """A point a sample: the norm that A found against that of B. Not broken lies on the rim, beyond every number."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self._found: Comparison | None = None
        self._shown: Shown | None = None
        self._top = 1.0
        self._sample: int | None = None
        self._pointed: int | None = None
        self._axes = {"left": CappedAxis("left"), "bottom": CappedAxis("bottom")}
        self.plot = Plot(theme, dict(self._axes))
        self.plot.setAccessibleName("Norm of A against norm of B, a point a sample")
        self.plot.setMinimumHeight(LOWEST)
        self._scatters = [Dots(size=6, pxMode=True) for _ in range(4)]
        self._ring = Dots(size=12, pxMode=True)
        self._diagonal = pg.PlotCurveItem(antialias=True)
        self._rims = pg.PlotCurveItem(connect="pairs", antialias=False)
        self._words = [
            pg.TextItem("B: not broken", anchor=(0, 0.5)),
            pg.TextItem("A: not broken", anchor=(0, 0.5), angle=90),
        ]
        for z, item in enumerate((self._rims, self._diagonal, *self._scatters, self._ring, *self._words)):
            item.setZValue(z)
            self.plot.addItem(item, ignoreBounds=True)
        self.plot.hovered.connect(self._on_hover)
        self.plot.left.connect(self._on_left)
        self.plot.clicked.connect(self._on_click)
        self.plot.moved.connect(self._on_keys)
        self.plot.entered.connect(self._on_enter)

        self.table = _Fourfold()
        self.says = QLabel(wordWrap=True)
        self.says.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        beside = QWidget()
        column = QVBoxLayout(beside)
        column.setContentsMargins(0, 4, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.table)
        column.addWidget(self.says)
        column.addStretch(1)
        self._beside = beside
        self._empty = QLabel(wordWrap=True, alignment=Qt.AlignmentFlag.AlignCenter)
        self._empty.setProperty("role", "muted")
        self._box = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(10)
        self._box.addWidget(self.plot, 1)
        self._box.addWidget(beside)
        self._box.addWidget(self._empty, 1)
        self._recolour()

    def show_results(self, shown: Shown) -> None:
        self._shown = shown
        self._pointed = None
        found = compare(shown.a, shown.b, shown.norm) if shown.b is not None and shown.norm in shown.b.norms else None
        self._found = found if found is not None and found.n else None
        why = "Choose a second attack, B, to compare with. Change the attack on the Attack step and run it again."
        if found is not None:
            why = "These two attacks have no sample in common. Choose attacks on the same data."
        self._empty.setText(why)
        self._beside.setVisible(self._found is not None)
        self.plot.setVisible(self._found is not None and not self._flat(self._found))
        self._empty.setVisible(self._found is None)
        if self._found is not None:
            self._draw(self._found)

    @staticmethod
    def _flat(found: Comparison) -> bool:
        """Whether all perturbations found are equally large, as within one budget: then there is nothing to scatter."""
        sizes = np.concatenate([side[np.isfinite(side) & (side > 0)] for side in (found.a, found.b)])
        return bool(len(sizes)) and float(sizes.max() - sizes.min()) <= FLAT * float(sizes.max())

    def _draw(self, found: Comparison) -> None:
        finite = np.concatenate([side[np.isfinite(side)] for side in (found.a, found.b)])
        self._top = float(finite.max()) if len(finite) and finite.max() > 0 else 1.0
        x, y = self.places()
        kinds = self.kinds()
        for kind, scatter in enumerate(self._scatters):
            chosen = np.flatnonzero(kinds == kind)
            if len(chosen) > MANY:
                chosen = chosen[np.linspace(0, len(chosen) - 1, MANY).astype(int)]
            scatter.setData(x[chosen], y[chosen])
        top, rim = self._top, self._top * RIM
        for axis in self._axes.values():
            axis.set_limit(top * (1 + RIM) / 2)
        self._diagonal.setData(np.array([0, top]), np.array([0, top]))
        edge = top * (1 + RIM) / 2
        self._rims.setData(np.array([edge, edge, 0, edge]), np.array([0, edge, edge, edge]))
        self._words[0].setPos(0.0, rim)
        self._words[1].setPos(rim, 0.0)
        name = norm_name(self._shown.norm) if self._shown is not None else ""
        self.plot.set_axis_text("bottom", f"{name} norm of A")
        self.plot.set_axis_text("left", f"{name} norm of B")
        self.plot.set_home((-0.03 * top, rim * 1.05), (-0.03 * top, rim * 1.05))
        self.table.show_counts(found)
        self.says.setText(self._says(found))
        self.show_sample(self._sample)

    def places(self) -> tuple[np.ndarray, np.ndarray]:
        """Where each sample is drawn: at its norms, and on the rim where it was not broken."""
        assert self._found is not None
        rim = self._top * RIM
        return tuple(np.where(np.isfinite(side), side, rim) for side in (self._found.a, self._found.b))  # type: ignore[return-value]

    def kinds(self) -> np.ndarray:
        """0 broken by both, 1 by A alone, 2 by B alone, 3 by neither."""
        assert self._found is not None
        a, b = np.isfinite(self._found.a), np.isfinite(self._found.b)
        return np.where(a & b, 0, np.where(a, 1, np.where(b, 2, 3)))

    def _says(self, found: Comparison) -> str:
        difference = found.difference
        p = "p < 0.0001" if found.p < 1e-4 else f"p = {found.p:.4f}"
        lines = [
            f"A − B: {difference.value:+.1%} [{difference.low:+.1%}, {difference.high:+.1%}] of success".replace(
                "-", "−"
            ),
            f"McNemar, exact: {p}",
            f"{found.n:,} samples in common",
        ]
        if found.before:
            lines.append(f"{found.before:,} of them broken before either attack, at (0, 0)")
        if self._flat(found):
            lines.append("Every perturbation found is as large as the budget, so there is no scatter of norms to draw.")
        if not found.same_network:
            lines.append("Not the same network: the difference may be the network's, not the attacks'.")
        return "\n".join(lines)

    def show_sample(self, sample: int | None) -> None:
        self._sample = sample
        at = np.flatnonzero(self._found.sample == sample) if self._found is not None and sample is not None else ()
        if len(at):
            x, y = self.places()
            self._ring.setData([x[at[0]]], [y[at[0]]])
        else:
            self._ring.clear()

    # --- pointer and keys --------------------------------------------------------------------------------------

    def describe(self, place: int) -> str:
        """What the readout says of a sample, by its position."""
        found = self._found
        if found is None:
            return ""
        sides = [(letter, float(side[place])) for letter, side in (("A", found.a), ("B", found.b))]
        said = [f"{letter}: {f'norm {v:.4g}' if math.isfinite(v) else 'not broken'}" for letter, v in sides]
        return "\n".join([f"sample {found.sample[place]}", *said])

    def _nearest(self, x: float, y: float) -> int | None:
        if self._found is None:
            return None
        across, up = self.plot.pixel()
        at_x, at_y = self.places()
        away = np.hypot((at_x - x) / across, (at_y - y) / up)
        best = int(away.argmin())
        return best if away[best] <= SNAP else None

    def _point(self, place: int) -> None:
        self._pointed = place
        x, y = self.places()
        self.plot.readout.say(self.describe(place), self.plot.at(float(x[place]), float(y[place])))

    @Slot(float, float)
    def _on_hover(self, x: float, y: float) -> None:
        place = self._nearest(x, y)
        if place is None:
            self.plot.leave()
        else:
            self._point(place)

    @Slot()
    def _on_left(self) -> None:
        self._pointed = None

    @Slot(float, float)
    def _on_click(self, x: float, y: float) -> None:
        place = self._nearest(x, y)
        if place is not None and self._found is not None:
            self.sample_chosen.emit(int(self._found.sample[place]))

    @Slot(int, int)
    def _on_keys(self, across: int, up: int) -> None:
        if self._found is None:
            return
        # through the samples in the order of A's norms
        order = np.argsort(self.places()[0], kind="stable")
        rank = int(np.flatnonzero(order == self._pointed)[0]) if self._pointed is not None else -1
        self._point(int(order[min(self._found.n - 1, max(0, rank + across + up))]))

    @Slot()
    def _on_enter(self) -> None:
        if self._pointed is not None and self._found is not None:
            self.sample_chosen.emit(int(self._found.sample[self._pointed]))

    # --- look and export ---------------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        wide = self.width() >= WIDE
        way = QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom
        if way != self._box.direction():
            self._box.setDirection(way)
        self._beside.setMaximumWidth(min(210, self.width() // 2) if wide else 16777215)

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self.plot.set_theme(theme)
        self._recolour()

    def _recolour(self) -> None:
        theme = self.theme
        a, b = colours(theme)
        for scatter, colour, alpha in zip(
            self._scatters, (theme.muted, a, b, theme.faint), (0.6, 0.9, 0.9, 0.5), strict=True
        ):
            ink = pg.mkColor(colour)
            ink.setAlphaF(alpha)
            scatter.setPen(None)
            scatter.setBrush(pg.mkBrush(ink))
        self._ring.setPen(pen(theme.text, 1.6))
        self._ring.setBrush(None)
        self._diagonal.setPen(pen(theme.muted, dash=True))
        self._rims.setPen(pen(theme.line_strong))
        for word in self._words:
            word.setFont(theme.font(theme.small))
            word.setColor(theme.muted)
        self.table.set_theme(theme)
        self.says.setFont(theme.font(theme.small))

    def plots(self) -> Sequence[tuple[str, Any]]:
        return (("comparison", self.plot.getPlotItem()),) if not self.plot.isHidden() else ()

    def csv_rows(self) -> Iterable[Sequence[Any]]:
        """One row a sample in common: the norms that A and B found, nothing where the sample was not broken."""
        found, shown = self._found, self._shown
        if found is None or shown is None or shown.b is None:
            return
        yield ["sample", f"A run {shown.a.run}", f"B run {shown.b.run}", "broken_by"]
        words = ("both", "A", "B", "neither")
        for sample, a, b, kind in zip(found.sample, found.a, found.b, self.kinds(), strict=True):
            yield [int(sample), *(float(v) if math.isfinite(v) else "" for v in (a, b)), words[kind]]


class _Fourfold(QWidget):
    """The fourfold table: how many samples each attack broke."""

    HEADS = ("B broken", "B not")
    SIDES = ("A broken", "A not")

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Fourfold table of samples broken by A and B")
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(3)
        self._names = [QLabel(text) for text in (*self.HEADS, *self.SIDES)]
        self.cells = [QLabel("–", alignment=Qt.AlignmentFlag.AlignRight) for _ in range(4)]
        for k, label in enumerate(self._names[:2]):
            label.setAlignment(Qt.AlignmentFlag.AlignRight)
            grid.addWidget(label, 0, k + 1)
        for k, label in enumerate(self._names[2:]):
            grid.addWidget(label, k + 1, 0)
        for k, cell in enumerate(self.cells):
            grid.addWidget(cell, 1 + k // 2, 1 + k % 2)
        grid.setColumnStretch(3, 1)

    def show_counts(self, found: Comparison) -> None:
        """both, A alone; B alone, neither."""
        for cell, count in zip(self.cells, (found.both, found.only_a, found.only_b, found.neither), strict=True):
            cell.setText(f"{count:,}")

    def set_theme(self, theme: Theme) -> None:
        for label in self._names:
            label.setFont(theme.font(theme.small))
            label.setStyleSheet(f"color: {theme.muted};")
        a, b = colours(theme)
        for cell, colour in zip(self.cells, (theme.text, a, b, theme.text), strict=True):
            cell.setFont(theme.font(bold=True))
            cell.setStyleSheet(f"color: {colour};")
