"""Which class can be made to look like which: the attack in its targeted form, for every ordered pair of classes."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, fields
from typing import get_args

import torch
from pydantic import ValidationError
from torch import Tensor, nn

from engine.attacks import start
from engine.attacks.core.look import logits_of, sheltered
from engine.attacks.core.sizing import batch_size
from engine.attacks.registry import JOINT_METHODS
from engine.data import Dataset
from engine.errors import AttackError
from engine.events import Event, Frame, Progress
from engine.experiments.attack_results import budget_of
from engine.experiments.bench import Bench, Making, test_order
from engine.experiments.train import trained
from engine.seeds import derive
from engine.specs import AttackSpec, AttackSpecBase, NoiseAttackSpec

PARTS = 1000  # of a row's progress
KEPT_ROWS = 50  # classes up to which every row's frame is kept for the time slider


@dataclass(frozen=True, eq=False)
class _Outcome:
    """Attacks on samples of one class; tensors [n], bool but for the target."""

    target: Tensor
    valid: Tensor
    """The network gave a number."""
    success: Tensor
    already: Tensor
    """Seen as the target before the attack."""


def class_matrix(bench: Bench) -> Making:
    """Attack samples of each class towards every other; one frame whenever a row is full. Trains first where needed."""
    spec = targeted(bench.spec.attack)
    model = yield from trained(bench)
    dataset = yield from bench.dataset()
    k = dataset.n_classes
    if k < 2:
        raise AttackError(f"A targeted attack needs at least 2 classes, and the data has {k}.")
    per_class = max(1, spec.samples // k)
    seen = yield from _predictions(bench, model, dataset)
    success, count, before = (torch.zeros(k, k, dtype=torch.int64) for _ in range(3))  # row: true class, column: target
    for row in range(k):
        chosen = _chosen(dataset, seen, row, per_class, bench.spec.seed)
        if len(chosen):
            outcome = yield from _row(bench, model, dataset, spec, chosen, row)
            for total, which in ((count, outcome.valid), (success, outcome.success), (before, outcome.already)):
                total[row] = torch.bincount(outcome.target[which], minlength=k)
        yield _frame(dataset, spec, success, count, before, row + 1, per_class)
        yield Progress((row + 1) * PARTS, k * PARTS, f"class matrix, class {row + 1} of {k}")


def targeted(spec: AttackSpec) -> AttackSpec:
    """The same attack with a targeted goal; AttackError for one that has no targeted form."""
    if isinstance(spec, NoiseAttackSpec):
        raise AttackError(
            "Fooling noise begins at noise, which is of no class, so it has no rows of true classes. Choose another attack "
            "on the Attack step, such as PGD, then measure again."
        )
    own = {name: -1 for name in ("target_class", "target_sample") if name in type(spec).model_fields}
    field = type(spec).model_fields.get("goal")
    goals = [goal for goal in get_args(field.annotation) if goal != "untargeted"] if field is not None else []
    for goal in goals:
        try:
            return type(spec).model_validate(spec.model_dump() | own | {"goal": goal})
        except ValidationError:  # a goal that these settings do not allow
            continue
    title = getattr(spec, "title", "") or getattr(spec, "method", "This attack")
    raise AttackError(
        f"{title} has no targeted form, so it cannot be asked for one class after another. Choose another attack on the "
        "Attack step, such as PGD, then measure again."
    )


def _predictions(bench: Bench, model: nn.Module, dataset: Dataset) -> Generator[Event | None, None, Tensor]:
    """What the network says of each test sample, unmoved."""
    seen = []
    for part in torch.split(torch.arange(len(dataset.y_test)), batch_size(model, dataset.x_test)):
        with sheltered(model, derive(bench.spec.seed, "class matrix")), torch.no_grad():
            seen.append(logits_of(model, dataset.x_test[part]).argmax(1))
        yield None
    return torch.cat(seen)


def _chosen(dataset: Dataset, seen: Tensor, label: int, most: int, seed: int) -> Tensor:
    """Test samples of a class [n], those classified rightly first, else in the order of every attack."""
    order = test_order(dataset, seed)
    own = order[dataset.y_test[order] == label]
    right = seen[own] == label
    return torch.cat([own[right], own[~right]])[:most]


def _row(
    bench: Bench, model: nn.Module, dataset: Dataset, spec: AttackSpec, chosen: Tensor, row: int
) -> Generator[Event | None, None, _Outcome]:
    """Attack the chosen samples of a class towards all other classes.

    That is one attack, unless it makes one perturbation for all its samples: then it is one for each target.
    """
    k = dataset.n_classes
    others = torch.tensor([label for label in range(k) if label != row])
    sets = list(torch.split(others, 1)) if type(spec) in JOINT_METHODS else [others]
    outcomes = []
    for number, targets in enumerate(sets):
        index, target = chosen.repeat_interleave(len(targets)), targets.repeat(len(chosen))
        attacking = start(
            model,
            dataset.x_test[index],
            dataset.y_test[index],
            spec,
            seed=bench.spec.seed,
            bounds=dataset.bounds,
            target=target,
            examples=bench.examples(),
        )
        for event in attacking.events():
            done = row * PARTS + int(PARTS * (number + event.fraction) / len(sets) * 0.99)
            yield Progress(done, k * PARTS, f"class matrix, class {row + 1} of {k}")
        result = attacking.result()
        valid = ~result.invalid
        outcomes.append(_Outcome(target, valid, result.success & valid, result.already & valid))
    return _Outcome(
        *(torch.cat([getattr(each, part.name) for each in outcomes]) for part in fields(_Outcome)),
    )


def _frame(
    dataset: Dataset,
    spec: AttackSpecBase,
    success: Tensor,
    count: Tensor,
    before: Tensor,
    done: int,
    per_class: int,
) -> Frame:
    arrays = {"success": success, "count": count, "before": before}
    info = {
        "classes": list(dataset.classes),
        "method": str(getattr(spec, "method", "")),
        "title": getattr(spec, "title", ""),
        "norm": getattr(spec, "norm", None),
        "eps": getattr(spec, "eps", None),
        "budget": budget_of(spec),
        "per_class": per_class,
        "done": done,
        "total": dataset.n_classes,
    }
    keep = dataset.n_classes <= KEPT_ROWS or done == dataset.n_classes
    return Frame("class_matrix", "matrix", done, {n: v.clone().numpy() for n, v in arrays.items()}, info, keep)
