"""Sets of features rather than pairs: spectra, similarity of layers and networks, neural collapse, at every layer."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.events import Frame, Progress, Record
from engine.experiments.bench import Bench, Making
from engine.experiments.lens import Features
from engine.experiments.pictures import taps_info
from engine.experiments.probe import probe_for
from engine.experiments.train import trained
from engine.generators import stoppable
from engine.geometry.collapse import collapse
from engine.geometry.pairs import centred
from engine.geometry.similarity import LEAST_SAMPLES, cka_matrix
from engine.geometry.spectrum import spectrum
from engine.models import Network, observe

NETS = ("trained", "initial")
SPECTRUM = ("entropy", "effective_rank", "purity", "participation", "null_purity", "m", "dead")
COLLAPSE = ("nc1", "nc2_norms", "nc2_angles", "nc3", "nc4", "mean_cosine")


def structure(bench: Bench) -> Making:
    """Measure the trained network and the one at initialisation on the probe samples; trains first where needed."""
    model = yield from trained(bench)
    initial = yield from bench.initial()
    probe = yield from probe_for(bench)
    seen: list[Features] = []
    for network in (model, initial):
        seen.append(list(observe(network, probe.x).values()))
        yield Progress(len(seen), 5, "measuring sets of features")
    centres = []
    for network in (model, initial):
        reference = observe(network, probe.reference[0]).values()
        centres.append([f.double().mean(0) for f in reference])
        yield None
    arrays: dict[str, np.ndarray] = {}
    spectra = []
    for features, centre in zip(seen, centres, strict=True):
        for view in (0, 1):
            for tap, f in enumerate(features):
                found = spectrum(centred(f, centre[tap]) if view == 0 else f)
                spectra.append([getattr(found, name) for name in SPECTRUM])
                yield None
    taps = len(model.taps)
    arrays["spectrum"] = np.array(spectra, np.float64).reshape(2, 2, taps, len(SPECTRUM))
    yield Progress(3, 5, "measuring similarity")
    pairs = ((seen[0], None), (seen[0], seen[1]))
    names = ("cka_layers", "cka_networks")
    for name, (first, second) in zip(names, pairs, strict=True):
        if len(probe.x) < LEAST_SAMPLES:
            arrays[name] = np.full((taps, taps), np.nan)
        else:
            arrays[name] = (yield from stoppable(cka_matrix(first, second), None)).numpy()
    yield Progress(4, 5, "measuring neural collapse")
    collapsed = []
    for network, features in ((model, seen[0]), (initial, seen[1])):
        for tap, f in enumerate(features):
            collapsed.append(_collapse(network, tap, f, probe.y, features[-1]))
            yield None
    arrays["collapse"] = np.array(collapsed, np.float64).reshape(2, taps, len(COLLAPSE))
    k = len(torch.unique(probe.y))
    info: dict[str, Any] = {
        "taps": taps_info(model),
        "nets": list(NETS),
        "spectrum": list(SPECTRUM),
        "collapse": list(COLLAPSE),
        "classes": k,
        "simplex": -1 / (k - 1) if k > 1 else None,
        "samples": len(probe.y),
    }
    frame = Frame("structure", "measure", 0, arrays, info)
    yield frame
    yield from _records(frame)
    yield Progress(5, 5, "sets of features measured")


def _collapse(network: Network, tap: int, features: Tensor, y: Tensor, logits: Tensor) -> list[float]:
    """The classifier belongs to the last features before the logits alone."""
    last = tap == len(network.taps) - 2
    weight = network.get_parameter("layers.logits.weight").detach() if last else None
    found = collapse(features, y, weight=weight, prediction=logits.argmax(1))
    return [float(getattr(found, name)) for name in COLLAPSE]


def _records(frame: Frame) -> Making:
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
