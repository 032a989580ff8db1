"""What is measured of one network where networks are compared: the geometry of its pairs at the last hidden layer, and its accuracy.

Pairs are those of probe samples, features as they are (not centred), since the laws of untrained networks speak of those. The
input is what the first linear map sees, after normalisation. What takes more than a moment yields None now and then.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from torch import Tensor

from engine.attacks import start
from engine.attacks.tools.projections import Bounds
from engine.experiments.null_band import rapidity as rapidity_of_gram
from engine.experiments.rates import Interval, share
from engine.geometry import readings
from engine.geometry.gram import upper_pairs
from engine.geometry.groups import class_groups
from engine.geometry.nulls import wide
from engine.geometry.nulls.gaussian_chain import advancing_chain, gap
from engine.geometry.spectrum import spectrum
from engine.models import Network, Tap, observe
from engine.models.initial import scales
from engine.specs import AttackSpec, CnnSpec, LinearSpec, MlpSpec, ModelSpec, ResidualSpec

Array = NDArray[np.float64]

BATCH = 64  # inputs that go through a network between two breaths
ENTRY = Tap("entry", "input", 0, "layers")
"""Behind the normalisation, before the first map."""
STARTS = 33  # rapidities at which the exact chain is worked out; between them it is interpolated


@dataclass(frozen=True, eq=False)
class Pairs:
    """All P pairs of some samples in one network, float64 ``[P]`` each: NaN of a dead pair, infinite of a saturated one."""

    before: Array
    """Rapidity at the input."""
    after: Array
    """Rapidity at the last hidden layer."""
    group: NDArray[np.int64]
    """0 for two samples of one class, 1 for two of different classes."""
    input_rank: float
    """Effective rank of the samples at the input."""
    rank: float
    """Effective rank of the samples at the last hidden layer."""

    @property
    def input_rapidity(self) -> float:
        """Mean rapidity at the input."""
        return mean(self.before)

    @property
    def input_ln_gamma(self) -> float:
        """Mean of ln gamma at the input."""
        return mean(readings.ln_gamma(self.before))

    @property
    def rapidity(self) -> float:
        """Mean rapidity at the last hidden layer."""
        return mean(self.after)

    @property
    def ln_gamma(self) -> float:
        """Mean of ln gamma at the last hidden layer."""
        return mean(readings.ln_gamma(self.after))

    @property
    def change(self) -> float:
        """Mean over pairs of what ln gamma gains from the input to the last hidden layer."""
        with np.errstate(invalid="ignore"):
            return mean(readings.ln_gamma(self.after) - readings.ln_gamma(self.before))

    def rapidity_of(self, group: int) -> float:
        """Mean rapidity at the last hidden layer of pairs of one class (0), or of different classes (1)."""
        return mean(self.after[self.group == group])


@dataclass(frozen=True)
class NullLaw:
    """What theory says of the same pairs before any training; NaN where it says nothing."""

    change: float
    """Expected gain of ln gamma, mean over the pairs."""
    ln_gamma: float
    """Expected ln gamma at the last hidden layer, mean over the pairs."""
    rapidity: float
    """Expected rapidity there, mean over the pairs."""
    kind: str
    """"exact", "infinite width", or "" where there is no law."""


NO_LAW = NullLaw(math.nan, math.nan, math.nan, "")


def mean(values: Array) -> float:
    """Over what is finite; NaN of nothing."""
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if len(finite) else math.nan


def last_hidden(model: Network) -> Tap:
    """The last place before the logits; of a network without hidden layers, its input."""
    tap = model.taps[-2]
    return ENTRY if tap.kind == "input" else tap


def pairs_of(model: Network, x: Tensor, y: Tensor) -> Generator[None, None, Pairs]:
    """All pairs of samples ``x`` ``[N, ...]`` with labels ``y`` ``[N]`` in one network, as it is now."""
    last = last_hidden(model)
    entry, hidden = [], []
    for part in torch.split(x, BATCH):
        seen = observe(model, part, list(dict.fromkeys((ENTRY, last))))
        entry.append(seen[ENTRY.name])
        hidden.append(seen[last.name])
        yield
    before, after = torch.cat(entry), torch.cat(hidden)
    eta = upper_pairs(before).numpy()
    yield
    later = upper_pairs(after).numpy()
    yield
    ranks = []
    for features in (before, after):
        ranks.append(spectrum(features).effective_rank)
        yield
    return Pairs(eta, later, class_groups(y).numpy(), *ranks)


def null_law(spec: ModelSpec, model: Network, x: Tensor) -> Generator[None, None, NullLaw]:
    """The law of the pairs of ``x`` ``[N, ...]`` in networks of this architecture that have learnt nothing.

    Exact for linear networks without initial biases, at any width: each Gaussian layer of width n adds gap(n) to E ln gamma.
    For others with maps and activations alone it is the limit of infinite width; there is none with convolutions or batch
    normalisation. ``model`` gives the normalisation of its input alone.
    """
    if isinstance(spec, CnnSpec) or (isinstance(spec, MlpSpec) and spec.batch_norm and spec.depth):
        return NO_LAW
    with torch.no_grad():
        inputs = model.normalise(x).flatten(1).double().numpy()
    eta = rapidity_of_gram(inputs @ inputs.T, (inputs**2).sum(1))
    before = readings.ln_gamma(eta)
    yield
    if not spec.depth and not isinstance(spec, ResidualSpec):
        return NullLaw(0.0, mean(before), mean(eta), "exact")
    sigma_w, sigma_b = scales(spec)
    if isinstance(spec, LinearSpec) and sigma_b == 0:
        gained = spec.depth * float(gap(spec.width))
        if not math.isfinite(gained):  # a layer of one unit leaves nothing but the poles
            return NO_LAW
        expected = yield from _linear_rapidity(eta, [spec.width] * spec.depth)
        return NullLaw(gained, mean(before) + gained, expected, "exact")
    gram = inputs @ inputs.T / inputs.shape[1]
    match spec:
        case ResidualSpec():
            kernels = wide.residual(gram, spec.activation, sigma_w, sigma_b, spec.depth, spec.alpha2)
        case MlpSpec():
            kernels = wide.layers(gram, spec.activation, sigma_w, sigma_b, spec.depth)
        case _:
            kernels = wide.layers(gram, "linear", sigma_w, sigma_b, spec.depth)
    last, hidden = gram, gram
    for kernel in kernels:
        if kernel is not None:
            last, hidden = kernel, last  # the logits' is the last of all
        yield
    later = rapidity_of_gram(hidden, np.diagonal(hidden))
    after = readings.ln_gamma(later)
    with np.errstate(invalid="ignore"):
        return NullLaw(mean(after - before), mean(after), mean(later), "infinite width")


def _linear_rapidity(eta: Array, widths: Sequence[int]) -> Generator[None, None, float]:
    """Mean over pairs of the expected rapidity behind linear layers."""
    alive = eta[np.isfinite(eta)]
    if not len(alive):
        return math.nan
    starts = np.linspace(alive.min() - 1e-6, alive.max() + 1e-6, STARTS)
    law = yield from advancing_chain(starts, widths)
    return mean(CubicSpline(starts, law.rapidity[:, -1])(alive))


def proper_depth(spec: ModelSpec) -> float:
    """Sum of 1 / (n - 3/2) over the hidden linear maps, of which pairs in a linear network are a function; NaN with convolutions."""
    if isinstance(spec, CnnSpec) or spec.width < 2:
        return math.nan
    maps = spec.depth + isinstance(spec, ResidualSpec)
    return maps / (spec.width - 1.5)


def robust_accuracy(
    model: Network, x: Tensor, y: Tensor, spec: AttackSpec, *, seed: int, bounds: Bounds
) -> Generator[None, None, Interval]:
    """Share of samples that are seen rightly before the attack and after it, with its Wilson interval."""
    attacking = start(model, x, y, spec, seed=seed, bounds=bounds)
    for _ in attacking.events():
        yield
    return share(int((attacking.result().prediction == y).sum()), len(y))
