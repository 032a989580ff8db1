"""What an attack refuses, and the sentence it says."""

import pytest
import torch
from torch import nn

from engine.attacks import start
from engine.errors import AttackError
from engine.specs import FgsmSpec, PgdSpec

UNTARGETED = FgsmSpec(goal="untargeted", eps=0.1)
TARGETED = FgsmSpec(goal="next", eps=0.1)
X = torch.rand(4, 6, generator=torch.Generator().manual_seed(0))
Y = torch.tensor([0, 1, 2, 0])
MODEL = nn.Linear(6, 3)


def attack(x=X, y=Y, spec=UNTARGETED, model=MODEL, bounds=(0.0, 1.0), target=None, **more):
    return start(model, x, y, spec, seed=0, bounds=bounds, target=target, **more)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"x": X[:0], "y": Y[:0]}, "no samples to attack"),
        ({"x": X + 0.5}, r"outside \[0, 1\].*scale the data"),
        ({"x": X.where(X[2, 3] != X, torch.nan)}, "1 of 4 samples hold values that are not finite"),
        ({"x": (X * 9).long()}, "floating-point inputs"),
        ({"x": X[:, 0]}, "floating-point inputs"),
        ({"y": Y[:3]}, "4 samples need 4 whole-number labels"),
        ({"y": Y.float()}, "whole-number labels"),
        ({"target": (Y + 1) % 3}, "goal is untargeted, but target classes are given"),
        ({"spec": TARGETED}, "no target classes are given"),
        ({"spec": TARGETED, "target": Y}, "For 4 of 4 samples the target is the true class"),
        ({"spec": TARGETED, "target": Y[:2]}, "need 4 target classes"),
        ({"spec": FgsmSpec.model_construct(goal="untargeted", norm="Linf", eps=-0.1)}, "eps is -0.1"),
        ({"spec": FgsmSpec.model_construct(goal="untargeted", norm="L2", eps=float("nan"))}, "eps is nan"),
        ({"batch": 0}, "batch is 0"),
    ],
)
def test_inputs_that_do_not_fit_are_refused_at_once(changes, sentence):
    with pytest.raises(AttackError, match=sentence):
        attack(**changes)


def test_the_bounds_themselves_are_inside():
    x = torch.tensor([[0.0, 1, 0, 1, 0, 1]])
    assert next(attack(x=x, y=Y[:1])).x_adv.tolist() == x.tolist()


class Broken(nn.Module):
    def __init__(self, change):
        super().__init__()
        self.inner = nn.Linear(6, 3)
        self.change = change

    def forward(self, x):
        return self.change(self.inner(x))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            lambda z: z * torch.tensor([[1.0], [torch.nan], [1.0], [torch.inf]]),
            "not finite for 2 of 4 samples.*smaller learning rate",
        ),
        (lambda z: z.detach(), "passes no gradient"),
        (lambda z: z.detach() + torch.zeros(3, requires_grad=True), "passes no gradient"),
        (lambda z: (z - z.detach()).sqrt() * 0 + z.detach(), "gradient of the loss .* is not finite"),
        (lambda z: z[:, :1], r"the shape \(4, 1\)"),
        (lambda z: z.sum(), r"the shape \(\)"),
        (lambda z: (z, z), "a tuple"),
        (lambda z: z[:, :2], "2 classes apart, but labels or targets run from 0 to 2"),
    ],
)
def test_models_that_cannot_be_attacked_are_refused_with_a_reason(change, sentence):
    for spec in (UNTARGETED, PgdSpec(goal="untargeted", norm="L2", random_start=False)):
        with pytest.raises(AttackError, match=sentence):
            next(attack(model=Broken(change), spec=spec))
