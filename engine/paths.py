"""Where the program keeps its own files on this system. ``RAPIDITY_LAB_HOME`` moves all of them to one folder."""

from __future__ import annotations

import os
from pathlib import Path

import appdirs

APP = "rapidity-lab"
RESOURCES = Path(__file__).resolve().parent.parent / "resources"


def _home(default: str, name: str) -> Path:
    moved = os.environ.get("RAPIDITY_LAB_HOME")
    return Path(moved) / name if moved else Path(default)


def config_dir() -> Path:
    """Folder of the settings file; it need not exist yet."""
    return _home(appdirs.user_config_dir(APP, appauthor=False), "config")


def working_copies() -> Path:
    """Folder in which open sessions live until they are saved; it need not exist yet."""
    return _home(appdirs.user_data_dir(APP, appauthor=False), "data") / "sessions"
