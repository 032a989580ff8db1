"""What the pages of the attack results have in common."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from engine.experiments.attack_results import NORMS, AttackRun
from engine.experiments.rates import Interval
from gui.theme import Theme

LOWEST = 92  # pixels of a plot's height; a panel lower than its page needs scrolls


@dataclass(frozen=True, eq=False)
class Shown:
    """What is to be drawn: two attacks, B only where one is chosen, a norm, and all attacks of the session."""

    a: AttackRun
    b: AttackRun | None
    norm: str
    runs: tuple[AttackRun, ...]

    @property
    def both(self) -> list[AttackRun]:
        """A, and B where there is one."""
        return [self.a] if self.b is None else [self.a, self.b]


class Page(QWidget):
    """One way to look at the results. ``sample_chosen(test index)`` is a click on a sample."""

    sample_chosen = Signal(int)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme

    def show_results(self, shown: Shown) -> None:
        """Draw."""
        raise NotImplementedError

    def show_sample(self, sample: int | None) -> None:
        """Mark the selected sample, where it can be seen."""

    def set_theme(self, theme: Theme) -> None:
        """Recolour."""
        self.theme = theme

    def plots(self) -> Sequence[tuple[str, Any]]:
        """Names and plot items of what can be written as SVG."""
        return ()

    def csv_rows(self) -> Iterable[Sequence[Any]]:
        """The numbers drawn."""
        return ()


def colours(theme: Theme) -> tuple[str, str]:
    """The colours of A and B."""
    return theme.accent, theme.palette["orange"]


def norm_text(norm: str) -> str:
    """The name of a norm's axis, with its unit."""
    if norm == "L0":
        return "‖x_adv − x‖₀ (values changed)"
    sign = {"Linf": "∞", "L2": "₂", "L1": "₁"}.get(norm, "")
    return f"‖x_adv − x‖{sign} (input units)"


def percent(share: Interval) -> str:
    """A share with its interval, as "62.0% [56.4%, 67.3%]"."""
    return f"{share.value:.1%} [{share.low:.1%}, {share.high:.1%}]" if not math.isnan(share.value) else "–"


def size(value: Interval) -> str:
    """A median norm with its interval; where more than half were never broken it is only known to be larger."""
    if math.isnan(value.value):
        return "–"
    low, mid, high = (f"{v:.3g}" if math.isfinite(v) else "∞" for v in (value.low, value.value, value.high))
    return f"{mid} [{low}, {high}]"


def norm_name(norm: str) -> str:
    """The norm as it is written: "L∞"."""
    return NORMS.get(norm, norm)
