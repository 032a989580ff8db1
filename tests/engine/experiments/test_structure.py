"""Sets of features at every layer: spectra, similarity, collapse."""

import numpy as np
import pytest
from looking import kept, last, looked, rows

from engine.events import Frame
from engine.specs import ExperimentSpec, MlpSpec, ProbeSpec, TrainingSpec

SMALL = ExperimentSpec(
    model=MlpSpec(depth=2, width=64),
    training=TrainingSpec(epochs=15),
    probe=ProbeSpec(samples=60, reference=60, bootstrap=50),
)


@pytest.fixture(scope="module")
def events():
    return looked("structure", SMALL)


def test_training_collapses_classes(events):
    frame = last(events, "structure")
    nc1 = frame.info["collapse"].index("nc1")
    trained, initial = frame.arrays["collapse"][:, :, nc1]
    assert trained[-2] < 0.8 * initial[-2]
    assert frame.info["simplex"] == pytest.approx(-1 / 9)


def test_a_layer_is_like_itself_and_its_neighbours_most(events):
    layers = last(events, "structure").arrays["cka_layers"]
    np.testing.assert_allclose(np.diagonal(layers), 1)
    assert layers[-1, -2] > layers[-1, 0]
    networks = last(events, "structure").arrays["cka_networks"]
    assert networks[0, 0] == pytest.approx(1)
    assert networks[-1, -1] < layers[-1, -2]


def test_purity_and_rank_bound_each_other(events):
    frame = last(events, "structure")
    names = frame.info["spectrum"]
    spectrum = frame.arrays["spectrum"]
    purity, rank = spectrum[..., names.index("purity")], spectrum[..., names.index("effective_rank")]
    assert (1 / purity <= rank + 1e-9).all() and (rank <= 60).all()
    assert (spectrum[..., names.index("dead")] == 0).all()


def test_each_layer_of_both_networks_is_recorded(events):
    table = rows(events, "structure")
    assert len(table) == 2 * 6
    assert sum(row["nc3"] is not None for row in table) == 2  # the classifier belongs to the last hidden features alone


def test_similarities_are_recorded_pair_by_pair(events):
    frame = last(events, "structure")
    table = rows(events, "similarity")
    assert len(table) == 6 * 6
    assert table[7]["cka_networks"] == frame.arrays["cka_networks"][1, 1]


def test_training_is_watched_collapsing():
    trained = looked("train", SMALL)
    frames = [e for e in trained if isinstance(e, Frame) and e.topic == "structure"]
    assert frames[0].phase == "init" and {f.phase for f in frames[1:]} == {"train"}
    nc1 = frames[0].info["collapse"].index("nc1")
    first, final = frames[0].arrays["collapse"], frames[-1].arrays["collapse"]
    np.testing.assert_array_equal(first[0], first[1])
    assert final[0, -2, nc1] < 0.8 * first[0, -2, nc1]
    np.testing.assert_allclose(
        final[0], last(looked("structure", SMALL, kept(trained)), "structure").arrays["collapse"][0]
    )
