"""Where the program keeps its own files on this system. ``RAPIDITY_LAB_HOME`` moves all of them to one folder."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import appdirs

APP = "rapidity-lab"
HOME_VARIABLE = "RAPIDITY_LAB_HOME"  # one folder for everything, as tests and portable installations want
RESOURCES = Path(__file__).resolve().parent.parent / "resources"


def settings_file() -> Path:
    """The settings file; neither it nor its folder need be there yet."""
    return _folder(appdirs.user_config_dir) / "settings.json"


def working_copies() -> Path:
    """Folder in which open sessions live until they are saved; it need not be there yet."""
    return _folder(appdirs.user_data_dir) / "sessions"


def sweeps_folder() -> Path:
    """Folder in which the window keeps the sweeps that it runs; it need not be there yet."""
    return _folder(appdirs.user_data_dir) / "sweeps"


def _folder(default: Callable[..., str]) -> Path:
    home = os.environ.get(HOME_VARIABLE)
    return Path(home) if home else Path(default(APP, appauthor=False))
