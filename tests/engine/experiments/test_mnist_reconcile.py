"""Reconciliation on real MNIST: fooling noise opens the lock of its class at the last hidden layer, raw noise does not."""

from pathlib import Path

import numpy as np
import pytest
from looking import last, looked

from engine.events import Artifact, Frame
from engine.experiments.bench import Bench
from engine.experiments.keys import artifact_keys
from engine.experiments.reconciling.cases import CLEAN, FOOLING, RAW, WRONG
from engine.generators import drain
from engine.models import weights_to_arrays
from engine.paths import RESOURCES
from engine.spec_files import apply_overrides, load_spec
from engine.training import fit

pytestmark = [pytest.mark.mnist, pytest.mark.slow]


@pytest.fixture(scope="module")
def frame(mnist_folder: Path) -> Frame:
    """The ready MNIST example, its network trained without watching it."""
    spec = load_spec(RESOURCES / "examples" / "mnist-reconcile.toml")
    spec = apply_overrides(spec, [f"dataset.folder={mnist_folder}", "reconcile.decodings=20"])
    bench = Bench(spec, {})
    model = drain(bench.fresh())
    drain(fit(model, drain(bench.dataset()), spec.training, spec.seed))
    weights = Artifact("weights", artifact_keys(spec)["weights"], weights_to_arrays(model))
    return last(looked("reconciliation", spec, {"weights": weights}), "reconciliation")


def test_the_law_holds_at_every_layer(frame: Frame) -> None:
    p, n = frame.arrays["predicted"], frame.arrays["count"]
    assert (np.abs(frame.arrays["recovered"] - p) <= 3 * np.sqrt(p * (1 - p) / n) + 1 / n).all()


def test_fooling_noise_is_read_where_raw_noise_is_not(frame: Frame) -> None:
    recovered, angle = frame.arrays["recovered"], frame.arrays["angle"]
    chosen = frame.info["chosen"]["tap"]
    assert recovered[FOOLING, chosen] > 0.7 and recovered[CLEAN, chosen] > 0.8
    assert recovered[RAW, chosen] < 0.1 and recovered[WRONG, chosen] < 0.05
    assert recovered[FOOLING, 0] < 0.05 and (np.diff(angle[FOOLING, [0, 2, 4, 6, 7]]) < -3).all()
