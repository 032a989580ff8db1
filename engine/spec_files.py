"""Specs in files and on the command line: TOML in, TOML out, overrides, and errors a person can act on.

Everything here is made from :mod:`engine.specs`; no parameter is named twice.
"""

from __future__ import annotations

import difflib
import re
import textwrap
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

import tomli_w
from pydantic import ValidationError

from engine.errors import SpecError
from engine.specs import PARTS, ExperimentSpec, Goal, Parameter, Spec, carried, discriminator, parameters, variants

__all__ = ["apply_overrides", "build", "carrying_notes", "dump_spec", "load_spec", "read_toml"]

_HEADER = """\
# An experiment of Rapidity Lab. Open it in the window, or run it without one: python main.py run THIS-FILE
# What is left out takes its default.
"""


def load_spec(path: Path | str) -> ExperimentSpec:
    """Read an experiment from a TOML file.

    Raises:
        SpecError: the file is missing, unreadable, not UTF-8, not TOML (with the line), or holds a bad value.
    """
    path = Path(path)
    data = read_toml(path)
    try:
        return build(data)
    except SpecError as error:
        raise SpecError(f"{path}: {error}") from None


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a TOML file.

    Raises:
        SpecError: the file is missing, unreadable, not UTF-8, or not TOML (with the line).
    """
    text = _read(path)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SpecError(f"{path} is not valid TOML: {_toml_problem(error)}. Mend that line and try again.") from None


def dump_spec(spec: ExperimentSpec) -> str:
    """The TOML text of an experiment, every field written out; :func:`load_spec` gives back an equal spec."""
    data = spec.model_dump(mode="json")
    top = {name: value for name, value in data.items() if name not in PARTS}
    pieces = [_HEADER, tomli_w.dumps(top)]
    for part in PARTS:
        about = textwrap.wrap(type(getattr(spec, part)).__doc__ or "", width=118)
        choices = list(variants(part))
        if len(choices) > 1:
            about.append(f"{discriminator(part)}: {' | '.join(choices)}")
        comment = "".join(f"# {line}\n" for line in about)
        tag = discriminator(part)
        fields = ({tag: data[part][tag]} if tag else {}) | data[part]  # the variant first, as a person reads it
        pieces.append(comment + tomli_w.dumps({part: fields}))
    return "\n".join(pieces)


def build(data: Mapping[str, Any]) -> ExperimentSpec:
    """An experiment from nested mappings, as TOML and JSON give them.

    A part whose variant is not named (``[model]`` without ``family``) is of the default variant.

    Raises:
        SpecError: one sentence for each problem, one a line, each with the field, its value and what is allowed.
    """
    filled = {name: _with_variant(name, value) for name, value in data.items()}
    try:
        return ExperimentSpec.model_validate(filled)
    except ValidationError as error:
        raise SpecError("\n".join(_sentences(error, filled))) from None


def apply_overrides(spec: ExperimentSpec, overrides: Iterable[str]) -> ExperimentSpec:
    """A copy of ``spec`` with fields changed by texts such as ``"model.width=256"`` or ``"seed=3"``.

    Values are written as in TOML; quotes around text may be left out. Changing a variant (``"model.family=cnn"``)
    keeps what :func:`engine.specs.carried` says and takes the new variant's defaults for the other fields (what that comes
    to: :func:`carrying_notes`). Of two
    overrides of one field the later holds.

    Raises:
        SpecError: an override that is not ``field=value``, an unknown field, or a value out of range.
    """
    data = spec.model_dump(mode="json")
    changes = [_split(text) for text in overrides]
    # variants first: which fields exist depends on them
    for part, field, value in sorted(changes, key=lambda change: not _is_variant(change)):
        if _is_variant((part, field, value)):
            data[part] = _changed_variant(part, data[part], value)
        elif part:
            data[part][field] = _parse(value, _kind(_spec_class(part, data[part]), field))
        else:
            data[field] = _parse(value, _kind(ExperimentSpec, field))
    return build(data)


def carrying_notes(spec: ExperimentSpec, overrides: Iterable[str]) -> list[str]:
    """What :func:`apply_overrides` keeps and drops where it changes a variant, a sentence for each part.

    Only settings that were written for ``spec`` are named, not defaults nor those that an override sets anyway. To be
    asked of overrides that were applied without an error.
    """
    notes = []
    changes = [_split(text) for text in overrides]
    for part in dict.fromkeys(part for part, field, value in changes if _is_variant((part, field, value))):
        old = getattr(spec, part)
        tag = discriminator(part)
        name = [str(_parse(value, "choice")) for p, field, value in changes if (p, field) == (part, tag)][-1]
        new = variants(part)[name]
        if new is type(old):
            continue
        overridden = {tag, *(field for p, field, _ in changes if p == part)}
        kept = carried(old, new)
        lines: dict[bool, list[str]] = {True: [], False: []}
        for field, value in old.model_dump(mode="json").items():
            if field in old.model_fields_set and field not in overridden:
                lines[field in kept].append(f"{field} = {_shown(value)}")
        said = [
            f"{verb} {', '.join(lines[held])}" for held, verb in ((True, "kept"), (False, "dropped")) if lines[held]
        ]
        if said:
            what = f"{part}.{tag} = {name!r} in place of {getattr(old, tag)!r}"
            notes.append(f"{what}: {'; '.join(said)}. What is not kept takes its default.")
    return notes


# --- files ---------------------------------------------------------------------------------------------------


def _read(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise SpecError(f"There is no file {path}. Check the name and the folder.") from None
    except IsADirectoryError:
        raise SpecError(f"{path} is a folder. Name the TOML file inside it.") from None
    except OSError as error:
        raise SpecError(f"{path} cannot be read: {error.strerror or error}. Check its permissions.") from None
    if raw.startswith(b"SQLite format 3\0"):
        raise SpecError(
            f"{path} is a saved session or sweep, not an experiment. Name its TOML file: python main.py export {path} writes its "
            "settings as TOML."
        )
    try:
        return raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise SpecError(f"{path} is not UTF-8 text (line {line}). Save it as UTF-8 in your editor.") from None


def _toml_problem(error: tomllib.TOMLDecodeError) -> str:
    """The parser's message with the place first: ``line 3, column 5: invalid value``."""
    message = str(error)
    place = re.search(r" \(at (.*)\)$", message)
    if place is None:
        return message
    what = message[: place.start()]
    return f"{place[1]}: {what[:1].lower()}{what[1:]}"


# --- overrides -----------------------------------------------------------------------------------------------


def _split(text: str) -> tuple[str, str, str]:
    """``"model.width=256"`` as ("model", "width", "256"); a field of the experiment itself has the part ""."""
    name, equals, value = text.partition("=")
    part, dot, field = name.strip().rpartition(".")
    if not equals or not field:
        raise SpecError(f"{text!r} is not an override. Write field=value, as in model.width=256.")
    if not dot and field in PARTS:
        raise SpecError(f"{field} is a section. Set one of its fields, as in {field}.{_example_field(field)}=….")
    if dot and part not in PARTS:
        raise SpecError(f"{part} is not a section.{_closest(part, PARTS)} The sections are {', '.join(PARTS)}.")
    return part, field, value.strip()


def _is_variant(change: tuple[str, str, str]) -> bool:
    part, field, _ = change
    return bool(part) and field == discriminator(part)


def _changed_variant(part: str, old: Mapping[str, Any], value: str) -> dict[str, Any]:
    tag = discriminator(part)
    chosen = str(_parse(value, "choice"))
    new, current = variants(part).get(chosen), _spec_class(part, old)
    if new is None or current is None:
        return {tag: chosen}  # build() says what the choices are
    if new is current:
        return dict(old)
    return carried(current.model_validate(old), new) | {tag: chosen}


def _parse(value: str, kind: str) -> Any:
    """The value as TOML reads it; what TOML cannot read, and anything but a quoted text for a text field, as it is."""
    try:
        parsed = tomllib.loads(f"value = {value}")["value"]
    except (tomllib.TOMLDecodeError, KeyError):
        return value
    return value if kind in ("str", "choice") and not isinstance(parsed, str) else parsed


def _kind(cls: type[Spec] | None, field: str) -> str:
    return next((each.kind for each in parameters(cls) if each.name == field), "") if cls else ""


def _example_field(part: str) -> str:
    return parameters(next(iter(variants(part).values())))[0].name


# --- errors --------------------------------------------------------------------------------------------------


def _with_variant(name: str, value: Any) -> Any:
    tag = discriminator(name) if name in PARTS else ""
    if not tag or not isinstance(value, Mapping) or tag in value:
        return value
    return {tag: getattr(ExperimentSpec.model_fields[name].default, tag), **value}


def _spec_class(part: str, value: Any) -> type[Spec] | None:
    """The class that stands for a part, by the variant that the data names."""
    if not part:
        return ExperimentSpec
    named = value.get(discriminator(part), "") if isinstance(value, Mapping) else ""
    return variants(part).get(named) if isinstance(named, str) else None


def _sentences(error: ValidationError, data: Mapping[str, Any]) -> Iterator[str]:
    for problem in error.errors(include_url=False):
        location = [str(each) for each in problem["loc"]]
        part = location[0] if location and location[0] in PARTS else ""
        if part and len(location) > 1 and location[1] in variants(part):
            del location[1]  # pydantic names the variant between the part and the field
        cls = _spec_class(part, data.get(part)) if part else ExperimentSpec
        yield _sentence(problem, part, location, cls)


def _sentence(problem: Any, part: str, location: list[str], cls: type[Spec] | None) -> str:
    kind: str = problem["type"]
    name, value, context = ".".join(location), problem["input"], problem.get("ctx", {})
    field = location[-1] if location else ""
    known = next((each for each in parameters(cls) if each.name == field), None) if cls else None
    match kind:
        case "extra_forbidden":
            return _unknown_field(part, name, field, cls)
        case "union_tag_invalid":
            tag, choices = discriminator(part), list(variants(part))
            return _not_a_choice(f"{part}.{tag}", value.get(tag) if isinstance(value, Mapping) else value, choices)
        case "literal_error" if known is not None:
            if field == "goal" and cls is not None and value in get_args(Goal):
                return _no_such_goal(name, value, cls, [each for each, _ in known.choices])
            return _not_a_choice(name, value, [each for each, _ in known.choices])
        case "value_error":
            return f"{name or 'The experiment'}: {context['error']}."
        case _ if location == [part] and not isinstance(value, Mapping):
            return f"{name} is {_shown(value)}: must be a section of fields, written under [{part}]."
    wrong = _WRONG.get(kind, "")
    text = wrong.format(**context) if wrong else problem["msg"][:1].lower() + problem["msg"][1:]
    return f"{name} is {_shown(value)}: {text}.{_allowed(known)}"


_WRONG = {
    "greater_than_equal": "must be at least {ge:g}",
    "greater_than": "must be above {gt:g}",
    "less_than_equal": "must be at most {le:g}",
    "less_than": "must be below {lt:g}",
    "finite_number": "must be a finite number",
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_parsing_size": "must be a smaller whole number",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "string_type": "must be text in quotes",
    "string_unicode": "must be valid Unicode text",
    "string_too_long": "must have at most {max_length} characters",
}


def _unknown_field(part: str, name: str, field: str, cls: type[Spec] | None) -> str:
    fields = list(cls.model_fields) if cls else []
    near = _closest(field, fields)
    # a right name under the wrong variant deserves better than the nearest name of this one
    tag = discriminator(part) if part else ""
    owners = [value for value, each in variants(part).items() if field in each.model_fields] if tag else []
    if owners:
        near = f" It belongs to {part}.{tag} = {' or '.join(repr(each) for each in owners)}."
    where = f"[{part}]" if part else "the experiment"
    return f"{name} is unknown.{near} The fields of {where} are {', '.join(fields)}."


def _not_a_choice(name: str, value: Any, choices: list[str]) -> str:
    return f"{name} is {_shown(value)}: must be one of {', '.join(choices)}.{_closest(str(value), choices)}"


def _no_such_goal(name: str, value: str, cls: type[Spec], goals: list[str]) -> str:
    """Other attacks have this goal, and this one does not."""
    title = getattr(cls, "title", "this attack")
    if value == "untargeted":
        return (
            f"{name} is 'untargeted': {title} has no untargeted form: it always heads for a class. "
            f"Set {name} to one of {', '.join(goals)}, or choose another attack."
        )
    return (
        f"{name} is {value!r}: {title} has no targeted form: its goal is 'untargeted'. "
        f"Leave {name} out, or choose an attack that can head for a class."
    )


def _closest(word: str, choices: Iterable[str]) -> str:
    lowered = {each.lower(): each for each in choices}
    near = difflib.get_close_matches(word.lower(), lowered, n=1)
    return f" Did you mean {lowered[near[0]]}?" if near else ""


def _allowed(field: Parameter | None) -> str:
    """What to do, from the field's range: ``" Set a value in [0, 1000]."``"""
    if field is None or field.kind not in ("int", "float"):
        return ""
    low, high = field.minimum, field.maximum
    if low is not None and high is not None:
        opening, closing = "(" if field.exclusive_minimum else "[", ")" if field.exclusive_maximum else "]"
        return f" Set a value in {opening}{low:g}, {high:g}{closing}."
    if low is not None:
        return f" Set a value {'above' if field.exclusive_minimum else 'of at least'} {low:g}."
    if high is not None:
        return f" Set a value {'below' if field.exclusive_maximum else 'of at most'} {high:g}."
    return ""


def _shown(value: Any) -> str:
    text = ("true" if value else "false") if isinstance(value, bool) else repr(value)
    return text if len(text) <= 60 else text[:57] + "…"
