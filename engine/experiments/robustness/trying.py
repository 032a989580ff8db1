"""One network under every attack chosen, budget after budget: when each sample first broke, and by how little.

Samples that the network sees wrongly as they are need no attack. One that an attack has broken at a smaller budget is not
given to it again, but to PGD: at which budgets it succeeds afresh is a sign in itself (see ``signs``).
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from engine.attacks import AttackResult, start
from engine.attacks.core.look import logits_of, sheltered
from engine.experiments.control import moving_at_random
from engine.experiments.fleet import BATCH
from engine.experiments.robustness.curves import (
    APGD,
    ATTACKS,
    FGSM,
    MINIMAL,
    NOISE,
    PGD,
    SQUARE,
    TRANSFERRED,
    broken_within,
)
from engine.seeds import derive, generator
from engine.specs import ApgdSpec, AttackSpec, FgsmSpec, FmnSpec, PgdSpec, RobustnessSpec, SquareSpec

REFINE = 10  # looks between the sample and its nearest success: the norm is then that of the boundary
TOGETHER = 8  # windows of Square tried side by side: faster, at next to no loss
KEPT_BYTES = 1 << 28  # of perturbed inputs that are kept for the next network

Trying = Generator[str | None, None, None]
"""None is a breath; a sentence says what was done with the last budget."""


@dataclass(frozen=True, eq=False)
class Question:
    """What is attacked and how: samples ``[n, ...]`` with labels int64 ``[n]``, and the budgets [B], ascending from 0."""

    x: Tensor
    y: Tensor
    eps: np.ndarray
    settings: RobustnessSpec
    seed: int
    bounds: tuple[float, float] | None
    index: np.ndarray
    """int64 [n]: their numbers in the test set."""

    @property
    def attacks(self) -> tuple[str, ...]:
        """Those chosen, in order."""
        return tuple(name for name in ATTACKS if getattr(self.settings, name))


@dataclass(eq=False)
class Tried:
    """What has become of n samples so far under A attacks at B budgets."""

    right: np.ndarray
    """bool [n]: seen rightly as they are."""
    broken_at: np.ndarray
    """int64 [A, n]: the first budget at which each attack broke each sample; 0 = wrong as it is, B = never."""
    smallest: np.ndarray
    """float64 [n]: the smallest norm at which any attack broke it, 0 where it is wrong as it is, infinite where none did."""
    norm: np.ndarray
    """The same of the attack for the smallest norm alone; NaN where it is not run."""
    done: dict[str, int] = field(default_factory=dict)
    """By attack: budgets that are through."""
    afresh: np.ndarray | None = None
    """bool [B, n]: at which budgets PGD broke a sample, whatever it did at others."""


class Source:
    """Another network, whose PGD perturbations are shown to those tested; made once for each budget, kept while there is room."""

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        self._kept: dict[float, Tensor] = {}

    def perturbed(self, question: Question, eps: float) -> Generator[None, None, Tensor]:
        """Inputs ``[n, ...]``; a perturbation that fools the source at any step is kept, else its last one."""
        if eps not in self._kept:
            spec = attack_spec(PGD, question.settings, eps).model_copy(update={"stop": False})
            result = yield from attacked(question, self.model, spec)
            if len(question.eps) * result.x_adv.nbytes > KEPT_BYTES:
                return result.x_adv
            self._kept[eps] = result.x_adv
        return self._kept[eps]


def attack_spec(name: str, settings: RobustnessSpec, eps: float) -> AttackSpec:
    """The attack of a name at a budget; KeyError for what is no attack of its own."""
    norm, steps = settings.norm, settings.steps
    match name:
        case "fgsm":
            return FgsmSpec(norm=norm, eps=eps, goal="untargeted")
        case "pgd":
            return PgdSpec(norm=norm, eps=eps, steps=steps, goal="untargeted")
        case "apgd":
            return ApgdSpec(norm=norm, eps=eps, steps=steps)
        case "minimal":
            return FmnSpec(norm=norm, steps=steps, refine=REFINE)
        case "square":
            return SquareSpec(norm=norm, eps=eps, queries=settings.queries, together=TOGETHER, rescale=True)
    raise KeyError(name)


def attacked(
    question: Question, model: nn.Module, spec: AttackSpec, rows: np.ndarray | None = None
) -> Generator[None, None, AttackResult]:
    """An attack on the samples at ``rows``, all by default, to its end."""
    at = slice(None) if rows is None else torch.from_numpy(rows)
    attacking = start(model, question.x[at], question.y[at], spec, seed=question.seed, bounds=question.bounds)
    for _ in attacking.events():
        yield
    return attacking.result()


def begun(question: Question, model: nn.Module) -> Generator[None, None, Tried]:
    """Look at the samples as they are."""
    right = ((yield from classes(question, model, question.x)) == question.y).numpy()
    n, attacks, budgets = len(right), len(question.attacks), len(question.eps)
    broken_at = np.where(right, budgets, 0)[None].repeat(attacks, 0)
    norm = np.where(right, np.inf, 0.0) if MINIMAL in question.attacks else np.full(n, np.nan)
    return Tried(right, broken_at, np.where(right, np.inf, 0.0), norm)


def trying(question: Question, model: nn.Module, source: Source | None, tried: Tried) -> Trying:
    """Try every attack at every budget."""
    for number, name in enumerate(question.attacks):
        if name == MINIMAL:
            yield from _minimal(question, model, tried, number)
            yield f"{ATTACKS[name]}: norms found"
        else:
            yield from _budgets(question, model, source, tried, number, name)


# --- pieces ------------------------------------------------------------------------------------------------------


def _minimal(question: Question, model: nn.Module, tried: Tried, number: int) -> Generator[None, None, None]:
    rows = np.flatnonzero(tried.right)
    if len(rows):
        result = yield from attacked(question, model, attack_spec(MINIMAL, question.settings, 0.0), rows)
        tried.norm[rows] = result.smallest.nan_to_num(nan=torch.inf, posinf=torch.inf).numpy()
        tried.broken_at[number] = broken_within(tried.norm, question.eps)
        tried.smallest = np.minimum(tried.smallest, tried.norm)
    tried.done[MINIMAL] = len(question.eps)


def _budgets(
    question: Question, model: nn.Module, source: Source | None, tried: Tried, number: int, name: str
) -> Trying:
    never = len(question.eps)
    tried.done[name] = 1
    if name == PGD:
        tried.afresh = np.zeros((never, len(tried.right)), bool)
        tried.afresh[0] = ~tried.right
    for k in range(1, never):
        left = tried.right if name == PGD else tried.broken_at[number] == never
        rows = np.flatnonzero(left)
        if len(rows):
            broken, norm = yield from _once(question, model, source, rows, name, k)
            found = rows[broken]
            tried.broken_at[number, found] = np.minimum(tried.broken_at[number, found], k)
            tried.smallest[found] = np.minimum(tried.smallest[found], norm[broken])
            if name == PGD and tried.afresh is not None:
                tried.afresh[k, found] = True
        tried.done[name] = k + 1
        yield f"{ATTACKS[name]}, budget {k} of {never - 1}"


def _once(
    question: Question, model: nn.Module, source: Source | None, rows: np.ndarray, name: str, k: int
) -> Generator[None, None, tuple[np.ndarray, np.ndarray]]:
    """Which of some samples one attack breaks within one budget, and the norms of what it found: [m] each."""
    eps, norm = float(question.eps[k]), question.settings.norm
    if name in (NOISE, TRANSFERRED):
        at = torch.from_numpy(rows)
        if name == NOISE:
            moved = yield from at_random(question, rows, eps, str(k))
        else:
            assert source is not None
            moved = (yield from source.perturbed(question, eps))[at]
        broken = ((yield from classes(question, model, moved)) != question.y[at]).numpy()
        delta = (moved - question.x[at]).flatten(1).double()
        size = delta.abs().amax(1) if norm == "Linf" else delta.norm(dim=1)
        return broken, size.numpy()
    # of a sample that is left as it is, the place in the batch decides what is random: PGD is given all of them
    assert name in (FGSM, PGD, APGD, SQUARE)
    given = None if name == PGD else rows
    result = yield from attacked(question, model, attack_spec(name, question.settings, eps), given)
    chosen = slice(None) if given is not None else torch.from_numpy(rows)
    return result.success[chosen].numpy(), result.norm[chosen].numpy()


def at_random(question: Question, rows: np.ndarray, eps: float, label: str) -> Generator[None, None, Tensor]:
    """Some samples moved at random by exactly so much, or as far as the input range lets: ``[m, ...]``."""
    n = len(question.x)
    wanted = torch.zeros(n, question.x[0].numel(), dtype=question.x.dtype)
    wanted[:, 0] = eps
    away = question.x + wanted.reshape(question.x.shape)
    draw = generator(question.seed, "robustness", "noise", label)
    moved = yield from moving_at_random(question.x, away, question.settings.norm, question.bounds, draw)
    return moved[torch.from_numpy(rows)]


def classes(question: Question, model: nn.Module, x: Tensor) -> Generator[None, None, Tensor]:
    """What the model sees: int64 ``[m]``; a model that answers at random does so by the seed alone."""
    found = []
    for number, part in enumerate(torch.split(x, BATCH)):
        with sheltered(model, derive(question.seed, "robustness", "look", str(number))), torch.no_grad():
            found.append(logits_of(model, part).argmax(1))
        yield
    return torch.cat(found)
