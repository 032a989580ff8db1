"""The networks whose robustness is compared, by name."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

from engine.events import Event
from engine.experiments.bench import Bench
from engine.experiments.hardened import hardened
from engine.experiments.train import trained
from engine.experiments.trainings import LABELS, plain
from engine.models import Network

OWN = "own"
"""The network of the experiment where its training is not the plain standard one."""


@dataclass(frozen=True, eq=False)
class Named:
    """A network and what it is called."""

    name: str
    label: str
    model: Network


def networks(bench: Bench) -> Generator[Event | None, None, list[Named]]:
    """The trained network, and where the settings ask for it every training of the hardening settings.

    A network that was never trained is no control here: its accuracy is chance before any attack.
    """
    training = bench.spec.training
    model = yield from trained(bench)
    own = "standard" if training == plain(training) else OWN
    found = {own: Named(own, LABELS.get(own, "As trained"), model)}
    if bench.spec.robustness.hardened:
        others = yield from hardened(bench)
        found |= {name: Named(name, LABELS[name], other) for name, other in others.items()}
    return list(found.values())
