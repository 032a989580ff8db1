"""Building networks: shapes, taps, initialisation, normalisation, and what cannot be built."""

from __future__ import annotations

import math
import time

import pytest
import torch
from global_rng import global_rng_untouched
from small_data import images, vectors
from torch import nn

from engine.errors import ModelError
from engine.models import Network, Tap, build, layers, observe, parameter_count
from engine.models.layers import Residual
from engine.specs import CnnSpec, LinearSpec, MlpSpec, ModelSpec, ResidualSpec

SPECS = [
    LinearSpec(depth=3, width=16),
    MlpSpec(depth=3, width=16),
    MlpSpec(depth=3, width=16, batch_norm=True),
    ResidualSpec(depth=3, width=16),
    CnnSpec(depth=2, channels=4, width=16),
]
specs = pytest.mark.parametrize(
    "spec", SPECS, ids=lambda spec: spec.family + ("-norm" if getattr(spec, "batch_norm", False) else "")
)


@specs
def test_a_network_gives_logits_and_starts_in_eval_mode(spec: ModelSpec) -> None:
    data = images(classes=4)
    model = build(spec, data, 0)
    assert isinstance(model, Network) and not any(module.training for module in model.modules())
    assert model(data.x_train).shape == (40, 4)
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    assert all(parameter.requires_grad and not parameter.is_meta for parameter in model.parameters())


def test_the_taps_are_the_linear_map_and_the_activation_of_every_layer() -> None:
    def named(spec: ModelSpec) -> list[tuple[str, str, int]]:
        return [(tap.name, tap.kind, tap.layer) for tap in build(spec, images(), 0).taps]

    assert named(MlpSpec(depth=2, width=5)) == [
        ("input", "input", 0),
        ("linear 1", "linear", 1),
        ("relu 1", "activation", 1),
        ("linear 2", "linear", 2),
        ("relu 2", "activation", 2),
        ("logits", "logits", 3),
    ]
    assert named(LinearSpec(depth=2, width=5)) == [
        ("input", "input", 0),
        ("linear 1", "linear", 1),
        ("linear 2", "linear", 2),
        ("logits", "logits", 3),
    ]
    assert named(CnnSpec(depth=2, channels=3, width=5, activation="leaky_relu")) == [
        ("input", "input", 0),
        ("conv 1", "linear", 1),
        ("leaky relu 1", "activation", 1),
        ("conv 2", "linear", 2),
        ("leaky relu 2", "activation", 2),
        ("linear 3", "linear", 3),
        ("leaky relu 3", "activation", 3),
        ("logits", "logits", 4),
    ]
    assert named(ResidualSpec(depth=1, width=5)) == [
        ("input", "input", 0),
        ("linear 1", "linear", 1),
        ("linear 2", "linear", 2),
        ("block 2", "block", 2),
        ("logits", "logits", 3),
    ]
    assert named(MlpSpec(depth=0)) == [("input", "input", 0), ("logits", "logits", 1)]


@specs
def test_every_tap_names_the_module_of_its_kind(spec: ModelSpec) -> None:
    model = build(spec, images(), 0)
    for tap in model.taps:
        module = model.get_submodule(tap.module)
        if tap.kind in ("linear", "logits"):
            assert isinstance(module, nn.Linear | nn.Conv2d)
        elif tap.kind == "activation":
            assert isinstance(module, nn.ReLU | nn.AvgPool2d)
        elif tap.kind == "block":
            assert isinstance(module, Residual)
        else:
            assert module is model
    assert len({tap.name for tap in model.taps}) == len(model.taps)
    assert isinstance(model.taps[0], Tap) and hash(model.taps) == hash(tuple(model.taps))


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("relu", lambda z: torch.clamp(z, min=0)),
        ("leaky_relu", lambda z: torch.where(z > 0, z, 0.01 * z)),
        ("tanh", torch.tanh),
        ("erf", torch.erf),
        ("gelu", lambda z: z * 0.5 * (1 + torch.erf(z / math.sqrt(2)))),
    ],
)
def test_an_activation_is_its_formula_on_the_linear_features(name: str, function: object) -> None:
    data = images()
    features = observe(build(MlpSpec(depth=2, width=32, activation=name), data, 0), data.x_train)
    shown = name.replace("_", " ")
    for layer in (1, 2):
        torch.testing.assert_close(features[f"{shown} {layer}"], function(features[f"linear {layer}"]))  # type: ignore[operator]


def test_a_convolution_keeps_the_size_doubles_the_channels_and_is_then_halved() -> None:
    data = images(shape=(3, 13, 9))
    features = observe(build(CnnSpec(depth=3, channels=4, width=6), data, 0), data.x_train)
    sizes = {name: value.shape[1] for name, value in features.items()}
    assert sizes == {
        "input": 3 * 13 * 9,
        "conv 1": 4 * 13 * 9,
        "relu 1": 4 * 6 * 4,
        "conv 2": 8 * 6 * 4,
        "relu 2": 8 * 3 * 2,
        "conv 3": 16 * 3 * 2,
        "relu 3": 16 * 1 * 1,
        "linear 4": 6,
        "relu 4": 6,
        "logits": 4,
    }


@pytest.mark.parametrize(
    ("fields", "variance", "bias_variance"),
    [
        ({"init": "he"}, 2.0, 0.0),
        ({"init": "lecun"}, 1.0, 0.0),
        ({"init": "sigma", "sigma_w": 1.7, "sigma_b": 0.3}, 1.7**2, 0.09),
        ({"init": "sigma", "sigma_w": 0.5, "sigma_b": 0.0}, 0.25, 0.0),
    ],
)
@pytest.mark.parametrize("base", [MlpSpec(depth=2, width=300), CnnSpec(depth=2, channels=24, width=300)])
def test_weights_are_gaussian_with_variance_sigma_w_squared_over_fan_in(
    base: ModelSpec, fields: dict[str, object], variance: float, bias_variance: float
) -> None:
    model = build(base.model_copy(update=fields), images(classes=10), 3)
    biases = []
    for module in model.modules():
        if isinstance(module, nn.Linear | nn.Conv2d):
            weights = module.weight.detach().double().flatten()
            fan_in = module.in_features if isinstance(module, nn.Linear) else module.in_channels * 9
            z = weights * math.sqrt(fan_in / variance)
            n = len(z)
            assert abs(z.mean().item()) < 4 / math.sqrt(n)
            assert abs(z.square().mean().item() - 1) < 4 * math.sqrt(2 / n)
            assert abs(z.pow(4).mean().item() - 3) < 4 * math.sqrt(96 / n)  # Gaussian: the fourth moment is 3
            biases.append(module.bias.detach().double())
    bias = torch.cat(biases)
    if bias_variance:
        assert abs(bias.square().mean().item() / bias_variance - 1) < 4 * math.sqrt(2 / len(bias))
    else:
        assert not bias.any()


@pytest.mark.parametrize("spec", [s for s in SPECS if not getattr(s, "batch_norm", False)], ids=lambda s: s.family)
def test_without_biases_there_are_none(spec: ModelSpec) -> None:
    data = images(classes=4)
    model = build(spec.model_copy(update={"bias": False, "normalise": "none"}), data, 0)
    assert all("bias" not in name for name, _ in model.named_parameters())
    assert not model(torch.zeros(1, 1, 8, 8)).any()


@specs
def test_the_seed_alone_decides_the_weights_and_no_global_generator_is_touched(spec: ModelSpec) -> None:
    with global_rng_untouched():
        one, same, other = (build(spec, images(), seed).state_dict() for seed in (5, 5, 6))
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not any(
        torch.equal(one[name], other[name]) for name in one if name.endswith("weight") and "norm" not in name
    )


def test_a_deeper_network_of_the_same_seed_begins_with_the_same_layers() -> None:
    shallow, deep = (build(MlpSpec(depth=depth, width=8), images(), 0).state_dict() for depth in (2, 4))
    for layer in (1, 2):
        assert torch.equal(shallow[f"layers.linear{layer}.weight"], deep[f"layers.linear{layer}.weight"])


def test_images_are_normalised_per_channel_by_the_training_data() -> None:
    data = images(shape=(3, 8, 8))
    data.x_train[:, 1] = data.x_train[:, 1] * 0.1 + 0.7
    normalised = build(CnnSpec(depth=1), data, 0).normalise(data.x_train)
    torch.testing.assert_close(normalised.mean((0, 2, 3)), torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(normalised.std((0, 2, 3), correction=0), torch.ones(3), atol=1e-5, rtol=0)


def test_networks_on_one_data_set_look_at_it_once_and_share_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    data, looks = images(), []
    real = layers._mean_and_deviation
    monkeypatch.setattr(layers, "_mean_and_deviation", lambda x: looks.append(len(x)) or real(x))
    first, second = (build(CnnSpec(depth=1), data, seed).normalise for seed in (0, 1))
    assert len(looks) == 1
    first.mean += 1
    assert not torch.equal(first.mean, second.mean)
    data.x_train.mul_(0.5)  # changed in place: other data
    third = build(CnnSpec(depth=1), data, 0).normalise
    assert len(looks) == 2
    torch.testing.assert_close(third.mean, second.mean / 2)


def test_vectors_are_normalised_per_feature_and_a_constant_feature_stays_finite() -> None:
    x = torch.randn(50, 4, generator=torch.Generator().manual_seed(0)) * torch.tensor([1.0, 5.0, 0.1, 0.0]) + 3
    normalised = build(MlpSpec(depth=1), vectors(x), 0).normalise(x)
    torch.testing.assert_close(normalised.mean(0), torch.zeros(4), atol=1e-4, rtol=0)
    torch.testing.assert_close(normalised.std(0, correction=0), torch.tensor([1.0, 1, 1, 0]), atol=1e-4, rtol=0)


def test_normalisation_can_be_left_out_and_has_no_parameters() -> None:
    data = images()
    none = build(MlpSpec(normalise="none"), data, 0)
    assert torch.equal(none.normalise(data.x_train), data.x_train)
    standard = build(MlpSpec(normalise="standard"), data, 0)
    assert parameter_count(standard) == parameter_count(none)
    by_hand = (data.x_train - data.x_train.mean()) / data.x_train.std(correction=0)
    torch.testing.assert_close(standard(data.x_train), none(by_hand), atol=1e-5, rtol=1e-4)


def test_the_parameters_are_counted() -> None:
    model = build(MlpSpec(depth=2, width=10), images(classes=4), 0)
    assert parameter_count(model) == (64 * 10 + 10) + (10 * 10 + 10) + (10 * 4 + 4)


def test_a_network_of_depth_1000_is_built_and_runs_in_little_time() -> None:
    data = images()
    began = time.perf_counter()
    model = build(MlpSpec(depth=1000, width=32), data, 0)
    assert torch.isfinite(model(data.x_train)).all() and len(model.taps) == 2002
    assert time.perf_counter() - began < 20  # 0.3 s alone; the machine may be busy


def test_a_convolutional_network_refuses_vectors() -> None:
    with pytest.raises(ModelError, match=r"needs images, but vectors has vectors of length 5\. Choose an MLP"):
        build(CnnSpec(), vectors(torch.rand(4, 5)), 0)


def test_a_convolutional_network_refuses_images_too_small_for_its_pooling() -> None:
    build(CnnSpec(depth=3), images(shape=(1, 8, 9)), 0)
    with pytest.raises(ModelError, match=r"at least 16 x 16 pixels, but images has 8 x 9.*at most 3 convolutions"):
        build(CnnSpec(depth=4), images(shape=(1, 8, 9)), 0)
    with pytest.raises(ModelError, match=r"has 4 x 1\. Choose an MLP"):
        build(CnnSpec(depth=1), images(shape=(1, 4, 1)), 0)


@pytest.mark.parametrize("spec", [MlpSpec(depth=1000, width=16384), CnnSpec(depth=6, channels=512)])
def test_a_network_beyond_all_memory_is_refused_at_once(spec: ModelSpec) -> None:
    began = time.perf_counter()
    with pytest.raises(ModelError, match=r"would have [\d,]{11,} parameters.*Choose a smaller width"):
        build(spec, images(shape=(1, 64, 64)), 0)
    assert time.perf_counter() - began < 20  # 0.3 s alone; the machine may be busy
