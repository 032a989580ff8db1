"""Does complexity act on pairs as relativity would? Its law in linear networks, and what trained networks do, side by side.

Three parts. The theorem: in deep linear Gaussian networks E ln gamma grows by gap(n) with each layer of width n, at any width
and depth; checked on networks drawn anew. The null: the experiment's own architecture before any training, over width and
depth. The measurement: a fleet of trained networks, whether their parameters, width or depth go with boost, effective rank
and robust accuracy beyond chance; and the control, the same networks before training.

Boost is the gain of ln gamma from the input to the last hidden layer, mean over all pairs of probe samples, features as they
are. That this is called a boost, and depth time, is a way of speaking: no clock runs in a network.

Sources: C. Spearman (1904), "The proof and measurement of association between two things"; S. Holm (1979), "A simple
sequentially rejective multiple test procedure"; A. Madry et al. (2018), "Towards deep learning models resistant to adversarial
attacks", for the attack.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from engine.attacks import start
from engine.events import Event, Frame, Progress, Record
from engine.experiments.bench import Bench, Making, test_order
from engine.experiments.complexity.columns import COLUMNS
from engine.experiments.complexity.law import NETWORKS, TIMES, WIDTHS, Cell, Largest, checked_law
from engine.experiments.complexity.relations import holm, related, told_with_holm
from engine.experiments.complexity.untrained import Untrained, shortest_side, untrained, variants
from engine.experiments.expected import proper_depth
from engine.experiments.fleet import Fleet, fleet_of
from engine.experiments.network_geometry import NetworkGeometry
from engine.experiments.rates import Interval, share
from engine.experiments.statistic import Statistic
from engine.generators import stoppable
from engine.models import build, parameter_count
from engine.seeds import derive
from engine.specs import ExperimentSpec, FixedBudgetSpec, PgdSpec

Array = NDArray[np.float64]

TOPIC = "complexity"
PROBED = 60  # test samples whose pairs are measured
ATTACKED = 200  # test samples that are attacked on every network
STEPS = 20
NORMS = {"Linf": "L∞", "L2": "L2"}
REFERENCE = 500  # training samples whose mean feature is the centre of pairs by class


def complexity(bench: Bench) -> Making:
    """Check the law, draw the architecture anew over width and depth, measure the fleet, and relate it all."""
    spec = bench.spec
    dataset = yield from bench.dataset()
    chosen = test_order(dataset, spec.seed)[:PROBED]
    x, y = dataset.x_test[chosen], dataset.y_test[chosen]
    info: dict[str, Any] = {}
    cells, largest = yield from _law(spec.seed)
    info["law"] = {"cells": [cell.told() for cell in cells], "largest": largest.told(), "networks": NETWORKS}
    drawn = yield from _untrained(bench, x, y)
    info["untrained"] = [each.told() for each in drawn]
    fleet = yield from fleet_of(bench)
    attack = attack_of(spec)
    attacked = min(ATTACKED, len(fleet.order))
    info.update(attack=attack.title, norm=attack.norm, eps=attack.eps, steps=attack.steps)
    info.update(probe=len(chosen), attacked=attacked, says=_says(largest, attack, len(chosen), attacked))
    rows: list[dict[str, float]] = []
    count = len(fleet.members)
    for number, member in enumerate(fleet.members):
        yield Progress(number, count, f"complexity: measuring network {number + 1} of {count} ({member.name})")
        rows.append((yield from _row(bench, fleet, number, attack, x, y)))
        yield Record(TOPIC, {"network": member.name, **rows[-1]})
        yield _frame(fleet, rows, (), info, done=False)
    columns = {column.name: np.array([row[column.name] for row in rows]) for column in COLUMNS}
    statistics: list[Statistic] = []
    for found in related(columns, spec.seed, spec.controls.permutations):
        if found is None:
            yield None
            continue
        statistics.append(found)
        yield Progress(count, count, f"testing: {len(statistics)}")
    for each, p in zip(statistics, holm([each.p for each in statistics]), strict=True):
        record = each.record("complexity_tests")
        yield Record(record.table, {**record.row, "holm": p})
    yield _frame(fleet, rows, statistics, info, done=True)
    yield Progress(count, count, "complexity measured")


def attack_of(spec: ExperimentSpec) -> PgdSpec:
    """Untargeted PGD at the experiment's own norm and eps; where its attack has no ball, at those of the hardened trainings."""
    ball = spec.attack if isinstance(spec.attack, FixedBudgetSpec) and spec.attack.eps > 0 else spec.hardening
    return PgdSpec(norm=ball.norm, eps=ball.eps, steps=STEPS, goal="untargeted")


# --- pieces ------------------------------------------------------------------------------------------------------


def _law(seed: int) -> Generator[Event | None, None, tuple[list[Cell], Largest]]:
    work, found = checked_law(seed), 0
    while True:
        try:
            cell = next(work)
        except StopIteration as end:
            cells, largest = end.value
            return cells, largest
        if cell is None:
            yield None
            continue
        found += 1
        yield cell.record()
        yield Progress(
            found, len(WIDTHS) * len(TIMES), f"law: linear networks of width {cell.width}, depth {cell.depth}"
        )


def _untrained(bench: Bench, x: Tensor, y: Tensor) -> Generator[Event | None, None, list[Untrained]]:
    spec = bench.spec
    dataset = yield from bench.dataset()
    work, found = untrained(spec.model, dataset, x, y, spec.controls.draws, spec.seed), 0
    total = len(list(variants(spec.model, shortest_side(dataset))))
    while True:
        try:
            cell = next(work)
        except StopIteration as end:
            cells: list[Untrained] = end.value
            return cells
        if cell is None:
            yield None
            continue
        found += 1
        yield cell.record()
        yield Progress(found, total, f"untrained: width {cell.width}, depth {cell.depth}")


def _row(
    bench: Bench, fleet: Fleet, number: int, attack: PgdSpec, x: Tensor, y: Tensor
) -> Generator[Event | None, None, dict[str, float]]:
    """One network, by column; NaN where there is no number."""
    spec, member, data = bench.spec, fleet.members[number], fleet.data
    initial = build(member.spec, data, derive(spec.seed, "fleet", str(number)))  # as it was before it was trained
    geometry = NetworkGeometry(member.spec, x, y, data.x_train[:REFERENCE])
    row: dict[str, float] = yield from stoppable(geometry.before(initial), None)
    row |= yield from stoppable(geometry.after(member.model), None)
    robust = yield from _robust(bench, fleet, number, attack)
    clean = share(int(fleet.right[number].sum()), len(fleet.order))
    return row | {
        "parameters": float(parameter_count(member.model)),
        "width": float(member.spec.width),
        "depth": float(member.spec.depth),
        "layers": float(member.layers),
        "proper_depth": proper_depth(member.spec),
        "added": row["change"] - row["initial_change"],
        "test_accuracy": clean.value,
        "test_low": clean.low,
        "test_high": clean.high,
        "robust_accuracy": robust.value,
        "robust_low": robust.low,
        "robust_high": robust.high,
    }


def _robust(bench: Bench, fleet: Fleet, number: int, attack: PgdSpec) -> Generator[Event | None, None, Interval]:
    """Share of samples that a network sees rightly before the attack and after it."""
    index, data = fleet.order[:ATTACKED], fleet.data
    x, y = data.x_test[index], data.y_test[index]
    attacking = start(fleet.members[number].model, x, y, attack, seed=bench.spec.seed, bounds=data.bounds)
    for _ in attacking.events():
        yield None
    result = attacking.result()
    return share(int(((result.prediction == y) & ~result.invalid).sum()), len(y))


def _says(largest: Largest, attack: PgdSpec, probed: int, attacked: int) -> str:
    """What a person must know to read the columns."""
    return (
        f"Law of untrained linear networks: the largest |z| of {largest.cells} cells is {largest.z:.2f}, p = {largest.p:.2g} (theorem). Boost "
        f"is the gain of ln γ from the input to the last hidden layer, mean over all pairs of {probed} test samples, not centred. Robust "
        f"accuracy: {attack.title}, {NORMS.get(attack.norm, attack.norm)}, ε = {attack.eps:g}, {attack.steps} steps, {attacked} samples. The unit of "
        "every test is the network; Holm's p is over all tests shown. That boosts are relativity is an analogy."
    )


def _frame(
    fleet: Fleet, rows: Sequence[dict[str, float]], statistics: Sequence[Statistic], info: dict[str, Any], *, done: bool
) -> Frame:
    """One array a column, one row a network measured so far; NaN where there is no number."""
    arrays = {column.name: np.array([row[column.name] for row in rows]) for column in COLUMNS}
    known = [column for column in COLUMNS if np.isfinite(arrays[column.name]).any()]
    told: dict[str, Any] = {
        "columns": [column.told() for column in known],
        "networks": fleet.told()[: len(rows)],
        "statistics": told_with_holm(statistics),
        "total": len(fleet.members),
        "done": done,
    }
    return Frame(TOPIC, "measure", 0, arrays, told | info, keep=done)
