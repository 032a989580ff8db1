"""The same training from other seeds: intervals over networks, the independent unit of every claim about networks."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
from scipy.stats import t as student

from engine.events import Frame, Progress, Record
from engine.experiments.bench import Bench, Making
from engine.experiments.groups import GROUPS, LEAST, MOST, QUANTITIES
from engine.experiments.lens import look
from engine.experiments.null import group_means
from engine.experiments.pictures import taps_info
from engine.experiments.probe import probe_for
from engine.experiments.train import trained
from engine.experiments.views import VIEWS
from engine.generators import stoppable
from engine.models import build
from engine.seeds import derive
from engine.training import evaluate, fit


def repeats(bench: Bench) -> Making:
    """Train networks from other seeds and measure each on the same probe samples; intervals are Student's, over networks."""
    spec = bench.spec
    dataset = yield from bench.dataset()
    model = yield from trained(bench)
    probe = yield from probe_for(bench)
    count = spec.controls.repeats
    found, accuracies = [], []
    for number in range(count):
        seed = derive(spec.seed, "repeat", str(number))
        network = build(spec.model, dataset, seed)
        said = Progress(0, count, "")
        for step in fit(network, dataset, spec.training, seed):
            if step is None:
                yield None
                continue
            said = Progress(
                number * step.steps + step.step,
                count * step.steps,
                f"repeating the training from another seed: network {number + 1} of {count}, epoch {step.epoch}",
            )
            yield said
        lens = yield from stoppable(look(network, *probe.reference), said)
        found.append((yield from stoppable(group_means(lens, probe, None), said)))
        tested = yield from stoppable(evaluate(network, dataset.x_test, dataset.y_test), said)
        accuracies.append(tested.accuracy)
        yield said
    all_of_them = np.stack(found)
    mean, error = all_of_them.mean(0), all_of_them.std(0, ddof=1) / np.sqrt(count)
    reach = float(student.ppf(0.975, count - 1))
    arrays = {
        "each": all_of_them,
        "mean": mean,
        "low": np.maximum(mean - reach * error, np.array(LEAST)[None, :, None, None]),
        "high": np.minimum(mean + reach * error, np.array(MOST)[None, :, None, None]),
        "accuracy": np.array(accuracies),
    }
    info = {
        "groups": [{"name": group.name, "label": group.label} for group in GROUPS],
        "quantities": [asdict(quantity) for quantity in QUANTITIES],
        "taps": taps_info(model),
        "networks": count,
        "key": bench.keys["weights"],
    }
    yield Frame("repeats", "measure", 0, arrays, info)
    for view, quantity, group, tap in np.argwhere(np.isfinite(mean)):
        at = view, quantity, group, tap
        yield Record(
            "repeats",
            {
                "view": VIEWS[view],
                "quantity": QUANTITIES[quantity].name,
                "group": GROUPS[group].name,
                "tap": model.taps[tap].name,
                "tap_index": int(tap),
                "mean": float(mean[at]),
                "low": float(arrays["low"][at]),
                "high": float(arrays["high"][at]),
                "networks": count,
            },
        )
    yield Progress(1, 1, "trainings repeated")
