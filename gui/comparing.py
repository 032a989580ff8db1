"""The session's runs as the Compare panel lists them, with the numbers that say how each came out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.experiments.rates import wilson
from engine.session import Run, Session

if TYPE_CHECKING:
    from engine.events import Frame
    from engine.session import Table

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
    tables = {name: session.table(run, name) for name in session.tables(run) if name in TABLES}
    frame = session.frame("profile", run=run)
    return {reading.name: reading.value for reading in readings(tables, frame)}


TABLES = ("epochs", "attack")
"""The tables that the numbers are read from, beside the profile."""


@dataclass(frozen=True)
class Reading:
    """A number of a run with its 95% interval over n inputs."""

    name: str
    value: float
    low: float
    high: float
    n: int
    is_share: bool = False

    def __str__(self) -> str:
        return f"{self.shown} {self.interval}"

    @property
    def shown(self) -> str:
        """The value, and of how many inputs."""
        if self.is_share:
            return f"{self.value:.1%} of {self.n:,}"
        return f"{self.value:+.3f}, n = {self.n:,}".replace("-", "−")

    @property
    def interval(self) -> str:
        """The 95% interval."""
        if self.is_share:
            return f"[{self.low:.1%}, {self.high:.1%}]"
        return f"[{self.low:+.3f}, {self.high:+.3f}]".replace("-", "−")


def readings(tables: Mapping[str, Table], profile: Frame | None) -> list[Reading]:
    """The numbers of one run, shares with Wilson's interval, correlations with that of their profile."""
    found = []
    for name, table, column, count in (
        ("test accuracy", "epochs", "test_accuracy", "test_samples"),
        ("attack success", "attack", "success_so_far", "samples"),
    ):
        rows = tables.get(table)
        if rows is not None and len(rows):
            value = float(rows.column(column)[-1])
            n = int(rows.column(count)[-1]) if count in rows.columns else 0
            low, high = wilson(round(value * n), n) if np.isfinite(value) else (np.nan, np.nan)
            found.append(Reading(name, value, float(low), float(high), n, is_share=True))
    # a live profile is of fewer inputs: only final measurements stand beside each other
    if profile is not None and profile.phase == "measure":
        groups = [group["name"] for group in profile.info["groups"]]
        for label, group in HEADLINES.items():
            g = groups.index(group)
            # the last tap is the logits: what the attack asked for, not what it took to get there
            value, low, high = (float(profile.arrays[end][0, 0, 0, g, -2]) for end in ("mean", "low", "high"))
            if np.isfinite(value):
                found.append(Reading(label, value, low, high, int(profile.arrays["count"][g])))
    return found
