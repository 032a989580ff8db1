"""The closer look: robust accuracy against eps, the worst case over attacks, the smallest norms, and signs of masked gradients.

Each curve is the share of all samples that are seen rightly and that this attack has not broken within the budget or within a
smaller one. The worst case counts a sample as broken once anything did that was tried, random noise included: what counts is the
point found. As every attack, all of them together bound robustness from above: another may find more.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field

import numpy as np

from engine.errors import AttackError
from engine.events import Event, Frame, Progress, Record
from engine.experiments.bench import Bench, Making, test_order
from engine.experiments.other_seed import other_seed
from engine.experiments.rates import median
from engine.experiments.robustness.curves import ATTACKS, MINIMAL, TRANSFERRED, WORST, gap_to_best, robust, worst
from engine.experiments.robustness.networks import networks
from engine.experiments.robustness.signs import Sign, looking_for_signs
from engine.experiments.robustness.trying import Question, Source, Tried, begun, trying
from engine.generators import stoppable

TOPIC = "robustness"


@dataclass(eq=False)
class Shown:
    """One network so far."""

    name: str
    label: str
    tried: Tried
    signs: list[Sign] = field(default_factory=list)
    done: bool = False


def robustness(bench: Bench) -> Making:
    """Attack the network, and where asked for others, at every budget; trains first where needed."""
    settings = bench.spec.robustness
    question = yield from question_of(bench)
    found = yield from networks(bench)
    source = Source((yield from other_seed(bench))) if TRANSFERRED in question.attacks else None
    shown: list[Shown] = []
    budgets = sum(1 if name == MINIMAL else settings.budgets - 1 for name in question.attacks)
    each = budgets + 1  # the signs are as long as a budget
    for number, named in enumerate(found):
        begin, total = number * each, len(found) * each
        said = Progress(begin, total, f"robustness, {named.label}")
        yield said
        tried = yield from stoppable(begun(question, named.model), None)
        shown.append(Shown(named.name, named.label, tried))
        done = begin
        for told in trying(question, named.model, source, tried):
            if told is None:
                yield None
                continue
            done += 1
            yield _frame(bench, question, shown, len(found), keep=False)
            yield Progress(done, total, f"robustness, {named.label}: {told}")
        said = Progress(begin + budgets, total, f"robustness, {named.label}: looking for signs of masked gradients")
        yield said
        shown[-1].signs = yield from stoppable(looking_for_signs(question, named.model, tried), None)
        shown[-1].done = True
        yield _frame(bench, question, shown, len(found), keep=False)
    frame = _frame(bench, question, shown, len(found), keep=True)
    yield frame
    yield from _records(question, shown, frame)
    yield Progress(1, 1, "robustness measured")


def question_of(bench: Bench) -> Generator[Event | None, None, Question]:
    """What the settings ask: samples, budgets and attacks. Raises AttackError where there is nothing to attack, or nothing to do it."""
    spec = bench.spec
    settings = spec.robustness
    dataset = yield from bench.dataset()
    index = test_order(dataset, spec.seed)[: settings.samples]
    if not len(index):
        raise AttackError("There is no test sample to attack. Choose data with a test set on the Data step.")
    eps = np.linspace(0.0, settings.eps, settings.budgets)
    question = Question(
        dataset.x_test[index], dataset.y_test[index], eps, settings, spec.seed, dataset.bounds, index.numpy()
    )
    if not question.attacks:
        raise AttackError("No attack is chosen for the robustness curves: choose at least one in their settings.")
    return question


def _frame(bench: Bench, question: Question, shown: Sequence[Shown], total: int, *, keep: bool) -> Frame:
    """Of M networks, A attacks, B budgets and n samples.

    ``eps`` [B]; ``robust`` with ``low`` and ``high`` [M, A, B], NaN where not tried yet; ``worst*`` [M, B] over what was tried;
    ``best``, ``gap``, ``gap_low``, ``gap_high`` [M, B] of the worst case against the best attack; ``broken_at`` [M, A, n];
    ``norm`` and ``smallest`` [M, n]; ``median`` [M, 2, 3] of both with its interval, over samples seen rightly; ``index``,
    ``y`` [n].
    """
    eps = question.eps
    budgets, n = len(eps), len(question.y)
    m = len(shown)
    curves = {name: np.full((m, len(question.attacks), budgets), np.nan) for name in ("robust", "low", "high")}
    arrays: dict[str, np.ndarray] = {"eps": eps, "index": question.index, "y": question.y.numpy(), **curves}
    for name in ("worst", "worst_low", "worst_high", "gap", "gap_low", "gap_high"):
        arrays[name] = np.full((m, budgets), np.nan)
    arrays["best"] = np.zeros((m, budgets), np.int64)
    arrays["median"] = np.full((m, 2, 3), np.nan)
    arrays["clean"] = np.array([each.tried.right.mean() for each in shown])
    for k, each in enumerate(shown):
        tried = each.tried
        every = robust(tried.broken_at, budgets)
        for a, name in enumerate(question.attacks):
            through = tried.done.get(name, 0)
            for end, values in (("robust", every.share), ("low", every.low), ("high", every.high)):
                curves[end][k, a, :through] = values[a, :through]
        together = robust(worst(tried.broken_at), budgets)
        arrays["worst"][k], arrays["worst_low"][k], arrays["worst_high"][k] = (
            together.share,
            together.low,
            together.high,
        )
        gap = gap_to_best(tried.broken_at, budgets)
        arrays["best"][k], arrays["gap"][k] = gap.best, gap.gap
        arrays["gap_low"][k], arrays["gap_high"][k] = gap.low, gap.high
        if each.done:
            for which, norms in enumerate((tried.norm, tried.smallest)):
                middle = median(norms[tried.right], bench.spec.seed)
                arrays["median"][k, which] = middle.value, middle.low, middle.high
    for name in ("broken_at", "norm", "smallest", "right"):
        arrays[name] = np.stack([getattr(each.tried, name) for each in shown])
    settings = question.settings
    info = {
        "attacks": [{"name": name, "label": ATTACKS[name]} for name in question.attacks],
        "networks": [{"name": each.name, "label": each.label} for each in shown],
        "total": total,
        "signs": [[sign.told() for sign in each.signs] for each in shown],
        "measured": [each.done for each in shown],
        "norm": settings.norm,
        "steps": settings.steps,
        "queries": settings.queries,
        "samples": n,
        "done": keep,
        "key": settings_key(bench),
    }
    return Frame(TOPIC, "measure", 0, arrays, info, keep=keep)


def settings_key(bench: Bench) -> str:
    """A fingerprint of what the curves depend on."""
    return bench.spec.key("dataset", "model", "training", "robustness", "hardening")


def _records(question: Question, shown: Sequence[Shown], frame: Frame) -> Making:
    arrays, n = frame.arrays, len(question.y)
    for k, each in enumerate(shown):
        curves = [
            (name, *(arrays[end][k, a] for end in ("robust", "low", "high"))) for a, name in enumerate(question.attacks)
        ]
        curves.append((WORST, *(arrays[end][k] for end in ("worst", "worst_low", "worst_high"))))
        for name, share, low, high in curves:
            for b, eps in enumerate(question.eps):
                row = {"model": each.name, "attack": name, "eps": float(eps), "n": n}
                yield Record(TOPIC, row | {"robust": float(share[b]), "low": float(low[b]), "high": float(high[b])})
        for row_number, (index, y) in enumerate(zip(question.index.tolist(), question.y.tolist(), strict=True)):
            norms = {"norm": each.tried.norm[row_number], "smallest": each.tried.smallest[row_number]}
            yield Record(
                f"{TOPIC}_norms",
                {"model": each.name, "sample": index, "y": y, "right": int(each.tried.right[row_number])}
                | {name: float(value) if np.isfinite(value) else None for name, value in norms.items()},
            )
        for sign in each.signs:
            told = sign.told()
            raised = None if sign.raised is None else int(sign.raised)
            yield Record(
                f"{TOPIC}_signs",
                {"model": each.name, "sign": sign.name, "raised": raised, "figure": told["figure"], "said": sign.said}
                | {"reason": sign.reason, "advice": sign.advice},
            )
