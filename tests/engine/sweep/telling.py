"""A program that runs a sweep and tells of each point once it is kept, for a test to kill."""

from __future__ import annotations

import os
import sys
import types
from dataclasses import asdict
from multiprocessing.connection import Connection
from pathlib import Path

from engine.sweep.local import LocalProcesses
from engine.sweep.run import sweep
from engine.sweep.store import SweepStore
from engine.sweep.work import Outcome

MARK = "RAPIDITY_TEST_OF_KILLS"


def main(path: str, measure: str, workers: int, mark: str, told: Connection) -> None:
    """Run the sweep to its end; its workers have the mark in their environment."""
    os.environ[MARK] = mark
    sys.modules["__main__"] = types.ModuleType("__main__")  # workers need not load pytest
    with Telling.open(Path(path)) as store, LocalProcesses(workers) as processes:
        assert isinstance(store, Telling)
        store.told = told
        for _ in sweep(store, processes, workers, measure=measure):
            pass


class Telling(SweepStore):
    """Sends off the row of a point as soon as it is in the file."""

    told: Connection

    def finish(self, outcome: Outcome) -> bool:
        """As ever, and then tell."""
        kept = super().finish(outcome)
        if kept:
            self.told.send(asdict(self.row(outcome.index)))
        return kept
