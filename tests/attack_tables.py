"""Tables of attacked samples as an attack leaves them, made by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.experiments.attack_results import AttackRun
from engine.session.table import Table
from engine.specs import ExperimentSpec, FgsmSpec, PgdSpec

FIXED = ExperimentSpec(attack=PgdSpec(eps=0.1, goal="untargeted"))
INF = float("inf")


def attacked_table(
    distance: Sequence[float],
    *,
    sample: Sequence[int] | None = None,
    y: Sequence[int] | None = None,
    clean_wrong: Sequence[int] = (),
    lost_to_rounding: Sequence[int] = (),
    invalid: Sequence[int] = (),
    eps: float = 0.1,
    norm: str = "Linf",
    target: Sequence[int] | None = None,
    **more: Sequence[float],
) -> Table:
    """An attack with one row for each distance: infinite means that it failed, at ``eps``; positions name exceptions.

    Norms other than the attack's are twice (L2), thrice (L1) and ten times (L0) its own.
    """
    n = len(distance)
    sample = range(100, 100 + n) if sample is None else sample
    y = [k % 3 for k in range(n)] if y is None else y
    rows: list[dict[str, Any]] = []
    for k, d in enumerate(distance):
        wrong = k in clean_wrong
        success = wrong or np.isfinite(d)
        size = 0.0 if wrong else float(d) if np.isfinite(d) else eps
        aim = -1 if target is None else target[k]
        other = (y[k] + 1) % 3 if aim < 0 else aim
        row = {
            "sample": sample[k],
            "y": y[k],
            "target": aim,
            "clean_prediction": other if wrong else y[k],
            "prediction": other if success else y[k],
            "confidence": 0.8,
            "success": int(success),
            "success_8bit": int(success and k not in lost_to_rounding),
            "invalid": int(k in invalid),
            "first_step": k if success else -1,
            "forwards": 10 + k,
            "gradients": 9 + k,
        }
        own = {"Linf": 1.0, "L2": 2.0, "L1": 3.0, "L0": 10.0}
        row |= {f"norm_{name}": size * factor / own[norm] for name, factor in own.items()}
        rows.append(row | {name: values[k] for name, values in more.items()})
    return Table(rows)


def attack_run(distance: Sequence[float], *, run: int = 1, spec: ExperimentSpec = FIXED, **more: Any) -> AttackRun:
    """The same, read as the window reads it."""
    return AttackRun.read(run, spec, attacked_table(distance, **more))


def smallest(run: AttackRun) -> AttackRun:
    """The same results as those of an attack for the smallest norm."""
    from dataclasses import replace

    return replace(run, minimal=True, eps=None, budget="smallest norm", title="DeepFool")


def fast(spec: ExperimentSpec = FIXED) -> ExperimentSpec:
    """The same experiment with another attack."""
    return spec.model_copy(update={"attack": FgsmSpec(eps=0.1, goal="untargeted")})
