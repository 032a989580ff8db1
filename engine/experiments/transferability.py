"""Does similarity predict transfer? Whether a perturbation made on one network fools another the sooner, the more alike they are.

Transfer from a source to a target: of the inputs that both see rightly, the share that the target misclassifies once they are
perturbed on the source, ``#{target wrong on x_adv, both right on x} / #{both right on x}``, for each attack chosen. Errors that the
target makes anyway are no transfer. A second view takes them off the error of all inputs instead, ``corrected = (err_adv - err_clean)
/ (1 - err_clean)``; it may be below 0. Similarity: debiased linear CKA at the penultimate layers; representational
similarity, the rank correlation of the centred correlations of all pairs there; the cosine of the input gradients.

Entries of a pair matrix that share a network are not independent: they are tested by permuting networks (Mantel). The p
value that takes them for independent is given as well, marked as wrong, since it is the one most often reported.

Sources: S. Kornblith et al. (2019), "Similarity of neural network representations revisited"; N. Kriegeskorte, M. Mur,
P. Bandettini (2008), "Representational similarity analysis"; A. Demontis et al. (2019), "Why do adversarial attacks
transfer?"; N. Mantel (1967), "The detection of disease clustering and a generalized regression approach".
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import rankdata, spearmanr
from torch import Tensor

from engine.events import Event, Frame, Progress, Record
from engine.experiments.bench import Bench, Making
from engine.experiments.fleet import BATCH, FEWEST, Fleet, Member, fleet_of, input_gradients, predictions
from engine.experiments.rates import wilson
from engine.experiments.statistic import Statistic, told
from engine.experiments.transfer_attacks import ATTACKS, BUDGET, budget, chosen, perturbed
from engine.generators import stoppable
from engine.geometry.association import permuting_mantel
from engine.geometry.gram import upper_pairs
from engine.geometry.pairs import centred
from engine.geometry.readings import correlation
from engine.geometry.similarity import cka_matrix
from engine.models import observe
from engine.seeds import derive
from engine.specs import TransferSpec

Array = NDArray[np.float64]

TOPIC = "transferability"
INPUTS = 150  # test samples that are perturbed on every network
COMPARED = 300  # test samples on which representations are compared
REFERENCE = 500  # training samples whose mean feature is the centre
RULE = f"{BUDGET:g} x the median smallest perturbation"

SIMILARITIES = {
    "cka": "Debiased linear CKA, penultimate layers",
    "rsa": "Pair correlations (RSA), penultimate layers",
    "gradient_cosine": "Cosine of input gradients",
}


@dataclass(frozen=True, eq=False)
class Shown:
    """What one network shows."""

    features: Tensor
    """Penultimate features of the compared samples, ``[C, D]``."""
    pairs: Array
    """Ranks of the centred correlations of all their pairs, centred and of length 1 in all; NaN where one is dead."""
    directions: Tensor
    """Directions of the input gradient of the logit margin, ``[M, D]`` float64; NaN where it is 0."""


@dataclass(frozen=True, eq=False)
class Transfers:
    """What has been found so far of A attacks, each made on one network and shown to N; sources by row, targets by column."""

    attacks: tuple[str, ...]
    eps: float
    rule: str
    """How the budget was found."""
    norm: str
    steps: int
    inputs: int
    transfer: Array
    """``[A, N, N]``: NaN where not measured, or too few inputs are seen rightly by both."""
    corrected: Array
    """``[A, N, N]``"""
    counted: NDArray[np.int64]
    """``[N, N]``: inputs that both see rightly."""

    @classmethod
    def none(cls, settings: TransferSpec, eps: float, rule: str, inputs: int, networks: int) -> Transfers:
        attacks = chosen(settings)
        empty = np.full((len(attacks), networks, networks), np.nan)
        counted = np.zeros((networks, networks), np.int64)
        return cls(attacks, eps, rule, settings.norm, settings.steps, inputs, empty, empty.copy(), counted)

    def note(self, attack: int, source: int, target: int, fooled: Tensor, right: Tensor, both: Tensor) -> None:
        """``fooled``: wrong on the perturbed inputs; ``right``: the target sees it rightly as it is; ``both`` do: bool ``[M]``."""
        self.counted[source, target] = int(both.sum())
        if self.counted[source, target] >= FEWEST:
            self.transfer[attack, source, target] = float(fooled[both].double().mean())
        clean, wrong = 1 - float(right.double().mean()), float(fooled.double().mean())
        if clean < 1:
            self.corrected[attack, source, target] = (wrong - clean) / (1 - clean)

    def arrays(self) -> dict[str, np.ndarray]:
        """What a frame holds of it, each a copy: the matrices grow while a frame is looked at."""
        low, high = wilson(np.nan_to_num(self.transfer) * self.counted, self.counted)
        known = np.isfinite(self.transfer)
        return {
            "transfer": self.transfer.copy(),
            "transfer_low": np.where(known, low, np.nan),
            "transfer_high": np.where(known, high, np.nan),
            "corrected": self.corrected.copy(),
            "counted": self.counted.copy(),
        }


def transferability(bench: Bench, eps: float | None = None) -> Making:
    """Perturb inputs on every network of the fleet, show them to all others, and relate transfer to similarity.

    ``eps`` is the budget; None takes that of the settings, or finds it where these leave it open.
    """
    settings = bench.spec.transfer
    attacks = chosen(settings)
    fleet = yield from fleet_of(bench)
    data, members = fleet.data, fleet.members
    index = fleet.order[:INPUTS]
    x, y = data.x_test[index], data.y_test[index]
    right = fleet.right[:, : len(index)]
    rule = "as set"
    if eps is None and settings.eps > 0:
        eps = settings.eps
    elif eps is None:
        eps, rule = (yield from budget(bench, fleet)), RULE
    found = Transfers.none(settings, eps, rule, len(index), len(members))
    for number, member in enumerate(members):
        for which, attack in enumerate(attacks):
            said = f"transfer: {ATTACKS[attack]} on network {number + 1} of {len(members)} ({member.name})"
            yield Progress(number * len(attacks) + which, len(members) * len(attacks), said)
            x_adv = yield from perturbed(bench, fleet, number, x, y, attack, eps)
            for other, target in enumerate(members):
                fooled = (yield from predictions(target.model, x_adv)) != y
                found.note(which, number, other, fooled, right[other], right[number] & right[other])
        yield _frame(fleet, found, {}, (), keep=False)
    similar = yield from _similarities(fleet, x, y)
    yield _frame(fleet, found, similar, (), keep=False)
    yield from _records(fleet, found, similar)
    statistics: list[Statistic] = []
    for which, attack in enumerate(attacks):
        for each in _tests(bench, found.transfer[which], similar):
            yield Progress(which, len(attacks), f"testing {ATTACKS[attack]}: {len(statistics) + 1}")
            tested = yield from stoppable(each, None)
            statistics.append(tested if not which else of_attack(tested, attack))
            yield statistics[-1].record(TOPIC)
    yield _frame(fleet, found, similar, statistics, keep=True)
    yield Progress(len(members), len(members), "transferability measured")


def of_attack(statistic: Statistic, attack: str) -> Statistic:
    """The same statistic as it is named where it is of another attack than the first: those of the first have no prefix."""
    label = f"{statistic.label} ({ATTACKS[attack]})"
    return replace(statistic, name=f"{attack}: {statistic.name}", label=label)


def main_effects(transfer: Array) -> tuple[Array, Array]:
    """How well each source's perturbations transfer on the whole, and how easily each target is fooled: ``[N, N]`` each.

    Means over the off-diagonal entries of the source's row, and of the target's column, put in every entry of it.
    """
    off = np.where(np.eye(len(transfer), dtype=bool), np.nan, transfer)
    known = np.isfinite(off)
    total = np.where(known, off, 0.0)
    with np.errstate(invalid="ignore"):
        row, column = total.sum(1) / known.sum(1), total.sum(0) / known.sum(0)
    return np.broadcast_to(row[:, None], off.shape).copy(), np.broadcast_to(column[None], off.shape).copy()


# --- pieces ------------------------------------------------------------------------------------------------------


def _similarities(fleet: Fleet, x: Tensor, y: Tensor) -> Generator[Event | None, None, dict[str, Array]]:
    compared = fleet.data.x_test[fleet.order[:COMPARED]]
    count = len(fleet.members)
    shown: list[Shown] = []
    for number, member in enumerate(fleet.members):
        yield Progress(number, count, f"transfer: comparing representations, network {number + 1} of {count}")
        shown.append((yield from stoppable(_shown(fleet, member, compared, x, y), None)))
    cka = yield from stoppable(cka_matrix([each.features for each in shown]), None)
    rsa, cosine = np.ones((count, count)), np.ones((count, count))
    for i, first in enumerate(shown):
        for j, second in enumerate(shown[: i + 1]):
            rsa[i, j] = rsa[j, i] = float(first.pairs @ second.pairs)
            dots = (first.directions * second.directions).sum(1)
            cosine[i, j] = cosine[j, i] = float(dots.nanmean())
        yield None
    return {"cka": cka.numpy(), "rsa": rsa, "gradient_cosine": cosine}


def _shown(fleet: Fleet, member: Member, compared: Tensor, x: Tensor, y: Tensor) -> Generator[None, None, Shown]:
    features = yield from _penultimate(member, compared)
    reference = yield from _penultimate(member, fleet.data.x_train[:REFERENCE])
    ranks = rankdata(correlation(upper_pairs(centred(features, reference.double().mean(0))).numpy()))
    yield
    ranks = ranks - ranks.mean()
    # of the margin, not of the loss: where the network is sure, the loss has no gradient left in float32
    _, gradient = yield from input_gradients(member.model, x, y)
    directions = gradient / gradient.norm(dim=1, keepdim=True)
    length = float(np.linalg.norm(ranks))
    return Shown(features, ranks / length if length > 0 else np.full_like(ranks, np.nan), directions)


def _penultimate(member: Member, x: Tensor) -> Generator[None, None, Tensor]:
    parts = []
    for part in torch.split(x, BATCH):
        parts.append(observe(member.model, part, [member.penultimate])[member.penultimate.name])
        yield
    return torch.cat(parts)


def _tests(
    bench: Bench, transfer: Array, similar: dict[str, Array]
) -> Generator[Generator[None, None, Statistic], None, None]:
    source, target = main_effects(transfer)
    known = {**similar, "source": source, "target": target}
    for name in similar:
        yield _one_test(bench, name, (), transfer, known)
        yield _naive(name, transfer, similar[name])
        yield _one_test(bench, name, ("source", "target"), transfer, known)
        for other in similar:
            if other != name:
                yield _one_test(bench, name, (other,), transfer, known)


def _one_test(
    bench: Bench, name: str, given: tuple[str, ...], transfer: Array, known: dict[str, Array]
) -> Generator[None, None, Statistic]:
    told_as = name + (f" | {', '.join(given)}" if given else "")
    tested = yield from permuting_mantel(
        known[name],
        transfer,
        [known[each] for each in given],
        seed=derive(bench.spec.seed, TOPIC, told_as),
        resamples=bench.spec.controls.permutations,
    )
    label = f"{SIMILARITIES[name]} and transfer"
    if given:
        label += f", given {' and '.join(GIVEN[each] for each in given)}"
    return Statistic(told_as, label, "network", tested.rho, tested.p, n=tested.n, given=given)


GIVEN = {
    "cka": "CKA",
    "rsa": "pair correlations",
    "gradient_cosine": "gradient cosine",
    "source": "main effects of source",
    "target": "of target",
}


def _naive(name: str, transfer: Array, similarity: Array) -> Generator[None, None, Statistic]:
    """The p value that most would report."""
    off = ~np.eye(len(transfer), dtype=bool) & np.isfinite(transfer) & np.isfinite(similarity)
    x, y = similarity[off], transfer[off]
    if len(x) < 4 or np.ptp(x) == 0 or np.ptp(y) == 0:
        rho = p = float("nan")
    else:
        found = spearmanr(x, y)
        rho, p = float(found.statistic), float(found.pvalue)
    yield
    return Statistic(
        f"{name} naive",
        f"{SIMILARITIES[name]} and transfer, every ordered pair taken for independent",
        "pair",
        rho,
        p,
        n=len(x),
        wrong="Wrong: pairs that share a network are not independent, so this p value counts more units than there are.",
    )


def _records(fleet: Fleet, found: Transfers, similar: dict[str, Array]) -> Making:
    """One row a pair: the first attack's transfer under its plain name, that of the others under their own."""
    arrays = found.arrays()
    columns = {name: arrays[name][0] for name in ("transfer", "transfer_low", "transfer_high", "corrected")}
    columns |= {"counted": found.counted, **similar}
    for which, attack in enumerate(found.attacks[1:], 1):
        columns |= {f"transfer_{attack}": found.transfer[which], f"corrected_{attack}": found.corrected[which]}
    for i, source in enumerate(fleet.members):
        for j, target in enumerate(fleet.members):
            row: dict[str, float | int | str | None] = {
                "source": i,
                "source_name": source.name,
                "target": j,
                "target_name": target.name,
            }
            yield Record(f"{TOPIC}_pairs", row | {name: matrix[i, j].item() for name, matrix in columns.items()})


def _frame(
    fleet: Fleet, found: Transfers, similar: dict[str, Array], statistics: Sequence[Statistic], *, keep: bool
) -> Frame:
    """``transfer``, its interval and ``corrected`` [A, N, N], row source, column target; ``counted`` [N, N]; the similarities
    [N, N] are there once they are known."""
    means = [_mean(found.transfer[which]) for which in range(len(found.attacks))]
    info = {
        "networks": fleet.told(),
        "attacks": [
            {"name": name, "label": ATTACKS[name], "mean_transfer": off, "white_box": own}
            for name, (off, own) in zip(found.attacks, means, strict=True)
        ],
        "statistics": told(statistics),
        "labels": {"transfer": "Transfer", **SIMILARITIES},
        "norm": found.norm,
        "eps": found.eps,
        "eps_rule": found.rule,
        "steps": found.steps,
        "inputs": found.inputs,
        "mean_transfer": means[0][0],
        "white_box": means[0][1],
        "done": keep,
    }
    arrays = found.arrays() | {name: matrix.copy() for name, matrix in similar.items()}
    return Frame(TOPIC, "measure", 0, arrays, info, keep=keep)


def _mean(transfer: Array) -> tuple[float | None, float | None]:
    """Mean over the pairs of different networks, and over the networks themselves; None where nothing is known."""
    off = transfer[~np.eye(len(transfer), dtype=bool) & np.isfinite(transfer)]
    own = np.diag(transfer)[np.isfinite(np.diag(transfer))]
    return (float(off.mean()) if len(off) else None), (float(own.mean()) if len(own) else None)
