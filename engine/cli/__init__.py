"""The command line: what the window does, without a display. One file a command.

Exit codes: 0 done, 1 a bug of the program, 2 a mistake in the command or its input, 130 interrupted with Ctrl-C
(what was done by then is saved).
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from rich.console import Console
from rich.markup import escape

from engine.cli import attacks, report, run, sweep
from engine.cli.terminal import tell_json, wants_json
from engine.errors import UserError
from engine.paths import RESOURCES

COMMANDS = ("run", "sweep", "report", "export", "attacks")


def main(arguments: Sequence[str]) -> int:
    """Run one command; returns the exit code. With --json, standard output holds one JSON text and nothing else."""
    try:
        options = _parser().parse_args(arguments)
    except SystemExit as end:
        if isinstance(end.__cause__, _Mistake):
            tell_json(argparse.Namespace(json=wants_json(arguments)), str(end.__cause__))
        raise
    console = Console(stderr=True)
    try:
        code: int = options.command(options, console)
    except UserError as error:
        tell_json(options, str(error))
        console.print(f"[red]{escape(str(error))}[/red]", soft_wrap=True)
        return 2
    except KeyboardInterrupt:
        tell_json(options, "Interrupted.")
        return 130
    except Exception as error:  # a bug: its traceback follows
        tell_json(options, f"This is a bug of Rapidity Lab: {type(error).__name__}: {error}")
        raise
    return code


def no_command(arguments: Sequence[str]) -> int:
    """Say that the first word is neither a command nor a file; returns the exit code."""
    said = f"There is no command or file “{arguments[0]}”. See python main.py --help."
    tell_json(argparse.Namespace(json=wants_json(arguments)), said)
    Console(stderr=True).print(escape(said), soft_wrap=True, highlight=False)
    return 2


class _Mistake(Exception):
    """What is wrong with the command's words."""


class _Parser(argparse.ArgumentParser):
    """Ends as argparse does, and says why as the cause."""

    def error(self, message: str) -> NoReturn:
        try:
            super().error(message)
        except SystemExit as end:
            raise end from _Mistake(message)


def ready_example() -> Path:
    """The experiment that a first start opens."""
    return RESOURCES / "examples" / "digits-takeover.toml"


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python main.py",
        description="Rapidity Lab. Without a command the window opens, on FILE if one is given.",
    )
    commands = parser.add_subparsers(required=True, metavar=" | ".join(COMMANDS))
    for each in (run, sweep, report, attacks):
        each.add(commands)
    return parser
