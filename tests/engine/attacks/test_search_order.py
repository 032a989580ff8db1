"""Random searches that go on after a success go only uphill: no better loss, no step."""

import pytest
import torch
from minimal_norm import network, samples

from engine.attacks import start
from engine.attacks.tools.losses import improves
from engine.specs import SimbaSpec, SparseRsSpec, SquareSpec

SEARCHES = [
    (SquareSpec(eps=0.3, queries=120, stop=False), "margin"),
    (SquareSpec(eps=0.3, queries=120, stop=False, loss="cross-entropy"), "loss"),
    (SquareSpec(norm="L2", eps=1.0, queries=120, stop=False, together=4), "margin"),
    (SparseRsSpec(pixels=3, queries=120, stop=False), "margin"),
    (SparseRsSpec(pixels=3, queries=120, stop=False, goal="next"), "odds"),
    (SimbaSpec(eps=1.0, queries=120, stop=False), "odds"),
]


def test_a_first_success_is_kept_and_then_only_what_is_better():
    gain, old = torch.tensor([0.1, 0.9, 0.1, 0.9, 0.5]), torch.full((5,), 0.5)
    success = torch.tensor([True, False, True, True, True])
    before = torch.tensor([False, True, True, True, True])
    assert improves(gain, success, old, before).tolist() == [True, False, False, True, False]


@pytest.mark.parametrize(("spec", "measure"), SEARCHES, ids=lambda v: getattr(v, "method", v))
def test_after_its_success_a_search_only_rises_and_stays_a_success(spec, measure):
    model = network((1, 4, 4))
    x, y = samples(model, 30, (1, 4, 4))
    target = (y + 1) % 4 if spec.goal == "next" else None
    before, rises = None, 0
    for iterate in start(model, x, y, spec, seed=0, bounds=(0, 1), target=target):
        labels = y if target is None else target
        p = iterate.logits.log_softmax(1).gather(1, labels[:, None])[:, 0]
        gain = {"margin": -iterate.margin, "loss": iterate.loss, "odds": -p if target is None else p}[measure]
        if before is not None:
            held = before[1]
            assert iterate.success[held].all()
            assert (gain[held] >= before[0][held] - 1e-12).all()
            rises += int((gain[held] > before[0][held] + 1e-9).sum())
        before = gain, iterate.success
    assert rises > 0, "it does go on"
