"""Zero loss on noise by a MaxLikelihood network (our reconstruction) and by gradient descent, with the controls that decide."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from looking import last, longest_breath, looked, rows

from engine.data import Dataset
from engine.errors import DataError, TrainingError
from engine.events import Frame
from engine.experiments import warm
from engine.experiments.bench import Bench
from engine.experiments.noise.controls import label_sizes
from engine.experiments.noise.max_likelihood import max_likelihood
from engine.spec_files import load_spec
from engine.specs import DigitsSpec, ExperimentSpec, GaussianNoiseSpec, MaxLikelihoodSpec, UniformNoiseSpec
from engine.training.descent import cosine_loss, descend, linear_layers, outputs

ROOT = Path(__file__).parents[3]
GOLDEN = json.loads((ROOT / "tests" / "golden" / "d_max_likelihood.json").read_text(encoding="utf-8"))
QUICK = {"descent_steps": 150, "descent_rate": 0.003}
SMALL = MaxLikelihoodSpec(candidates=256, rows=16, depth=6, samples=20, unseen=120, descent_steps=40)
UNIFORM = UniformNoiseSpec(features=64, train_size=600, test_size=1000)
GAUSSIAN = GaussianNoiseSpec(features=64, train_size=600, test_size=1000)


def spec_of(dataset, likely=SMALL, **more):
    return ExperimentSpec(dataset=dataset, max_likelihood=likely.model_copy(update=more))


def of_data(x_train, x_test, spec=SMALL):
    """Events of the look at data made by hand."""
    bench = Bench(ExperimentSpec(max_likelihood=spec), {})
    x_train, x_test = (torch.as_tensor(x, dtype=torch.float32) for x in (x_train, x_test))
    labels = [torch.zeros(len(x), dtype=torch.int64) for x in (x_train, x_test)]
    bench._dataset = Dataset("Made by hand", x_train, labels[0], x_test, labels[1], ("0",), None)
    return [event for event in max_likelihood(bench) if event is not None]


@pytest.fixture(scope="module")
def example():
    """The ready example, with a shorter descent."""
    spec = load_spec(ROOT / "resources" / "examples" / "noise-max-likelihood.toml")
    warm()
    return looked(
        "max_likelihood",
        spec.model_copy(update={"max_likelihood": spec.max_likelihood.model_copy(update=QUICK)}),
    )


# --- the published table -----------------------------------------------------------------------------------------


def test_uniform_noise_has_zero_loss_on_unseen_samples_as_published(example):
    """Down to where float64 cosines end, which is where the published loss stays; ours goes on falling by e^(-2 g L)."""
    arrays = last(example, "max_likelihood").arrays
    published = {row["l"]: row for row in GOLDEN["noise_uniform01_64"]}
    for layer in (0, 1, 3, 8):
        for name, theirs in (
            ("train_loss", "train_loss"),
            ("unseen_loss", "test_loss"),
            ("blind_loss", "test_loss_signblind"),
        ):
            ratio = arrays[name][0, layer] / published[layer][theirs]
            assert math.exp(-1.2 * max(1, layer) ** 0.5) < ratio < math.exp(1.2 * max(1, layer) ** 0.5), (layer, name)
    assert arrays["unseen_loss"][0, 20] < 2e-17
    assert (arrays["wrong_pole"][0] == 0).all()
    assert arrays["effective_rank"][0, 0] == pytest.approx(published[0]["effrank_test"], rel=0.03)
    assert arrays["effective_rank"][0, -1] == pytest.approx(1.0, abs=1e-9)


def test_with_the_mean_subtracted_half_of_the_unseen_samples_end_at_the_antipode(example):
    frame = last(example, "max_likelihood")
    loss, blind, wrong = (frame.arrays[name][1, -1] for name in ("unseen_loss", "blind_loss", "wrong_pole"))
    assert wrong == pytest.approx(0.5, abs=0.06) and loss == pytest.approx(wrong, abs=1e-6)
    assert blind < 1e-10
    assert frame.arrays["unseen_loss_low"][1, -1] < loss < frame.arrays["unseen_loss_high"][1, -1]


def test_zero_mean_noise_is_lost_as_published():
    spec = spec_of(GAUSSIAN, candidates=4096, rows=64, depth=10, samples=32, unseen=1000)
    arrays = last(looked("max_likelihood", spec), "max_likelihood").arrays
    published = GOLDEN["noise_zero_mean_64"]
    assert arrays["unseen_loss"][0, -1] == pytest.approx(published[10]["test_loss"], abs=0.07)
    assert arrays["wrong_pole"][0, -1] == pytest.approx(0.5, abs=0.07)
    wrong = 32 * arrays["train_loss"][0, -1]
    assert wrong == pytest.approx(round(wrong), abs=0.01) and wrong < 8  # published: 3 of 32 at the wrong pole
    assert abs(math.log(arrays["blind_loss"][0, 10] / published[10]["test_loss_signblind"])) < 5
    for layer in (0, 1, 3):
        assert 0.4 < arrays["effective_rank"][0, layer] / published[layer]["effrank_test"] < 2.5


def test_without_selection_nothing_falls_to_a_point():
    """Wishart chains scatter widely: published are a loss of 0.19 and a rank of 5.3 after 20 layers."""
    spec = spec_of(UNIFORM, candidates=64, rows=64, depth=20, samples=32, unseen=500)
    frame = last(looked("max_likelihood", spec), "max_likelihood")
    published = GOLDEN["noise_uniform01_1"][-1]
    assert frame.info["law"] == 0.0
    assert frame.arrays["unseen_loss"][0, -1] == pytest.approx(published["test_loss"], abs=0.18)
    assert 1.5 < frame.arrays["effective_rank"][0, -1] < 2.5 * published["effrank_test"]
    assert abs(frame.info["final"]["boost"] - frame.info["law_finite"]) < 0.1


# --- the controls ------------------------------------------------------------------------------------------------


def test_measured_boosts_hold_the_law_and_its_interval_is_over_layers(example):
    frame = last(example, "max_likelihood")
    final = frame.info["final"]
    assert frame.info["law"] == pytest.approx(1.0169, abs=1e-4)
    for end in ("", "_centred"):
        assert final[f"boost_low{end}"] < frame.info["law_finite"] < final[f"boost_high{end}"]
    arrays = frame.arrays
    assert np.isnan(arrays["boost"][:, 0]).all()
    assert (arrays["boost_low"][:, 1:] < arrays["boost"][:, 1:]).all()


def test_a_predictor_that_sees_nothing_has_the_same_loss(example):
    assert last(example, "max_likelihood").info["constant_loss"] == [0.0, 0.0]
    shared, labels = last(example, "noise_descent").info["constant_loss"]
    assert shared == 0.0 and labels == pytest.approx(0.5, abs=0.06)


def test_random_labels_are_learnt_and_not_met_on_unseen_samples(example):
    arrays = last(example, "max_likelihood").arrays
    assert arrays["label_samples"].tolist() == [16, 32, 64, 128, 256]
    published = [row["train_probit"] for row in GOLDEN["random_labels"]]
    np.testing.assert_allclose(arrays["label_train"], published, atol=0.15)
    np.testing.assert_allclose(arrays["label_test"], 0.5, atol=0.07)
    assert arrays["label_train"][0] == 1.0 and arrays["label_train"][-1] < 0.85


def test_of_three_targets_two_thirds_are_met_at_most(example):
    assert 0.5 < last(example, "max_likelihood").info["three_targets"] <= 22 / 32  # classes of 11, 11 and 10


def test_identity_is_lost_by_float64_cosines_and_not_by_the_map(example):
    """As published: falling with depth, gone where e^(-2 g L) is below the digits of a cosine."""
    arrays = last(example, "max_likelihood").arrays
    seen, exact = arrays["retrieval"], arrays["retrieval_exact"]
    assert (seen[:, 0] == 1).all() and seen[0, -1] < 0.05
    assert (exact[:, -1] > 0.4).all()
    np.testing.assert_allclose(seen[:, :12], exact[:, :12], atol=0.02)
    deep = last(
        looked("max_likelihood", spec_of(GAUSSIAN, candidates=1024, rows=64, depth=30, samples=32, unseen=200)),
        "max_likelihood",
    )
    for layer in (3, 8, 12, 30):
        assert deep.arrays["retrieval"][0, layer] == pytest.approx(GOLDEN["retrieval_16"][layer], abs=0.15)


def test_sizes_of_random_labels_are_three_at_least_where_there_are_samples():
    assert label_sizes(2000) == (16, 32, 64, 128, 256)
    assert label_sizes(70) == (16, 32, 64)
    assert label_sizes(40) == (10, 20, 40)
    assert label_sizes(3) == (3,) and label_sizes(1) == ()


# --- gradient descent --------------------------------------------------------------------------------------------


def test_gradient_descent_reaches_the_shared_target_and_learns_random_labels_by_heart(example):
    frame = last(example, "noise_descent")
    arrays = frame.arrays
    assert frame.info["done"] and len(arrays["step"]) >= 50 and arrays["step"][-1] == QUICK["descent_steps"]
    assert arrays["train_loss"][:, -1].max() < 0.02 < arrays["train_loss"][:, 0].min()
    assert arrays["unseen_loss"][0, -1] < 0.02 and arrays["unseen_accuracy"][0, -1] == 1.0
    assert arrays["train_accuracy"][1, -1] == 1.0
    assert arrays["unseen_accuracy"][1, -1] == pytest.approx(0.5, abs=0.07)
    assert arrays["unseen_loss"][1, -1] == pytest.approx(0.5, abs=0.1)
    assert arrays["layer_C"].shape == (2, 5, 64) and (np.abs(arrays["layer_C"]) <= 1 + 1e-12).all()
    assert arrays["effective_rank"].shape == (2, 5)
    assert frame.info["centred"]["unseen_loss"] > 0.2
    assert last(example, "max_likelihood").info["descent"]["centred"] == frame.info["centred"]


def test_one_step_of_descent_is_the_gradient_of_the_cosine_loss():
    """Adam's first step is the learning rate times the sign of the gradient, here by finite differences."""
    x = torch.randn(4, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    target = torch.tensor([1.0, 0.0], dtype=torch.float64).expand(4, 2)
    weights = linear_layers(3, 2, 1, seed=0)
    before = weights[0].clone()
    gradient = torch.zeros_like(before)
    for i in range(2):
        for j in range(3):
            moved = [before.clone(), before.clone()]
            moved[0][i, j] += 1e-6
            moved[1][i, j] -= 1e-6
            up, down = (float(cosine_loss(outputs([w], x)[-1], target).mean()) for w in moved)
            gradient[i, j] = (up - down) / 2e-6
    assert list(descend(weights, x, target, rate=0.01, steps=1)) == [1]
    torch.testing.assert_close(weights[0] - before, -0.01 * gradient.sign(), atol=1e-5, rtol=0)


def test_the_cosine_loss_is_exact_near_zero():
    out = torch.tensor([[1.0, 1e-9]], dtype=torch.float64)
    loss = cosine_loss(out, torch.tensor([[1.0, 0.0]], dtype=torch.float64))
    assert float(loss) == pytest.approx(1e-18 / 4, rel=1e-6)


def test_a_descent_that_diverges_says_so():
    weights, x = linear_layers(3, 2, 2, seed=0), torch.ones(2, 3, dtype=torch.float64)
    target = torch.tensor([[1.0, 0.0]], dtype=torch.float64).expand(2, 2)
    with pytest.raises(TrainingError, match="learning rate below"):
        list(descend(weights, x, target, rate=1e200, steps=5))
    assert not weights[0].requires_grad


# --- what is said ------------------------------------------------------------------------------------------------


def test_frames_grow_by_a_layer_and_only_the_last_is_done_and_kept(example):
    frames = [event for event in example if isinstance(event, Frame) and event.topic == "max_likelihood"]
    layers = [frame.arrays["boost"].shape[1] - 1 for frame in frames]
    assert layers[:21] == list(range(21))
    assert (
        [frame.info["done"] for frame in frames]
        == [frame.keep for frame in frames]
        == [False] * (len(frames) - 1) + [True]
    )
    assert not frames[0].info["labels_done"] and len(frames[0].arrays["label_train"]) == 0
    done = frames[-1]
    assert (
        done.info["labels_done"]
        and done.info["reconstruction"] is True
        and done.info["ceiling"] == pytest.approx(36.7, abs=0.1)
    )
    assert done.arrays["train_C"].shape == (2, 21, 32) and done.arrays["unseen_C"].shape == (2, 21, 64)
    descent = [event for event in example if isinstance(event, Frame) and event.topic == "noise_descent"]
    assert [frame.keep for frame in descent] == [False] * (len(descent) - 1) + [True]


def test_every_layer_and_every_point_of_the_descent_is_recorded(example):
    table = rows(example, "max_likelihood")
    assert len(table) == 2 * 21 and table[0]["boost"] is None and table[0]["layer"] == 0
    frame = last(example, "max_likelihood")
    assert table[21 + 20]["unseen_loss"] == frame.arrays["unseen_loss"][1, 20]
    descent = rows(example, "noise_descent")
    assert len(descent) == 2 * len(last(example, "noise_descent").arrays["step"])


def test_equal_settings_give_equal_numbers():
    one, other = (last(looked("max_likelihood", spec_of(UNIFORM)), "max_likelihood").arrays for _ in range(2))
    for name in one:
        np.testing.assert_array_equal(one[name], other[name])


def test_images_are_looked_at_as_vectors_and_too_few_samples_are_noted():
    frame = last(looked("max_likelihood", spec_of(DigitsSpec(), unseen=1000)), "max_likelihood")
    assert frame.info["features"] == 64 and frame.info["unseen"] == 450
    assert frame.info["notes"][0].startswith("1,000 unseen samples were asked for; ")
    assert frame.info["notes"][0].endswith(" has 450.")


@pytest.mark.parametrize(
    ("data", "likely"),
    [
        ({"features": 64}, {"candidates": 20_000, "rows": 64, "samples": 100}),
        ({"features": 784, "train_size": 2000, "test_size": 4000}, {"samples": 2000, "unseen": 4000}),
        ({"features": 64}, {"descent_depth": 40, "rows": 256, "descent_steps": 2}),
    ],
    ids=["many candidates", "many samples", "deep descent"],
)
def test_it_can_be_cancelled_at_once(example, data, likely):  # after the example torch is warm
    spec = spec_of(UNIFORM.model_copy(update=data), **{"depth": 1, **likely})
    assert longest_breath("max_likelihood", spec, {}) < 0.2


def test_a_gradient_summed_over_parts_of_the_samples_is_that_of_all(monkeypatch):
    x = torch.randn(10, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    target = torch.tensor([1.0, 0.0], dtype=torch.float64).expand(10, 2)
    whole, parts = linear_layers(3, 2, 2, seed=0), linear_layers(3, 2, 2, seed=0)
    assert list(descend(whole, x, target, rate=0.01, steps=3)) == [1, 2, 3]
    monkeypatch.setattr("engine.training.descent._WORK", 40)  # four samples at once through ten weights
    assert list(descend(parts, x, target, rate=0.01, steps=3)) == [
        None,
        None,
        None,
        1,
        None,
        None,
        None,
        2,
        None,
        None,
        None,
        3,
    ]
    for one, other in zip(whole, parts, strict=True):
        torch.testing.assert_close(one, other, atol=1e-12, rtol=0)


# --- data that cannot be looked at -------------------------------------------------------------------------------


def test_dead_samples_are_left_out_and_counted():
    rng = np.random.default_rng(0)
    train, test = rng.random((40, 8)), rng.random((30, 8))
    train[:3], test[5] = 0.0, 0.0
    frame = last(of_data(train, test, SMALL.model_copy(update={"samples": 40})), "max_likelihood")
    assert frame.info["dead"] == {"train": [3, 0], "unseen": [1, 0]}
    assert frame.info["samples"] == 37 and frame.info["unseen"] == 29
    assert "4 samples as they are are zero" in frame.info["notes"][-1]
    assert np.isfinite(frame.arrays["unseen_loss"]).all()


def test_constant_data_has_no_control_and_says_why():
    frame = last(of_data(np.full((40, 8), 0.3), np.full((30, 8), 0.3)), "max_likelihood")
    assert np.isnan(frame.arrays["unseen_loss"][1]).all() and np.isnan(frame.arrays["train_C"][1]).all()
    assert (frame.arrays["unseen_loss"][0] == 0).all()
    assert any("mean subtracted" in note and "not measured" in note for note in frame.info["notes"])


@pytest.mark.parametrize(
    ("train", "test", "why"),
    [
        (np.zeros((20, 4)), np.ones((10, 4)), "no common direction"),
        (np.concatenate([np.eye(4), -np.eye(4)]), np.ones((10, 4)), "no common direction"),
        (np.ones((20, 4)), np.zeros((10, 4)), "fewer than two unseen samples"),
        (np.ones((20, 4)), np.ones((1, 4)), "at least one and two are needed"),
    ],
)
def test_data_that_no_network_can_be_built_on_is_refused_with_the_reason(train, test, why):
    with pytest.raises(DataError, match=why):
        of_data(train, test)


def test_a_single_training_sample_is_the_shared_point_itself():
    rng = np.random.default_rng(1)
    frame = last(of_data(rng.random((1, 8)), rng.random((30, 8))), "max_likelihood")
    assert (frame.arrays["train_loss"][0] == 0).all()
    assert frame.arrays["label_samples"].size == 0 and math.isnan(frame.info["three_targets"])
