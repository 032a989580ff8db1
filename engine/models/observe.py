"""Looking at a model's layers without leaving a trace."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from engine.errors import ModelError
from engine.models.network import Tap


@contextmanager
def eval_mode(model: nn.Module) -> Iterator[None]:
    """The model in eval mode, each module put back into its own mode afterwards.

    Never hold it over a ``yield``: whoever runs in between would find the model changed.
    """
    training = [module for module in model.modules() if module.training]
    for module in training:
        module.training = False
    try:
        yield
    finally:
        for module in training:
            module.training = True


def observe(model: nn.Module, x: Tensor, taps: Sequence[Tap] | None = None, *, batch: int = 1024) -> dict[str, Tensor]:
    """The features of ``x`` at each tap: ``{tap name: float32 [N, D_l]}``, copies, in the order of ``taps``.

    ``taps`` are the model's own unless given. Works on any module with forward hooks; where a module runs more than
    once, its last output counts. Of a model that computes in float64 they are float64. Mode, buffers, gradients and
    random generators are left as they were.

    Raises ModelError for a tap whose module is not there, does not run, or gives something other than one tensor.
    """
    wanted: Sequence[Tap] = model.taps if taps is None else taps  # type: ignore[assignment]
    features: dict[str, Tensor] = {}
    with torch.no_grad(), eval_mode(model), ExitStack() as hooks:
        rows = slice(0, 0)

        def keep(tap: Tap, value: Any) -> None:
            if not isinstance(value, Tensor):
                raise ModelError(
                    f"The features at {tap.name!r} cannot be observed: the module {tap.module!r} gives "
                    f"{type(value).__name__} instead of one tensor. Choose another layer."
                )
            flat = value.flatten(1)
            if tap.name not in features:
                features[tap.name] = flat.new_empty(
                    len(x), flat.shape[1], dtype=torch.promote_types(flat.dtype, torch.float32)
                )
            # copied here and now: a later layer may work in place
            features[tap.name][rows] = flat

        for tap in wanted:
            hooks.callback(_hook(model, tap, keep).remove)
        for start in range(0, max(len(x), 1), batch):
            rows = slice(start, start + batch)
            model(x[rows])
    for tap in wanted:
        if tap.name not in features:
            raise ModelError(
                f"The features at {tap.name!r} cannot be observed: the module {tap.module!r} never runs. Choose another layer."
            )
    return {tap.name: features[tap.name] for tap in wanted}


def _hook(model: nn.Module, tap: Tap, keep: Any) -> Any:
    try:
        module = model.get_submodule(tap.module)
    except AttributeError as error:
        raise ModelError(
            f"The model has no module {tap.module!r} for the features at {tap.name!r}. Choose another layer."
        ) from error
    if tap.kind == "input":
        return module.register_forward_pre_hook(lambda _module, args: keep(tap, args[0]))
    return module.register_forward_hook(lambda _module, _args, output: keep(tap, output))
