"""Frames that show data, network and attack as they are, without measuring anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from engine.data import Dataset
from engine.events import Frame
from engine.experiments.bench import test_order
from engine.models import Network, parameter_count
from engine.specs import AttackSpec

SHOWN_SAMPLES = 200  # thumbnails in the dataset gallery


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
                # a block's are those of its branch, which has a tap of its own
                "parameters": 0 if module is None or tap.kind == "block" else parameter_count(module),
            }
        )
    info = {"layers": layers, "parameters": parameter_count(model), "taps": taps_info(model)}
    return Frame("model", "init", 0, {}, info)


@dataclass(frozen=True, eq=False, slots=True)
class Seen:
    """The watched samples of an attack as they were before it: tensors of first dimension M."""

    x: torch.Tensor
    y: torch.Tensor
    target: torch.Tensor
    """-1 where there is none."""
    index: torch.Tensor
    clean_prediction: torch.Tensor
    clean_confidence: torch.Tensor


def gallery_frame(
    seen: Seen,
    now: Mapping[str, torch.Tensor],
    spec: AttackSpec,
    classes: tuple[str, ...],
    step: int,
    info: Mapping[str, Any],
    keep: bool,
) -> Frame:
    """The watched samples of an attack as it began and as they are ``now``."""
    before = {name: getattr(seen, name) for name in Seen.__annotations__}
    described = {"method": spec.method, "title": spec.title, "norm": spec.norm, "eps": getattr(spec, "eps", None)}
    return Frame(
        "gallery",
        "attack",
        step,
        {name: value.numpy() for name, value in {**before, **now}.items()},
        {**described, "minimal": spec.minimal, "classes": list(classes), **info},
        keep,
    )


def _shape(module: nn.Module | None) -> str:
    if module is None:
        return ""
    weight = getattr(module, "weight", None)
    if not isinstance(weight, torch.Tensor):
        return type(module).__name__
    return " × ".join(str(side) for side in weight.shape)
