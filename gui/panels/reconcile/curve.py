"""Success against angle: simulated messages, the binomial law, and Shannon's limit of each repetition."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyqtgraph as pg

from gui.panels.reconcile.words import percent
from gui.plots.chips import Chips, Entry
from gui.plots.images import table
from gui.plots.plot import Plot, pen
from gui.plots.points import Points
from gui.theme import Theme, mix

if TYPE_CHECKING:
    from engine.events import Frame

NEAR = 10.0  # degrees within which the nearest measured point is read out


class SuccessCurve(Plot):
    """One colour a repetition, from few to many; its chips switch them on and off."""

    def __init__(self, theme: Theme) -> None:
        self._frame: Frame | None = None
        self._own: int | None = None
        self._hidden: set[str] = set()
        self._pointed: tuple[int, int] | None = None  # repetition and angle, by their positions
        self._points: list[Points] = []
        self._laws: list[pg.PlotCurveItem] = []
        self._limits: list[pg.InfiniteLine] = []
        super().__init__(theme)
        self.setAccessibleName("Success of the decoder against the angle")
        self.set_grid(True, True)
        self.set_axis_text("bottom", "angle θ to the reference (°)")
        self.set_axis_text("left", "success (share)")
        self.set_home((0, 90), (-0.03, 1.04))
        self.chips = Chips(theme, "Repetitions")
        self.chips.toggled.connect(self._on_chip)
        self.hovered.connect(self._on_hover)
        self.left.connect(self._on_left)
        self.moved.connect(self._on_keys)

    @property
    def repetitions(self) -> list[int]:
        """The repetitions drawn, few first."""
        return [int(r) for r in self._frame.arrays["repetitions"]] if self._frame is not None else []

    def show_frame(self, frame: Frame) -> None:
        """Draw the curves."""
        self._frame = frame
        self.leave()
        arrays = frame.arrays
        self.make_room(len(arrays["repetitions"]))
        for k, (points, law, limit) in enumerate(zip(self._points, self._laws, self._limits, strict=True)):
            if k >= len(arrays["repetitions"]):
                points.clear()
                law.setData([], [])
                limit.setVisible(False)
                continue
            points.set_data(arrays["angle"], arrays["measured"][k], arrays["low"][k], arrays["high"][k])
            law.setData(arrays["fine_angle"], arrays["law"][k])
            limit.setPos(float(arrays["shannon"][k]))
        self.recolour()

    def clear_curves(self) -> None:
        """Draw nothing."""
        self._frame = None
        self.leave()
        for points, law, limit in zip(self._points, self._laws, self._limits, strict=True):
            points.clear()
            law.setData([], [])
            limit.setVisible(False)
        self.chips.set_entries((), ())

    def show_own(self, repetition: int | None) -> None:
        """The repetition that is set stands out."""
        if repetition != self._own:
            self._own = repetition
            self.recolour()

    def make_room(self, count: int) -> None:
        """Have the items of so many repetitions ready."""
        while len(self._points) < count:
            self._add()

    def _add(self) -> None:
        points = Points(self, size=5)
        law = pg.PlotCurveItem(antialias=True)
        limit = pg.InfiniteLine(angle=90, movable=False)
        for z, item in ((2.0, law), (1.0, limit)):
            item.setZValue(z)
            self.addItem(item, ignoreBounds=True)
        self._points.append(points)
        self._laws.append(law)
        self._limits.append(limit)

    def colour(self, k: int) -> str:
        """From dark to light over the repetitions, but never as pale as the paper."""
        count = max(1, len(self.repetitions) - 1)
        red, green, blue = table("viridis")[round(12 + 205 * k / count)]
        plain = f"#{red:02x}{green:02x}{blue:02x}"
        return mix(plain, "#ffffff", 0.28) if self.theme.is_dark else mix(plain, "#000000", 0.12)

    def recolour(self) -> None:
        """Colours, widths and what is hidden."""
        entries = []
        for k, r in enumerate(self.repetitions):
            own, shown = self.colour(k), f"r {r}" not in self._hidden
            strong = self._own is None or self._own not in self.repetitions or r == self._own
            self._points[k].set_colour(own, alpha=1.0 if strong else 0.75)
            self._points[k].set_visible(shown)
            self._laws[k].setPen(pen(own, 2.2 if r == self._own else 1.2))
            self._laws[k].setVisible(shown)
            self._limits[k].setPen(pen(own, 1, dash=True))
            self._limits[k].setVisible(shown and "limit" not in self._hidden)
            entries.append(Entry(f"r {r}", f"r = {r}", own, self._tip(k)))
        if entries:
            entries.append(
                Entry(
                    "limit", "Shannon’s limit", self.theme.muted, "Beyond it no code of that rate can succeed", "dash"
                )
            )
        self.chips.set_entries(entries, [entry.key for entry in entries if entry.key not in self._hidden])

    def _tip(self, k: int) -> str:
        assert self._frame is not None
        arrays, code = self._frame.arrays, self._frame.info["code"]
        rate = code["k"] / (code["n"] * int(arrays["repetitions"][k]))
        return (
            f"Each bit repeated {int(arrays['repetitions'][k])} times, rate {rate:.3f}: half succeed at {arrays['half'][k]:.1f}°, "
            f"none can beyond {arrays['shannon'][k]:.1f}°"
        )

    def _on_chip(self, key: str, on: bool) -> None:
        self._hidden.discard(key) if on else self._hidden.add(key)
        self.recolour()

    def _on_hover(self, x: float, y: float) -> None:
        found = self.nearest(x, y)
        if found is None:
            self.leave()
        else:
            self._pointed = found
            self.readout.say(self.describe(*found), self.at(x, y))

    def _on_left(self) -> None:
        self._pointed = None

    def _on_keys(self, across: int, up: int) -> None:
        """Left and right go from angle to angle, up and down from repetition to repetition."""
        shown = [k for k, r in enumerate(self.repetitions) if f"r {r}" not in self._hidden]
        if self._frame is None or not shown:
            return
        arrays, own = self._frame.arrays, self._own
        if self._pointed is None:
            k = self.repetitions.index(own) if own in self.repetitions else shown[0]
            a = 0
        else:
            k, a = self._pointed
            a = min(len(arrays["angle"]) - 1, max(0, a + across))
        # one that is hidden is passed over
        beyond = [place for place in shown if (place - k) * up > 0]
        if up and self._pointed is not None and beyond:
            k = min(beyond, key=lambda place: abs(place - k))
        elif k not in shown:
            k = min(shown, key=lambda place: abs(place - k))
        self._pointed = k, a
        self.readout.say(self.describe(k, a), self.at(float(arrays["angle"][a]), float(arrays["measured"][k, a])))

    def nearest(self, x: float, y: float) -> tuple[int, int] | None:
        """(repetition, angle) of the measured point nearest to a place, by their positions."""
        if self._frame is None:
            return None
        arrays = self._frame.arrays
        wide, high = self.pixel()
        away = np.hypot((arrays["angle"][None] - x) / wide, (arrays["measured"] - y) / high)
        hidden = [f"r {r}" in self._hidden for r in self.repetitions]
        away = np.where(np.array(hidden)[:, None] | ~np.isfinite(away), np.inf, away)
        k, a = np.unravel_index(int(away.argmin()), away.shape)
        return (int(k), int(a)) if np.isfinite(away[k, a]) and abs(arrays["angle"][a] - x) <= NEAR else None

    def describe(self, k: int, a: int) -> str:
        """A measured point in words."""
        assert self._frame is not None
        found = {name: float(self._frame.arrays[name][k, a]) for name in ("measured", "low", "high", "predicted", "z")}
        z = f", z = {found['z']:+.1f}".replace("-", "−") if np.isfinite(found["z"]) else ""
        return (
            f"r = {self.repetitions[k]}, θ = {self._frame.arrays['angle'][a]:g}°\n"
            f"{percent(found['measured'], 1)} [{percent(found['low'], 1)}, {percent(found['high'], 1)}] succeed\n"
            f"law {percent(found['predicted'], 1)}{z}"
        )

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        if hasattr(self, "chips"):
            self.chips.set_theme(theme)
            self.recolour()

    def csv_rows(self) -> Iterable[Sequence[Any]]:
        """One row a repetition and angle; then one row a repetition with its half point and its limit."""
        if self._frame is None:
            return
        arrays = self._frame.arrays
        names = ("measured", "low", "high", "predicted", "z")
        yield ["repetition", "angle", *names]
        for k, r in enumerate(self.repetitions):
            for a, angle in enumerate(arrays["angle"]):
                yield [r, float(angle), *(arrays[name][k, a].item() for name in names)]
        yield []
        yield ["repetition", "half_at", "shannon_limit"]
        for k, r in enumerate(self.repetitions):
            yield [r, arrays["half"][k].item(), arrays["shannon"][k].item()]
