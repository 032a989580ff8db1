"""One tested statistic as it is told: in a frame's ``info`` and in a table's row. NumPy only."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from engine.events import Record


@dataclass(frozen=True)
class Statistic:
    """A rank correlation with its test."""

    name: str
    """Unique within an experiment."""
    label: str
    """For a person."""
    unit: Literal["input", "network", "pair"]
    """What is counted as independent."""
    rho: float
    p: float
    low: float = math.nan
    high: float = math.nan
    n: int = 0
    given: tuple[str, ...] = ()
    """What was taken away from both sides first."""
    least: float = math.nan
    """Of statistics within networks: the range over the networks."""
    most: float = math.nan
    wrong: str = ""
    """Why this must not be believed; it is shown as a warning beside the right one. Empty where it may."""

    def told(self) -> dict[str, Any]:
        """Plain JSON; None where there is no number."""
        numbers = {name: _plain(getattr(self, name)) for name in ("rho", "p", "low", "high", "least", "most")}
        return {
            "name": self.name,
            "label": self.label,
            "unit": self.unit,
            **numbers,
            "n": self.n,
            "given": list(self.given),
            "wrong": self.wrong,
        }

    def record(self, table: str) -> Record:
        return Record(
            table,
            {
                "statistic": self.name,
                "label": self.label,
                "unit": self.unit,
                "given": ", ".join(self.given),
                "rho": self.rho,
                "p": self.p,
                "low": self.low,
                "high": self.high,
                "least": self.least,
                "most": self.most,
                "n": self.n,
                "wrong": self.wrong,
            },
        )


def told(statistics: Sequence[Statistic]) -> list[dict[str, Any]]:
    return [statistic.told() for statistic in statistics]


def _plain(value: float) -> float | None:
    return value if math.isfinite(value) else None
