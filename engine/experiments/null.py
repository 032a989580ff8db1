"""The null of every curve: the same measurement on networks of the same architecture that have learned nothing.

The independent unit is the network drawn, not the pair: all pairs through one network share its weights.
"""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import t as student

from engine.events import Frame, Progress, Record
from engine.experiments.bench import Attacked, Bench, Making
from engine.experiments.groups import GROUP_POSITION, GROUPS, LEAST, MOST, QUANTITIES
from engine.experiments.lens import Lens, Work, look
from engine.experiments.null_theory import Theory, theory
from engine.experiments.pictures import taps_info
from engine.experiments.probe import Probe, probe_for
from engine.experiments.views import VIEWS
from engine.generators import stoppable
from engine.geometry.groups import class_groups
from engine.geometry.readings import quantities
from engine.models import Network, build
from engine.seeds import derive

Array = NDArray[np.float64]

CLEAN = ("same", "different")  # groups of clean pairs, which theory speaks of


def null(bench: Bench) -> Making:
    """Measure networks drawn anew on the probe samples, and on the attacked ones where the attack was made; show theory."""
    spec = bench.spec
    dataset = yield from bench.dataset()
    probe = yield from probe_for(bench)
    attacked = yield from bench.restored_attack()
    initial = yield from bench.initial()
    draws = spec.controls.draws
    known = yield from _theory(bench, initial, probe)
    found: list[Array] = []
    for number in range(draws):
        said = Progress(number, draws, f"null: network {number + 1} of {draws} at initialisation")
        drawn = build(spec.model, dataset, derive(spec.seed, "null", str(number)))
        lens = yield from stoppable(look(drawn, *probe.reference), said)
        found.append((yield from stoppable(group_means(lens, probe, attacked), said)))
        yield said
    yield null_frame(np.stack(found), known, initial, bench.keys["weights"])
    yield from _records(np.stack(found), known, initial)
    yield Progress(draws, draws, "null measured")


def group_means(lens: Lens, probe: Probe, attacked: Attacked | None) -> Work[Array]:
    """Means of every group on one network: ``[views, Q, G, T]``, NaN for a group that has no pair."""
    features = yield from lens.features(probe.x)
    eta = yield from lens.matrix(features)
    groups = class_groups(probe.y)
    values = torch.from_numpy(quantities(eta.numpy()))  # [Q, views, T, pairs]
    mean = np.full((len(VIEWS), len(QUANTITIES), len(GROUPS), eta.shape[1]), np.nan)
    for number, name in enumerate(CLEAN):
        mean[:, :, GROUP_POSITION[name]] = _mean(values[..., groups == number], -1).permute(1, 0, 2).numpy()
    toward, _ = yield from lens.toward(features, probe.y)
    mean[:, :, GROUP_POSITION["target_members"]] = _mean(toward, 0).numpy()
    if attacked is None:
        return mean
    clean = yield from lens.features(attacked.x)
    adv = yield from lens.features(attacked.x_adv)
    random = yield from lens.features((yield from probe.moved_at_random(attacked)))
    for name, seen, labels in (
        ("adv_target", adv, attacked.target),
        ("clean_target", clean, attacked.target),
        ("random_target", random, attacked.target),
        ("adv_true", adv, attacked.y),
    ):
        toward, _ = yield from lens.toward(seen, labels)
        mean[:, :, GROUP_POSITION[name]] = _mean(toward, 0).numpy()
        if name == "adv_target":
            missed = ~attacked.success[:, None, None, None]
            mean[:, :, GROUP_POSITION["adv_success"]] = _mean(toward.masked_fill(missed, torch.nan), 0).numpy()
    for name, seen in (("clean_adv", adv), ("clean_random", random)):
        mean[:, :, GROUP_POSITION[name]] = _mean((yield from lens.between(clean, seen)), 0).numpy()
    return mean


def null_frame(found: Array, known: Theory, model: Network, key: str = "") -> Frame:
    """Over D networks ``[D, views, Q, G, T]``: their mean, its 95% interval, and the band that one more falls into."""
    n = len(found)
    mean, error = found.mean(0), found.std(0, ddof=1)
    reach = float(student.ppf(0.975, n - 1))
    least, most = (np.array(ends)[None, :, None, None] for ends in (LEAST, MOST))
    arrays = {
        "mean": mean,
        "mean_low": np.maximum(mean - reach * error / np.sqrt(n), least),
        "mean_high": np.minimum(mean + reach * error / np.sqrt(n), most),
        "low": np.maximum(mean - reach * error * np.sqrt(1 + 1 / n), least),
        "high": np.minimum(mean + reach * error * np.sqrt(1 + 1 / n), most),
        "theory": _everywhere(known.mean),
    }
    if known.low is not None and known.high is not None:
        arrays |= {"theory_low": _everywhere(known.low), "theory_high": _everywhere(known.high)}
    info = {
        "groups": [{"name": group.name, "label": group.label} for group in GROUPS],
        "quantities": [asdict(quantity) for quantity in QUANTITIES],
        "taps": taps_info(model),
        "networks": n,
        "key": key,
        "theory": known.kind,
        "sentence": known.sentence,
        "phase": known.phase,
    }
    return Frame("null", "measure", 0, arrays, info)


def _everywhere(mean: Array) -> Array:
    """Theory's means of clean pairs among those of all groups."""
    views, q, _, taps = mean.shape
    full = np.full((views, q, len(GROUPS), taps), np.nan)
    full[:, :, [GROUP_POSITION[name] for name in CLEAN]] = mean
    return full


def _theory(bench: Bench, model: Network, probe: Probe) -> Work[Theory]:
    with torch.no_grad():
        seen = [model.normalise(x).flatten(1).double() for x in (probe.x, probe.reference[0])]
    found = theory(
        bench.spec.model,
        torch.cat(seen).numpy(),
        len(probe.x),
        class_groups(probe.y).numpy(),
        len(CLEAN),
        len(probe.classes),
        len(model.taps),
        bench.spec.seed,
    )
    return (yield from found)


def _records(found: Array, known: Theory, model: Network) -> Making:
    frame = null_frame(found, known, model)
    for view, quantity, group, tap in np.argwhere(np.isfinite(frame.arrays["mean"])):
        at = view, quantity, group, tap
        row: dict[str, float | int | str | None] = {
            "view": VIEWS[view],
            "quantity": QUANTITIES[quantity].name,
            "group": GROUPS[group].name,
            "tap": model.taps[tap].name,
            "tap_index": int(tap),
            "networks": len(found),
        }
        row |= {name: float(values[at]) for name, values in frame.arrays.items() if np.isfinite(values[at])}
        for name in ("theory", "theory_low", "theory_high"):
            row.setdefault(name, None)
        yield Record("null", row)


def _mean(values: torch.Tensor, dim: int) -> torch.Tensor:
    """Over what is finite; NaN where nothing is."""
    finite = values.isfinite()
    return values.masked_fill(~finite, 0.0).sum(dim) / finite.sum(dim)
