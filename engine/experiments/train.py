"""Train the network and watch its features while it learns."""

from __future__ import annotations

from collections.abc import Generator
from time import perf_counter

from engine.data import Dataset
from engine.events import Artifact, Event, Progress, Record, Scalar
from engine.experiments.bench import Bench, Making
from engine.experiments.keys import shorter, weights_key
from engine.experiments.live_robustness import LiveRobustness
from engine.experiments.measured import Moment
from engine.experiments.pictures import dataset_frame, model_frame
from engine.experiments.probe import Probe, initial_frames, probe_for
from engine.experiments.schedule import ProbeSchedule
from engine.generators import stoppable, timed
from engine.models import Network, weights_to_arrays
from engine.training import Check, StepResult, evaluate, fit

KEPT_EPOCHS = 20  # of one training, after which its network is kept, so that it can be stopped early


def train(bench: Bench) -> Making:
    """Train from initialisation; records every step and epoch, probes as the schedule allows, keeps the weights."""
    spec = bench.spec
    dataset = yield from bench.dataset()
    initial = yield from bench.initial()
    model = yield from bench.fresh()
    yield dataset_frame(dataset, spec.seed)
    yield model_frame(initial)
    probe = yield from probe_for(bench)
    cost = yield from initial_frames(bench)
    course = _Course(bench, dataset, model, probe)
    course.schedule.probed(cost)  # what the first live probe is expected to cost
    began = perf_counter()
    for result in fit(model, dataset, spec.training, spec.seed):
        course.schedule.trained(perf_counter() - began)
        if result is None:
            yield None
        else:
            yield from course.after(result)
        began = perf_counter()
    bench.trained = model
    yield Artifact("weights", bench.keys["weights"], weights_to_arrays(model))


class _Course:
    """What is said of a training after each of its steps."""

    def __init__(self, bench: Bench, dataset: Dataset, model: Network, probe: Probe) -> None:
        self._spec, self._dataset, self._model, self._probe = bench.spec, dataset, model, probe
        training = bench.spec.training
        self._n = len(dataset.y_train)
        self._per_epoch = -(-self._n // training.batch_size)
        self.schedule = ProbeSchedule(bench.spec.probe, self._per_epoch * training.epochs)
        self._robustness = LiveRobustness(bench.spec, dataset)
        self._keep_every = -(-training.epochs // KEPT_EPOCHS)
        self._loss = self._accuracy = self._share = 0.0  # of this epoch so far

    def after(self, result: StepResult) -> Making:
        training = self._spec.training
        yield Record(
            "steps",
            {"step": result.step, "epoch": result.epoch, "loss": result.loss, "accuracy": result.accuracy},
        )
        place = (result.step - 1) % self._per_epoch
        share = min(training.batch_size, self._n - training.batch_size * place) / self._n
        self._loss += share * result.loss
        self._accuracy += share * result.accuracy
        self._share += share
        early = False
        if result.check is not None:
            yield _checked(result, result.check)
            early = result.check.restored is not None
        if early or self.schedule.due(result.step):
            at = Moment("train", result.step, keep=self.schedule.keep(result.step) or early)
            took = yield from timed(self._probe.training_frames(self._model, at))
            self.schedule.probed(took)
        if early or result.step % self._per_epoch == 0:
            yield from self._epoch(result, last=early or result.step == result.steps)
        yield Progress(result.step, result.steps, _said(result, training.epochs))

    def _epoch(self, result: StepResult, last: bool) -> Making:
        """What the network does on the test set after an epoch, or where the training ended early."""
        testing = Progress(result.step, result.steps, f"testing after epoch {result.epoch}")
        test = yield from stoppable(evaluate(self._model, self._dataset.x_test, self._dataset.y_test), testing)
        row: dict[str, Scalar] = {
            "epoch": result.epoch,
            "step": result.step,
            "train_loss": self._loss if result.step % self._per_epoch == 0 else self._loss / self._share,
            "train_accuracy": self._accuracy if result.step % self._per_epoch == 0 else self._accuracy / self._share,
            "test_loss": test.loss,
            "test_accuracy": test.accuracy,
            "test_samples": test.n,
        }
        if self._robustness.due(result.epoch, last):
            row |= yield from stoppable(self._robustness.row(self._model), testing)
        yield Record("epochs", row)
        self._loss = self._accuracy = self._share = 0.0
        if result.epoch % self._keep_every == 0 and not last:
            # to the bit what a training of so many epochs gives: whoever stops here has that network
            key = weights_key(shorter(self._spec, result.epoch))
            yield Artifact("weights", key, weights_to_arrays(self._model))


def _checked(result: StepResult, check: Check) -> Record:
    """A look for catastrophic overfitting."""
    return Record(
        "overfitting",
        {
            "step": result.step,
            "epoch": result.epoch,
            "single_step": check.single_step,
            "pgd": check.pgd,
            "collapsed": int(check.collapsed),
            "restored": check.restored,
        },
    )


def _said(result: StepResult, epochs: int) -> str:
    check = result.check
    if check is not None and check.restored is not None:
        return f"catastrophic overfitting: training stopped, network of step {check.restored:,} restored"
    if check is not None and check.collapsed:
        return f"catastrophic overfitting at epoch {result.epoch} of {epochs}"
    return f"training, epoch {result.epoch} of {epochs}"


def trained(bench: Bench) -> Generator[Event | None, None, Network]:
    """The trained network: from an earlier run, or trained now."""
    model = yield from bench.restored()
    if model is None:
        yield from train(bench)
        model = bench.trained
    assert model is not None
    return model
