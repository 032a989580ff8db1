"""What the network says in the plane through a test sample, what the attack made of it, and a third sample."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from engine.attacks.core.look import logits_of, sheltered
from engine.attacks.core.sizing import batch_size
from engine.attacks.tools.losses import margin_of
from engine.attacks.tools.norms import sizes
from engine.attacks.tools.projections import Box, box_of
from engine.data import Dataset
from engine.errors import AttackError
from engine.events import Event, Frame, Progress
from engine.experiments.attack import attack
from engine.experiments.attack_results import budget_of
from engine.experiments.bench import Attacked, Bench, Making
from engine.geometry.plane import Plane, ball_reach, box_reach, outline, spanned
from engine.seeds import derive, generator
from engine.specs import Norm

BEYOND = 0.25  # of the side that holds the points, shown beyond them on each side
COMPARED = 2048  # test samples whose distance is measured at a time
RANDOM = "a random direction"


@dataclass(frozen=True, eq=False)
class Points:
    """The three points of a map, each ``[...]``, and how they came to be chosen."""

    x: Tensor
    x_adv: Tensor
    third: Tensor
    index: int
    third_index: int
    """-1 where the third is no sample but a random direction."""
    y: int
    target: int
    success: bool
    notes: tuple[str, ...]


def decision_map(bench: Bench) -> Making:
    """Map the sample that the spec names; trains and attacks first where that has not been done."""
    model = yield from bench.restored()
    attacked = (yield from bench.restored_attack()) if model is not None else None
    if attacked is None:
        yield from attack(bench)
        model, attacked = bench.trained, bench.attacked
    assert model is not None and attacked is not None
    dataset = yield from bench.dataset()
    if attacked.x[0].numel() < 2:
        raise AttackError(
            "A decision map is a plane, but the inputs have one value each: choose data with two or more."
        )
    points = yield from _points(bench, model, dataset, attacked)
    yield from _mapped(bench, model, dataset, points)


# --- the points --------------------------------------------------------------------------------------------------


def _points(
    bench: Bench, model: nn.Module, dataset: Dataset, attacked: Attacked
) -> Generator[Event | None, None, Points]:
    row, notes = _row(attacked, bench.spec.map.sample)
    x, x_adv, y, index = attacked.x[row], attacked.x_adv[row], int(attacked.y[row]), int(attacked.index[row])
    seen = int(_said(bench, model, x_adv[None]).argmax(1))
    third_index = bench.spec.map.third
    if third_index >= len(dataset.y_test):
        raise AttackError(
            f"There is no test sample {third_index} for the plane to go through: the indices end at {len(dataset.y_test) - 1}. "
            "Choose another, or -1 for the nearest one."
        )
    if third_index < 0:
        third_index = yield from _nearest(dataset, x_adv, seen, index)
        if third_index < 0:
            notes.append(f"There is no other test sample of class {dataset.classes[seen]}.")
    third = dataset.x_test[third_index] if third_index >= 0 else x
    return Points(
        x, x_adv, third, index, third_index, y, int(attacked.target[row]), bool(attacked.success[row]), tuple(notes)
    )


def _row(attacked: Attacked, wanted: int) -> tuple[int, list[str]]:
    """Which of the attacked samples to map, and what there is to say about the choice."""
    if wanted >= 0:
        found = torch.nonzero(attacked.index == wanted).flatten()
        if not len(found):
            raise AttackError(
                f"Test sample {wanted} was not attacked: {len(attacked.index):,} others were. Choose one of the gallery, "
                "or raise Samples on the Attack step and attack again."
            )
        return int(found[0]), []
    moved = (attacked.x_adv - attacked.x).flatten(1).abs().amax(1) > 0
    fooled = torch.nonzero(attacked.success & moved).flatten()
    if len(fooled):
        return int(fooled[0]), []
    return 0, ["The attack has fooled no sample, so the map is of the first one attacked."]


def _nearest(dataset: Dataset, x: Tensor, label: int, without: int) -> Generator[None, None, int]:
    """Index of the test sample of a class nearest to ``x`` in L2, another than ``without``; -1 where there is none."""
    best, found = torch.inf, -1
    for start in range(0, len(dataset.y_test), COMPARED):
        own = dataset.y_test[start : start + COMPARED] == label
        if start <= without < start + COMPARED:
            own = own.clone()
            own[without - start] = False
        places = torch.nonzero(own).flatten() + start
        if len(places):
            distance = (dataset.x_test[places] - x).flatten(1).double().norm(dim=1)
            least = int(distance.argmin())
            if float(distance[least]) < best:
                best, found = float(distance[least]), int(places[least])
        yield None
    return found


# --- the map -----------------------------------------------------------------------------------------------------


def _mapped(bench: Bench, model: nn.Module, dataset: Dataset, points: Points) -> Making:
    spec = bench.spec
    plane = spanned(points.x, points.x_adv, points.third, generator(spec.seed, "decision map"))
    places = [plane.coordinates(point) for point in (points.x, points.x_adv, points.third)]
    third = points.third
    if points.third_index < 0:
        reach = abs(places[1][0]) or 1.0  # as far along the random direction as x_adv is along its own
        places[2] = (0.0, reach)
        third = plane.at(torch.zeros(1), torch.tensor([reach])).to(third.dtype).reshape(third.shape)
    extent = _extent(places)
    g = spec.map.resolution
    along = [torch.linspace(low, high, g, dtype=torch.float64) for low, high in (extent[:2], extent[2:])]
    box = box_of(dataset.bounds, points.x[None])
    norm: Norm = getattr(spec.attack, "norm", "L2")
    budget = getattr(spec.attack, "eps", None)
    moved = float(sizes(points.x_adv[None], points.x[None], norm))
    radius = moved if budget is None else float(budget)

    prediction = torch.empty(g * g, dtype=torch.int16)
    margin, confidence = (torch.empty(g * g, dtype=torch.float32) for _ in range(2))
    in_ball, in_box = (torch.empty(g * g, dtype=torch.uint8) for _ in range(2))
    for rows, x in _grid(plane, along, points.x, batch_size(model, points.x[None])):
        logits = _said(bench, model, x)
        prediction[rows], margin[rows], confidence[rows] = _read(logits, points.y)
        in_ball[rows] = sizes(x.double(), points.x.double()[None].expand_as(x), norm) <= radius * (1 + 1e-6)
        in_box[rows] = _within(box, x)
        yield Progress(rows.stop, g * g, "decision map")

    named = torch.stack([points.x, points.x_adv, third])
    told = _read(_said(bench, model, named), points.y)
    arrays = {
        "prediction": prediction.reshape(g, g),
        "margin": margin.reshape(g, g),
        "confidence": confidence.reshape(g, g),
        "in_ball": in_ball.reshape(g, g),
        "in_box": in_box.reshape(g, g),
        "extent": torch.tensor(extent, dtype=torch.float64),
        "points": torch.tensor(places, dtype=torch.float64),
        "images": named,
        "point_prediction": told[0],
        "point_margin": told[1],
        "point_confidence": told[2],
    }
    ball = ball_reach(norm, radius)
    if ball is not None:
        arrays["ball"] = yield from outline(plane, ball)
    if box is not None:
        lower, upper = (edge.double().expand(points.x.shape).flatten() for edge in (box.lower, box.upper))
        arrays["box"] = yield from outline(plane, box_reach(plane, lower, upper))
    info = {
        "index": points.index,
        "third_index": points.third_index,
        "third_name": RANDOM if points.third_index < 0 else dataset.classes[int(dataset.y_test[points.third_index])],
        "y": points.y,
        "target": points.target,
        "success": points.success,
        "classes": list(dataset.classes),
        "norm": norm,
        "eps": budget,
        "budget": budget_of(spec.attack),
        "radius": radius,
        "moved": moved,
        "method": str(getattr(spec.attack, "method", "")),
        "title": getattr(spec.attack, "title", "") or str(getattr(spec.attack, "method", "")),
        "axes": _axes(plane, points, dataset),
        "note": " ".join([*points.notes, *_notes(plane, points)]),
    }
    yield Frame("decision_map", "map", 0, {name: value.numpy() for name, value in arrays.items()}, info)


def _axes(plane: Plane, points: Points, dataset: Dataset) -> list[str]:
    """Where the two axes lead."""
    third = f"sample {points.third_index}"
    if points.third_index >= 0:
        third += f" (class {dataset.classes[int(dataset.y_test[points.third_index])]})"
    named = {"second": "x_adv", "third": third, "random": RANDOM}
    return [named[plane.u_towards], named[plane.v_towards]]


def _notes(plane: Plane, points: Points) -> list[str]:
    """What a person must know of a plane that is not the one asked for."""
    if plane.u_towards == "random":
        return ["x_adv is x itself and there is no third sample apart from it, so both axes are random directions."]
    if plane.u_towards == "third":
        return ["x_adv is x itself, so the first axis goes to the third sample and the second is a random direction."]
    if plane.v_towards == "third":
        return []
    if float((points.third - points.x).norm()) == 0:
        return ["There is no third sample apart from x, so the second axis is a random direction."]
    return ["The third sample lies on the line through x and x_adv, so the second axis is a random direction."]


def _extent(places: list[tuple[float, float]]) -> tuple[float, float, float, float]:
    """The square (a_min, a_max, b_min, b_max) that holds the points and some more on every side."""
    middle, side = [], 0.0
    for axis in (0, 1):
        low, high = min(p[axis] for p in places), max(p[axis] for p in places)
        middle.append((low + high) / 2)
        side = max(side, high - low)
    half = (side or 1.0) * (0.5 + BEYOND)
    return middle[0] - half, middle[0] + half, middle[1] - half, middle[1] + half


def _grid(plane: Plane, along: list[Tensor], like: Tensor, batch: int) -> Iterator[tuple[slice, Tensor]]:
    """The grid's points in batches, row by row: b runs over the rows, a within each."""
    b, a = (each.flatten() for each in torch.meshgrid(along[1], along[0], indexing="ij"))
    for start in range(0, len(a), batch):
        rows = slice(start, min(start + batch, len(a)))
        yield rows, plane.at(a[rows], b[rows]).to(like.dtype).reshape(-1, *like.shape)


def _said(bench: Bench, model: nn.Module, x: Tensor) -> Tensor:
    """The bare model's logits, the same for a randomised model every time."""
    with sheltered(model, derive(bench.spec.seed, "decision map", "model")), torch.no_grad():
        return logits_of(model, x)


def _read(logits: Tensor, y: int) -> tuple[Tensor, Tensor, Tensor]:
    """Prediction (-1 where the model gives no number), margin of the true class and confidence."""
    whole = logits.isfinite().all(1)
    prediction = torch.where(whole, logits.argmax(1), -1).to(torch.int16)
    margin = margin_of(logits, torch.full((len(logits),), y))
    return prediction, margin.float(), logits.softmax(1).amax(1).float()


def _within(box: Box | None, x: Tensor) -> Tensor:
    """Which points are valid inputs, rounding forgiven."""
    if box is None:
        return torch.ones(len(x), dtype=torch.uint8)
    slack = 1e-6 * box.width
    return ((x >= box.lower - slack) & (x <= box.upper + slack)).flatten(1).all(1).to(torch.uint8)
