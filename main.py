"""The one entry point: ``python main.py [FILE]`` opens the window, ``python main.py run …`` works without one."""

from __future__ import annotations

import sys


def main(arguments: list[str]) -> int:
    """Hand over to the command line or to the window; returns the exit code."""
    if arguments and arguments[0] in ("run", "report", "export", "-h", "--help"):
        from engine.cli import main as command_line

        return command_line(arguments)
    from gui.app import main as window

    return window(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
