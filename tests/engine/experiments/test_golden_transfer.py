"""Likeness and transfer over eighteen networks of twelve architectures, beside a fleet of the same kind trained elsewhere.

Networks, samples and shapes of the golden fleet are not known in detail: what is compared are rank correlations over the pairs of two
fleets that are both samples of networks. So each may differ by what leaving out single networks says (the delete-one
jackknife over networks, taken to be the same for both), at 95% for all eight correlations together (Bonferroni).
"""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from looking import last

from engine.experiments.bench import Bench
from engine.experiments.bench import test_order as balanced
from engine.experiments.fleet import Fleet, Member, network_name, predictions
from engine.experiments.transferability import main_effects, transferability
from engine.generators import drain
from engine.geometry.association import mantel
from engine.models import build
from engine.seeds import derive
from engine.specs import (
    CnnSpec,
    ControlsSpec,
    DigitsSpec,
    ExperimentSpec,
    LinearSpec,
    MlpSpec,
    ModelSpec,
    TrainingSpec,
    TransferSpec,
)
from engine.training import fit

pytestmark = [pytest.mark.torture, pytest.mark.timeout(1800)]

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "f3_transfer.json").read_text())["F3_transfer"]
NAMES = {"cka": "debiased CKA", "rsa": "pair-correlation RSA", "gradient_cosine": "grad cosine"}
AS_PIXELS = {"normalise": "none"}
SHAPES: tuple[ModelSpec, ...] = (
    *(MlpSpec(depth=d, width=w, activation="relu", **AS_PIXELS) for d, w in ((1, 64), (2, 128), (3, 128), (6, 64))),
    *(MlpSpec(depth=d, width=w, activation="tanh", **AS_PIXELS) for d, w in ((1, 128), (2, 64), (3, 64))),
    *(MlpSpec(depth=d, width=w, activation="gelu", **AS_PIXELS) for d, w in ((2, 128), (3, 64))),
    LinearSpec(depth=2, width=64, **AS_PIXELS),
    CnnSpec(depth=1, channels=16, width=64, **AS_PIXELS),
    CnnSpec(depth=2, channels=16, width=64, **AS_PIXELS),
)
WITHIN = 2.73 * math.sqrt(2)
"""Standard errors of one fleet that two may differ by: the normal quantile of 1 - 0.05 / 16, and two fleets."""
TWICE = (0, 2, 4, 7, 9, 11)
"""Architectures that are trained from a second seed too: eighteen networks in all."""
SPEC = ExperimentSpec(
    dataset=DigitsSpec(test_fraction=0.2226),
    training=TrainingSpec(epochs=20, learning_rate=0.001, batch_size=64),
    transfer=TransferSpec(norm="L2", eps=1.0, fgsm=False, mi=False, noise=False),
    controls=ControlsSpec(permutations=500),
)


@pytest.fixture(scope="module")
def frame():
    bench = Bench(SPEC, {})
    data = drain_of(bench.dataset())
    order = balanced(data, SPEC.seed)
    members, right = [], []
    for number, spec in enumerate([*SHAPES, *(SHAPES[k] for k in TWICE)]):
        seed = derive(SPEC.seed, "golden fleet", str(number))
        model = build(spec, data, seed)
        for _ in fit(model, data, SPEC.training, seed):
            pass
        right.append(drain(predictions(model, data.x_test[order])) == data.y_test[order])
        members.append(Member(network_name(spec), spec, model, float(right[-1].double().mean())))
    bench.fleet = Fleet(tuple(members), data, order, torch.stack(right))
    return last([event for event in transferability(bench) if event is not None], "transferability")


def drain_of(work):
    """The value of a generator that tells events on its way."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value


def matrices(frame):
    transfer = frame.arrays["transfer"][0]
    source, target = main_effects(transfer)
    return {"transfer": transfer, "source": source, "target": target, **{name: frame.arrays[name] for name in NAMES}}


def jackknife(known, name, given=()):
    """Standard error of a rho over networks, each left out in turn."""
    n = len(known["transfer"])
    found = []
    for left_out in range(n):
        kept = np.delete(np.arange(n), left_out)
        x, y, *others = (known[each][np.ix_(kept, kept)] for each in (name, "transfer", *given))
        found.append(mantel(x, y, others, seed=0, resamples=1).rho)
    return math.sqrt((n - 1) / n * np.sum((np.array(found) - np.mean(found)) ** 2))


def statistic(frame, name):
    (found,) = [each for each in frame.info["statistics"] if each["name"] == name]
    return found


CASES = [
    *((name, (), GOLDEN[golden]["mantel"]) for name, golden in NAMES.items()),
    *((name, ("source", "target"), GOLDEN[golden]["both_ctrl"]) for name, golden in NAMES.items()),
    ("cka", ("gradient_cosine",), GOLDEN["cka_given_grad"]),
    ("gradient_cosine", ("cka",), GOLDEN["grad_given_cka"]),
]


def test_the_networks_are_as_many_as_able_and_as_easily_fooled(frame) -> None:
    networks = frame.info["networks"]
    assert len(networks) == GOLDEN["n_models"] == 18 and len({each["name"] for each in networks}) == 12
    assert min(each["accuracy"] for each in networks) > 0.92
    assert frame.info["eps"] == 1 and frame.info["white_box"] > 0.95
    # of the mean transfer each network has a share in its row and in its column
    off = ~np.eye(18, dtype=bool)
    transfer = np.where(off, frame.arrays["transfer"][0], np.nan)
    means = [np.nanmean(np.delete(np.delete(transfer, k, 0), k, 1)) for k in range(18)]
    error = math.sqrt(17 / 18 * np.sum((np.array(means) - np.mean(means)) ** 2))
    assert frame.info["mean_transfer"] == pytest.approx(GOLDEN["T_mean"], abs=WITHIN * error)


@pytest.mark.parametrize(("name", "given", "golden"), CASES, ids=lambda each: str(each) if each else "")
def test_likeness_goes_with_transfer_as_in_the_golden_fleet(frame, name, given, golden) -> None:
    found = statistic(frame, name + (f" | {', '.join(given)}" if given else ""))
    error = jackknife(matrices(frame), name, given)
    print(f"{found['name']}: {found['rho']:.2f} (p {found['p']:.2g}, jackknife {error:.3f}) beside {golden[0]:.2f}")  # noqa: T201
    assert 0 < error < 0.25, "leaving out one network would change everything"
    assert abs(found["rho"] - golden[0]) < WITHIN * error


def test_the_likeness_of_gradients_is_what_is_left(frame) -> None:
    raw = [statistic(frame, name) for name in NAMES]
    assert all(each["rho"] > 0.5 and each["p"] == pytest.approx(1 / 501, rel=1.1) for each in raw)
    assert raw[2]["rho"] == max(each["rho"] for each in raw)
    cka, gradients = statistic(frame, "cka | gradient_cosine"), statistic(frame, "gradient_cosine | cka")
    assert gradients["p"] < 0.01 and gradients["rho"] > cka["rho"] + 0.1


def test_pairs_taken_for_independent_would_be_sure_beyond_all_measure(frame) -> None:
    naive = statistic(frame, "cka naive")
    assert naive["n"] == 306 and naive["p"] < 1e-20 < 1e-3 < statistic(frame, "cka")["p"]
    assert naive["rho"] == pytest.approx(statistic(frame, "cka")["rho"])
