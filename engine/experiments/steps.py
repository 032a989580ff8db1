"""The experiments by name, and the story that runs them all."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch

from engine.events import Artifact, Events, Progress
from engine.experiments.attack import attack
from engine.experiments.attack_checks import attack_checks
from engine.experiments.bell import bell
from engine.experiments.bench import Bench, Making
from engine.experiments.class_matrix import class_matrix
from engine.experiments.complexity.look import complexity
from engine.experiments.decision_map import decision_map
from engine.experiments.entangle import entangle
from engine.experiments.hardening import hardening
from engine.experiments.kept_network import kept_network
from engine.experiments.layers import layers
from engine.experiments.noise.max_likelihood import max_likelihood
from engine.experiments.null import null
from engine.experiments.pictures import dataset_frame, model_frame
from engine.experiments.population import all_pairs
from engine.experiments.probe import initial_frames
from engine.experiments.reconciling.price import price
from engine.experiments.reconciling.reconciliation import reconciliation
from engine.experiments.repeats import repeats
from engine.experiments.robustness.look import robustness
from engine.experiments.structure import structure
from engine.experiments.takeover import falsifier, takeover
from engine.experiments.train import train
from engine.experiments.transferability import transferability
from engine.experiments.vulnerability import vulnerability
from engine.specs import ExperimentSpec


def data(bench: Bench) -> Making:
    """Load the data and show it."""
    dataset = yield from bench.dataset()
    yield dataset_frame(dataset, bench.spec.seed)
    yield Progress(1, 1, "data loaded")


def model(bench: Bench) -> Making:
    """Build the network and show what it does to the features before any training."""
    initial = yield from bench.initial()
    yield model_frame(initial)
    yield from initial_frames(bench)
    yield Progress(1, 1, "network built")


def story(bench: Bench) -> Making:
    """Everything, from the data to the measured entanglement."""
    for step in (data, model, train, attack, entangle):
        yield from step(bench)


_STEPS: dict[str, Callable[[Bench], Making]] = {
    "data": data,
    "model": model,
    "train": train,
    "attack": attack,
    "entangle": entangle,
    "decision_map": decision_map,
    "class_matrix": class_matrix,
    "attack_checks": attack_checks,
    "robustness": robustness,
    "null": null,
    "layers": layers,
    "bell": bell,
    "structure": structure,
    "all_pairs": all_pairs,
    "takeover": takeover,
    "falsifier": falsifier,
    "repeats": repeats,
    "vulnerability": vulnerability,
    "transferability": transferability,
    "complexity": complexity,
    "max_likelihood": max_likelihood,
    "reconciliation": reconciliation,
    "price": price,
    "hardening": hardening,
    "kept_network": kept_network,
    "story": story,
}


def open_step(name: str, spec: ExperimentSpec, given: Mapping[str, Artifact]) -> Events:
    """Open an experiment by name with the number of threads that its spec asks for."""
    step = _STEPS[name]
    return _run(step, Bench(spec, given))


def _run(step: Callable[[Bench], Making], bench: Bench) -> Making:
    if torch.get_num_threads() != bench.spec.threads:
        torch.set_num_threads(bench.spec.threads)
    yield from step(bench)


def warm() -> str:
    """One optimiser step and one gradient, so that the first experiment does not stall on imports."""
    torch.set_num_threads(1)
    weight = torch.zeros(2, requires_grad=True)
    optimizer = torch.optim.Adam([weight], fused=True)
    torch.autograd.backward(weight.sum())
    optimizer.step()
    return f"CPU, torch {torch.__version__.split('+')[0]}"
