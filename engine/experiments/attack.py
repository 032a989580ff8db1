"""Attack the trained network and watch the adversarial features leave their class, step by step."""

from __future__ import annotations

import torch

from engine.attacks import Iterate, choose_targets, run, start
from engine.events import Frame, Progress, Record
from engine.experiments.bench import Attacked, Bench, Making
from engine.experiments.pictures import gallery_frame
from engine.experiments.probe import probe_for
from engine.experiments.train import train

WATCHED_MOMENTS = 20  # steps of an attack at which the geometry is measured


def attack(bench: Bench) -> Making:
    """Attack test samples; every iterate is shown and kept, the geometry is measured at some twenty of them."""
    spec = bench.spec
    dataset = yield from bench.dataset()
    model = yield from bench.restored()
    if model is None:
        yield from train(bench)
        model = bench.trained
        assert model is not None
    probe = yield from probe_for(bench)
    index, x, y = yield from bench.to_attack()
    chosen = choose_targets(model, x, y, spec.attack.goal, dataset.n_classes, spec.seed)
    iterates = start(model, x, y, spec.attack, seed=spec.seed, bounds=dataset.bounds, target=chosen)

    seen = {"x": x, "y": y, "index": index, "target": torch.full_like(y, -1) if chosen is None else chosen}
    first_success = torch.full_like(y, -1)
    drained: list[Iterate] = []

    def pulled() -> Making:
        every = 1
        total = 1
        for count, iterate in enumerate(iterates):
            drained.append(iterate)
            if count == 0:
                seen["clean_prediction"], seen["clean_confidence"] = _clean(model, x)
                restarts = getattr(spec.attack, "restarts", 1)
                total = (iterate.steps + 1) * restarts
                every = max(1, total // WATCHED_MOMENTS)
            newly = iterate.success & (first_success < 0)
            first_success[newly] = iterate.step
            yield gallery_frame(iterate, seen, first_success, spec.attack, dataset.classes, count)
            yield Record("attack", _row(iterate, x, spec.attack.norm, count))
            if count % every == 0 or count == total - 1:
                now = Attacked(index, x, y, iterate.x_adv, iterate.prediction if chosen is None else chosen)
                frames: list[Frame] = probe.attack_frames(model, now, count)
                yield from frames
            yield Progress(count + 1, total, f"attack step {iterate.step} of {iterate.steps}")

    yield from pulled()
    result = run(iter(drained))
    target = result.prediction if chosen is None else chosen
    yield bench.keep_attack(Attacked(index, x, y, result.x_adv, target), result)
