"""Where the specs of several experiments differ, field by field, and which of it makes comparing them unfair."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from engine.specs import PARTS, ExperimentSpec, discriminator, parameters, variants
from gui.forms.names import CHOOSERS, pretty, variant_name

GENERAL = "Experiment"
NO_VALUE = "–"
PART_NAMES = {"dataset": "Data", "map": "Decision map", "max_likelihood": "Noise", "probe": "Measurement"}
UNFAIR = {
    "seed": "other seed",
    "dataset": "other data",
    "attack.eps": "other eps",
    "attack.norm": "other norm",
    "attack.goal": "other goal",
    "attack.samples": "other samples attacked",
    "probe.samples": "other samples measured",
    "probe.reference": "other reference",
}
"""Fields, and whole parts, of which two experiments want the same value before their numbers may be compared."""


@dataclass(frozen=True)
class Difference:
    """A field that is not the same in all: where it stands, one value a source, and why that is unfair, if it is."""

    part: str
    label: str
    unit: str
    values: tuple[str, ...]
    unfair: str = ""

    @property
    def name(self) -> str:
        """The field with its unit, as a table names it."""
        return f"{self.label} ({self.unit})" if self.unit else self.label


def differences(specs: Sequence[Mapping[str, Any]]) -> list[Difference]:
    """What differs between specs given as plain data, in the order of the forms; their titles do not count."""
    whole = [_whole(spec) for spec in specs]
    found = []
    for name in ("seed", "threads"):
        labels = {p.name: p for p in parameters(ExperimentSpec)}
        found += _compared(GENERAL, labels[name].label, "", [spec.get(name) for spec in whole], UNFAIR.get(name, ""))
    for part in PARTS:
        found += _of_part(part, [spec.get(part) or {} for spec in whole])
    return found


def unfair(found: Sequence[Difference]) -> tuple[str, ...]:
    """What makes comparing unfair, each once."""
    return tuple(dict.fromkeys(difference.unfair for difference in found if difference.unfair))


def summary(found: Sequence[Difference], sources: int) -> str:
    """All of it in a line."""
    if sources < 2:
        return "Add a second source to compare with."
    if not found:
        return "The same spec in all: equal numbers are expected, bit for bit on one machine."
    fields = [f"{each.part} · {each.label}" for each in found]
    more = f" and {len(fields) - 4} more" if len(fields) > 4 else ""
    count = f"{len(fields)} field{'s differ' if len(fields) > 1 else ' differs'}"
    head = f"Not like with like: {', '.join(unfair(found))}. " if unfair(found) else ""
    return f"{head}{count}: {', '.join(fields[:4])}{more}."


def _whole(spec: Mapping[str, Any]) -> dict[str, Any]:
    """With the defaults of what an older version did not know, which is how it would be run now."""
    try:
        return ExperimentSpec.model_validate(spec).model_dump(mode="json")
    except ValidationError:
        return dict(spec)


def _of_part(part: str, each: Sequence[Mapping[str, Any]]) -> list[Difference]:
    kinds, chooser = variants(part), discriminator(part)
    title = PART_NAMES.get(part, part.replace("_", " ").capitalize())
    known = {}
    for values in each:
        kind = str(values.get(chooser, "")) if chooser else ""
        if kind in kinds:
            known |= {p.name: p for p in parameters(kinds[kind]) if p.name not in known}
    found = []
    for field in dict.fromkeys(name for values in each for name in values):
        mark = UNFAIR.get(part) or UNFAIR.get(f"{part}.{field}", "")
        shown = [values.get(field) for values in each]
        parameter = known.get(field)
        if field == chooser:
            names = [None if value is None else variant_name(str(value), part) for value in shown]
            found += _compared(title, CHOOSERS.get(part, "Method"), "", names, mark)
        elif parameter is None:
            found += _compared(title, pretty(field.replace("_", " ")), "", shown, mark)
        else:
            choices = dict(parameter.choices)
            names = [choices.get(value, value) if isinstance(value, str) else value for value in shown]
            found += _compared(title, pretty(parameter.label), parameter.unit, names, mark)
    return found


def _compared(part: str, label: str, unit: str, values: Sequence[Any], mark: str) -> list[Difference]:
    if all(value == values[0] for value in values):
        return []
    there = [value for value in values if value is not None]
    # a method that has no such field is another method, which is a difference of its own
    fair = all(value == there[0] for value in there)
    return [Difference(part, label, unit, tuple(value_text(value) for value in values), "" if fair else mark)]


def value_text(value: Any) -> str:
    """A field's value as a table shows it."""
    if value is None:
        return NO_VALUE
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list | tuple):
        return ", ".join(value_text(each) for each in value) if value else "none"
    if isinstance(value, Mapping):
        return " ".join(value_text(each) for each in value.values())
    return str(value)
