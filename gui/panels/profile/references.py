"""What a profile is held against: its null with theory, the same training from other seeds, another run.

All are frames of their own; their numbers are matched with the profile's by the names of groups, quantities and taps.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.experiments import rows
from gui.plots.chips import Entry
from gui.plots.says import signed

if TYPE_CHECKING:
    from engine.events import Frame

NULL_CHIP, THEORY_CHIP, REPEATS_CHIP, BASELINE_CHIP = "/null", "/theory", "/repeats", "/baseline"

NULL_COLUMNS = ("null_mean", "null_low", "null_high", "null_theory", "null_theory_low", "null_theory_high")

Values = tuple[np.ndarray, np.ndarray, np.ndarray]  # mean, low, high
WHERE = {1: "above its band", -1: "below its band", 0: "within its band"}


@dataclass(frozen=True)
class Place:
    """Which numbers are on the axis: those of a view and a quantity at some taps."""

    view: int
    quantity: str
    taps: tuple[str, ...]


class References:
    """The frames beside a profile, any of which may be missing: its numbers are then NaN, and nothing is said of it."""

    def __init__(self) -> None:
        self.baseline: Frame | None = None
        self.baseline_label = ""
        self.clear()

    def clear(self) -> None:
        """Forget what was measured; another run, which a person has chosen, stays."""
        self._measured: dict[str, Frame] = {}
        self._key = ""

    def take(self, frame: Frame) -> None:
        """A null, or repeats."""
        self._measured[frame.topic] = frame

    def stand_beside(self, key: str) -> None:
        """The profile shown is of data, network and training with this key: only what is of the same stands beside it."""
        self._key = key

    def _of_the_same(self, topic: str) -> Frame | None:
        frame = self._measured.get(topic)
        other = "" if frame is None else str(frame.info.get("key", ""))
        return None if self._key and other and other != self._key else frame

    @property
    def null(self) -> Frame | None:
        """Networks drawn anew."""
        return self._of_the_same("null")

    @property
    def repeats(self) -> Frame | None:
        """Networks trained from other seeds."""
        return self._of_the_same("repeats")

    # --- numbers -----------------------------------------------------------------------------------------------

    def null_values(self, group: str, at: Place) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Mean over networks drawn anew, the band that one more falls into, and theory."""
        return tuple(row_of(self.null, name, group, at) for name in ("mean", "low", "high", "theory"))  # type: ignore[return-value]

    def theory_band(self, group: str, at: Place) -> tuple[np.ndarray, np.ndarray]:
        """Where 95% of networks of the width at hand fall by theory."""
        low, high = (row_of(self.null, name, group, at) for name in ("theory_low", "theory_high"))
        return low, high

    def repeat_values(self, group: str, at: Place) -> Values:
        """Mean and 95% interval over networks trained from other seeds."""
        return three(self.repeats, group, at)

    def baseline_values(self, group: str, at: Place) -> Values:
        """Mean and 95% interval of another run."""
        return three(self.baseline, group, at, net=0)

    # --- words -------------------------------------------------------------------------------------------------

    def entries(self, there: Collection[str], colour: str, *, excess: bool) -> list[Entry]:
        """Chips of what there is to draw."""
        found = []
        if NULL_CHIP in there and self.null is not None:
            tip = (
                "Measurement: mean over networks of the same architecture that have learned nothing; the band is where one "
                "more of them falls in 95 of 100 cases"
            )
            text = f"null: {int(self.null.info['networks'])} networks drawn anew"
            found.append(Entry(NULL_CHIP, text, colour, tip, "dash"))
        if THEORY_CHIP in there and self.null is not None:
            kind = "Theorem" if self.null.info["theory"] == "exact" else "Theorem in the limit"
            tip = f"{kind}: {self.null.info['sentence']}"
            text = ", ".join(filter(None, (f"null: {self.null.info['theory']}", self.null.info.get("phase"))))
            found.append(Entry(THEORY_CHIP, text, colour, tip, "dashdot"))
        if REPEATS_CHIP in there and self.repeats is not None:
            networks = int(self.repeats.info["networks"])
            tip = f"Measurement: mean and Student's interval over {networks} networks trained from other seeds"
            if "accuracy" in self.repeats.arrays:
                accuracy = self.repeats.arrays["accuracy"]
                tip += f", test accuracy {accuracy.min():.1%} to {accuracy.max():.1%}"
            found.append(Entry(REPEATS_CHIP, f"{networks} networks, 95%", colour, tip, "bar"))
        if self.baseline is not None and not excess:
            text = self.baseline_label or "baseline"
            found.append(Entry(BASELINE_CHIP, text, colour, "The run to compare with", "dot"))
        return found

    def lines(self, group: str, at: Place, k: int, measured: Values, unit: str) -> list[str]:
        """What the readout says of the null, the excess over it and the repetition, at position ``k`` of the axis."""
        lines = []
        mean, low, high, theory = (float(part[k]) for part in self.null_values(group, at))
        now, least, most = (float(part[k]) for part in measured)
        if self.null is not None and math.isfinite(mean):
            networks = int(self.null.info["networks"])
            lines.append(f"null: {signed(mean)}{unit} [{signed(low)}, {signed(high)}], {networks} networks drawn anew")
        if self.null is not None and math.isfinite(theory):
            low, high = (float(part[k]) for part in self.theory_band(group, at))
            band = f" [{signed(low)}, {signed(high)}] at this width" if math.isfinite(low) else ""
            lines.append(f"null, {self.null.info['theory']}: {signed(theory)}{unit}{band}")
        if math.isfinite(mean) and math.isfinite(now):
            _, low, high, _ = (float(part[k]) for part in self.null_values(group, at))
            where = WHERE[rows.beyond(least, most, low, high)]
            lines.append(f"excess over the null: {signed(now - mean)}{unit}, {where}")
        again, low, high = (float(part[k]) for part in self.repeat_values(group, at))
        if self.repeats is not None and math.isfinite(again):
            networks = int(self.repeats.info["networks"])
            lines.append(f"{networks} networks, 95%: {signed(again)}{unit} [{signed(low)}, {signed(high)}]")
        return lines

    # --- export ------------------------------------------------------------------------------------------------

    def columns(self) -> list[str]:
        """Names of the further columns of a CSV file."""
        names = [*NULL_COLUMNS, "excess"] if self.null is not None else []
        return names + (["repeats_mean", "repeats_low", "repeats_high"] if self.repeats is not None else [])

    def cells(self, group: str, at: Place, mean: np.ndarray) -> list[list[Any]]:
        """Their numbers, one list for each position of the axis, beside the measured ``mean``."""
        parts: list[np.ndarray] = []
        if self.null is not None:
            null = self.null_values(group, at)
            parts += [*null, *self.theory_band(group, at), mean - null[0]]
        if self.repeats is not None:
            parts += self.repeat_values(group, at)
        return [[float(part[k]) for part in parts] for k in range(len(mean))]


def three(frame: Frame | None, group: str, at: Place, net: int | None = None) -> Values:
    """Mean, low and high of a frame's row."""
    return tuple(row_of(frame, name, group, at, net) for name in ("mean", "low", "high"))  # type: ignore[return-value]


def row_of(frame: Frame | None, name: str, group: str, at: Place, net: int | None = None) -> np.ndarray:
    """A row of a frame, NaN where there is none."""
    if frame is None:
        return np.full(len(at.taps), np.nan)
    return rows.row(frame, name, view=at.view, quantity=at.quantity, group=group, taps=at.taps, net=net)
