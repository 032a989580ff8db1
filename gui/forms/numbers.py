"""Numbers as people type and read them: parsing, plain formatting, sensible steps. No widgets here."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Literal

from engine.specs import Parameter

Kind = Literal["int", "float"]


class NotValid(ValueError):
    """What was typed cannot be used; the message is a sentence for the person who typed it."""


def parse(text: str, parameter: Parameter) -> int | float:
    """The number in a text, within the parameter's range. Raises NotValid with a sentence otherwise.

    A decimal comma is taken as a point; spaces and underscores between digits are allowed.
    """
    label = parameter.label
    typed = text.strip().replace("\N{NO-BREAK SPACE}", "").replace(" ", "").replace("_", "").replace("−", "-")
    if not typed:
        raise NotValid(f"{label} is empty. Type a number, {in_words(parameter) or 'of any size'}.")
    if parameter.kind == "int":
        try:
            value: int | float = int(typed)
        except ValueError:
            raise NotValid(f"“{text.strip()}” is not a whole number.") from None
    else:
        if typed.count(",") == 1 and "." not in typed:
            typed = typed.replace(",", ".")
        try:
            value = float(typed)
        except ValueError:
            raise NotValid(f"“{text.strip()}” is not a number.") from None
        if not math.isfinite(value):
            raise NotValid(f"{label} must be a finite number.")
    if not allowed(value, parameter):
        raise NotValid(f"{label} must be {in_words(parameter)}.")
    return value


def allowed(value: float, parameter: Parameter) -> bool:
    """Whether a value lies in the parameter's range."""
    return parameter.allows(value)


def in_words(parameter: Parameter) -> str:
    """The range as words: "more than 0 and at most 100"; "" where anything goes."""
    parts = []
    if parameter.minimum is not None:
        parts.append(f"{'more than' if parameter.exclusive_minimum else 'at least'} {shown(parameter.minimum)}")
    if parameter.maximum is not None:
        parts.append(f"{'less than' if parameter.exclusive_maximum else 'at most'} {shown(parameter.maximum)}")
    return " and ".join(parts)


def shown(value: float) -> str:
    """The shortest text that reads back as the same number: 0.1, 0.00025, 1e-5."""
    if isinstance(value, int):
        return f"{value:,}".replace(",", "\N{NO-BREAK SPACE}") if abs(value) >= 100_000 else str(value)
    if value == 0:
        return "0"
    exact = Decimal(repr(value)).normalize()
    if 1e-4 <= abs(value) < 1e6:
        return f"{exact:f}"
    sign, digits, exponent = exact.as_tuple()
    first, *rest = map(str, digits)
    power = int(exponent) + len(rest)
    return f"{'-' if sign else ''}{first}{'.' + ''.join(rest) if rest else ''}e{power}"


def stepped(value: float, direction: int, parameter: Parameter, *, fine: bool = False, coarse: bool = False) -> float:
    """The next value up (+1) or down (-1) that is in range; the value itself where there is none.

    A real number moves by one in its leading digit (0.1, 0.2; 0.1, 0.09), finely by a tenth of that, coarsely by a
    factor 10. A whole number moves by 1 below 20, then in its second digit, finely always by 1, coarsely by a factor 2.
    """
    if parameter.kind == "int":
        new: float = _step_int(int(value), direction, fine, coarse)
    else:
        new = _step_float(value, direction, fine, coarse, float(parameter.default or 0.1))
    if not allowed(new, parameter):
        edge = parameter.maximum if direction > 0 else parameter.minimum
        exclusive = parameter.exclusive_maximum if direction > 0 else parameter.exclusive_minimum
        if edge is None or exclusive:
            return value
        new = type(new)(edge)
    return new


def _step_int(value: int, direction: int, fine: bool, coarse: bool) -> int:
    if coarse:
        return value * 2 if direction > 0 else value // 2
    size = abs(value) - (1 if (value > 0) != (direction > 0) else 0)  # the decade that the step goes through
    step = 1 if fine or size < 20 else 10 ** (len(str(size)) - 2)
    return (value // step + 1) * step if direction > 0 else -((-value) // step + 1) * step


def _step_float(value: float, direction: int, fine: bool, coarse: bool, typical: float) -> float:
    if value == 0:
        return direction * 10.0 ** (math.floor(math.log10(typical)) - 1)
    if coarse:
        return _round(value * 10 if direction > 0 else value / 10)
    size = abs(value)
    decade = math.floor(math.log10(size) + 1e-9)
    shrinks = (value > 0) != (direction > 0)
    if shrinks and math.isclose(size, 10.0**decade, rel_tol=1e-9):
        decade -= 1
    step = 10.0 ** (decade - 1 if fine else decade)
    count = value / step
    nearest = round(count)
    if not math.isclose(count, nearest, abs_tol=1e-6):
        nearest = math.floor(count) if direction > 0 else math.ceil(count)
    return _round((nearest + direction) * step)


def _round(value: float) -> float:
    return float(f"{value:.12g}")
