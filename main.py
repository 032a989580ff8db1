"""The one entry point: ``python main.py [FILE]`` opens the window, ``python main.py run …`` works without one."""

from __future__ import annotations

import os
import sys


def main(arguments: list[str]) -> int:
    """Hand over to the command line or to the window; returns the exit code."""
    from engine.cli import COMMANDS

    if arguments and arguments[0] in (*COMMANDS, "-h", "--help"):
        from engine.cli import main as command_line

        return command_line(arguments)
    if arguments and not is_file_argument(arguments[0]):
        print(f"There is no command or file “{arguments[0]}”. See python main.py --help.", file=sys.stderr)
        return 2
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
    return argument.endswith((".rapidity", ".toml")) or os.path.exists(argument)  # noqa: PTH110  no import for one look


def has_display() -> bool:
    """Whether a window can be opened. Only X11 and Wayland systems can be without a display."""
    if sys.platform in ("win32", "darwin") or os.environ.get("QT_QPA_PLATFORM"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
