"""The four cases shown for one class and layer: what is fed to a lock, what the network takes it for, and what comes out."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engine.events import Scalar
from engine.experiments.reconciling.locks import Fed, predicted
from engine.models import Network, observe
from engine.reconcile.code import Code
from engine.reconcile.message import SIDE

KINDS = ("fooling noise", "raw noise", "clean test image", "wrong-class lock")
FOOLING, RAW, CLEAN, WRONG = range(4)
NONE_OF_CLASS = "The data has no test sample of this class, so nothing was fed to the lock."


@dataclass(frozen=True, eq=False)
class Cases:
    """One input of each of :data:`KINDS`; a kind of which there is none is NaN, and -1 in the image."""

    inputs: np.ndarray
    """float32 ``[4, ...]``"""
    probability: np.ndarray
    """float64 ``[4, K]``: what the network says."""
    image: np.ndarray
    """int8 ``[4, 8, 8]``: what came out; -1 throughout where nothing did."""
    told: list[dict[str, Scalar | bool]]
    """Of each case its figures; NaN, or -1 of a count or a class, where there is none."""


def demonstration(
    model: Network,
    code: Code,
    repetition: int,
    inputs: list[Tensor],
    outcomes: list[Fed],
    rows: list[int | None],
    lock: list[int],
) -> Cases:
    """The cases of these ``rows``, one of each kind's ``inputs`` ``[N, ...]``, which did ``outcomes`` to ``lock``; None for none."""
    shape, classes = inputs[FOOLING].shape[1:], observe_logits(model, inputs[FOOLING][:1]).shape[1]
    shown = np.full((len(KINDS), *shape), np.nan, np.float32)
    probability = np.full((len(KINDS), classes), np.nan)
    image = np.full((len(KINDS), SIDE, SIDE), -1, np.int8)
    told = []
    for kind, (name, row) in enumerate(zip(KINDS, rows, strict=True)):
        case: dict[str, Scalar | bool] = {"name": name, "lock": lock[kind], "corrects": code.t, "recovered": False}
        if row is None:
            told.append(case | _NO_FIGURES | {"sentence": NONE_OF_CLASS})
            continue
        found = outcomes[kind]
        shown[kind] = inputs[kind][row].numpy()
        probability[kind] = observe_logits(model, inputs[kind][row : row + 1]).softmax(1)[0].numpy()
        image[kind] = found.images[row]
        told.append(
            case
            | {
                "seen": int(probability[kind].argmax()),
                "confidence": float(probability[kind].max()),
                "angle": math.degrees(found.theta[row]),
                "wrong_bits": float(found.wrong_share[row]),
                "wrong_code_bits": int(found.wrong_code_bits[row]),
                "predicted": float(predicted(found, code, repetition)[row]),
                "recovered": bool(found.opened[row]),
                "sentence": found.sentences[row],
            }
        )
    return Cases(shown, probability, image, told)


_NO_FIGURES: dict[str, Scalar | bool] = {
    "seen": -1,
    "confidence": math.nan,
    "angle": math.nan,
    "wrong_bits": math.nan,
    "wrong_code_bits": -1,
    "predicted": math.nan,
}


def observe_logits(model: Network, x: Tensor) -> Tensor:
    """float64 ``[N, K]``."""
    logits = model.taps[-1]
    return observe(model, x, [logits])[logits.name].to(torch.float64)
