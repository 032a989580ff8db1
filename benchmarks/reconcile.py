"""What a thousand reconciliations cost beside the float64 product and the library's decoding that they cannot do without."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
import torch

from benchmarks.measure import Result, paired, seconds
from engine.generators import drain
from engine.reconcile.code import Code, prepared
from engine.reconcile.commitment import enrol, majority, recover
from engine.reconcile.hashing import Projection
from engine.seeds import generator

INPUTS = 1000
FEATURES = (128, 784)
REPETITION = 15
N, T = 255, 18
ANGLES = (45.0, 90.0)
"""Degrees to the reference: where the code reads nearly all, and where the decoder gives up early."""
ROUNDS = 7


def run() -> Iterator[Result]:
    """Yield the figures."""
    torch.set_num_threads(1)
    compiling = seconds(lambda: drain(prepared(N, T)))
    code = drain(prepared(N, T))
    for features in FEATURES:
        for degrees in ANGLES:
            ours, bare, opened = _works(code, features, math.radians(degrees))
            ratio, spread = paired(lambda work=ours: seconds(work), lambda work=bare: seconds(work), ROUNDS)  # type: ignore[misc]
            what = f"{INPUTS:,} reconciliations, {features} features, {degrees:g}° / product + decoder"
            yield Result(what, ratio, 3.0, detail=f"{opened:.0%} opened, {spread}")
    yield Result("compiling the code, once in a process", compiling, unit=" s")


def _works(code: Code, features: int, theta: float) -> tuple[Callable[[], object], Callable[[], object], float]:
    """Hash, decode and verify; the product and the library's decoding of the same words alone; and the share opened."""
    import galois
    import numba

    draw = generator(0, "benchmark reconciliation", str(features), str(theta))
    reference = torch.nn.functional.normalize(torch.randn(features, generator=draw, dtype=torch.float64), dim=0)
    aside = torch.randn(INPUTS, features, generator=draw, dtype=torch.float64)
    aside = torch.nn.functional.normalize(aside - (aside @ reference)[:, None] * reference)
    x = (math.cos(theta) * reference + math.sin(theta) * aside).float()
    projection = Projection(N * REPETITION, features, seed=0)
    image = np.arange(64).reshape(8, 8) % 4
    locked = projection.hash(reference[None]).bits[0]
    helper = enrol(locked, image, code, repetition=REPETITION, seed=0)
    rows = torch.cat(list(projection._blocks.values()))
    words = galois.GF2(majority(projection.hash(x).bits ^ helper.offset, REPETITION))
    library = galois.BCH(N, d=2 * T + 1)
    double = x.double()

    def reconcile() -> object:
        hashes = projection.hash(x)
        return recover(hashes.bits, helper, code, hashes.alive)

    def bare() -> None:
        double @ rows.T
        library.decode(words, errors=True)

    numba.set_num_threads(1)  # the library's own threads make it slower wherever another program runs
    return reconcile, bare, float(recover(projection.hash(x).bits, helper, code).opened.mean())
