"""The session's runs as the Compare panel lists them, with the numbers that say how each came out."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import numpy as np

from engine.session import Run, Session

HEADLINES = {
    "C of x_adv with target, last hidden layer": "adv_target",
    "the same for a random perturbation": "random_target",
}


class RunRows:
    """One row a run: id, title, experiment, started, status, spec and numbers. The numbers of a run are read once."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._numbers: dict[int, dict[str, float]] = {}

    def of(self, runs: Iterable[Run]) -> list[dict[str, Any]]:
        """The rows of these runs."""
        return [
            {
                "id": run.id,
                "title": f"{run.id} · {run.spec.get('title', '')}",
                "experiment": run.experiment,
                "started": datetime.fromtimestamp(run.started).astimezone().strftime("%d %b %H:%M"),
                "status": run.status,
                "spec": run.spec,
                "numbers": self._of(run),
            }
            for run in runs
        ]

    def _of(self, run: Run) -> dict[str, float]:
        if run.status == "running":
            return {}
        if run.id not in self._numbers:
            self._numbers[run.id] = numbers(self._session, run.id)
        return self._numbers[run.id]


def numbers(session: Session, run: int) -> dict[str, float]:
    """What a run came to: accuracy, attack success, and the correlations that decide."""
    found: dict[str, float] = {}
    tables = session.tables(run)
    if "epochs" in tables:
        found["test accuracy"] = float(session.table(run, "epochs").column("test_accuracy")[-1])
    if "attack" in tables:
        found["attack success"] = float(session.table(run, "attack").column("success_so_far")[-1])
    frame = session.frame("profile", run=run)
    # a live profile is of fewer inputs: only final measurements stand beside each other
    if frame is not None and frame.phase == "measure":
        groups = [group["name"] for group in frame.info["groups"]]
        for label, group in HEADLINES.items():
            # the last tap is the logits: what the attack asked for, not what it took to get there
            value = frame.arrays["mean"][0, 0, 0, groups.index(group), -2]
            if np.isfinite(value):
                found[label] = float(value)
    return found
