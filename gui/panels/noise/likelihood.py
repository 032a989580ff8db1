"""The MaxLikelihood network, our reconstruction: world lines that fall to one point, loss, effective rank and boost."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from PySide6.QtCore import Slot

from gui.panels.noise import cone
from gui.panels.noise.cone import WorldLines
from gui.panels.noise.curves import HEAD, Curve, Curves, figure, least_of, with_interval
from gui.panels.noise.facts import AS_THEY_ARE, CENTRED, LOSSES, TIPS, TRAIN, UNSEEN, controls_of, loss_floor
from gui.panels.noise.page import Drawn, NoisePage
from gui.panels.noise.room import Room
from gui.plots.beside import Titled
from gui.plots.controls import Segmented

BOOST = Curve("boost", "boost, median of unseen", "vermillion")
RANK = Curve("rank", "effective rank", "vermillion")


class LikelihoodPage(NoisePage):
    """One frame a layer; the switch shows the samples as they are or the control with their mean subtracted."""

    topic = "max_likelihood"
    empty_text = "Not measured yet. Rows are kept by likelihood, layer after layer, until all samples are one point."

    def making(self) -> Iterator[None]:
        theme = self.theme
        self.series_choice = Segmented(
            theme,
            "Samples",
            [(AS_THEY_ARE, "as they are", TIPS[AS_THEY_ARE]), (CENTRED, "centred", TIPS[CENTRED])],
        )
        self.series_choice.chosen.connect(self._on_series)
        self.diagram_choice = Segmented(
            theme,
            "Diagram",
            [
                ("cone", "cone", "World lines (X, l) with X = C_1 + … + C_l, inside the cone |C| ≤ 1"),
                ("angle", "angle", "The angle to the shared point that is left after each layer"),
            ],
        )
        self.diagram_choice.chosen.connect(self._on_diagram)
        self.lines = WorldLines(theme, "World lines of the MaxLikelihood network (reconstruction)", LOSSES[:2])
        yield
        self.loss = Curves(theme, "Loss of the MaxLikelihood network (reconstruction)", LOSSES, log=True)
        yield
        self.rank = Curves(theme, "Effective rank (reconstruction)", [RANK], log=True)
        yield
        self.boost = Curves(theme, "Boost of each layer (reconstruction)", [BOOST])
        yield
        self._floor = self.loss.add_level("end of float64")
        self._one, self._law = self.rank.add_level(), self.boost.add_level()
        for plot in (self.loss, self.rank, self.boost):
            plot.set_axis_text("bottom", "layer")
        parts = [
            (
                "loss",
                "Loss of training and unseen samples after each layer",
                "loss (1 − C)/2, 95% intervals",
                self.loss,
            ),
            (
                "rank",
                "How many directions the outputs use",
                "effective rank exp S, dashed 1",
                self.rank,
            ),
            (
                "boost",
                "Rapidity that each layer adds, beside its law",
                "boost, dashed ½ ln M₂(n/N)",
                self.boost,
            ),
        ]
        self._titled = Titled("", self.lines)
        shown = [(key, key, tip, Titled(title, plot)) for key, tip, title, plot in parts]
        shown.append(("lines", "lines", "Each sample on its way to the shared point", self._titled))
        self.build(Room(theme, "Quantity", shown, lead=True), [self.series_choice, self.diagram_choice])

    # --- what is drawn -----------------------------------------------------------------------------------------

    @property
    def series(self) -> int:
        """0 for the samples as they are, 1 with the training mean subtracted."""
        return int(self.series_choice.key())

    def drawn(self) -> dict[str, tuple[Drawn, ...]]:
        return {"lines": (self.lines,), "loss": (self.loss,), "rank": (self.rank,), "boost": (self.boost,)}

    def switched(self) -> dict[str, tuple[Drawn, ...]]:
        return {"loss": (self.lines, self.loss)}

    def controls(self) -> list[Segmented]:
        drawn = "lines" in self.room.shown  # else there is no diagram to choose
        return [choice for choice in super().controls() if choice is not self.diagram_choice or drawn]

    def redraw(self) -> None:
        frame = self.frame
        if frame is None:
            return
        arrays, info, s = frame.arrays, frame.info, self.series
        layers, depth = arrays["train_loss"].shape[1] - 1, int(info["depth"])
        x, across = np.arange(layers + 1, dtype=float), (-0.02 * depth, 1.02 * depth)
        self.lines.draw({TRAIN: arrays["train_C"][s], UNSEEN: arrays["unseen_C"][s]}, depth)
        losses = {curve.key: with_interval(arrays, f"{curve.key}_loss", s) for curve in LOSSES}
        floor = loss_floor(frame)
        least = min(least_of(mean) for mean, _, _ in losses.values())
        ends = floor if least < math.sqrt(floor) else math.nan  # further away it would take the room of the curves
        self.loss.draw(x, losses, across, levels={self._floor: ends})
        self.rank.draw(x, {"rank": with_interval(arrays, "effective_rank", s)}, across, levels={self._one: 1.0})
        boost, law = with_interval(arrays, "boost", s), float(info["law"])
        known = boost[0][np.isfinite(boost[0])]
        top = max(law, float(known.max(initial=0.0)))
        bottom = min(0.0, float(known.min(initial=0.0)))
        self.boost.draw(x, {"boost": boost}, across, up=(bottom, 1.2 * top + 0.05), levels={self._law: law})
        self._head(law)
        self.strip.set_controls(controls_of(frame))
        self.set_chips([("loss", [(each, TIPS[each.key]) for each in LOSSES])])
        self._say()

    def _head(self, law: float) -> None:
        """What the boost is measured against stands above it in the readout."""
        assert self.frame is not None
        info = self.frame.info
        finite = info.get("law_finite")
        besides = f", for {info['rows']:,} rows {finite:.3f}" if finite is not None else ""
        self.boost.head = lambda x: f"layer {x:.0f}\nlaw {law:.3f}{besides}"

    def _say(self) -> None:
        assert self.frame is not None
        arrays, info, s = self.frame.arrays, self.frame.info, self.series
        layers = arrays["train_loss"].shape[1] - 1
        loss, wrong = float(arrays["unseen_loss"][s, -1]), float(arrays["wrong_pole"][s, -1])
        name = ("as they are", "centred (control: training mean subtracted)")[s]
        what = "angles" if self.diagram_choice.key() == "angle" else "world lines in the light cone (dashed)"
        self._titled.title.set_text(f"{('as they are', 'centred')[s]}: {what}")
        at = f"layer {layers}" if layers == info["depth"] else f"layer {layers} of {info['depth']}"
        self.summary = (
            f"N/n = {info['candidates'] / info['rows']:g} · {at} · unseen loss {figure(loss)} · reconstruction"
        )
        away = f", {wrong:.0%} of these nearer to the antipode" if math.isfinite(wrong) else ""
        notes = "".join(f" {note}" for note in info.get("notes", ()))
        self.caption.set_text(
            f"Reconstruction: the paper's MaxLikelihood network is known by abstracts alone, this one is ours. Measurement: "
            f"{info['title']}, {name}; {info['candidates']:,} candidates, {info['rows']:,} rows; {info['samples']:,} training and "
            f"{info['unseen']:,} unseen samples{away}. Theorem: the cone, and the law of the boost (for infinitely many rows). "
            f"Analogy: layers as time.{notes}"
        )
        self.told()

    # --- asked by a person -------------------------------------------------------------------------------------

    @Slot(str)
    def _on_series(self, _: str) -> None:
        self.redraw()

    @Slot(str)
    def _on_diagram(self, key: str) -> None:
        self.lines.show_angles(key == "angle")
        self.redraw()

    # --- export ------------------------------------------------------------------------------------------------

    def csv_rows(self) -> Iterable[Sequence[Any]]:
        """Every curve of the series shown, then its world lines."""
        if self.frame is None:
            return
        series = str(self.frame.info["series"][self.series])
        yield HEAD
        for plot in (self.loss, self.rank, self.boost):
            yield from plot.rows(series)
        yield []
        yield cone.HEAD
        yield from self.lines.rows(series)
