"""Weights as plain arrays: what session files keep."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import nn

from engine.errors import ModelError


def parameter_count(model: nn.Module) -> int:
    """How many numbers training may change."""
    return sum(parameter.numel() for parameter in model.parameters())


def weights_to_arrays(model: nn.Module) -> dict[str, np.ndarray]:
    """Copies of all parameters and buffers, by name."""
    return {name: tensor.detach().cpu().numpy().copy() for name, tensor in model.state_dict().items()}


@torch.no_grad()
def load_arrays(model: nn.Module, arrays: Mapping[str, np.ndarray]) -> None:
    """Put back what :func:`weights_to_arrays` gave. ModelError, and no change, unless names and shapes all fit."""
    state = model.state_dict()
    if missing := sorted(state.keys() - arrays.keys()):
        raise _misfit(f"lack {_some(missing)}")
    if unknown := sorted(arrays.keys() - state.keys()):
        raise _misfit(f"also have {_some(unknown)}, which this model does not")
    for name, tensor in state.items():
        if tuple(arrays[name].shape) != tuple(tensor.shape):
            raise _misfit(f"have {_shape(arrays[name].shape)} for {name}, where this model has {_shape(tensor.shape)}")
    for name, tensor in state.items():
        tensor.copy_(torch.from_numpy(np.array(arrays[name])))


def _misfit(what: str) -> ModelError:
    return ModelError(
        f"The saved weights do not fit this model: they {what}. "
        "Set the model and the data as they were when the weights were saved, or train anew."
    )


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _shape(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape)) or "a single number"
