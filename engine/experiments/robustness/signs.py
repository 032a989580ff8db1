"""Signs that gradients mislead, so that robust accuracy is overrated: each is measured on the network, and said with its figure.

The signs are those of A. Athalye, N. Carlini, D. Wagner (2018), "Obfuscated gradients give a false sense of security", and of
N. Carlini et al. (2019), "On evaluating adversarial robustness"; those that need no attack are looked for by
``engine.attacks.checks.flags``. A sign that stays down is no proof of anything.

Most are looked for at the *telling* budget, at which about half of the samples are broken: where none or all are, more steps
or starts could change nothing. Differences on the same samples are tested by McNemar's exact test.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from engine.attacks.checks.flags import LEAST, Flag, black_box_better, flags
from engine.experiments.rates import mcnemar
from engine.experiments.robustness.curves import ATTACKS, BLACK_BOX, FGSM, PGD, WHITE_BOX, worst
from engine.experiments.robustness.trying import Question, Tried, at_random, attack_spec, attacked, classes
from engine.specs import AttackSpec, FixedBudgetSpec

LOOKED_AT = 256  # samples on which signs are looked for
LEVEL = 0.05
RESTARTS = 10
MATTERS = 0.1  # of the samples: by so much may restarts gain before the start matters; plain networks gain some 5%
TIMES = (1, 2, 4)  # as many steps

TITLES = {
    "black box better": "Black box beats white box",
    "steps": "More steps",
    "unbounded": "Unbounded attack",
    "restarts": "Random starts",
    "one step": "One step beats many",
    "larger eps": "Larger eps, less success",
    "randomised": "Randomised answers",
    "probabilities": "Probabilities for scores",
    "zero gradients": "Gradients that vanish",
    "inner optimisation": "Optimisation while answering",
    "changing computation": "Changing computation",
}

FIGURES = {
    "randomised": "{:.2%}",
    "probabilities": "{:.0%} of samples",
    "zero gradients": "{:.0%} of samples",
    "inner optimisation": "{:.0f} times",
    "changing computation": "{:.0f} operations apart",
}
"""How the figure of a flag is said."""


@dataclass(frozen=True, slots=True)
class Sign:
    """One sign that was looked for."""

    name: str
    raised: bool | None
    """None where it could not be looked for."""
    figure: float
    """What was measured; NaN for nothing."""
    said: str
    """The figure in short, as "12 of 200"."""
    reason: str
    """What was measured and found."""
    advice: str
    """What to do where it is raised."""

    def told(self) -> dict[str, Any]:
        """Plain JSON."""
        figure = self.figure if math.isfinite(self.figure) else None
        return {**asdict(self), "title": TITLES[self.name], "figure": figure}


Looking = Generator[None, None, Sign]


def looking_for_signs(question: Question, model: nn.Module, tried: Tried) -> Generator[None, None, list[Sign]]:
    """Look for every sign; ``tried`` holds what the attacks came to."""
    rows = np.flatnonzero(tried.right)[:LOOKED_AT]
    telling = telling_budget(tried, len(question.eps))
    found = [_black_box(question, tried)]
    found.append((yield from _steps(question, model, rows, telling)))
    found.append((yield from _unbounded(question, model, rows)))
    found.append((yield from _restarts(question, model, rows, telling)))
    found.append(one_step(question, tried))
    found.append(larger_eps(question, tried))
    some = torch.from_numpy(rows)
    if len(rows):
        seen = yield from flags(model, question.x[some], question.y[some], seed=question.seed)
        found.extend(_flagged(flag) for flag in seen)
    return found


def telling_budget(tried: Tried, budgets: int) -> int:
    """The budget, beyond 0, at which the attacks together break a share of the samples seen rightly that is nearest to half.

    Of budgets that do not differ, as where nothing is broken, the largest.
    """
    if not len(tried.broken_at) or not tried.right.any():
        return budgets - 1
    broken = [float((worst(tried.broken_at)[tried.right] <= k).mean()) for k in range(1, budgets)]
    return budgets - 1 - int(np.argmin(np.abs(np.array(broken[::-1]) - 0.5)))


# --- from what the attacks came to -------------------------------------------------------------------------------


def _within(question: Question, tried: Tried, names: tuple[str, ...], k: int) -> np.ndarray | None:
    """bool [n]: broken by any of these attacks within a budget; None where none of them was run."""
    at = [number for number, name in enumerate(question.attacks) if name in names]
    return (tried.broken_at[at].min(0) <= k) if at else None


def _black_box(question: Question, tried: Tried) -> Sign:
    name, budgets = "black box better", len(question.eps)
    white = [_within(question, tried, WHITE_BOX, k) for k in range(budgets)]
    black = [_within(question, tried, BLACK_BOX, k) for k in range(budgets)]
    if white[0] is None or black[0] is None:
        return _not_looked_for(name, "Choose an attack with gradients, and Square or transfer.")
    extra = [int((b & ~w).sum()) for w, b in zip(white, black, strict=True) if w is not None and b is not None]
    k = int(np.argmax(extra))
    assert white[k] is not None and black[k] is not None
    flag = black_box_better(torch.from_numpy(white[k]), torch.from_numpy(black[k]))
    chosen = [ATTACKS[each] for each in BLACK_BOX if each in question.attacks]
    how = f"{' and '.join(chosen)} break{'' if len(chosen) > 1 else 's'}"
    n = len(tried.right)
    where = f"at ε = {question.eps[k]:.3g}" if extra[k] else "at any budget"
    reason = f"Without the network's gradients, {how} {extra[k] or 'none'} of {n} samples {where} that those with gradients leave standing"
    reason += "." if flag.raised or not extra[k] else ": no more than chance."
    advice = (
        "The gradients mislead. Look for what hides them (rounding, saturation, randomness), attack a smooth approximation, and "
        "report the worst case."
    )
    return Sign(name, flag.raised, flag.figure, f"{extra[k]} of {n}", reason, advice)


def one_step(question: Question, tried: Tried) -> Sign:
    """Whether FGSM breaks more than PGD at any budget."""
    name, tests = "one step", max(1, len(question.eps) - 1)
    if not {FGSM, PGD} <= set(question.attacks):
        return _not_looked_for(name, "Choose FGSM and PGD.")
    single, many = (tried.broken_at[question.attacks.index(each)] for each in (FGSM, PGD))
    counts = [
        (int(((single <= k) & (many > k)).sum()), int(((many <= k) & (single > k)).sum())) for k in range(1, 1 + tests)
    ]
    k = int(np.argmax([a - b for a, b in counts]))
    only_single, only_many = counts[k]
    p = min(1.0, tests * mcnemar(only_single, only_many))
    raised = only_single - only_many >= LEAST and p < LEVEL
    reason = (
        f"At ε = {question.eps[k + 1]:.3g} FGSM alone breaks {only_single} samples and PGD alone {only_many} (p = {p:.2g}, for {tests} "
        "budgets): " + ("one step does better than many." if raised else "one step does no better than many.")
    )
    advice = (
        "Where the loss is curved just at the sample, as after training against a single step, many steps lose their way. Use random "
        "starts, other step sizes and queries."
    )
    return Sign(name, raised, float(only_single - only_many), f"{only_single} against {only_many}", reason, advice)


def larger_eps(question: Question, tried: Tried) -> Sign:
    """Whether PGD, begun afresh at each budget, breaks fewer samples at a larger one."""
    name, budgets = "larger eps", len(question.eps)
    if tried.afresh is None:
        return _not_looked_for(name, "Choose PGD.")
    pairs = [(a, b) for a in range(1, budgets) for b in range(a + 1, budgets)]
    found = tried.afresh & tried.right
    counts = [(int((found[a] & ~found[b]).sum()), int((found[b] & ~found[a]).sum())) for a, b in pairs]
    k = int(np.argmax([lost - gained for lost, gained in counts]))
    (a, b), (lost, gained) = pairs[k], counts[k]
    p = min(1.0, len(pairs) * mcnemar(lost, gained))
    raised = lost - gained >= LEAST and p < LEVEL
    reason = (
        f"From ε = {question.eps[a]:.3g} to {question.eps[b]:.3g} PGD loses {lost} samples and gains {gained} (p = {p:.2g}, for "
        f"{len(pairs)} pairs of budgets): "
        + ("a larger ball, which holds the smaller, gives it less." if raised else "a larger ball gives it no less.")
    )
    advice = "Steps that grow with ε jump over what small ones find. Use more and smaller steps, and take the worst case over budgets."
    return Sign(name, raised, float(lost - gained), f"{lost} lost, {gained} gained", reason, advice)


# --- from attacks of their own -----------------------------------------------------------------------------------


def _pgd(question: Question, eps: float, **changed: object) -> AttackSpec:
    return attack_spec(PGD, question.settings, eps).model_copy(update=changed)


def _steps(question: Question, model: nn.Module, rows: np.ndarray, telling: int) -> Looking:
    """k, 2k and 4k steps from the same start, beside random noise, which is no steps at all."""
    name, eps, k = "steps", float(question.eps[telling]), question.settings.steps
    if len(rows) < LEAST:
        return _not_looked_for(name, "Too few samples are seen rightly.")
    broken = []
    for times in TIMES:
        result = yield from attacked(question, model, _pgd(question, eps, steps=times * k), rows)
        broken.append(result.success.numpy())
    moved = yield from at_random(question, rows, eps, "signs")
    noise = ((yield from classes(question, model, moved)) != question.y[torch.from_numpy(rows)]).numpy()
    first, last = broken[0], broken[-1]
    gained, lost = int((last & ~first).sum()), int((first & ~last).sum())
    p = mcnemar(gained, lost)
    by_steps, by_noise = int((last & ~noise).sum()), int((noise & ~last).sum())
    useless = not (by_steps > by_noise and mcnemar(by_steps, by_noise) < LEVEL)
    moves = abs(gained - lost) >= LEAST and p < LEVEL
    shares = ", ".join(f"{float(each.mean()):.1%}" for each in broken)
    told = f"At ε = {eps:.3g}, {k}, {2 * k} and {4 * k} steps of PGD break {shares}; random noise of that size {float(noise.mean()):.1%}"
    few = f"{k} step{' is' if k == 1 else 's are'}"
    if useless:
        said = " Steps along the gradient do no better than random noise: the gradient leads nowhere."
        advice = "The network may kill or hide its gradients: attack a smooth approximation, transfer from another network, or attack by queries."
    elif moves and gained > lost:
        said = f" {4 * k} steps break {gained} more and {lost} fewer (p = {p:.2g}): {few} not enough."
        advice = "Take more steps until the success no longer rises: what is left standing by fewer isn't robust."
    elif moves:
        said = f" {4 * k} steps break {lost} fewer and {gained} more (p = {p:.2g}): more steps do worse."
        advice = (
            "Where smaller steps do worse, the loss is rough near the sample: use random starts, and attack by queries."
        )
    else:
        said, advice = f" More steps change next to nothing (p = {p:.2g}): {few} enough.", ""
    return Sign(name, useless or moves, float(last.mean() - first.mean()), shares, f"{told}.{said}", advice)


def _unbounded(question: Question, model: nn.Module, rows: np.ndarray) -> Looking:
    name = "unbounded"
    if len(rows) < LEAST:
        return _not_looked_for(name, "Too few samples are seen rightly.")
    eps, steps = _whole_range(question), max(100, 2 * question.settings.steps)
    result = yield from attacked(question, model, _pgd(question, eps, steps=steps, restarts=2), rows)
    left = int((~result.success).sum())
    what = "enough to reach any input" if question.bounds is not None else "ten times as far as the samples lie apart"
    reason = (
        f"With ε = {eps:.3g}, {what}, {steps} steps of PGD from two starts leave {left} of {len(rows)} samples standing"
        + ("; they should leave none." if left else ", as they should.")
    )
    advice = "Within so large a ball each sample has points of other classes: an attack that misses them doesn't work on this network."
    return Sign(name, left > 0, left / len(rows), f"{left} of {len(rows)} left", reason, advice)


def _whole_range(question: Question) -> float:
    """A budget within which any input can be reached."""
    x = question.x.flatten(1)
    if question.bounds is not None:
        low, high = question.bounds
        return (high - low) * (math.sqrt(x.shape[1]) if question.settings.norm == "L2" else 1.0)
    away = x - x.mean(0)
    size = away.norm(dim=1) if question.settings.norm == "L2" else away.abs().amax(1)
    return min(1000.0, max(1.0, 10 * float(size.max())))


def _restarts(question: Question, model: nn.Module, rows: np.ndarray, telling: int) -> Looking:
    """One run of ten starts tells what its first start alone gives."""
    name, eps = "restarts", float(question.eps[telling])
    if len(rows) < LEAST:
        return _not_looked_for(name, "Too few samples are seen rightly.")
    spec = _pgd(question, eps, restarts=RESTARTS)
    assert isinstance(spec, FixedBudgetSpec)
    result = yield from attacked(question, model, spec, rows)
    gained = int((result.success & (result.first_restart > 0)).sum())
    share, p = gained / len(rows), mcnemar(gained, 0)
    raised = share > MATTERS and p < LEVEL
    reason = (
        f"At ε = {eps:.3g}, {RESTARTS} random starts of PGD break {gained} of {len(rows)} samples more than the first (p = {p:.2g}): "
        + ("where it begins matters." if raised else "where it begins hardly matters.")
    )
    advice = "One start isn't enough here: a loss with many dead ends hides what is near. Use restarts, and another loss (DLR)."
    return Sign(name, raised, share, f"{gained} more", reason, advice)


def _flagged(flag: Flag) -> Sign:
    """A flag's sentence says what to do as well."""
    said = FIGURES[flag.name].format(flag.figure)
    reason, _, advice = flag.sentence.rpartition(". " if ". " in flag.sentence else ": ")
    if not flag.raised or not reason:
        return Sign(flag.name, flag.raised, flag.figure, said, flag.sentence, "")
    return Sign(flag.name, flag.raised, flag.figure, said, f"{reason}.", advice[0].upper() + advice[1:])


def _not_looked_for(name: str, advice: str) -> Sign:
    return Sign(name, None, math.nan, "", "Not looked for.", advice)
