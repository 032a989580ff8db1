"""How each attacked sample came out, one row a sample."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.attacks import Attack, AttackResult
from engine.attacks.tools.norms import sizes
from engine.events import Record, Scalar
from engine.experiments.bench import Making
from engine.experiments.watching import Watch
from engine.models import Network
from engine.specs import Norm

NORMS: tuple[Norm, ...] = ("Linf", "L2", "L1", "L0")
BATCH = 128


def outcome_rows(model: Network, attack: Attack, result: AttackResult, watch: Watch, moved: Tensor) -> Making:
    """Records of the table ``attacked``; ``moved`` ``[N, ...]`` are the samples moved at random as far as the attack did."""
    seen = []
    for part in torch.split(moved, BATCH):
        with torch.no_grad():
            seen.append(model(part).argmax(1))
        yield None
    random = torch.cat(seen)
    targeted = watch.target >= 0
    clean, _ = watch.clean()
    columns: dict[str, Tensor] = {
        "sample": watch.index,
        "y": watch.y,
        "target": watch.target,
        "clean_prediction": clean,
        "prediction": result.prediction,
        "confidence": result.confidence,
        "success": result.success.int(),
        "success_8bit": result.success_8bit.int(),
        "random_success": torch.where(targeted, random == watch.target, random != watch.y).int(),
        "invalid": result.invalid.int(),
        **{f"norm_{norm}": sizes(result.x_adv, attack.x, norm) for norm in NORMS},
        "already": result.already.int(),
        "first_step": result.first_success,
        "forwards": result.forwards,
        "gradients": result.gradients,
    }
    lists = {name: values.tolist() for name, values in columns.items()}
    for i in range(len(watch.y)):
        row: dict[str, Scalar] = {name: values[i] for name, values in lists.items()}
        yield Record("attacked", row | {"first_stage": result.first_stage[i]})
