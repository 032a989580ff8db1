"""Sign correlations of features against Bell's bound: never exceeded, and the three mistakes that make it seem so."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QStackedWidget, QWidget

from engine.experiments.bell_views import (
    CLASSICAL,
    LEAST_EFFICIENCY,
    TSIRELSON,
    classical,
    cosine,
    is_loophole,
    share_above,
)
from gui.panels.base import Panel
from gui.panels.labels import Caption, ElidedLabel
from gui.plots.axes import NameAxis, PlainAxis
from gui.plots.beside import Beside, Titled
from gui.plots.chips import Chips, Entry
from gui.plots.fit import FitColumn
from gui.plots.layers import names_of, penultimate, place_of
from gui.plots.measure import MeasureButton
from gui.plots.plot import Plot, pen
from gui.plots.points import Level, Points
from gui.plots.says import signed
from gui.selection import Selection
from gui.theme import Theme

if TYPE_CHECKING:
    from engine.events import Frame

WIDE = 1.96  # standard errors to each side of a 95% interval
DISJOINT, COSINES, DROPPING = "disjoint", "cosines", "dropping"
MISTAKES = (
    (
        DISJOINT,
        "disjoint samples",
        "Mistake: each of the four correlations from other rows: then S is no average of ±2",
    ),
    (
        COSINES,
        "cosines",
        "Mistake: cosines instead of signs. A cosine is computed with both vectors in hand: an algebraic score, not Bell",
    ),
    (DROPPING, "drop unsure rows", "Mistake: keep only rows whose readings are large: the detection loophole"),
)
NAMING = (
    "Mind the name: a pair with C = ±1, “entangled” in the paper's word, has zero Schmidt entanglement; C = 0 has the most, "
    "1 bit (theorem)."
)


class AngleAxis(PlainAxis):
    """Degrees from 0 to 180, at quarters of them."""

    def tickValues(self, minVal: float, maxVal: float, size: float) -> list[tuple[float, Any]]:
        step = 45.0 if size * 45 > 34 * (maxVal - minVal) else 90.0
        return [(step, [v for v in np.arange(0, 181, step).tolist() if minVal <= v <= maxVal])]


class BellPanel(Panel):
    """Left, E(θ) of sign readouts at the chosen layer; right, S of the CHSH protocol at every layer.

    ``bell_requested()`` asks for it to be measured.
    """

    key = "bell"
    title = "Bell test"
    tab = "Bell"
    topics = ("bell",)
    empty_text = (
        "Not measured yet. Signs are read off the features of each layer and put to Bell's test: |S| ≤ 2 for whatever a network "
        "does. Three mistakes that seem to exceed it can be switched on."
    )

    bell_requested = Signal()

    def __init__(self, selection: Selection, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(selection, theme, parent)
        self._frame_shown: Frame | None = None
        self._places: list[int] = []
        self._mistake = ""
        self._build(theme)
        selection.tap_changed.connect(self._redraw)

    def _build(self, theme: Theme) -> None:
        self.button = QPushButton("Run the Bell test")
        self.button.setProperty("role", "link")
        self.button.setToolTip("Sign correlations and the CHSH protocol at every layer")
        self.button.clicked.connect(self.bell_requested)
        self.add_empty_action(self.button)
        self.measure = MeasureButton(theme, self, "Run the Bell test", [("", "", self.bell_requested)])
        self.add_tool(self.measure)
        self.mistakes = Chips(theme, "Mistakes")
        self.mistakes.toggled.connect(self._on_mistake)
        self._mistakes_label = QLabel("Mistakes:")
        self._mistakes_label.setProperty("role", "small")

        self.angles = Plot(theme, {"bottom": AngleAxis("bottom")})
        self.angles.setAccessibleName("Sign correlation against angle")
        self.angles.set_axis_text("bottom", "angle θ (°)")
        self.angles.set_axis_text("left", "E")
        self.angles.set_grid(False, True)
        self.angles.hovered.connect(self._on_angle_hover)
        self._sawtooth = pg.PlotCurveItem(antialias=True)
        self._cosine = pg.PlotCurveItem(antialias=True)
        for item in (self._sawtooth, self._cosine):
            item.setZValue(1)
            self.angles.addItem(item, ignoreBounds=True)
        self._measured = Points(self.angles, size=5)
        degrees = np.linspace(0, 180, 121)
        self._sawtooth.setData(degrees, classical(np.radians(degrees)))
        self._cosine.setData(degrees, cosine(np.radians(degrees)))
        self.angles.set_home((-3, 183), (-1.08, 1.08))
        self.legend = Chips(theme, "Curves")
        self.legend.toggled.connect(self._on_legend)
        self._hidden: set[str] = set()

        self._names = NameAxis("bottom")
        self.plot = Plot(theme, {"bottom": self._names})
        self.plot.setAccessibleName("S against layer")
        self.plot.set_axis_text("left", "S")
        self.plot.hovered.connect(self._on_hover)
        self.plot.clicked.connect(self._on_click)
        for plot in (self.plot, self.angles):
            plot.moved.connect(self._on_keys)
        self._tap_line = pg.InfiniteLine(angle=90)
        self.plot.addItem(self._tap_line, ignoreBounds=True)
        self._S = Points(self.plot, size=6)
        self._algebraic = Points(self.plot, size=6, line=True, dash=True, hollow=True)

        self.disjoint = Plot(theme)
        self.disjoint.setAccessibleName("Histogram of S over trials of four disjoint samples")
        self.disjoint.set_axis_text("bottom", "S from four disjoint samples")
        self.disjoint.set_axis_text("left", "trials")
        self.disjoint.hovered.connect(self._on_disjoint_hover)
        self._bars = [pg.BarGraphItem(x0=[], width=0.05, height=[]) for _ in range(2)]
        for bar in self._bars:
            self.disjoint.addItem(bar, ignoreBounds=True)
        self._histogram = (np.empty(0), np.empty(0))

        self._thresholds = NameAxis("bottom")
        self.dropping = Plot(theme, {"bottom": self._thresholds})
        self.dropping.setAccessibleName("S against the threshold below which rows are dropped")
        self.dropping.set_axis_text("bottom", "rows dropped below σ (share kept)")
        self.dropping.set_axis_text("left", "S")
        self.dropping.hovered.connect(self._on_dropping_hover)
        self._kept = Points(self.dropping, size=6, line=True)
        self._as_zero = Points(self.dropping, size=5, line=True, hollow=True)
        self._bound = pg.PlotCurveItem(antialias=True)
        self.dropping.addItem(self._bound, ignoreBounds=True)

        self._levels: list[tuple[Level, bool]] = []
        for plot, upright in ((self.plot, False), (self.disjoint, True), (self.dropping, False)):
            long = plot is self.plot
            near, far = ("2 (theorem)", "2√2 (quantum)") if long else ("2", "2√2")
            at = 0.94 if upright else 0.03
            self._levels.append((Level(plot, CLASSICAL, near, upright=upright, at=at), True))
            self._levels.append((Level(plot, TSIRELSON, far, dash=True, upright=upright, at=at), False))
        self.right = QStackedWidget()
        for plot in (self.plot, self.disjoint, self.dropping):
            self.right.addWidget(plot)
        self._left_titled, self._right_titled = Titled("", self.angles), Titled("", self.right)
        self.sentence = QLabel(wordWrap=True)
        self.sentence.setAccessibleName("Verdict")
        self.sentence.setMinimumWidth(60)
        self.caption = Caption()
        self.notes = ElidedLabel()
        self.notes.setProperty("role", "small")
        tried = QWidget()
        row = QHBoxLayout(tried)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        row.addWidget(self._mistakes_label, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self.mistakes, 1)
        plots = Beside([self._left_titled, self._right_titled], [50, 50])
        rows = [tried, plots, self.legend, self.sentence, self.caption, self.notes]
        self._body_column = FitColumn(rows, plots, [self.notes, self.legend, self.caption, self.sentence])
        self.set_body(self._body_column)
        self._recolour()

    # --- frames ------------------------------------------------------------------------------------------------

    def show_frame(self, frame: Frame) -> None:
        self._frame_shown = frame
        self._places = list(range(len(frame.info["taps"])))
        self._redraw()
        self.show_content()

    def clear(self) -> None:
        self._frame_shown = None
        for points in (self._measured, self._S, self._algebraic, self._kept, self._as_zero):
            points.clear()
        super().clear()

    # --- what is shown -----------------------------------------------------------------------------------------

    @property
    def place(self) -> int:
        """The layer looked at: the chosen one, else the last before the logits."""
        frame = self._frame_shown
        if frame is None:
            return 0
        chosen = place_of(frame.info["taps"], self._places, self.selection.tap)
        return penultimate(frame.info["taps"], self._places) if chosen is None else chosen

    @property
    def mistake(self) -> str:
        """The mistake switched on; "" for the protocol as it must be."""
        return self._mistake

    def layer(self, place: int) -> dict[str, Any]:
        """What the protocol found at a layer."""
        assert self._frame_shown is not None
        return dict(self._frame_shown.info["layers"][place])

    def dropped(self) -> list[dict[str, float]]:
        """What dropping rows makes of S at the layer looked at; where it was not measured, of the pair."""
        assert self._frame_shown is not None
        return list(self.layer(self.place).get("dropping") or self._frame_shown.info["pair"]["dropping"])

    @Slot()
    def _redraw(self, *_: object) -> None:
        frame = self._frame_shown
        if frame is None:
            return
        tap = frame.info["taps"][self.place]["name"]
        self._left_titled.title.set_text(f"E(θ) at {tap}: {self._pairs():,} pairs, 95% intervals")
        theta = np.degrees(frame.arrays["theta"][self.place])
        E, error = frame.arrays["E"][self.place], frame.arrays["E_error"][self.place]
        self._measured.set_data(theta, E, E - WIDE * error, E + WIDE * error)
        self._draw_layers(frame)
        self._draw_disjoint(frame)
        self._draw_dropping()
        pages = {"": self.plot, COSINES: self.plot, DISJOINT: self.disjoint, DROPPING: self.dropping}
        self.right.setCurrentWidget(pages[self._mistake])
        self._algebraic.set_visible(self._mistake == COSINES)
        titles = {
            "": "S of the CHSH protocol at every layer, 95% intervals",
            COSINES: "Mistake: cosines instead of signs (algebraic score, not Bell)",
            DISJOINT: "Mistake: four disjoint samples",
            DROPPING: f"Mistake: drop unsure rows, at {tap}",
        }
        self._right_titled.title.set_text(titles[self._mistake])
        self._fill_chips(tap)
        self._say(frame)

    def _draw_layers(self, frame: Frame) -> None:
        self._names.set_names(*names_of(frame.info["taps"], self._places, "all"))
        rows = [self.layer(k) for k in self._places]
        S, error, score = (np.array([row.get(n, math.nan) for row in rows], float) for n in ("S", "error", "algebraic"))
        x = np.arange(len(rows), dtype=float)
        self._S.set_data(x, S, S - WIDE * error, S + WIDE * error)
        self._algebraic.set_data(x, score)
        low = min([0.0, *S[np.isfinite(S)].tolist()])
        last = max(1.0, len(rows) - 1.0)
        self.plot.set_home((-0.05 * last, 1.05 * last), (low - 0.05, 3.6))
        self._tap_line.setPos(self.place)

    def _draw_disjoint(self, frame: Frame) -> None:
        trials = frame.arrays["disjoint"]
        trials = trials[np.isfinite(trials)]
        if not len(trials):
            return
        # 2 is a border of the bins, so that what lies above it can be coloured
        wide = 0.05
        low = CLASSICAL - wide * math.ceil((CLASSICAL - trials.min()) / wide + 1e-9)
        high = max(CLASSICAL + wide, wide * (math.floor(trials.max() / wide) + 1))
        edges = low + wide * np.arange(round((high - low) / wide) + 1)
        # a trial at exactly 2 is not above it
        counts, _ = np.histogram(np.where(trials == CLASSICAL, CLASSICAL - wide / 2, trials), edges)
        self._histogram = (edges, counts)
        above = edges[:-1] >= CLASSICAL - 1e-9
        for bar, part in zip(self._bars, (np.where(above, 0, counts), np.where(above, counts, 0)), strict=True):
            bar.setOpts(x0=edges[:-1], width=wide, height=part.astype(float))
        self.disjoint.set_home((min(edges[0], 1.4), max(edges[-1], 3.1)), (0, float(counts.max()) * 1.15 + 0.5))

    def _draw_dropping(self) -> None:
        rows = self.dropped()
        x = np.arange(len(rows), dtype=float)
        self._thresholds.set_names(
            [f"{row['least']:g} ({row['efficiency']:.0%})" for row in rows], [f"{row['least']:g}" for row in rows]
        )
        self._kept.set_data(x, np.array([row["S"] for row in rows]))
        self._as_zero.set_data(x, np.array([row["as_zero"] for row in rows]))
        self._bound.setData(x, np.array([row["bound"] for row in rows]))
        self.dropping.set_home((-0.3, len(rows) - 0.7), (0, 4.3))

    def _pairs(self) -> int:
        assert self._frame_shown is not None
        return int(np.isfinite(self._frame_shown.arrays["E"][self.place]).sum())

    def _fill_chips(self, tap: str) -> None:
        theme = self.theme
        entries = [
            Entry("measured", f"signs at {tap}", theme.palette["vermillion"], "Measured, with 95% intervals", "bar"),
            Entry("classical", "classical: 1 − 2θ/π", theme.palette["blue"], "Theorem: local signs give this line"),
            Entry(
                "cosine",
                "quantum, cos θ: not reachable by local signs",
                theme.muted,
                "What entangled quantum pairs would give; no signs read off each vector by itself can",
                "dash",
            ),
        ]
        if self._mistake == DROPPING:
            entries += [
                Entry("kept", "S of rows kept", theme.palette["vermillion"], "Rows with a small reading are discarded"),
                Entry("bound", "4/efficiency − 2", theme.muted, "The most that discarding can do (theorem)", "dash"),
                Entry("as_zero", "unsure kept as 0", theme.palette["green"], "No row discarded: never above 2"),
            ]
        if self._mistake == COSINES:
            score = "2·√(ρ₁² + ρ₂²), of the two largest canonical correlations"
            entries.append(Entry("score", "algebraic score", theme.palette["orange"], score, "dash"))
        self.legend.set_entries(entries, [entry.key for entry in entries if entry.key not in self._hidden])
        for key, items in self._drawn_items().items():
            for item in items:
                item.setVisible(key not in self._hidden)
        self._algebraic.set_visible(self._mistake == COSINES and "score" not in self._hidden)
        self.mistakes.set_entries(
            [Entry(key, text, theme.warning, tip, "tag") for key, text, tip in MISTAKES], [self._mistake]
        )

    def _drawn_items(self) -> dict[str, tuple[Any, ...]]:
        return {
            "measured": (self._measured.dots, self._measured.bars),
            "classical": (self._sawtooth,),
            "cosine": (self._cosine,),
            "kept": (self._kept.dots, self._kept.line),
            "bound": (self._bound,),
            "as_zero": (self._as_zero.dots, self._as_zero.line),
        }

    # --- in words ----------------------------------------------------------------------------------------------

    def _say(self, frame: Frame) -> None:
        words = {"": self._protocol, DISJOINT: self._disjoint_words, COSINES: self._cosine_words}
        said = words[self._mistake]() if self._mistake in words else self._dropping_words()
        self.sentence.setText(said)
        self.set_subtitle("sign correlations and CHSH, trained network against initialisation")
        self.caption.set_text(NAMING)
        here = self.layer(self.place)
        used = f"{here['samples']:,} test samples" if "samples" in here else "no samples with features that vary"
        dead = f", {here['dead']:,} dead left out" if here.get("dead") else ""
        self.notes.set_text(
            f"Left: {frame.info['rows']:,} random hyperplanes a pair · right: {used}{dead}, efficiency 100% except in the last "
            f"mistake"
        )
        self.sentence.setToolTip("\n\n".join([said, NAMING, self.notes.full_text]))
        self._body_column.fit()

    def _protocol(self) -> str:
        rows = [self.layer(k) for k in self._places]
        known = [row for row in rows if "S" in row]
        if not known:
            return "No layer has features that vary: nothing to test."
        most = max(known, key=lambda row: abs(row["S"]))
        return (
            f"Theorem, and so measured: |S| ≤ 2 at every layer; the largest is {signed(most['S'], 2)} (SE {most['error']:.2f}) "
            f"at {most['tap']}, with every row kept."
        )

    def _disjoint_words(self) -> str:
        assert self._frame_shown is not None
        trials = self._frame_shown.arrays["disjoint"]
        return (
            f"Mistake: {share_above(trials):.0%} of {len(trials):,} trials exceed 2, up to {np.nanmax(np.abs(trials)):.2f}, by "
            f"chance alone: four correlations from four samples of {self._frame_shown.info['disjoint_rows']:,} rows need not "
            f"obey the bound. No violation."
        )

    def _cosine_words(self) -> str:
        assert self._frame_shown is not None
        here = self.layer(self.place)
        pair = self._frame_shown.info["pair"]
        at = (
            f"{here['algebraic']:.2f} at {here['tap']}, where signs give {here['S']:.2f}"
            if "algebraic" in here
            else f"not measured at {here['tap']}"
        )
        return (
            f"Mistake: the algebraic score is {at}; at Tsirelson's angles it is {pair['cosines']:.4f} = 2√2 where signs give "
            f"{pair['protocol']['S']:.2f}. A cosine is no average of local ±1 outcomes: not Bell."
        )

    def _dropping_words(self) -> str:
        worst = max(self.dropped(), key=lambda row: row["S"])
        if not is_loophole(worst):
            return "Mistake: dropping unsure rows does not exceed 2 here."
        enough = worst["efficiency"] > LEAST_EFFICIENCY
        return (
            f"Mistake, detection loophole: S = {worst['S']:.2f} once rows below {worst['least']:g} σ are dropped, at efficiency "
            f"{worst['efficiency']:.1%} (bound 4/eff − 2 = {worst['bound']:.2f}). To exclude 2√2 it needs more than "
            f"{LEAST_EFFICIENCY:.1%}{'' if enough else ', and has less'}; with unsure rows kept as 0, S = {worst['as_zero']:.2f}."
        )

    # --- pointer and controls ----------------------------------------------------------------------------------

    @Slot(float, float)
    def _on_angle_hover(self, x: float, y: float) -> None:
        frame = self._frame_shown
        if frame is None:
            return
        theta, E = np.degrees(frame.arrays["theta"][self.place]), frame.arrays["E"][self.place]
        away = np.hypot((theta - x) / 180, (E - y) / 2)
        if not np.isfinite(away).any():
            return
        k = int(np.nanargmin(away))
        error, line = frame.arrays["E_error"][self.place, k], frame.arrays["sawtooth"][self.place, k]
        told = math.degrees(float(frame.arrays["theta_told"][self.place, k]))
        spread = WIDE * math.degrees(float(frame.arrays["theta_told_error"][self.place, k]))
        self.angles.readout.say(
            f"θ = {theta[k]:.1f}°, as signs tell it {told:.1f}° ± {spread:.1f}°\n"
            f"E {signed(float(E[k]))} ± {WIDE * error:.3f}\n"
            f"classical {signed(float(line))} · cosine {signed(math.cos(math.radians(theta[k])))}",
            self.angles.at(float(theta[k]), float(E[k])),
        )

    def describe(self, place: int) -> str:
        """What the readout says of the protocol at a layer."""
        row = self.layer(place)
        if "S" not in row:
            return f"{row['tap']}: not measured, its features do not vary"
        lines = [
            f"{row['tap']}: S {signed(row['S'])} ± {WIDE * row['error']:.3f}",
            f"{row['samples']:,} samples, none discarded",
        ]
        if self._mistake == COSINES:
            lines.append(f"algebraic score {row['algebraic']:.3f} (ρ {row['rho1']:.3f}, {row['rho2']:.3f})")
        return "\n".join(lines)

    @Slot(float, float)
    def _on_hover(self, x: float, y: float) -> None:
        if self._frame_shown is not None:
            place = min(len(self._places) - 1, max(0, round(x)))
            self.plot.readout.say(self.describe(place), self.plot.at(place, y))

    @Slot(float, float)
    def _on_disjoint_hover(self, x: float, y: float) -> None:
        edges, counts = self._histogram
        k = int(np.searchsorted(edges, x, side="right")) - 1
        if 0 <= k < len(counts):
            self.disjoint.readout.say(
                f"S between {edges[k]:.2f} and {edges[k + 1]:.2f}: {int(counts[k])} trials", self.disjoint.at(x, y)
            )

    @Slot(float, float)
    def _on_dropping_hover(self, x: float, y: float) -> None:
        if self._frame_shown is None:
            return
        rows = self.dropped()
        row = rows[min(len(rows) - 1, max(0, round(x)))]
        flag = "\ndetection loophole" if is_loophole(row) else ""
        self.dropping.readout.say(
            f"below {row['least']:g} σ dropped: {row['efficiency']:.1%} kept\n"
            f"S {row['S']:.3f}, bound {row['bound']:.3f}\nunsure kept as 0: S {row['as_zero']:.3f}{flag}",
            self.dropping.at(round(x), y),
        )

    @Slot(float, float)
    def _on_click(self, x: float, _: float) -> None:
        frame = self._frame_shown
        if frame is not None:
            self.selection.set_tap(frame.info["taps"][min(len(self._places) - 1, max(0, round(x)))]["name"])

    @Slot(int, int)
    def _on_keys(self, across: int, _: int) -> None:
        """The arrow keys choose the next layer."""
        frame = self._frame_shown
        if frame is not None:
            place = min(len(self._places) - 1, max(0, self.place + across))
            self.selection.set_tap(frame.info["taps"][place]["name"])

    @Slot(str, bool)
    def _on_mistake(self, key: str, on: bool) -> None:
        self._mistake = key if on else ""
        self._redraw()

    @Slot(str, bool)
    def _on_legend(self, key: str, on: bool) -> None:
        (self._hidden.discard if on else self._hidden.add)(key)
        self._redraw()

    # --- look and export ---------------------------------------------------------------------------------------

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self.measure.set_theme(theme)
        for part in (self.angles, self.plot, self.disjoint, self.dropping, self.mistakes, self.legend):
            part.set_theme(theme)
        self._recolour()
        self._redraw()

    def _recolour(self) -> None:
        theme, palette = self.theme, self.theme.palette
        self._sawtooth.setPen(pen(palette["blue"], 1.4))
        self._cosine.setPen(pen(theme.muted, dash=True))
        self._bound.setPen(pen(theme.muted, dash=True))
        self._measured.set_colour(palette["vermillion"])
        self._S.set_colour(palette["vermillion"])
        self._algebraic.set_colour(palette["orange"])
        self._kept.set_colour(palette["vermillion"])
        self._as_zero.set_colour(palette["green"])
        self._tap_line.setPen(pen(theme.accent, 1, alpha=0.8))
        for bar, colour in zip(self._bars, (palette["grey"], palette["vermillion"]), strict=True):
            bar.setOpts(pen=pen(theme.surface), brush=pg.mkBrush(colour))
        for level, is_bound in self._levels:
            level.set_colour(palette["blue"] if is_bound else theme.muted)

    def plots(self) -> Sequence[tuple[str, Any]]:
        right = self.right.currentWidget()
        assert isinstance(right, Plot)
        return (("sign correlation", self.angles.getPlotItem()), ("CHSH", right.getPlotItem()))

    def csv_rows(self) -> Iterable[Sequence[Any]]:
        """Every pair's E at every layer, then S at every layer, the disjoint trials and what dropping rows does."""
        frame = self._frame_shown
        if frame is None:
            return
        yield ["part", "tap", "x", "value", "error", "reference"]
        for k, tap in enumerate(frame.info["taps"]):
            for pair in range(frame.arrays["E"].shape[1]):
                numbers = [float(frame.arrays[n][k, pair]) for n in ("theta", "E", "E_error", "sawtooth")]
                yield ["E(theta), reference sawtooth", tap["name"], *numbers]
        for row in frame.info["layers"]:
            if "S" in row:
                yield ["S, reference algebraic score", row["tap"], "", row["S"], row["error"], row["algebraic"]]
                for each in row["dropping"]:
                    yield ["rows dropped, reference bound", row["tap"], each["least"], each["S"], "", each["bound"]]
        for trial, S in enumerate(frame.arrays["disjoint"].tolist()):
            yield ["four disjoint samples", "", trial, S, "", CLASSICAL]
