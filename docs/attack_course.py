"""What a picture of an attack is drawn from: one attack on some digits, looked at from its first iterate to its result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from torch import Tensor

from engine.attacks import AttackResult, Iterate, choose_targets, run, start
from engine.data import Dataset
from engine.experiments.bench import Bench
from engine.experiments.train import train
from engine.generators import drain
from engine.models import Network
from engine.specs import AttackSpec, ExperimentSpec, MlpSpec, SharedSpec, TrainingSpec
from engine.specs.attacks import DecisionSpec

SEED, OTHER = 1, 2  # of the network that is attacked, and of one that the attack never sees
SAMPLES = 60


@dataclass(frozen=True, eq=False)
class Lab:
    """Two networks that differ in their seed alone, and test samples that both see as what they are."""

    dataset: Dataset
    model: Network
    other: Network
    x: Tensor
    y: Tensor
    examples: tuple[Tensor, Tensor]


Seen = Callable[[Iterate], np.ndarray]
"""One number a sample ``[N]`` or more ``[N, Q]`` at an iterate."""
Asked = Callable[[Lab, Tensor | None], Seen]
"""(lab, target classes ``[N]`` or None) -> what is to be noted."""


@dataclass(eq=False)
class Course:
    """One attack; arrays have one row an iterate, and one column each of N samples."""

    spec: AttackSpec
    x: Tensor
    """``[N, ...]``: what the attack begins with."""
    clean: Tensor
    """int64 ``[N]``: the class seen in it."""
    result: AttackResult
    at: np.ndarray
    """``[S]``: steps counted through all restarts, or looks at the model for each sample."""
    margin: np.ndarray
    success: np.ndarray
    """At or before the iterate; of one perturbation for all, at it."""
    smallest: np.ndarray
    """The nearest success so far, infinite before any."""
    extra: np.ndarray
    """What else was asked for at each iterate."""
    parts: list[tuple[float, str]] = field(default_factory=list)
    """Where each restart or member begins, and the member's name."""


def made_lab() -> Lab:
    """Train both networks on the embedded digits."""
    benches = []
    for seed in (SEED, OTHER):
        spec = ExperimentSpec(seed=seed, model=MlpSpec(depth=2, width=64), training=TrainingSpec(epochs=15))
        bench = Bench(spec, {})
        drain(train(bench))
        benches.append(bench)
    dataset = drain(benches[0].dataset())
    first, second = (bench.trained for bench in benches)
    assert first is not None and second is not None
    _, x, y = drain(benches[0].to_attack())
    right = (first(x).argmax(1) == y) & (second(x).argmax(1) == y)
    return Lab(dataset, first, second, x[right][:SAMPLES], y[right][:SAMPLES], benches[0].examples())


def attacked(lab: Lab, spec: AttackSpec, asked_for: Asked | None = None) -> Course:
    """Run an attack to its end and keep its course."""
    target = choose_targets(lab.model, lab.x, lab.y, spec.goal, lab.dataset.n_classes, SEED)
    attack = start(
        lab.model, lab.x, lab.y, spec, seed=SEED, bounds=lab.dataset.bounds, target=target, examples=lab.examples
    )
    extra = asked_for(lab, target) if asked_for else None
    at: list[float] = []
    margin, success, smallest, others = [], [], [], []
    parts: list[tuple[float, str]] = []
    part = ""
    for iterate in attack:
        looks = attack.costs().forwards if isinstance(spec, DecisionSpec) else iterate.step
        at.append(max([*at[-1:], looks]) if spec.gradient_free else len(at))
        now = iterate.stage or str(iterate.restart)
        if now != part and iterate.steps and not spec.gradient_free:
            parts.append((at[-1], iterate.stage))
            part = now
        margin.append(iterate.margin.numpy())
        success.append(iterate.success.numpy())
        smallest.append(iterate.smallest.numpy())
        others.append(extra(iterate) if extra else margin[-1])
    result = run(attack)
    together = isinstance(spec, SharedSpec)
    return Course(
        spec=spec,
        x=attack.x,
        clean=attack.clean.argmax(1),
        result=result,
        at=np.array(at),
        margin=np.stack(margin),
        success=np.stack(success) if together else np.maximum.accumulate(np.stack(success)),
        smallest=np.stack(smallest),
        extra=np.stack(others),
        parts=parts,
    )
