"""The experiment's own architecture at initialisation, over width and depth, against its null law."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from torch import Tensor

from engine.data import Dataset
from engine.events import Record
from engine.experiments.expected import proper_depth
from engine.experiments.network_geometry import NetworkGeometry
from engine.models import build
from engine.seeds import derive
from engine.specs import CnnSpec, LinearSpec, ModelSpec

WIDTHS = (16, 32, 64, 128)
DEPTHS = (1, 2, 4, 8)


@dataclass(frozen=True)
class Untrained:
    """Networks of one width and depth drawn anew; None where there is no number."""

    width: int
    depth: int
    networks: int
    """In which no pair was saturated: a layer of few units may leave two samples with one direction."""
    proper_depth: float | None
    change: float | None
    """Gain of ln gamma from the input to the last hidden layer: mean over the networks of the mean over pairs."""
    error: float | None
    """Its standard error over the networks."""
    law: float | None
    """What the null law expects of the same pairs."""
    kind: str
    """"exact", "infinite width" or ""."""
    z: float | None

    def told(self) -> dict[str, Any]:
        """Plain JSON."""
        return asdict(self)

    def record(self) -> Record:
        return Record("complexity_untrained", self.told())


def untrained(
    spec: ModelSpec, dataset: Dataset, x: Tensor, y: Tensor, networks: int, seed: int
) -> Generator[Untrained | None, None, list[Untrained]]:
    """Every width with every depth, on the pairs of ``x`` ``[N, ...]`` with labels ``y``; None is a pause for breath."""
    found = []
    for variant in variants(spec, shortest_side(dataset)):
        rows = []
        for number in range(networks):
            # the depth is in the seed: networks of one seed share their first layers
            model = build(variant, dataset, derive(seed, "untrained", f"{variant.width} {variant.depth} {number}"))
            yield None
            rows.append((yield from NetworkGeometry(variant, x, y, x).before(model)))
        found.append(_cell(variant, [row["initial_change"] for row in rows], rows[0]["theory_change"]))
        yield found[-1]
    return found


def _cell(spec: ModelSpec, found: list[float], law: float) -> Untrained:
    changes = np.array(found)[np.isfinite(found)]
    if len(changes) < 2:
        mean = error = math.nan
    else:
        mean, error = float(changes.mean()), float(changes.std(ddof=1)) / math.sqrt(len(changes))
    s = proper_depth(spec)
    known, measured = math.isfinite(law), math.isfinite(mean)
    return Untrained(
        spec.width,
        spec.depth,
        len(changes),
        s if math.isfinite(s) else None,
        mean if measured else None,
        error if measured else None,
        law if known else None,
        ("exact" if isinstance(spec, LinearSpec) else "infinite width") if known else "",
        (mean - law) / error if known and measured and error > 0 else None,
    )


def shortest_side(dataset: Dataset) -> int:
    """Of images, in pixels; 1 of vectors."""
    return min(dataset.input_shape[1:]) if dataset.is_image else 1


def variants(spec: ModelSpec, shortest_side: int) -> Iterator[ModelSpec]:
    """The model at every width and depth; of convolutions only so many as fit an image of so many pixels."""
    for width in WIDTHS:
        for depth in DEPTHS:
            if not isinstance(spec, CnnSpec) or (2**depth <= shortest_side and depth <= 2):
                yield spec.model_copy(update={"width": width, "depth": depth})
