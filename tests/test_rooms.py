"""The rooms at run time: import-linter reads what each file names, this sees what is loaded in the end, by whatever way."""

from __future__ import annotations

import ast
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


@pytest.mark.parametrize(
    "file", ["main_window.py", *(f"window/{p.name}" for p in (ROOT / "gui" / "window").glob("*.py"))]
)
def test_no_part_of_the_window_reaches_into_another(file: str) -> None:
    tree = ast.parse((ROOT / "gui" / file).read_text(encoding="utf-8"))
    reached = [
        f"line {node.lineno}: {ast.unparse(node)}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr.startswith("_")
        and not node.attr.startswith("__")
        and ast.unparse(node.value) != "self"
    ]
    assert reached == []
