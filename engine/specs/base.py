"""What every spec is made of: a field with what the form shows of it, and the frozen base class."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


def param(
    default: Any,
    help: str,
    *,
    label: str | None = None,
    unit: str = "",
    advanced: bool = False,
    widget: str = "",
    choices: dict[str, str] | None = None,
    **limits: Any,
) -> Any:
    """A spec field: a default, one line of help, and what the form shows (label, unit, names of the choices)."""
    shown: dict[str, Any] = {
        "label": label,
        "unit": unit,
        "advanced": advanced,
        "widget": widget,
        "choices": choices or {},
    }
    return Field(default=default, description=help, json_schema_extra=shown, **limits)


class Spec(BaseModel):
    """Base of all specs: frozen, no unknown fields, no NaN, defaults validated."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True)
