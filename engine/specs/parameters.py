"""What forms and the command line read of a spec class: its fields, with names, ranges and help."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt

from engine.specs.base import Spec


@dataclass(frozen=True)
class Parameter:
    """One field of a spec as a form or a command line shows it."""

    name: str
    label: str
    kind: Literal["bool", "int", "float", "str", "choice"]
    default: Any
    help: str
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    exclusive_minimum: bool = False
    exclusive_maximum: bool = False
    choices: tuple[tuple[str, str], ...] = ()
    advanced: bool = False
    widget: str = ""

    @property
    def range_text(self) -> str:
        """The allowed values in words, for help and errors."""
        if self.kind == "choice":
            return " | ".join(value for value, _ in self.choices)
        low = "" if self.minimum is None else f"{'>' if self.exclusive_minimum else '>='} {self.minimum:g}"
        high = "" if self.maximum is None else f"{'<' if self.exclusive_maximum else '<='} {self.maximum:g}"
        return ", ".join(part for part in (low, high) if part)

    def allows(self, value: float) -> bool:
        """Whether a number lies in the range."""
        low, high = self.minimum, self.maximum
        if low is not None and (value <= low if self.exclusive_minimum else value < low):
            return False
        return high is None or (value < high if self.exclusive_maximum else value <= high)


def parameters(spec: type[Spec]) -> tuple[Parameter, ...]:
    """The editable fields of a spec class, in order; nested specs and the discriminator are left out."""
    return tuple(_parameters(spec))


def _parameters(spec: type[Spec]) -> Iterator[Parameter]:
    for name, field in spec.model_fields.items():
        shown = field.json_schema_extra
        if not isinstance(shown, dict):
            continue
        names: Any = shown.get("choices") or {}
        limits: dict[str, Any] = {}
        for rule in field.metadata:
            match rule:
                case Ge(ge=v):
                    limits["minimum"] = v
                case Gt(gt=v):
                    limits.update(minimum=v, exclusive_minimum=True)
                case Le(le=v):
                    limits["maximum"] = v
                case Lt(lt=v):
                    limits.update(maximum=v, exclusive_maximum=True)
        is_choice = get_origin(field.annotation) is Literal
        kinds: dict[Any, Any] = {bool: "bool", int: "int", float: "float", str: "str"}
        yield Parameter(
            name=name,
            label=str(shown.get("label") or name),
            kind="choice" if is_choice else kinds[field.annotation],
            default=field.default,
            help=field.description or "",
            unit=str(shown.get("unit") or ""),
            choices=tuple((v, names.get(v, v)) for v in get_args(field.annotation)) if is_choice else (),
            advanced=bool(shown.get("advanced")),
            widget=str(shown.get("widget") or ""),
            **limits,
        )
