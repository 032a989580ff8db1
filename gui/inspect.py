"""What the inspector says of the selection: reads frames, computes nothing (the numbers come from engine.experiments.views)."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.events import Frame
from engine.experiments.attack_curves import BEST
from engine.experiments.views import VIEWS, layer_taps, pair_eta, readings, square
from gui.chrome.inspector import Row, Section
from gui.plots.groups import short
from gui.selection import Selection
from gui.stage import Stage

Pictures = list[tuple[np.ndarray, str]]


@dataclass
class Content:
    """What :meth:`gui.chrome.inspector.Inspector.set_content` takes."""

    title: str
    image: Pictures = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    sections: list[Section] = field(default_factory=list)
    subtitle: str = ""


def describe(selection: Selection, stage: Stage) -> Content | None:
    """The content for what was chosen last, or None where nothing is chosen or known of it."""
    match selection.latest:
        case "sample" if selection.sample is not None:
            return _sample(selection.sample, selection, stage)
        case "pair" if selection.pair is not None:
            return _pair(selection.pair, selection, stage)
        case "klass" if selection.klass is not None:
            return _klass(selection.klass, stage)
        case "tap" | "view":
            if selection.pair is not None:
                return _pair(selection.pair, selection, stage)
            if selection.tap is not None:
                return _tap(selection.tap, selection, stage)
            if selection.sample is not None:
                return _sample(selection.sample, selection, stage)
    return None


def number(value: float, digits: int = 3) -> str:
    """A signed number with a true minus; what is not a number or not finite is said in words."""
    if math.isnan(value):
        return "dead"
    if math.isinf(value):
        return "+∞" if value > 0 else "−∞"
    return f"{value:+.{digits}f}".replace("-", "−")


def _position(frame: Frame | None, index: int) -> int | None:
    if frame is None:
        return None
    found = np.flatnonzero(frame.arrays["index"] == index)
    return int(found[0]) if len(found) else None


def picture_of(stage: Stage, index: int) -> tuple[np.ndarray, int] | None:
    """Image and label of a test sample, where a frame on stage holds them."""
    dataset = stage.frame("dataset")
    at = _position(dataset, index)
    if dataset is not None and at is not None:
        return dataset.arrays["images"][at], int(dataset.arrays["labels"][at])
    gallery = stage.frame("gallery")
    at = _position(gallery, index)
    if gallery is not None and at is not None:
        return gallery.arrays["x"][at], int(gallery.arrays["y"][at])
    return None


def _class_name(stage: Stage, label: int) -> str:
    for topic in ("dataset", "gallery", "matrix/clean"):
        frame = stage.frame(topic)
        if frame is not None and 0 <= label < len(frame.info["classes"]):
            return str(frame.info["classes"][label])
    return str(label)


def _sample(index: int, selection: Selection, stage: Stage) -> Content:
    content = Content(f"Sample {index}")
    seen = picture_of(stage, index)
    if seen is not None:
        content.image.append((seen[0], "x"))
        content.rows.append(Row("true class", _class_name(stage, seen[1])))
    gallery = stage.frame("gallery")
    at = _position(gallery, index)
    if gallery is not None and at is not None:
        content.image.append((gallery.arrays["x_adv"][at], "x_adv"))
        content.rows += _attacked(gallery, at)
        best = gallery.info.get("stage") == BEST
        content.subtitle = "best found by the attack" if best else f"attack step {gallery.step}"
    profile = stage.frame("profile")
    if profile is not None and index in profile.arrays.get("sample", ()):
        content.sections.append(_with_target(profile, index, selection))
    matrix = stage.frame("matrix/clean")
    at = _position(matrix, index)
    if matrix is not None and at is not None:
        content.sections.append(_neighbours(matrix, at, selection))
    if not content.rows and not content.sections:
        content.rows.append(Row("not among the samples shown", "", "muted"))
    return content


def _with_target(profile: Frame, index: int, selection: Selection) -> Section:
    """Correlation of one attacked sample with its target class, beside the same sample unmoved and moved at random."""
    tap = _tap_position(profile.info["taps"], selection.tap)
    at = int(np.flatnonzero(profile.arrays["sample"] == index)[0])
    adversarial, clean, random = profile.arrays["sample_C"][:, selection.view_index, at, tap]
    name = profile.info["taps"][tap]["name"]
    tip = "Mean over the reference samples of the target class"
    return Section(
        f"C with target at {name}",
        [
            Row("x_adv", number(float(adversarial)), "accent", tip),
            Row("x", number(float(clean)), tip=tip),
            Row("random perturbation", number(float(random)), tip=tip),
        ],
    )


def _attacked(gallery: Frame, at: int) -> list[Row]:
    arrays, classes = gallery.arrays, gallery.info["classes"]
    success = bool(arrays["success"][at])
    first = int(arrays["first_success"][at])
    rows = [
        Row(
            "clean prediction", f"{classes[int(arrays['clean_prediction'][at])]} · {arrays['clean_confidence'][at]:.0%}"
        ),
        Row(
            "x_adv prediction",
            f"{classes[int(arrays['prediction'][at])]} · {arrays['confidence'][at]:.0%}",
            "error" if success else "",
        ),
    ]
    target = int(arrays["target"][at])
    if target >= 0:
        rows.append(Row("target", str(classes[target])))
    norm = {"Linf": "‖δ‖∞", "L2": "‖δ‖₂", "L1": "‖δ‖₁", "L0": "‖δ‖₀"}.get(gallery.info["norm"], "‖δ‖")
    rows += [
        Row(norm, f"{arrays['norm'][at]:.3f}", tip="Size of the perturbation, in input units"),
        Row(
            "loss", f"{arrays['loss'][at]:.3f}", tip="Cross-entropy to the target, or to the true class when untargeted"
        ),
        Row("first success", f"step {first}" if first >= 0 else "none so far"),
    ]
    if "margin" in arrays:
        tip = "True logit less the best other one; targeted: best other less the target's. Below 0 it is broken."
        rows.insert(-1, Row("margin", f"{arrays['margin'][at]:+.3f}".replace("-", "−"), tip=tip))
    return rows


def _neighbours(matrix: Frame, at: int, selection: Selection) -> Section:
    """Mean correlation of one sample with its own and with other classes, at the chosen layer."""
    tap = _tap_position(matrix.info["taps"], selection.tap)
    row = square(matrix, tap, selection.view_index)[at].astype(np.float64)
    row[at] = np.nan  # with itself
    own = matrix.arrays["label"] == matrix.arrays["label"][at]
    name = matrix.info["taps"][tap]["name"]
    return Section(
        f"Mean C of x at {name}",
        [Row("own class", _mean(row[own])), Row("other classes", _mean(row[~own]))],
    )


def _mean(values: np.ndarray) -> str:
    known = values[np.isfinite(values)]
    return number(float(known.mean())) if len(known) else "–"


def _pair(pair: tuple[int, int], selection: Selection, stage: Stage) -> Content:
    a, b = pair
    title = f"Samples {a} and {b}" if b >= 0 else f"Sample {a} and a training sample"
    content = Content(title)
    for index in pair:
        seen = picture_of(stage, index) if index >= 0 else None
        if seen is not None:
            content.image.append((seen[0], f"{index} · {_class_name(stage, seen[1])}"))
    sources = _etas(pair, stage)
    if not sources:
        content.rows.append(Row("not measured at this moment", "", "muted"))
        return content
    taps = sources[0][2]
    position = _tap_position(taps, selection.tap)
    content.subtitle = str(taps[position]["name"])
    other = next(view for view in VIEWS if view != selection.view)
    for label, eta, _ in sources:
        for view in (selection.view, other) if len(sources) == 1 else (selection.view,):
            title = " · ".join(part for part in (label, view) if part)
            content.sections.append(Section(title, _numbers(readings(eta[VIEWS.index(view), position]))))
    for label, eta, _ in sources:
        lines = readings(eta[selection.view_index])["C"]
        rows = [
            Row(str(taps[t]["name"]), number(float(lines[t])), "accent" if t == position else "")
            for t in layer_taps(taps)
        ]
        content.sections.append(Section(f"C by layer{': ' if label else ''}{label}", rows))
    return content


def _numbers(values: dict[str, Any]) -> list[Row]:
    theta = float(values["angle"])
    gamma = float(values["gamma"])
    return [
        Row("correlation C", number(float(values["C"]))),
        Row("angle θ", "dead" if math.isnan(theta) else f"{math.degrees(theta):.1f}°"),
        Row("rapidity η", number(float(values["rapidity"])), tip="η = ln(d′/d) = artanh C"),
        Row(
            "γ",
            "dead" if math.isnan(gamma) else f"{gamma:.3f}" if gamma < 1e5 else f"{gamma:.2e}",
            tip="γ = cosh η = 1 / sin θ",
        ),
        Row("chord d", f"{float(values['chord']):.3f}", tip="Distance between the unit vectors"),
        Row("antipode d′", f"{float(values['antipode']):.3f}", tip="Distance to the antipode; d² + d′² = 4"),
    ]


def _etas(pair: tuple[int, int], stage: Stage) -> list[tuple[str, np.ndarray, list[dict[str, Any]]]]:
    """What is on stage of a pair: (which inputs, rapidity [views, T], taps), from the matrices, else the world lines."""
    found = []
    for topic, label in (("matrix/clean", "clean inputs"), ("matrix/adversarial", "adversarial inputs")):
        matrix = stage.frame(topic)
        eta = pair_eta(matrix, *pair) if matrix is not None and pair[1] >= 0 else None
        if matrix is not None and eta is not None:
            found.append((label, eta, matrix.info["taps"]))
    lines = stage.frame("pairs")
    if not found and lines is not None:
        for at in np.flatnonzero((lines.arrays["a"] == pair[0]) & (lines.arrays["b"] == pair[1])):
            label = lines.info["groups"][int(lines.arrays["group"][at])]["label"]
            found.append((label, lines.arrays["eta"][:, at], lines.info["taps"]))
    if len(found) == 1:
        found = [("", *found[0][1:])]
    return found


def _tap_position(taps: list[dict[str, Any]], name: str | None) -> int:
    names = [tap["name"] for tap in taps]
    # the last hidden layer says most where none is chosen: the logits are what training asked for
    return names.index(name) if name in names else max(0, len(taps) - 2)


def _tap(name: str, selection: Selection, stage: Stage) -> Content:
    content = Content(name)
    model = stage.frame("model")
    for layer in model.info["layers"] if model is not None else ():
        if layer["name"] == name:
            content.rows += [
                Row("kind", layer["kind"]),
                Row("shape", layer["shape"] or "–"),
                Row("parameters", f"{layer['parameters']:,}"),
            ]
    profile = stage.frame("profile")
    if profile is not None and name in (names := [tap["name"] for tap in profile.info["taps"]]):
        rows = []
        for g, group in enumerate(profile.info["groups"]):
            at = (0, selection.view_index, 0, g, names.index(name))
            mean, low, high = (float(profile.arrays[part][at]) for part in ("mean", "low", "high"))
            if not math.isnan(mean):
                tip = f"95% interval {number(low)} to {number(high)} over {int(profile.arrays['count'][g])} inputs"
                rows.append(Row(short(group["name"], group["label"]), number(mean), tip=f"{group['label']}: {tip}"))
        content.sections.append(Section(f"Mean C, {selection.view}", rows))
    return content


def _klass(label: int, stage: Stage) -> Content:
    content = Content(f"Class {_class_name(stage, label)}")
    dataset = stage.frame("dataset")
    if dataset is not None and label < len(dataset.arrays["train_counts"]):
        content.rows += [
            Row("training samples", f"{int(dataset.arrays['train_counts'][label]):,}"),
            Row("test samples", f"{int(dataset.arrays['test_counts'][label]):,}"),
        ]
    gallery = stage.frame("gallery")
    if gallery is not None:
        own = gallery.arrays["y"] == label
        if own.any():
            content.rows.append(
                Row("attack success (shown)", f"{int(gallery.arrays['success'][own].sum())} of {int(own.sum())}")
            )
    return content
