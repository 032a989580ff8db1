"""The axes of a sweep: which fields vary, and over what, typed as a person would say it and said back in words."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, partial
from typing import Any

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QToolButton, QVBoxLayout, QWidget

from engine.errors import SpecError
from engine.specs import AxisSpec, ExperimentSpec, Parameter, SweepSpec, parameters
from engine.sweep.axes import PARTS as SWEPT
from engine.sweep.axes import axis_text, check, parse_axis, sweepable
from engine.sweep.impossible import impossible
from gui.forms.axis_words import meaning, refusal, suggested
from gui.forms.fields import LineField
from gui.forms.finder import Entry, Finder, model_of
from gui.forms.names import pretty
from gui.icons import icon
from gui.theme import Theme

MOST_AXES = 16
NONE_TEXT = "Nothing varies yet. Choose a field, as the width of the network, and the values it takes."
HINT = "16, 32, 64   or   1 .. 8 : 8   or   1e-4 .. 1e-1 : 4 log"


@lru_cache
def fields() -> dict[str, tuple[Parameter, str]]:
    """Every field that can be swept, with what is known of it and its part, in the order of the parts."""
    return {field: (parameter, part) for field, parameter, part in sweepable()}


def _of_variants(spec: ExperimentSpec) -> dict[str, Parameter]:
    """The fields that the variants of an experiment have, with their ranges."""
    found = {f"{part}.{each.name}": each for part in SWEPT for each in parameters(type(getattr(spec, part)))}
    return {**found, "seed": next(each for each in parameters(ExperimentSpec) if each.name == "seed")}


def part_title(part: str) -> str:
    """The heading of a part."""
    return part.replace("_", " ").capitalize() if part else "Experiment"


def field_title(field: str) -> str:
    """The field as a person reads it: "Width"; its own name where it is not known."""
    known = fields().get(field)
    return pretty(known[0].label) if known else field


class AxesEditor(QWidget):
    """Edits the axes of the sweep as the forms edit their parts: every valid change is an edit, one that is not valid waits.

    ``edited(part, spec, words)`` brings the sweep with its new axes. :meth:`set_spec` shows one and emits nothing; what is
    being typed stays where it means the same.
    """

    part = "sweep"
    edited = Signal(str, object, str)
    validity_changed = Signal(bool)
    built = Signal()
    label_width = 0

    def __init__(self, spec: ExperimentSpec, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._experiment, self._theme = spec, theme
        self._spec: SweepSpec = spec.sweep
        self._parameters = _of_variants(spec)
        self._valid = True
        self._finder: Finder | None = None
        self._asked_by: AxisRow | None = None  # the row whose field is being chosen; None adds one
        self.rows: list[AxisRow] = []
        self.setAccessibleName("Axes")
        self.nothing = QLabel(NONE_TEXT, wordWrap=True)
        self.nothing.setProperty("role", "small")
        self.add_button = QPushButton("Add an axis…")
        self.add_button.setProperty("role", "link")
        self.add_button.setAccessibleName("Add an axis")
        self.add_button.setToolTip("Choose a field that varies, from every field of every part")
        self.add_button.clicked.connect(partial(self._ask, None))
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(8)
        self._column.addWidget(self.nothing)
        self._column.addWidget(self.add_button, 0, Qt.AlignmentFlag.AlignLeft)
        self._show_axes(self._spec.axes)

    # --- as the other forms ------------------------------------------------------------------------------------

    @property
    def spec(self) -> SweepSpec:
        """The sweep with the axes that are valid."""
        return self._spec

    @property
    def is_valid(self) -> bool:
        """Whether every axis can be used."""
        return self._valid

    def commit(self) -> bool:
        """Take what is still being typed; every key was taken already."""
        return self._valid

    def align(self, width: int) -> None:
        """Axes have no labels to be in line with others."""

    def set_spec(self, spec: SweepSpec) -> None:
        """Show a sweep and emit nothing."""
        if spec.axes != self._spec.axes:
            self._spec = spec
            self._show_axes(spec.axes)
        self._spec = spec
        self._judge()

    def set_experiment(self, spec: ExperimentSpec) -> None:
        """The settings that the axes are laid over: whether a field is there can depend on them."""
        if spec != self._experiment:
            self._experiment = spec
            self._parameters = _of_variants(spec)
            self._judge()

    def set_theme(self, theme: Theme) -> None:
        """Colour the icons."""
        self._theme = theme
        for row in self.rows:
            row.set_theme(theme)

    # --- the list to choose from -------------------------------------------------------------------------------

    @property
    def finder(self) -> Finder:
        """The list of fields, with the line that narrows it."""
        if self._finder is None:
            self._finder = Finder("Fields", "Name, part or word of its help", model_of(field_entries(), self), self)
            self._finder.chosen.connect(self._on_field)
        return self._finder

    def _ask(self, row: AxisRow | None) -> None:
        self._asked_by = row
        anchor = self.add_button if row is None else row.field_button
        self.finder.open_under(anchor, row.field if row is not None else "")

    @Slot(str)
    def _on_field(self, field: str) -> None:
        asked, self._asked_by = self._asked_by, None
        taken = next((row for row in self.rows if row.field == field), None)
        if taken is not None:
            taken.line.setFocus()  # a field has one axis: its values are edited there
            taken.line.selectAll()
            return
        text = suggested(fields()[field][0], self._current(field))
        if asked is None:
            row = self._add(field, text)
        else:
            row = asked
            row.set_field(field, text)
        self._take(f"the axes: {field}")
        row.line.setFocus()
        row.line.selectAll()

    def _current(self, field: str) -> Any:
        found: Any = self._experiment
        for name in field.split("."):
            found = getattr(found, name, None)
        return found

    # --- rows --------------------------------------------------------------------------------------------------

    def _show_axes(self, axes: Sequence[AxisSpec]) -> None:
        while len(self.rows) > len(axes):
            self._drop(self.rows[-1])
        for place, axis in enumerate(axes):
            if place == len(self.rows):
                self._add(axis.field, axis_text(axis))
            elif self.rows[place].field != axis.field or self._parsed(self.rows[place]) != axis:
                self.rows[place].set_field(axis.field, axis_text(axis))
        self._judge()

    def _add(self, field: str, text: str) -> AxisRow:
        row = AxisRow(field, text, self._theme, self)
        row.typed.connect(partial(self._on_typed, row))
        row.field_asked.connect(partial(self._ask, row))
        row.removed.connect(partial(self.remove, row))
        row.moved.connect(partial(self.move_row, row))
        self._column.insertWidget(1 + len(self.rows), row)
        self.rows.append(row)
        return row

    def _drop(self, row: AxisRow) -> None:
        self.rows.remove(row)
        self._column.removeWidget(row)
        row.hide()
        row.deleteLater()

    @Slot()
    def remove(self, row: AxisRow) -> None:
        """Take an axis out."""
        place = self.rows.index(row)
        self._drop(row)
        self._take(f"the axes: {row.field} taken out")
        beside = self.rows[min(place, len(self.rows) - 1)].line if self.rows else self.add_button
        beside.setFocus()

    @Slot(int)
    def move_row(self, row: AxisRow, by: int) -> None:
        """Put an axis earlier (-1) or later (+1): the last axis varies fastest."""
        old = self.rows.index(row)
        new = old + by
        if not 0 <= new < len(self.rows):
            return
        self.rows.insert(new, self.rows.pop(old))
        self._column.insertWidget(1 + new, row)
        self._take(f"the order of the axes: {row.field} {new + 1}")

    def _on_typed(self, row: AxisRow) -> None:
        self._take(f"axis {row.field}")

    # --- what it means -----------------------------------------------------------------------------------------

    def _parsed(self, row: AxisRow) -> AxisSpec | None:
        try:
            return parse_axis(row.field, row.text)
        except SpecError:
            return None

    def _take(self, words: str) -> None:
        """Take the axes as they stand, if all of them can be used; else the sweep keeps what it had."""
        axes = self._judge()
        if axes is not None and axes != self._spec.axes:
            self._spec = self._spec.model_copy(update={"axes": axes})
            self.edited.emit(self.part, self._spec, words)

    def _with(self, axes: Sequence[AxisSpec]) -> ExperimentSpec:
        sweep = self._spec.model_copy(update={"axes": tuple(axes)})
        return self._experiment.model_copy(update={"sweep": sweep})

    def _judge(self) -> tuple[AxisSpec, ...] | None:
        """Say of every axis what it means or what is wrong; gives the axes where all are right."""
        axes: list[AxisSpec] = []
        said: list[AxisRow] = []
        right = True
        for row in self.rows:
            try:
                axis = parse_axis(row.field, row.text)
                check(self._with([*axes, axis]))
            except SpecError as error:
                row.say(str(error), wrong=True)
                right = False
            else:
                axes.append(axis)
                said.append(row)
        never = {each.field: each for each in impossible(self._with(axes))}
        for row, axis in zip(said, axes, strict=True):
            found = never.get(axis.field)
            refused = refusal(found, self._parameters.get(axis.field)) if found else ""
            row.say(refused or meaning(axis, drawn=self._spec.mode == "random"), wrong=bool(refused))
        self.nothing.setVisible(not self.rows)
        self.add_button.setEnabled(len(self.rows) < MOST_AXES)
        for place, row in enumerate(self.rows):
            row.set_place(place, len(self.rows))
        if right != self._valid:
            self._valid = right
            self.validity_changed.emit(right)
        return tuple(axes) if right else None


class AxisRow(QWidget):
    """One axis: its field, its values as text, and what they mean."""

    typed = Signal()
    field_asked = Signal()
    removed = Signal()
    moved = Signal(int)

    def __init__(self, field: str, text: str, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.field_button = QPushButton()
        self.field_button.setProperty("role", "link")
        self.field_button.setLayoutDirection(Qt.LayoutDirection.RightToLeft)  # the arrow at the right, as on a list
        self.field_button.setIconSize(QSize(12, 12))
        self.field_button.clicked.connect(self.field_asked)
        self.up_button = self._tool("Earlier: varies slower (Alt+Up)", partial(self.moved.emit, -1))
        self.down_button = self._tool("Later: varies faster (Alt+Down)", partial(self.moved.emit, 1))
        self.remove_button = self._tool("Take this axis out", self.removed.emit)
        self.line = _ValuesLine(self)
        self.line.edited.connect(self.typed)
        self.words = QLabel(wordWrap=True)
        self.words.setTextFormat(Qt.TextFormat.PlainText)
        head = QHBoxLayout()
        head.setContentsMargins(0, 0, 0, 0)
        head.setSpacing(0)
        head.addWidget(self.field_button)
        head.addStretch(1)
        for button in (self.up_button, self.down_button, self.remove_button):
            head.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(head)
        column.addWidget(self.line)
        column.addWidget(self.words)
        self.set_field(field, text)
        self.set_theme(theme)

    def _tool(self, tip: str, call: Any) -> QToolButton:
        button = QToolButton(self, autoRaise=True)
        button.setIconSize(QSize(14, 14))
        button.setToolTip(tip)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.clicked.connect(lambda: call())
        return button

    @property
    def text(self) -> str:
        """The values as they are typed."""
        return self.line.text()

    def set_field(self, field: str, text: str) -> None:
        """Show another field and its values."""
        self.field = field
        title = field_title(field)
        known = fields().get(field)
        self.field_button.setText(f"{title} · {part_title(known[1]) if known else field}")
        self.field_button.setAccessibleName(f"Field of this axis: {field}")
        tip = f"<p><b>{field}</b>: {known[0].help}. {known[0].range_text}</p>" if known else ""
        self.field_button.setToolTip(tip)
        self.line.setAccessibleName(f"Values of {field}")
        if self.line.text() != text:
            self.line.write(text)
        self.up_button.setAccessibleName(f"Earlier: {field}")
        self.down_button.setAccessibleName(f"Later: {field}")
        self.remove_button.setAccessibleName(f"Take out: {field}")

    def set_place(self, place: int, count: int) -> None:
        """Where it stands among the axes."""
        self.up_button.setEnabled(place > 0)
        self.down_button.setEnabled(place < count - 1)
        for button in (self.up_button, self.down_button):
            button.setVisible(count > 1)

    def say(self, text: str, *, wrong: bool) -> None:
        """What the values mean, or what is wrong with them."""
        self.line.set_invalid(wrong)
        self.line.setAccessibleDescription(text)
        role = "error" if wrong else "small"
        if self.words.property("role") != role:
            self.words.setProperty("role", role)
            self.words.style().unpolish(self.words)
            self.words.style().polish(self.words)
        if self.words.text() != text:
            self.words.setText(text)

    @property
    def wrong(self) -> bool:
        return self.words.property("role") == "error"

    def set_theme(self, theme: Theme) -> None:
        """Colour the icons."""
        self.field_button.setIcon(icon("chevron-down", theme))
        for button, name in (
            (self.up_button, "chevron-up"),
            (self.down_button, "chevron-down"),
            (self.remove_button, "close"),
        ):
            button.setIcon(icon(name, theme))


class _ValuesLine(LineField):
    """Alt with an arrow key moves the axis; Ctrl+Z is the window's."""

    def __init__(self, row: AxisRow) -> None:
        super().__init__(Parameter("values", "Values", "str", "", ""))
        self._row = row
        self.setPlaceholderText(HINT)
        self.setToolTip(f"<p>Values, or a range with how many: {HINT}</p>")

    def keyPressEvent(self, event: Any) -> None:
        ways = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}
        if event.modifiers() & Qt.KeyboardModifier.AltModifier and event.key() in ways:
            self._row.moved.emit(ways[event.key()])
        else:
            super().keyPressEvent(event)


def field_entries() -> tuple[Entry, ...]:
    """Every field that can be swept as a line of the list, part by part, with its own name at the right."""
    return tuple(
        Entry(
            key=field,
            title=pretty(parameter.label),
            group=part_title(part),
            help=" ".join(text for text in (f"{parameter.help}.", parameter.range_text) if text),
            note=field,
            words=parameter.unit,
        )
        for field, (parameter, part) in fields().items()
    )
