"""Each claim of the paper's versions, what tests it here, and its verdict as measured: never one without its runs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor, QFontMetrics, QGuiApplication, QHelpEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QToolTip,
    QVBoxLayout,
    QWidget,
)

from engine.experiments.claims import CLAIMS, Claim, Number, Verdict, missing, stale, verdict
from gui.jobs import TITLES, JobView
from gui.panels.base import Panel
from gui.panels.claims_progress import MissingRuns, job_says
from gui.panels.labels import Caption
from gui.plots.plot import pen
from gui.selection import Selection
from gui.theme import Theme, mix

if TYPE_CHECKING:
    from engine.events import Frame

HOLDS, PART, AGAINST = "holds", "holds in part", "not supported"
UNDECIDED = "undecided"
NOT_RUN, MEASURING, LATER = "not run", "being measured", "not yet testable here"
WAITING = "waits its turn"
DIFFER = "settings differ"
COLOURS = {HOLDS: "green", PART: "orange", AGAINST: "vermillion"}
HEADER = (
    "Verdicts are read off the runs of this session's network, data and attack; each can change with them. "
    "Bars are 95% intervals, a hollow point has none."
)
GUTTER = 148  # pixels of the column with version and verdict
ANY_WIDTH = 16_777_215  # Qt's own bound
LEAST_SCALED = 340  # pixels of width below which numbers stand without a scale
NARROW = 480  # pixels of width below which that column stands above the claim
MOST_NAME = 380  # pixels of the name of a number: the scales of all claims stand below each other
WIDEST = "−0.00 [−0.00, −0.00]"
ANYWHERE = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter


class ClaimsPanel(Panel):
    """One card a claim. ``run_requested(experiment)`` asks for the first run that a claim's verdict still needs,
    ``run_all_requested(experiments)`` for every run that any claim still needs, ``stop_requested()`` for their end."""

    key = "claims"
    title = "Claims"
    topics = tuple(dict.fromkeys(name for claim in CLAIMS for name in claim.tested_by))
    empty_text = "No claim has been tested at this moment. Press Run beside one."

    run_requested = Signal(str)
    run_all_requested = Signal(object)  # tuple[str, ...]
    stop_requested = Signal()

    def __init__(self, selection: Selection, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(selection, theme, parent)
        self._frames: dict[str, Frame] = {}
        first = self.export_menu.actions()[0]
        copy_text = self.export_menu.addAction("Copy as text")
        copy_text.triggered.connect(self.copy_text)
        self.export_menu.insertAction(first, copy_text)
        self.heading = Caption()
        self.heading.set_text(HEADER)
        self.note = QLabel(wordWrap=True)  # why there is nothing at a moment of the past
        self.note.setProperty("role", "muted")
        self.note.hide()
        self.cards = {claim.key: ClaimCard(claim, theme) for claim in CLAIMS}
        inside = QWidget(objectName="scrolled")
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 8, 0)
        column.setSpacing(0)
        self.runs = MissingRuns()
        self.runs.run_requested.connect(self.run_all_requested)
        self.runs.stop_requested.connect(self.stop_requested)
        column.addWidget(self.heading)
        column.addSpacing(3)
        column.addWidget(self.runs)
        column.addSpacing(5)
        column.addWidget(self.note)
        for card in self.cards.values():
            card.run_requested.connect(self.run_requested)
            column.addWidget(card)
        column.addStretch(1)
        self.area = QScrollArea(widgetResizable=True, horizontalScrollBarPolicy=Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setAccessibleName("Claims and their verdicts")
        self.area.setMinimumSize(60, 50)
        self.area.setWidget(inside)
        self.set_body(self.area)
        self._judge(self.topics)
        self.show_content()

    # --- frames ------------------------------------------------------------------------------------------------

    def show_frame(self, frame: Frame) -> None:
        self._frames.pop(frame.topic, None)  # the newest comes last: the settings of its run are those that count
        self._frames[frame.topic] = frame
        self.note.hide()
        self._judge((frame.topic,))

    def clear(self) -> None:
        """Without its runs no claim has a verdict; the claims themselves stay."""
        self._frames = {}
        super().clear()
        self._judge(self.topics)

    def show_empty(self, text: str | None = None) -> None:
        """The board is never empty; what is said of a moment without runs stands above the claims."""
        self.note.setText(text or "")
        self.note.setVisible(bool(text))
        self.show_content()

    def set_jobs(self, jobs: Mapping[str, JobView]) -> None:
        """The jobs that run or wait, by experiment: each card says how far those are that it needs."""
        self.runs.set_jobs(jobs)
        for card in self.cards.values():
            card.set_jobs(jobs)

    def verdicts(self) -> dict[str, Verdict | None]:
        """The verdict of each claim by its key, None while a run is missing."""
        return {key: card.verdict for key, card in self.cards.items()}

    def _judge(self, topics: Sequence[str]) -> None:
        for card in self.cards.values():
            if set(topics) & set(card.claim.tested_by):
                card.show_frames(self._frames)
        left = (name for card in self.cards.values() for name in card.left)
        self.runs.set_missing(tuple(dict.fromkeys(left)))
        self._say()

    def _say(self) -> None:
        words = [found.word for found in self.verdicts().values() if found is not None]
        testable = sum(1 for claim in CLAIMS if claim.tested_by)
        counts = [f"{words.count(word)} {word}" for word in (*COLOURS, UNDECIDED) if word in words]
        judged = sum(word in COLOURS for word in words)
        self.set_subtitle(" · ".join([f"{judged} of {testable} testable claims judged", *counts]))

    # --- look and export ---------------------------------------------------------------------------------------

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        for card in self.cards.values():
            card.set_theme(theme)

    @Slot()
    def copy_text(self) -> None:
        """Put the whole board on the clipboard, as text to be read."""
        QGuiApplication.clipboard().setText(self.text())
        self.exported.emit(f"{self.title}: text copied.")

    def text(self) -> str:
        """The whole board as text."""
        parts = [HEADER]
        for card in self.cards.values():
            claim, found = card.claim, card.verdict
            lines = [f"[{claim.versions}] {claim.text}", f"  {card.state.upper()}"]
            if found is not None:
                lines[-1] += f". {found.sentence}"
                lines += [f"  - {number.label}: {value_text(number)}" for number in found.numbers]
                lines += [f"  Decides: {found.control}."] if found.control else []
            if card.left:
                lines.append(f"  {card.needs.full_text}")
            lines.append(f"  {'Test' if claim.tested_by else 'Why'}: {claim.how}")
            parts.append("\n".join(lines))
        return "\n\n".join(parts)

    def csv_rows(self) -> Iterable[Sequence[Any]]:
        """One row a number; one row without a number for a claim that has no verdict."""
        yield ["claim", "versions", "text", "state", "sentence", "control", "missing", "number", "value", "low", "high"]
        for card in self.cards.values():
            claim, found = card.claim, card.verdict
            head = [claim.key, claim.versions, claim.text, card.state]
            says = [found.sentence, found.control] if found is not None else ["", ""]
            rest = [" ".join(card.left)]
            for number in found.numbers if found is not None else ():
                ends = ["" if math.isnan(v) else v for v in (number.value, number.low, number.high)]
                yield [*head, *says, *rest, number.label, *ends]
            if found is None or not found.numbers:
                yield [*head, *says, *rest, "", "", "", ""]


class ClaimCard(QFrame):
    """A claim in words, its test, its verdict and its numbers."""

    run_requested = Signal(str)

    def __init__(self, claim: Claim, theme: Theme) -> None:
        super().__init__()
        self.claim = claim
        self.verdict: Verdict | None = None
        self.left: tuple[str, ...] = claim.tested_by
        self.old: tuple[str, ...] = ()
        self._frames: Mapping[str, Frame] = {}
        self._jobs: Mapping[str, JobView] = {}
        self.versions = QLabel(claim.versions)
        self.versions.setWordWrap(True)
        self.versions.setProperty("role", "small")
        self.chip = VerdictChip(theme)
        self.title = QLabel(claim.text, wordWrap=True)
        self.title.setProperty("role", "title")
        self.button = QPushButton("Run")
        self.button.setProperty("role", "link")
        self.button.clicked.connect(self._on_run)
        self.button.setVisible(bool(claim.tested_by))
        self.sentence = QLabel(wordWrap=True)
        self.forest = Forest(theme)
        self.control, self.how, self.needs = Caption(), Caption(), Caption()
        self.how.set_text(f"Test: {claim.how}" if claim.tested_by else claim.how)

        self._gutter = QWidget()
        self._gutter.setFixedWidth(GUTTER)
        gutter = QVBoxLayout(self._gutter)
        gutter.setContentsMargins(0, 2, 0, 0)
        gutter.setSpacing(4)
        gutter.addWidget(self.chip, 0, Qt.AlignmentFlag.AlignLeft)
        gutter.addWidget(self.versions)
        gutter.addStretch(1)
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self.title, 1)
        head.addWidget(self.button, 0, Qt.AlignmentFlag.AlignTop)
        says = QVBoxLayout()
        says.setContentsMargins(0, 0, 0, 0)
        says.setSpacing(4)
        says.addLayout(head)
        for widget in (self.sentence, self.forest, self.control, self.how, self.needs):
            says.addWidget(widget)
        says.addStretch(1)
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._row.setContentsMargins(0, 8, 0, 9)
        self._row.setSpacing(10)
        self._row.addWidget(self._gutter)
        self._row.addLayout(says, 1)
        rule = QFrame(objectName="rule")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(rule)
        column.addLayout(self._row)
        self.setAccessibleName(f"Claim: {claim.text}")
        self.state = ""
        self.set_theme(theme)
        self.show_frames({})

    def show_frames(self, frames: Mapping[str, Frame]) -> None:
        """Judge anew from the frames at hand, by topic."""
        self._frames = frames
        claim = self.claim
        self.verdict = found = verdict(claim, frames)
        self.left, self.old = missing(claim, frames), stale(claim, frames)
        self._show_state()
        self.chip.setToolTip(found.sentence if found is not None else "")
        _write(self.sentence, found.sentence if found is not None else "")
        self.forest.set_numbers(found.numbers if found is not None else ())
        _write(self.control, f"Decides: {found.control}." if found is not None and found.control else "")
        _write(self.needs, self._needs())
        self._label_button()

    def set_jobs(self, jobs: Mapping[str, JobView]) -> None:
        """The jobs that run or wait, by experiment."""
        mine = {name: jobs[name] for name in self.left if name in jobs}
        if mine != self._jobs:
            self._jobs = mine
            self._show_state()
            _write(self.needs, self._needs())

    def _show_state(self) -> None:
        started = [name in self._frames and not self._frames[name].info.get("done", True) for name in self.left]
        states = [self._jobs[name].state for name in self.left if name in self._jobs]
        if not self.claim.tested_by:
            state: str = LATER
        elif self.verdict is not None:
            state = self.verdict.word
        elif any(started) or any(each != "waiting" for each in states):
            state = MEASURING
        elif states:
            state = WAITING
        else:
            state = DIFFER if self.old else NOT_RUN
        self.state = state
        self.chip.set_word(state)

    def _needs(self) -> str:
        if not self.left:
            return ""
        done = [name for name in self.claim.tested_by if name not in self.left]
        parts = [f"there is {named(done)}"] if done else []
        under_way = [self._jobs[name] for name in self.left if name in self._jobs]
        never = [name for name in self.left if name not in self.old and name not in self._jobs]
        again = [name for name in self.old if name not in self._jobs]
        parts += [job_says(job) for job in under_way]
        parts += [f"still to run: {named(never)}"] if never else []
        parts += [f"run with other settings, to be run again: {named(again)}"] if again else []
        text = ", ".join(parts)
        return text[0].upper() + text[1:] + "."

    @property
    def next_run(self) -> str:
        """The experiment that the button asks for."""
        return (self.left or self.claim.tested_by or ("",))[0]

    def _label_button(self) -> None:
        text = "Run" if self.left else "Run again"
        title = named((self.next_run,)) if self.next_run else ""
        self.button.setText(text)
        self.button.setToolTip(f"{text}: {title}")
        self.button.setAccessibleName(f"{text}: {title}, for “{self.claim.text}”")

    @Slot()
    def _on_run(self) -> None:
        self.run_requested.emit(self.next_run)

    def set_theme(self, theme: Theme) -> None:
        self.chip.set_theme(theme)
        self.forest.set_theme(theme)
        later = not self.claim.tested_by
        # greyed: it can be read, and is seen to be out of reach
        self.title.setStyleSheet(f"color: {theme.muted}; font-weight: 500;" if later else "")
        self.how.setStyleSheet(f"color: {theme.faint};" if later else "")

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        narrow = self.width() < NARROW
        way = QBoxLayout.Direction.TopToBottom if narrow else QBoxLayout.Direction.LeftToRight
        if self._row.direction() != way:
            self._row.setDirection(way)
            self._row.setSpacing(3 if narrow else 10)
            self._gutter.setMinimumWidth(0 if narrow else GUTTER)
            self._gutter.setMaximumWidth(ANY_WIDTH if narrow else GUTTER)


class VerdictChip(QWidget):
    """A verdict as a word with a mark: a full disc, a half one, a struck ring. Whoever sees no colour reads it as well."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.word = ""
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def set_word(self, word: str) -> None:
        if word != self.word:
            self.word = word
            self.setAccessibleName(f"Verdict: {word}")
            self.updateGeometry()
            self.update()

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.updateGeometry()
        self.update()

    @property
    def colour(self) -> str:
        """The colour of the mark; grey where there is no verdict."""
        return self.theme.palette[COLOURS[self.word]] if self.word in COLOURS else self.theme.faint

    def sizeHint(self) -> QSize:
        metrics = QFontMetrics(self.theme.font(self.theme.small, bold=self.word in COLOURS))
        return QSize(metrics.horizontalAdvance(self.word) + (29 if self._marked else 16), metrics.height() + 6)

    @property
    def _marked(self) -> bool:
        return self.word != LATER

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme, judged = self.theme, self.word in COLOURS
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.setPen(pen(self.colour if judged else theme.line_strong, 1, dash=not judged))
        painter.setBrush(QColor(mix(theme.surface, self.colour, 0.16)) if judged else Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(box, box.height() / 2, box.height() / 2)
        if self._marked:
            self._paint_mark(painter, QPointF(12.5, box.center().y()), 4.0)
        left = 22 if self._marked else 8
        painter.setFont(theme.font(theme.small, bold=judged))
        painter.setPen(QColor(theme.text if judged else theme.muted))
        painter.drawText(QRect(left, 0, self.width() - left, self.height()), ANYWHERE, self.word)

    def _paint_mark(self, painter: QPainter, at: QPointF, radius: float) -> None:
        ring = QRectF(at.x() - radius, at.y() - radius, 2 * radius, 2 * radius)
        painter.setPen(pen(self.colour, 1.4))
        painter.setBrush(QColor(self.colour) if self.word == HOLDS else Qt.BrushStyle.NoBrush)
        painter.drawEllipse(ring)
        if self.word == PART:
            painter.setBrush(QColor(self.colour))
            painter.drawPie(ring, 90 * 16, 180 * 16)
        elif self.word == AGAINST:
            reach = radius * 0.72
            painter.drawLine(at + QPointF(-reach, reach), at + QPointF(reach, -reach))
        elif self.word == MEASURING:
            painter.drawPoint(at)


@dataclass(frozen=True)
class _Line:
    number: Number
    top: int
    height: int


class Forest(QWidget):
    """Numbers with their intervals, one a line: its name, a point with a bar on a common scale, and its value."""

    GAP = 12

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.numbers: tuple[Number, ...] = ()
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.hide()

    def set_numbers(self, numbers: Sequence[Number]) -> None:
        """What to draw; nothing hides it."""
        if tuple(numbers) != self.numbers:
            self.numbers = tuple(numbers)
            self.setAccessibleName("; ".join(f"{n.label}: {value_text(n)}" for n in numbers))
            self.updateGeometry()
            self.update()
        self.setVisible(bool(numbers))

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.updateGeometry()
        self.update()

    @property
    def reach(self) -> float:
        """The scale runs from minus this to this: 1 for correlations."""
        ends = [abs(v) for n in self.numbers for v in (n.value, n.low, n.high) if math.isfinite(v)]
        return float(math.ceil(max([1.0, *ends]) - 1e-6))

    # --- layout ------------------------------------------------------------------------------------------------

    def _columns(self, width: int) -> tuple[int, int, int]:
        """Widths of names, scale and values."""
        metrics = QFontMetrics(self.theme.font(self.theme.small))
        values = metrics.horizontalAdvance(WIDEST) + 2
        scale = min(240, max(60, round(width * 0.27))) if width >= LEAST_SCALED else 0
        return min(MOST_NAME, max(60, width - scale - values - 2 * self.GAP)), scale, values

    def _lines(self, width: int) -> list[_Line]:
        metrics = QFontMetrics(self.theme.font(self.theme.small))
        names, _, _ = self._columns(width)
        found, top = [], 0
        for number in self.numbers:
            room = metrics.boundingRect(QRect(0, 0, names, 1000), Qt.TextFlag.TextWordWrap, number.label)
            height = max(room.height(), metrics.height()) + 3
            found.append(_Line(number, top, height))
            top += height
        return found

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        lines = self._lines(width)
        return (lines[-1].top + lines[-1].height if lines else 0) + QFontMetrics(
            self.theme.font(self.theme.small)
        ).height()

    def sizeHint(self) -> QSize:
        return QSize(300, self.heightForWidth(max(self.width(), 200)))

    def minimumSizeHint(self) -> QSize:
        return QSize(120, 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        wanted = self.heightForWidth(self.width())
        if wanted != self.minimumHeight():
            self.setFixedHeight(wanted)

    # --- drawing -----------------------------------------------------------------------------------------------

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme = self.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        font = theme.font(theme.small)
        painter.setFont(font)
        metrics = QFontMetrics(font)
        names, scale, values = self._columns(self.width())
        reach, lines = self.reach, self._lines(self.width())
        if not lines:
            return
        left = names + self.GAP

        def across(value: float) -> float:
            return left + 5 + (value + reach) / (2 * reach) * (scale - 10)

        bottom = lines[-1].top + lines[-1].height
        for tick in (-reach, 0.0, reach) if scale else ():
            painter.setPen(pen(theme.line_strong if tick == 0 else theme.grid, 1))
            painter.drawLine(QPointF(across(tick), 0), QPointF(across(tick), bottom))
            painter.setPen(QColor(theme.muted))
            where = QRectF(across(tick) - 15, bottom, 30, metrics.height())
            painter.drawText(where, Qt.AlignmentFlag.AlignCenter, f"{tick:g}".replace("-", "−"))
        first = True
        for line in lines:
            number, middle = line.number, line.top + (metrics.height() + 1) / 2
            painter.setPen(QColor(theme.text if first else theme.muted))
            painter.drawText(QRect(0, line.top, names, line.height), Qt.TextFlag.TextWordWrap, number.label)
            where = QRect(left + scale + self.GAP, line.top, values, metrics.height())
            painter.drawText(where, ANYWHERE, value_text(number))
            colour = theme.accent if first else theme.muted
            first = False
            if not scale or not math.isfinite(number.value):
                continue
            bounded = math.isfinite(number.low) and math.isfinite(number.high)
            painter.setPen(pen(colour, 1.6))
            if bounded:
                painter.drawLine(QPointF(across(number.low), middle), QPointF(across(number.high), middle))
                wide = across(number.high) - across(number.low) > 9  # shorter ones are all point
                for end in (number.low, number.high) if wide else ():
                    painter.drawLine(QPointF(across(end), middle - 3), QPointF(across(end), middle + 3))
            painter.setBrush(QColor(colour if bounded else theme.surface))
            painter.drawEllipse(QPointF(across(number.value), middle), 2.8, 2.8)

    def describe(self, y: int) -> str:
        """What the tip says at a height."""
        for line in self._lines(self.width()):
            if line.top <= y < line.top + line.height:
                number = line.number
                what = "95% interval" if math.isfinite(number.low) else "no interval"
                return f"{number.label}\n{value_text(number, 4)} ({what})"
        return ""

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            QToolTip.showText(event.globalPos(), self.describe(event.pos().y()), self)
            return True
        return super().event(event)


def value_text(number: Number, places: int = 2) -> str:
    """A number with its interval, as "0.57 [0.54, 0.60]"."""

    def say(value: float) -> str:
        return f"{value:.{places}f}".replace("-", "−")

    if not math.isfinite(number.value):
        return "undefined"
    if not (math.isfinite(number.low) and math.isfinite(number.high)):
        return say(number.value)
    return f"{say(number.value)} [{say(number.low)}, {say(number.high)}]"


def named(experiments: Sequence[str]) -> str:
    """Experiments as a person knows them."""
    return " and ".join(TITLES.get(name, name) for name in experiments)


def _write(label: QLabel, text: str) -> None:
    if text != label.text():
        label.setText(text)
    label.setVisible(bool(text))
