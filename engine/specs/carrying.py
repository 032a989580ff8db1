"""What stays when another variant of a part is chosen: another network, another attack."""

from __future__ import annotations

from typing import Any

from engine.specs.attacks.common import SHARED, AttackSpecBase
from engine.specs.base import Spec
from engine.specs.parameters import parameters


def carried(old: Spec, new: type[Spec]) -> dict[str, Any]:
    """The values of ``old`` that mean the same in another variant, by field.

    These are the fields that both have, of one kind and without choices that ``new`` does not know; a number may still
    be out of its range there. Of an attack they are the fields that all attacks share: 40 steps of one attack say
    nothing about the steps of another. A budget is kept only together with its norm, and ``stop``, whose default is not
    the same for all, only where it was changed.
    """
    known = {field.name: field for field in parameters(new)}
    kept: dict[str, Any] = {}
    for field in parameters(type(old)):
        other, value = known.get(field.name), getattr(old, field.name)
        if other is None or other.kind != field.kind:
            continue
        if field.kind != "choice" or value in dict(other.choices):
            kept[field.name] = value
    if isinstance(old, AttackSpecBase):
        kept = {name: value for name, value in kept.items() if name in SHARED}
        if "norm" not in kept:
            kept.pop("eps", None)
        if "stop" in kept and kept["stop"] == type(old).model_fields["stop"].default:
            del kept["stop"]
    return kept
