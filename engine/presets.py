"""Attacks ready to use, as papers and benchmarks run them: small TOML files in ``resources/presets/attacks``.

A file holds a title, a one-line reason, its source (authors and year), and an ``[attack]`` table. What the table leaves
out takes the attack's defaults; the number of samples stays the person's own unless the table names it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import SpecError
from engine.paths import RESOURCES
from engine.spec_files import build, read_toml
from engine.specs import AttackSpec, variants

FOLDER = RESOURCES / "presets" / "attacks"
_TEXTS = ("title", "reason", "source")


@dataclass(frozen=True)
class Preset:
    """One attack with all its settings, and why these."""

    key: str
    """The file's name without its ending."""
    title: str
    reason: str
    source: str
    spec: AttackSpec
    sets_samples: bool

    @property
    def authors(self) -> str:
        """Who ran it so, and when: the source up to its year, as in "Croce & Hein 2020"."""
        dated = re.match(r".*?\b(?:19|20)\d\d\b", self.source)
        return dated[0] if dated else self.source

    @property
    def budget(self) -> str:
        """Its norm and how large: "L∞ 8/255", "smallest L2"; "" where it has neither."""
        norm = {"Linf": "L∞"}.get(name := getattr(self.spec, "norm", ""), name)
        if self.spec.minimal:
            return f"smallest {norm}"
        eps = getattr(self.spec, "eps", None)
        return norm if eps is None else f"{norm} {_in_levels(eps)}"

    def applied_to(self, current: AttackSpec) -> AttackSpec:
        """The attack to use in place of ``current``, which keeps its number of samples unless the preset names one."""
        return self.spec if self.sets_samples else self.spec.model_copy(update={"samples": current.samples})


def _in_levels(eps: float) -> str:
    """As papers write it: a whole number of the 255 grey levels as a fraction, unless it is a round decimal."""
    levels = round(eps * 255)
    return f"{levels}/255" if abs(eps * 255 - levels) < 1e-6 and eps != float(f"{eps:.2g}") else f"{eps:g}"


def attack_presets(folder: Path = FOLDER) -> tuple[Preset, ...]:
    """Every preset of a folder, in the order of the attacks and then of the files' names.

    Raises:
        SpecError: a file cannot be read, a text is missing, or the attack's settings are not valid.
    """
    order = list(variants("attack"))
    found = [read_preset(path) for path in sorted(folder.glob("*.toml"))]
    return tuple(sorted(found, key=lambda preset: order.index(preset.spec.method)))


def read_preset(path: Path) -> Preset:
    """One preset file.

    Raises:
        SpecError: the file cannot be read, a text is missing or empty, or the attack's settings are not valid.
    """
    data = read_toml(path)
    try:
        return _preset(path.stem, data)
    except SpecError as error:
        raise SpecError(f"{path}: {error}") from None


def _preset(key: str, data: Mapping[str, Any]) -> Preset:
    if unknown := [name for name in data if name not in (*_TEXTS, "attack")]:
        raise SpecError(f"{unknown[0]} is unknown. A preset has {', '.join(_TEXTS)} and a section [attack].")
    for name in _TEXTS:
        if not isinstance(data.get(name), str) or not data[name].strip():
            raise SpecError(f"{name} is missing: write {name} = and a text in quotes.")
    attack = data.get("attack")
    if not isinstance(attack, Mapping) or "method" not in attack:
        raise SpecError("The attack is missing: write a section [attack] with method = and its settings.")
    spec = build({"attack": attack}).attack
    return Preset(key, data["title"], data["reason"], data["source"], spec, "samples" in attack)
