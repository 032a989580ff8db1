"""What the lab's attacks cost beside other libraries' on the same samples, where these are installed (``make peers``).

A figure counts only if the lab's attack is at least as strong: the share of samples that withstand both stands in a row
of its own. The networks are those of tests/oracles, so that some samples withstand and some do not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from benchmarks.measure import MNIST, Result, paired, seconds
from engine.attacks import AttackResult, start
from engine.attacks import run as run_attack
from engine.specs import ApgdSpec, AttackSpec, AutoAttackSpec, FabTargetedSpec, PgdSpec
from tests.oracles import networks
from tests.oracles.networks import Victim
from tests.oracles.peers import MISSING

PGD_STEPS = 40
FAB_STEPS = 100


def run() -> Iterator[Result]:
    """Yield the figures."""
    if MISSING:
        print(f"  not measured: {', '.join(MISSING)} not installed; `make peers` installs them")
        return
    torch.set_num_threads(1)
    for name, victim in _victims():
        yield from _descent(name, victim)
        yield from _auto_attack(name, victim)
        yield from _fab(name, victim)


def _victims() -> Iterator[tuple[str, Victim]]:
    yield "digits MLP", networks.standard_mlp()
    yield "digits CNN, robust", networks.robust_cnn()
    if MNIST.is_dir():
        yield "MNIST CNN", networks.mnist_cnn(MNIST).first(50)


def _descent(name: str, victim: Victim) -> Iterator[Result]:
    from tests.oracles.peers import foolbox_peers, torchattacks_peers

    eps = victim.eps["Linf"]
    settings: dict[str, Any] = {"norm": "Linf", "eps": eps, "alpha": eps / 10, "steps": PGD_STEPS, "random_start": True}
    ours = _attack(victim, PgdSpec(goal="untargeted", **settings))
    for library, module in (("torchattacks", torchattacks_peers), ("Foolbox", foolbox_peers)):
        theirs = _peer(victim, module.pgd, **settings)
        yield from _compared(f"{name}: PGD-{PGD_STEPS} / {library}", victim, ours, theirs, 9, None)


def _auto_attack(name: str, victim: Victim) -> Iterator[Result]:
    from tests.oracles.peers import autoattack_peers

    budget: dict[str, Any] = {"norm": "Linf", "eps": victim.eps["Linf"]}
    apgd = _attack(victim, ApgdSpec(goal="untargeted", loss="ce", steps=100, **budget))
    theirs = _peer(victim, autoattack_peers.apgd, steps=100, **budget)
    yield from _compared(f"{name}: APGD-CE-100 / AutoAttack's", victim, apgd, theirs, 5, 0.5)
    everything = _attack(victim, AutoAttackSpec(**budget))
    theirs = _peer(victim, autoattack_peers.standard, **budget)
    yield from _compared(f"{name}: AutoAttack standard / its own code", victim, everything, theirs, 3, 0.5)


def _fab(name: str, victim: Victim) -> Iterator[Result]:
    from tests.oracles.peers import autoattack_peers

    easy = victim.correct()
    ours = _attack(easy, FabTargetedSpec(norm="Linf", steps=FAB_STEPS, targets=9))
    theirs = _peer(easy, autoattack_peers.fab, norm="Linf", steps=FAB_STEPS, targets=9)
    found: list[Tensor] = []
    ratio, spread = paired(_timed(ours, found), _timed(theirs, found), 3)
    yield Result(f"{name}: FAB-T-{FAB_STEPS} / AutoAttack's", ratio, 0.75, detail=spread)
    medians = [_median(easy, x_adv) for x_adv in found[:2]]
    detail = f"{medians[0]:.4f} beside {medians[1]:.4f}"
    yield Result("  median norm, ours / theirs", medians[0] / medians[1], 1.02, detail=detail)


def _compared(
    what: str,
    victim: Victim,
    ours: Callable[[], Tensor],
    theirs: Callable[[], Tensor],
    rounds: int,
    target: float | None,
) -> Iterator[Result]:
    """The ratio of the times, and what is left of the accuracy by which attack."""
    found: list[Tensor] = []
    ratio, spread = paired(_timed(ours, found), _timed(theirs, found), rounds)
    yield Result(what, ratio, target, detail=spread)
    left = [victim.accuracy(x_adv) for x_adv in found[:2]]
    detail = f"{left[0]:.1%} beside {left[1]:.1%}"
    yield Result("  robust accuracy, ours less theirs", left[0] - left[1], 0.0, detail=detail)


def _timed(work: Callable[[], Tensor], found: list[Tensor]) -> Callable[[], float]:
    """The work with a clock; what it finds is put at the end of ``found``."""
    return lambda: seconds(lambda: found.append(work()))


def _attack(victim: Victim, spec: AttackSpec) -> Callable[[], Tensor]:
    def work() -> Tensor:
        result: AttackResult = run_attack(start(victim.model, victim.x, victim.y, spec, seed=0, bounds=(0.0, 1.0)))
        return result.x_adv

    return work


def _peer(victim: Victim, attack: Callable[..., Tensor], **settings: Any) -> Callable[[], Tensor]:
    return lambda: attack(victim.model, victim.x, victim.y, **settings)


def _median(victim: Victim, x_adv: Tensor) -> float:
    """The median L-inf norm; what does not succeed counts as infinitely large."""
    size = (x_adv - victim.x).flatten(1).abs().amax(1)
    return torch.where(victim.predict(x_adv) != victim.y, size, torch.inf).median().item()
