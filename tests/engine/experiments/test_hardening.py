"""Adversarial trainings beside the standard one: the same start, the same attack, and what is measured of each."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
import torch
from looking import kept, last, longest_breath, looked, rows

from engine.attacks import run, start
from engine.events import Event
from engine.experiments import artifact_keys
from engine.experiments.bench import Bench
from engine.experiments.hardened import hardened
from engine.experiments.hardening import attacks_of
from engine.experiments.keys import hardened_name
from engine.experiments.lens import look
from engine.experiments.probe import probe_for
from engine.experiments.trainings import LABELS, plain, trainings
from engine.generators import drain
from engine.geometry.jackknife import jackknife, left_out
from engine.geometry.spectrum import spectrum
from engine.specs import (
    ExperimentSpec,
    HardeningSpec,
    MlpSpec,
    PgdSpec,
    PgdTrainingSpec,
    ProbeSpec,
    TradesTrainingSpec,
    TrainingSpec,
)

SPEC = ExperimentSpec(
    seed=0,
    model=MlpSpec(depth=2, width=24),
    training=TrainingSpec(epochs=6, learning_rate=0.005),
    attack=PgdSpec(samples=80),
    probe=ProbeSpec(samples=30, reference=60, bootstrap=50),
    hardening=HardeningSpec(trades=False, smoothing=False, noise=False, eps=0.15, steps=3),
)
ONE_MORE = SPEC.model_copy(update={"hardening": SPEC.hardening.model_copy(update={"fast": False, "smoothing": True})})


@lru_cache
def events() -> list[Event]:
    return looked("hardening", SPEC)


def test_the_trainings_share_everything_but_their_method() -> None:
    spec = SPEC.model_copy(
        update={
            "training": TradesTrainingSpec(epochs=7, label_noise=0.1, input_noise=0.3),
            "hardening": HardeningSpec(),
        }
    )
    found = trainings(spec)
    assert list(found) == list(LABELS)
    assert found["standard"] == TrainingSpec(epochs=7, label_noise=0.1) == plain(spec.training)
    assert found["pgd-at"] == PgdTrainingSpec(epochs=7, label_noise=0.1, eps=0.1, steps=7)
    assert found["smoothing"] == TrainingSpec(epochs=7, label_noise=0.1, label_smoothing=0.1)
    assert found["noise"] == TrainingSpec(epochs=7, label_noise=0.1, input_noise=0.1)


def test_the_frame_names_what_was_trained_and_is_complete() -> None:
    frame = last(events(), "hardening")
    assert frame.info["names"] == ["standard", "pgd-at", "fast"]
    assert frame.info["done"]
    assert frame.keep
    assert frame.arrays["mean"].shape == (2, 5, 3, len(frame.info["taps"]))
    assert np.isfinite(frame.arrays["mean"]).all()
    inside = (frame.arrays["low"] <= frame.arrays["mean"]) & (frame.arrays["mean"] <= frame.arrays["high"])
    assert inside.all()
    assert np.isnan(frame.arrays["paired_mean"][:, 0]).all()
    assert np.isfinite(frame.arrays["paired_mean"][:, 1:]).all()


def test_before_is_the_network_at_initialisation_the_same_for_all() -> None:
    frame = last(events(), "hardening")
    for quantity in ("clean_target", "same", "different", "rank"):
        before = frame.arrays["mean"][0, frame.info["quantities"].index(quantity)]
        assert (before == before[0]).all()
    at_input = frame.arrays["mean"][:, 1:, :, 0]  # the input is the same before and after any training
    np.testing.assert_allclose(at_input[0], at_input[1])


def test_the_numbers_are_those_of_the_networks_taken_by_hand() -> None:
    frame = last(events(), "hardening")
    bench = Bench(SPEC, kept(events()))
    networks = drain(hardened(bench))
    dataset, probe = drain(bench.dataset()), drain(probe_for(bench))
    _, x, y = drain(bench.to_attack())
    model = networks["pgd-at"]
    assert frame.arrays["accuracy"][0, 1] == pytest.approx(float((model(x).argmax(1) == y).double().mean()))
    strong, _ = attacks_of(SPEC.hardening)
    result = run(start(model, x, y, strong, seed=9, bounds=dataset.bounds))
    assert frame.arrays["accuracy"][1, 1] == pytest.approx(1 - float(result.success.double().mean()), abs=0.051)
    lens = drain(look(model, *probe.reference))
    features = drain(lens.features(probe.x))
    tap = len(model.taps) - 2
    rank = spectrum(lens.seen(features[tap], tap, 0)).effective_rank
    assert frame.arrays["mean"][1, 4, 1, tap] == pytest.approx(rank)
    eta = drain(lens.matrix(features))[0, tap]
    i, j = torch.triu_indices(len(probe.y), len(probe.y), 1)
    same = probe.y[i] == probe.y[j]
    assert frame.arrays["mean"][1, 2, 1, tap] == pytest.approx(float(eta[same & eta.isfinite()].mean()))
    value, _ = drain(lens.toward(drain(lens.features(x)), (y + 1) % 10))
    assert frame.arrays["mean"][1, 1, 1, tap] == pytest.approx(float(value[:, 0, 0, tap].nanmean()))


def test_adversarial_training_is_worth_its_name_and_paired_on_the_same_samples() -> None:
    frame = last(events(), "hardening")
    accuracy, gain = frame.arrays["accuracy"], frame.arrays["accuracy_paired"]
    np.testing.assert_allclose(gain[:, 1:], accuracy[:, 1:] - accuracy[:, :1])
    assert frame.arrays["accuracy_paired_low"][1, 1] > 0
    assert np.isnan(gain[:, 0]).all()
    assert (accuracy[1] <= accuracy[0]).all()


def test_rows_say_the_same() -> None:
    frame = last(events(), "hardening")
    found = rows(events(), "hardening")
    taps = len(frame.info["taps"])
    assert len(found) == 3 * (2 + 5 * taps)
    robust = [row for row in found if row["quantity"] == "robust accuracy"]
    assert [row["after"] for row in robust] == frame.arrays["accuracy"][1].tolist()
    assert robust[0]["paired"] is None
    rank = [row for row in found if (row["training"], row["quantity"]) == ("fast", "rank")]
    assert [row["after"] for row in rank] == frame.arrays["mean"][1, 4, 2].tolist()


def test_networks_are_kept_by_their_own_settings_and_trained_once() -> None:
    made = kept(events())
    keys = artifact_keys(SPEC)
    assert "weights" in made  # the standard one is the experiment's own
    assert hardened_name("standard") not in made
    for name in ("pgd-at", "fast"):
        assert made[hardened_name(name)].key == keys[hardened_name(name)]
    again = looked("hardening", ONE_MORE, made)
    assert "weights" not in kept(again)
    assert hardened_name("pgd-at") not in kept(again)
    assert hardened_name("smoothing") in kept(again)
    np.testing.assert_array_equal(
        last(again, "hardening").arrays["mean"][:, :, 1], last(events(), "hardening").arrays["mean"][:, :, 1]
    )


def test_all_start_from_the_same_weights_and_a_trained_spec_of_its_own_is_no_standard() -> None:
    spec = ONE_MORE.model_copy(update={"training": PgdTrainingSpec(epochs=1, eps=0.1, steps=1)})
    made = kept(looked("hardening", spec))
    assert hardened_name("standard") in made
    assert "weights" not in made
    assert made[hardened_name("standard")].key != artifact_keys(spec)["weights"]


def test_it_can_be_cancelled_at_any_time() -> None:
    assert longest_breath("hardening", SPEC, kept(events()), 0.5) < 0.5  # far less on an idle machine


def test_the_jackknife_of_a_mean_is_its_standard_error() -> None:
    """Leaving out single members, the interval is that of Student's t."""
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(12, 3, generator=draw, dtype=torch.float64)
    parts = torch.stack([x[rest].mean(0) for rest in left_out(12, 12)])
    low, high = jackknife(x.mean(0), parts)
    reach = 2.200985 * x.std(0) / 12**0.5  # 97.5% point of t with 11 degrees
    torch.testing.assert_close(high - x.mean(0), reach, rtol=1e-6, atol=0)
    torch.testing.assert_close(x.mean(0) - low, reach, rtol=1e-6, atol=0)


def test_groups_left_out_share_the_members_evenly() -> None:
    kept_ = left_out(23, 5)
    assert sorted(len(rest) for rest in kept_) == [18, 18, 18, 19, 19]
    counts = torch.stack([torch.isin(torch.arange(23), rest).long() for rest in kept_]).sum(0)
    assert counts.tolist() == [4] * 23
