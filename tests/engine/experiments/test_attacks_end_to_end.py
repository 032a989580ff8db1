"""Every attack by name goes the whole way: from its settings to a row for each sample, on images and on vectors."""

import functools
import math

import pytest

from engine.errors import UserError
from engine.events import Artifact, Frame, Record
from engine.experiments import open_experiment
from engine.specs import (
    DigitsSpec,
    ExperimentSpec,
    GaussianNoiseSpec,
    MlpSpec,
    ProbeSpec,
    TrainingSpec,
    UniformNoiseSpec,
    variants,
)

SHORT = {"steps": 2, "iterations": 2, "generations": 2, "queries": 30, "restarts": 1, "search_steps": 2, "samples": 12}
DATA = {
    "images": DigitsSpec(),
    "vectors": UniformNoiseSpec(features=12, classes=3, train_size=90, test_size=30),
    "unbounded vectors": GaussianNoiseSpec(features=12, classes=3, train_size=90, test_size=30),
}
ONLY_IMAGES = {"di", "ti", "patch"}  # what they do to an input needs rows and columns


def short(method):
    """The attack with its default settings, but brief; a bound only ever shortens what is longer."""
    cls = variants("attack")[method]
    fields = cls.model_fields
    return cls(**{n: min(v, fields[n].default) for n, v in SHORT.items() if n in fields})


@functools.cache
def trained(kind):
    spec = ExperimentSpec(
        dataset=DATA[kind],
        model=MlpSpec(depth=1, width=24),
        training=TrainingSpec(epochs=3),
        probe=ProbeSpec(samples=8, reference=60, bootstrap=50, pairs=4, every=1000),
    )
    events = open_experiment("train", spec, {})
    return spec, {e.name: e for e in events if isinstance(e, Artifact)}


@pytest.mark.parametrize("kind", DATA)
@pytest.mark.parametrize("method", variants("attack"))
def test_an_attack_gives_a_row_for_each_sample(method, kind):
    spec, weights = trained(kind)
    spec = spec.model_copy(update={"attack": short(method)})
    running = open_experiment("attack", spec, weights)
    if kind != "images" and method in ONLY_IMAGES:
        with pytest.raises(UserError, match="image"):
            list(running)
        return
    events = list(running)
    rows = [e.row for e in events if isinstance(e, Record) and e.table == "attacked"]
    assert len(rows) == 12 == len({row["sample"] for row in rows})
    bounded = kind != "unbounded vectors"
    frames = [e for e in events if isinstance(e, Frame) and e.topic == "gallery"]
    made = next(e for e in events if isinstance(e, Artifact) and e.name == "adversarial").arrays
    assert frames and [int(r["success"]) for r in rows] == made["success"].astype(int).tolist()
    for row in rows:
        assert all(isinstance(v, str) or math.isfinite(v) for v in row.values()), row
        assert row["forwards"] >= 1 and (row["success"] or row["first_step"] == -1)
        assert row["success_8bit"] <= row["success"]
    if bounded:
        assert made["x_adv"].min() >= 0 and made["x_adv"].max() <= 1
    assert any(row["forwards"] > 1 for row in rows)
