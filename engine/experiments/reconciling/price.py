"""The price of entangling features before they are hashed: noise is tolerated because the hashes become few.

Identities pass MaxLikelihood layers (our reconstruction) that were built on others of their kind; then they are hashed, locked and
read again as in :mod:`engine.reconcile.commitment`. A second reading of the same identity (genuine) is to open the lock, a reading
of another one (impostor) is not. Beside both stand how many different hashes are left, and a bound on what the public helper
data leave secret. This is reconciliation, not encryption.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from engine.data.dataset import require_memory
from engine.events import Frame, Progress, Record
from engine.experiments.bench import Bench, Making
from engine.experiments.noise.layers import Layers, layers_of, read, stream
from engine.experiments.rates import wilson
from engine.experiments.reconciling.identities import FEATURES, Identities, drawn, of_network
from engine.experiments.reconciling.locks import BITS_TOGETHER
from engine.experiments.reconciling.reconciliation import chosen_tap
from engine.experiments.train import trained
from engine.generators import stoppable
from engine.reconcile.code import Bits, Code, prepared, require_room
from engine.reconcile.commitment import Helper, enrol, majority
from engine.reconcile.entropy import secrecy
from engine.reconcile.hashing import Projection
from engine.reconcile.message import BITS, LEVELS, SIDE
from engine.seeds import derive

Array = NDArray[np.float64]

TOPIC = "price"
ROWS = FEATURES  # of each layer, which is as wide as drawn identities are long
TRAINED = 512  # identities at most that layers are built on
READINGS = ("genuine", "impostor")
SENTENCE = (
    "Entangling first raises the tolerance of noise only by destroying the entropy that makes the secret a secret: genuine and "
    "impostor readings open alike once one or two hashes are left. This is reconciliation, not encryption."
)


@dataclass(eq=False)
class Priced:
    """One kind of identities with what was measured at each depth."""

    name: str
    kind: str
    identities: Identities
    layers: Layers | None
    opened: dict[str, list[int]] = field(default_factory=lambda: {name: [] for name in READINGS})
    distinct: list[int] = field(default_factory=list)
    entropy: list[float] = field(default_factory=list)

    @property
    def count(self) -> int:
        return len(self.identities.enrolled)


def price(bench: Bench) -> Making:
    """Measure all kinds of identities layer by layer; trains first where needed, for those of the network."""
    spec, seed = bench.spec.reconcile, bench.spec.seed
    model = yield from trained(bench)
    dataset = yield from bench.dataset()
    tap = model.taps[chosen_tap(model, spec.layer)]
    count, train = spec.price_pairs, min(bench.spec.max_likelihood.samples, TRAINED)
    require_room(spec.code_length, spec.corrects, BITS)
    bits = spec.code_length * spec.price_repetition
    require_memory(
        2 * count * bits,  # four sets of hashes, a byte a bit, and what is made of them
        f"Hashing {count:,} identities to {bits:,} bits each",
        "Compare fewer identities, or repeat each bit less often.",
    )
    preparing = Progress(0, spec.price_depth, "preparing the code")
    code = yield from stoppable(prepared(spec.code_length, spec.corrects), preparing)
    found = []
    for kind, name in (("zero-mean", "zero-mean identities"), ("uniform", "uniform [0, 1] identities")):
        people = drawn(kind, count=count, train=train, correlation=spec.price_correlation, seed=seed)
        found.append((yield from stoppable(_priced(bench, name, kind, people), None)))
    people = yield from stoppable(
        of_network(model, tap, dataset, count=count, train=train, correlation=spec.price_correlation, seed=seed),
        None,
    )
    found.append((yield from stoppable(_priced(bench, f"features of {tap.name}", "network", people), None)))
    told = Told(bench, code, tap.name, found)
    for depth in range(spec.price_depth + 1):
        said = Progress(depth, spec.price_depth, f"price: {depth} of {spec.price_depth} layers before the hash")
        for each in found:
            if depth:
                yield from stoppable(_advance(bench, each, depth), None)
            yield from stoppable(told.measure(each), None)
        yield told.frame(keep=depth == spec.price_depth)
        yield said
    yield from told.records()
    yield Progress(spec.price_depth, spec.price_depth, "price measured")


def _priced(bench: Bench, name: str, kind: str, people: Identities) -> Generator[None, None, Priced]:
    """Nothing is measured of identities that have no common direction to be entangled along, or of fewer than two."""
    spec = bench.spec
    ratio = spec.reconcile.price_ratio
    built = spec.max_likelihood.model_copy(update={"rows": ROWS, "candidates": ratio * ROWS})
    layers = None
    if len(people.enrolled) >= 2:
        everyone = np.concatenate([people.enrolled, people.genuine, people.impostor])
        try:
            layers = yield from layers_of(people.train, np.ones(len(people.train)), everyone, built)
        except ValueError:
            layers = None
    return Priced(name, kind, people, layers)


def _advance(bench: Bench, each: Priced, depth: int) -> Generator[None, None, None]:
    if each.layers is not None:
        yield from each.layers.advance(stream(bench.spec.seed, "price", each.kind, str(depth)))


class Told:
    """The measuring, and what is said of it so far."""

    def __init__(self, bench: Bench, code: Code, layer: str, found: list[Priced]) -> None:
        self._bench, self._spec, self._code, self._layer, self._found = bench, bench.spec.reconcile, code, layer, found
        self._projections: dict[int, Projection] = {}

    def measure(self, each: Priced) -> Generator[None, None, None]:
        """Hash all readings behind the present layer, lock the enrolled ones, and try both others on their locks."""
        if each.layers is None:
            return
        (x,) = yield from read(each.layers.others, "x")
        hashes = yield from self._projection(x.shape[1]).hashing(torch.from_numpy(x))
        enrolled, *readings = np.split(hashes.bits, 3)
        same: Counter[bytes] = Counter()
        opened = dict.fromkeys(READINGS, 0)
        rng = np.random.default_rng(derive(self._bench.spec.seed, "price", "messages"))
        size = max(1, BITS_TOGETHER // enrolled.shape[1])
        for part in (slice(start, start + size) for start in range(0, each.count, size)):
            same.update(row.tobytes() for row in np.packbits(enrolled[part], axis=1))
            helpers = yield from self._locked(enrolled[part], rng)
            for name, bits in zip(READINGS, readings, strict=True):
                right = yield from self._opened(helpers, enrolled[part], bits[part])
                opened[name] += int(right.sum())
        share = np.array(sorted(same.values())) / each.count
        each.distinct.append(len(same))
        each.entropy.append(max(0.0, float(-(share * np.log2(share)).sum())))
        for name, count in opened.items():
            each.opened[name].append(count)

    def _projection(self, features: int) -> Projection:
        if features not in self._projections:
            rows = self._code.n * self._spec.price_repetition
            self._projections[features] = Projection(
                rows, features, derive(self._bench.spec.seed, "price", "projection")
            )
        return self._projections[features]

    def _locked(self, enrolled: Bits, rng: np.random.Generator) -> Generator[None, None, list[Helper]]:
        """Helper data of each identity's own random message."""
        seed, helpers = self._bench.spec.seed, []
        for row in enrolled:
            image = rng.integers(LEVELS, size=(SIDE, SIDE))
            helpers.append(enrol(row, image, self._code, repetition=self._spec.price_repetition, seed=seed))
            if len(helpers) % 32 == 0:
                yield None
        return helpers

    def _opened(self, helpers: list[Helper], enrolled: Bits, bits: Bits) -> Generator[None, None, NDArray[np.bool_]]:
        """Which hashes ``[N]`` open the lock of their own row.

        Decoded are the words that decoding decides: one without a wrong bit is its own message, and one with more than twice the
        bits that the code corrects is too far from its own for any decoder of bounded distance.
        """
        code, repetition = self._code, self._spec.price_repetition
        received = majority(bits ^ np.stack([helper.offset for helper in helpers]), repetition)
        wrong = majority(bits ^ enrolled, repetition).sum(1, dtype=np.int64)
        messages = received[:, :BITS].copy()
        asked = np.flatnonzero((wrong > 0) & (wrong <= 2 * code.t))
        decoded = yield from code.decoding(received[asked])
        messages[asked] = decoded.messages[:, :BITS]
        failed = np.zeros(len(bits), np.bool_)
        failed[asked] = decoded.corrected < 0
        digests = [hashlib.sha256(row.tobytes()).hexdigest() for row in np.packbits(messages, axis=1)]
        right = np.array([digest == helper.sha256 for digest, helper in zip(digests, helpers, strict=True)], np.bool_)
        opened: NDArray[np.bool_] = right & ~failed & (wrong <= 2 * code.t)
        return opened

    # --- what is shown -----------------------------------------------------------------------------------------

    def frame(self, *, keep: bool) -> Frame:
        """Everything up to the present depth; done if it is to be kept."""
        spec, found = self._spec, self._found
        layers = max(len(each.distinct) for each in found)
        arrays: dict[str, Any] = {"depth": np.arange(layers)}
        for name in READINGS:
            shares = np.full((3, len(found), layers), np.nan)
            for k, each in enumerate(found):
                if each.distinct:
                    hits = np.array(each.opened[name])
                    shares[:, k] = (hits / each.count, *wilson(hits, each.count))
            arrays |= {name + end: shares[j] for j, end in enumerate(("", "_low", "_high"))}
        arrays["distinct"] = np.array([each.distinct or [0] * layers for each in found], dtype=np.int64)
        arrays["entropy"] = np.array([each.entropy or [math.nan] * layers for each in found])
        arrays["limit_genuine"], arrays["limit_impostor"] = np.full((2, len(found)), np.nan)
        arrays["limit_genuine"][0] = 1 - math.acos(spec.price_correlation) / math.pi
        arrays["limit_impostor"][0] = 0.5
        arrays |= self._bound()
        network = found[2]
        info = {
            "key": self._bench.keys["weights"],
            "done": keep,
            "identities": spec.price_pairs,
            "counts": [each.count for each in found],
            "correlation": spec.price_correlation,
            "network_correlation": network.identities.correlation,
            "dead": network.identities.dead,
            "repetition": spec.price_repetition,
            "ratio": spec.price_ratio,
            "code": {"n": self._code.n, "k": self._code.k, "t": self._code.t},
            "layer": self._layer,
            "series": [each.name for each in found],
            "genuine": [
                "the identity at this C, in a random direction",
                "the identity at this C, in a random direction",
                f"the same test sample with noise on the input; mean C {network.identities.correlation:.2f}",
            ],
            "sentence": SENTENCE,
            "reconstruction": True,
        }
        return Frame(TOPIC, "measure", 0, arrays, info, keep)

    def _bound(self) -> dict[str, Any]:
        """What helper data can leave: for features of each width, without and with repetition, and for a single direction."""
        code, repetition = self._code, self._spec.price_repetition
        width = self._found[2].identities.enrolled.shape[1]
        rows = [(d, r) for d in dict.fromkeys((FEATURES, width)) for r in dict.fromkeys((1, repetition))]
        rows.append((1, repetition))  # what layers collapse all features to
        bounds = [secrecy(d, n=code.n, k=code.k, repetition=r) for d, r in rows]
        return {
            "bound_d": np.array([d for d, _ in rows]),
            "bound_n": np.array([code.n * r for _, r in rows]),
            "bound_cells": np.array([bound.cells for bound in bounds]),
            "bound_leak": np.array([float(bound.leak) for bound in bounds]),
            "bound_left": np.array([bound.left for bound in bounds]),
        }

    def records(self) -> Making:
        """One row a kind of identities and depth."""
        arrays = self.frame(keep=False).arrays
        for k, each in enumerate(self._found):
            for depth in range(len(each.distinct)):
                row: dict[str, float | int | str | None] = {
                    "series": each.name,
                    "layers": depth,
                    "identities": each.count,
                    "distinct": each.distinct[depth],
                    "entropy": each.entropy[depth],
                }
                row |= {
                    name + end: float(arrays[name + end][k, depth])
                    for name in READINGS
                    for end in ("", "_low", "_high")
                }
                yield Record(TOPIC, row)
            yield None
