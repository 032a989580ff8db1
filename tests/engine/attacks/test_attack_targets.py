"""Which class each sample is driven to."""

import pytest
import torch
from torch import nn

from engine.attacks import choose_targets
from engine.errors import AttackError


class Affine(nn.Module):
    def __init__(self, weight, bias):
        super().__init__()
        self.linear = nn.Linear(weight.shape[1], weight.shape[0])
        self.linear.load_state_dict({"weight": weight, "bias": bias})

    def forward(self, x):
        return self.linear(x.flatten(1))


@pytest.fixture
def model():
    draw = torch.Generator().manual_seed(0)
    return Affine(torch.randn(5, 6, generator=draw), torch.randn(5, generator=draw))


X = torch.rand(200, 6, generator=torch.Generator().manual_seed(1))
Y = torch.arange(200) % 5


def test_untargeted_has_no_targets(model):
    assert choose_targets(model, X, Y, "untargeted", 5, 0) is None


def test_next_is_the_following_class_around_the_end(model):
    assert choose_targets(model, X[:5], Y[:5], "next", 5, 0).tolist() == [1, 2, 3, 4, 0]


def test_random_targets_are_other_classes_evenly_and_reproducibly(model):
    first, again, other = (choose_targets(model, X, Y, "random", 5, seed) for seed in (0, 0, 1))
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert first.dtype == torch.int64 and (first != Y).all()
    assert torch.bincount((first - Y) % 5, minlength=5)[1:].min() > 30
    assert torch.equal(choose_targets(model, X[:8], Y[:8], "random", 5, 0), first[:8])


def test_least_likely_is_the_lowest_logit_other_than_the_own_class(model):
    found = choose_targets(model, X, Y, "least-likely", 5, 0, batch=7)
    logits = model(X).detach()
    for sample, (row, label) in enumerate(zip(logits, Y.tolist(), strict=True)):
        others = [k for k in row.argsort().tolist() if k != label]
        assert found[sample] == others[0]
    assert (logits.argmin(1) == Y).any()  # so the own class had to be passed over


def test_one_class_has_no_targets(model):
    for goal in ("next", "random", "least-likely"):
        with pytest.raises(AttackError, match="at least 2 classes"):
            choose_targets(model, X, Y * 0, goal, 1, 0)
