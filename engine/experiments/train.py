"""Train the network and watch its features while it learns."""

from __future__ import annotations

from collections.abc import Generator
from time import perf_counter
from typing import TypeVar

from engine.events import Artifact, Event, Progress, Record
from engine.experiments.bench import Bench, Making
from engine.experiments.pictures import dataset_frame, model_frame
from engine.experiments.probe import Probe, initial_frames
from engine.experiments.schedule import ProbeSchedule
from engine.models import weights_to_arrays
from engine.training import evaluate, fit

Returned = TypeVar("Returned")


def train(bench: Bench) -> Making:
    """Train from initialisation; records every step and epoch, probes as the schedule allows, keeps the weights."""
    spec = bench.spec
    dataset = yield from bench.dataset()
    initial = yield from bench.initial()
    model = yield from bench.fresh()
    yield dataset_frame(dataset, spec.seed)
    yield model_frame(initial)
    started = perf_counter()
    yield from initial_frames(bench, dataset, initial)
    probe: Probe = bench.probe
    n = len(dataset.y_train)
    per_epoch = -(-n // spec.training.batch_size)
    schedule = ProbeSchedule(spec.probe, per_epoch * spec.training.epochs)
    schedule.probed(perf_counter() - started)

    steps = fit(model, dataset, spec.training, spec.seed)
    loss = accuracy = 0.0
    while True:
        began = perf_counter()
        result = next(steps, None)
        if result is None:
            break
        schedule.trained(perf_counter() - began)
        row = {"step": result.step, "epoch": result.epoch, "loss": result.loss, "accuracy": result.accuracy}
        yield Record("steps", row)
        share = min(spec.training.batch_size, n - spec.training.batch_size * ((result.step - 1) % per_epoch)) / n
        loss += share * result.loss
        accuracy += share * result.accuracy
        if schedule.due(result.step):
            began = perf_counter()
            for frame in probe.training_frames(model, result.step, keep=schedule.keep(result.step)):
                yield frame
            schedule.probed(perf_counter() - began)
        if result.step % per_epoch == 0:
            testing = Progress(result.step, result.steps, f"testing after epoch {result.epoch}")
            test = yield from _stoppable(evaluate(model, dataset.x_test, dataset.y_test), testing)
            yield Record(
                "epochs",
                {
                    "epoch": result.epoch,
                    "step": result.step,
                    "train_loss": loss,
                    "train_accuracy": accuracy,
                    "test_loss": test.loss,
                    "test_accuracy": test.accuracy,
                },
            )
            loss = accuracy = 0.0
        yield Progress(result.step, result.steps, f"training, epoch {result.epoch} of {spec.training.epochs}")
    bench.trained = model
    yield Artifact("weights", bench.keys["weights"], weights_to_arrays(model))


def _stoppable(work: Generator[None, None, Returned], said: Progress) -> Generator[Event, None, Returned]:
    """Work that stops for breath now and then, as events, so that a job can be cancelled in the middle of it."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            result: Returned = end.value
            return result
        yield said
