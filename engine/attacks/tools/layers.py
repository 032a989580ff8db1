"""A layer's features, seen while the model answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

from engine.errors import AttackError
from engine.models import Network

Seen = list[Tensor]
"""The layer's output ``[n, ...]`` of the latest forward pass, with its graph if it has one."""


@contextmanager
def seeing(model: nn.Module, layer: str) -> Iterator[Seen]:
    """While open, each forward pass leaves the layer's output in the list."""
    seen: Seen = []

    def keep(_module: nn.Module, _inputs: Any, output: Any) -> None:
        seen[:] = [output]

    handle = module_of(model, layer).register_forward_hook(keep)
    try:
        yield seen
    finally:
        handle.remove()


def module_of(model: nn.Module, layer: str) -> nn.Module:
    """The module of a layer by its tap's or its own name; '' is the last one before the class scores.

    Raises AttackError for a name that the model does not have.
    """
    modules: dict[str, nn.Module] = dict(model.named_modules())
    names: dict[str, str] = {}
    if isinstance(model, Network):
        names = {tap.name: tap.module for tap in model.taps if tap.kind not in ("input", "logits")}
        if not layer and names:
            return modules[list(names.values())[-1]]
        known = list(names)
    else:
        known = [name for name, module in modules.items() if name and not list(module.children())]
        if not layer and len(known) > 1:
            return modules[known[-2]]
    found = modules.get(names.get(layer, layer)) if layer else None
    if found is None or found is model:
        raise AttackError(
            f"The network has no layer {layer!r} to drive features at: choose one of {', '.join(known) or 'a deeper network'}."
        )
    return found
