"""May the attack's verdict be trusted? Flags for what misleads attacks, and the active test of the attack itself."""

from __future__ import annotations

import math
from typing import Any

import torch

from engine.attacks.checks.active_test import ENOUGH, ActiveTest, active_test, untestable
from engine.attacks.checks.flags import Flag, black_box_better, flags
from engine.events import Frame, Progress
from engine.experiments.attack_results import budget_of
from engine.experiments.bench import Bench, Making
from engine.experiments.rates import share
from engine.experiments.train import trained
from engine.generators import stoppable
from engine.specs import AttackSpec, FixedBudgetSpec, SquareSpec

LOOKED_AT = 128  # samples on which the flags are looked for
PLANTED = 20  # weaknesses planted for the active test
QUERIES = 500  # of the black-box attack that is set against the attack


def attack_checks(bench: Bench) -> Making:
    """Look for the flags, set queries against gradients, and test the attack on planted weaknesses; trains first where needed."""
    spec = bench.spec
    model = yield from trained(bench)
    dataset = yield from bench.dataset()
    _, x, y = yield from bench.to_attack()
    x, y = x[:LOOKED_AT], y[:LOOKED_AT]
    said = Progress(1, 4, "looking for signs that mislead attacks")
    found = list((yield from stoppable(flags(model, x, y, seed=spec.seed), said)))
    yield _frame(spec.attack, found, None, "")
    why_not = untestable(spec.attack)
    if (
        not why_not
        and isinstance(spec.attack, FixedBudgetSpec)
        and spec.attack.norm in ("Linf", "L2")
        and not spec.attack.gradient_free
    ):
        found.append((yield from _against_queries(bench, model, x, y)))
        yield _frame(spec.attack, found, None, "")
    tested: ActiveTest | None = None
    if not why_not:
        some = x[:PLANTED]
        said = Progress(3, 4, "testing the attack on planted weaknesses")
        test = active_test(model, some, spec.attack, seed=spec.seed, bounds=dataset.bounds)
        tested = yield from stoppable(test, said)
    yield _frame(spec.attack, found, tested, why_not)
    yield Progress(4, 4, "attack checked")


def _against_queries(bench: Bench, model: torch.nn.Module, x: torch.Tensor, y: torch.Tensor) -> Any:
    """Whether Square finds what the attack does not, both untargeted and on the same samples."""
    from engine.attacks import start

    spec = bench.spec.attack
    assert isinstance(spec, FixedBudgetSpec)
    dataset = yield from bench.dataset()
    square = SquareSpec(norm=spec.norm, eps=spec.eps, queries=QUERIES)
    broken = []
    for which in (spec.model_copy(update={"goal": "untargeted", "stop": True}), square):
        attacking = start(model, x, y, which, seed=bench.spec.seed, bounds=dataset.bounds, examples=bench.examples())
        for _ in attacking.events():
            yield Progress(2, 4, "setting queries against gradients")
        broken.append(attacking.result().success)
    return black_box_better(*broken)


def _frame(spec: AttackSpec, found: list[Flag], tested: ActiveTest | None, why_not: str) -> Frame:
    info: dict[str, Any] = {
        "title": spec.title,
        "method": spec.method,
        "norm": spec.norm,
        "budget": budget_of(spec),
        "flags": [{"name": f.name, "raised": f.raised, "figure": f.figure, "sentence": f.sentence} for f in found],
        "active": _told(tested),
        "why_not": why_not,
    }
    return Frame("attack_checks", "measure", len(found), {}, info)


def _told(tested: ActiveTest | None) -> dict[str, Any] | None:
    """The active test in figures and a sentence."""
    if tested is None:
        return None
    counted, found = int(tested.hard.sum()), int((tested.found & tested.hard).sum())
    rate = share(found, counted)
    weak: bool | None
    if counted == 0:
        weak = None
        verdict = "No weakness could be planted that chance does not find, so the test says nothing here."
    elif rate.high < ENOUGH:
        weak = True
        verdict = (
            "The attack misses planted weaknesses: it is too weak for this model, and the robust accuracy it reports is "
            "too high. Give it more steps or restarts, or choose a stronger one."
        )
    elif rate.value >= ENOUGH:
        weak = False
        verdict = "The attack finds the planted weaknesses: nothing here says that it is too weak."
    else:
        weak = None
        verdict = "The attack misses some planted weaknesses, too few to be sure that it is too weak: try more steps."
    return {
        "samples": len(tested.planted),
        "planted": int(tested.planted.sum()),
        "by_chance": int((tested.planted & tested.at_random).sum()),
        "counted": counted,
        "found": found,
        "rate": None if math.isnan(rate.value) else rate.value,
        "low": rate.low,
        "high": rate.high,
        "enough": ENOUGH,
        "weak": weak,
        "verdict": verdict,
    }
