"""What the program remembers between starts. One bad key never blocks a start: it falls back to its default.

The file is plain JSON with a version. A file of a newer version is read for the keys that are known and kept
whole: keys that are not known are written back as they were.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from engine.paths import settings_file

VERSION = 1
RECENT_LIMIT = 12


@dataclass(frozen=True)
class Values:
    """Everything that is remembered, with its defaults."""

    theme: str = "system"  # "system", "dark" or "light"
    text_scale: float = 1.0  # 0.8 to 2
    geometry: str = ""  # of the window, base64 of Qt's own bytes
    layout: str = ""  # of the docks, base64 of Qt's own bytes
    step: str = "data"  # where in the rail the person was
    recent: tuple[str, ...] = ()  # session files, latest first
    folder: str = ""  # where the last file was opened or saved
    workers: int = 0  # processes of a sweep; 0: as many as cores and memory allow
    scheduler: str = ""  # address of the scheduler that sweeps are sent to


def _one_of(*allowed: str) -> Callable[[Any], bool]:
    return lambda value: value in allowed


_IS_GOOD: dict[str, Callable[[Any], bool]] = {
    "theme": _one_of("system", "dark", "light"),
    "text_scale": lambda v: isinstance(v, int | float) and not isinstance(v, bool) and 0.8 <= v <= 2,
    "geometry": lambda v: isinstance(v, str),
    "layout": lambda v: isinstance(v, str),
    "step": lambda v: isinstance(v, str),
    "recent": lambda v: isinstance(v, list | tuple) and all(isinstance(item, str) for item in v),
    "folder": lambda v: isinstance(v, str),
    "workers": lambda v: isinstance(v, int) and not isinstance(v, bool) and 0 <= v <= 1024,
    "scheduler": lambda v: isinstance(v, str) and len(v) <= 300,
}


class Settings:
    """The settings file in memory. ``problems`` holds a sentence for everything that could not be read."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or settings_file()
        self.problems: list[str] = []
        self._others: dict[str, Any] = {}  # keys of another version, kept as they are
        self._values = self._read()

    @property
    def values(self) -> Values:
        return self._values

    def update(self, **changes: Any) -> None:
        """Change values in memory; :meth:`save` writes them. Raises ValueError for a value that is not allowed."""
        for name, value in changes.items():
            if not _IS_GOOD[name](value):
                raise ValueError(f"{value!r} is not a setting for {name}")
        self._values = replace(self._values, **changes)

    def save(self) -> None:
        """Write the file, replacing the old one at once, so that it is never half written. Raises OSError."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        known = {field.name: getattr(self._values, field.name) for field in fields(Values)}
        text = json.dumps({**self._others, "version": VERSION, **known}, indent=2, ensure_ascii=False)
        temporary = self.path.with_name(self.path.name + ".new")
        temporary.write_text(text + "\n", encoding="utf-8")
        temporary.replace(self.path)

    # --- recent files ----------------------------------------------------------------------------------------

    def recent(self) -> list[Path]:
        """Session files opened or saved lately, latest first; what is gone is dropped."""
        there = tuple(name for name in self._values.recent if Path(name).is_file())
        if there != tuple(self._values.recent):
            self.update(recent=there)
        return [Path(name) for name in there]

    def add_recent(self, path: Path) -> None:
        """Put a file at the front of the recent ones."""
        name = str(Path(path).absolute())
        rest = tuple(other for other in self._values.recent if other != name)
        self.update(recent=(name, *rest)[:RECENT_LIMIT], folder=str(Path(name).parent))

    def clear_recent(self) -> None:
        """Forget the recent files."""
        self.update(recent=())

    # --- reading ---------------------------------------------------------------------------------------------

    def _read(self) -> Values:
        try:
            found = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return Values()
        except (OSError, ValueError) as error:
            self.problems.append(f"The settings in {self.path} could not be read ({error}); defaults are used.")
            return Values()
        if not isinstance(found, dict):
            self.problems.append(f"The settings in {self.path} are not a table; defaults are used.")
            return Values()
        known = {field.name for field in fields(Values)}
        self._others = {key: value for key, value in found.items() if key not in known and key != "version"}
        good: dict[str, Any] = {}
        for key in known & found.keys():
            value = found[key]
            if _IS_GOOD[key](value):
                good[key] = tuple(value) if key == "recent" else value
            else:
                self.problems.append(f"The setting “{key}” in {self.path} is not usable; its default is used.")
        return Values(**good)
