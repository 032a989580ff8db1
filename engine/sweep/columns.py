"""What is known of a finished point: the columns of a sweep's table, of its panels, its report and its exports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["axis", "complexity", "geometry", "accuracy", "theory", "time"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name in rows, what a heading and an axis call it, its unit, and what it is in a sentence."""

    name: str
    label: str
    unit: str
    kind: Kind
    help: str


COLUMNS: tuple[Column, ...] = (
    Column("parameters", "Parameters", "", "complexity", "Numbers that training may change"),
    Column("layers", "Layers", "", "complexity", "Layers with weights, the output layer among them"),
    Column("width", "Width", "units", "complexity", "Units of the widest hidden layer"),
    Column(
        "depth", "Depth", "layers", "complexity", "Hidden layers, as the model's part of the experiment counts them"
    ),
    Column(
        "train_loss",
        "Training loss",
        "nats",
        "accuracy",
        "Cross-entropy over the last epoch, each batch before its update",
    ),
    Column(
        "train_accuracy",
        "Training accuracy",
        "",
        "accuracy",
        "Share that it gets right over the last epoch, each batch before its update",
    ),
    Column("test_accuracy", "Test accuracy", "", "accuracy", "Share of the test samples that it gets right"),
    Column("test_low", "Test accuracy, low", "", "accuracy", "Low end of its 95% interval (Wilson)"),
    Column("test_high", "Test accuracy, high", "", "accuracy", "High end of its 95% interval (Wilson)"),
    Column("test_samples", "Test samples", "", "accuracy", "Test samples that this is known from"),
    Column(
        "robust_accuracy", "Robust accuracy", "", "accuracy", "Share of the attacked samples that it still gets right"
    ),
    Column("robust_low", "Robust accuracy, low", "", "accuracy", "Low end of its 95% interval (Wilson)"),
    Column("robust_high", "Robust accuracy, high", "", "accuracy", "High end of its 95% interval (Wilson)"),
    Column(
        "attack_success", "Attack success", "", "accuracy", "Share of the attacked samples on which the attack succeeds"
    ),
    Column("success_low", "Attack success, low", "", "accuracy", "Low end of its 95% interval (Wilson)"),
    Column("success_high", "Attack success, high", "", "accuracy", "High end of its 95% interval (Wilson)"),
    Column("attacked", "Attacked samples", "", "accuracy", "Test samples that were attacked"),
    Column(
        "input_ln_gamma",
        "ln γ at the input",
        "",
        "geometry",
        "Mean ln γ over all pairs of probe samples as the first layer sees them",
    ),
    Column(
        "input_rapidity",
        "Rapidity at the input",
        "",
        "geometry",
        "Mean rapidity over all pairs of probe samples as the first layer sees them",
    ),
    Column(
        "input_rank",
        "Rank at the input",
        "",
        "geometry",
        "Effective rank of the probe samples as the first layer sees them",
    ),
    Column(
        "initial_ln_gamma",
        "ln γ before training",
        "",
        "geometry",
        "Mean ln γ over all pairs of probe samples at the last hidden layer, before training",
    ),
    Column(
        "initial_rapidity",
        "Rapidity before training",
        "",
        "geometry",
        "Mean rapidity over all pairs of probe samples at the last hidden layer, before training",
    ),
    Column(
        "initial_rank",
        "Rank before training",
        "",
        "geometry",
        "Effective rank of the probe samples at the last hidden layer, before training",
    ),
    Column("ln_gamma", "ln γ", "", "geometry", "Mean ln γ over all pairs of probe samples at the last hidden layer"),
    Column(
        "rapidity", "Rapidity", "", "geometry", "Mean rapidity over all pairs of probe samples at the last hidden layer"
    ),
    Column("rank", "Effective rank", "", "geometry", "Effective rank of the probe samples at the last hidden layer"),
    Column(
        "rapidity_same",
        "Rapidity, same class",
        "",
        "geometry",
        "Mean rapidity of pairs of one class at the last hidden layer, centred by the mean of reference samples",
    ),
    Column(
        "rapidity_other",
        "Rapidity, other class",
        "",
        "geometry",
        "Mean rapidity of pairs of two classes at the last hidden layer, centred by the mean of reference samples",
    ),
    Column(
        "initial_change",
        "Δ ln γ before training",
        "",
        "geometry",
        "ln γ at the last hidden layer less at the input, before training: how much the layers entangle",
    ),
    Column(
        "change",
        "Δ ln γ",
        "",
        "geometry",
        "ln γ at the last hidden layer less at the input: how much the layers entangle",
    ),
    Column(
        "theory_change",
        "Δ ln γ in theory",
        "",
        "theory",
        "The change that the null law gives an untrained network like it",
    ),
    Column(
        "theory_ln_gamma", "ln γ in theory", "", "theory", "ln γ that the null law gives an untrained network like it"
    ),
    Column(
        "theory_rapidity",
        "Rapidity in theory",
        "",
        "theory",
        "Rapidity that the null law gives an untrained network like it",
    ),
    Column(
        "proper_depth",
        "Proper depth",
        "",
        "theory",
        "Sum of 1/(width - 3/2) over the hidden layers of a linear network, whose rapidity depends on it alone",
    ),
    Column("seconds", "Time", "s", "time", "Seconds that the point took"),
)

BY_NAME = {column.name: column for column in COLUMNS}
