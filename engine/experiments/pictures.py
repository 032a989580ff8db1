"""Frames that show data, network and attack as they are, without measuring anything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from engine.attacks import Iterate
from engine.data import Dataset
from engine.events import Frame
from engine.experiments.bench import test_order
from engine.experiments.control import length
from engine.models import Network, parameter_count
from engine.specs import AttackSpec

SHOWN_SAMPLES = 200  # thumbnails in the dataset gallery
WATCHED_SAMPLES = 48  # attacked samples whose every iterate is kept


def dataset_frame(dataset: Dataset, seed: int) -> Frame:
    """Test samples balanced over the classes, with the counts of each class."""
    index = test_order(dataset, seed)[:SHOWN_SAMPLES]
    return Frame(
        "dataset",
        "data",
        0,
        {
            "images": dataset.x_test[index].numpy(),
            "labels": dataset.y_test[index].numpy(),
            "index": index.numpy(),
            "train_counts": torch.bincount(dataset.y_train, minlength=dataset.n_classes).numpy(),
            "test_counts": torch.bincount(dataset.y_test, minlength=dataset.n_classes).numpy(),
        },
        {
            "name": dataset.name,
            "classes": list(dataset.classes),
            "train": len(dataset.y_train),
            "test": len(dataset.y_test),
            "shape": list(dataset.input_shape),
            "bounds": list(dataset.bounds) if dataset.bounds else None,
        },
    )


def taps_info(model: Network) -> list[dict[str, Any]]:
    """The model's taps as plain data, in order from the input to the logits."""
    return [{"name": tap.name, "kind": tap.kind, "layer": tap.layer} for tap in model.taps]


def model_frame(model: Network) -> Frame:
    """The layers of a network with their shapes and parameter counts."""
    modules = dict(model.named_modules())
    layers = []
    for tap in model.taps:
        module = modules.get(tap.module) if tap.kind != "input" else None
        layers.append(
            {
                "name": tap.name,
                "kind": tap.kind,
                "shape": _shape(module),
                "parameters": sum(p.numel() for p in module.parameters()) if module is not None else 0,
            }
        )
    info = {"layers": layers, "parameters": parameter_count(model), "taps": taps_info(model)}
    return Frame("model", "init", 0, {}, info)


def gallery_frame(
    iterate: Iterate,
    seen: Mapping[str, torch.Tensor],
    first_success: torch.Tensor,
    spec: AttackSpec,
    classes: tuple[str, ...],
    step: int,
    before: float,
    keep: bool,
) -> Frame:
    """The watched samples of an attack at one iterate; ``seen`` holds what does not change from step to step."""
    m = min(WATCHED_SAMPLES, len(iterate.success))
    x = seen["x"][:m]
    x_adv = iterate.x_adv[:m]
    norm = length((x_adv - x).flatten(1).double(), spec.norm)
    arrays = {
        "x": x,
        "x_adv": x_adv,
        "y": seen["y"][:m],
        "target": seen["target"][:m],
        "index": seen["index"][:m],
        "clean_prediction": seen["clean_prediction"][:m],
        "clean_confidence": seen["clean_confidence"][:m],
        "prediction": iterate.prediction[:m],
        "confidence": iterate.confidence[:m],
        "success": iterate.success[:m],
        "first_success": first_success[:m].clone(),  # goes on changing; iterates never do
        "loss": iterate.loss[:m],
        "norm": norm,
    }
    return Frame(
        "gallery",
        "attack",
        step,
        {name: value.numpy() for name, value in arrays.items()},
        {
            "method": spec.method,
            "norm": spec.norm,
            "eps": spec.eps,
            "steps": iterate.steps,
            "restart": iterate.restart,
            "classes": list(classes),
            "n_samples": len(iterate.success),
            "success_rate": float(iterate.success.double().mean()),
            "success_before": before,
        },
        keep,
    )


def _shape(module: nn.Module | None) -> str:
    if module is None:
        return ""
    weight = getattr(module, "weight", None)
    if not isinstance(weight, torch.Tensor):
        return type(module).__name__
    return " × ".join(str(side) for side in weight.shape)
