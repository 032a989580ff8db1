"""How much noise may be added to an input before it opens the lock no more."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import Slot

from gui.panels.reconcile.words import KINDS, TIPS, colour, percent
from gui.plots.band import BandCurve
from gui.plots.chips import Chips, Entry
from gui.plots.dots import Dots
from gui.plots.plot import Plot, padded
from gui.theme import Theme

if TYPE_CHECKING:
    from engine.events import Frame

COUNT = 3  # kinds: the wrong lock stays locked anyway


class Robustness(Plot):
    """Three kinds with bands, and what the binomial law predicts dashed."""

    def __init__(self, theme: Theme) -> None:
        self._frame: Frame | None = None
        self._curves: list[BandCurve] = []
        self._laws: list[BandCurve] = []
        self._dots: list[Dots] = []
        self._hidden: set[str] = set()
        self._pointed: int | None = None
        super().__init__(theme)
        self.setAccessibleName("Success against the norm of added noise")
        self.set_grid(True, True)
        self.set_axis_text("bottom", "norm of added noise (L2, input units)")
        self.set_axis_text("left", "recovered (share)")
        for _ in range(COUNT):
            self._laws.append(BandCurve(self, theme.text, dash=True))
            self._curves.append(BandCurve(self, theme.text))
            dots = Dots(size=5, pxMode=True)
            dots.setZValue(4)
            self.addItem(dots, ignoreBounds=True)
            self._dots.append(dots)
        self.chips = Chips(theme, "Kinds of input")
        self.chips.toggled.connect(self._on_chip)
        self.hovered.connect(self._on_hover)
        self.left.connect(self._on_left)
        self.moved.connect(self._on_keys)
        self.recolour()

    def show_frame(self, frame: Frame) -> None:
        """Draw the curves, where they are measured."""
        self._frame = frame if len(frame.arrays.get("robust_norm", ())) else None
        self.leave()
        if self._frame is None:
            self.clear_curves()
            return
        arrays = frame.arrays
        norm = arrays["robust_norm"]
        nothing = np.full(len(norm), np.nan)
        for k in range(COUNT):
            share = arrays["robust_share"][k]
            self._curves[k].set_data(norm, share, arrays["robust_low"][k], arrays["robust_high"][k])
            self._laws[k].set_data(norm, arrays["robust_predicted"][k], nothing, nothing)
            known = np.isfinite(share)
            self._dots[k].setData(norm[known], share[known])
        self.set_home(padded(0, float(norm.max()), 0.03), (-0.03, 1.04))
        self._fill_chips()

    def clear_curves(self) -> None:
        """Draw nothing."""
        self._frame = None
        self.leave()
        nothing = np.empty(0)
        for curve in (*self._curves, *self._laws):
            curve.set_data(nothing, nothing, nothing, nothing)
        for dots in self._dots:
            dots.setData([], [])
        self._fill_chips()

    def recolour(self) -> None:
        for k in range(COUNT):
            own = colour(self.theme, k)
            self._curves[k].set_colour(own)
            self._laws[k].set_colour(own)
            self._dots[k].setBrush(own)
            self._dots[k].setPen(None)
        self._fill_chips()

    def _fill_chips(self) -> None:
        drawn = self._frame is not None
        entries = [Entry(KINDS[k], KINDS[k], colour(self.theme, k), TIPS[k]) for k in range(COUNT) if drawn]
        self.chips.set_entries(entries, [entry.key for entry in entries if entry.key not in self._hidden])
        for k in range(COUNT):
            shown = KINDS[k] not in self._hidden
            self._curves[k].set_visible(shown)
            self._laws[k].set_visible(shown)
            self._dots[k].setVisible(shown)

    @Slot(str, bool)
    def _on_chip(self, key: str, on: bool) -> None:
        self._hidden.discard(key) if on else self._hidden.add(key)
        self._fill_chips()

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        if self._dots:
            self.chips.set_theme(theme)
            self.recolour()

    def _on_hover(self, x: float, y: float) -> None:
        if self._frame is not None:
            self._point(int(np.abs(self._frame.arrays["robust_norm"] - x).argmin()), y)

    def _point(self, at: int, y: float) -> None:
        assert self._frame is not None
        self._pointed = at
        self.readout.say(self.describe(at), self.at(float(self._frame.arrays["robust_norm"][at]), y))

    @Slot()
    def _on_left(self) -> None:
        self._pointed = None

    @Slot(int, int)
    def _on_keys(self, across: int, up: int) -> None:
        if self._frame is not None:
            last = len(self._frame.arrays["robust_norm"]) - 1
            wanted = 0 if self._pointed is None else self._pointed + across + up
            self._point(min(last, max(0, wanted)), 0.5)

    def describe(self, at: int) -> str:
        """All kinds at one norm, in words."""
        assert self._frame is not None
        a = self._frame.arrays
        lines = [f"noise of norm {a['robust_norm'][at]:.2f} added"]
        for k in (k for k in range(COUNT) if KINDS[k] not in self._hidden):
            ends = f"[{percent(a['robust_low'][k, at])}, {percent(a['robust_high'][k, at])}]"
            lines.append(
                f"{KINDS[k]}: {percent(a['robust_share'][k, at])} {ends}, law {percent(a['robust_predicted'][k, at])}"
            )
        return "\n".join(lines)

    def csv_rows(self) -> Iterable[Sequence[Any]]:
        """One row a kind and norm."""
        if self._frame is None:
            return
        names = ("robust_share", "robust_low", "robust_high", "robust_predicted")
        yield ["kind", "norm", "recovered", "low", "high", "predicted"]
        for k in range(COUNT):
            for at, norm in enumerate(self._frame.arrays["robust_norm"]):
                yield [KINDS[k], norm.item(), *(self._frame.arrays[name][k, at].item() for name in names)]
