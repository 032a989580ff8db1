"""Every attack there is, as a list to choose from: its name, group, norms, settings and source, read off its spec."""

from __future__ import annotations

import difflib
import inspect
import re
from dataclasses import dataclass
from typing import Any

from engine.errors import SpecError
from engine.specs import AttackSpecBase, Parameter, Spec, parameters, variants

_DATED = re.compile(r"\(([^()]*\b(?:19|20)\d\d\b[^()]*)\)")  # what stands in parentheses and names a year


@dataclass(frozen=True)
class Attack:
    """One attack as a list shows it."""

    method: str
    """What ``attack.method`` is set to."""
    title: str
    family: str
    norms: tuple[tuple[str, str], ...]
    """Value and name of each norm that it knows; empty where it has no norm."""
    minimal: bool
    gradient_free: bool
    help: str
    """What it does, in a sentence, with its source."""
    source: str
    """Authors and year."""
    details: str
    """What else its spec says of it; "" where that is all."""
    parameters: tuple[Parameter, ...]

    def as_json(self) -> dict[str, Any]:
        """Plain values for a program to read."""
        settings = [
            {
                "name": p.name,
                "default": p.default,
                "allowed": p.range_text,
                "unit": p.unit,
                "help": p.help,
            }
            for p in self.parameters
        ]
        return {
            "method": self.method,
            "title": self.title,
            "family": self.family,
            "norms": [value for value, _ in self.norms],
            "minimal": self.minimal,
            "gradient_free": self.gradient_free,
            "help": self.help,
            "source": self.source,
            "details": self.details,
            "parameters": settings,
        }


def attacks() -> tuple[Attack, ...]:
    """Every attack, family by family, in the order in which the families and their attacks are declared."""
    found = [_attack(method, cls) for method, cls in variants("attack").items() if issubclass(cls, AttackSpecBase)]
    families = list(dict.fromkeys(attack.family for attack in found))
    return tuple(sorted(found, key=lambda attack: families.index(attack.family)))


def attack_named(name: str) -> Attack:
    """The attack of a method or a title, in capitals or not.

    Raises:
        SpecError: there is none.
    """
    known = {key.casefold(): attack for attack in attacks() for key in (attack.title, attack.method)}
    found = known.get(name.casefold())
    if found is None:
        near = difflib.get_close_matches(name.casefold(), known, n=1)
        hint = f" Did you mean {known[near[0]].method}?" if near else ""
        raise SpecError(f"There is no attack {name!r}.{hint} The attacks are {', '.join(variants('attack'))}.")
    return found


def summary(cls: type[Spec]) -> str:
    """The first paragraph of what a spec class says about itself, on one line."""
    return _paragraphs(cls)[0]


def details(cls: type[Spec]) -> str:
    """What a spec class says about itself after its first paragraph; "" where that is all."""
    return " ".join(_paragraphs(cls)[1:])


def _paragraphs(cls: type[Spec]) -> list[str]:
    return [" ".join(text.split()) for text in (inspect.getdoc(cls) or "").split("\n\n")]


def _attack(method: str, cls: type[AttackSpecBase]) -> Attack:
    fields = parameters(cls)
    help = summary(cls)
    return Attack(
        method=method,
        title=cls.title,
        family=cls.family,
        norms=next((field.choices for field in fields if field.name == "norm"), ()),
        minimal=cls.minimal,
        gradient_free=cls.gradient_free,
        help=help,
        source="; ".join(_DATED.findall(help)),
        details=details(cls),
        parameters=fields,
    )
