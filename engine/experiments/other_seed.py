"""The control of another seed: a network of the same settings, trained anew."""

from __future__ import annotations

from collections.abc import Generator

from engine.events import Artifact, Event, Progress
from engine.experiments.bench import Bench
from engine.models import Network, build, load_arrays, weights_to_arrays
from engine.seeds import derive
from engine.training import fit


def other_seed(bench: Bench) -> Generator[Event | None, None, Network]:
    """A network of the same settings trained from another seed; taken from an earlier run where there is one."""
    spec = bench.spec
    dataset = yield from bench.dataset()
    seed = derive(spec.seed, "other network")
    model = build(spec.model, dataset, seed)
    kept = bench.given("other_weights")
    if kept is not None:
        load_arrays(model, kept.arrays)
        return model
    for step in fit(model, dataset, spec.training, seed):
        if step is None:
            yield None
        else:
            yield Progress(step.step, step.steps, f"training the control from another seed, epoch {step.epoch}")
    yield Artifact("other_weights", bench.keys["other_weights"], weights_to_arrays(model))
    return model
