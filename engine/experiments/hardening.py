"""Hardening: adversarial trainings and their baselines beside standard training, from the same initial weights.

Of each network: clean accuracy, robust accuracy to one strong attack, the same for all, and what its training has done to the
geometry of its features, layer by layer. Before is the network at initialisation, which is the same for all.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.attacks import AttackResult, start
from engine.data import Dataset
from engine.events import Event, Frame, Progress, Record
from engine.experiments.bench import Bench, Making
from engine.experiments.hardened import hardened, overfitted
from engine.experiments.hardening_geometry import QUANTITIES, Comparing, Ends, Geometry
from engine.experiments.pictures import taps_info
from engine.experiments.probe import probe_for
from engine.experiments.rates import Interval, paired_difference, share
from engine.experiments.trainings import LABELS, trainings
from engine.generators import stoppable
from engine.models import Network
from engine.seeds import derive
from engine.specs import AttackSpec, HardeningSpec, PgdSpec, SequenceSpec

STRONG_STEPS = 50  # of each attack in the ensemble that robust accuracy is measured with
STEPS = 40  # of the targeted attack whose x_adv is looked at
ACCURACIES = ("clean", "robust")


def hardening(bench: Bench) -> Making:
    """Train what is missing, then attack and measure every network; a frame after each, rows in the end."""
    spec = bench.spec
    dataset = yield from bench.dataset()
    networks = yield from hardened(bench)
    initial = yield from bench.initial()
    probe = yield from probe_for(bench)
    _, x, y = yield from bench.to_attack()
    target = (y + 1) % dataset.n_classes
    comparing = Comparing(probe, x, target, spec.probe.bootstrap, derive(spec.seed, "hardening"))
    strong, targeted = attacks_of(spec.hardening)
    told = _Told(bench, initial, len(y), len(probe.y))
    first: Geometry | None = None
    for number, (name, network) in enumerate(networks.items()):
        said = Progress(number, len(networks), f"hardening: attacking {LABELS[name]}")
        result = yield from _attacked(bench, dataset, network, strong, said)
        right = torch.stack([~result.already, ~result.success & ~result.invalid])
        aimed = yield from _attacked(bench, dataset, network, targeted, said, target)
        said = Progress(number, len(networks), f"hardening: measuring {LABELS[name]}")
        before = yield from stoppable(comparing.geometry(initial, aimed.x_adv), said)
        after = yield from stoppable(comparing.geometry(network, aimed.x_adv), said)
        ends = []
        for seen in (before, after):
            ends.append((yield from stoppable(comparing.means(seen), said)))
        gain = None
        if first is None:
            first = after
        else:
            gain = yield from stoppable(comparing.differences(after, first), said)
        told.add(name, right, aimed.success, ends, gain, overfitted(bench, name))
        yield told.frame(done=len(told.names) == len(networks))
    yield from told.records()
    yield Progress(1, 1, "trainings compared")


def attacks_of(hardening: HardeningSpec) -> tuple[SequenceSpec, PgdSpec]:
    """The strong attack, and the one whose x_adv is looked at: to the next class whatever the network, and as far as it goes."""
    norm, eps = hardening.norm, hardening.eps
    strong = SequenceSpec(
        norm=norm,
        eps=eps,
        steps=STRONG_STEPS,
        apgd_ce=True,
        apgd_dlr=False,
        apgd_t=True,
        fab=False,
        fab_t=False,
        square=False,
    )
    return strong, PgdSpec(norm=norm, eps=eps, goal="next", steps=STEPS, stop=False)


def _attacked(
    bench: Bench, dataset: Dataset, model: Network, spec: AttackSpec, said: Progress, target: Tensor | None = None
) -> Generator[Event | None, None, AttackResult]:
    _, x, y = yield from bench.to_attack()
    attack = start(model, x, y, spec, seed=derive(bench.spec.seed, "hardening"), bounds=dataset.bounds, target=target)
    yield said
    for _ in attack.events():
        yield None
    return attack.result()


class _Told:
    """What has been measured so far, as a frame and as rows."""

    def __init__(self, bench: Bench, initial: Network, inputs: int, probed: int) -> None:
        self._bench, self._taps = bench, taps_info(initial)
        self._inputs, self._probed = inputs, probed
        self.names: list[str] = []
        self._right: list[Tensor] = []
        self._driven: list[float] = []
        self._ends: list[list[Ends]] = []
        self._gains: list[Ends] = []
        self._overfitted: list[Mapping[str, Any] | None] = []

    def add(
        self,
        name: str,
        right: Tensor,
        driven: Tensor,
        ends: list[Ends],
        gain: Ends | None,
        overfitted: Mapping[str, Any] | None,
    ) -> None:
        """``right`` ``[2, N]``: clean, and after the strong attack; ``ends`` before and after; ``gain`` over the standard training."""
        self.names.append(name)
        self._right.append(right)
        self._driven.append(float(driven.double().mean()))
        self._ends.append(ends)
        nothing = torch.full_like(ends[0][0], torch.nan)
        self._gains.append((nothing, nothing, nothing) if gain is None else gain)
        self._overfitted.append(overfitted)

    def frame(self, done: bool) -> Frame:
        """``mean``, ``low``, ``high`` [2, Q, K, T] before and after; ``paired_*`` [Q, K, T] after, less the standard training's;
        ``accuracy``, ``accuracy_*`` [2, K] clean and robust, and ``accuracy_paired_*`` [2, K]."""
        arrays = {}
        for k, end in enumerate(("mean", "low", "high")):
            arrays[end] = torch.stack(
                [torch.stack([seen[k] for seen in ends], 1) for ends in zip(*self._ends, strict=True)]
            )
            arrays[f"paired_{end}"] = torch.stack([gain[k] for gain in self._gains], 1)
        frame = {name: tensor.numpy() for name, tensor in arrays.items()} | self._accuracies()
        hardening = self._bench.spec.hardening
        info = {
            "names": list(self.names),
            "labels": [LABELS[name] for name in self.names],
            "wanted": len(trainings(self._bench.spec)),
            "taps": self._taps,
            "quantities": list(QUANTITIES),
            "overfitted": list(self._overfitted),
            "driven": list(self._driven),
            "inputs": self._inputs,
            "probed": self._probed,
            "norm": hardening.norm,
            "eps": hardening.eps,
            "attack": f"APGD-CE and targeted APGD, {STRONG_STEPS} steps each",
            "steps": STEPS,
            "done": done,
            "key": self._bench.keys["hardened.standard"],
        }
        return Frame("hardening", "measure", 0, frame, info, keep=done)

    def _accuracies(self) -> dict[str, np.ndarray]:
        right = torch.stack(self._right, 1)  # [2, K, N]
        found: dict[str, list[list[float]]] = {}
        for rows in right:
            shares = [share(int(row.sum()), len(row)) for row in rows]
            gains = [_gain(row, rows[0]) if k else None for k, row in enumerate(rows)]
            for field, value in (("", "value"), ("_low", "low"), ("_high", "high")):
                found.setdefault(f"accuracy{field}", []).append([getattr(each, value) for each in shares])
                found.setdefault(f"accuracy_paired{field}", []).append(
                    [np.nan if each is None else getattr(each, value) for each in gains]
                )
        return {name: np.array(values) for name, values in found.items()}

    def records(self) -> Making:
        """One row for each training and accuracy, and one for each training, quantity and tap."""
        arrays = self.frame(done=True).arrays
        for k, name in enumerate(self.names):
            for a, what in enumerate(ACCURACIES):
                row = {"after": "accuracy", "low": "accuracy_low", "high": "accuracy_high"}
                row |= {f"paired{end}": f"accuracy_paired{end}" for end in ("", "_low", "_high")}
                values = {field: _number(arrays[array][a, k]) for field, array in row.items()}
                yield Record("hardening", {**self._head(name, f"{what} accuracy", -1), **values, "n": self._inputs})
            for q, quantity in enumerate(QUANTITIES):
                for tap in range(len(self._taps)):
                    values = {
                        "after": _number(arrays["mean"][1, q, k, tap]),
                        "low": _number(arrays["low"][1, q, k, tap]),
                        "high": _number(arrays["high"][1, q, k, tap]),
                        "paired": _number(arrays["paired_mean"][q, k, tap]),
                        "paired_low": _number(arrays["paired_low"][q, k, tap]),
                        "paired_high": _number(arrays["paired_high"][q, k, tap]),
                        "before": _number(arrays["mean"][0, q, k, tap]),
                        "before_low": _number(arrays["low"][0, q, k, tap]),
                        "before_high": _number(arrays["high"][0, q, k, tap]),
                        "n": self._inputs if quantity.endswith("target") else self._probed,
                    }
                    yield Record("hardening", {**self._head(name, quantity, tap), **values})

    def _head(self, name: str, quantity: str, tap: int) -> dict[str, str | int]:
        at = self._taps[tap]["name"] if tap >= 0 else ""
        return {"training": name, "label": LABELS[name], "quantity": quantity, "tap": at, "tap_index": tap}


def _gain(right: Tensor, standard: Tensor) -> Interval:
    """Share seen rightly, less the standard training's, on the same inputs."""
    both, only, other = (int(part.sum()) for part in (right & standard, right & ~standard, ~right & standard))
    return paired_difference(both, only, other, len(right) - both - only - other)


def _number(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None
