"""The axes of a sweep: which fields there are, how their values are written, and what a range comes to."""

from __future__ import annotations

import difflib
import functools
import json
import math
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from engine.errors import SpecError
from engine.specs import AxisSpec, ExperimentSpec, Parameter, discriminator, parameters, variants
from engine.specs.sweep import Value

PARTS = ("dataset", "model", "training", "attack", "probe")
"""The parts of an experiment that a point depends on."""
MOST_POINTS = 10_000_000
_HOW = "Write values, as in 16, 32, 64, or a range with a number of values, as in 1 .. 8 : 8 or 1e-4 .. 1e-1 : 4 log."
_NUMBER = r"[+-]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_RANGE = re.compile(rf"({_NUMBER})\s*\.\.\s*({_NUMBER})(?:\s*:\s*(\d+))?(?:\s+(log|linear))?", re.ASCII)
_TOKEN = re.compile(r"""\s*("(?:[^"\\]|\\.)*"|'[^']*'|[^,"'\s][^,]*)\s*(,|$)""")
_LABELS = {"dataset": "Data", "model": "Architecture", "training": "Training", "attack": "Attack"}


def sweepable(spec: ExperimentSpec | None = None) -> list[tuple[str, Parameter, str]]:
    """Every field that may be an axis: its name as --set writes it, what it is, and its part ('' for the seed).

    A field that several variants of a part have is listed once, with all the choices that any of them knows. Where
    ``spec`` is given, the fields of its variants come first and have their ranges.
    """
    found = [("seed", next(each for each in parameters(ExperimentSpec) if each.name == "seed"), "")]
    for part in PARTS:
        first = type(getattr(spec, part)) if spec is not None else None
        classes = sorted(variants(part).values(), key=lambda cls: cls is not first)
        merged: dict[str, Parameter] = {}
        if tag := discriminator(part):
            merged[tag] = _variant_field(part, tag)
        for each in (field for cls in classes for field in parameters(cls)):
            known = merged.get(each.name)
            merged[each.name] = each if known is None else replace(known, choices=_union(known, each))
        found += [(f"{part}.{name}", field, part) for name, field in merged.items()]
    return found


def field_named(name: str) -> Parameter:
    """What a field is that an axis names.

    Raises:
        SpecError: there is none of this name that a sweep could vary.
    """
    known = _fields().get(name)
    if known is None:
        near = difflib.get_close_matches(name, _fields(), n=1)
        advice = f"Did you mean {near[0]}?" if near else "Write part.field, as in model.width or attack.eps."
        raise SpecError(f"{name!r} is not a field that a sweep can vary. {advice}")
    return known


def parse_axis(field: str, text: str) -> AxisSpec:
    """The axis of a field from a person's text: ``16, 32, 64``, ``1 .. 8 : 8`` or ``1e-4 .. 1e-1 : 4 log``.

    Texts may stand in quotes, and must where they hold a comma. Values that are given twice count once.

    Raises:
        SpecError: an unknown field, or a text that is not its values.
    """
    known, text = field_named(field), text.strip()
    is_number = known.kind in ("int", "float")
    if is_number and (match := _RANGE.fullmatch(text)):
        low, high, count, scale = match.groups()
        given: dict[str, Any] = {"low": float(low), "high": float(high), "scale": scale or "linear"}
        axis = _axis(field, **given, **({"count": int(count)} if count else {}))
    elif is_number and ".." in text:
        raise SpecError(f"{field}: {text!r} is not a range. {_HOW}")
    else:
        values = [_value(field, known, token, quoted) for token, quoted in _tokens(field, text)]
        axis = _axis(field, values=tuple(dict.fromkeys(values)))
    check_axis(axis)
    return axis


def axis_text(axis: AxisSpec) -> str:
    """The values of an axis as :func:`parse_axis` reads them."""
    if axis.values:
        return ", ".join(value_text(value) for value in axis.values)
    scale = " log" if axis.scale == "log" else ""
    return f"{_number_text(axis.low)} .. {_number_text(axis.high)} : {axis.count}{scale}"


def check(spec: ExperimentSpec) -> None:
    """Whether the axes of a sweep can be points at all; a single value out of range fails its own points alone.

    Raises:
        SpecError: an unknown field, a wrong kind of value, or more points than a sweep can have.
    """
    for axis in spec.sweep.axes:
        check_axis(axis)
    points = math.prod(len(levels(axis)) for axis in spec.sweep.axes) if spec.sweep.mode == "grid" else 0
    if points > MOST_POINTS:
        raise SpecError(
            f"The grid has {points:,} points, and a sweep at most {MOST_POINTS:,}. "
            'Give its axes fewer values, or draw some of its points: mode = "random".'
        )


def check_axis(axis: AxisSpec) -> None:
    """Whether an axis names a field and has values of its kind.

    Raises:
        SpecError: it does not.
    """
    known = field_named(axis.field)
    for value in axis.values:
        _check_value(axis.field, known, value)
    if axis.values:
        return
    if known.kind not in ("int", "float"):
        raise SpecError(f"{axis.field} has no range. Write its values: {_example(known)}.")
    if known.kind == "int" and math.ceil(axis.low) > math.floor(axis.high):
        raise SpecError(f"{axis.field}: there is no whole number from {axis.low:g} to {axis.high:g}. Widen the range.")


def levels(axis: AxisSpec) -> tuple[Value, ...]:
    """The values of an axis in a grid, each once; those of a whole-number field are rounded."""
    known = field_named(axis.field)
    if axis.values:
        return tuple(dict.fromkeys(_of_kind(known, value) for value in axis.values))
    values = list(_spaced(axis))
    if known.kind == "int":
        low, high = math.ceil(axis.low), math.floor(axis.high)
        return tuple(dict.fromkeys(min(max(round(value), low), high) for value in values))
    return tuple(dict.fromkeys(values))


def drawn(axis: AxisSpec, share: float) -> Value:
    """The value of a range at a share of its way, in [0, 1): uniform on its scale where shares are uniform."""
    if field_named(axis.field).kind == "int":
        low, high = math.ceil(axis.low), math.floor(axis.high)
        # each whole number k holds the part of the range from k to k + 1
        return min(math.floor(_between(low, high + 1, share, axis.scale)), high)
    return _between(axis.low, axis.high, share, axis.scale)


# --- fields ---------------------------------------------------------------------------------------------------


@functools.cache
def _fields() -> dict[str, Parameter]:
    return {name: field for name, field, _ in sweepable()}


def _variant_field(part: str, tag: str) -> Parameter:
    choices = tuple((name, str(getattr(cls, "title", name))) for name, cls in variants(part).items())
    default = getattr(ExperimentSpec.model_fields[part].default, tag)
    return Parameter(
        tag, _LABELS.get(part, tag), "choice", default, f"Which {part} of all that there are", choices=choices
    )


def _union(one: Parameter, other: Parameter) -> tuple[tuple[str, str], ...]:
    return tuple((dict(other.choices) | dict(one.choices)).items()) if one.kind == "choice" else one.choices


# --- texts ----------------------------------------------------------------------------------------------------


def _axis(field: str, **given: Any) -> AxisSpec:
    try:
        return AxisSpec(field=field, **given)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        if problem["type"] == "value_error":
            said = str(problem["ctx"]["error"])
            raise SpecError(f"{said[:1].upper()}{said[1:]}. {_HOW}") from None
        what = problem["msg"].replace("Input", f"{field}: its {problem['loc'][0]}", 1)
        raise SpecError(f"{what}. {_HOW}") from None


def _tokens(field: str, text: str) -> Iterator[tuple[str, bool]]:
    if text.startswith("[") and text.endswith("]"):
        text = text[1:-1].strip()
    text = text.removesuffix(",")
    if not text.strip():
        raise SpecError(f"{field} has no values. {_HOW}")
    at = 0
    while True:
        match = _TOKEN.match(text, at)
        if match is None:
            raise SpecError(f"{field}: the values {text!r} cannot be read at {text[at : at + 20]!r}. {_HOW}")
        token = match[1]
        if token[0] == '"':
            try:
                yield json.loads(token, strict=False), True
            except ValueError:
                raise SpecError(f"{field}: {token} cannot be read. Write plain text between the quotes.") from None
        elif token[0] == "'":
            yield token[1:-1], True
        else:
            yield token.strip(), False
        if not match[2]:
            return
        at = match.end()


def _value(field: str, known: Parameter, token: str, quoted: bool) -> Value:
    if known.kind in ("str", "choice"):
        return token
    try:
        if quoted:
            raise ValueError
        if known.kind == "bool":
            switches: dict[str, bool] = {"true": True, "false": False}
            return switches[token.lower()]
        return _whole(token) if known.kind == "int" else _finite(token)
    except (ValueError, KeyError):
        raise _wrong(field, known, token) from None


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        number = _finite(text)
        if number != int(number):
            raise ValueError(text) from None
        return int(number)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def value_text(value: Value) -> str:
    """A value as :func:`parse_axis` reads it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _number_text(value)
    plain = value and value == value.strip() and value[0] not in "\"'[" and "," not in value and value.isprintable()
    return value if plain else json.dumps(value, ensure_ascii=False)


def _number_text(number: float) -> str:
    short = f"{number:g}"
    return short if float(short) == number else repr(number)


# --- values ---------------------------------------------------------------------------------------------------


def _spaced(axis: AxisSpec) -> Iterator[float]:
    low, high, last = axis.low, axis.high, axis.count - 1
    yield low
    for step in range(1, last):
        value = _between(low, high, step / last, axis.scale)
        yield min(max(float(f"{value:.12g}"), low), high)  # 0.3, and not 0.30000000000000004
    if last > 0:
        yield high


def _between(low: float, high: float, share: float, scale: str) -> float:
    if scale == "log":
        value = math.exp(math.log(low) + share * (math.log(high) - math.log(low)))
    else:
        value = low + share * (high - low)
    return min(max(value, low), high)


def _of_kind(known: Parameter, value: Value) -> Value:
    """A value as its field has it: 16.0 of a whole-number field is 16."""
    if known.kind == "int":
        return int(value)
    return float(value) if known.kind == "float" else value


def _check_value(field: str, known: Parameter, value: Value) -> None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    match known.kind:
        case "bool":
            fits = isinstance(value, bool)
        case "int":
            fits = is_number and value == int(value)
        case "float":
            fits = is_number
        case "choice":
            fits = value in dict(known.choices)
        case _:
            fits = isinstance(value, str)
    if not fits:
        raise _wrong(field, known, value)


def _wrong(field: str, known: Parameter, value: Value) -> SpecError:
    if known.kind == "choice":
        choices = [name for name, _ in known.choices]
        near = difflib.get_close_matches(str(value), choices, n=1)
        advice = f"Did you mean {near[0]}?" if near else f"It is one of {', '.join(choices)}."
        return SpecError(f"{field}: {value!r} is not one of its values. {advice}")
    kind = {"bool": "true or false", "int": "a whole number", "float": "a number"}.get(known.kind, "a text in quotes")
    return SpecError(f"{field}: {value!r} is not {kind}. {_HOW if known.kind in ('int', 'float') else ''}".rstrip())


def _example(known: Parameter) -> str:
    return "true, false" if known.kind == "bool" else ", ".join(name for name, _ in known.choices[:3]) or "a text"
