"""What the lab's attacks cost beside other libraries' on the same samples, where these are installed (``make peers``).

A figure counts only if the lab's attack is at least as strong, so below each stands what is left of the accuracy, ours less
theirs. Where both begin at random, one sample more or less is chance.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from benchmarks.measure import Result, paired, seconds
from benchmarks.networks import MODELS, networks, taught
from engine.attacks import run as run_attack
from engine.attacks import start
from engine.data import Dataset
from engine.specs import ApgdSpec, AttackSpec, AutoAttackSpec, FabTargetedSpec, PgdSpec
from tests.oracles.networks import Victim, hardened
from tests.oracles.peers import MISSING

EPS = {"MLP": 0.05, "CNN": 0.15}
SAMPLES = {"MLP": 256, "CNN": 96}
HARDENED = 0.1  # radius that the robust MLP is trained with, and attacked with
PGD_STEPS, APGD_STEPS, FAB_STEPS = 40, 100, 100


@dataclass(frozen=True)
class Case:
    """A network, its samples, and how long may be spent on it."""

    name: str
    victim: Victim
    rounds: int
    few: int
    """Samples for the slow attacks."""


def run() -> Iterator[Result]:
    """Yield the figures."""
    if MISSING:
        print(f"  not measured: {', '.join(MISSING)} not installed; `make peers` installs them")
        return
    for case in _cases():
        yield from _descent(case)
        yield from _apgd(case)
        yield from _everything(case)
        yield from _fab(case)


def _cases() -> Iterator[Case]:
    for name, spec in networks():
        model, dataset = taught(spec)
        victim = Victim(model, *_samples(dataset, SAMPLES[name]), dataset.n_classes, {"Linf": EPS[name]})
        yield Case(name, victim, *((5, 96) if name == "MLP" else (3, 32)))
        if name == "MLP":
            part = replace(dataset, x_train=dataset.x_train[:5000], y_train=dataset.y_train[:5000])
            robust = hardened(MODELS[name], part, HARDENED, {"Linf": HARDENED}, epochs=6, steps=3)
            x, y = _samples(dataset, SAMPLES[name])
            yield Case("robust MLP", replace(robust, x=x, y=y), 5, 96)


def _samples(dataset: Dataset, n: int) -> tuple[Tensor, Tensor]:
    return dataset.x_test[:n], dataset.y_test[:n]


def _descent(case: Case) -> Iterator[Result]:
    from tests.oracles.peers import foolbox_peers, torchattacks_peers

    eps = case.victim.eps["Linf"]
    settings: dict[str, Any] = {"norm": "Linf", "eps": eps, "alpha": eps / 10, "steps": PGD_STEPS, "random_start": True}
    ours = _attack(case.victim, PgdSpec(goal="untargeted", **settings))
    for library, module in (("torchattacks", torchattacks_peers), ("Foolbox", foolbox_peers)):
        theirs = _peer(case.victim, module.pgd, **settings)
        yield from _compared(f"{case.name}: PGD-{PGD_STEPS} / {library}", case.victim, ours, theirs, case.rounds, None)


def _apgd(case: Case) -> Iterator[Result]:
    from tests.oracles.peers import autoattack_peers

    budget: dict[str, Any] = {"norm": "Linf", "eps": case.victim.eps["Linf"], "steps": APGD_STEPS}
    ours = _attack(case.victim, ApgdSpec(goal="untargeted", loss="ce", **budget))
    theirs = _peer(case.victim, autoattack_peers.apgd, **budget)
    what = f"{case.name}: APGD-CE-{APGD_STEPS} / AutoAttack's own"
    yield from _compared(what, case.victim, ours, theirs, case.rounds, 0.5)


def _everything(case: Case) -> Iterator[Result]:
    from tests.oracles.peers import autoattack_peers

    few = case.victim.first(case.few)
    budget: dict[str, Any] = {"norm": "Linf", "eps": few.eps["Linf"]}
    ours = _attack(few, AutoAttackSpec(**budget))
    theirs = _peer(few, autoattack_peers.standard, **budget)
    yield from _compared(f"{case.name}: AutoAttack standard / its own code", few, ours, theirs, 1, 0.5)


def _fab(case: Case) -> Iterator[Result]:
    from tests.oracles.peers import autoattack_peers

    easy = case.victim.first(case.few).correct()
    ours = _attack(easy, FabTargetedSpec(norm="Linf", steps=FAB_STEPS))
    theirs = _peer(easy, autoattack_peers.fab, norm="Linf", steps=FAB_STEPS, targets=9)
    found: list[Tensor] = []
    ratio, spread = paired(_timed(ours, found), _timed(theirs, found), 1)
    yield Result(f"{case.name}: FAB-T-{FAB_STEPS} / AutoAttack's own", ratio, 0.75, detail=spread)
    median, other = (_median(easy, x_adv) for x_adv in found[:2])
    yield Result("  median norm, ours / theirs", median / other, 1.02, detail=f"{median:.4f} beside {other:.4f}")


def _compared(
    what: str,
    victim: Victim,
    ours: Callable[[], Tensor],
    theirs: Callable[[], Tensor],
    rounds: int,
    target: float | None,
) -> Iterator[Result]:
    """The ratio of the times, and what each attack leaves of the accuracy."""
    found: list[Tensor] = []
    ratio, spread = paired(_timed(ours, found), _timed(theirs, found), rounds)
    yield Result(what, ratio, target, detail=spread)
    left, other = (victim.accuracy(x_adv) for x_adv in found[:2])
    detail = f"{left:.1%} beside {other:.1%}"
    yield Result("  robust accuracy, ours less theirs", left - other, 1 / len(victim.x), detail=detail)


def _timed(work: Callable[[], Tensor], found: list[Tensor]) -> Callable[[], float]:
    """The work with a clock; what it finds is put at the end of ``found``: first ours, then theirs."""
    return lambda: seconds(lambda: found.append(work()))


def _attack(victim: Victim, spec: AttackSpec) -> Callable[[], Tensor]:
    return lambda: run_attack(start(victim.model, victim.x, victim.y, spec, seed=0, bounds=(0.0, 1.0))).x_adv


def _peer(victim: Victim, attack: Callable[..., Tensor], **settings: Any) -> Callable[[], Tensor]:
    return lambda: attack(victim.model, victim.x, victim.y, **settings)


def _median(victim: Victim, x_adv: Tensor) -> float:
    """The median L-inf norm; what does not succeed counts as infinitely large."""
    size = (x_adv - victim.x).flatten(1).abs().amax(1)
    return torch.where(victim.predict(x_adv) != victim.y, size, torch.inf).median().item()
