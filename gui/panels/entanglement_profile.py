"""The main result: how a quantity of pairs changes from layer to layer, group by group, beside its null."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Slot
from PySide6.QtWidgets import QComboBox, QVBoxLayout, QWidget

from engine.experiments import views
from gui.panels.base import Panel
from gui.panels.labels import ElidedLabel
from gui.plots.axes import NameAxis
from gui.plots.band import BandCurve
from gui.plots.chips import Chips, Entry
from gui.plots.controls import Segmented, view_choice
from gui.plots.dots import Dots
from gui.plots.flow import FlowRow
from gui.plots.groups import BEFORE_ATTACK, OF_ATTACK, short
from gui.plots.plot import Plot, padded, pen
from gui.plots.says import signed
from gui.selection import Selection
from gui.theme import Theme

if TYPE_CHECKING:
    from engine.events import Frame

NOW, INIT = 0, 1
INIT_CHIP, BASELINE_CHIP, MORE_CHIP = "/init", "/baseline", "/more"


class ProfilePanel(Panel):
    """Mean over inputs with its 95% band for each group against the layers; dashed, the network at initialisation."""

    key = "profile"
    title = "Entanglement profile"
    tab = "Profile"
    topics = ("profile",)
    empty_text = "No profile yet. It is measured while a network trains, and in full on the Entangle step."

    def __init__(self, selection: Selection, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(selection, theme, parent)
        self._frame_shown: Frame | None = None
        self._baseline: Frame | None = None
        self._baseline_label = ""
        self._quantity = "C"
        self._wanted: dict[str, bool] = {}  # what a person switched; the rest follows the data
        self._expanded = False  # whether chips of groups not drawn are shown
        self._curves: dict[tuple[str, str], BandCurve] = {}  # (group, "now" | "init" | "baseline")
        self._places: list[int] = []  # position in taps of each point on the axis
        self._pointed: tuple[int, int] | None = None  # (place, group)

        self.quantity_box = QComboBox()
        self.quantity_box.setProperty("quiet", True)
        self.quantity_box.setAccessibleName("Quantity")
        self.quantity_box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.quantity_box.setMaximumWidth(190)
        self.quantity_box.activated.connect(self._on_quantity)
        self.view_choice = view_choice(theme)
        self.view_choice.chosen.connect(selection.set_view)
        self.taps_choice = Segmented(
            theme,
            "Taps",
            [
                ("layers", "layers", "Only what comes out of each layer"),
                ("all", "every tap", "The linear map (W) and the activation (σ) of every layer"),
            ],
        )
        self.taps_choice.chosen.connect(self._on_taps)
        self._names = NameAxis("bottom")
        self.plot = Plot(theme, {"bottom": self._names})
        self.plot.setAccessibleName("Quantity against layer")
        self.plot.set_grid(False, True)
        self.plot.hovered.connect(self._on_hover)
        self.plot.left.connect(self._on_left)
        self.plot.clicked.connect(self._on_click)
        self.plot.moved.connect(self._on_keys)
        self.plot.entered.connect(self._on_enter)
        self._zero = pg.InfiniteLine(pos=0, angle=0)
        self._tap_line = pg.InfiniteLine(angle=90)
        self._dot = Dots(size=8, pxMode=True)
        for item, z in ((self._zero, 0), (self._tap_line, 0.5), (self._dot, 6)):
            item.setZValue(z)
            self.plot.addItem(item, ignoreBounds=True)
        self._tap_line.hide()
        self.chips = Chips(theme, "Groups of pairs")
        self.chips.toggled.connect(self._on_chip)
        self.caption = ElidedLabel()
        self.caption.setProperty("role", "small")
        self._row = FlowRow([self.quantity_box, self.view_choice, self.taps_choice])
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        column.addWidget(self._row)
        column.addWidget(self.plot, 1)
        column.addWidget(self.chips)
        column.addWidget(self.caption)
        self.set_body(body)
        self._recolour()
        selection.tap_changed.connect(self._show_tap)
        selection.view_changed.connect(self._redraw)

    # --- frames ------------------------------------------------------------------------------------------------

    def show_frame(self, frame: Frame) -> None:
        self._frame_shown = frame
        if not np.isfinite(frame.arrays["mean"]).any():
            self.show_empty("Nothing could be measured at this moment: every group is empty, or its features are zero.")
            return
        self._fill_quantities(frame)
        self._redraw()
        self.show_content()

    def set_baseline(self, frame: Frame | None, label: str = "") -> None:
        """Lay another run's profile under this one, dotted; None takes it away. Groups and taps are matched by name."""
        self._baseline, self._baseline_label = frame, label
        self._wanted.pop(BASELINE_CHIP, None)
        self._redraw()

    def clear(self) -> None:
        self._frame_shown = None
        self._pointed = None
        self._dot.clear()
        for curve in self._curves.values():
            curve.set_visible(False)
        super().clear()

    def _fill_quantities(self, frame: Frame) -> None:
        names = [q["name"] for q in frame.info["quantities"]]
        if [self.quantity_box.itemData(k) for k in range(self.quantity_box.count())] != names:
            self.quantity_box.clear()
            for q in frame.info["quantities"]:
                self.quantity_box.addItem(_with_unit(q), q["name"])
        if self._quantity not in names:
            self._quantity = names[0]
        self.quantity_box.setCurrentIndex(names.index(self._quantity))
        self._row.arrange()

    # --- what is shown -----------------------------------------------------------------------------------------

    @property
    def quantity(self) -> int:
        """Position of the quantity shown."""
        frame = self._frame_shown
        return 0 if frame is None else [q["name"] for q in frame.info["quantities"]].index(self._quantity)

    def set_quantity(self, name: str) -> None:
        """Show another quantity, by its name in the frame ("C", "angle", …)."""
        self._quantity = name
        if self._frame_shown is not None:
            self._fill_quantities(self._frame_shown)
            self.plot.home()
            self._redraw()

    def present(self) -> list[str]:
        """The groups that have numbers now."""
        frame = self._frame_shown
        if frame is None:
            return []
        some = np.isfinite(frame.arrays["mean"][NOW]).any(axis=(0, 1, 3))
        return [group["name"] for group, there in zip(frame.info["groups"], some, strict=True) if there]

    def shown_groups(self) -> list[str]:
        """The groups that are drawn: those of an attack once there is one, as far as nobody switched them."""
        present = self.present()
        usual = OF_ATTACK if "adv_target" in present else BEFORE_ATTACK
        return [name for name in present if self._wanted.get(name, name in usual)]

    def _init_shown(self) -> bool:
        return self._wanted.get(INIT_CHIP, True)

    def _baseline_shown(self) -> bool:
        return self._baseline is not None and self._wanted.get(BASELINE_CHIP, True)

    def values(self, net: int, group: str, frame: Frame | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Mean, low and high of a group at the places on the axis, in the view and quantity shown."""
        frame = frame or self._frame_shown
        assert frame is not None
        g = [item["name"] for item in frame.info["groups"]].index(group)
        at = (net, self.selection.view_index, self.quantity, g)
        arrays = frame.arrays
        return tuple(arrays[name][at][self._places] for name in ("mean", "low", "high"))  # type: ignore[return-value]

    @Slot()
    def _redraw(self, *_: object) -> None:
        frame = self._frame_shown
        if frame is None:
            return
        taps = frame.info["taps"]
        self._places = views.layer_taps(taps) if self.taps_choice.key() == "layers" else list(range(len(taps)))
        self._names.set_names(
            [taps[p]["name"] for p in self._places], [_brief(taps[p], self.taps_choice.key()) for p in self._places]
        )
        shown = self.shown_groups()
        x = np.arange(len(self._places), dtype=float)
        low, high = math.inf, -math.inf
        live: set[tuple[str, str]] = set()
        for name in shown:
            layers: list[tuple[str, int, Frame]] = [("now", NOW, frame)]
            if self._init_shown():
                layers.append(("init", INIT, frame))
            for kind, net, source in layers:
                values = self.values(net, name, source)
                self._curve(name, kind).set_data(x, *values)
                live.add((name, kind))
                low, high = _widen(low, high, values)
            if self._baseline_shown():
                values = self._baseline_values(name)
                if values is not None:
                    self._curve(name, "baseline").set_data(x, *values)
                    live.add((name, "baseline"))
                    low, high = _widen(low, high, values)
        for which, curve in self._curves.items():
            curve.set_visible(which in live)
        if not math.isfinite(low):
            low, high = 0.0, 1.0
        last = max(1.0, len(self._places) - 1.0)
        self.plot.set_home((-0.04 * last, last * 1.04), padded(low, high, 0.04), slack=0.15)
        quantity = frame.info["quantities"][self.quantity]
        self.plot.set_axis_text("left", _with_unit(quantity))
        self._zero.setVisible(low < 0 < high)
        self.view_choice.set_key(self.selection.view)
        self._fill_chips(frame, shown)
        self._caption(frame, shown)
        self._show_tap(self.selection.tap)
        if self._pointed is not None and self.plot.readout.isVisible():
            self._point(*self._pointed)

    def _baseline_values(self, group: str) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
        """The baseline's numbers at this frame's places, NaN where it has no tap of that name."""
        base, frame = self._baseline, self._frame_shown
        assert base is not None and frame is not None
        groups = [item["name"] for item in base.info["groups"]]
        quantities = [item["name"] for item in base.info["quantities"]]
        if group not in groups or self._quantity not in quantities:
            return None
        at = (NOW, self.selection.view_index, quantities.index(self._quantity), groups.index(group))
        where = {tap["name"]: k for k, tap in enumerate(base.info["taps"])}
        found = []
        for name in ("mean", "low", "high"):
            row = base.arrays[name][at]
            found.append(
                np.array(
                    [row[where[n]] if (n := frame.info["taps"][p]["name"]) in where else np.nan for p in self._places]
                )
            )
        return found[0], found[1], found[2]

    def _curve(self, group: str, kind: str) -> BandCurve:
        found = self._curves.get((group, kind))
        if found is None:
            colour = self.theme.group_colour(group)
            found = BandCurve(self.plot, colour, dash=kind == "init", dot=kind == "baseline")
            self._curves[group, kind] = found
            self._colour_curve(group, kind)
        return found

    def _colour_curve(self, group: str, kind: str) -> None:
        self._curves[group, kind].set_colour(self.theme.group_colour(group), strength=1.0 if kind == "now" else 0.75)

    def _fill_chips(self, frame: Frame, shown: Sequence[str]) -> None:
        labels = {item["name"]: item["label"] for item in frame.info["groups"]}
        # those drawn by default come first, the others wait behind one chip
        order = sorted(
            self.present(), key=lambda n: (OF_ATTACK + BEFORE_ATTACK).index(n) if n in OF_ATTACK + BEFORE_ATTACK else 99
        )
        usual = OF_ATTACK if "adv_target" in order else BEFORE_ATTACK
        waiting = [n for n in order if n not in usual and n not in shown]
        if not self._expanded:
            order = [n for n in order if n not in waiting]
        entries = [Entry(n, short(n, labels[n]), self.theme.group_colour(n), labels[n]) for n in order]
        on = list(shown)
        entries.append(
            Entry(
                INIT_CHIP,
                "at initialisation",
                self.theme.muted,
                "The same measurement on the network before training",
                "dash",
            )
        )
        if self._init_shown():
            on.append(INIT_CHIP)
        if self._baseline is not None:
            entries.append(
                Entry(
                    BASELINE_CHIP,
                    self._baseline_label or "baseline",
                    self.theme.muted,
                    "The run to compare with",
                    "dot",
                )
            )
            if self._baseline_shown():
                on.append(BASELINE_CHIP)
        if waiting:
            text = "fewer" if self._expanded else f"+{len(waiting)} groups"
            entries.append(Entry(MORE_CHIP, text, self.theme.muted, "Further groups of pairs to draw", "tag"))
        self.chips.set_entries(entries, on)

    def _caption(self, frame: Frame, shown: Sequence[str]) -> None:
        counts = sorted({self.count(name) for name in shown})
        n = f"{counts[0]:,}" if len(counts) == 1 else f"{counts[0]:,} to {counts[-1]:,}" if counts else "0"
        self.caption.set_text(
            f"Mean and 95% bootstrap over inputs · n = {n} · {int(frame.info.get('bootstrap', 0)):,} resamples"
        )
        self.set_subtitle(f"{frame.info['quantities'][self.quantity]['label']}, {self.selection.view}, layer by layer")

    def count(self, group: str) -> int:
        """How many inputs a group's mean is over."""
        frame = self._frame_shown
        if frame is None:
            return 0
        return int(frame.arrays["count"][[g["name"] for g in frame.info["groups"]].index(group)])

    # --- selection ---------------------------------------------------------------------------------------------

    @Slot(object)
    def _show_tap(self, name: str | None) -> None:
        frame = self._frame_shown
        places = (
            [] if frame is None else [k for k, p in enumerate(self._places) if frame.info["taps"][p]["name"] == name]
        )
        self._tap_line.setVisible(bool(places))
        if places:
            self._tap_line.setPos(places[0])

    @Slot(int)
    def _on_quantity(self, position: int) -> None:
        self.set_quantity(self.quantity_box.itemData(position))

    @Slot(str)
    def _on_taps(self, _: str) -> None:
        self._pointed = None
        self.plot.home()
        self._redraw()

    @Slot(str, bool)
    def _on_chip(self, key: str, on: bool) -> None:
        if key == MORE_CHIP:
            self._expanded = not self._expanded
        else:
            self._wanted[key] = on
        self._redraw()

    # --- pointer and keys --------------------------------------------------------------------------------------

    def describe(self, place: int, group: str) -> str:
        """What the readout says of a group at a place on the axis."""
        frame = self._frame_shown
        if frame is None:
            return ""
        quantity = frame.info["quantities"][self.quantity]
        unit = f" {quantity['unit']}" if quantity.get("unit") else ""
        label = next(g["label"] for g in frame.info["groups"] if g["name"] == group)
        lines = [label]
        nets = [(NOW, frame.info["taps"][self._places[place]]["name"])]
        if self._init_shown():
            nets.append((INIT, "at initialisation"))
        for net, head in nets:
            mean, low, high = (float(v[place]) for v in self.values(net, group))
            if math.isnan(mean):
                lines.append(f"{head}: not measured")
            else:
                lines.append(f"{head}: {signed(mean)}{unit} [{signed(low)}, {signed(high)}]")
        lines.append(f"n = {self.count(group):,} inputs{self._left_out(place, group)}")
        return "\n".join(lines)

    def _left_out(self, place: int, group: str) -> str:
        """How many pairs or inputs have no part in the mean here, where there are any."""
        frame = self._frame_shown
        if frame is None or "saturated" not in frame.arrays:
            return ""
        g = next(k for k, each in enumerate(frame.info["groups"]) if each["name"] == group)
        at = (NOW, self.selection.view_index, g, self._places[place])
        parts = []
        if (
            frame.info["quantities"][self.quantity]["name"] in ("rapidity", "ln_gamma")
            and frame.arrays["saturated"][at]
        ):
            parts.append(f"{int(frame.arrays['saturated'][at]):,} saturated pairs left out")
        if frame.arrays["dead"][at]:
            parts.append(f"{int(frame.arrays['dead'][at]):,} dead left out")
        return "".join(f" · {part}" for part in parts)

    def _point(self, place: int, group: int) -> None:
        shown = self.shown_groups()
        if not shown or not 0 <= place < len(self._places):
            return
        group = min(group, len(shown) - 1)
        self._pointed = (place, group)
        mean = float(self.values(NOW, shown[group])[0][place])
        if math.isfinite(mean):
            self._dot.setData([place], [mean])
            self._dot.setBrush(pg.mkBrush(self.theme.group_colour(shown[group])))
            self._dot.setPen(pen(self.theme.surface))
            self._dot.show()
        else:
            mean = sum(self.plot.getViewBox().viewRange()[1]) / 2
            self._dot.hide()
        self.plot.readout.say(self.describe(place, shown[group]), self.plot.at(place, mean))

    @Slot(float, float)
    def _on_hover(self, x: float, y: float) -> None:
        shown = self.shown_groups()
        if not shown or not self._places:
            return
        place = min(len(self._places) - 1, max(0, round(x)))
        means = np.array([self.values(NOW, name)[0][place] for name in shown])
        if np.isfinite(means).any():
            self._point(place, int(np.nanargmin(np.where(np.isfinite(means), np.abs(means - y), np.nan))))

    @Slot()
    def _on_left(self) -> None:
        self._pointed = None
        self._dot.hide()

    @Slot(float, float)
    def _on_click(self, x: float, _: float) -> None:
        self._choose(min(len(self._places) - 1, max(0, round(x))))

    def _choose(self, place: int) -> None:
        if self._frame_shown is not None and 0 <= place < len(self._places):
            self.selection.set_tap(self._frame_shown.info["taps"][self._places[place]]["name"])

    @Slot(int, int)
    def _on_keys(self, across: int, up: int) -> None:
        count = len(self.shown_groups())
        if not count or not self._places:
            return
        if self._pointed is None:
            self._point(len(self._places) - 1, 0)
            return
        place, group = self._pointed
        self._point(min(len(self._places) - 1, max(0, place + across)), (group - up) % count)

    @Slot()
    def _on_enter(self) -> None:
        if self._pointed is not None:
            self._choose(self._pointed[0])

    # --- look and export ---------------------------------------------------------------------------------------

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self.plot.set_theme(theme)
        self.view_choice.set_theme(theme)
        self.taps_choice.set_theme(theme)
        self.chips.set_theme(theme)
        self._recolour()
        self._redraw()

    def _recolour(self) -> None:
        self._zero.setPen(pen(self.theme.line_strong))
        self._tap_line.setPen(pen(self.theme.accent, 1, alpha=0.8))
        for group, kind in self._curves:
            self._colour_curve(group, kind)

    def plots(self) -> Sequence[tuple[str, Any]]:
        return (("profile", self.plot.getPlotItem()),)

    def csv_rows(self) -> Iterable[Sequence[Any]]:
        """The curves drawn, one row a point: group, net, tap, mean, interval and number of inputs."""
        frame = self._frame_shown
        if frame is None:
            return
        yield ["quantity", "view", "group", "net", "tap", "mean", "low", "high", "n"]
        nets = [(NOW, "now"), *([(INIT, "init")] if self._init_shown() else [])]
        for name in self.shown_groups():
            for net, word in nets:
                mean, low, high = self.values(net, name)
                for k, place in enumerate(self._places):
                    tap = frame.info["taps"][place]["name"]
                    yield [
                        self._quantity,
                        self.selection.view,
                        name,
                        word,
                        tap,
                        *(float(v[k]) for v in (mean, low, high)),
                        self.count(name),
                    ]


def _with_unit(quantity: dict[str, Any]) -> str:
    return f"{quantity['label']} ({quantity['unit']})" if quantity.get("unit") else str(quantity["label"])


def _brief(tap: dict[str, Any], choice: str) -> str:
    """A tap's name where there is little room: the layer's number, or W3 and σ3 for its linear map and its activation."""
    if tap["kind"] in ("input", "logits"):
        return "in" if tap["kind"] == "input" else "out"
    head = "" if choice == "layers" else "σ" if tap["kind"] == "activation" else "W"
    return f"{head}{tap['layer']}"


def _widen(low: float, high: float, values: Sequence[np.ndarray]) -> tuple[float, float]:
    for part in values:
        finite = part[np.isfinite(part)]
        if finite.size:
            low, high = min(low, float(finite.min())), max(high, float(finite.max()))
    return low, high
