"""The one entry point: ``python main.py [FILE]`` opens the window, ``python main.py run …`` works without one."""

from __future__ import annotations

import os
import socket
import sys
from contextlib import suppress


def main(arguments: list[str]) -> int:
    """Hand over to the command line or to the window; returns the exit code."""
    from engine.cli import COMMANDS

    if arguments and arguments[0] in (*COMMANDS, "-h", "--help"):
        from engine.cli import main as command_line

        return command_line(arguments)
    if arguments and not is_file_argument(arguments[0]):
        from engine.cli import no_command

        return no_command(arguments)
    if not has_display():
        if arguments:
            print("No display here to open a window on. See python main.py report --help.", file=sys.stderr)
            return 2
        from engine.cli import main as command_line
        from engine.cli import ready_example

        print("No display here: running the ready example without a window; results go to out/.", file=sys.stderr)
        return command_line(["run", str(ready_example()), "--out", "out"])
    from gui.app import main as window

    return window(arguments)


def is_file_argument(argument: str) -> bool:
    """Whether an argument can be meant as a file to open: it is there, or has the ending of one."""
    return argument.endswith((".rapidity", ".sweep", ".toml")) or os.path.exists(argument)  # noqa: PTH110  no import for one look


def has_display() -> bool:
    """Whether a window can be opened. Only X11 and Wayland systems can be without a display.

    A display that is named but does not answer, as after a lost connection, is none: Qt would end the program there.
    """
    if sys.platform in ("win32", "darwin") or os.environ.get("QT_QPA_PLATFORM"):
        return True
    return bool(os.environ.get("WAYLAND_DISPLAY")) or answers(os.environ.get("DISPLAY", ""))


def answers(display: str) -> bool:
    """Whether an X server takes connections at a display such as ``:0`` or ``host:10.0``."""
    host, _, number = display.rpartition(":")
    number = number.split(".")[0]
    if not number.isdigit():
        return False
    path = f"/tmp/.X11-unix/X{number}"
    local = [(socket.AF_UNIX, path), (socket.AF_UNIX, f"\0{path}")]
    places = local if host in ("", "unix") else [(socket.AF_INET, (host, 6000 + int(number)))]
    for family, address in places:
        with socket.socket(family) as asking, suppress(OSError, OverflowError):
            asking.settimeout(2)
            asking.connect(address)
            return True
    return False


def interrupted(arguments: list[str]) -> int:
    """What Ctrl-C ends while the program is still being loaded; returns the exit code."""
    if any(len(word) > 2 and "--json".startswith(word) for word in arguments):
        print('{"error": "Interrupted."}')
    return 130


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(interrupted(sys.argv[1:]))
