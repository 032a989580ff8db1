"""Signs that gradients mislead, a card each: what was measured, what it says, and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from gui.panels.robustness.page import Page
from gui.theme import Theme, mix

WIDE = 620  # pixels of width from which cards stand in two columns
MARKS = {True: "▲", False: "●", None: "○"}
WORDS = {True: "raised", False: "not raised", None: "not looked for"}
NOTE = "A sign that stays down is no proof of robustness: only of what was looked for."


class SignsPage(Page):
    """Those that are raised come first; of several networks each has a heading."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self.cards: list[SignCard] = []
        self._headings: list[QLabel] = []
        self._told: list[tuple[str, Any]] = []
        self._columns = 1

    def making(self) -> Iterator[None]:
        self._inside = QWidget(objectName="scrolled")
        self._grid = QGridLayout(self._inside)
        self._grid.setContentsMargins(0, 0, 6, 0)
        self._grid.setSpacing(6)
        self.waiting = QLabel("Once all attacks are through, signs of masked gradients are looked for.")
        self.waiting.setProperty("role", "muted")
        self.waiting.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.waiting.setWordWrap(True)
        self.note = QLabel(NOTE, wordWrap=True)
        self.note.setProperty("role", "small")
        self.area = QScrollArea(widgetResizable=True, horizontalScrollBarPolicy=Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setAccessibleName("Signs of masked gradients")
        self.area.setMinimumSize(60, 50)
        self.area.setWidget(self._inside)
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        column.addWidget(self.waiting, 1)
        column.addWidget(self.area, 1)
        column.addWidget(self.note)
        self.set_body(body)
        self._dress()
        yield

    def pieces(self) -> Sequence[QWidget]:
        return ()

    def clear(self) -> None:
        super().clear()
        self._told = []
        self._fill([])

    def redraw(self) -> None:
        if self.frame is None:
            return
        told = [(self.label(m), self.frame.info["signs"][m]) for m in self.shown if self.frame.info["signs"][m]]
        if told != self._told:
            self._told = told
            self._fill(told)
        self.waiting.setVisible(not told)
        self.area.setVisible(bool(told))
        raised = [sum(bool(sign["raised"]) for sign in signs) for _, signs in told]
        if not told:
            self.summary = "signs: once all attacks are through"
        elif len(told) == 1:
            self.summary = f"{told[0][0]} · {_count(raised[0])}"
        else:
            self.summary = " · ".join(f"{label}: {k}" for (label, _), k in zip(told, raised, strict=True)) + " raised"
        self.said.emit()

    def _fill(self, told: Sequence[tuple[str, Sequence[Mapping[str, Any]]]]) -> None:
        for widget in (*self.cards, *self._headings):
            self._grid.removeWidget(widget)
            widget.hide()
            widget.deleteLater()
        self.cards, self._headings = [], []
        for label, signs in told:
            if len(told) > 1:
                raised = sum(bool(sign["raised"]) for sign in signs)
                heading = QLabel(f"{label}: {_count(raised)}")
                heading.setProperty("role", "title")
                self._headings.append(heading)
            chosen = [sign for sign in signs if sign["raised"]] if len(told) > 1 else signs
            for sign in sorted(chosen, key=lambda sign: (not sign["raised"], sign["raised"] is None)):
                self.cards.append(SignCard(label, sign))
        self._lay_out()

    def _lay_out(self) -> None:
        row = 0
        headings = {heading.text().split(":")[0]: heading for heading in self._headings}
        for label, _ in self._told:
            if label in headings:
                self._grid.addWidget(headings[label], row, 0, 1, self._columns)
                row += 1
            mine = [card for card in self.cards if card.network == label]
            for k, card in enumerate(mine):
                self._grid.addWidget(card, row + k // self._columns, k % self._columns)
            row += -(-len(mine) // self._columns)
        for k in range(self._grid.rowCount() + 1):
            self._grid.setRowStretch(k, 0)
        self._grid.setRowStretch(row, 1)
        for k in range(2):
            self._grid.setColumnStretch(k, 1 if k < self._columns else 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        columns = 2 if self.width() >= WIDE else 1
        if self.made and columns != self._columns:
            self._columns = columns
            self._lay_out()

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self._dress()

    def _dress(self) -> None:
        """One style sheet for all cards: one each would cost a hundredth of a second."""
        theme = self.theme
        small = f"font-size: {theme.small}px; background: transparent;"
        raised = mix(theme.surface, theme.warning, 0.08)
        self._inside.setStyleSheet(
            f"QFrame#sign {{ border: 1px solid {theme.line}; border-radius: {theme.radius}px; background: transparent; }}"
            f'QFrame#sign[raised="1"] {{ border-color: {theme.warning}; background: {raised}; }}'
            f"QFrame#sign QLabel {{ color: {theme.text}; {small} }}"
            f'QFrame#sign QLabel[part="title"] {{ font-weight: 600; font-size: {theme.base}px; }}'
            f'QFrame#sign QLabel[part="muted"] {{ color: {theme.muted}; }}'
            f'QFrame#sign QLabel[part="1"] {{ color: {theme.warning}; }}'
            f'QFrame#sign QLabel[part="0"] {{ color: {theme.success}; }}'
        )

    def csv_rows(self) -> Iterable[Sequence[Any]]:
        """One row a sign."""
        if not self._told:
            return
        yield ["network", "sign", "raised", "figure", "said", "reason", "advice"]
        for label, signs in self._told:
            for sign in signs:
                raised = "" if sign["raised"] is None else int(sign["raised"])
                figure = "" if sign["figure"] is None else sign["figure"]
                yield [label, sign["name"], raised, figure, sign["said"], sign["reason"], sign["advice"]]


class SignCard(QFrame):
    """One sign: its mark, its name and figure; why; and where it is raised what to do."""

    def __init__(self, network: str, sign: Mapping[str, Any]) -> None:
        super().__init__(objectName="sign")
        self.network, self.sign = network, dict(sign)
        self.raised: bool | None = sign["raised"]
        self.setProperty("raised", "1" if self.raised else "0")
        mark = {True: "1", False: "0", None: "muted"}[self.raised]
        self.mark, self.title = _part(MARKS[self.raised], mark), _part(str(sign["title"]), "title")
        self.figure = _part(str(sign["said"]), "" if self.raised else "muted")
        self.figure.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.reason, self.advice = _part(str(sign["reason"]), ""), _part(str(sign["advice"]), "muted")
        self.advice.setVisible(self.raised is not False and bool(sign["advice"]))
        head = QHBoxLayout()
        head.setSpacing(6)
        head.addWidget(self.mark, 0, Qt.AlignmentFlag.AlignTop)
        head.addWidget(self.title, 3)
        head.addWidget(self.figure, 2, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 6, 8, 7)
        column.setSpacing(3)
        column.addLayout(head)
        column.addWidget(self.reason)
        column.addWidget(self.advice)
        column.addStretch(1)
        self.setAccessibleName(f"{network}, {sign['title']}: {WORDS[self.raised]}. {sign['reason']}")


def _part(text: str, part: str) -> QLabel:
    label = QLabel(text, wordWrap=True)
    label.setProperty("part", part)
    return label


def _count(raised: int) -> str:
    return f"{raised} sign{'s' if raised != 1 else ''} raised" if raised else "no sign raised"
