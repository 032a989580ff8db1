"""What each part of each layer does to pairs: the linear map, the bias, the activation; and the linear maps' speed limit.

No linear map without bias and without a kernel changes a rapidity by more than ln kappa, the logarithm of its condition
number. That holds for every pair at every moment of training; a pair that breaks it would show a bug, and is treated as one.

Source: F. L. Bauer, A. S. Householder (1960), "Some inequalities involving the euclidean condition of a matrix" (Wielandt).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from engine.errors import ModelError
from engine.events import Frame, Progress, Record
from engine.experiments.bench import Bench, Making
from engine.experiments.lens import Work
from engine.experiments.probe import probe_for
from engine.experiments.train import trained
from engine.generators import stoppable
from engine.geometry.bootstrap import PairBootstrap
from engine.geometry.gram import upper_pairs
from engine.geometry.groups import class_groups
from engine.geometry.nulls.gaussian_chain import gap
from engine.models import Network, Tap, observe
from engine.seeds import derive
from engine.specs import ResidualSpec

PARTS = ("linear", "bias", "activation")
GROUPS = ("same", "different")
NETS = ("trained", "initial")
ROWS = 64  # of a map's matrix that are multiplied between two breaths
WIDEST = 1024  # inputs of a convolution up to which its matrix is written out, for its singular values
NO_SPLIT = (
    "A residual block cannot be split: it adds its input to what its linear map gives, so its change of a pair's rapidity is no "
    "sum of a map's, a bias's and an activation's. Its linear maps and its sums are taps of the profile; to see layers split, "
    "choose an MLP, a linear or a convolutional network in the Model step."
)
WITH_NORM = "σ is the batch normalisation and the activation together."
SLACK = 1e-6  # rounding of rapidities and singular values


def layers(bench: Bench) -> Making:
    """Split the boost of every layer of the trained network and of the one at initialisation; trains first where needed."""
    if isinstance(bench.spec.model, ResidualSpec):
        raise ModelError(NO_SPLIT)
    model = yield from trained(bench)
    initial = yield from bench.initial()
    probe = yield from probe_for(bench)
    groups = class_groups(probe.y)
    seed, resamples = derive(bench.spec.seed, "pair bootstrap"), bench.spec.probe.bootstrap
    bootstrap = PairBootstrap(groups, n=len(probe.y), n_groups=len(GROUPS), resamples=resamples, seed=seed)
    found: list[list[dict[str, Any]]] = []
    for number, network in enumerate((model, initial)):
        said = Progress(number, 2, "splitting every layer")
        found.append((yield from stoppable(_split(network, probe.x, bootstrap), said)))
    frame = _frame(found, resamples, WITH_NORM if getattr(bench.spec.model, "batch_norm", False) else "")
    yield frame
    yield from _records(found)
    yield Progress(2, 2, "every layer split")


def _split(model: Network, x: Tensor, bootstrap: PairBootstrap) -> Work[list[dict[str, Any]]]:
    """Of each layer: mean boosts with intervals, [parts, groups, 3], and the speed limit with what came nearest to it."""
    maps = [tap for tap in model.taps if tap.kind in ("linear", "logits")]
    after = {tap.layer: tap for tap in model.taps if tap.kind == "activation"}
    entries = [Tap(f"into {tap.name}", "input", tap.layer, tap.module) for tap in maps]
    seen = observe(model, x, [*model.taps, *entries])
    yield None
    split = []
    for tap, entry in zip(maps, entries, strict=True):
        module = model.get_submodule(tap.module)
        shape = _input_shape(model, tap, x)
        inputs = seen[entry.name].double()
        straight, full = _without_bias(module, inputs, shape)
        stages = [inputs, straight, full]
        if tap.layer in after:
            stages.append(seen[after[tap.layer].name].double())
        etas = []
        for features in stages:
            etas.append(upper_pairs(features))
            yield None
        boosts = [b - a for a, b in pairwise(etas)]
        boosts = [boost.masked_fill(~boost.isfinite(), torch.nan) for boost in boosts]
        parts = np.full((len(PARTS), len(GROUPS), 3), np.nan)
        for part, boost in enumerate(boosts):
            interval = yield from bootstrap.resampling(boost)
            parts[part] = torch.stack([interval.mean, interval.low, interval.high], dim=-1).numpy()
            yield None
        limit = yield from _speed_limit(module, shape)
        yield None
        largest = boosts[0].abs()
        largest_boost = float(largest[largest.isfinite()].max()) if bool(largest.isfinite().any()) else math.nan
        if largest_boost > limit * (1 + SLACK) + SLACK:
            raise AssertionError(
                f"{tap.name} changes a rapidity by {largest_boost:.6g}, more than ln kappa = {limit:.6g} allows any linear map"
            )
        split.append(
            {
                "tap": tap.name,
                "layer": tap.layer,
                "parts": parts,
                "limit": limit,
                "largest": largest_boost,
                "gap": float(gap(full.shape[1])) if isinstance(module, nn.Linear) else math.nan,
            }
        )
    return split


def _without_bias(module: nn.Module, inputs: Tensor, shape: Sequence[int]) -> tuple[Tensor, Tensor]:
    """What a linear map gives without and with its bias, ``[N, D]`` in float64."""
    with torch.no_grad():
        if isinstance(module, nn.Linear):
            straight = inputs @ module.weight.double().T
            return straight, straight if module.bias is None else straight + module.bias.double()
        assert isinstance(module, nn.Conv2d)
        straight = _convolve(module, inputs.reshape(-1, *shape))
        full = straight if module.bias is None else straight + module.bias.double()[:, None, None]
        return straight.flatten(1), full.flatten(1)


def _convolve(module: nn.Conv2d, x: Tensor) -> Tensor:
    weight = module.weight.detach().double()
    return nn.functional.conv2d(x, weight, None, module.stride, module.padding, module.dilation, module.groups)


def _speed_limit(module: nn.Module, shape: Sequence[int]) -> Work[float]:
    """ln kappa of a linear map; infinite where it has a kernel, or is too large for its singular values to be had here."""
    with torch.no_grad():
        if isinstance(module, nn.Linear):
            weight = module.weight.double().T
        elif isinstance(module, nn.Conv2d) and math.prod(shape) <= WIDEST:
            unit = torch.eye(math.prod(shape), dtype=torch.float64).reshape(-1, *shape)
            weight = torch.cat([_convolve(module, part).flatten(1) for part in torch.split(unit, ROWS)])
        else:
            return math.inf
    yield None
    if weight.shape[1] < weight.shape[0]:
        return math.inf
    # squared singular values, since a convolution's matrix has many more columns than rows
    products = []
    for part in torch.split(weight, ROWS):
        products.append(part @ weight.T)
        yield None
    squares = torch.linalg.eigvalsh(torch.cat(products))
    least, largest = float(squares[0]), float(squares[-1])
    return math.log(largest / least) / 2 if least > largest * 1e-13 else math.inf


def _input_shape(model: Network, tap: Tap, x: Tensor) -> tuple[int, ...]:
    """The shape of one sample as it comes into a map."""
    found: list[tuple[int, ...]] = []
    handle = model.get_submodule(tap.module).register_forward_pre_hook(lambda _m, args: found.append(args[0].shape[1:]))
    try:
        with torch.no_grad():
            model(x[:1])
    finally:
        handle.remove()
    return tuple(found[0])


def _frame(found: list[list[dict[str, Any]]], resamples: int, note: str) -> Frame:
    """``boost`` [nets, layers, parts, groups, mean | low | high], ``limit``, ``largest`` and ``gap`` [nets, layers]."""
    arrays = {"boost": np.stack([np.stack([layer["parts"] for layer in net]) for net in found])}
    for name in ("limit", "largest", "gap"):
        arrays[name] = np.array([[layer[name] for layer in net] for net in found])
    info = {
        "layers": [layer["tap"] for layer in found[0]],
        "parts": list(PARTS),
        "groups": list(GROUPS),
        "nets": list(NETS),
        "bootstrap": resamples,
        "note": note,
    }
    return Frame("layers", "measure", 0, arrays, info)


def _records(found: list[list[dict[str, Any]]]) -> Making:
    for net, split in zip(NETS, found, strict=True):
        for layer in split:
            for p, part in enumerate(PARTS):
                for g, group in enumerate(GROUPS):
                    mean, low, high = layer["parts"][p, g].tolist()
                    if math.isnan(mean):
                        continue
                    row = {"net": net, "tap": layer["tap"], "layer": layer["layer"], "part": part, "group": group}
                    row |= {"boost": mean, "low": low, "high": high, "largest": layer["largest"]}
                    limit = layer["limit"]
                    yield Record("layers", row | {"limit": limit if math.isfinite(limit) else None})
