"""The lock at every layer: how often each kind of input opens it, beside the binomial law, and at which angle."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from PySide6.QtCore import Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QPushButton, QWidget

from engine.experiments.rates import wilson
from gui.panels.labels import Caption
from gui.panels.pieces import PiecewisePage
from gui.panels.reconcile.figures import Cell, FiguresTable
from gui.panels.reconcile.layer_plots import LayerPlots, degrees, known, plot_over_layers
from gui.panels.reconcile.words import FOOLING, KINDS, RAW, SHORT, TIPS, colour, percent
from gui.plots.chips import Chips, Entry
from gui.plots.controls import Segmented
from gui.plots.fit import FitColumn
from gui.plots.flow import FlowRow
from gui.theme import Theme

PLOT, TABLE = "plot", "table"
ROOMY = 470  # pixels of height from which on plots and table are shown together
TABLED = 0.36  # share of the height that the table has beside the plots


class LayersPage(PiecewisePage):
    """``tap_chosen(name)`` is a click on a layer, ``layer_asked(name)`` the wish to lock there."""

    topic = "reconciliation"
    empty_text = (
        "Not measured yet. At every layer of the network: how often does fooling noise open the lock, and how often raw noise, "
        "a clean test image, or the wrong class?"
    )
    button_text = "Open the lock"

    tap_chosen = Signal(str)
    layer_asked = Signal(str)

    def making(self) -> Iterator[None]:
        theme = self.theme
        self._tap: str | None = None
        self._hidden: set[str] = set()
        self.shown_choice = Segmented(
            theme,
            "Shown",
            [(PLOT, "plot", "Shares and angles over the layers"), (TABLE, "table", "The same as numbers")],
        )
        self.shown_choice.chosen.connect(self._lay_out)
        self.lock_button = QPushButton("Lock at this layer")
        self.lock_button.setProperty("role", "link")
        self.lock_button.setToolTip("Set this layer as the one whose features are hashed")
        self.lock_button.clicked.connect(self._on_lock)
        self.row = FlowRow([self.shown_choice, self.lock_button])
        shares = plot_over_layers(theme)
        yield
        self.drawn = LayerPlots(theme, (shares, plot_over_layers(theme)))
        yield
        yield from self.drawn.filling()
        self.drawn.tap_chosen.connect(self.tap_chosen)
        self.table = FiguresTable(theme, "Recovered at every layer")
        self.table.chosen.connect(self._on_row)
        self.chips = Chips(theme, "Kinds of input")
        self.chips.toggled.connect(self._on_chip)
        self.caption = Caption()
        self._column = FitColumn(
            [self.drawn, self.chips, self.table, self.caption], self.drawn, [self.caption, self.chips]
        )
        self.set_body(self._column)
        self._offer()

    def pieces(self) -> Sequence[QWidget]:
        return (self.drawn.plot, self.drawn.angles)

    # --- what is drawn -----------------------------------------------------------------------------------------

    @property
    def names(self) -> list[str]:
        """The taps, input first."""
        return [str(tap["name"]) for tap in self.frame.info["taps"]] if self.frame is not None else []

    def redraw(self) -> None:
        if self.frame is None:
            return
        self.drawn.show_frame(self.frame)
        self._list()
        self._show_hidden()
        self._mark()
        self._say()
        self._lay_out()

    def _list(self) -> None:
        assert self.frame is not None
        arrays = self.frame.arrays
        head = [Cell("layer")]
        for k, name in enumerate(KINDS):
            tip = f"{TIPS[k]}: recovered, and in brackets what the binomial law predicts"
            head += [
                Cell(SHORT[k], tip, colour(self.theme, k)),
                Cell("angle", f"Mean angle of {name} to the reference feature"),
            ]
        rows = []
        for t, name in enumerate(self.names):
            row = [Cell(name)]
            for k in range(len(KINDS)):
                tip = self.drawn.describe(t, k)
                row.append(Cell(f"{_share(arrays['recovered'][k, t])} ({_share(arrays['predicted'][k, t])})", tip))
                row.append(Cell(degrees(arrays["angle"][k, t]), tip, "muted"))
            rows.append(row)
        self.table.show_rows(head, rows)

    def _say(self) -> None:
        assert self.frame is not None
        info, arrays = self.frame.info, self.frame.arrays
        chosen, tap = info["chosen"], int(info["chosen"]["tap"])
        shares = ", ".join(f"{SHORT[k]} {percent(arrays['recovered'][k, tap])}" for k in range(len(KINDS)))
        self.summary = f"recovered at {chosen['layer']}, r = {info['repetition']}: {shares}"
        counted = int(arrays["count"].max()) if arrays["count"].size else 0
        controls = [
            f"{text} {self._share_of(kind, float(info[key]))}"
            for kind, key, text in (
                (RAW, "uncentred", "× features not centred: raw noise opens the lock in"),
                (FOOLING, "random_net", "+ hashed in the untrained network: fooling noise opens it in"),
            )
            if known(info.get(key))
        ]
        reached = f"{self._share_of(FOOLING, float(info['fooled']))} of the noise reached confidence {info['confidence']:g} within ε = {info['eps']:g} (L2)."
        self.caption.set_text(
            f"Measurement, {counted:,} inputs a kind; bars are 95% Wilson intervals over inputs of this one network. Hollow, "
            f"dashed: the binomial law at each input’s own angle. {reached}"
            + (f" Controls at {chosen['layer']}: {'; '.join(controls)}." if controls else "")
        )
        self.said.emit()

    def _share_of(self, kind: int, share: float) -> str:
        """A share of all inputs of a kind, with its interval."""
        assert self.frame is not None
        count = int(self.frame.arrays["count"][kind].max(initial=0))
        low, high = wilson(share * count, count)
        return f"{percent(share)} [{percent(float(low))}, {percent(float(high))}]"

    def clear(self) -> None:
        super().clear()
        self.drawn.clear_points()
        self.table.show_rows((), ())
        self.chips.set_entries((), ())
        self._mark()

    # --- the layer chosen, and what is hidden ------------------------------------------------------------------

    def show_tap(self, name: str | None) -> None:
        """Mark the layer that is chosen in all panels."""
        self._tap = name
        self._mark()

    def _mark(self) -> None:
        at = self.names.index(self._tap) if self._tap in self.names else None
        self.drawn.mark(at)
        self.table.mark_row(at)
        self._offer()

    def _offer(self) -> None:
        here = self.frame is not None and self._tap in self.names
        self.lock_button.setVisible(here)
        if here:
            self.lock_button.setText(f"Lock at {self._tap}")
            self.lock_button.setAccessibleName(f"Lock at {self._tap}")
        self.row.arrange()

    def _show_hidden(self) -> None:
        entries = [Entry(name, name, colour(self.theme, k), TIPS[k]) for k, name in enumerate(KINDS)]
        entries.append(Entry("law", "binomial law", self.theme.muted, "Predicted from each input’s angle", "dash"))
        self.chips.set_entries(entries, [entry.key for entry in entries if entry.key not in self._hidden])
        self.drawn.hide_kinds(self._hidden)

    @Slot(str, bool)
    def _on_chip(self, key: str, on: bool) -> None:
        self._hidden.discard(key) if on else self._hidden.add(key)
        self._show_hidden()

    @Slot()
    def _on_lock(self) -> None:
        if self._tap is not None:
            self.layer_asked.emit(self._tap)

    @Slot(int)
    def _on_row(self, row: int) -> None:
        if row < len(self.names):
            self.tap_chosen.emit(self.names[row])

    # --- layout, look and export -------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self.made:
            self._lay_out()

    @Slot()
    def _lay_out(self, *_: object) -> None:
        roomy = self.height() >= ROOMY
        self.shown_choice.setVisible(not roomy)
        drawn = roomy or self.shown_choice.key() == PLOT
        self.drawn.setVisible(drawn)
        self._column.want(self.chips, drawn)
        self._column.want(self.table, roomy or not drawn)
        share = min(self.table.sizeHint().height(), round(TABLED * self.height()))  # a long table scrolls
        self.table.setMinimumHeight(share if roomy else 50)
        self.table.setMaximumHeight(share if roomy else 16_777_215)
        self.row.arrange()
        self._column.fit()

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        for each in (self.drawn, self.shown_choice, self.table, self.chips):
            each.set_theme(theme)
        self.redraw()

    def plots(self) -> Sequence[tuple[str, Any]]:
        return (("recovered", self.drawn.plot.getPlotItem()), ("angle", self.drawn.angles.getPlotItem()))

    def csv_rows(self) -> Iterable[Sequence[Any]]:
        """One row a layer and kind."""
        if self.frame is None:
            return
        names = (
            "recovered",
            "recovered_low",
            "recovered_high",
            "predicted",
            "count",
            "angle",
            "angle_low",
            "angle_high",
        )
        yield ["layer", "kind", *names]
        for t, tap in enumerate(self.names):
            for k, kind in enumerate(KINDS):
                yield [tap, kind, *(self.frame.arrays[name][k, t].item() for name in names)]


def _share(value: float) -> str:
    return f"{value:.2f}" if np.isfinite(value) else "–"
