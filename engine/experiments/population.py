"""Every pair of the test set at every layer, none of them sampled: how C is spread over pairs of one class and of two."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import torch

from engine.events import Frame, Progress, Record
from engine.experiments.bench import Bench, Making, test_order
from engine.experiments.groups import QUANTITIES
from engine.experiments.lens import look, observed
from engine.experiments.pictures import taps_info
from engine.experiments.probe import probe_for
from engine.experiments.train import trained
from engine.experiments.views import VIEWS
from engine.generators import stoppable
from engine.geometry.population import BINS, Population, population

MOST = 10_000  # samples: 50 million pairs
GROUPS = ("same", "different")


def all_pairs(bench: Bench) -> Making:
    """All pairs of up to 10,000 test samples, layer by layer; a frame after each. Trains first where needed."""
    model = yield from trained(bench)
    dataset = yield from bench.dataset()
    probe = yield from probe_for(bench)
    index = test_order(dataset, bench.spec.seed)[:MOST]
    said = Progress(0, 1, "looking at every test sample")
    lens = yield from stoppable(look(model, *probe.reference), said)
    features = yield from stoppable(observed(model, dataset.x_test[index]), said)
    labels = dataset.y_test[index]
    taps = len(model.taps)
    found: list[list[Population]] = [[] for _ in VIEWS]
    for tap in range(taps):
        for view in range(len(VIEWS)):
            measuring = population(lens.seen(features[tap], tap, view), labels)
            while True:
                try:
                    share = next(measuring)
                except StopIteration as end:
                    found[view].append(end.value)
                    break
                done = (tap * len(VIEWS) + view + share) / (taps * len(VIEWS))
                yield Progress(round(1000 * done), 1000, f"all pairs at {model.taps[tap].name}")
        features[tap] = torch.empty(0)  # seen: its memory is needed by none
        yield _frame(found, taps_info(model), len(index), done=tap + 1 == taps)
    for view, name in enumerate(VIEWS):
        for tap, each in enumerate(found[view]):
            for group, kind in enumerate(GROUPS):
                row: dict[str, float | int | str | None] = {
                    "view": name,
                    "tap": model.taps[tap].name,
                    "tap_index": tap,
                    "group": kind,
                    "pairs": int(each.count[group]),
                    "saturated": int(each.saturated[group]),
                    "dead": each.dead,
                }
                for quantity, mean, sd in zip(QUANTITIES, each.mean[group], each.sd[group], strict=True):
                    row[f"mean_{quantity.name}"] = float(mean) if np.isfinite(mean) else None
                    row[f"sd_{quantity.name}"] = float(sd) if np.isfinite(sd) else None
                yield Record("all_pairs", row)
    yield Progress(1000, 1000, "all pairs measured")


def _frame(found: list[list[Population]], taps: list[dict[str, object]], samples: int, *, done: bool) -> Frame:
    """``histogram`` [views, T, groups, BINS], ``mean`` and ``sd`` [views, T, groups, Q], ``count`` [views, T, groups]; NaN
    and 0 at layers not yet measured."""
    shape = len(VIEWS), len(taps), len(GROUPS)
    histogram, count = np.zeros((*shape, BINS), np.int64), np.zeros(shape, np.int64)
    mean, sd = (np.full((*shape, len(QUANTITIES)), np.nan) for _ in range(2))
    for view, each in enumerate(found):
        for tap, one in enumerate(each):
            histogram[view, tap], count[view, tap] = one.histogram, one.count
            mean[view, tap], sd[view, tap] = one.mean, one.sd
    info = {
        "taps": taps,
        "groups": list(GROUPS),
        "quantities": [asdict(quantity) for quantity in QUANTITIES],
        "samples": samples,
        "dead": [[one.dead for one in each] for each in found],
        "done": done,
    }
    return Frame(
        "all_pairs", "measure", 0, {"histogram": histogram, "mean": mean, "sd": sd, "count": count}, info, done
    )
