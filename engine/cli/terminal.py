"""What the commands share: where they write, what they say on standard output, and Ctrl-C."""

from __future__ import annotations

import argparse
import json
import math
import os
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from engine.errors import UserError


def add_json(parser: argparse.ArgumentParser, what: str = "a summary") -> None:
    """The option ``--json``: nothing else then goes to standard output."""
    parser.add_argument("--json", action="store_true", help=f"print {what} as JSON on standard output")


def wants_json(arguments: Sequence[str]) -> bool:
    """Whether words that cannot be read as a command ask for JSON, also where --json is cut short as argparse allows."""
    return any(len(word) > 2 and "--json".startswith(word) for word in arguments)


def write_json(options: argparse.Namespace, value: Any) -> None:
    """Print ``value`` where ``--json`` was given. It is one text; it is not printed twice.

    JSON has no NaN and no infinities: they are null. Letters beyond ASCII are escaped, for terminals that lack them.
    """
    if options.json and not getattr(options, "told", False):
        options.told = True
        with to_standard_output():
            sys.stdout.write(json.dumps(_plain(value), indent=2, allow_nan=False) + "\n")


def tell_json(options: argparse.Namespace, error: str) -> None:
    """Print what went wrong where ``--json`` was given; if that cannot be printed, standard error has it all the same."""
    with suppress(UserError):
        write_json(options, {"error": error})


@contextmanager
def to_standard_output() -> Iterator[None]:
    """What is printed here goes out at its end.

    Raises:
        UserError: it cannot: the disk that it goes to is full, or whoever was to read it is gone.
    """
    try:
        yield
        sys.stdout.flush()
    except OSError as error:
        with suppress(OSError, ValueError), open(os.devnull, "wb") as nowhere:  # noqa: PTH123
            os.dup2(nowhere.fileno(), sys.stdout.fileno())  # else Python tries it once more when it ends
        raise UserError(f"Standard output was not written: {error.strerror or error}.") from error


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, str | int) else str(value)


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
