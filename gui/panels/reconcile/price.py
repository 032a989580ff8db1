"""The price of entangling first: what opens for all, opens for impostors too, and few different hashes are left."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from PySide6.QtCore import Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QWidget

from gui.panels.labels import Caption
from gui.panels.pieces import PiecewisePage
from gui.panels.reconcile.figures import Cell, FiguresTable
from gui.panels.reconcile.price_plots import COLOURS, PricePlots
from gui.panels.reconcile.words import PRICE
from gui.plots.chips import Chips, Entry
from gui.plots.controls import Segmented
from gui.plots.fit import FitColumn
from gui.plots.flow import FlowRow
from gui.plots.plot import Plot
from gui.theme import Theme

PLOT, BOUND = "plot", "bound"
BRIEF = "More is tolerated only because fewer hashes are left: reconciliation, not encryption."
LOW = 300  # pixels of height below which that is all that is said
ROOMY = 440  # pixels of height from which on the bound stands below the plots
HEAD = (
    Cell("features d", "Directions of the features that are hashed"),
    Cell("hash bits n", "Rows of the public projection"),
    Cell("log₂ patterns", "Sign patterns that n rows can give in d dimensions at most (Cover 1965, theorem), in bits"),
    Cell("helper leaks", "Bits that the helper data says about the hash: n less those of the message"),
    Cell(
        "guaranteed at most",
        "How much of the hash can be guaranteed to stay secret from one who knows the helper; below 0 nothing is",
    ),
)


class PricePage(PiecewisePage):
    """Shares on the left, distinct hashes on the right; the residual entropy bound in a table."""

    topic = "price"
    empty_text = (
        "Not measured yet. Features pass more and more layers of a MaxLikelihood network (our reconstruction) before they are "
        "hashed: what does the tolerance that they gain cost?"
    )
    button_text = "Measure the price"

    def making(self) -> Iterator[None]:
        theme = self.theme
        self._hidden: set[str] = set()
        self.shown_choice = Segmented(
            theme,
            "Shown",
            [
                (PLOT, "plot", "Shares and distinct hashes against layers"),
                (BOUND, "bound", "The residual entropy bound"),
            ],
        )
        self.shown_choice.chosen.connect(self._lay_out)
        self.row = FlowRow([self.shown_choice])
        shares = Plot(theme)
        yield
        self.drawn = PricePlots(theme, shares)
        yield
        self.drawn.fill()
        yield
        self.table = FiguresTable(theme, "Residual entropy bound")
        self.chips = Chips(theme, "Identities")
        self.chips.toggled.connect(self._on_chip)
        self.caption = Caption()
        self._whole = ""
        self._column = FitColumn(
            [self.drawn, self.chips, self.table, self.caption], self.drawn, [self.caption, self.chips]
        )
        self.set_body(self._column)

    def pieces(self) -> Sequence[QWidget]:
        return (self.drawn.plot, self.drawn.hashes)

    # --- what is drawn -----------------------------------------------------------------------------------------

    def redraw(self) -> None:
        if self.frame is None:
            return
        self.drawn.show_frame(self.frame)
        self._list()
        self._fill_chips()
        self._say()
        self._lay_out()

    def _list(self) -> None:
        assert self.frame is not None
        arrays, rows = self.frame.arrays, []
        names = ("bound_d", "bound_n", "bound_cells", "bound_leak", "bound_left")
        for d, n, cells, leak, left in zip(*(arrays[name] for name in names), strict=True):
            mark = "warning" if left <= 0 else ""
            tip = "No secrecy is promised: the helper may say more than the hash holds" if left <= 0 else ""
            numbers = [f"{int(n):,}", f"{cells:.1f}", f"{leak:.0f}", f"{left:.1f}".replace("-", "−")]
            rows.append(
                [
                    Cell(f"{int(d):,}", tip),
                    *(Cell(number, tip, mark if k == 3 else "") for k, number in enumerate(numbers)),
                ]
            )
        self.table.show_rows(HEAD, rows)

    def _fill_chips(self) -> None:
        assert self.frame is not None
        info, theme = self.frame.info, self.theme
        entries = [
            Entry(f"series {s}", str(info["series"][s]), theme.palette[COLOURS[s]], self._tip(s))
            for s in range(len(COLOURS))
            if self.drawn.known(s)
        ]
        entries += [
            Entry("genuine", "genuine", theme.muted, "Another reading of the same identity"),
            Entry("impostor", "impostor", theme.muted, "Another identity (control)", "dot"),
        ]
        self.chips.set_entries(entries, [entry.key for entry in entries if entry.key not in self._hidden])
        self.drawn.hide_parts(self._hidden)

    def _tip(self, s: int) -> str:
        assert self.frame is not None
        info = self.frame.info
        return f"{info['series'][s]}: {info['counts'][s]:,} identities, {info['ratio']} candidates a row; genuine is {info['genuine'][s]}"

    def _say(self) -> None:
        assert self.frame is not None
        arrays, info = self.frame.arrays, self.frame.info
        depth = int(arrays["depth"][-1]) if len(arrays["depth"]) else 0
        words = [f"after {depth} layers"]
        for s, name in enumerate(("zero-mean", "uniform")):
            if self.drawn.known(s):
                left = int(arrays["distinct"][s, -1])
                words.append(f"{left:,} hash{'es' * (left != 1)} left ({name})")
        self.summary = " · ".join(words)
        without = "" if self.drawn.known(2) else " No network’s features were measured here."
        self._whole = (
            f"{PRICE} Measurement on a reconstruction: MaxLikelihood layers (N/n = {info['ratio']}) are our reading of the paper. "
            f"Bands: 95% Wilson intervals over {_counted(info['counts'])} identities. Dashed: limits of zero-mean identities "
            f"(theorem).{without}"
        )
        self._caption()
        self.said.emit()

    def _caption(self) -> None:
        self.caption.set_text(self._whole if self.height() >= LOW else BRIEF)

    def clear(self) -> None:
        super().clear()
        self.drawn.clear_curves()
        self.table.show_rows((), ())

    @Slot(str, bool)
    def _on_chip(self, key: str, on: bool) -> None:
        self._hidden.discard(key) if on else self._hidden.add(key)
        self._fill_chips()

    # --- layout, look and export -------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self.made:
            self._lay_out()

    @Slot()
    def _lay_out(self, *_: object) -> None:
        roomy = self.height() >= ROOMY
        self._caption()
        self.shown_choice.setVisible(not roomy)
        plots = roomy or self.shown_choice.key() == PLOT
        self.drawn.setVisible(plots)
        self._column.want(self.chips, plots)
        self._column.want(self.table, roomy or not plots)
        high = self.table.sizeHint().height()
        self.table.setMinimumHeight(min(high, 120) if roomy else 50)
        self.table.setMaximumHeight(high if roomy else 16_777_215)
        self.row.arrange()
        self._column.fit()

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        for each in (self.drawn, self.shown_choice, self.table, self.chips):
            each.set_theme(theme)
        self.redraw()

    def plots(self) -> Sequence[tuple[str, Any]]:
        return (("recovered", self.drawn.plot.getPlotItem()), ("distinct hashes", self.drawn.hashes.getPlotItem()))

    def csv_rows(self) -> Iterable[Sequence[Any]]:
        """One row a series and depth; then the residual entropy bound."""
        if self.frame is None:
            return
        a = self.frame.arrays
        names = (
            "genuine",
            "genuine_low",
            "genuine_high",
            "impostor",
            "impostor_low",
            "impostor_high",
            "distinct",
            "entropy",
        )
        yield ["series", "layers", *names]
        for s, series in enumerate(self.frame.info["series"]):
            if self.drawn.known(s):
                for at, depth in enumerate(a["depth"]):
                    yield [series, depth.item(), *(a[name][s, at].item() for name in names)]
        yield []
        yield ["features", "hash_bits", "log2_patterns", "leaked_bits", "bits_guaranteed_at_most"]
        for row in zip(*(a[f"bound_{name}"] for name in ("d", "n", "cells", "leak", "left")), strict=True):
            yield [value.item() for value in row]


def _counted(counts: Sequence[int]) -> str:
    """How many identities the series have: "200", or "30 to 200"."""
    known = sorted({count for count in counts if count})
    return f"{known[0]:,} to {known[-1]:,}" if len(known) > 1 else f"{known[0] if known else 0:,}"
