"""What was measured to matter about the libraries and the imports (docs of each pin: pyproject.toml)."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CALLS = 20_000

LABELS = f"""
import os, sys
os.environ["QT_QPA_PLATFORM"] = "offscreen"
from PySide6.QtWidgets import QApplication, QLabel
app = QApplication([])
label = QLabel()
before = sys.getrefcount(None)
for number in range({CALLS}):
    label.setText("a")
print(before - sys.getrefcount(None))
"""

NO_TORCH = """
import importlib, pkgutil, sys
package = importlib.import_module(sys.argv[1])
names = [sys.argv[1]]
if hasattr(package, "__path__"):
    names += [found.name for found in pkgutil.walk_packages(package.__path__, sys.argv[1] + ".")]
for name in names:
    importlib.import_module(name)
heavy = sorted({"torch", "sklearn", "scipy", "matplotlib"} & set(sys.modules))
print(len(names), *heavy)
"""


def run(code: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_calls_that_return_nothing_keep_their_references_to_none() -> None:
    """PySide6 6.12.0 drops one with every call and ends with "none_dealloc" on CPython 3.11."""
    assert abs(int(run(LABELS))) < CALLS // 100


@pytest.mark.parametrize("name", ["torch", "PySide6-Essentials"])
def test_the_versions_that_run_are_the_pinned_ones(name: str) -> None:
    dependencies = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    (pinned,) = [each.split("==")[1] for each in dependencies if each.startswith(f"{name}==")]
    assert version(name).split("+")[0] == pinned


@pytest.mark.parametrize(
    "name",
    [
        "gui",
        "main",
        "engine.specs",
        "engine.spec_files",
        "engine.cli",
        "engine.lab",
        "engine.session",
        "engine.runtime",
    ],
)
def test_importing_it_loads_no_heavy_library(name: str) -> None:
    count, *heavy = run(NO_TORCH, name).split()
    assert heavy == []
    assert int(count) > (20 if name == "gui" else 0)
