"""Sets of features at every tap as one frame: what a probe sees while the network learns, and the on-demand look adds to."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.events import Frame
from engine.experiments.lens import Features, Lens, Work
from engine.experiments.measured import Moment
from engine.experiments.pictures import taps_info
from engine.geometry.collapse import collapse
from engine.geometry.spectrum import spectrum
from engine.models import Network

Array = NDArray[np.float64]

NETS = ("trained", "initial")
SPECTRUM = ("entropy", "effective_rank", "purity", "participation", "null_purity", "m", "dead")
COLLAPSE = ("nc1", "nc2_norms", "nc2_angles", "nc3", "nc4", "mean_cosine")


def measure_sets(model: Network, lens: Lens, features: Features) -> Work[tuple[Array, Array]]:
    """Spectra ``[views, T, columns]`` of inputs, and signs of collapse ``[T, columns]`` of the reference training samples.

    Neural collapse is about what was trained on; there are more of those, too.
    """
    spectra = []
    for view in (0, 1):
        for tap, f in enumerate(features):
            found = spectrum(lens.seen(f, tap, view))
            spectra.append([getattr(found, name) for name in SPECTRUM])
        yield
    collapsed = []
    weight = model.get_parameter("layers.logits.weight").detach()
    logits = lens.reference[-1]
    for tap, f in enumerate(lens.reference):
        last = tap == len(model.taps) - 2  # the classifier belongs to the last features before the logits alone
        signs = collapse(f, lens.labels, weight=weight if last else None, prediction=logits.argmax(1))
        collapsed.append([getattr(signs, name) for name in COLLAPSE])
        yield
    shape = 2, len(features), len(SPECTRUM)
    return np.array(spectra, np.float64).reshape(shape), np.array(collapsed, np.float64)


def sets_frame(
    at: Moment,
    model: Network,
    y: Tensor,
    lens: Lens,
    now: tuple[Array, Array],
    start: tuple[Array, Array],
    **similarity: Array,
) -> Frame:
    """``spectrum`` [nets, views, T, columns], ``collapse`` [nets, T, columns]; on demand CKA matrices [T, T] beside them."""
    arrays = {"spectrum": np.stack([now[0], start[0]]), "collapse": np.stack([now[1], start[1]]), **similarity}
    k = len(torch.unique(lens.labels))
    info: dict[str, Any] = {
        "taps": taps_info(model),
        "nets": list(NETS),
        "spectrum": list(SPECTRUM),
        "collapse": list(COLLAPSE),
        "classes": k,
        "simplex": -1 / (k - 1) if k > 1 else None,
        "samples": len(y),
        "reference": len(lens.labels),
    }
    return Frame("structure", at.phase, at.step, arrays, info, at.keep)
