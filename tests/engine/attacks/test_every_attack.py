"""What holds for every attack by name: box and ball, batch mates, seeds, single samples, and a model left as it was."""

import copy

import pytest
import torch
from torch import nn

from engine.attacks import choose_targets, run, start
from engine.errors import AttackError
from engine.specs import variants

METHODS = variants("attack")
SHORT = {"steps": 4, "iterations": 4, "generations": 3, "queries": 60, "restarts": 1, "search_steps": 2, "samples": 12}
JOINT = {"universal", "patch"}  # one perturbation for all samples: batch mates matter
ONLY_IMAGES = {"di", "ti", "patch"}
CHAOTIC = {"apgd", "autoattack", "fast", "sequence", "ead", "cw", "fmn", "sigma-zero"}  # a rounding may turn a choice
SHAPES = {"vectors": (10,), "image": (1, 5, 5), "wide image": (3, 4, 7)}
K = 4


def short(method, **changes):
    cls = METHODS[method]
    brief = {n: min(v, cls.model_fields[n].default) for n, v in SHORT.items() if n in cls.model_fields}
    return cls(**brief | changes)


def network(shape, seed=0):
    d = torch.Size(shape).numel()
    model = nn.Sequential(nn.Flatten(), nn.Linear(d, 16), nn.Tanh(), nn.Linear(16, K))
    draw = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=draw) / 2)
    return model.eval()


def question(shape, n=12, seed=1):
    model = network(shape)
    x = torch.rand(n, *shape, generator=torch.Generator().manual_seed(seed))
    many = torch.rand(80, *shape, generator=torch.Generator().manual_seed(seed + 1))
    return model, x, model(x).argmax(1), (many, torch.arange(80) % K)


def attack(model, x, y, examples, spec, *, seed=0, bounds=(0, 1), **more):
    target = choose_targets(model, x, y, spec.goal, K, 0)
    return start(model, x, y, spec, seed=seed, bounds=bounds, target=target, examples=examples, **more)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("method", METHODS)
def test_every_point_is_in_the_box_and_in_the_ball_if_there_is_one(method, shape):
    if shape == "vectors" and method in ONLY_IMAGES:
        pytest.skip("works on images alone, and says so: tested with the experiments")
    model, x, y, examples = question(SHAPES[shape])
    spec = short(method)
    running = attack(model, x, y, examples, spec)
    eps = getattr(spec, "eps", None) if not spec.minimal else None
    for iterate in running:
        assert iterate.x_adv.shape == x.shape and iterate.x_adv.dtype == torch.float32
        assert iterate.x_adv.min() >= 0 and iterate.x_adv.max() <= 1
        assert 0 <= iterate.fraction <= 1 and iterate.logits.isfinite().all()
    result = running.result()
    if eps is not None and method not in ("patch",):
        assert (result.norm <= eps * (1 + 1e-5)).all()
    assert result.x_adv.min() >= 0 and result.x_adv.max() <= 1
    assert torch.equal(result.success, running._question.reached(model(result.x_adv), running._board.labels))
    assert not result.invalid.any() and (result.success_8bit <= result.success).all()
    assert torch.equal(result.first_success >= 0, result.success)
    assert (result.norm[~result.success & (result.forwards > 2)] >= 0).all() and result.norm.isfinite().all()
    assert len(result.trajectory.step) >= 1 and result.trajectory.margin.isfinite().all()


@pytest.mark.parametrize("method", [m for m in METHODS if m not in JOINT])
def test_batch_mates_change_nothing(method):
    """Oracle 13: the first five of twelve are as five alone, whatever the batches."""
    model, x, y, examples = question((1, 5, 5))
    spec = short(method)
    whole = run(attack(model, x, y, examples, spec, seed=3))
    split = run(attack(model, x, y, examples, spec, seed=3, batch=5))
    alone = run(attack(model, x[:5], y[:5], examples, spec, seed=3))
    if method in CHAOTIC:
        assert (whole.success == split.success).double().mean() > 0.9
        assert (whole.success[:5] == alone.success).sum() >= 4
        return
    torch.testing.assert_close(whole.x_adv, split.x_adv, rtol=0, atol=2e-3)
    torch.testing.assert_close(whole.x_adv[:5], alone.x_adv, rtol=0, atol=2e-3)
    assert torch.equal(whole.success, split.success) and torch.equal(whole.success[:5], alone.success)


@pytest.mark.parametrize("method", METHODS)
def test_equal_seeds_give_equal_numbers(method):
    model, x, y, examples = question((1, 5, 5))
    first, again = (run(attack(model, x, y, examples, short(method), seed=7)) for _ in range(2))
    assert torch.equal(first.x_adv, again.x_adv) and torch.equal(first.forwards, again.forwards)


@pytest.mark.parametrize("method", METHODS)
def test_the_model_and_the_random_state_are_left_as_they_were(method):
    model, x, y, examples = question((1, 5, 5), n=6)
    model.insert(2, nn.Dropout(0.3))
    model.train()
    model[1].weight.grad = torch.ones_like(model[1].weight)
    before, state = copy.deepcopy(model), torch.get_rng_state()
    filled = [p.grad is not None for p in model.parameters()]
    for count, _ in enumerate(attack(model, x, y, examples, short(method)).events()):
        assert torch.equal(torch.get_rng_state(), state) and not torch.is_inference_mode_enabled()
        assert all(m.training for m in model.modules())
        if count > 40:
            break  # the rest is more of the same
    for a, b in zip(model.parameters(), before.parameters(), strict=True):
        assert torch.equal(a, b) and a.requires_grad
    assert [p.grad is not None for p in model.parameters()] == filled == [True, False, False, False]
    assert not any(m._forward_hooks or m._backward_hooks for m in model.modules())
    assert torch.is_grad_enabled()


@pytest.mark.parametrize("method", [m for m in METHODS if "eps" in METHODS[m].model_fields and not METHODS[m].minimal])
def test_with_eps_zero_nothing_changes(method):
    model, x, y, examples = question((1, 5, 5))
    running = attack(model, x, y, examples, short(method, eps=0.0))
    result = run(running)
    assert torch.equal(result.x_adv, running.x) and not result.success.any()


@pytest.mark.parametrize("method", [m for m in METHODS if m not in ("noise",)])
def test_a_sample_already_misclassified_is_returned_unchanged(method):
    model, x, y, examples = question((1, 5, 5))
    spec = short(method)
    y = y.clone()
    if spec.goal == "untargeted":
        y[:4] = (y[:4] + 1) % K
        target = None
    else:  # already seen as the target
        target = (y + 1) % K
        target[:4] = y[:4]
        y[:4] = (y[:4] + 1) % K
    running = start(model, x, y, spec, seed=0, bounds=(0, 1), target=target, examples=examples)
    result = run(running)
    assert torch.equal(result.x_adv[:4], x[:4]) and result.success[:4].all() and (result.norm[:4] == 0).all()
    assert (result.first_success[:4] == 0).all()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("bounds", [None, ([0.0, 0.1, 0.0], [1.0, 0.9, 0.7])])
def test_bounds_may_be_absent_or_differ_by_channel(method, bounds):
    if bounds is None and method in ("patch", "one-pixel", "sparse-rs"):
        pass  # what they write there is drawn from the samples' own range
    model, x, y, examples = question((3, 4, 4), n=5)
    spec = short(method)
    if bounds is not None:
        low, high = (torch.tensor(side).reshape(3, 1, 1) for side in bounds)
        x, examples = x.clamp(low, high), (examples[0].clamp(low, high), examples[1])
        y = model(x).argmax(1)
    result = run(attack(model, x, y, examples, spec, bounds=bounds))
    assert result.x_adv.isfinite().all()
    if bounds is not None:
        assert (result.x_adv >= low).all() and (result.x_adv <= high).all()


@pytest.mark.parametrize("method", METHODS)
def test_one_sample_is_enough_and_none_is_refused(method):
    model, x, y, examples = question((1, 5, 5), n=1)
    result = run(attack(model, x, y, examples, short(method)))
    assert result.x_adv.shape == x.shape
    with pytest.raises(AttackError, match="no samples"):
        start(model, x[:0], y[:0], short(method), seed=0, bounds=(0, 1), examples=examples, target=None)


@pytest.mark.parametrize("method", METHODS)
def test_a_flat_model_breaks_nothing_and_makes_no_nan(method):
    model = nn.Sequential(nn.Flatten(), nn.Linear(25, K))
    with torch.no_grad():
        model[1].weight.zero_()
        model[1].bias.copy_(torch.tensor([1.0, 0.0, 0.0, -1.0]))  # two classes tie
    x = torch.rand(6, 1, 5, 5, generator=torch.Generator().manual_seed(0))
    y = torch.zeros(6, dtype=torch.int64)
    spec = short(method)
    target = None if spec.goal == "untargeted" else y + 1
    examples = (x, torch.arange(6) % K)
    result = run(start(model, x, y, spec, seed=0, bounds=(0, 1), target=target, examples=examples))
    assert not result.success.any() and result.x_adv.isfinite().all() and result.norm.isfinite().all()
    assert not result.invalid.any()


@pytest.mark.parametrize("method", [m for m in METHODS if METHODS[m].gradient_free])
def test_attacks_by_queries_need_no_gradient(method):
    model, x, y, examples = question((1, 5, 5))

    class Detached(nn.Module):
        def forward(self, x):
            return model(x.detach()).detach()

    a, b = (run(attack(m, x, y, examples, short(method))) for m in (model, Detached()))
    assert torch.equal(a.x_adv, b.x_adv) and (a.gradients == 0).all()


@pytest.mark.parametrize(
    "method", [m for m in METHODS if "queries" in METHODS[m].model_fields and METHODS[m].gradient_free]
)
def test_no_sample_is_asked_more_often_than_its_budget(method):
    model, x, y, examples = question((1, 5, 5))
    model[3].bias.data[:] = 0
    result = run(attack(model, x, y, examples, short(method, queries=37)))
    assert (result.forwards <= 37 + 1).all() and (result.forwards > 1).any()
