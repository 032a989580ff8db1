"""Observing a model's layers: what is seen, and that nothing is left behind."""

from __future__ import annotations

import copy

import pytest
import torch
from global_rng import global_rng_untouched
from small_data import images
from torch import Tensor, nn

from engine.errors import ModelError
from engine.models import Tap, build, eval_mode, observe
from engine.specs import CnnSpec, LinearSpec, MlpSpec, ModelSpec

SPECS = [
    LinearSpec(depth=3, width=16),
    MlpSpec(depth=3, width=16, activation="tanh"),
    CnnSpec(depth=2, channels=4, width=16),
]
specs = pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.family)


class Trap(nn.Module):
    """A foreign model: batch norm, dropout, an activation that works in place, and a module that never runs."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(64, 8)
        self.norm = nn.BatchNorm1d(8)
        self.relu = nn.ReLU(inplace=True)
        self.drop = nn.Dropout()
        self.pair = Pair()
        self.unused = nn.Linear(1, 1)

    def forward(self, x: Tensor) -> Tensor:
        out, _ = self.pair(self.drop(self.relu(self.norm(self.linear(x.flatten(1))))))
        return out  # type: ignore[no-any-return]


class Pair(nn.Module):
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return x, x


def trap() -> Trap:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = Trap()
    model.train()
    model.drop.eval()  # a mode of its own, to be found again
    return model


TRAP_TAPS = [
    Tap("input", "input", 0, ""),
    Tap("linear 1", "linear", 1, "linear"),
    Tap("norm 1", "activation", 1, "norm"),
    Tap("relu 1", "activation", 1, "relu"),
]


@specs
@pytest.mark.parametrize("batch", [7, 1024])
def test_the_features_are_those_of_a_forward_pass_by_hand(spec: ModelSpec, batch: int) -> None:
    data = images()
    model = build(spec, data, 0)
    seen = observe(model, data.x_train, batch=batch)
    assert list(seen) == [tap.name for tap in model.taps]
    assert torch.equal(seen["input"], data.x_train.flatten(1))
    with torch.no_grad():
        h = (data.x_train - model.normalise.mean) / model.normalise.std
        modules = {f"layers.{name}": module for name, module in model.layers.named_children()}
        taps = {tap.module: tap.name for tap in model.taps}
        for name, module in modules.items():
            h = module(h)
            if name in taps:
                torch.testing.assert_close(seen[taps[name]], h.flatten(1))
        torch.testing.assert_close(seen["logits"], model(data.x_train))
    assert all(value.dtype == torch.float32 and not value.requires_grad for value in seen.values())


def test_only_the_taps_asked_for_are_given_in_their_order() -> None:
    data = images()
    model = build(MlpSpec(depth=3, width=4), data, 0)
    wanted = [model.taps[5], model.taps[0]]
    assert list(observe(model, data.x_train, wanted)) == [wanted[0].name, "input"]


def test_no_samples_give_empty_features() -> None:
    data = images()
    seen = observe(build(MlpSpec(depth=1, width=4), data, 0), data.x_train[:0])
    assert [tuple(value.shape) for value in seen.values()] == [(0, 64), (0, 4), (0, 4), (0, 4)]


def test_nothing_is_left_behind() -> None:
    data, model = images(), trap()
    model(data.x_train).sum().backward()
    state = copy.deepcopy(model.state_dict())
    grads = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
    modes = {name: module.training for name, module in model.named_modules()}
    x = data.x_train.clone()
    with global_rng_untouched():
        one = observe(model, x, TRAP_TAPS)
    assert torch.is_grad_enabled()
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())
    assert {name: module.training for name, module in model.named_modules()} == modes and len(set(modes.values())) == 2
    assert grads and all(torch.equal(model.get_parameter(name).grad, grad) for name, grad in grads.items())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())
    # what is given is a copy: neither the input nor a later look shares memory with it
    one["input"].zero_()
    assert torch.equal(x, data.x_train) and x.any()


def test_features_are_those_of_eval_mode_and_survive_a_later_layer_that_works_in_place() -> None:
    data, model = images(), trap()
    seen = observe(model, data.x_train, TRAP_TAPS)
    model.eval()
    linear = model.linear(data.x_train.flatten(1))
    torch.testing.assert_close(seen["linear 1"], linear)
    torch.testing.assert_close(seen["norm 1"], model.norm(linear))
    assert seen["norm 1"].min() < 0 and seen["relu 1"].min() == 0


@pytest.mark.parametrize(
    ("module", "reason"), [("nowhere", "has no module"), ("unused", "never runs"), ("pair", "gives tuple")]
)
def test_a_tap_that_cannot_be_observed_is_named_and_nothing_stays_hooked(module: str, reason: str) -> None:
    data, model = images(), trap()
    taps = [TRAP_TAPS[1], Tap("strange", "linear", 2, module)]
    with pytest.raises(ModelError, match=f"{reason}|{module}") as caught:
        observe(model, data.x_train, taps)
    assert reason in str(caught.value) and "'strange'" in str(caught.value)
    assert model.training and not model.drop.training
    assert not any(m._forward_hooks for m in model.modules())


def test_eval_mode_gives_every_module_its_own_mode_back_even_after_an_error() -> None:
    model = trap()

    def fail_inside() -> None:
        with eval_mode(model):
            assert not any(module.training for module in model.modules())
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        fail_inside()
    assert model.training and model.norm.training and not model.drop.training
