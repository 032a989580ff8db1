"""A form made from a spec class: every field once, with its unit, its range and its help; nothing written by hand."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError
from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from engine.catalogue import details, summary
from engine.presets import Preset
from engine.specs import PARTS, ExperimentSpec, Parameter, Spec, carried, discriminator, parameters, variants
from gui.forms import names
from gui.forms.fields import ChoiceField, Field, FolderField, field_for
from gui.forms.methods import MethodField, PresetButton, method_entries
from gui.forms.numbers import NotValid, in_words
from gui.icons import icon
from gui.theme import Theme

LABEL_WIDTH = 78  # at least; a form with longer labels takes what they need
MOST_LABEL_WIDTH = 118  # a label longer than this goes on in a second line


class SpecForm(QWidget):
    """Edits one part of an experiment.

    What a person types is checked at once and said in words under the field. While a field is not valid the spec
    keeps its last valid value; nothing is clamped in silence. ``edited`` brings every new valid spec;
    :meth:`set_spec` shows one (as undo does) and emits nothing.
    """

    edited = Signal(str, object, str)  # part, new spec, what was edited: the name of a field, or words for it
    validity_changed = Signal(bool)
    built = Signal()  # the rows are new, as after another variant was chosen

    def __init__(self, part: str, spec: Spec, theme: Theme, parent: QWidget | None = None) -> None:
        """``part`` is one of ``engine.specs.PARTS``, "experiment" for title, seed and threads, or a name for any other spec."""
        super().__init__(parent)
        self.part = part
        self._theme = theme
        self._spec = spec
        self._discriminator = discriminator(part) if part in PARTS else ""
        self._variants = variants(part) if part in PARTS else {}
        self._left: dict[type[Spec], Spec] = {}  # how each variant was when it was last left
        self._rows: dict[str, _Row] = {}
        self._valid = True

        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(6)
        self.chooser: ChoiceField | None = None
        self.presets: PresetButton | None = None
        self._body: QWidget | None = None
        self._more_open = False
        self._least_width = 0
        self._build()

    @property
    def spec(self) -> Spec:
        """The last valid spec."""
        return self._spec

    @property
    def is_valid(self) -> bool:
        """Whether every field holds what it can be used with."""
        return self._valid

    def field(self, name: str) -> Field:
        """The widget of a field. Raises KeyError for a field this variant does not have."""
        return self._rows[name].field

    def error(self, name: str) -> str:
        """The sentence under a field; "" where it is valid."""
        return self._rows[name].message.text()

    def commit(self) -> bool:
        """Take what is still being typed, as before a run. Gives whether everything is valid."""
        for row in list(self._rows.values()):
            if isinstance(row.field, FolderField):
                row.field.finish()
        return self._valid

    def set_spec(self, spec: Spec) -> None:
        """Show a spec and emit nothing. What a person is typing stays where it means the same."""
        if type(spec) is not type(self._spec):
            self._left[type(self._spec)] = self._spec
            self._spec = spec
            self._build()
            return
        old, self._spec = self._spec, spec
        for name, row in self._rows.items():
            value = getattr(spec, name)
            changed = value != getattr(old, name)
            if changed and row.value_or(_NOTHING) != value:
                row.field.write(value)
            if changed or row.is_whole:
                row.say("")
        self._after()

    def set_theme(self, theme: Theme) -> None:
        """Colour the icons."""
        self._theme = theme
        if self.presets is not None:
            self.presets.set_theme(theme)
        self._build()

    @property
    def label_width(self) -> int:
        """Pixels that the labels of this form need."""
        return self._own_width

    def align(self, width: int) -> None:
        """Make the label column at least this wide, so that forms above each other have their fields in line."""
        self._least_width = width
        self._width = max(self._own_width, width)
        for row in self._rows.values():
            row.set_label_width(self._width)
        if self.chooser is not None:
            self._chooser_label.setFixedWidth(self._width)

    # --- building --------------------------------------------------------------------------------------------

    def _build(self) -> None:
        focused = self.focusWidget()
        had = next((name for name, row in self._rows.items() if row.field is focused), None)
        if self._body is not None:
            self._column.removeWidget(self._body)
            self._body.hide()
            self._body.deleteLater()
        self._rows = {}
        self._body = QWidget()
        column = QVBoxLayout(self._body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)

        fields = parameters(type(self._spec))
        plain = [p for p in fields if not p.advanced]
        advanced = [p for p in fields if p.advanced]
        self._own_width = self._label_width(fields)
        self._width = max(self._own_width, self._least_width)
        if self._discriminator and self.chooser is None:
            self._column.addWidget(self._make_chooser())
        elif self.chooser is not None:
            self.chooser.write(getattr(self._spec, self._discriminator))
            self._chooser_label.setFixedWidth(self._width)
            self.about.setText(summary(type(self._spec)))
        if plain:
            column.addWidget(self._grid(plain))
        if advanced:
            self.more = self._make_more()
            self._advanced = self._grid(advanced)
            column.addWidget(self.more, 0, Qt.AlignmentFlag.AlignLeft)
            column.addWidget(self._advanced)
            self._show_more(self._more_open)
        self._column.addWidget(self._body)
        if had in self._rows:
            self._rows[had].field.setFocus()
        self._after()
        self.built.emit()

    def _label_width(self, fields: tuple[Parameter, ...]) -> int:
        # a tick box leaves room for a long label, and rare settings must not take it from the others
        shown = [p.label for p in fields if p.kind != "bool" and not p.advanced]
        texts = [names.pretty(label) for label in shown] + [names.CHOOSERS.get(self.part, "")]
        widest = max(self.fontMetrics().horizontalAdvance(text) + 6 for text in texts)
        scale = max(1.0, self._theme.scale)
        return max(LABEL_WIDTH, min(widest, round(MOST_LABEL_WIDTH * scale)))

    def _make_chooser(self) -> QWidget:
        title = names.CHOOSERS.get(self.part, self._discriminator.capitalize())
        if self.part == "attack":
            self.chooser = MethodField(title, method_entries())
            self.presets = PresetButton(self._theme)
            self.presets.chosen.connect(self._on_preset)
        else:
            self.chooser = ChoiceField(tuple((key, names.variant_name(key, self.part)) for key in self._variants))
            for index, cls in enumerate(self._variants.values()):
                self.chooser.setItemData(index, summary(cls), Qt.ItemDataRole.ToolTipRole)
        self.chooser.write(getattr(self._spec, self._discriminator))
        self.chooser.setAccessibleName(title)
        self.chooser.edited.connect(self._on_variant)
        self._chooser_label = QLabel(title)
        self._chooser_label.setBuddy(self.chooser)
        self._chooser_label.setFixedWidth(self._width)
        self.about = QLabel(summary(type(self._spec)), wordWrap=True)
        self.about.setProperty("role", "small")
        box = QWidget()
        grid = QGridLayout(box)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(6)
        grid.setVerticalSpacing(6)
        grid.addWidget(self._chooser_label, 0, 0)
        grid.addWidget(self.chooser, 0, 1)
        if self.presets is not None:
            grid.addWidget(self.presets, 1, 1)
        grid.addWidget(self.about, 2, 0, 1, 2)
        grid.setColumnStretch(1, 1)
        return box

    def _make_more(self) -> QPushButton:
        more = QPushButton("More", checkable=True, checked=self._more_open)
        more.setProperty("role", "link")
        more.setAccessibleName("More settings")
        more.setToolTip("Settings that rarely need a change")
        more.toggled.connect(self._show_more)
        return more

    def _grid(self, shown: list[Parameter]) -> QWidget:
        box = QWidget()
        grid = QGridLayout(box)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(6)
        grid.setHorizontalSpacing(6)
        grid.setColumnStretch(1, 1)
        for number, parameter in enumerate(shown):
            row = _Row(parameter, field_for(parameter, self._theme), box)
            row.field.write(getattr(self._spec, parameter.name))
            row.edited.connect(self._on_field)
            row.set_label_width(self._width)
            if row.is_tick:
                line = QHBoxLayout()
                line.addWidget(row.label)
                line.addWidget(row.field, 1)
                grid.addLayout(line, 2 * number, 0, 1, 2)
            else:
                grid.addWidget(row.label, 2 * number, 0)
                grid.addWidget(row.field, 2 * number, 1)
            grid.addWidget(row.message, 2 * number + 1, 0, 1, 2)
            self._rows[parameter.name] = row
        return box

    # --- editing ---------------------------------------------------------------------------------------------

    @Slot(str)
    def _on_field(self, name: str) -> None:
        values = {key: getattr(self._spec, key) for key in type(self._spec).model_fields}
        for key, row in self._rows.items():
            try:
                values[key] = row.field.read()
            except NotValid as error:
                row.say(str(error))
            else:
                row.say("")
        try:
            new = type(self._spec)(**values)
        except ValidationError as error:
            # each field is right by itself but not with the others: said under the one just edited
            if not self._rows[name].message.text():
                self._rows[name].say(sentence(error), whole=True)
        else:
            if new != self._spec:
                self._spec = new
                self.edited.emit(self.part, new, name)
        self._after()

    @Slot()
    def _on_variant(self) -> None:
        assert self.chooser is not None
        cls = self._variants[self.chooser.read()]
        if cls is type(self._spec):
            return
        new = carry_over(self._spec, self._left.get(cls) or cls())
        self.set_spec(new)
        self.edited.emit(self.part, new, self._discriminator)

    @Slot(object)
    def _on_preset(self, preset: Preset) -> None:
        """Put a whole attack in place, as one edit; what was being typed goes with what it was typed into."""
        new = preset.applied_to(self._spec)
        before, self._spec = self._spec, new
        self._left[type(before)] = before
        self._build()
        if new != before:
            self.edited.emit(self.part, new, f"the attack to “{preset.title}”")

    @Slot(bool)
    def _show_more(self, on: bool) -> None:
        self._more_open = on
        self._advanced.setVisible(on)
        self.more.setIcon(icon("chevron-down" if on else "chevron-right", self._theme, self._theme.accent))

    def _after(self) -> None:
        if self.presets is not None:
            self.presets.attack = self._spec
        for name, (other, value) in names.USED_WHEN.items():
            if name in self._rows and hasattr(self._spec, other):
                self._rows[name].set_used(getattr(self._spec, other) == value)
        valid = not any(row.message.text() for row in self._rows.values())
        if valid != self._valid:
            self._valid = valid
            self.validity_changed.emit(valid)


class _Row(QObject):
    """The label, the field and the sentence of one parameter."""

    edited = Signal(str)

    def __init__(self, parameter: Parameter, field: Field, parent: QObject) -> None:
        super().__init__(parent)
        self.parameter = parameter
        self.field = field
        self.is_whole = False  # the sentence is about the spec as a whole, not about this field alone
        label = names.pretty(parameter.label)
        self.label = QLabel(label)
        self.label.setBuddy(field)
        self.message = QLabel(wordWrap=True, visible=False)
        self.message.setProperty("role", "error")
        field.setAccessibleName(f"{label}, {parameter.unit}" if parameter.unit else label)
        words = in_words(parameter)
        allowed = f" {words[:1].upper()}{words[1:]}." if words else ""
        unit = f" Unit: {parameter.unit}." if parameter.unit else ""
        tip = f"{parameter.help}.{allowed}{unit}"
        for widget in (field, self.label):
            widget.setToolTip(f"<p>{tip}</p>")  # as rich text, so that Qt wraps it
            widget.setWhatsThis(tip)
        field.setAccessibleDescription(tip)
        field.edited.connect(self._on_edited)

    @Slot()
    def _on_edited(self) -> None:
        self.edited.emit(self.parameter.name)

    @property
    def is_tick(self) -> bool:
        return self.parameter.kind == "bool"

    def set_label_width(self, width: int) -> None:
        if self.is_tick:
            self.label.setMinimumWidth(width)
        else:
            self.label.setFixedWidth(width)
            self.label.setWordWrap(self.label.fontMetrics().horizontalAdvance(self.label.text()) > width)

    def value_or(self, otherwise: Any) -> Any:
        try:
            return self.field.read()
        except NotValid:
            return otherwise

    def say(self, text: str, *, whole: bool = False) -> None:
        self.is_whole = whole and bool(text)
        if text != self.message.text():
            self.message.setText(text)
            self.message.setVisible(bool(text))
            self.field.set_invalid(bool(text))
            self.field.setAccessibleDescription(text or self.field.whatsThis())

    def set_used(self, on: bool) -> None:
        self.field.setEnabled(on)
        self.label.setEnabled(on)


_NOTHING = object()


def carry_over(old: Spec, new: Spec) -> Spec:
    """``new`` with what ``old`` has that means the same there, as far as the values fit; one that does not fit is left."""
    cls, kept = type(new), carried(old, type(new))
    base = {name: getattr(new, name) for name in cls.model_fields}
    try:
        return cls(**{**base, **kept})
    except ValidationError:
        result = new
        for name, value in kept.items():
            try:
                result = cls(**{**{key: getattr(result, key) for key in base}, name: value})
            except ValidationError:
                continue
        return result


def sentence(error: ValidationError) -> str:
    """What a spec objects to, as a sentence."""
    found = error.errors()[0]
    text = found["msg"].removeprefix("Value error, ").strip()
    where = ".".join(str(part) for part in found["loc"])
    text = f"{where}: {text}" if where else text
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"


def description(cls: type[Spec]) -> str:
    """What a spec class says about itself besides what its form shows already, on one line."""
    if cls is ExperimentSpec:
        return ""
    is_choice = any(cls in found.values() and len(found) > 1 for found in map(variants, PARTS))
    return details(cls) if is_choice else " ".join((summary(cls), details(cls))).strip()
