"""The attacks that ask the paper's question: features driven to another input's, and noise driven to a class."""

import pytest
import torch
from torch import nn

from engine.attacks import choose_targets, run, start
from engine.attacks.tools.layers import module_of
from engine.data import load
from engine.errors import AttackError
from engine.generators import drain
from engine.models import build, observe
from engine.specs import DigitsSpec, FeatureSpec, MlpSpec, NoiseAttackSpec


class TwoLayers(nn.Module):
    def __init__(self, d=8, k=4, seed=0):
        super().__init__()
        self.hidden, self.out = nn.Linear(d, 6, bias=False), nn.Linear(6, k)
        draw = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.copy_(torch.randn(parameter.shape, generator=draw))

    def forward(self, x):
        return self.out(self.hidden(x.flatten(1)))


def labelled(model, n, seed):
    x = torch.rand(n, 8, generator=torch.Generator().manual_seed(seed))
    return x, model(x).argmax(1)


@pytest.fixture
def question():
    model = TwoLayers()
    (x, y), examples = labelled(model, 40, 1), labelled(model, 300, 2)
    assert len(examples[1].unique()) == 4
    return model, x, y, examples


def distances(model, x, guides):
    return (model.hidden(x) - model.hidden(guides)).detach().norm(dim=1)


@pytest.mark.parametrize("norm", ["Linf", "L2"])
def test_features_come_near_those_of_an_example_of_the_target_class(question, norm):
    """With all of the input to move in, a linear layer reaches the example's features, and the class with them."""
    model, x, y, examples = question
    target = choose_targets(model, x, y, "next", 4, 0)
    spec = FeatureSpec(norm=norm, eps=3, alpha=0.02, steps=400, goal="next", layer="hidden")
    result = run(start(model, x, y, spec, seed=0, bounds=None, target=target, examples=examples))
    among = torch.stack([distances(model, result.x_adv, g.expand_as(x)) for g in examples[0]], 1)
    among[:, :] = torch.where(examples[1][None] == target[:, None], among, torch.inf)
    nearest = among.min(1).values
    moved = result.norm > 0
    assert (nearest[moved] < 0.15 * distances(model, x, result.x_adv)[moved]).double().mean() > 0.9
    assert result.success.double().mean() > 0.9


def test_one_step_goes_down_the_squared_feature_distance(question):
    """Of a linear layer h = W x: the gradient is 2 W^T (W x - W g)."""
    model, x, y, _ = question
    guide = x[:1] + 0.3
    examples = (guide, model(guide).argmax(1))
    keep = y != examples[1]
    x, y = x[keep], y[keep]
    spec = FeatureSpec(norm="L2", eps=0.05, alpha=0.05, steps=1, goal="untargeted", layer="hidden")
    attack = start(model, x, y, spec, seed=0, bounds=None, examples=examples)
    *_, last = attack
    w = model.hidden.weight.detach()
    down = (guide - x) @ w.T @ w
    expected = x + 0.05 * down / down.norm(dim=1, keepdim=True)
    torch.testing.assert_close(last.x_adv, expected, rtol=0, atol=1e-6)
    assert (attack.result().gradients == 1).all()


def test_guides_are_of_the_target_class_or_of_another_and_differ_between_restarts(question):
    model, x, y, examples = question
    seen = []
    handle = model.register_forward_hook(lambda _module, inputs, _output: seen.append(inputs[0]))
    spec = FeatureSpec(goal="untargeted", eps=0.01, steps=1, restarts=2, stop=False)
    run(start(model, x, y, spec, seed=0, bounds=(0, 1), examples=examples))
    handle.remove()
    guides = [s for s in seen if any(torch.equal(s[0], e) for e in examples[0]) and len(s) == len(x)]
    assert len(guides) == 2 and not torch.equal(guides[0], guides[1])
    for each in guides:
        assert (model(each).argmax(1) != y).all()


def test_the_layer_may_be_a_tap_or_a_module_and_is_by_default_the_last_hidden_one():
    dataset = drain(load(DigitsSpec(), 0))
    model = build(MlpSpec(depth=2, width=16), dataset, 0)
    assert module_of(model, "") is module_of(model, "relu 2")
    assert module_of(model, "linear 1") is not module_of(model, "relu 1")
    assert module_of(TwoLayers(), "") is not None
    for name in ("relu 9", "input"):
        with pytest.raises(AttackError, match=r"no layer .* choose one of linear 1"):
            module_of(model, name)
    x, y = dataset.x_test[:20], dataset.y_test[:20]
    examples = dataset.x_train[:300], dataset.y_train[:300]
    spec = FeatureSpec(eps=0.3, alpha=0.05, steps=10, goal="untargeted", layer="relu 1")
    result = run(start(model, x, y, spec, seed=0, bounds=(0, 1), examples=examples))
    before, after = observe(model, x), observe(model, result.x_adv)
    assert not torch.equal(before["relu 1"], after["relu 1"])
    assert not any(m._forward_hooks for m in model.modules())


def test_without_examples_or_without_any_of_the_class_it_says_so(question):
    model, x, y, examples = question
    spec = FeatureSpec(goal="next")
    target = (y + 1) % 4
    with pytest.raises(AttackError, match="labelled examples"):
        run(start(model, x, y, spec, seed=0, bounds=(0, 1), target=target))
    some = examples[1] != target[0]
    few = examples[0][some], examples[1][some]
    with pytest.raises(AttackError, match="no example of class"):
        run(start(model, x, y, spec, seed=0, bounds=(0, 1), target=target, examples=few))


@pytest.mark.parametrize("bounds", [None, (0, 1), ([0.0] * 8, [0.5] * 8)])
def test_fooling_noise_reaches_the_confidence_within_the_budget(bounds):
    model = TwoLayers()
    x = torch.zeros(60, 8)
    y = torch.arange(60) % 4
    spec = NoiseAttackSpec(eps=2.0, alpha=0.05, steps=150, confidence=0.9, goal="next")
    attack = start(model, x, y, spec, seed=0, bounds=bounds, target=(y + 1) % 4)
    result = run(attack)
    assert not torch.equal(attack.x, x)
    if bounds is not None:
        top = 1.0 if bounds == (0, 1) else 0.5
        assert attack.x.min() >= 0 and 0.9 * top < attack.x.max() <= top
        assert result.x_adv.min() >= 0 and result.x_adv.max() <= top
    else:
        assert attack.x.std() == pytest.approx(1, abs=0.15)
    assert (result.norm <= 2.0 * (1 + 1e-6)).all()
    assert result.success.sum() > 0
    p = model(result.x_adv).softmax(1).detach()
    reached = p.gather(1, ((y + 1) % 4)[:, None])[:, 0] >= 0.9
    assert torch.equal(result.success, reached & (p.argmax(1) == (y + 1) % 4))
    # it rests as soon as it is sure enough
    assert (p.amax(1)[result.success & (result.first_success > 0)] < 0.99).all()


def test_more_confidence_costs_more():
    model = TwoLayers()
    x, y = torch.zeros(60, 8), torch.arange(60) % 4
    found = []
    for confidence in (0.5, 0.9, 0.999):
        spec = NoiseAttackSpec(eps=4.0, alpha=0.05, steps=150, confidence=confidence)
        found.append(run(start(model, x, y, spec, seed=0, bounds=None, target=(y + 1) % 4)))
    norms = [f.norm[found[-1].success].mean() for f in found]
    assert norms[0] < norms[1] < norms[2] and found[-1].success.sum() > 10


def test_noise_may_be_driven_to_one_chosen_class_whatever_the_labels():
    model = TwoLayers()
    x, y = labelled(model, 40, 1)
    spec = NoiseAttackSpec(target_class=2, confidence=0.9, eps=20.0, steps=80)
    result = run(start(model, x, y, spec, seed=0, bounds=None))
    assert (y == 2).any() and result.success.double().mean() > 0.9
    assert torch.equal(result.success, (result.prediction == 2) & (result.confidence >= 0.9))
    chosen = choose_targets(model, x, y, spec.aim, 4, 0)
    assert chosen.tolist() == [2] * 40
    again = run(start(model, x, y, spec, seed=0, bounds=None, target=chosen))
    assert torch.equal(again.x_adv, result.x_adv)
    with pytest.raises(AttackError, match="Class 4 is to be reached, but there are 4 classes"):
        choose_targets(model, x, y, 4, 4, 0)
    with pytest.raises(AttackError, match="labels or targets run from 0 to 4"):
        run(start(model, x, y, spec.model_copy(update={"target_class": 4}), seed=0, bounds=(0, 1)))


@pytest.mark.parametrize("goal", ["untargeted", "next"])
def test_features_may_be_driven_to_one_chosen_sample(question, goal):
    model, x, y, examples = question
    one = examples[0][:1], examples[1][:1]
    spec = FeatureSpec(norm="L2", eps=3, alpha=0.02, steps=300, goal=goal, target_sample=17)
    target = None if goal == "untargeted" else one[1].expand_as(y).contiguous()
    spec = spec.model_copy(update={"layer": "hidden"})
    result = run(start(model, x, y, spec, seed=0, bounds=None, target=target, examples=one))
    moved = result.norm > 0
    left = distances(model, result.x_adv, one[0].expand_as(x)) / distances(model, x, one[0].expand_as(x))
    assert moved.sum() > 20 and (left[moved] < 0.1).double().mean() > 0.9
    if target is not None:
        assert torch.equal(result.already, y == one[1])
    with pytest.raises(AttackError, match="that one alone"):
        run(start(model, x, y, spec, seed=0, bounds=None, target=target, examples=examples))
