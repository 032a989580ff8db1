"""Robust accuracy after the epochs of an adversarial training: PGD with the training's own eps on a fixed number of test samples."""

from __future__ import annotations

import math
from collections.abc import Generator

from engine.data import Dataset
from engine.experiments.bench import test_order
from engine.experiments.rates import share
from engine.experiments.trainings import inner_steps
from engine.models import Network
from engine.seeds import derive
from engine.specs import AdversarialTraining, ExperimentSpec
from engine.training import withstanding

SAMPLES = 200
STEPS = 10
REACH = 2.5  # length of all steps together, in eps
BUDGET = 0.25  # of the passes of training that measuring may add


class LiveRobustness:
    """Measures after so many epochs that it stays within its budget; a standard training has no eps, and is not measured."""

    def __init__(self, spec: ExperimentSpec, dataset: Dataset) -> None:
        training = spec.training
        self._training = training if isinstance(training, AdversarialTraining) else None
        chosen = test_order(dataset, spec.seed)[:SAMPLES]
        self._x, self._y, self._bounds = dataset.x_test[chosen], dataset.y_test[chosen], dataset.bounds
        self._seed = derive(spec.seed, "live robustness")
        # in forward passes: a gradient for the input costs as much again, one for the weights twice as much
        measured = 2 * (STEPS + 1) * len(chosen)
        trained = (2 * inner_steps(training) + 3) * len(dataset.y_train)
        self._every = max(1, math.ceil(measured / (BUDGET * trained)))

    def due(self, epoch: int, last: bool) -> bool:
        """Whether to measure after this epoch (from 1)."""
        return self._training is not None and len(self._y) > 0 and (last or epoch % self._every == 0)

    def row(self, model: Network) -> Generator[None, None, dict[str, float]]:
        """Robust accuracy with its 95% Wilson interval, as fields of a row."""
        assert self._training is not None
        eps = self._training.eps
        right = yield from withstanding(
            model,
            self._x,
            self._y,
            norm=self._training.norm,
            eps=eps,
            bounds=self._bounds,
            alpha=REACH * eps / STEPS,
            steps=STEPS,
            seed=self._seed,
        )
        found = share(int(right.sum()), len(right))
        return {
            "robust_accuracy": found.value,
            "robust_low": found.low,
            "robust_high": found.high,
            "robust_samples": len(right),
        }
