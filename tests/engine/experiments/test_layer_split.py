"""Each layer split into its parts, and the speed limit of its linear map."""

import numpy as np
import pytest
from looking import last, looked, rows

from engine.errors import ModelError
from engine.experiments import layers as module
from engine.geometry.nulls.gaussian_chain import gap
from engine.specs import CnnSpec, ExperimentSpec, LinearSpec, MlpSpec, ProbeSpec, ResidualSpec, TrainingSpec

SMALL = ExperimentSpec(
    model=MlpSpec(depth=2, width=80),
    training=TrainingSpec(epochs=2),
    probe=ProbeSpec(samples=30, reference=60, bootstrap=50),
)


@pytest.fixture(scope="module")
def split():
    return looked("layers", SMALL)


def test_no_pair_breaks_the_speed_limit(split):
    frame = last(split, "layers")
    assert frame.info["layers"] == ["linear 1", "linear 2", "logits"]
    limit, largest = frame.arrays["limit"], frame.arrays["largest"]
    assert np.isfinite(limit[:, :2]).all() and np.isinf(limit[:, 2]).all()
    assert (largest < limit).all() and (largest > 0).all()


def test_a_pair_that_broke_it_would_be_a_bug(monkeypatch):
    def slow(*_):
        yield None
        return 1e-3

    monkeypatch.setattr(module, "_speed_limit", slow)
    with pytest.raises(AssertionError, match="more than ln kappa"):
        looked("layers", SMALL)


def test_biases_do_nothing_before_training_and_logits_have_no_activation(split):
    boost = last(split, "layers").arrays["boost"]
    np.testing.assert_allclose(boost[1, :, 1, :, 0], 0, atol=1e-12)
    assert np.isnan(boost[:, 2, 2]).all() and np.isfinite(boost[:, :2]).all()


def test_the_parts_add_up_to_the_change_of_the_whole_layer(split):
    table = rows(split, "layers")
    assert {row["part"] for row in table} == {"linear", "bias", "activation"}
    frame = last(split, "layers")
    assert np.isfinite(frame.arrays["boost"][0, :2, :, :, 0].sum(1)).all()
    np.testing.assert_allclose(frame.arrays["gap"][0], gap([80, 80, 10]))


def test_a_residual_block_has_no_such_split_and_says_so_before_anything_is_trained():
    residual = SMALL.model_copy(
        update={"model": ResidualSpec(depth=2, width=16), "training": TrainingSpec(epochs=1000)}
    )
    with pytest.raises(ModelError, match="adds its input to what its linear map gives"):
        looked("layers", residual)


def test_batch_normalisation_counts_as_part_of_the_activation_and_is_named():
    frame = last(
        looked("layers", SMALL.model_copy(update={"model": MlpSpec(depth=2, width=16, batch_norm=True)})), "layers"
    )
    assert "batch normalisation" in frame.info["note"]
    assert np.isfinite(frame.arrays["boost"][0, :2, :, :, 0]).all()


def test_convolutions_have_a_limit_too_and_linear_networks_no_activation():
    convolution = SMALL.model_copy(update={"model": CnnSpec(depth=1, channels=4, width=16)})
    limit = last(looked("layers", convolution), "layers").arrays["limit"]
    assert np.isfinite(limit[0, 0])
    linear = SMALL.model_copy(update={"model": LinearSpec(depth=2, width=70)})
    boost = last(looked("layers", linear), "layers").arrays["boost"]
    assert np.isnan(boost[:, :, 2]).all()
