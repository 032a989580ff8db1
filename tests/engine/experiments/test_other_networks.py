"""Residual and batch-norm networks go through everything: trained, attacked, measured, kept in a session, and taken from it again."""

import numpy as np
import pytest

from engine.experiments import open_experiment
from engine.experiments.fleet import network_name, shapes
from engine.lab import artifact_keys
from engine.session import Session
from engine.specs import ExperimentSpec, MlpSpec, PgdSpec, ProbeSpec, ResidualSpec, TrainingSpec

SPECS = [ResidualSpec(depth=2, width=16, branches="alpha", alpha=0.5), MlpSpec(depth=2, width=16, batch_norm=True)]


def quick(model) -> ExperimentSpec:
    return ExperimentSpec(
        model=model,
        training=TrainingSpec(epochs=2, learning_rate=0.01),
        attack=PgdSpec(eps=0.3, alpha=0.1, steps=3, samples=12),
        probe=ProbeSpec(samples=20, reference=40, bootstrap=50),
    )


@pytest.mark.parametrize("model", SPECS, ids=lambda spec: spec.family)
def test_the_story_runs_and_what_it_kept_gives_the_same_measurement_again(model, tmp_path):
    spec = quick(model)
    with Session.create(tmp_path, spec) as session:
        for name in ("story", "entangle"):
            keys = artifact_keys(spec)
            given = {k: found for k, key in keys.items() if (found := session.artifact(k, key)) is not None}
            assert bool(given) == (name == "entangle")
            recorder = session.recorder(session.begin_run(name, spec))
            for event in open_experiment(name, spec, given):
                if event is not None:
                    recorder.put(event)
            recorder.close("finished")
        first, again = (session.frame("profile", run=run) for run in (1, 2))
        assert np.array_equal(first.arrays["mean"], again.arrays["mean"], equal_nan=True)
        accuracy = session.latest_table("epochs").column("test_accuracy")
        assert accuracy[-1] > 0.5


def test_a_fleet_of_residual_networks_differs_in_width_depth_and_activation():
    found = shapes(ResidualSpec(), 12)
    assert len({network_name(spec) for spec in found}) == 12
    assert all("residual" in network_name(spec) for spec in found)
