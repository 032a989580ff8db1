"""Where the program keeps what belongs to the person: settings, and working copies of open sessions."""

from __future__ import annotations

import os
from pathlib import Path

import appdirs

APP = "rapidity-lab"
HOME_VARIABLE = "RAPIDITY_LAB_HOME"  # one folder for everything, as tests and portable installations want


def config_dir() -> Path:
    """The folder of the settings. Not made here."""
    home = os.environ.get(HOME_VARIABLE)
    return Path(home) if home else Path(appdirs.user_config_dir(APP, appauthor=False))


def data_dir() -> Path:
    """The folder of the working copies. Not made here."""
    home = os.environ.get(HOME_VARIABLE)
    return (Path(home) if home else Path(appdirs.user_data_dir(APP, appauthor=False))) / "sessions"


def settings_file() -> Path:
    """The settings file."""
    return config_dir() / "settings.json"
