"""What an attack refuses, and the sentence it says."""

import pytest
import torch
from torch import nn

from engine.attacks import run, start
from engine.errors import AttackError
from engine.specs import FgsmSpec, PgdSpec, SequenceSpec, SquareSpec

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
        ({"x": X[0], "y": Y[:1]}, r"a single one has the shape \[1, ...\]"),
        ({"model": lambda x: x}, "must be a torch.nn.Module"),
        ({"examples": X}, "Examples are a pair"),
    ],
)
def test_inputs_that_do_not_fit_are_refused_at_once(changes, sentence):
    with pytest.raises(AttackError, match=sentence):
        attack(**changes)


def test_true_classes_that_the_model_does_not_tell_apart_are_refused_of_a_targeted_attack_too():
    with pytest.raises(AttackError, match="The model tells 3 classes apart, but labels or targets run from 0 to 7"):
        run(attack(y=torch.tensor([0, 7, 2, 0]), spec=TARGETED, target=torch.tensor([1, 2, 0, 1])))


def test_the_bounds_themselves_are_inside():
    x = torch.tensor([[0.0, 1, 0, 1, 0, 1]])
    assert next(attack(x=x, y=Y[:1])).x_adv.tolist() == x.tolist()


class Broken(nn.Module):
    def __init__(self, change):
        super().__init__()
        self.inner = nn.Linear(6, 3)
        with torch.no_grad():
            self.inner.weight.copy_(torch.randn(3, 6, generator=torch.Generator().manual_seed(3)))
            self.inner.bias.zero_()
        self.change = change

    def forward(self, x):
        return self.change(self.inner(x))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda z: z * torch.nan, "not finite for any of 4 samples.*smaller learning rate"),
        (lambda z: z.detach(), "passes no gradient"),
        (lambda z: z.detach() + torch.zeros(3, requires_grad=True), "passes no gradient"),
        (lambda z: (z - z.detach()).sqrt() * 0 + z.detach(), "outputs or gradients are not finite for any"),
        (lambda z: z[:, :1], r"the shape \(4, 1\)"),
        (lambda z: z.sum(), r"the shape \(\)"),
        (lambda z: (z, z), "a tuple"),
        (lambda z: z[:, :2], "2 classes apart, but labels or targets run from 2 to 2"),
    ],
)
def test_models_that_cannot_be_attacked_are_refused_with_a_reason(change, sentence):
    for spec in (UNTARGETED, PgdSpec(goal="untargeted", norm="L2", random_start=False)):
        model = Broken(change)
        y = model.inner(X).argmax(1).clamp(min=2) if "classes apart" in sentence else model.inner(X).argmax(1)
        with pytest.raises(AttackError, match=sentence):
            run(attack(model=model, y=y, spec=spec))


def test_samples_without_an_answer_are_reported_and_the_others_attacked():
    """A model that gives NaN for an input is neither broken nor robust there."""
    model = Broken(lambda z: z)
    y = model.inner(X).argmax(1)
    spec = PgdSpec(goal="untargeted", eps=1, alpha=0.2, steps=10, stop=False)
    clean = run(attack(model=model, y=y, spec=spec))

    def ill(z):
        return torch.where((torch.arange(len(z)) == 1)[:, None] & (len(z) == 4), torch.nan, z)

    model.change = ill
    result = run(attack(model=model, y=y, spec=spec))
    assert result.invalid.tolist() == [False, True, False, False]
    assert not result.success[1] and result.smallest[1].isnan() and torch.equal(result.x_adv[1], X[1])
    others = [0, 2, 3]
    assert torch.equal(result.success[others], clean.success[others]) and clean.success.any()


def test_bounds_may_differ_from_channel_to_channel():
    x = torch.rand(6, 3, 2, 5, generator=torch.Generator().manual_seed(0)) - torch.tensor([1.0, 0, 2]).reshape(3, 1, 1)
    model = nn.Sequential(nn.Flatten(), nn.Linear(30, 3))
    y = model(x).argmax(1)
    low, high = (-1.0, 0.0, -2.0), (0.0, 1.0, -1.0)
    spec = PgdSpec(goal="untargeted", eps=0.9, alpha=0.3, steps=4, stop=False)
    found = run(attack(x=x, y=y, model=model, bounds=(low, high), spec=spec)).x_adv
    for channel in range(3):
        assert found[:, channel].min() == low[channel] and found[:, channel].max() == high[channel]
    with pytest.raises(AttackError, match=r"outside \[-1, 0, 0"):
        attack(x=x, y=y, model=model, bounds=((-1.0, 0.0, 0.0), (0.0, 1.0, 1.0)), spec=spec)


def test_a_model_that_cannot_take_the_inputs_is_told_with_their_shape():
    with pytest.raises(AttackError, match=r"cannot take inputs of shape \[4, 6\]"):
        run(attack(model=nn.Linear(5, 3)))
    with pytest.raises(AttackError, match="float64"):
        run(attack(x=X.double()))


class NanGradient(nn.Module):
    """Its scores are finite, its gradient never is."""

    def __init__(self):
        super().__init__()
        self.inner = Broken(lambda z: z)

    def forward(self, x):
        return self.inner(x) + ((x - x.detach()).sum(1, keepdim=True).abs() + 0).sqrt()


def test_where_gradients_are_no_numbers_nobody_is_called_robust_but_queries_may_still_break():
    model = NanGradient()
    y = model(X).argmax(1)
    with pytest.raises(AttackError, match="gradients are not finite for any"):
        run(attack(model=model, y=y, spec=PgdSpec(goal="untargeted", eps=1, random_start=False)))
    by_queries = run(attack(model=model, y=y, spec=SquareSpec(eps=1, queries=200)))
    assert by_queries.success.any() and not by_queries.invalid.any()
    both = SequenceSpec(eps=1, steps=5, queries=200, apgd_dlr=False, apgd_t=False)
    result = run(attack(model=model, y=y, spec=both))
    assert torch.equal(result.success, ~result.invalid) and result.success.any()


class IllAfterwards(nn.Module):
    """Class 1 between 0.4 and 0.6, no answer beyond."""

    def forward(self, x):
        z = torch.cat([0.4 - x, x - 0.4], 1)
        return torch.where(x > 0.6, torch.nan, z)


def test_a_success_is_not_lost_when_the_model_has_no_answer_later_on():
    spec = PgdSpec(goal="untargeted", eps=1, alpha=0.15, steps=6, random_start=False, stop=False)
    x = torch.tensor([[0.3], [0.05]])
    result = run(attack(model=IllAfterwards(), x=x, y=torch.tensor([0, 0]), spec=spec))
    alone = run(attack(model=IllAfterwards(), x=x[:1], y=torch.tensor([0]), spec=spec))
    assert result.success.tolist() == [True, True] and not result.invalid.any()
    assert result.x_adv[0] == alone.x_adv[0] == pytest.approx(0.6)
