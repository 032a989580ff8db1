"""Loss and accuracy over a set."""

from __future__ import annotations

import pytest
import torch
from global_rng import global_rng_untouched
from small_data import images
from torch import nn
from torch.nn.functional import cross_entropy

from engine.data import drain
from engine.models import build
from engine.specs import MlpSpec
from engine.training import evaluate


@pytest.mark.parametrize("batch", [1, 7, 40, 1000])
def test_it_is_the_mean_over_all_samples_whatever_the_batch(batch: int) -> None:
    data = images()
    model = build(MlpSpec(depth=2, width=16), data, 0)
    with torch.no_grad():
        logits = model(data.x_test)
    found = drain(evaluate(model, data.x_test, data.y_test, batch=batch))
    assert found.loss == pytest.approx(cross_entropy(logits, data.y_test).item(), rel=1e-5)
    assert found.accuracy == int((logits.argmax(1) == data.y_test).sum()) / 40
    assert found.n == 40 and isinstance(found.loss, float)


def test_between_two_batches_nothing_of_it_is_seen_outside() -> None:
    data = images()
    model = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(64), nn.Linear(64, 4)).train()
    mean = model[1].running_mean.clone()
    yields = 0
    with global_rng_untouched():
        for _ in evaluate(model, data.x_test, data.y_test, batch=10):
            yields += 1
            assert torch.is_grad_enabled() and all(module.training for module in model.modules())
    assert yields == 4 and torch.equal(model[1].running_mean, mean)
