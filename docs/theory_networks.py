"""What the pictures of docs/theory.md are drawn from: pairs in networks drawn anew, and the lab's looks at its ready example."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from engine.data import Dataset
from engine.events import Artifact, Frame, Record
from engine.experiments import open_experiment
from engine.geometry.pairs import pair_geometry
from engine.models import build, observe
from engine.paths import RESOURCES
from engine.seeds import derive
from engine.session import Table
from engine.spec_files import load_spec
from engine.specs import ModelSpec

Array = NDArray[np.float64]

EXAMPLE = RESOURCES / "examples" / "digits-takeover.toml"
LOOKS = ("null", "repeats", "layers", "structure", "takeover", "falsifier")
SEED = 0


def pair_at(theta: float, features: int) -> Dataset:
    """A dataset of two unit vectors at an angle, in the plane of the first two axes."""
    x = torch.zeros(2, features)
    x[:, 0], x[1, 0], x[1, 1] = 1.0, math.cos(theta), math.sin(theta)
    labels = torch.arange(2)
    return Dataset("two vectors", x, labels, x, labels, ("0", "1"), (-1.0, 1.0))


def drawn(spec: ModelSpec, theta: float, networks: int, kind: str) -> Array:
    """Rapidity of a pair at the input and at the taps of a kind, in networks drawn anew: ``[networks, taps + 1]``."""
    data = pair_at(theta, 64)
    found = []
    for number in range(networks):
        model = build(spec, data, derive(SEED, "theory pictures", str(number)))
        seen = observe(model, data.x_train, [tap for tap in model.taps if tap.kind in ("input", kind)])
        etas = [pair_geometry(features[:1], features[1:]).eta for features in seen.values()]
        found.append([float(eta) for eta in etas])
    return np.array(found)


@dataclass(frozen=True, eq=False)
class Seen:
    """The last frames of the looks by topic, and the rows that they recorded."""

    frames: dict[str, Frame]
    tables: dict[str, Table]


def looked(looks: Sequence[str] = LOOKS, spec_file: object = EXAMPLE) -> Seen:
    """Train the ready example and look at it."""
    spec = load_spec(spec_file)  # type: ignore[arg-type]
    kept: dict[str, Artifact] = {}
    frames: dict[str, Frame] = {}
    rows: dict[str, list[dict[str, object]]] = {}
    for name in ("attack", *looks):
        for event in open_experiment(name, spec, kept):
            if isinstance(event, Artifact):
                kept[event.name] = event
            elif isinstance(event, Frame):
                frames[event.topic] = event
            elif isinstance(event, Record) and event.table in looks:
                rows.setdefault(event.table, []).append(dict(event.row))
    return Seen(frames, {name: Table(held) for name, held in rows.items()})  # type: ignore[arg-type]
