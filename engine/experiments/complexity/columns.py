"""What is told of each network: one column each. NumPy and no torch, so that a window may use it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Column:
    """One number a network."""

    name: str
    label: str
    unit: str = ""
    kind: str = "geometry"
    """complexity, geometry, theory or accuracy."""

    def told(self) -> dict[str, Any]:
        return asdict(self)


COLUMNS: tuple[Column, ...] = (
    Column("parameters", "Parameters", kind="complexity"),
    Column("width", "Width", "units", kind="complexity"),
    Column("depth", "Depth", "layers", kind="complexity"),
    Column("layers", "Layers up to the last hidden one", "layers", kind="complexity"),
    Column("proper_depth", "Proper depth Σ 1/(n − 3/2) of linear networks", kind="complexity"),
    Column("input_rapidity", "Rapidity η of the inputs"),
    Column("input_ln_gamma", "ln γ of the inputs"),
    Column("input_rank", "Effective rank of the inputs"),
    Column("change", "Boost: gain of ln γ, input to last hidden layer, trained"),
    Column("initial_change", "Boost of the same network before training"),
    Column("added", "Boost that training adds"),
    Column("theory_change", "Boost by the null law", kind="theory"),
    Column("rapidity", "Rapidity η at the last hidden layer, trained"),
    Column("initial_rapidity", "Rapidity η there before training"),
    Column("theory_rapidity", "Rapidity η there by the null law", kind="theory"),
    Column("ln_gamma", "ln γ at the last hidden layer, trained"),
    Column("initial_ln_gamma", "ln γ there before training"),
    Column("theory_ln_gamma", "ln γ there by the null law", kind="theory"),
    Column("rapidity_same", "η of pairs of one class, trained, centred"),
    Column("rapidity_other", "η of pairs of different classes, trained, centred"),
    Column("rank", "Effective rank at the last hidden layer, trained"),
    Column("initial_rank", "Effective rank there before training"),
    Column("test_accuracy", "Clean accuracy", kind="accuracy"),
    Column("test_low", "Clean accuracy, lower end of 95%", kind="accuracy"),
    Column("test_high", "Clean accuracy, upper end of 95%", kind="accuracy"),
    Column("robust_accuracy", "Robust accuracy", kind="accuracy"),
    Column("robust_low", "Robust accuracy, lower end of 95%", kind="accuracy"),
    Column("robust_high", "Robust accuracy, upper end of 95%", kind="accuracy"),
)
LABELS = {column.name: column.label for column in COLUMNS}
