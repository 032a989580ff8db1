"""Sign correlations and the CHSH protocol on the features of the network, and the three mistakes that exceed its bound."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from engine.events import Frame, Progress, Record
from engine.experiments.bench import Bench, Making, test_order
from engine.experiments.lens import Work, observed
from engine.experiments.pictures import taps_info
from engine.experiments.probe import probe_for
from engine.experiments.train import trained
from engine.generators import stoppable
from engine.geometry import bell as signs_of
from engine.geometry.bell import Agreement, Chsh, agreement, chsh, sawtooth, signs
from engine.geometry.pairs import centred, pair_geometry
from engine.seeds import derive, generator

Array = NDArray[np.float64]

SAMPLES = 500  # test samples at most that are the hidden variable in network mode
COMPONENTS = 10  # principal ones that settings read: among more, correlations are found by chance
PAIRS = 40  # pairs of probe samples whose angle is read off signs, at each layer
AT_A_TIME = 400_000  # numbers of hyperplanes drawn between two breaths
DISJOINT_ROWS = 100  # a quarter, in the mistake of four disjoint samples
DISJOINT_TRIALS = 200
ROUNDING = 4 * float(np.finfo(np.float32).eps)
"""Share of features' length, over all samples, that is their rounding."""
DROP = (0.0, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8)
"""Readings below these shares of their deviation are dropped by the mistake of confident rows alone."""
TSIRELSON_ANGLES = (0.0, math.pi / 2, math.pi / 4, -math.pi / 4)


@dataclass(frozen=True, eq=False)
class Wings:
    """Readings of the settings A, A', B, B', one a row: float64 ``[N]`` each, none of them discarded."""

    a: Array
    a2: Array
    b: Array
    b2: Array

    @property
    def all(self) -> tuple[Array, Array, Array, Array]:
        """In the order A, A', B, B'."""
        return self.a, self.a2, self.b, self.b2


def bell(bench: Bench) -> Making:
    """Pair mode and network mode at every layer, with the mistakes beside them; trains first where needed."""
    spec = bench.spec
    model = yield from trained(bench)
    initial = yield from bench.initial()
    probe = yield from probe_for(bench)
    dataset = yield from bench.dataset()
    hidden = dataset.x_test[test_order(dataset, spec.seed)[:SAMPLES]]
    taps = len(model.taps)
    reference = yield from observed(model, probe.reference[0])
    seen = yield from observed(model, probe.x)
    features = [centred(f, r.double().mean(0)) for f, r in zip(seen, reference, strict=True)]
    wing = yield from observed(model, hidden)
    other = yield from observed(initial, hidden)
    rng = np.random.default_rng(derive(spec.seed, "bell"))
    chosen = _pairs(len(probe.x), rng)
    angles, agreements = [], []
    for tap in range(taps):
        said = Progress(tap, 2 * taps, "reading signs off pairs")
        read = yield from stoppable(_read(features[tap], spec.controls.rows, spec.seed), said)
        true, told = [], []
        for i, j in chosen:
            theta = float(pair_geometry(features[tap][i : i + 1], features[tap][j : j + 1]).theta)
            true.append(theta)
            told.append(None if math.isnan(theta) else agreement(read[i], read[j]))
        angles.append(true)
        agreements.append(told)
        yield said
    results = []
    for tap in range(taps):
        yield Progress(taps + tap, 2 * taps, "the CHSH protocol at every layer")
        results.append(_network_mode(wing[tap].double().numpy(), other[tap].double().numpy()))
        yield None
    pair = yield from _pair_mode(spec.controls.rows, rng)
    frame = _frame(bench, model, np.array(angles), agreements, results, pair)
    yield frame
    for row in frame.info["layers"]:
        yield Record("bell", {k: v for k, v in row.items() if not isinstance(v, list | dict)})
    yield Progress(1, 1, "Bell measured")


# --- pair mode ---------------------------------------------------------------------------------------------------


def _pairs(n: int, rng: np.random.Generator) -> list[tuple[int, int]]:
    i, j = np.triu_indices(n, 1)
    picked = rng.permutation(len(i))[:PAIRS]
    return [(int(i[k]), int(j[k])) for k in picked]


def _read(features: torch.Tensor, rows: int, seed: int) -> Work[NDArray[np.int8]]:
    """Signs ``[N, rows]`` that the same random hyperplanes read off all features ``[N, D]``; those of a dead one mean nothing."""
    draw = generator(seed, "hyperplanes")
    alive = features.nan_to_num()
    size = max(1, AT_A_TIME // features.shape[1])
    parts = []
    for start in range(0, rows, size):
        normals = torch.randn(features.shape[1], min(size, rows - start), generator=draw, dtype=torch.float64)
        parts.append(signs((alive @ normals).numpy()))
        yield None
    return np.concatenate(parts, axis=1)


def _pair_mode(rows: int, rng: np.random.Generator) -> Any:
    """Four vectors at Tsirelson's angles: the protocol's S, the cosines' sum, and each mistake."""
    normal = rng.normal(size=(rows, 2))
    vectors = [np.array([math.cos(t), math.sin(t)]) for t in TSIRELSON_ANGLES]
    wings = Wings(*(normal @ v for v in vectors))
    yield None
    trials = []
    for _ in range(DISJOINT_TRIALS):
        quarter = rng.normal(size=(4 * DISJOINT_ROWS, 2))
        trials.append(signs_of.disjoint_chsh(*(signs(quarter @ v) for v in vectors)).S)
    yield None
    return {
        "protocol": asdict(chsh(*(signs(w) for w in wings.all))),
        "cosines": signs_of.algebraic_score(*vectors),
        "disjoint": trials,
        "dropping": _dropping(wings),
    }


# --- network mode ------------------------------------------------------------------------------------------------


def _network_mode(first: Array, second: Array) -> dict[str, Any]:
    """The sample is the hidden variable: one wing reads the trained network's features, the other those at initialisation.

    Settings are the readouts that come nearest to a violation: along the two largest canonical correlations, turned by
    Tsirelson's angles. Readings are taken about their medians, so that signs are even.
    """
    live = np.isfinite(first).all(1) & np.isfinite(second).all(1)
    if live.sum() < 8 or not (first[live].std(0) > 0).any() or not (second[live].std(0) > 0).any():
        return {}
    u, v, rho = _canonical(first[live], second[live])
    wings = []
    for side, angle in ((u, 0.0), (u, math.pi / 2), (v, math.pi / 4), (v, -math.pi / 4)):
        reading = math.cos(angle) * side[:, 0] + math.sin(angle) * side[:, 1]
        wings.append(reading - np.median(reading))
    held = Wings(*wings)
    result = chsh(*(signs(w) for w in held.all))
    return {
        "protocol": asdict(result),
        "rho": [float(r) for r in rho],
        "algebraic": 2 * math.hypot(*rho),
        "dropping": _dropping(held),
        "dead": int((~live).sum()),
        "samples": int(live.sum()),
    }


def _canonical(first: Array, second: Array) -> tuple[Array, Array, tuple[float, float]]:
    """The two leading canonical variates of each side ``[N, 2]``, and their correlations; zeros where there are fewer."""
    bases = []
    for features in (first, second):
        centred = features - features.mean(0)
        # the principal components of N samples from the N x N products: their features may be many
        values, vectors = np.linalg.eigh(centred @ centred.T)
        # features come in float32: what varies by no more than their rounding does not vary
        rounding = (ROUNDING * np.linalg.norm(features)) ** 2
        kept = values[::-1] > max(values[-1] * 1e-12, rounding)
        bases.append(vectors[:, ::-1][:, kept][:, :COMPONENTS])
    left, rho, right = np.linalg.svd(bases[0].T @ bases[1], full_matrices=False)
    x, y = bases[0] @ left[:, :2], bases[1] @ right.T[:, :2]
    pad = ((0, 0), (0, 2 - x.shape[1]))
    both = np.concatenate([np.clip(rho, 0, 1), [0.0, 0.0]])
    return np.pad(x, pad), np.pad(y, pad), (float(both[0]), float(both[1]))


def _dropping(wings: Wings) -> list[dict[str, float]]:
    """What keeping confident rows alone makes of S, at each threshold."""
    found = []
    deviation = float(np.mean([w.std() for w in wings.all])) or 1.0
    for least in DROP:
        kept = signs_of.post_selected_chsh(wings.all, least * deviation)
        found.append(
            {
                "least": least,
                "S": kept.S,
                "efficiency": kept.efficiency,
                "bound": signs_of.loophole_bound(kept.efficiency),
                "as_zero": signs_of.kept_as_zero(wings.all, least * deviation),
            }
        )
    return found


# --- what is shown -----------------------------------------------------------------------------------------------


def _frame(
    bench: Bench,
    model: Any,
    angles: Array,
    agreements: list[list[Agreement | None]],
    results: list[dict[str, Any]],
    pair: dict[str, Any],
) -> Frame:
    def column(name: str) -> Array:
        return np.array([[math.nan if a is None else getattr(a, name) for a in row] for row in agreements])

    told = {name: column(name) for name in ("E", "E_error", "theta", "theta_error")}
    arrays = {
        "theta": angles,
        "E": told["E"],
        "E_error": told["E_error"],
        "theta_told": told["theta"],
        "theta_told_error": told["theta_error"],
        "sawtooth": sawtooth(angles),
        "disjoint": np.array(pair["disjoint"]),
    }
    taps = taps_info(model)
    layers = []
    for tap, result in zip(taps, results, strict=True):
        row: dict[str, Any] = {"tap": tap["name"]}
        if result:
            told_s = Chsh(**result["protocol"])
            row |= {
                "S": told_s.S,
                "error": told_s.error,
                "samples": result["samples"],
                "dead": result["dead"],
                "algebraic": result["algebraic"],
                "rho1": result["rho"][0],
                "rho2": result["rho"][1],
                "dropping": result["dropping"],
            }
        layers.append(row)
    info = {
        "taps": taps,
        "layers": layers,
        "pair": {k: v for k, v in pair.items() if k != "disjoint"},
        "rows": bench.spec.controls.rows,
        "key": bench.keys["weights"],
        "disjoint_rows": DISJOINT_ROWS,
    }
    return Frame("bell", "measure", 0, arrays, info)
