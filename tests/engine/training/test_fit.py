"""Standard training: exact steps, reproducible numbers, and what happens when it goes wrong."""

from __future__ import annotations

import math
from itertools import chain

import pytest
import torch
from global_rng import global_rng_untouched
from small_data import images, vectors
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from engine.data import Dataset, drain, load
from engine.errors import TrainingError
from engine.models import Network, build, load_arrays, observe, weights_to_arrays
from engine.seeds import generator
from engine.specs import CnnSpec, DigitsSpec, IdxSpec, MlpSpec, TrainingSpec
from engine.training import StepResult, evaluate, fit

SMALL = MlpSpec(depth=2, width=16)


def train(spec: TrainingSpec, seed: int = 0, data: Dataset | None = None) -> tuple[list[StepResult], Network]:
    data = data or images()
    model = build(SMALL, data, 0)
    return list(fit(model, data, spec, seed)), model


def same_weights(one: nn.Module, other: nn.Module) -> bool:
    a, b = one.state_dict(), other.state_dict()
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_training_is_the_textbook_loop(optimizer: str) -> None:
    """The update rules written out by hand (momentum as torch.optim.SGD; Adam: Kingma & Ba 2015, algorithm 1)."""
    data = images(n=10)
    spec = TrainingSpec(optimizer=optimizer, learning_rate=0.01, weight_decay=0.1, batch_size=4, epochs=3)
    model, hand = build(SMALL, data, 0), build(SMALL, data, 0)
    results = list(fit(model, data, spec, 9))

    rng = generator(9, "training order")
    parameters = list(hand.parameters())
    m = [torch.zeros_like(p) for p in parameters]
    v = [torch.zeros_like(p) for p in parameters]
    t = 0
    for epoch in (1, 2, 3):
        order = torch.randperm(10, generator=rng)
        for batch in (order[:4], order[4:8], order[8:]):
            t += 1
            logits = hand(data.x_train[batch])
            loss = cross_entropy(logits, data.y_train[batch])
            accuracy = (logits.argmax(1) == data.y_train[batch]).float().mean().item()
            result = results[t - 1]
            assert (result.step, result.steps, result.epoch) == (t, 9, epoch)
            assert result.loss == pytest.approx(loss.item(), rel=1e-5)
            assert result.accuracy == pytest.approx(accuracy)
            for i, (p, g) in enumerate(zip(parameters, torch.autograd.grad(loss, parameters), strict=True)):
                with torch.no_grad():
                    g = g + 0.1 * p
                    if optimizer == "sgd":
                        m[i] = g if t == 1 else 0.9 * m[i] + g
                        p -= 0.01 * m[i]
                    else:
                        m[i] = 0.9 * m[i] + 0.1 * g
                        v[i] = 0.999 * v[i] + 0.001 * g * g
                        p -= 0.01 * (m[i] / (1 - 0.9**t)) / ((v[i] / (1 - 0.999**t)).sqrt() + 1e-8)
    assert t == len(results) == 9
    for p, q in zip(model.parameters(), parameters, strict=True):
        torch.testing.assert_close(p, q, atol=1e-5, rtol=1e-4)


def test_every_sample_is_used_once_an_epoch_the_last_batch_holding_the_rest() -> None:
    data = vectors(torch.arange(10, dtype=torch.float32)[:, None].repeat(1, 2))
    seen: list[list[float]] = []

    class Spy(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(2, 2)

        def forward(self, x: Tensor) -> Tensor:
            seen.append(x[:, 0].tolist())
            return self.linear(x)  # type: ignore[no-any-return]

    steps = list(fit(Spy(), data, TrainingSpec(batch_size=4, epochs=2), 0))
    assert [len(batch) for batch in seen] == [4, 4, 2] * 2 and [step.epoch for step in steps] == [1, 1, 1, 2, 2, 2]
    first, second = list(chain(*seen[:3])), list(chain(*seen[3:]))
    assert sorted(first) == sorted(second) == list(range(10)) and first != second != sorted(second)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_equal_seeds_give_equal_numbers_bit_for_bit_and_touch_no_global_generator(optimizer: str) -> None:
    spec = TrainingSpec(optimizer=optimizer, epochs=4, batch_size=7)
    with global_rng_untouched():
        one, model = train(spec, seed=1)
        same, twin = train(spec, seed=1)
        other, _ = train(spec, seed=2)
    assert one == same and same_weights(model, twin)
    assert one != other


@pytest.mark.parametrize("spec", [SMALL, CnnSpec(depth=1, channels=4, width=16)], ids=lambda spec: spec.family)
def test_looking_at_the_network_between_the_steps_changes_no_number(spec: MlpSpec | CnnSpec) -> None:
    data = images()
    settings = TrainingSpec(epochs=5, batch_size=16)
    alone, watched = build(spec, data, 0), build(spec, data, 0)
    expected = list(fit(alone, data, settings, 0))
    found = []
    for result in fit(watched, data, settings, 0):
        found.append(result)
        observe(watched, data.x_test)
        drain(evaluate(watched, data.x_test, data.y_test, batch=9))
        weights_to_arrays(watched)
        torch.rand(3)  # whoever uses the global generator does not matter either
    assert found == expected and len(found) == 15 and same_weights(alone, watched)


def test_the_model_is_in_train_mode_within_a_step_only() -> None:
    data = images()

    class Watch(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = nn.Sequential(nn.Flatten(), nn.Linear(64, 4), nn.BatchNorm1d(4))
            self.modes: list[bool] = []

        def forward(self, x: Tensor) -> Tensor:
            self.modes.append(all(module.training for module in self.modules()))
            return self.net(x)  # type: ignore[no-any-return]

    model = Watch()
    for _ in fit(model, data, TrainingSpec(epochs=1, batch_size=10), 0):
        assert not any(module.training for module in model.modules())
    assert model.modes == [True] * 4
    assert model.net[2].num_batches_tracked == 4


def test_closing_the_generator_stops_early_with_the_weights_of_the_last_step_and_no_gradients() -> None:
    data = images()
    spec = TrainingSpec(epochs=10, batch_size=10)
    full, stopped = build(SMALL, data, 0), build(SMALL, data, 0)
    steps = fit(stopped, data, spec, 0)
    next(steps)
    next(steps)
    steps.close()
    for result in fit(full, data, spec, 0):
        if result.step == 2:
            break
    assert same_weights(full, stopped)
    assert all(parameter.grad is None for parameter in stopped.parameters())
    assert not any(module.training for module in stopped.modules())


@pytest.mark.parametrize("poison", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_stops_before_the_weights_change(poison: float) -> None:
    data = images()
    model = build(SMALL, data, 0)
    arrays = weights_to_arrays(model)
    arrays["layers.logits.weight"][0, 0] = poison
    load_arrays(model, arrays)
    with pytest.raises(TrainingError, match=r"step 1 of 8: the loss is (nan|inf)\..*learning rate below 0\.001"):
        list(fit(model, data, TrainingSpec(epochs=2, batch_size=10), 0))
    assert all(parameter.isfinite().all() for name, parameter in model.named_parameters() if "logits" not in name)
    assert not any(module.training for module in model.modules())


def test_a_learning_rate_far_too_high_is_told_with_its_step() -> None:
    with pytest.raises(TrainingError, match=r"Training stopped at step \d+ of 400") as caught:
        train(TrainingSpec(optimizer="sgd", learning_rate=100, epochs=100, batch_size=10))
    assert "Choose a learning rate below 100 in the Train step" in str(caught.value)


def test_the_digits_are_learnt_to_more_than_95_percent() -> None:
    data = drain(load(DigitsSpec(), 0))
    model = build(MlpSpec(), data, 0)
    results = list(fit(model, data, TrainingSpec(epochs=10), 0))
    found = drain(evaluate(model, data.x_test, data.y_test))
    assert found.accuracy > 0.95 and found.n == 450
    assert results[0].loss > 1 and results[-1].loss < 0.1
    assert isinstance(results[0].loss, float) and isinstance(results[0].accuracy, float)


def test_a_convolutional_network_learns_the_digits_too() -> None:
    data = drain(load(DigitsSpec(), 0))
    model = build(CnnSpec(channels=8, width=32), data, 0)
    for _ in fit(model, data, TrainingSpec(epochs=8, learning_rate=0.01), 0):
        pass
    assert drain(evaluate(model, data.x_test, data.y_test)).accuracy > 0.9


@pytest.mark.mnist
def test_two_hundred_steps_on_real_mnist_reach_90_percent(mnist_folder: object) -> None:
    data = drain(load(IdxSpec(folder=str(mnist_folder), train_limit=12_800, test_limit=2000), 0))
    model = build(MlpSpec(), data, 0)
    steps = list(fit(model, data, TrainingSpec(epochs=1), 0))
    assert len(steps) == 200
    assert drain(evaluate(model, data.x_test, data.y_test)).accuracy > 0.9
