"""Reading an attack's tables step by step: the watched samples, their quartiles, and the share broken so far. NumPy only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.experiments.rates import wilson

SAMPLES, STEPS = "attack_samples", "attack"
BEST = "best found"  # the stage of an attack's last row, which is no step but its result
QUARTILES = (0.25, 0.5, 0.75)
SETTLED = 20  # steps from which a plot may leave out where lines begin
MOST_ROWS = 400  # steps that are looked at for the range of a plot


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


def usual(values: np.ndarray, spread: float = 0.04) -> tuple[float, float]:
    """A range for lines ``values`` [S, M] that a few freak values do not ruin; (0, 1) without a number.

    It holds all lines but the outermost ``spread`` of them at almost every step, and where they begin and end; the
    beginning only as far as it leaves a fifth of the range to where the lines are nine tenths of the time.
    """
    if not values.size:
        return 0.0, 1.0
    rows = values[np.unique(np.linspace(0, len(values) - 1, min(len(values), MOST_ROWS)).round().astype(int))]
    ordered = np.sort(np.where(np.isfinite(rows), rows, np.nan), axis=1)  # NaN comes last
    count = np.isfinite(ordered).sum(1)
    ordered, count = ordered[count > 0], count[count > 0]
    if not len(ordered):
        return 0.0, 1.0
    at = np.arange(len(ordered))
    skip = np.floor(spread * count).astype(int)
    low, high = ordered[at, skip], ordered[at, count - 1 - skip]
    bottom, top = float(np.quantile(low, spread)), float(np.quantile(high, 1 - spread))
    bottom, top = min(bottom, float(low[0]), float(low[-1])), max(top, float(high[0]), float(high[-1]))
    if len(ordered) >= SETTLED:  # most of it may lie within a sliver of where it began
        inner = [float(v) for v in (np.quantile(low, 0.1), np.quantile(high, 0.9))]
        room = inner[1] - inner[0]
        if 0 < room < (top - bottom) / 5:
            bottom, top = max(bottom, inner[0] - 1.5 * room), min(top, inner[1] + 1.5 * room)
    return bottom, top


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
    best: int | None = None
    """Step of the last row where that is the attack's result, the best points found, and no step; None while it runs."""

    @property
    def steps(self) -> int:
        """How many rows are steps."""
        return len(self.step) - (self.best is not None)


def progressed(table: Any) -> Progressed:
    """Read a table ``attack`` (``engine.session.Table``)."""
    column = {name: table.column(name) for name in table.columns}
    step, found = column["step"], column["success_so_far"]
    n = int(column["samples"][-1]) if len(step) else 0
    low, high = wilson(np.round(found * n), n)
    before = column.get("success_before")
    missing = np.full(len(step), np.nan)
    known = parts(table)
    return Progressed(
        step=step,
        share=found,
        low=low,
        high=high,
        before=float(before[-1]) if before is not None and len(before) else 0.0,
        n=n,
        smallest=np.asarray(column.get("smallest", missing), dtype=float),
        stages=known.stages,
        best=known.best,
    )


@dataclass(frozen=True)
class Parts:
    """Which parts an attack falls into, and where it ends."""

    last: int
    """The last step there is."""
    stages: tuple[tuple[float, str], ...]
    """As in :class:`Progressed`."""
    best: int | None
    """As in :class:`Progressed`."""


def parts(table: Any) -> Parts:
    """Read of a table ``attack`` (``engine.session.Table``) what its steps are, and nothing of its numbers."""
    step = table.column("step")
    stage, restart = (table.column(name) if name in table.columns else None for name in ("stage", "restart"))
    best = int(step[-1]) if len(step) and stage is not None and stage[-1] == BEST else None
    return Parts(int(step[-1]) if len(step) else 0, tuple(_stages(step, stage, restart)), best)


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
