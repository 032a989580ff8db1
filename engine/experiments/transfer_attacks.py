"""The attacks whose perturbations are shown to other networks, and the budget at which they are made."""

from __future__ import annotations

from collections.abc import Generator

import torch
from torch import Tensor

from engine.attacks import start
from engine.errors import AttackError
from engine.events import Event, Progress
from engine.experiments.bench import Bench
from engine.experiments.control import moving_at_random
from engine.experiments.fleet import Fleet, Member
from engine.generators import stoppable
from engine.seeds import generator
from engine.specs import AttackSpec, DdnSpec, FgsmSpec, FmnSpec, MiSpec, PgdSpec, TransferSpec, VmiSpec

ATTACKS = {"pgd": "PGD", "fgsm": "FGSM", "mi": "MI-FGSM", "vmi": "VMI-FGSM", "noise": "Random noise"}
"""Settings that choose an attack, and what it is called. The first that is chosen is what similarity is related to first."""
NOISE = "noise"
SIZED_ON = 40  # inputs from which the budget is found
BUDGET = 2.0
"""The budget, as a multiple of the median smallest perturbation: white-box attacks then succeed on nearly every input."""
SMALLEST_STEPS = 50

Attacking = Generator[Event | None, None, Tensor]


def chosen(settings: TransferSpec) -> tuple[str, ...]:
    """The attacks that the settings choose, in order.

    Raises AttackError where there is none, or where VMI-FGSM is asked for in a norm that it is not defined in.
    """
    found = tuple(name for name in ATTACKS if getattr(settings, name))
    if not any(name != NOISE for name in found):
        raise AttackError(
            "No attack is chosen whose transfer could be measured: choose at least one besides random noise."
        )
    if "vmi" in found and settings.norm != "Linf":
        raise AttackError("VMI-FGSM is defined in L∞ alone: choose the norm L∞ for transfer, or leave VMI-FGSM out.")
    return found


def budget(bench: Bench, fleet: Fleet) -> Generator[Event | None, None, float]:
    """:data:`BUDGET` times the median, over networks and inputs, of the smallest perturbation found (DDN in L2, FMN in L-inf)."""
    index = fleet.order[:SIZED_ON]
    x, y = fleet.data.x_test[index], fleet.data.y_test[index]
    norm = bench.spec.transfer.norm
    smallest = DdnSpec(steps=SMALLEST_STEPS) if norm == "L2" else FmnSpec(norm=norm, steps=SMALLEST_STEPS)
    found = []
    for number, member in enumerate(fleet.members):
        yield Progress(number, len(fleet.members), f"transfer: finding the budget, network {number + 1}")
        attacking = start(member.model, x, y, smallest, seed=bench.spec.seed, bounds=fleet.data.bounds)
        for _ in attacking.events():
            yield None
        norms = attacking.result().smallest[fleet.right[number, : len(index)]]
        found.append(norms[norms.isfinite()])
    norms = torch.cat(found)
    return round(BUDGET * float(norms.median()), 2 if norm == "L2" else 3) if len(norms) else 1.0


def attack_spec(name: str, settings: TransferSpec, eps: float) -> AttackSpec:
    """An attack by its name; KeyError for noise, which is none."""
    norm, steps = settings.norm, settings.steps
    # to the last step: a perturbation that rests at its first success is made for the source's boundary alone
    match name:
        case "pgd":
            return PgdSpec(norm=norm, eps=eps, steps=steps, goal="untargeted", stop=False)
        case "fgsm":
            return FgsmSpec(norm=norm, eps=eps, goal="untargeted", stop=False)
        case "mi":
            return MiSpec(norm=norm, eps=eps, steps=steps, goal="untargeted")
        case "vmi":
            return VmiSpec(eps=eps, steps=steps, goal="untargeted")
    raise KeyError(name)


def perturbed(bench: Bench, fleet: Fleet, number: int, x: Tensor, y: Tensor, name: str, eps: float) -> Attacking:
    """The inputs as one attack perturbs them on one network of the fleet; as random noise does, each network has its own draw."""
    settings, seed, member = bench.spec.transfer, bench.spec.seed, fleet.members[number]
    if name != NOISE:
        return (yield from _attacked(member, fleet, x, y, attack_spec(name, settings, eps), seed))
    away = x.clone()
    away.flatten(1)[:, 0] += eps
    draw = generator(seed, "transferability", "noise", str(number))
    moving = moving_at_random(x, away, settings.norm, fleet.data.bounds, draw)
    return (yield from stoppable(moving, None))


def _attacked(member: Member, fleet: Fleet, x: Tensor, y: Tensor, spec: AttackSpec, seed: int) -> Attacking:
    attacking = start(member.model, x, y, spec, seed=seed, bounds=fleet.data.bounds)
    for _ in attacking.events():
        yield None
    return attacking.result().x_adv
