"""What reconciliation has shown so far: a table over kinds of input and layers, and the cases of the chosen class."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from engine.data import Dataset
from engine.events import Frame, Record, Scalar
from engine.experiments.bench import Bench, Making
from engine.experiments.lens import Work
from engine.experiments.pictures import taps_info
from engine.experiments.rates import wilson
from engine.experiments.reconciling.cases import CLEAN, FOOLING, KINDS, RAW, Cases, demonstration
from engine.experiments.reconciling.locks import Fed, predicted
from engine.experiments.reconciling.trials import Inputs, Robust
from engine.geometry.bootstrap import input_means
from engine.models import Network
from engine.reconcile.code import Code
from engine.reconcile.commitment import digest
from engine.reconcile.message import to_hex
from engine.seeds import derive

TOPIC = "reconciliation"
CONTROLS = {
    "uncentred": (RAW, "raw noise, features not centred"),
    "random_net": (FOOLING, "fooling noise (made for the trained network), untrained network"),
}
"""Of the chosen layer, by their names in the frame: the kind of input, and what it is called in the table."""
DRAWN, LEAST_RESAMPLES = (
    2**20,
    200,
)  # in the bootstrap of so many inputs that all resamples would take more than a moment
COLUMNS = ("angle", "angle_low", "angle_high", "recovered", "recovered_low", "recovered_high", "predicted")


class Tried:
    """Filled layer by layer; what is not there yet is NaN."""

    def __init__(
        self,
        bench: Bench,
        model: Network,
        dataset: Dataset,
        code: Code,
        inputs: Inputs,
        messages: NDArray[np.uint8],
        layer: int,
    ) -> None:
        self._bench, self._model, self._dataset, self._code = bench, model, dataset, code
        self._inputs, self._spec, self.layer = inputs, bench.spec.reconcile, layer
        self._message = messages[self._spec.chosen_class]
        self._table = {name: np.full((len(KINDS), len(model.taps)), np.nan) for name in COLUMNS}
        self._count = np.zeros((len(KINDS), len(model.taps)), np.int64)
        self._cases: Cases | None = None
        self._before = np.empty(0, np.float32)
        self.robust: Robust | None = None
        self.controls: dict[str, float | None] = {"uncentred": None, "random_net": None}

    def fill(self, position: int, outcomes: list[Fed]) -> Work[None]:
        """Enter what inputs of the four kinds did at one layer; inputs without a direction count, and open nothing."""
        for kind, found in enumerate(outcomes):
            n = self._count[kind, position] = len(found)
            if not n:
                continue
            angle = input_means(
                torch.from_numpy(np.degrees(found.theta)),
                resamples=min(self._bench.spec.probe.bootstrap, max(LEAST_RESAMPLES, DRAWN // n)),
                seed=derive(self._bench.spec.seed, "reconciliation bootstrap"),
            )
            low, high = wilson(found.opened.sum(), n)
            law = np.nan_to_num(predicted(found, self._code, self._spec.repetition)).mean()
            values = (angle.mean, angle.low, angle.high, found.opened.mean(), low, high, law)
            for name, value in zip(COLUMNS, values, strict=True):
                self._table[name][kind, position] = float(value)
            yield

    def demonstrate(self, outcomes: list[Fed]) -> None:
        """Choose the cases that are shown: of the chosen class the first fooling noise that is confident, if any is."""
        inputs, chosen = self._inputs, self._spec.chosen_class
        own = torch.nonzero(inputs.lock[FOOLING] == chosen).flatten()
        confident = own[inputs.confident[own]]
        row = int(confident[0]) if len(confident) else int(own[0])
        clean = torch.nonzero(inputs.lock[CLEAN] == chosen).flatten()
        rows = [row, row, int(clean[0]) if len(clean) else None, row]
        locks = [chosen, chosen, chosen, int(inputs.lock[-1][row])]
        self._cases = demonstration(self._model, self._code, self._spec.repetition, inputs.x, outcomes, rows, locks)
        self._before = inputs.x[1][row].numpy()

    def frame(self, *, done: bool) -> Frame:
        """The picture now; kept when it is ``done``."""
        assert self._cases is not None  # the chosen layer comes first
        empty = np.empty((3, 0))
        robust = self.robust or Robust(np.empty(0), empty, empty, empty, empty)
        arrays = {
            **{name: values.copy() for name, values in self._table.items()},
            "count": self._count.copy(),
            "message": self._message,
            "case_input": self._cases.inputs,
            "case_before": self._before,
            "case_probability": self._cases.probability,
            "case_image": self._cases.image,
            "robust_norm": robust.norm,
            "robust_share": robust.share,
            "robust_low": robust.low,
            "robust_high": robust.high,
            "robust_predicted": robust.predicted,
        }
        return Frame(TOPIC, "measure", 0, arrays, self._info(done), keep=done)

    def _info(self, done: bool) -> dict[str, Any]:
        assert self._cases is not None
        spec, code = self._spec, self._code
        bits = code.n * spec.repetition
        return {
            "done": done,
            "key": self._bench.keys["weights"],
            "taps": taps_info(self._model),
            "classes": list(self._dataset.classes),
            "kinds": list(KINDS),
            "chosen": {"class": spec.chosen_class, "layer": self._model.taps[self.layer].name, "tap": self.layer},
            "repetition": spec.repetition,
            "code": {"n": code.n, "k": code.k, "t": code.t},
            "hash_bits": bits,
            "helper_bits": bits,
            "seed": self._bench.spec.seed,
            "cases": self._cases.told,
            "fooled": float(self._inputs.confident.double().mean()),
            "confidence": spec.confidence,
            "eps": spec.eps,
            "sha256": digest(self._message),
            "message": to_hex(self._message),
            "message_given": bool(spec.message),
            "is_image": self._dataset.is_image,
            "table": self._rows() if done else [],
            **self.controls,
        }

    def _rows(self) -> list[dict[str, Scalar]]:
        rows: list[dict[str, Scalar]] = []
        for position, tap in enumerate(self._model.taps):
            for kind, name in enumerate(KINDS):
                told = {
                    "angle": "angle",
                    "recovered": "recovered",
                    "recovered_low": "low",
                    "recovered_high": "high",
                    "predicted": "predicted",
                }
                known = {said: _plain(self._table[column][kind, position]) for column, said in told.items()}
                rows.append({"tap": tap.name, "kind": name, **known, "n": int(self._count[kind, position])})
        return rows

    def records(self) -> Making:
        """The table, a row a layer and kind; then added noise and the controls, of the chosen layer."""
        for row in self._rows():
            yield Record(TOPIC, row)
        counts = self._count[:, self.layer]
        robust = self.robust
        for kind, name in enumerate(KINDS[:3]) if robust is not None else ():
            assert robust is not None
            for at, norm in enumerate(robust.norm):
                values = (robust.share, robust.low, robust.high, robust.predicted)
                names = ("recovered", "low", "high", "predicted")
                known = {said: _plain(value[kind, at]) for said, value in zip(names, values, strict=True)}
                yield Record(
                    "reconciliation_noise", {"kind": name, "norm": float(norm), **known, "n": int(counts[kind])}
                )
        for name, (kind, said) in CONTROLS.items():
            share, n = self.controls[name], int(counts[kind])
            if share is not None:
                low, high = wilson(share * n, n)
                row = {"control": said, "recovered": share, "low": float(low), "high": float(high), "n": n}
                yield Record("reconciliation_controls", row)


def _plain(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
