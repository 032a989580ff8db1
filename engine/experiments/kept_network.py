"""The data and the network of a session that has the network, trained elsewhere, but no pictures of them yet."""

from __future__ import annotations

from engine.events import Progress
from engine.experiments.bench import Bench, Making
from engine.experiments.measured import Moment
from engine.experiments.pictures import dataset_frame, model_frame
from engine.experiments.probe import initial_frames, probe_for


def kept_network(bench: Bench) -> Making:
    """Show the data, the network before any training, and the trained one where it is kept. Nothing is trained."""
    spec = bench.spec
    dataset = yield from bench.dataset()
    yield dataset_frame(dataset, spec.seed)
    yield Progress(1, 3, "data loaded")
    initial = yield from bench.initial()
    yield model_frame(initial)
    yield from initial_frames(bench)
    yield Progress(2, 3, "network built")
    trained = yield from bench.restored()
    if trained is not None:
        probe = yield from probe_for(bench)
        steps = spec.training.epochs * -(-len(dataset.y_train) // spec.training.batch_size)
        yield from probe.training_frames(trained, Moment("train", steps))
    yield Progress(3, 3, "data and network shown")
