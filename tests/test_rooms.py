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


def private_reaches(source: str) -> list[str]:
    """Where a source uses an attribute that begins with "_" of anything but the object or class at hand."""
    own = {"self", "cls", "super()"}
    tree = ast.parse(source)
    classes = {node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    return [
        f"line {node.lineno}: {ast.unparse(node)}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr.startswith("_")
        and not node.attr.startswith("__")
        and ast.unparse(node.value) not in own | classes
    ]


def test_what_is_private_to_a_part_of_the_window_stays_so() -> None:
    assert private_reaches("def f(panel):\n    return panel._frame_shown") == ["line 2: panel._frame_shown"]
    reached = {
        str(path.relative_to(ROOT)): found
        for path in (ROOT / "gui").rglob("*.py")
        if (found := private_reaches(path.read_text(encoding="utf-8")))
    }
    assert reached == {}
