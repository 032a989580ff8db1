"""Attack the trained network and watch the adversarial features leave their class, step by step."""

from __future__ import annotations

import torch

from engine.attacks import Iterate, choose_targets, start
from engine.events import Progress, Record, Scalar
from engine.experiments.bench import Attacked, Bench, Making
from engine.experiments.control import length
from engine.experiments.pictures import gallery_frame
from engine.experiments.probe import probe_for
from engine.experiments.train import train

WATCHED_MOMENTS = 10  # steps of an attack at which the geometry is measured
WATCHED_WIDE = 6  # the same for a network whose features are dear to compare
WIDE = 8192  # features at all taps together
KEPT_ITERATES = 100  # iterates of the watched samples kept for the time slider


def attack(bench: Bench) -> Making:
    """Attack test samples: every iterate is shown, the geometry is measured at some ten of them."""
    spec = bench.spec
    model = yield from bench.restored()
    if model is None:
        yield from train(bench)
        model = bench.trained
    assert model is not None
    dataset = yield from bench.dataset()
    probe = yield from probe_for(bench)
    index, x, y = yield from bench.to_attack()
    target = choose_targets(model, x, y, spec.attack.goal, dataset.n_classes, spec.seed)
    attacking = start(model, x, y, spec.attack, seed=spec.seed, bounds=dataset.bounds, target=target)

    seen = {"x": x, "y": y, "index": index, "target": torch.full_like(y, -1) if target is None else target}
    with torch.no_grad():
        seen["clean_confidence"], seen["clean_prediction"] = model(x).softmax(1).max(1)
    already = seen["clean_prediction"] != y if target is None else seen["clean_prediction"] == target
    before = float(already.double().mean())
    width = yield from probe.attack_width(model)
    moments = WATCHED_MOMENTS if width <= WIDE else WATCHED_WIDE
    first_success = torch.full_like(y, -1)
    count = 0
    for event in attacking.events():
        total = (event.steps + 1) * getattr(spec.attack, "restarts", 1)
        if isinstance(event, Iterate):
            first_success[event.success & (first_success < 0)] = count
            keep = count % max(1, total // KEPT_ITERATES) == 0 or count == total - 1
            yield gallery_frame(event, seen, first_success, spec.attack, dataset.classes, count, before, keep)
            yield Record("attack", {**_row(event, x, spec.attack.norm, count, first_success), "success_before": before})
            if count % max(1, total // moments) == 0 or count == total - 1:
                now = Attacked(index, x, y, event.x_adv, _driven_to(target, event.prediction, y), event.success)
                yield from probe.attack_frames(model, now, count)
            count += 1
        yield Progress(count, total, f"attack step {event.step} of {event.steps}")
    result = attacking.result()
    goal = _driven_to(target, result.prediction, y)
    yield bench.keep_attack(Attacked(index, x, y, result.x_adv, goal, result.success), result)


def _driven_to(target: torch.Tensor | None, prediction: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """The class that each input was driven to; without a target the wrong class seen, -1 where none is."""
    return torch.where(prediction == y, -1, prediction) if target is None else target


def _row(iterate: Iterate, x: torch.Tensor, norm: str, count: int, first_success: torch.Tensor) -> dict[str, Scalar]:
    size = length((iterate.x_adv - x).flatten(1), norm).double()
    return {
        "step": count,
        "restart": iterate.restart,
        "loss": float(iterate.loss.double().mean()),
        "success_rate": float(iterate.success.double().mean()),
        "success_so_far": float((first_success >= 0).double().mean()),
        "samples": len(first_success),
        "norm_mean": float(size.mean()),
        "norm_max": float(size.max()),
    }
