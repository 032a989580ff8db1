"""Train the network and watch its features while it learns."""

from __future__ import annotations

from collections.abc import Generator
from time import perf_counter

from engine.events import Artifact, Event, Progress, Record
from engine.experiments.bench import Bench, Making
from engine.experiments.keys import artifact_keys, shorter
from engine.experiments.measured import Moment
from engine.experiments.pictures import dataset_frame, model_frame
from engine.experiments.probe import initial_frames, probe_for
from engine.experiments.schedule import ProbeSchedule
from engine.generators import stoppable, timed
from engine.models import Network, weights_to_arrays
from engine.training import evaluate, fit

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
    n = len(dataset.y_train)
    per_epoch = -(-n // spec.training.batch_size)
    schedule = ProbeSchedule(spec.probe, per_epoch * spec.training.epochs)
    schedule.probed(cost)  # what the first live probe is expected to cost

    steps = fit(model, dataset, spec.training, spec.seed)
    loss = accuracy = 0.0
    keep_every = -(-spec.training.epochs // KEPT_EPOCHS)
    while True:
        began = perf_counter()
        result = next(steps, None)
        if result is None:
            break
        schedule.trained(perf_counter() - began)
        yield Record(
            "steps",
            {"step": result.step, "epoch": result.epoch, "loss": result.loss, "accuracy": result.accuracy},
        )
        share = min(spec.training.batch_size, n - spec.training.batch_size * ((result.step - 1) % per_epoch)) / n
        loss += share * result.loss
        accuracy += share * result.accuracy
        if schedule.due(result.step):
            at = Moment("train", result.step, keep=schedule.keep(result.step))
            took = yield from timed(probe.training_frames(model, at))
            schedule.probed(took)
        if result.step % per_epoch == 0:
            testing = Progress(result.step, result.steps, f"testing after epoch {result.epoch}")
            test = yield from stoppable(evaluate(model, dataset.x_test, dataset.y_test), testing)
            yield Record(
                "epochs",
                {
                    "epoch": result.epoch,
                    "step": result.step,
                    "train_loss": loss,
                    "train_accuracy": accuracy,
                    "test_loss": test.loss,
                    "test_accuracy": test.accuracy,
                    "test_samples": test.n,
                },
            )
            loss = accuracy = 0.0
            if result.epoch % keep_every == 0 and result.epoch < spec.training.epochs:
                # to the bit what a training of so many epochs gives: whoever stops here has that network
                key = artifact_keys(shorter(spec, result.epoch))["weights"]
                yield Artifact("weights", key, weights_to_arrays(model))
        yield Progress(result.step, result.steps, f"training, epoch {result.epoch} of {spec.training.epochs}")
    bench.trained = model
    yield Artifact("weights", bench.keys["weights"], weights_to_arrays(model))


def trained(bench: Bench) -> Generator[Event | None, None, Network]:
    """The trained network: from an earlier run, or trained now."""
    model = yield from bench.restored()
    if model is None:
        yield from train(bench)
        model = bench.trained
    assert model is not None
    return model
