"""Training experiments taken in portions, so that two of them can run in turns on one machine at one time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import perf_counter

from engine.events import Event, Frame, Record
from engine.experiments import open_experiment
from engine.specs import ExperimentSpec

PORTION = 25  # training steps
PROBE_TOPICS = ("matrix/clean", "profile", "pairs")


@dataclass
class Watched:
    """The train experiment, its time told apart: before its first step, in its steps, in its probes between them."""

    spec: ExperimentSpec
    put: Callable[[Event], object] = lambda _: None
    clock: Callable[[], float] = perf_counter
    first_probe: float = 0.0
    training: float = 0.0
    probing: float = 0.0
    probes: int = 0

    def portions(self) -> Iterator[float]:
        """Seconds of each 25 steps with all that comes between them; what goes before the first step is not in them."""
        steps = 0
        portion = 0.0
        last = self.clock()
        for event in open_experiment("train", self.spec, {}):
            if event is None:  # work goes on that the next event tells of
                continue
            self.put(event)
            now = self.clock()
            taken, last = now - last, now
            is_probe = isinstance(event, Frame) and event.topic in PROBE_TOPICS
            if not steps:
                self.first_probe += taken if is_probe else 0.0
                portion = 0.0
            else:
                portion += taken
                self.training += 0.0 if is_probe else taken
                self.probing += taken if is_probe else 0.0
                self.probes += is_probe and event.topic == PROBE_TOPICS[0]
            if isinstance(event, Record) and event.table == "steps":
                steps += 1
                if steps % PORTION == 0:
                    yield portion
                    portion = 0.0
                    last = self.clock()
