"""The rooms at run time: import-linter reads what each file names, this sees what is loaded in the end, by whatever way."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
EVERY_MODULE = """
import importlib, pkgutil, sys
room = importlib.import_module({room!r})
for module in pkgutil.walk_packages(room.__path__, {room!r} + "."):
    importlib.import_module(module.name)
print(*sorted({{name.partition(".")[0] for name in sys.modules}} & {forbidden!r}))
"""


@pytest.mark.parametrize(
    ("room", "forbidden"),
    [
        ("engine", {"PySide6", "pyqtgraph", "shiboken6", "gui"}),
        ("gui", {"torch", "galois", "numba"}),
        ("engine.specs", {"torch", "numpy", "PySide6"}),
    ],
)
def test_no_module_of_a_room_loads_what_the_room_must_not_know(room: str, forbidden: set[str]) -> None:
    code = EVERY_MODULE.format(room=room, forbidden=forbidden)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.split() == []
