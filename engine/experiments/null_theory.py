"""What theory says the network's architecture does to the probe samples before any training, where there is such a theory."""

from __future__ import annotations

import hashlib
from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from engine.experiments.null_band import band, rapidity
from engine.experiments.null_phase import phase_name, phase_sentence
from engine.geometry import readings
from engine.geometry.nulls import wide
from engine.geometry.nulls.gaussian_chain import gaussian_chain
from engine.models.initial import scales
from engine.seeds import derive
from engine.specs import LinearSpec, MlpSpec, ModelSpec, ResidualSpec

Array = NDArray[np.float64]

MOST_INPUTS = 4000  # probe and reference samples together: 128 MB a matrix
BATCH_NORM = (
    "No theory of batch normalisation is drawn: it divides by what each batch shows, and its null is that of networks drawn "
    "anew, whose running means and deviations are taken once from training samples."
)
LIMIT = "In the limit of infinite width, of the logits too."
NOT_DEEP = f"{LIMIT} There are no hidden layers: a linear map of random weights conserves every centred correlation."
STARTS = 61  # rapidities at which the exact chain is computed; between them it is interpolated


@dataclass(frozen=True)
class Theory:
    """Expected means of groups of pairs; NaN where there is no theory."""

    mean: Array
    """``[views, Q, groups, T]``"""
    kind: str
    """"exact", "infinite width" or ""."""
    sentence: str
    low: Array | None = None
    """Lower end of where 95% of networks of the width at hand fall, as ``mean``; NaN where that is not known."""
    high: Array | None = None
    """Upper end."""
    phase: str = ""
    """ordered, critical or chaotic, for activations that have phases."""


REMEMBERED = 8  # theories, some ten kilobytes each
_known: dict[bytes, Theory] = {}


def theory(
    spec: ModelSpec,
    inputs: Array,
    probe: int,
    groups: NDArray[np.int64],
    n_groups: int,
    logits: int,
    taps: int,
    seed: int = 0,
) -> Generator[None, None, Theory]:
    """Theory's null for ``inputs`` ``[probe + reference, D]`` as the first linear map sees them (after normalisation).

    ``groups`` ``[probe (probe - 1) / 2]`` tells each pair of the first ``probe`` rows its group, in triu order; the other
    rows are the reference that features are centred by. The input's own tap is left to the measurement. ``seed`` draws
    the units by which the band of finite width is found. What was asked before is remembered.
    """
    asked = hashlib.sha256(f"{spec.model_dump_json()} {probe} {n_groups} {logits} {taps} {seed}".encode())
    for array in (inputs, groups):
        asked.update(array.tobytes())
    key = asked.digest()
    if key not in _known:
        found = yield from _found(spec, inputs, probe, groups, n_groups, logits, taps, seed)
        while len(_known) >= REMEMBERED:
            del _known[next(iter(_known))]
        _known[key] = found
    return _known[key]


def _found(
    spec: ModelSpec,
    inputs: Array,
    probe: int,
    groups: NDArray[np.int64],
    n_groups: int,
    logits: int,
    taps: int,
    seed: int,
) -> Generator[None, None, Theory]:
    none = np.full((2, len(readings.QUANTITIES), n_groups, taps), np.nan)
    if isinstance(spec, LinearSpec):
        return (yield from _linear(spec, inputs, probe, groups, none, logits))
    if isinstance(spec, MlpSpec) and spec.batch_norm and spec.depth:
        return Theory(none, "", BATCH_NORM)
    if isinstance(spec, MlpSpec | ResidualSpec):
        return (yield from _wide(spec, inputs, probe, groups, none, seed))
    return Theory(none, "", "No theory of this architecture is known: its null is that of networks drawn anew.")


def _linear(
    spec: LinearSpec, inputs: Array, probe: int, groups: NDArray[np.int64], mean: Array, logits: int
) -> Generator[None, None, Theory]:
    """The exact chain at every pair. Biases cancel in the centred view; in the other they must be zero."""
    widths = [spec.width] * spec.depth + [logits]
    raw = scales(spec)[1] > 0
    for view in (0,) if raw else (0, 1):
        seen = inputs - inputs[probe:].mean(0) if view == 0 else inputs
        eta = rapidity(seen[:probe] @ seen[:probe].T, (inputs[:probe] ** 2).sum(1))
        alive = np.isfinite(eta)
        if not alive.any():
            continue
        starts = np.linspace(eta[alive].min() - 1e-6, eta[alive].max() + 1e-6, STARTS)
        law = gaussian_chain(starts, widths)
        found = np.full((len(readings.QUANTITIES), len(eta), len(widths)), np.nan)
        for q, values in enumerate((law.C, law.angle, law.chord, law.antipode, law.rapidity, law.ln_gamma)):
            found[q, alive] = CubicSpline(starts, values[:, 1:])(eta[alive])
        _group(found, groups, mean[view, :, :, 1:])
        yield None
    sentence = (
        "Exact at any width: each Gaussian layer conserves the mean angle and adds gap(n) to E ln γ. Mean over networks "
        "of the same pairs."
    )
    if raw:
        sentence += " With biases of nonzero scale it holds for centred features alone."
    return Theory(mean, "exact", sentence)


def _wide(
    spec: MlpSpec | ResidualSpec, inputs: Array, probe: int, groups: NDArray[np.int64], mean: Array, seed: int
) -> Generator[None, None, Theory]:
    """The wide limit of every pair; for plain networks also where networks of this width fall."""
    sigma_w, sigma_b = scales(spec)
    if len(inputs) > MOST_INPUTS:
        return Theory(
            mean,
            "",
            f"Theory compares every probe and reference sample with every other: with {len(inputs):,} of them that is left "
            f"out. Take {MOST_INPUTS:,} or fewer in the Entangle step to see it.",
        )
    reference = np.arange(probe, len(inputs))
    gram = inputs @ inputs.T / inputs.shape[1]
    if isinstance(spec, ResidualSpec):
        kernels = wide.residual(gram, spec.activation, sigma_w, sigma_b, spec.depth, spec.alpha2)
    else:
        kernels = wide.layers(gram, spec.activation, sigma_w, sigma_b, spec.depth)
    tap = 0
    for kernel in kernels:
        yield None
        if kernel is None:
            continue
        tap += 1
        for view, seen in enumerate((wide.centred(kernel, reference), kernel)):
            eta = rapidity(seen[:probe, :probe], np.diagonal(kernel)[:probe])
            _group(readings.quantities(eta)[:, :, None], groups, mean[view, :, :, tap : tap + 1])
    if isinstance(spec, ResidualSpec):
        return Theory(mean, "infinite width", _of_residual(spec))
    found = yield from band(
        gram,
        probe,
        groups,
        mean.shape[2],
        spec.activation,
        (sigma_w, sigma_b),
        spec.depth,
        spec.width,
        derive(seed, "finite width"),
    )
    low, high = np.full_like(mean, np.nan), np.full_like(mean, np.nan)
    hidden = slice(1, 1 + 2 * spec.depth)
    low[..., hidden] = mean[..., hidden] + found.low
    high[..., hidden] = mean[..., hidden] + found.high
    phase = phase_name(spec.activation, sigma_w, sigma_b) if spec.depth else ""
    return Theory(mean, "infinite width", _of_plain(spec, found.layers), low, high, phase)


def _of_plain(spec: MlpSpec, banded: int) -> str:
    if not spec.depth:
        return NOT_DEEP
    said = f"{LIMIT} "
    if banded:
        upto = "" if banded == spec.depth else f" up to layer {banded}"
        said += (
            f"The thin band{upto} is where 95% of networks of width {spec.width:,} fall, to leading order in 1/n: its middle is "
            "off by b/n, its standard deviation √(v/n)."
        )
    else:
        said += (
            f"A network of width {spec.width:,} is too narrow for its corrections in 1/n, which hold up to a depth of a twentieth "
            "of the width: the networks drawn anew show its scatter."
        )
    phase = phase_sentence(spec.activation, *scales(spec))
    return f"{said} {phase}" if phase else said


def _of_residual(spec: ResidualSpec) -> str:
    if not spec.depth:
        return NOT_DEEP
    phase = (
        "" if spec.branches == "alpha" else f", α² = 1/{spec.depth}: with branches so scaled, depth stops entangling"
    )
    return (
        f"{LIMIT} For residual blocks x + α W {spec.activation}(x) with α = {spec.scale:.3g}{phase}. "
        f"A network of width {spec.width:,} scatters about it by about 1/√n."
    )


def _group(values: Array, groups: NDArray[np.int64], mean: Array) -> None:
    """Means of ``values`` ``[Q, pairs, T]`` into ``mean`` ``[Q, groups, T]``, leaving out what is not finite."""
    for group in range(mean.shape[1]):
        chosen = values[:, groups == group]
        finite = np.isfinite(chosen)
        count = finite.sum(1)
        total = np.where(finite, chosen, 0.0).sum(1)
        mean[:, group] = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
