"""Take the pictures of docs/sweeps.md: the figures of the two ready sweeps.

``python -m docs.sweep_pictures [NAME ...]`` runs the sweeps that are named, all if none is, and writes
docs/pictures/sweeps/NAME-FIGURE.png. Real MNIST is read from the folder in RAPIDITY_MNIST. A few minutes.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from engine.cli import main as command_line
from engine.paths import RESOURCES

FOLDER = Path(__file__).parent / "pictures" / "sweeps"
SWEEPS = {"linear": ("sweep-linear-depth", ("geometry",)), "mnist": ("sweep-mnist-relu", ("geometry", "scatter"))}
"""The ready example of each, and which of its figures are shown."""


def take(name: str) -> None:
    """Run one sweep and keep its figures."""
    example, figures = SWEEPS[name]
    settings: Sequence[str] = ()
    if name == "mnist":
        folder = os.environ.get("RAPIDITY_MNIST")
        if not folder:
            raise SystemExit("mnist: set RAPIDITY_MNIST to the folder of its IDX files")
        settings = ("--set", f"dataset.folder={folder}")
    with tempfile.TemporaryDirectory() as out:
        ran = command_line(["sweep", str(RESOURCES / "examples" / f"{example}.toml"), "--out", out, "--yes", *settings])
        if ran or command_line(["export", f"{out}/{example}.sweep", "--out", out, "--figures"]):
            raise SystemExit(f"{name}: the sweep did not end well")
        FOLDER.mkdir(parents=True, exist_ok=True)
        for figure in figures:
            shutil.copyfile(f"{out}/figures/{figure}.png", FOLDER / f"{name}-{figure}.png")


if __name__ == "__main__":
    for each in sys.argv[1:] or SWEEPS:
        take(each)
