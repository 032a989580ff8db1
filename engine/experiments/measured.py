"""Measurements as frames: a correlation matrix, the profile of the groups, world lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.events import Frame, Phase
from engine.experiments.groups import GROUP_POSITION, GROUPS, QUANTITIES
from engine.experiments.lens import VIEWS
from engine.geometry.bootstrap import Interval

RAPIDITY = [quantity.name for quantity in QUANTITIES].index("rapidity")

Section = Mapping[str, Interval]
"""Groups by name; the tensors of each interval are [views, Q, T]."""


@dataclass(frozen=True)
class Moment:
    """When something was measured, and whether it is kept for the time slider."""

    phase: Phase
    step: int
    keep: bool = True


@dataclass(frozen=True, eq=False)
class Lines:
    """World lines of one group: test indices a [k] and b [k] (-1: a training sample), rapidity eta [views, T, k]."""

    group: str
    a: Tensor
    b: Tensor
    eta: Tensor


def matrix_frame(
    topic: str,
    at: Moment,
    index: Tensor,
    label: Tensor,
    eta: Tensor,
    taps: list[dict[str, Any]],
    classes: Sequence[str],
) -> Frame:
    """All pairs of some inputs at every tap."""
    # a rapidity of half precision shows C to 0.0002: enough to look back at, in half the room
    exact = at.phase in ("init", "measure")
    arrays = {
        "eta": eta.to(torch.float32 if exact else torch.float16).numpy(),
        "index": index.numpy(),
        "label": label.numpy(),
    }
    return Frame(topic, at.phase, at.step, arrays, {"taps": taps, "classes": list(classes)}, at.keep)


@dataclass(frozen=True, eq=False)
class Samples:
    """Attacked inputs one by one: test indices [n], and each one's mean C with its target class [views, n, T] as
    ``x_adv``, before the attack, and moved at random by as much."""

    index: Tensor
    adversarial: Tensor
    clean: Tensor
    random: Tensor


def profile_frame(
    at: Moment,
    now: Section,
    start: Section,
    taps: list[dict[str, Any]],
    resamples: int,
    samples: Samples | None = None,
    key: str = "",
) -> Frame:
    """Means and intervals of every group on two networks: as it is now, and at initialisation.

    ``count`` [G] is the number of inputs that a group is about; ``saturated`` and ``dead`` [nets, views, G, T] say how
    many pairs are left out of the mean rapidity, and how many inputs or pairs of all means, for want of a value.
    With ``samples``: ``sample`` [n] and ``sample_C`` [adversarial | clean | random, views, n, T], on the network now.
    """
    shape = (2, VIEWS, len(QUANTITIES), len(GROUPS), len(taps))
    mean, low, high = (np.full(shape, np.nan) for _ in range(3))
    saturated, dead = (np.zeros((2, VIEWS, len(GROUPS), len(taps)), dtype=np.int64) for _ in range(2))
    count = np.zeros(len(GROUPS), dtype=np.int64)
    for net, section in enumerate((now, start)):
        for name, interval in section.items():
            g = GROUP_POSITION[name]
            mean[net, :, :, g], low[net, :, :, g], high[net, :, :, g] = interval.mean, interval.low, interval.high
            saturated[net, :, g] = interval.saturated[:, RAPIDITY]
            dead[net, :, g] = interval.count[:, 0].max() - interval.count[:, 0]
            count[g] = int(interval.count.max())
    info: dict[str, Any] = {
        "groups": _groups(),
        "quantities": [asdict(quantity) for quantity in QUANTITIES],
        "taps": taps,
        "bootstrap": resamples,
        "key": key,
    }
    arrays = {"mean": mean, "low": low, "high": high, "count": count, "saturated": saturated, "dead": dead}
    if samples is not None:
        arrays["sample"] = samples.index.numpy()
        arrays["sample_C"] = torch.stack([samples.adversarial, samples.clean, samples.random]).float().numpy()
    return Frame("profile", at.phase, at.step, arrays, info, at.keep)


def pairs_frame(at: Moment, lines: Sequence[Lines], taps: list[dict[str, Any]]) -> Frame:
    """Some pairs of each group, to be drawn as world lines."""
    arrays = {
        "eta": torch.cat([each.eta for each in lines], dim=2).permute(0, 2, 1).float().numpy(),
        "a": torch.cat([each.a for each in lines]).numpy(),
        "b": torch.cat([each.b for each in lines]).numpy(),
        "group": np.concatenate([np.full(len(each.a), GROUP_POSITION[each.group]) for each in lines]),
    }
    return Frame("pairs", at.phase, at.step, arrays, {"groups": _groups(), "taps": taps}, at.keep)


def _groups() -> list[dict[str, str]]:
    return [{"name": group.name, "label": group.label} for group in GROUPS]
