"""Attack the trained network and watch the adversarial features leave their class, step by step."""

from __future__ import annotations

import torch

from engine.attacks import Attack, Iterate, choose_targets, start
from engine.events import Progress, Record, Scalar
from engine.experiments.bench import Attacked, Bench, Making
from engine.experiments.pictures import gallery_frame
from engine.experiments.probe import probe_for
from engine.experiments.train import train

WATCHED_MOMENTS = 20  # steps of an attack at which the geometry is measured


def attack(bench: Bench) -> Making:
    """Attack test samples: every iterate is shown and kept, the geometry is measured at some twenty of them."""
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
    first_success = torch.full_like(y, -1)
    count = 0
    for event in attacking.events():
        total = (event.steps + 1) * getattr(spec.attack, "restarts", 1)
        if isinstance(event, Iterate):
            newly = event.success & (first_success < 0)
            first_success[newly] = event.step
            yield gallery_frame(event, seen, first_success, spec.attack, dataset.classes, count)
            yield Record("attack", _row(event, x, spec.attack.norm, count))
            if count % max(1, total // WATCHED_MOMENTS) == 0 or count == total - 1:
                goal = event.prediction if target is None else target
                yield from probe.attack_frames(model, Attacked(index, x, y, event.x_adv, goal, event.success), count)
            count += 1
        yield Progress(count, total, f"attack step {event.step} of {event.steps}")
    yield from _keep(bench, attacking, seen, target)


def _keep(bench: Bench, attacking: Attack, seen: dict[str, torch.Tensor], target: torch.Tensor | None) -> Making:
    result = attacking.result()
    goal = result.prediction if target is None else target
    attacked = Attacked(seen["index"], seen["x"], seen["y"], result.x_adv, goal, result.success)
    yield bench.keep_attack(attacked, result)


def _row(iterate: Iterate, x: torch.Tensor, norm: str, count: int) -> dict[str, Scalar]:
    delta = (iterate.x_adv - x).flatten(1).double()
    size = delta.abs().amax(1) if norm == "Linf" else delta.norm(dim=1)
    return {
        "step": count,
        "restart": iterate.restart,
        "loss": float(iterate.loss.double().mean()),
        "success_rate": float(iterate.success.double().mean()),
        "norm_mean": float(size.mean()),
        "norm_max": float(size.max()),
    }
