"""An axis of a sweep in words, and the values that a field is offered when it becomes an axis. No widgets here."""

from __future__ import annotations

from typing import Any

from engine.specs import AxisSpec, Parameter
from engine.sweep.axes import levels
from engine.sweep.impossible import Impossible
from gui.forms.names import pretty
from gui.forms.numbers import allowed, in_words, shown

MOST_NAMED = 5


def meaning(axis: AxisSpec, *, drawn: bool) -> str:
    """ "3 values: 16, 32, 64"; with ``drawn`` points are drawn at random from the values, or from the whole range."""
    if drawn and not axis.values:
        even = ", evenly in its logarithm" if axis.scale == "log" else ""
        return f"drawn at random between {shown(axis.low)} and {shown(axis.high)}{even}"
    values = levels(axis)
    head = "drawn from " if drawn else ""
    many = f"{len(values):,} value{'s' if len(values) != 1 else ''}"
    named = [value_text(value) for value in values]
    if len(named) > MOST_NAMED:
        named = [*named[: MOST_NAMED - 2], "…", named[-1]]
    return f"{head}{many}: {', '.join(named)}"


def refusal(found: Impossible, parameter: Parameter | None) -> str:
    """What is said of values with which every point fails: by the range of the field where that is why, else the reason."""
    why = found.reason
    if parameter is not None and parameter.kind in ("int", "float"):
        first = found.values[0]
        if not isinstance(first, str) and not allowed(first, parameter):
            why = f"{pretty(parameter.label)} is {in_words(parameter)}."
    named = ", ".join(value_text(value) for value in found.values[:3]) + (", …" if len(found.values) > 3 else "")
    return f"{named} cannot be used: {why} Such points fail."


def value_text(value: Any) -> str:
    """A value as a person reads it, to four digits."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return (
        shown(float(f"{value:.4g}"))
        if isinstance(value, float)
        else shown(value)
        if isinstance(value, int)
        else str(value)
    )


def suggested(parameter: Parameter, now: Any) -> str:
    """Values to begin with: around the one that is set now, and within the range."""
    match parameter.kind:
        case "bool":
            return "false, true"
        case "choice":
            return ", ".join(value for value, _ in parameter.choices[:6])
        case "int" | "float":
            value = now if isinstance(now, int | float) and not isinstance(now, bool) else parameter.default
            return ", ".join(shown(each).replace("\N{NO-BREAK SPACE}", "") for each in _around(value, parameter))
    return str(now if now is not None else parameter.default)


def _around(value: float, parameter: Parameter) -> list[float]:
    if parameter.kind == "int":
        found: list[float] = [value // 2, value, value * 2] if value >= 4 else [value, value + 1, value + 2]
    elif value:
        found = [float(f"{value * factor:.6g}") for factor in (0.5, 1, 2)]
    else:
        found = [0.0, 0.1, 0.2]
    return [each for each in found if allowed(each, parameter)] or [value]
