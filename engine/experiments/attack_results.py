"""What attacks came to, sample by sample, and what follows from it. NumPy only, so that a window may use it.

Everything is read from a run's table ``attacked``, one row a sample. A sample is *broken* when its attack reached its
goal, *misread* when the network sees another class than the true one in the point found. For an untargeted attack
these are the same; robust accuracy is always the share that is not misread.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.experiments.rates import Interval, mcnemar, median, paired_difference, share, wilson
from engine.specs import AttackSpecBase, ExperimentSpec

TABLE = "attacked"
NORMS = {"Linf": "L∞", "L2": "L2", "L1": "L1", "L0": "L0"}
SLACK = 1e-6  # by which a norm may be above eps for the sake of rounding, relative


@dataclass(frozen=True, eq=False)
class AttackRun:
    """One attack: its settings, and for each of N samples how it came out; arrays of length N."""

    run: int
    title: str
    """Short name of the attack."""
    goal: str
    """"untargeted", one of the targeted goals, or "class 3" where all are driven to one."""
    norm: str
    """The norm that the attack bounds or makes small."""
    minimal: bool
    """It looked for the smallest perturbation, without a budget."""
    eps: float | None
    """The largest norm that it may use; None for one that is minimal, or whose budget is not a norm (pixels, a patch)."""
    budget: str
    """The budget in words: "ε = 0.1", "smallest norm", "3 pixels"."""
    on_samples: bool
    """It began at the samples; an attack that begins at noise says nothing of robust accuracy."""
    network: str
    """Fingerprint of data, model and training: equal for attacks on one network."""
    sample: np.ndarray
    """Test indices, ascending."""
    y: np.ndarray
    before: np.ndarray
    """bool: broken before the attack began."""
    clean: np.ndarray
    """bool: the clean sample is classified rightly."""
    success: np.ndarray
    """bool"""
    misread: np.ndarray
    """bool"""
    survives: np.ndarray
    """bool: a success that is one after rounding to 8 bits too."""
    invalid: np.ndarray
    """bool: the network gave no number; such a sample is neither broken nor robust."""
    norms: Mapping[str, np.ndarray]
    """Size of the perturbation by norm, in input units."""
    forwards: np.ndarray
    gradients: np.ndarray
    random: np.ndarray | None = None
    """bool: broken by a random perturbation as long as the attack's (the control), where that was recorded."""
    stage: np.ndarray | None = None
    """str: the member of an ensemble that broke the sample, "" for none; None where that was not recorded."""
    known: dict[tuple[str, str], Any] = field(init=False, repr=False, default_factory=dict)
    """What has been computed of it, by what and in which norm; a window must not compute it at every look."""

    @classmethod
    def read(cls, run: int, spec: ExperimentSpec, table: Any) -> AttackRun:
        """The results of a run from its table (``engine.session.Table``) and its settings.

        Raises KeyError where the table lacks a column that every attack writes.
        """
        order = np.argsort(table.column("sample"), kind="stable")
        column = {name: table.column(name)[order] for name in table.columns}
        y, target, seen, clean = (column[name] for name in ("y", "target", "prediction", "clean_prediction"))
        flags = {name: column[name] > 0 for name in ("success", "success_8bit", "invalid")}
        attack = spec.attack
        success = flags["success"] & ~flags["invalid"]
        # older tables do not say it: there it is what the clean prediction alone tells
        already = column["already"] > 0 if "already" in column else np.where(target >= 0, clean == target, clean != y)
        return cls(
            run=run,
            title=getattr(attack, "title", "") or str(getattr(attack, "method", "attack")),
            goal=goal_of(attack),
            norm=str(getattr(attack, "norm", "L2")),
            minimal=bool(getattr(attack, "minimal", False)),
            eps=getattr(attack, "eps", None),
            budget=budget_of(attack),
            on_samples=getattr(attack, "method", "") != "noise",
            network=spec.key("dataset", "model", "training"),
            sample=column["sample"].astype(np.int64),
            y=y.astype(np.int64),
            before=already & success,
            clean=clean == y,
            success=success,
            misread=(seen != y) & ~flags["invalid"],
            survives=flags["success_8bit"] & success,
            invalid=flags["invalid"],
            norms={n: column[f"norm_{n}"] for n in NORMS if f"norm_{n}" in column},
            forwards=column["forwards"],
            gradients=column["gradients"],
            random=column["random_success"] > 0 if "random_success" in column else None,
            stage=column.get("first_stage"),
        )

    def __len__(self) -> int:
        return len(self.sample)

    @property
    def bounds_accuracy(self) -> bool:
        """Whether the accuracy that it leaves is a robust accuracy: at the samples, within a budget, any wrong class."""
        return self.on_samples and not self.minimal and not self.targeted

    @property
    def targeted(self) -> bool:
        return self.goal != "untargeted"

    @property
    def name(self) -> str:
        """What the attack is called in a list: "PGD, L∞, ε = 0.1"."""
        goal = f"targeted ({self.goal})" if self.targeted else ""
        return ", ".join(part for part in (self.title, NORMS.get(self.norm, self.norm), self.budget, goal) if part)

    @property
    def label(self) -> str:
        """The name with the number of the run."""
        return f"{self.run} · {self.name}"

    @property
    def found(self) -> np.ndarray:
        """bool: broken by the attack, not before it."""
        broken: np.ndarray = self.success & ~self.before
        return broken

    @property
    def failed(self) -> np.ndarray:
        """bool: the attack ended without reaching its goal."""
        missed: np.ndarray = ~self.success & ~self.invalid
        return missed

    def distances(self, norm: str) -> np.ndarray:
        """Smallest perturbation found for each sample in a norm: 0 where none was needed, infinite for failures, NaN invalid."""
        size = np.where(self.before, 0.0, self.norms[norm])
        return np.where(self.invalid, np.nan, np.where(self.success, size, np.inf))


def goal_of(attack: AttackSpecBase) -> str:
    """Any class ("untargeted"), the rule by which targets are chosen, or the one class for all, in words."""
    aim = attack.aim
    return f"class {aim}" if isinstance(aim, int) else aim


def budget_of(attack: AttackSpecBase) -> str:
    """The budget of an attack in words; "" for one that has none that could be said in short."""
    if getattr(attack, "eps", None) is not None:
        return f"ε = {attack.eps:g}"  # type: ignore[attr-defined]
    if attack.minimal:
        return "smallest norm"
    pixels = getattr(attack, "pixels", None)
    if pixels is not None:
        return f"{pixels} pixel{'s' if pixels != 1 else ''}"
    size = getattr(attack, "size", None)
    return f"size {size:g}" if size is not None else ""


# --- one attack --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Histogram:
    """Norms of the perturbations that succeeded, and how many samples have none."""

    edges: np.ndarray
    """[B + 1]"""
    counts: np.ndarray
    """[B]"""
    found: int
    failed: int
    before: int
    invalid: int


def histogram(run: AttackRun, norm: str, edges: np.ndarray | None = None) -> Histogram:
    """Counts of the norms of what the attack found; failures and samples broken before have no norm to be counted."""
    values = run.norms[norm][run.found]
    edges = bins([values]) if edges is None else edges
    counts, _ = np.histogram(values, edges)
    return Histogram(
        edges, counts, int(run.found.sum()), int(run.failed.sum()), int(run.before.sum()), int(run.invalid.sum())
    )


def bins(sets: Sequence[np.ndarray], most: int = 60) -> np.ndarray:
    """Equal bins for one or several sets of norms, as wide as the Freedman-Diaconis rule says for the larger set.

    All of one value get a bin of their own with empty ones beside it. Source: D. Freedman, P. Diaconis (1981), "On the
    histogram as a density estimator: L2 theory".
    """
    values = np.concatenate([each[np.isfinite(each)] for each in sets]) if sets else np.empty(0)
    if not len(values):
        return np.linspace(0.0, 1.0, 11)
    low, high = float(values.min()), float(values.max())
    if high - low <= 1e-6 * max(abs(high), 1e-30):  # of a fixed budget they differ by rounding alone
        half = 0.5 * max(abs(high), 1e-12)
        return high + half * (np.arange(12) - 5.5) / 5.5
    largest = max((each[np.isfinite(each)] for each in sets), key=len)
    spread = float(np.subtract(*np.quantile(largest, [0.75, 0.25])))
    width = 2 * spread / len(largest) ** (1 / 3)
    count = math.ceil((high - low) / width) if width > 0 else most
    return np.linspace(low, high, int(np.clip(count, 8, most)) + 1)


@dataclass(frozen=True, eq=False)
class Curve:
    """Share of samples not broken within eps, a step function: ``share[k]`` holds from ``eps[k]`` to the next."""

    eps: np.ndarray
    """[S] ascending from 0."""
    share: np.ndarray
    low: np.ndarray
    """Wilson's 95% interval."""
    high: np.ndarray
    n: int


def robustness(run: AttackRun, norm: str) -> Curve:
    """The robustness curve mean(d > eps) of the perturbations found; exact for what an attack for the smallest norm found.

    It never rises, begins with the share that needs no perturbation taken away, and ends at the share never broken.
    Invalid samples count as not robust. As every attack it bounds robustness from above: another may find less.
    """
    found: Curve | None = run.known.get(("robustness", norm))
    if found is None:
        found = run.known["robustness", norm] = _curve(np.where(run.invalid, 0.0, run.distances(norm)), len(run))
    return found


def control(run: AttackRun, norm: str) -> Curve | None:
    """The same for the control: each sample moved at random by as much as the attack moved it; None where not recorded."""
    if run.random is None:
        return None
    size = np.where(run.before, 0.0, run.norms[norm])
    broken = (run.random | run.before) & np.isfinite(size)
    return _curve(np.where(run.invalid, 0.0, np.where(broken, size, np.inf)), len(run))


def _curve(distance: np.ndarray, n: int) -> Curve:
    finite, counts = np.unique(distance[np.isfinite(distance)], return_counts=True)
    if not len(finite) or finite[0] > 0:
        finite, counts = np.concatenate([[0.0], finite]), np.concatenate([[0], counts])
    left = n - np.cumsum(counts)
    low, high = wilson(left, n)
    return Curve(finite, left / max(n, 1), low, high, n)


@dataclass(frozen=True)
class Summary:
    """One attack in numbers, each share and median with its 95% interval."""

    n: int
    success: Interval
    """Share that reached the goal, before the attack or by it."""
    robust: Interval
    """Robust accuracy: share still classified rightly; invalid samples are not."""
    clean: Interval
    """Accuracy on the same samples before."""
    median: Interval
    """Median norm of what it takes to break a sample that was not broken before; failures count as infinite."""
    survives: Interval
    """Share of the successes that are successes after rounding to 8 bits."""
    forwards: float
    """Mean per sample."""
    gradients: float
    invalid: int


def summary(run: AttackRun, norm: str | None = None) -> Summary:
    """The numbers of one attack; the median in ``norm``, or in the attack's own."""
    named = norm or run.norm
    found: Summary | None = run.known.get(("summary", named))
    if found is None:
        found = run.known["summary", named] = _summary(run, named)
    return found


def _summary(run: AttackRun, norm: str) -> Summary:
    n = len(run)
    needed = ~run.before & ~run.invalid
    sizes = run.distances(norm)[needed] if norm in run.norms else np.empty(0)
    return Summary(
        n=n,
        success=share(int(run.success.sum()), n),
        robust=share(int((run.clean & ~run.misread & ~run.invalid).sum()), n),
        clean=share(int(run.clean.sum()), n),
        median=median(sizes),
        survives=share(int(run.survives.sum()), int(run.success.sum())),
        forwards=float(run.forwards.mean()) if n else math.nan,
        gradients=float(run.gradients.mean()) if n else math.nan,
        invalid=int(run.invalid.sum()),
    )


# --- two attacks -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two attacks on the samples that both were given and neither network left without a number."""

    sample: np.ndarray
    """[n] test indices"""
    a: np.ndarray
    """[n] distances of A: 0 where none was needed, infinite for failures."""
    b: np.ndarray
    both: int
    only_a: int
    only_b: int
    neither: int
    before: int
    """Of these, broken before either attack."""
    p: float
    """Exact McNemar test of equal success rates."""
    difference: Interval
    """Success rate of A less that of B, with Newcombe's paired interval."""
    same_network: bool

    @property
    def n(self) -> int:
        return len(self.sample)


def compare(a: AttackRun, b: AttackRun, norm: str) -> Comparison:
    """Two attacks, sample by sample; ``n`` is 0 where they share none."""
    _, at_a, at_b = np.intersect1d(a.sample, b.sample, return_indices=True)
    valid = ~a.invalid[at_a] & ~b.invalid[at_b]
    at_a, at_b = at_a[valid], at_b[valid]
    won, lost = a.success[at_a], b.success[at_b]
    both, only_a = int((won & lost).sum()), int((won & ~lost).sum())
    only_b, neither = int((~won & lost).sum()), int((~won & ~lost).sum())
    return Comparison(
        sample=a.sample[at_a],
        a=a.distances(norm)[at_a],
        b=b.distances(norm)[at_b],
        both=both,
        only_a=only_a,
        only_b=only_b,
        neither=neither,
        before=int((a.before[at_a] & b.before[at_b]).sum()),
        p=mcnemar(only_a, only_b),
        difference=paired_difference(both, only_a, only_b, neither),
        same_network=a.network == b.network,
    )


# --- all that was run --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class WorstCase:
    """The worst case over all attacks on one network and one set of samples, within a budget."""

    norm: str
    eps: float
    runs: tuple[int, ...]
    """The attacks that count."""
    robust: Interval
    """Share of samples that no attack made the network misread within eps."""
    n: int
    alone: Mapping[int, int] = field(default_factory=dict)
    """By run: samples that it made the network misread and no other did; one without an answer is none of them."""


def together(run: AttackRun, runs: Iterable[AttackRun]) -> list[AttackRun]:
    """The attacks on the same network that began at the same samples, or at these and others, in order."""
    return [
        each
        for each in runs
        if each.on_samples and each.network == run.network and bool(np.isin(run.sample, each.sample).all())
    ]


def worst_case(run: AttackRun, runs: Iterable[AttackRun], norm: str, eps: float) -> WorstCase:
    """Robust accuracy against all attacks together that were made on the samples of ``run``.

    What counts is the point found, not how: a perturbation within eps in ``norm`` breaks its sample, whichever norm,
    goal or larger budget its attack had.
    """
    left, broken = [], {}
    for each in together(run, runs):
        if norm in each.norms:
            at = np.searchsorted(each.sample, run.sample)  # samples ascend
            found = each.clean & each.misread & (each.norms[norm] <= eps * (1 + SLACK))
            broken[each.run] = found[at]
            left.append((each.clean & ~found & ~each.invalid)[at])
    n = len(run)
    if not left:
        return WorstCase(norm, eps, (), share(n, n), n)
    count = sum(broken.values())
    alone = {number: int((found & (count == 1)).sum()) for number, found in broken.items()}
    return WorstCase(norm, eps, tuple(broken), share(int(np.all(left, axis=0).sum()), n), n, alone)


def budgets(runs: Iterable[AttackRun]) -> list[tuple[str, float]]:
    """The (norm, eps) of the attacks of a fixed budget, each once, in order: what a worst case can be asked for."""
    found = {(run.norm, run.eps): None for run in runs if run.eps is not None and run.on_samples}
    return sorted(((norm, float(eps)) for norm, eps in found if eps is not None), key=lambda b: (b[0], b[1]))
