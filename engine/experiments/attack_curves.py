"""Reading an attack's tables step by step: the watched samples, their quartiles, and the share broken so far. NumPy only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.experiments.rates import wilson

SAMPLES, STEPS = "attack_samples", "attack"
BEST = "best found"  # the stage of an attack's last row, which is no step but its result
QUARTILES = (0.25, 0.5, 0.75)


class Watched:
    """Loss and margin of M watched samples over the S steps of an attack. Rows are taken in once, when they are new.

    The margin is negative where the attack has reached its goal (see ``engine.attacks.Iterate``).
    """

    NAMES = ("margin", "loss")

    def __init__(self) -> None:
        self._table: Any = None
        self._n = 0
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self._table, self._n = None, 0
        self.step = np.empty(0)
        """[S]"""
        self.values = {name: np.empty((0, 0)) for name in self.NAMES}
        """[S, M] by name"""
        self.quartiles = {name: np.empty((0, 3)) for name in self.NAMES}
        """[S, 3] lower quartile, median and upper quartile over the samples that have a number"""
        self.first_broken = np.empty(0, dtype=np.int64)
        """[M] position of the first step with a negative margin, -1 where there is none"""

    def __len__(self) -> int:
        return self._n

    @property
    def samples(self) -> int:
        """How many are watched."""
        return int(self.values["margin"].shape[1])

    def update(self, table: Any) -> None:
        """Take in a table ``attack_samples`` (``engine.session.Table``); one that has grown is read from where it was left."""
        if table is not self._table or len(table) < self._n:
            self.clear()
            self._table = table
        start, stop = self._n, len(table)
        if stop <= start:
            return
        m = sum(name.startswith("margin ") for name in table.columns)
        self.step = table.column("step")[:stop]
        for name in self.NAMES:
            new = np.stack([table.column(f"{name} {k}")[start:stop] for k in range(m)], axis=1) if m else None
            rows = np.zeros((stop - start, 0)) if new is None else new
            old = self.values[name] if start else np.zeros((0, m))
            self.values[name] = np.concatenate([old, rows])
            self.quartiles[name] = np.concatenate([self.quartiles[name], quartiles(rows)])
        self._note_broken(start, m)
        self._n = stop

    def _note_broken(self, start: int, m: int) -> None:
        if not start:
            self.first_broken = np.full(m, -1, dtype=np.int64)
        negative = self.values["margin"][start:] < 0
        fresh = negative.any(0) & (self.first_broken < 0)
        self.first_broken[fresh] = start + negative.argmax(0)[fresh]


def quartiles(values: np.ndarray) -> np.ndarray:
    """Quartiles [S, 3] over the columns of ``values`` [S, M]; NaN in a row without a number."""
    found = np.full((len(values), 3), np.nan)
    if not values.size:
        return found
    whole = np.isfinite(values).all(1)
    if whole.any():
        found[whole] = np.quantile(values[whole], QUARTILES, axis=1).T
    for row in np.flatnonzero(~whole):
        finite = values[row][np.isfinite(values[row])]
        if len(finite):
            found[row] = np.quantile(finite, QUARTILES)
    return found


@dataclass(frozen=True, eq=False)
class Progressed:
    """An attack as a whole, step by step; arrays [S]."""

    step: np.ndarray
    share: np.ndarray
    """Share of all samples broken at any step so far."""
    low: np.ndarray
    """Wilson's 95% interval."""
    high: np.ndarray
    before: float
    """Share broken before the attack began."""
    n: int
    smallest: np.ndarray
    """Median smallest norm so far of an attack for the smallest norm; NaN elsewhere."""
    stages: tuple[tuple[float, str], ...]
    """Step at which each part begins, and its name: a member of an ensemble, or a restart of a single attack."""


def progressed(table: Any) -> Progressed:
    """Read a table ``attack`` (``engine.session.Table``)."""
    column = {name: table.column(name) for name in table.columns}
    step, found = column["step"], column["success_so_far"]
    n = int(column["samples"][-1]) if len(step) else 0
    low, high = wilson(np.round(found * n), n)
    before = column.get("success_before")
    missing = np.full(len(step), np.nan)
    return Progressed(
        step=step,
        share=found,
        low=low,
        high=high,
        before=float(before[-1]) if before is not None and len(before) else 0.0,
        n=n,
        smallest=np.asarray(column.get("smallest", missing), dtype=float),
        stages=tuple(_stages(step, column.get("stage"), column.get("restart"))),
    )


def _stages(step: np.ndarray, stage: np.ndarray | None, restart: np.ndarray | None) -> list[tuple[float, str]]:
    """Where each member of an ensemble begins, or each further restart of an attack of one piece."""
    names = [str(name) for name in stage] if stage is not None and stage.dtype == object else [""] * len(step)
    turns = restart if restart is not None else np.zeros(len(step))
    several = len({*names} - {BEST}) > 1
    found = []
    for k in range(len(step)):
        if names[k] == BEST:
            continue
        if several and (k == 0 or names[k] != names[k - 1]):
            found.append((float(step[k]), names[k]))
        elif not several and k > 0 and turns[k] != turns[k - 1]:
            found.append((float(step[k]), f"restart {int(turns[k]) + 1}"))
    return found
