"""What the commands share: where they write, what they say on standard output, and Ctrl-C."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from engine.errors import UserError


def add_json(parser: argparse.ArgumentParser, what: str = "a summary") -> None:
    """The option ``--json``: nothing else then goes to standard output."""
    parser.add_argument("--json", action="store_true", help=f"print {what} as JSON on standard output")


def write_json(options: argparse.Namespace, value: Any) -> None:
    """Print ``value`` where ``--json`` was given. It is one text; it is not printed twice."""
    if options.json and not getattr(options, "told", False):
        options.told = True
        sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False, default=_plain) + "\n")
        sys.stdout.flush()


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else str(value)


@contextmanager
def ctrl_c_noted() -> Iterator[list[int]]:
    """Ctrl-C is noted, not raised wherever the program happens to be; pressed once more, it is raised."""
    pressed: list[int] = []

    def note(number: int, _: object) -> None:
        if pressed:
            raise KeyboardInterrupt
        pressed.append(number)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, before)


def folder_of(name: str) -> Path:
    """The folder that --out names, made where it is not there.

    Raises:
        UserError: it cannot be made.
    """
    folder = Path(name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"The folder {folder} cannot be made: {error.strerror}. Choose another with --out.") from error
    return folder
