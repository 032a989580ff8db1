"""The price of entangling before hashing: published shares, limits, and how few hashes are left."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from looking import last, longest_breath, looked, rows

from engine.data import Dataset
from engine.errors import DataError, ReconcileError
from engine.events import Artifact, Frame
from engine.experiments.reconciling import price
from engine.experiments.reconciling.identities import FEATURES, drawn, of_network
from engine.generators import drain
from engine.models import build
from engine.specs import ExperimentSpec, MaxLikelihoodSpec, MlpSpec, ReconcileSpec, TrainingSpec

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "d_reconciliation.json").read_text(encoding="utf-8"))
SPEC = ExperimentSpec(
    model=MlpSpec(depth=2, width=32),
    training=TrainingSpec(epochs=2, learning_rate=0.01),
    reconcile=ReconcileSpec(price_depth=11, price_pairs=200),
)


@pytest.fixture(scope="module")
def events():
    return looked("price", SPEC)


@pytest.fixture(scope="module")
def frame(events):
    return last(events, "price")


def test_genuine_and_impostor_shares_are_those_published(frame):
    """Binomial scatter of 200 identities on both sides; the axis of one network adds some."""
    for series, name in enumerate(("far_zero", "far_uniform")):
        for depth in (0, 2, 3, 5, 8, 11):
            _, genuine, impostor, _ = GOLDEN[name][depth]
            for kind, published in (("genuine", genuine), ("impostor", impostor)):
                scatter = math.sqrt(2 * max(published * (1 - published), 0.01) / 200)
                assert abs(frame.arrays[kind][series, depth] - published) < 4 * scatter, (name, depth, kind)


def test_hashes_become_few_as_published(frame):
    zero, uniform, _ = frame.arrays["distinct"]
    assert zero[0] == uniform[0] == 200 and zero[8] >= 180 > 130 > zero[11]
    assert uniform[8] <= 10 and uniform[11] <= 2
    entropy = frame.arrays["entropy"]
    assert entropy[0, 0] == pytest.approx(math.log2(200)) and entropy[1, 11] < 1
    assert (entropy <= np.log2(np.maximum(frame.arrays["distinct"], 1)) + 1e-9).all()


def test_limits_are_those_of_two_antipodal_points(frame):
    theta = math.acos(0.6)
    assert frame.arrays["limit_genuine"][0] == pytest.approx(1 - theta / math.pi) == pytest.approx(0.705, abs=1e-3)
    assert frame.arrays["limit_impostor"][0] == 0.5
    for name in ("genuine", "impostor"):
        limit = frame.arrays[f"limit_{name}"]
        assert abs(frame.arrays[name][0, -1] - limit[0]) < 4 * math.sqrt(0.25 / 200)
        assert np.isnan(limit[1:]).all()


def test_features_of_the_network_pay_it_too(frame):
    genuine, impostor = (frame.arrays[name][2] for name in ("genuine", "impostor"))
    assert frame.info["layer"] == "relu 2" and frame.info["network_correlation"] == pytest.approx(0.6, abs=0.02)
    assert impostor[0] < 0.2 and genuine[0] > impostor[0]
    assert impostor[-1] > impostor[0] and np.isfinite(genuine).all()


def test_the_bound_has_the_published_values(frame):
    arrays = frame.arrays
    known = {(row["d"], row["n"]): row for row in GOLDEN["cells"]}
    found = {
        (int(d), int(n)): (cells, left)
        for d, n, cells, left in zip(*(arrays[f"bound_{name}"] for name in ("d", "n", "cells", "left")), strict=True)
    }
    for key in ((64, 255), (64, 1785)):
        assert found[key] == pytest.approx((known[key]["log2cells"], known[key]["residual"]), rel=1e-9)
    assert found[1, 1785][0] == pytest.approx(1.0), "one direction: one bit"
    np.testing.assert_array_equal(arrays["bound_leak"], arrays["bound_n"] - 131)


def test_frames_grow_by_a_layer_and_all_is_recorded(events, frame):
    frames = [event for event in events if isinstance(event, Frame) and event.topic == "price"]
    assert [f.arrays["genuine"].shape[1] for f in frames] == list(range(1, 13))
    assert [f.keep for f in frames] == [f.info["done"] for f in frames] == [False] * 11 + [True]
    table = rows(events, "price")
    assert len(table) == 3 * 12 and table[11]["distinct"] == frame.arrays["distinct"][0, 11]
    assert "not encryption" in frame.info["sentence"]
    assert (frame.arrays["genuine_low"] <= frame.arrays["genuine"]).all()


def test_it_can_be_cancelled_at_once(events):
    given = {event.name: event for event in events if isinstance(event, Artifact)}
    short = SPEC.model_copy(update={"reconcile": ReconcileSpec(price_depth=1, price_pairs=200)})
    assert longest_breath("price", short, given) < 0.2


@pytest.mark.parametrize("kind", ["zero-mean", "uniform"])
@pytest.mark.parametrize("c", [-1.0, 0.0, 0.6, 1.0])
def test_drawn_readings_are_at_exactly_the_correlation_asked_for(kind, c):
    people = drawn(kind, count=30, train=5, correlation=c, seed=1)
    np.testing.assert_allclose((people.enrolled * people.genuine).sum(1), c, atol=1e-12)
    assert people.train.shape == (5, FEATURES)
    apart = (people.enrolled * people.impostor).sum(1).mean()
    assert apart == pytest.approx(0.75 if kind == "uniform" else 0.0, abs=0.1)


def test_a_layer_that_is_not_there_is_refused_by_name():
    spec = SPEC.model_copy(
        update={
            "reconcile": ReconcileSpec(layer="relu 9"),
            "training": TrainingSpec(epochs=1),
            "model": MlpSpec(depth=1),
        }
    )
    with pytest.raises(ReconcileError, match="no layer 'relu 9'"):
        looked("price", spec)


def test_dead_samples_of_the_network_are_no_identities():
    x = torch.rand(20, 5)
    x[3] = 0.0
    dataset = Dataset("Made", torch.rand(20, 5), torch.arange(20) % 2, x, torch.arange(20) % 2, ("0", "1"), None)
    model = build(MlpSpec(depth=1, width=8), dataset, 0)
    people = drain(of_network(model, model.taps[0], dataset, count=20, train=8, correlation=0.6, seed=0))
    assert people.dead == 2, "itself, and the one whose impostor it is"
    assert len(people.enrolled) == len(people.genuine) == len(people.impostor) == 18
    assert people.correlation == pytest.approx(0.6, abs=0.01)
    opposite = drain(of_network(model, model.taps[0], dataset, count=20, train=8, correlation=-1.0, seed=0))
    assert opposite.correlation > -0.5, "noise cannot turn a reading round: as near as it comes"


def test_reading_hashes_in_parts_changes_nothing(monkeypatch):
    spec = SPEC.model_copy(update={"reconcile": ReconcileSpec(price_depth=2, price_pairs=9, price_ratio=8)})
    found = []
    for together in (2**22, 1):
        monkeypatch.setattr(price, "BITS_TOGETHER", together)
        found.append(last(looked("price", spec), "price").arrays)
    for name in ("genuine", "impostor", "distinct", "entropy"):
        np.testing.assert_array_equal(found[0][name], found[1][name])


def test_more_bits_than_memory_holds_are_refused_at_once(monkeypatch):
    monkeypatch.setattr(price, "require_memory", _little_memory)
    with pytest.raises(DataError, match="Hashing 200 identities to 1,785 bits each needs"):
        looked("price", SPEC.model_copy(update={"training": TrainingSpec(epochs=1)}))


def _little_memory(values, what, remedy):
    raise DataError(f"{what} needs {values} values. {remedy}")


def test_depth_follows_the_settings_of_the_layers():
    likely = MaxLikelihoodSpec(likelihood="sum", samples=10)
    spec = SPEC.model_copy(
        update={"reconcile": ReconcileSpec(price_depth=1, price_pairs=20, price_ratio=1), "max_likelihood": likely}
    )
    frame = last(looked("price", spec), "price")
    assert frame.info["ratio"] == 1 and frame.arrays["depth"].tolist() == [0, 1]
    assert (frame.arrays["distinct"][0] == 20).all()
