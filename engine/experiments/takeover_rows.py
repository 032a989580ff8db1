"""The rows of a takeover's comparison: mean correlations with their intervals, and what x_adv has more on the same inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engine.events import Record
from engine.experiments.bench import Making
from engine.geometry.bootstrap import Interval, input_means
from engine.models import Network
from engine.seeds import derive
from engine.specs import ExperimentSpec

ATTACKED, CEILING = "adversarial", "members"  # the rows that are no control: x_adv itself, and other inputs altogether


@dataclass(frozen=True, eq=False)
class Rows:
    """Mean correlations C with their 95% intervals over inputs, one row a control: float64 ``[K, T]``.

    ``paired_*`` ``[K, T]`` is the mean of x_adv's C less the control's, each difference on one and the same input: sharper than
    two marginal intervals side by side, since inputs differ more from each other than an input does from itself. NaN for
    x_adv, and for the members of the class, which are other inputs.
    """

    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    count: np.ndarray
    """int64 ``[K]``: inputs that are alive at one tap at least."""
    alive: np.ndarray
    """int64 ``[K, T]``: inputs whose features have a direction at the tap, which the mean there is over."""
    paired_mean: np.ndarray
    paired_low: np.ndarray
    paired_high: np.ndarray

    def arrays(self, name: str) -> dict[str, np.ndarray]:
        """As a frame holds them, each name led by ``name``."""
        return {f"{name}_{field}": value for field, value in vars(self).items()}


def means_of(values: Tensor, spec: ExperimentSpec) -> Interval:
    """Over inputs ``[n, T]``, NaN left out."""
    return input_means(values, resamples=spec.probe.bootstrap, seed=derive(spec.seed, "takeover bootstrap"))


def rows_of(values: Mapping[str, Tensor], spec: ExperimentSpec, chosen: Tensor | None = None) -> Rows:
    """Rows of ``values`` by name, each ``[n, T]``, of all inputs or of those ``chosen`` ``[n]`` (the members stay all)."""

    def seen(name: str) -> Tensor:
        return (
            values[name] if chosen is None or name == CEILING else values[name].masked_fill(~chosen[:, None], torch.nan)
        )

    alone = [means_of(seen(name), spec) for name in values]
    nothing = torch.full_like(alone[0].mean, torch.nan)
    differences = []
    for name in values:
        control = name not in (ATTACKED, CEILING)
        differences.append(means_of(seen(ATTACKED) - seen(name), spec) if control else None)

    def paired(end: str) -> np.ndarray:
        return _stacked([nothing if each is None else getattr(each, end) for each in differences])

    mean, low, high = (_stacked([getattr(each, end) for each in alone]) for end in ("mean", "low", "high"))
    count = np.array([int(each.count.max()) for each in alone])
    alive = _stacked([each.count for each in alone])
    return Rows(mean, low, high, count, alive, paired("mean"), paired("low"), paired("high"))


def _stacked(column: Sequence[Tensor]) -> np.ndarray:
    return torch.stack(list(column)).numpy()


def records(model: Network, everyone: Rows, successes: Rows, table: str, names: Sequence[str]) -> Making:
    """One record for each row, tap, and choice of inputs; no paired difference where there is none."""
    for which, rows in (("all", everyone), ("successes", successes)):
        for row, name in enumerate(names):
            for position, tap in enumerate(model.taps):
                paired = {
                    field: float(getattr(rows, field)[row, position])
                    for field in ("paired_mean", "paired_low", "paired_high")
                }
                yield Record(
                    table,
                    {
                        "what": name,
                        "inputs": which,
                        "tap": tap.name,
                        "tap_index": position,
                        "C": float(rows.mean[row, position]),
                        "low": float(rows.low[row, position]),
                        "high": float(rows.high[row, position]),
                        "n": int(rows.alive[row, position]),
                        "dead": int(rows.count[row] - rows.alive[row, position]),
                        **{field: value if np.isfinite(value) else None for field, value in paired.items()},
                    },
                )
