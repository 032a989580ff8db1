"""Smoothed labels, noisy labels and noisy inputs."""

from __future__ import annotations

import pytest
import torch
from small_data import images
from torch.nn.functional import one_hot

from engine.errors import TrainingError
from engine.models import build
from engine.seeds import generator
from engine.specs import FastTrainingSpec, MlpSpec, PgdTrainingSpec, TradesTrainingSpec, TrainingSpec, TrainingSpecs
from engine.training import fit
from engine.training.fast import FastTraining
from engine.training.noise import noisy_inputs, noisy_labels
from engine.training.objective import Objective, Standard
from engine.training.pgd_at import PgdTraining
from engine.training.trades import TradesTraining

SMALL = MlpSpec(depth=2, width=16)


def objectives(smoothing: float) -> list[Objective]:
    draws = generator(0, "test")
    return [
        Standard(smoothing),
        PgdTraining(PgdTrainingSpec(label_smoothing=smoothing), None, draws),
        TradesTraining(TradesTrainingSpec(beta=0, label_smoothing=smoothing), None, draws),
        FastTraining(FastTrainingSpec(label_smoothing=smoothing), None, draws),
    ]


@pytest.mark.parametrize("number", range(4), ids=["standard", "pgd-at", "trades", "fast"])
def test_smoothed_labels_are_spread_evenly_over_all_classes(number: int) -> None:
    """-sum_k t_k log p_k with t = (1 - s) e_y + s / K (Szegedy et al. 2016)."""
    data = images()
    model = build(SMALL, data, 0)
    loss, _ = objectives(0.2)[number].loss(model, data.x_train, data.x_train, data.y_train)
    told = 0.8 * one_hot(data.y_train, 4) + 0.2 / 4
    expected = -(told * model(data.x_train).log_softmax(1)).sum(1).mean()
    torch.testing.assert_close(loss, expected)


@pytest.mark.parametrize("share", [0.0, 0.013, 0.25, 1.0])
def test_exactly_the_share_of_labels_becomes_another_class(share: float) -> None:
    y = torch.arange(1000) % 7
    noisy = noisy_labels(y, share, 7, 3)
    assert int((noisy != y).sum()) == round(1000 * share)
    assert int(noisy.min()) >= 0
    assert int(noisy.max()) < 7
    assert torch.equal(noisy, noisy_labels(y, share, 7, 3))
    assert torch.equal(y, torch.arange(1000) % 7)


def test_every_other_class_is_as_likely_and_more_noise_keeps_what_less_has_changed() -> None:
    y = torch.zeros(7000, dtype=torch.int64)
    all_of_them = noisy_labels(y, 1.0, 8, 0)
    counts = torch.bincount(all_of_them, minlength=8)
    assert counts[0] == 0
    assert int((counts[1:] - 1000).abs().max()) < 120  # 4 deviations of a binomial count
    some = noisy_labels(y, 0.3, 8, 0)
    changed = some != y
    assert torch.equal(some[changed], all_of_them[changed])


def test_one_class_cannot_be_made_noisy() -> None:
    with pytest.raises(TrainingError, match="only one class"):
        noisy_labels(torch.zeros(4, dtype=torch.int64), 0.5, 1, 0)


def test_label_noise_is_what_the_training_learns() -> None:
    data = images(n=40)
    model = build(SMALL, data, 0)
    spec = TrainingSpec(label_noise=0.5, epochs=150, batch_size=40, learning_rate=0.02)
    steps = [step for step in fit(model, data, spec, 5) if step is not None]
    assert steps[-1].accuracy > 0.95
    assert abs(float((model(data.x_train).argmax(1) == data.y_train).float().mean()) - 0.5) < 0.1


def test_noisy_inputs_have_the_deviation_asked_for_and_stay_in_the_range() -> None:
    x = torch.full((200, 100), 0.5)
    noise = noisy_inputs(x, 0.05, (0.0, 1.0), generator(0, "test")) - 0.5
    assert float(noise.std()) == pytest.approx(0.05, rel=0.03)
    assert abs(float(noise.mean())) < 0.002
    wide = noisy_inputs(x, 5.0, (0.0, 1.0), generator(0, "test"))
    assert float(wide.min()) == 0
    assert float(wide.max()) == 1


@pytest.mark.parametrize(
    "spec",
    [TrainingSpec(epochs=2, input_noise=0.2), FastTrainingSpec(epochs=2, input_noise=0.2)],
    ids=["standard", "fast"],
)
def test_noise_changes_the_inputs_anew_at_each_step_and_not_their_order(spec: TrainingSpecs) -> None:
    data = images()
    noisy, quiet = build(SMALL, data, 0), build(SMALL, data, 0)
    one = [step for step in fit(noisy, data, spec, 0) if step is not None]
    other = [step for step in fit(quiet, data, spec.model_copy(update={"input_noise": 0.0}), 0) if step is not None]
    assert [step.step for step in one] == [step.step for step in other]
    assert one[0].loss != other[0].loss
