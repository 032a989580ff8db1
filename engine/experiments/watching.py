"""What is shown of an attack while it runs: the watched samples at each iterate, and one row of figures about all."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.attacks import Attack, AttackResult, Iterate
from engine.attacks.tools.norms import sizes
from engine.events import Record, Scalar
from engine.experiments.bench import Making
from engine.experiments.pictures import Seen, gallery_frame
from engine.specs import AttackSpec

WATCHED_SAMPLES = 48  # attacked samples whose every iterate is kept
KEPT_ITERATES = 100  # iterates of the watched samples kept for the time slider
SHOWN_ITERATES = 1000  # iterates of a long attack that are looked at at all


class Watch:
    """Follows one attack; made when it has looked at the clean samples."""

    def __init__(
        self,
        spec: AttackSpec,
        attack: Attack,
        index: Tensor,
        y: Tensor,
        target: Tensor | None,
        classes: tuple[str, ...],
    ) -> None:
        self._spec, self._attack, self._classes = spec, attack, classes
        self.y, self.index = y, index
        self.target = torch.full_like(y, -1) if target is None else target
        self._m = min(WATCHED_SAMPLES, len(y))
        self.count = 0
        """Iterates shown so far."""
        self._shown: tuple[str, int, int] | None = None
        self._kept = -1
        self._first_success = torch.full_like(y, -1)
        self._seen: Seen | None = None
        self._before = 0.0

    def due(self, iterate: Iterate) -> bool:
        """Whether this iterate is looked at: of a long attack only every so many are."""
        moment = iterate.stage, iterate.restart, int(iterate.fraction * SHOWN_ITERATES)
        if moment == self._shown and iterate.fraction < 1:
            return False
        self._shown = moment
        return True

    def frames(self, iterate: Iterate) -> Making:
        """Gallery, figures, and the watched samples' losses and margins at one iterate."""
        moment = int(iterate.fraction * KEPT_ITERATES)
        keep = moment > self._kept
        self._kept = max(self._kept, moment)
        where: dict[str, Scalar] = {
            "step": iterate.step,
            "steps": iterate.steps,
            "restart": iterate.restart,
            "stage": iterate.stage,
        }
        values = {
            "x_adv": iterate.first(self._m),
            "prediction": iterate.prediction,
            "confidence": iterate.confidence,
            "success": iterate.success,
            "loss": iterate.loss,
            "margin": iterate.margin,
        }
        yield from self._show(values, where, keep)

    def end(self, result: AttackResult) -> Making:
        """The same of the best points found."""
        trajectory = result.trajectory
        last = int(trajectory.step[-1]) if len(trajectory.step) else 0
        where: dict[str, Scalar] = {"step": last, "steps": last, "restart": 0, "stage": "best found"}
        names = ("x_adv", "prediction", "confidence", "success", "loss", "margin")
        yield from self._show({name: getattr(result, name) for name in names}, where, keep=True)

    def clean(self) -> tuple[Tensor, Tensor]:
        """Prediction and confidence at the samples themselves."""
        logits = self._attack.clean
        return logits.argmax(1), logits.softmax(1).amax(1)

    def _show(self, values: dict[str, Tensor], where: dict[str, Scalar], keep: bool) -> Making:
        success, m = values["success"], self._m
        if self._spec.joint:  # one thing for all samples: what an earlier form of it broke does not count
            self._first_success[~success] = -1
        self._first_success[success & (self._first_success < 0)] = self.count
        if self._seen is None:
            prediction, confidence = self.clean()
            self._before = float(self._attack.already.double().mean())
            self._seen = Seen(
                self._attack.x[:m], self.y[:m], self.target[:m], self.index[:m], prediction[:m], confidence[:m]
            )
        some = {name: value[:m] for name, value in values.items()}
        size = sizes(some["x_adv"], self._seen.x, self._spec.norm)
        some |= {"norm": size, "first_success": self._first_success[:m].clone()}  # goes on changing; iterates never do
        info = {**where, "n_samples": len(success), "success_rate": float(success.double().mean())}
        info["success_before"] = self._before
        yield gallery_frame(self._seen, some, self._spec, self._classes, self.count, info, keep)
        yield Record("attack", self._figures(values, where, size))
        row: dict[str, Scalar] = {"step": self.count}
        for name in ("loss", "margin"):
            row |= {f"{name} {i}": value for i, value in enumerate(some[name].tolist())}
        yield Record("attack_samples", row)
        self.count += 1

    def _figures(self, values: dict[str, Tensor], where: dict[str, Scalar], size: Tensor) -> dict[str, Scalar]:
        board = self._attack.costs()
        success = values["success"]
        so_far = board.broken | success  # between two iterates that are shown too
        return {
            "step": self.count,
            "restart": where["restart"],
            "stage": where["stage"],
            "loss": float(values["loss"].double().mean()),
            "margin": float(values["margin"].double().mean()),
            "success_rate": float(success.double().mean()),
            "success_so_far": float(so_far.double().mean()),
            "robust": float((~so_far & ~board.invalid).double().mean()),
            "samples": len(success),
            "norm_mean": float(size.mean()),
            "norm_max": float(size.max()),
            "smallest": board.smallest,
            "forwards": board.forwards,
            "gradients": board.gradients,
            "success_before": self._before,
        }
