"""Sets of features rather than pairs: spectra, similarity of layers and networks, neural collapse, at every layer."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.events import Frame, Progress, Record
from engine.experiments.bench import Bench, Making
from engine.experiments.lens import Features, look
from engine.experiments.measured import Moment
from engine.experiments.probe import probe_for
from engine.experiments.sets import COLLAPSE, NETS, SPECTRUM, measure_sets, sets_frame
from engine.experiments.train import trained
from engine.generators import stoppable
from engine.geometry.similarity import LEAST_SAMPLES, cka_matrix


def structure(bench: Bench) -> Making:
    """Measure the trained network and the one at initialisation on the probe samples; trains first where needed."""
    model = yield from trained(bench)
    initial = yield from bench.initial()
    probe = yield from probe_for(bench)
    seen: list[Features] = []
    found = []
    for number, network in enumerate((model, initial)):
        said = Progress(number, 4, "measuring sets of features")
        lens = yield from stoppable(look(network, *probe.reference), said)
        seen.append((yield from stoppable(lens.features(probe.x), said)))
        found.append((yield from stoppable(measure_sets(network, lens, seen[-1]), said)))
    taps = len(model.taps)
    similarity: dict[str, np.ndarray] = {}
    for number, (name, other) in enumerate((("cka_layers", None), ("cka_networks", seen[1]))):
        said = Progress(2 + number, 4, "measuring similarity")
        if len(probe.x) < LEAST_SAMPLES:
            similarity[name] = np.full((taps, taps), np.nan)
        else:
            similarity[name] = (yield from stoppable(cka_matrix(seen[0], other), said)).numpy()
    frame = sets_frame(Moment("measure", 0), model, probe.y, lens, found[0], found[1], **similarity)
    yield frame
    yield from _records(frame)
    yield Progress(4, 4, "sets of features measured")


def _records(frame: Frame) -> Making:
    taps = frame.info["taps"]
    for i, one in enumerate(taps):
        for j, other in enumerate(taps):
            pair: dict[str, Any] = {"tap": one["name"], "other": other["name"]}
            for name in ("cka_layers", "cka_networks"):
                value = float(frame.arrays[name][i, j])
                pair[name] = value if np.isfinite(value) else None
            yield Record("similarity", pair)
    for number, net in enumerate(NETS):
        for position, tap in enumerate(frame.info["taps"]):
            row: dict[str, Any] = {"net": net, "tap": tap["name"], "tap_index": position}
            for view, said in enumerate(("centred", "uncentred")):
                row |= {
                    f"{name}_{said}": float(frame.arrays["spectrum"][number, view, position, column])
                    for column, name in enumerate(SPECTRUM)
                    if name in ("entropy", "effective_rank", "purity")
                }
            row |= dict(zip(COLLAPSE, frame.arrays["collapse"][number, position].tolist(), strict=True))
            yield Record(
                "structure", {k: (None if isinstance(v, float) and np.isnan(v) else v) for k, v in row.items()}
            )
