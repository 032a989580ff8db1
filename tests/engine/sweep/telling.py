"""A program that runs a sweep and tells of each point once it is kept: ``python -m tests.engine.sweep.telling FILE MEASURE``."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

from engine.sweep.local import LocalProcesses
from engine.sweep.run import sweep
from engine.sweep.store import SweepStore
from engine.sweep.work import Outcome


class Telling(SweepStore):
    """Writes out the row of a point as soon as it is in the file."""

    def finish(self, outcome: Outcome) -> bool:
        """As ever, and then tell."""
        kept = super().finish(outcome)
        if kept:
            sys.stdout.write(json.dumps(asdict(self.row(outcome.index))) + "\n")
            sys.stdout.flush()
        return kept


def main(path: str, measure: str) -> None:
    """Run the sweep to its end."""
    with Telling.open(Path(path)) as store, LocalProcesses(2) as processes:
        for _ in sweep(store, processes, 2, measure=measure):
            pass


if __name__ == "__main__":
    main(*sys.argv[1:])
