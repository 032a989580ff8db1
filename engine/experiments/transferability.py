"""Does similarity predict transfer? Whether a perturbation made on one network fools another the sooner, the more alike they are.

Transfer from a source to a target: the share of inputs that both see rightly and that the target misclassifies once they
are perturbed on the source (untargeted L2 PGD). Similarity: debiased linear CKA at the penultimate layers; representational
similarity, the rank correlation of the centred correlations of all pairs there; the cosine of the input gradients.

Entries of a pair matrix that share a network are not independent: they are tested by permuting networks (Mantel). The p
value that takes them for independent is given as well, marked as wrong, since it is the one most often reported.

Sources: S. Kornblith et al. (2019), "Similarity of neural network representations revisited"; N. Kriegeskorte, M. Mur,
P. Bandettini (2008), "Representational similarity analysis"; A. Demontis et al. (2019), "Why do adversarial attacks
transfer?"; N. Mantel (1967), "The detection of disease clustering and a generalized regression approach".
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import rankdata, spearmanr
from torch import Tensor

from engine.attacks import start
from engine.events import Event, Frame, Progress, Record
from engine.experiments.bench import Bench, Making
from engine.experiments.fleet import BATCH, FEWEST, Fleet, Member, fleet_of, input_gradients, predictions
from engine.experiments.statistic import Statistic, told
from engine.generators import stoppable
from engine.geometry.association import permuting_mantel
from engine.geometry.gram import upper_pairs
from engine.geometry.pairs import centred
from engine.geometry.readings import correlation
from engine.geometry.similarity import cka_matrix
from engine.models import observe
from engine.seeds import derive
from engine.specs import DdnSpec, PgdSpec

Array = NDArray[np.float64]

TOPIC = "transferability"
INPUTS = 150  # test samples that are perturbed on every network
COMPARED = 300  # test samples on which representations are compared
REFERENCE = 500  # training samples whose mean feature is the centre
SIZED_ON = 40  # inputs from which the budget is found
BUDGET = 2.0
"""The budget, as a multiple of the median smallest perturbation: white-box attacks then succeed on nearly every input."""
SMALLEST = DdnSpec(steps=50)
STEPS = 40

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


def transferability(bench: Bench, eps: float | None = None) -> Making:
    """Perturb inputs on every network of the fleet, show them to all others, and relate transfer to similarity.

    ``eps`` is the L2 budget; None finds it by :data:`BUDGET`.
    """
    fleet = yield from fleet_of(bench)
    data, members = fleet.data, fleet.members
    index = fleet.order[:INPUTS]
    x, y = data.x_test[index], data.y_test[index]
    right = fleet.right[:, : len(index)]
    if eps is None:
        eps = yield from _budget(bench, fleet)
    transfer = np.full((len(members), len(members)), np.nan)
    counted = np.zeros(transfer.shape, np.int64)
    for number, member in enumerate(members):
        said = f"transfer: attacking network {number + 1} of {len(members)} ({member.name})"
        yield Progress(number, len(members), said)
        x_adv = yield from _perturbed(bench, fleet, member, x, y, eps)
        for other, target in enumerate(members):
            fooled = (yield from predictions(target.model, x_adv)) != y
            both = right[number] & right[other]
            counted[number, other] = int(both.sum())
            if counted[number, other] >= FEWEST:
                transfer[number, other] = float(fooled[both].double().mean())
        yield _frame(fleet, {"transfer": transfer, "counted": counted}, (), eps, len(index), keep=False)
    similar = yield from _similarities(fleet, x, y)
    matrices = {"transfer": transfer, "counted": counted, **similar}
    yield _frame(fleet, matrices, (), eps, len(index), keep=False)
    yield from _records(fleet, matrices)
    statistics: list[Statistic] = []
    for each in _tests(bench, transfer, similar):
        yield Progress(len(members), len(members), f"testing: {len(statistics) + 1}")
        statistics.append((yield from stoppable(each, None)))
        yield statistics[-1].record(TOPIC)
    yield _frame(fleet, matrices, statistics, eps, len(index), keep=True)
    yield Progress(len(members), len(members), "transferability measured")


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


def _budget(bench: Bench, fleet: Fleet) -> Generator[Event | None, None, float]:
    """:data:`BUDGET` times the median, over networks and inputs, of the smallest L2 perturbation that DDN finds."""
    index = fleet.order[:SIZED_ON]
    x, y = fleet.data.x_test[index], fleet.data.y_test[index]
    found = []
    for number, member in enumerate(fleet.members):
        yield Progress(number, len(fleet.members), f"transfer: finding the budget, network {number + 1}")
        attacking = start(member.model, x, y, SMALLEST, seed=bench.spec.seed, bounds=fleet.data.bounds)
        for _ in attacking.events():
            yield None
        smallest = attacking.result().smallest[fleet.right[number, : len(index)]]
        found.append(smallest[smallest.isfinite()])
    norms = torch.cat(found)
    return round(BUDGET * float(norms.median()), 2) if len(norms) else 1.0


def _perturbed(
    bench: Bench, fleet: Fleet, member: Member, x: Tensor, y: Tensor, eps: float
) -> Generator[Event | None, None, Tensor]:
    # to the last step: a perturbation that rests at its first success is made for the source's boundary alone
    spec = PgdSpec(norm="L2", eps=eps, steps=STEPS, goal="untargeted", stop=False)
    attacking = start(member.model, x, y, spec, seed=bench.spec.seed, bounds=fleet.data.bounds)
    for _ in attacking.events():
        yield None
    return attacking.result().x_adv


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
        wrong="Wrong: pairs that share a network are not independent, so this p value is far too small.",
    )


def _records(fleet: Fleet, matrices: dict[str, np.ndarray]) -> Making:
    for i, source in enumerate(fleet.members):
        for j, target in enumerate(fleet.members):
            row: dict[str, float | int | str | None] = {
                "source": i,
                "source_name": source.name,
                "target": j,
                "target_name": target.name,
            }
            yield Record(f"{TOPIC}_pairs", row | {name: matrix[i, j].item() for name, matrix in matrices.items()})


def _frame(
    fleet: Fleet,
    matrices: dict[str, np.ndarray],
    statistics: Sequence[Statistic],
    eps: float,
    inputs: int,
    *,
    keep: bool,
) -> Frame:
    """Matrices ``[N, N]``, row source, column target; the similarities are there once they are known."""
    transfer = matrices["transfer"]
    off = transfer[~np.eye(len(transfer), dtype=bool) & np.isfinite(transfer)]
    own = np.diag(transfer)[np.isfinite(np.diag(transfer))]
    info = {
        "networks": fleet.told(),
        "statistics": told(statistics),
        "labels": {"transfer": "Transfer", **SIMILARITIES},
        "norm": "L2",
        "eps": eps,
        "eps_rule": f"{BUDGET:g} x the median smallest L2 perturbation",
        "steps": STEPS,
        "inputs": inputs,
        "mean_transfer": float(off.mean()) if len(off) else None,
        "white_box": float(own.mean()) if len(own) else None,
        "done": keep,
    }
    # copied: the matrices grow while the frame is looked at
    return Frame(TOPIC, "measure", 0, {name: matrix.copy() for name, matrix in matrices.items()}, info, keep=keep)
