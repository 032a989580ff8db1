"""The lock: choose a class, a layer and an image to hide, press the button, and see what opens it and what does not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QLabel, QWidget

from gui.panels.labels import Caption
from gui.panels.page import Page
from gui.panels.reconcile.cases import Cases
from gui.panels.reconcile.key import KeyForm
from gui.panels.reconcile.words import BRIEF, FOOLING, HONEST, RAW, class_name, differences
from gui.plots.fit import FitColumn
from gui.theme import Theme

if TYPE_CHECKING:
    from engine.specs import ExperimentSpec

LEAST = 150  # pixels of height that the cases keep
LOW = 300  # pixels of height of the page below which the sentence is a shorter one
NARROW = 400  # pixels of width below which a high page has its choices above the cases
WAITING = (
    "Choose a class and an image, then press “Open the lock”. Pure noise is changed until the network is sure of the class, "
    "and is then fed to a lock that hides the image; beside it raw noise, a clean test image, and the lock of another class."
)


class LockPage(Page):
    """``edited(spec, field)`` is an edit of what is set; ``class_chosen`` a click on a case."""

    topic = "reconciliation"
    button_text = "Open the lock"

    edited = Signal(object, str)
    settings_requested = Signal()
    failed = Signal(str)
    class_chosen = Signal(int)

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self._experiment: ExperimentSpec | None = None
        self._known: tuple[Sequence[str], Sequence[Mapping[str, Any]]] = ((), ())
        self.key = KeyForm(theme)
        self.key.edited.connect(self.edited)
        self.key.asked.connect(self.requested)
        self.key.settings_asked.connect(self.settings_requested)
        self.key.failed.connect(self.failed)
        self.cases = Cases(theme)
        self.cases.chosen.connect(self._on_case)
        self.note = QLabel(wordWrap=True, visible=False)
        self.caption = Caption()
        self._column = FitColumn(
            [self.note, self.cases, self.caption], self.cases, [self.caption, self.note], least=LEAST
        )
        self._column.want(self.note, False)
        body = QWidget()
        self._halves = QBoxLayout(QBoxLayout.Direction.LeftToRight, body)
        self._halves.setContentsMargins(0, 2, 0, 0)
        self._halves.setSpacing(14)
        self._halves.addWidget(self.key)
        self._halves.addWidget(self._column, 1)
        self.set_body(body)
        self._stack.setCurrentIndex(1)  # there is something to choose before there is anything to see
        self.clear()

    # --- settings ----------------------------------------------------------------------------------------------

    def set_experiment(self, spec: ExperimentSpec) -> None:
        """The settings as they stand."""
        self._experiment = spec
        self.key.set_spec(spec.reconcile)
        self._compare()

    def set_known(self, classes: Sequence[str], taps: Sequence[Mapping[str, Any]]) -> None:
        """Classes and taps of the data and the network at hand, as far as they are known."""
        self._known = classes, taps
        self._offer()

    def _offer(self) -> None:
        """Offer the classes and layers at hand; where none are known, those of what is shown."""
        shown = self.frame.info if self.frame is not None else {}
        classes, taps = self._known
        self.key.set_known(classes or shown.get("classes", ()), taps or shown.get("taps", ()))

    # --- frames ------------------------------------------------------------------------------------------------

    def redraw(self) -> None:
        frame = self.frame
        if frame is None:
            return
        self._offer()
        busy = "The noise is being made, and every layer hashed…"
        self.cases.show_frame(frame, busy if not frame.info["done"] else "No case was recorded.")
        chosen = frame.info["chosen"]
        name = class_name(frame, int(chosen["class"]))
        self._caption()
        words = [f"class {name} at {chosen['layer']}, r = {frame.info['repetition']}"]
        for kind, what in ((FOOLING, "fooling noise"), (RAW, "raw noise")):
            if kind < self.cases.count:
                words.append(
                    f"{what} {'opens the lock' if self.cases.told.image(kind) is not None else 'stays locked'}"
                )
        self.summary = " · ".join(words)
        self._compare()
        self.said.emit()

    def clear(self) -> None:
        self.frame, self.summary = None, ""
        self._offer()
        self.key.forget_entry()
        self.key.set_sample(None)
        self.cases.show_frame(None, WAITING)
        self._caption()
        self._compare()

    def _caption(self) -> None:
        frame = self.frame
        name = "k" if frame is None else class_name(frame, int(frame.info["chosen"]["class"]))
        self.caption.set_text((HONEST if self.height() >= LOW else BRIEF).format(name=name))

    def _compare(self) -> None:
        """Say where what is shown was made with other settings than those that stand now."""
        frame, spec = self.frame, self._experiment
        found = differences(frame, spec) if frame is not None and spec is not None else []
        same_class = (
            frame is not None and spec is not None and frame.info["chosen"]["class"] == spec.reconcile.chosen_class
        )
        given = frame is not None and bool(frame.info.get("message_given"))
        self.key.set_sample(frame.arrays.get("message") if frame is not None and same_class and not given else None)
        rest = " Press “Open the lock” to see yours." if self.height() >= LOW else ""
        self.note.setText(f"Made with other settings: {', '.join(found)}.{rest}" if found else "")
        self.note.setStyleSheet(
            f"color: {self.theme.warning}; font-size: {self.theme.small}px; background: transparent;"
        )
        self._column.want(self.note, bool(found))
        self._column.fit()

    @property
    def stale(self) -> bool:
        """Whether what is shown was made with other settings."""
        return bool(self.note.text())

    @Slot(int)
    def _on_case(self, case: int) -> None:
        seen = int(self.frame.info["cases"][case]["seen"]) if self.frame is not None else -1
        if seen >= 0:  # else there was no such input
            self.class_chosen.emit(seen)

    # --- look and export ---------------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        above = self.width() < NARROW and self.height() > self.width()
        way = QBoxLayout.Direction.TopToBottom if above else QBoxLayout.Direction.LeftToRight
        if self._halves.direction() != way:
            self._halves.setDirection(way)
            self.key.set_upright(not above)
        self._caption()
        self._compare()

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self.key.set_theme(theme)
        self.cases.set_theme(theme)
        self._compare()

    def plots(self) -> Sequence[tuple[str, Any]]:
        return self.cases.plots()

    def csv_rows(self) -> Iterable[Sequence[Any]]:
        return self.cases.csv_rows()
