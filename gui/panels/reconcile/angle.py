"""Success against the angle, which is a law of the code alone, and against added noise, which is one of the network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QWidget

from gui.panels.labels import Caption
from gui.panels.pieces import PiecewisePage
from gui.panels.reconcile.curve import SuccessCurve
from gui.panels.reconcile.robust import Robustness
from gui.plots.beside import Beside, Titled
from gui.plots.fit import FitColumn
from gui.theme import Theme

if TYPE_CHECKING:
    from engine.events import Frame

REPETITIONS = 6  # curves that there are for most codes
CURVE, NETWORK = "reconciliation_curve", "reconciliation"


class AnglePage(PiecewisePage):
    """Two plots, of two topics; either may be missing and then says so in its title."""

    topic = CURVE
    empty_text = (
        "Not measured yet. How far may a feature turn from the reference before the lock stays shut? Simulated messages beside "
        "the binomial law and Shannon’s limit; and how much noise may be added to an input."
    )
    button_text = "Open the lock"

    def making(self) -> Iterator[None]:
        theme = self.theme
        self.network: Frame | None = None
        self.curve = SuccessCurve(theme)
        yield
        self.curve.make_room(REPETITIONS)
        yield
        self.robust = Robustness(theme)
        yield
        self._titles = Titled("", self.curve), Titled("", self.robust)
        self.caption = Caption()
        drawn = Beside(self._titles, [56, 44])
        self._column = FitColumn(
            [drawn, self.curve.chips, self.robust.chips, self.caption],
            drawn,
            [self.caption, self.robust.chips, self.curve.chips],
        )
        self.set_body(self._column)

    def pieces(self) -> Sequence[QWidget]:
        return (self.curve, self.robust)

    def show_frame(self, frame: Frame) -> None:
        if frame.topic == CURVE:
            self.frame = frame
        else:
            self.network = frame
        self.redraw()
        self._stack.setCurrentIndex(1)

    def clear(self) -> None:
        super().clear()
        self.network = None
        self.curve.clear_curves()
        self.robust.clear_curves()

    @property
    def has_frame(self) -> bool:
        """Whether either of the two is there."""
        return self.frame is not None or self.network is not None

    def redraw(self) -> None:
        self.curve.show_own(int(self.network.info["repetition"]) if self.network is not None else None)
        says = []
        if self.frame is not None:
            self.curve.show_frame(self.frame)
            info = self.frame.info
            code = info["code"]
            self._titles[0].title.set_text(f"success against angle, BCH({code['n']}, {code['k']}, t = {code['t']})")
            within = "They agree" if info["agree"] <= 3 else "They do not all agree within 3 standard errors"
            says.append(
                f"Points: {info['decodings']:,} simulated messages each, with 95% intervals; lines: the binomial law. {within}: "
                f"largest |z| = {info['agree']:.1f}. Dashed: Shannon’s limit of each rate (theorem); at 90° no code passes."
            )
            self.summary = f"decoder and law: largest |z| = {info['agree']:.1f}"
        else:
            self._titles[0].title.set_text("success against angle: not measured yet")
            self.summary = ""
        if self.network is not None and len(self.network.arrays.get("robust_norm", ())):
            self.robust.show_frame(self.network)
            chosen = self.network.info["chosen"]
            where = f"{chosen['layer']}, r = {self.network.info['repetition']}"
            self._titles[1].title.set_text(f"added noise, at {where}")
            says.append(f"Right, with 95% bands at {where}; dashed: the law at the angles measured.")
        else:
            self.robust.clear_curves()
            self._titles[1].title.set_text("added noise: not measured yet")
        self.caption.set_text(" ".join(says))
        self._column.fit()
        self.said.emit()

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self.curve.set_theme(theme)
        self.robust.set_theme(theme)
        if self.has_frame:
            self.redraw()

    def plots(self) -> Sequence[tuple[str, Any]]:
        return (("success against angle", self.curve.getPlotItem()), ("added noise", self.robust.getPlotItem()))

    def csv_rows(self) -> Iterable[Sequence[Any]]:
        yield from self.curve.csv_rows()
        if self.frame is not None and self.network is not None:
            yield []
        yield from self.robust.csv_rows()
