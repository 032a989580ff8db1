"""Catastrophic overfitting of fast training: a network that really does it, seen, noted, and undone."""

from __future__ import annotations

from functools import lru_cache

import pytest
import torch
from small_data import images
from torch import Tensor, nn

from engine.data import Dataset, drain, load
from engine.models import build
from engine.seeds import generator
from engine.specs import DigitsSpec, FastTrainingSpec, MlpSpec
from engine.training import Check, StepResult, fit, withstanding
from engine.training.overfitting import EVERY, Watch

EPS = 0.15
SPEC = FastTrainingSpec(eps=EPS, alpha=10.0, epochs=11, learning_rate=0.01)


class Wavy(nn.Module):
    """Sees sines of the pixels beside the pixels: their gradient says nothing of what lies half a period away.

    Dense networks on so few pixels withstand PGD after fast training, however long its step; this one soon learns to
    answer the corners of the ball alone.
    """

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10))
        draws = generator(0, "wavy")
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.uniform_(-1, 1, generator=draws).div_(parameter.shape[-1] ** 0.5)

    def forward(self, x: Tensor) -> Tensor:
        flat = x.flatten(1) - 0.3
        return self.net(torch.cat([flat, 0.1 * torch.sin(20 * flat)], 1))  # type: ignore[no-any-return]


@lru_cache
def digits() -> Dataset:
    return drain(load(DigitsSpec(), 0))


@lru_cache
def overfitted(overfitting: str) -> tuple[list[StepResult], nn.Module]:
    model = Wavy()
    spec = SPEC.model_copy(update={"overfitting": overfitting})
    return [step for step in fit(model, digits(), spec, 0) if step is not None], model


def checks(steps: list[StepResult]) -> list[Check]:
    return [step.check for step in steps if step.check is not None]


def robust(model: nn.Module) -> float:
    data = digits()
    right = drain(
        withstanding(
            model, data.x_test, data.y_test, norm="Linf", eps=EPS, bounds=(0, 1), alpha=EPS / 2, steps=10, seed=1
        )
    )
    return float(right.double().mean())


def test_a_network_that_fools_the_single_step_is_seen() -> None:
    steps, model = overfitted("note")
    found = checks(steps)
    assert len(steps) == steps[-1].steps  # it goes on
    assert len(found) == SPEC.epochs  # at the end of each epoch
    assert not found[0].collapsed
    assert found[-1].collapsed
    assert found[-1].single_step > 0.7
    assert found[-1].pgd < 0.5 * max(check.pgd for check in found)
    assert all(check.restored is None for check in found)
    assert robust(model) < 0.25


def test_training_stops_and_the_last_robust_network_comes_back() -> None:
    steps, model = overfitted("restore")
    noted, _ = overfitted("note")
    last = steps[-1]
    assert last.check is not None
    assert last.check.collapsed
    assert last.step == next(step.step for step in noted if step.check is not None and step.check.collapsed)
    assert steps[:-1] == noted[: len(steps) - 1]  # until then it was the same training
    restored = last.check.restored
    assert restored is not None
    assert restored < last.step
    there = next(step.check for step in noted if step.step == restored)
    assert there is not None
    assert there.pgd >= 0.8 * max(check.pgd for check in checks(steps))
    again = Wavy()
    for step in fit(again, digits(), SPEC, 0):
        if step is not None and step.step == restored:
            break
    assert all(torch.equal(a, b) for a, b in zip(again.parameters(), model.parameters(), strict=True))
    assert robust(model) > robust(overfitted("note")[1]) + 0.1


def test_a_network_that_stays_robust_is_left_alone() -> None:
    model = build(MlpSpec(depth=2, width=64), digits(), 0)
    spec = FastTrainingSpec(eps=0.1, epochs=6, learning_rate=0.005)
    found = checks([step for step in fit(model, digits(), spec, 0) if step is not None])
    assert len(found) == 6
    assert not any(check.collapsed for check in found)
    assert found[-1].pgd > 0.4


@pytest.mark.parametrize(("per_epoch", "times"), [(1, 1), (22, 1), (EVERY + 50, 1), (5 * EVERY, 5)])
def test_it_looks_at_the_end_of_each_epoch_and_within_long_ones(per_epoch: int, times: int) -> None:
    watch = Watch(build(MlpSpec(depth=1, width=4), images(), 0), images(), SPEC, 0, per_epoch)
    due = [step for step in range(1, 2 * per_epoch + 1) if watch.due(step)]
    assert len(due) == 2 * times
    assert per_epoch in due
    assert 2 * per_epoch in due
