"""What is said in words of linear networks on noise: the controls beside the claim, and where float64 ends."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from engine.experiments import views
from gui.panels.noise.curves import Curve, figure
from gui.panels.noise.strip import Control

if TYPE_CHECKING:
    from engine.events import Frame
    from engine.specs import ExperimentSpec

TRAIN, UNSEEN, BLIND = "train", "unseen", "blind"
LOSSES = (
    Curve(TRAIN, "training", "blue", wide=True),
    Curve(UNSEEN, "unseen", "vermillion"),
    Curve(BLIND, "unseen, sign-blind", "green", dash=True),
)
AS_THEY_ARE, CENTRED = "0", "1"
EXACT = Curve("exact", "as they are, by distances", "green")
SERIES = (Curve(AS_THEY_ARE, "as they are", "purple"), Curve(CENTRED, "centred", "grey", dash=True))
TIPS = {
    TRAIN: "Mean loss (1 − C)/2 of the training samples, with a 95% interval over them",
    UNSEEN: "The same of samples that no row was chosen by",
    EXACT.key: "The same by distances, which hold angles that a cosine rounds to 0",
    BLIND: "(1 − |C|)/2 of unseen samples: the antipode counts as the point",
    AS_THEY_ARE: "The samples as the data source gives them",
    CENTRED: "Control: the same samples less the mean of the training samples",
}


def loss_floor(frame: Frame) -> float:
    """The loss (1 − C)/2 = d²/4 at the largest rapidity that float64 can hold."""
    return float(views.readings(frame.info["ceiling"])["chord"]) ** 2 / 4


def differences(frame: Frame, spec: ExperimentSpec) -> list[str]:
    """How the settings as they stand differ from those that a frame was made with, "depth 20 → 40"; none if they agree."""
    info, now = frame.info, spec.max_likelihood
    if info["key"] == spec.key("dataset", "max_likelihood"):
        return []
    found = [
        f"{name} {info[name]} → {getattr(now, name)}"
        for name in ("candidates", "rows", "depth", "likelihood", "temperature")
        if frame.topic == "max_likelihood" and info[name] != getattr(now, name)
    ]
    return found or ["samples, data or seed"]


def controls_of(frame: Frame) -> list[Control]:
    """The controls of the MaxLikelihood network, as far as they are measured."""
    info, arrays = frame.info, frame.arrays
    point, centred = (float(arrays["unseen_loss"][k, -1]) for k in (0, 1))
    labelled = len(arrays["label_samples"]) > 0
    few, many = (f"{arrays['label_samples'][k]:,}" for k in (0, -1)) if labelled else ("", "")
    labels = f"{span(arrays['label_train'])}, unseen {span(arrays['label_test'])}" if labelled else "…"
    targets = float(info["three_targets"])
    exact = (
        f" by cosines, {figure(float(arrays['retrieval_exact'][0, -1]))} by distances"
        if "retrieval_exact" in arrays
        else ""
    )
    return [
        Control(
            "constant predictor: loss",
            figure(float(info["constant_loss"][0])),
            f"Its loss: it says the shared point whatever it is given. The network has {figure(point)} on unseen samples",
        ),
        Control(
            "centred: loss",
            figure(centred),
            "Unseen loss with the training mean subtracted: unseen samples fall to the point or to its antipode, about half of them to each",
        ),
        Control(
            "random labels: accuracy",
            labels,
            f"Accuracy for {few} to {many} samples with labels ±1 at random: what is learnt holds for no unseen one"
            if labelled
            else "Measured once the layers are there",
        ),
        Control(
            "effective rank",
            figure(float(arrays["effective_rank"][0, -1])),
            "Directions that outputs of unseen samples use: 1 means that all of them are one",
        ),
        Control(
            "3 targets: accuracy",
            figure(targets) if math.isfinite(targets) else "…",
            "Only two outputs can be had, opposite to each other: at most two thirds are met",
        ),
        Control(
            "identity retrieved",
            figure(float(arrays["retrieval"][0, -1])) + exact,
            "Share of items whose noisy copy is nearest to itself by the outputs. Cosines round to 1 at angles of 1e-8; distances hold "
            "smaller ones: no loss, and yet not forgotten",
        ),
    ]


def controls_of_descent(frame: Frame) -> list[Control]:
    """The controls of the network that gradient descent trains."""
    info, arrays = frame.info, frame.arrays
    right = [float(arrays[f"{name}_accuracy"][1, -1]) for name in ("train", "unseen")]
    found = [
        Control(
            "constant predictor: loss",
            figure(float(info["constant_loss"][0])),
            f"Its loss on the shared target, where the network has {figure(float(arrays['unseen_loss'][0, -1]))} on unseen samples",
        ),
        Control(
            "random labels: accuracy",
            f"{figure(right[0])}, unseen {figure(right[1])}" if all(map(math.isfinite, right)) else "…",
            "Accuracy on training and unseen samples: what was learnt of labels that mean nothing holds for no unseen sample",
        ),
    ]
    if "centred" in info:
        found.append(
            Control(
                "centred: loss",
                figure(float(info["centred"]["unseen_loss"])),
                f"Unseen loss on the shared target with the training mean subtracted; {info['centred']['unseen_accuracy']:.0%} of unseen samples are on its side",
            )
        )
    if "effective_rank" in arrays:
        ranks = [figure(float(arrays["effective_rank"][k, -1])) for k in (0, 1)]
        found.append(
            Control(
                "effective rank",
                f"{ranks[0]} (random labels {ranks[1]})",
                "Directions that features of unseen samples use behind the last layer",
            )
        )
    return found


def span(values: np.ndarray) -> str:
    """The least and the largest of some shares: "0.49–0.53", or one number where they are the same."""
    known = np.asarray(values, float)
    known = known[np.isfinite(known)]
    if not len(known):
        return "undefined"
    ends = [f"{found:.2f}" for found in (known.min(), known.max())]
    return ends[0] if ends[0] == ends[1] else f"{ends[0]}–{ends[1]}"
