"""FAB and FAB-T: exact on affine models, nowhere nearer than the boundary, and the same whatever the batch."""

import pytest
import torch
from pydantic import ValidationError
from torch import nn

from engine.attacks import choose_targets, run, start
from engine.specs import FabSpec, FabTargetedSpec

DUAL = {"Linf": 1, "L2": 2, "L1": torch.inf}
NORMS = ["Linf", "L2", "L1"]
KINDS = [FabSpec, FabTargetedSpec]
every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
every_norm = pytest.mark.parametrize("norm", NORMS)
SHAPES = [(7,), (1, 4, 6), (3, 5, 2), (2, 6), (1, 1, 1)]


def affine(k, d, seed=0):
    model = nn.Linear(d, k)
    draw = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        model.weight.copy_(torch.randn(k, d, generator=draw))
        model.bias.copy_(torch.randn(k, generator=draw))
    return model.eval()


def network(shape, k=4, seed=0):
    d = torch.Size(shape).numel()
    model = nn.Sequential(nn.Flatten(), nn.Linear(d, 16), nn.Tanh(), nn.Linear(16, k))
    draw = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=draw))
    return model.eval()


def samples(model, n, shape, seed=1):
    x = torch.rand(n, *shape, generator=torch.Generator().manual_seed(seed))
    return x, model(x).argmax(1)


def size(delta, norm):
    delta = delta.double().flatten(1)
    return {"Linf": delta.abs().amax(1), "L2": delta.norm(dim=1), "L1": delta.abs().sum(1)}[norm]


def nearest_boundary(model, x, y, norm):
    """Oracle 5: the least ``(z_y - z_k) / ||w_y - w_k||`` in the dual norm."""
    logits, weight = model(x).detach().double(), model.weight.detach().double()
    found = torch.full((len(x),), torch.inf, dtype=torch.float64)
    for k in range(len(weight)):
        slope = torch.linalg.vector_norm(weight[y] - weight[k], DUAL[norm], dim=1)
        distance = (logits.gather(1, y[:, None])[:, 0] - logits[:, k]) / slope
        found = torch.where(y == k, found, torch.minimum(found, distance))
    return found


# --- how far ------------------------------------------------------------------------------------------------------


@every_kind
@every_norm
@pytest.mark.parametrize("k", [2, 5])
def test_on_an_affine_model_it_ends_at_the_boundary(kind, norm, k):
    """Oracle 6."""
    model = affine(k, 30)
    x, y = samples(model, 60, (30,))
    result = run(start(model, x, y, kind(norm=norm, goal="untargeted", steps=60), seed=0, bounds=None))
    ratio = result.norm / nearest_boundary(model, x, y, norm)
    assert result.success.all() and ratio.min() > 1 - 1e-5
    assert ratio.max() < 1.006


@pytest.mark.parametrize("norm", ["Linf", "L2"])
def test_towards_a_target_on_an_affine_model_it_ends_at_the_region_of_the_target(norm):
    """With 2 classes the region is a half space; with more no point nearer than the target's own boundary counts."""
    for k in (2, 4):
        model = affine(k, 30)
        x, y = samples(model, 40, (30,))
        target = (y + 1) % k
        result = run(start(model, x, y, FabSpec(norm=norm, goal="next"), seed=0, bounds=None, target=target))
        assert result.success.all() and torch.equal(result.prediction, target)
        weight, logits = model.weight.detach(), model(x).detach()
        slope = torch.linalg.vector_norm(weight[target] - weight[y], DUAL[norm], dim=1)
        least = (logits.gather(1, y[:, None]) - logits.gather(1, target[:, None]))[:, 0] / slope
        ratio = result.norm / least
        assert ratio.min() > 1 - 1e-5
        assert ratio.max() < 1.006 if k == 2 else ratio.median() < 1.1


@every_norm
def test_a_box_makes_it_go_further_but_never_leave(norm):
    model = affine(4, 30)
    x, y = samples(model, 60, (30,))
    free = run(start(model, x, y, FabSpec(norm=norm), seed=0, bounds=None))
    boxed = run(start(model, x, y, FabSpec(norm=norm), seed=0, bounds=(0, 1)))
    assert boxed.x_adv.min() >= 0 and boxed.x_adv.max() <= 1
    both = free.success & boxed.success
    assert both.sum() > 30 and (boxed.norm[both] >= nearest_boundary(model, x, y, norm)[both] * (1 - 1e-5)).all()
    assert boxed.norm[both].mean() > free.norm[both].mean()


@every_kind
@every_norm
def test_more_restarts_break_no_fewer_and_end_no_further(kind, norm):
    model = network((12,))
    x, y = samples(model, 40, (12,))
    found = [run(start(model, x, y, kind(norm=norm, steps=15, restarts=r), seed=0, bounds=(0, 1))) for r in (1, 3)]
    assert (found[0].success <= found[1].success).all() and found[0].success.any()
    both = found[0].success
    assert (found[1].norm[both] <= found[0].norm[both]).all()
    assert found[1].norm[both].mean() < found[0].norm[both].mean()


@every_norm
def test_each_class_in_turn_is_no_worse_than_the_nearest_boundary_at_each_step(norm):
    model = network((12,))
    x, y = samples(model, 60, (12,))
    one = run(start(model, x, y, FabSpec(norm=norm, steps=40), seed=0, bounds=(0, 1)))
    each = run(start(model, x, y, FabTargetedSpec(norm=norm, steps=40), seed=0, bounds=(0, 1)))
    assert (one.success <= each.success).all()
    assert each.norm[one.success].mean() <= one.norm[one.success].mean() * 1.001


# --- what holds for every point ------------------------------------------------------------------------------------


@every_kind
@every_norm
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_every_iterate_is_in_the_box_whatever_the_shape_and_the_bounds(kind, norm, shape):
    model = network(shape)
    per_channel = ([0.1 * c for c in range(shape[0])], [1 + 0.1 * c for c in range(shape[0])])
    broken = 0
    for n, bounds in ((5, (0.0, 1.0)), (1, None), (3, per_channel)):
        x, y = samples(model, n, shape)
        lower, upper = (-torch.inf, torch.inf) if bounds is None else (torch.as_tensor(b) for b in bounds)
        if bounds is per_channel:
            lower, upper = (b.reshape(-1, *[1] * (len(shape) - 1)) for b in (lower, upper))
            x = x.clamp(lower, upper)
        attack = start(model, x, y, kind(norm=norm, steps=10, restarts=2), seed=0, bounds=bounds)
        for iterate in attack:
            assert iterate.x_adv.shape == x.shape and iterate.x_adv.isfinite().all()
            assert ((iterate.x_adv >= lower) & (iterate.x_adv <= upper)).all()
        result = attack.result()
        assert not result.invalid.any() and result.disagreements == 0
        broken += int(result.success.sum())
        assert torch.equal(
            result.norm[~result.success].isfinite(), torch.ones_like(result.norm[~result.success]).bool()
        )
        torch.testing.assert_close(result.norm, size(result.x_adv - x, norm))
    assert broken > 0 or shape == (1, 1, 1)


@every_kind
@every_norm
def test_results_do_not_depend_on_the_batch_nor_on_batch_mates(kind, norm):
    """Oracle 13, in float64, where the rounding of a sum over another batch is small; with 9 rows a pass at most."""
    shape = (2, 4, 4)
    model = network(shape).double()
    x, y = samples(network(shape), 20, shape)
    spec = kind(norm=norm, steps=12, restarts=2)
    whole, split, few = (
        run(start(model, x[:n].double(), y[:n], spec, seed=3, bounds=(0, 1), batch=b))
        for n, b in ((20, 20), (20, 9), (8, 8))
    )
    assert whole.success.any()
    for other, n in ((split, 20), (few, 8)):
        assert torch.equal(other.success, whole.success[:n])
        torch.testing.assert_close(other.norm, whole.norm[:n], rtol=1e-6, atol=1e-9)
        assert torch.equal(other.gradients, whole.gradients[:n]) and torch.equal(other.forwards, whole.forwards[:n])


@every_kind
@every_norm
def test_a_model_without_a_gradient_direction_makes_no_nan(kind, norm):
    class Flat(nn.Module):
        def forward(self, x):
            return x.flatten(1).sum(1, keepdim=True) * torch.zeros(4)

    x, y = torch.rand(5, 1, 4, 4, generator=torch.Generator().manual_seed(0)), torch.zeros(5, dtype=torch.int64)
    attack = start(Flat(), x, y, kind(norm=norm, steps=4, restarts=2), seed=0, bounds=(0, 1))
    assert all(iterate.x_adv.isfinite().all() and iterate.loss.isfinite().all() for iterate in attack)
    assert not attack.result().success.any() and not attack.result().invalid.any()


def test_a_sample_that_is_wrong_already_is_left_as_it_is():
    model = network((12,))
    x, y = samples(model, 20, (12,))
    y[:7] = (y[:7] + 1) % 4
    result = run(start(model, x, y, FabTargetedSpec(steps=5), seed=0, bounds=(0, 1)))
    assert torch.equal(result.x_adv[:7], x[:7]) and (result.norm[:7] == 0).all() and result.success[:7].all()
    assert (result.forwards[:7] == 1).all() and (result.forwards[7:] > 1).all()


# --- what it costs ---------------------------------------------------------------------------------------------------


def test_a_step_costs_one_look_and_a_gradient_for_each_other_class():
    model = network((12,), k=5)
    x, y = samples(model, 10, (12,))
    result = run(start(model, x, y, FabSpec(steps=8), seed=0, bounds=(0, 1)))
    assert (result.gradients == 8 * 4).all()
    # the clean sample, the steps, their end, and three last looks where there is a success
    assert torch.equal(result.forwards, 1 + 8 + 1 + 3 * result.success.long())
    target = (y + 1) % 5
    result = run(start(model, x, y, FabSpec(steps=8, goal="next"), seed=0, bounds=(0, 1), target=target))
    assert (result.gradients == 8).all()


@pytest.mark.parametrize(("classes", "tried"), [(1, 1), (3, 3), (9, 4)])
def test_of_few_classes_all_are_tried(classes, tried):
    model = network((12,), k=5)
    x, y = samples(model, 10, (12,))
    result = run(start(model, x, y, FabTargetedSpec(steps=8, n_target_classes=classes), seed=0, bounds=(0, 1)))
    assert (result.gradients == 8 * tried).all()


def test_classes_side_by_side_are_classes_one_after_another(monkeypatch):
    model = network((12,), k=5).double()
    x, y = samples(network((12,), k=5), 30, (12,))
    found = []
    for values in (4096, 24, 1):  # 4, 2 and 1 at a time
        monkeypatch.setattr("engine.attacks.fab.VALUES", values)
        found.append(run(start(model, x.double(), y, FabTargetedSpec(steps=20), seed=0, bounds=(0, 1))))
    for other in found[1:]:
        assert torch.equal(other.success, found[0].success) and torch.equal(other.gradients, found[0].gradients)
        torch.testing.assert_close(other.norm, found[0].norm, rtol=1e-3, atol=0)  # last looks come at other times


class Halved(torch.autograd.Function):
    """An operation that knows no backward pass of several values at once."""

    generate_vmap_rule = False

    @staticmethod
    def forward(ctx, x):
        return x / 2

    @staticmethod
    def backward(ctx, gradient):
        return torch.from_numpy(gradient.numpy() / 2)


class WithHalved(nn.Module):
    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        return Halved.apply(self.inner(x))


def test_gradients_of_all_classes_at_once_are_gradients_one_by_one():
    plain = network((12,), k=5)
    x, y = samples(plain, 10, (12,))
    spec = FabSpec(norm="L2", steps=10)
    at_once, one_by_one = (run(start(m, x, y, spec, seed=0, bounds=(0, 1))) for m in (plain, WithHalved(plain)))
    assert torch.equal(at_once.gradients, one_by_one.gradients)
    torch.testing.assert_close(at_once.x_adv, one_by_one.x_adv, rtol=0, atol=1e-5)


def test_a_breath_is_never_more_than_two_passes_away():
    model, passes = network((2, 4, 4)), []
    x, y = samples(model, 6, (2, 4, 4))
    model.register_forward_hook(lambda *_: passes.append(None))
    for spec in (FabSpec(steps=5, restarts=2), FabTargetedSpec(steps=5)):
        for _ in start(model, x, y, spec, seed=0, bounds=(0, 1), batch=4).events():
            assert len(passes) <= 2
            passes.clear()


# --- what is refused ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        (FabTargetedSpec, {"goal": "next"}),
        (FabSpec, {"norm": "L0"}),
        (FabSpec, {"steps": 0}),
        (FabSpec, {"eta": 0.9}),
        (FabSpec, {"beta": 1.0}),
        (FabSpec, {"alpha_max": 1.5}),
        (FabTargetedSpec, {"n_target_classes": 0}),
    ],
)
def test_settings_that_make_no_sense_are_refused(kind, settings):
    with pytest.raises(ValidationError):
        kind(**settings)


def test_a_targeted_goal_chooses_its_targets_like_every_attack():
    model = network((12,))
    x, y = samples(model, 20, (12,))
    for goal in ("next", "random", "least-likely"):
        target = choose_targets(model, x, y, goal, 4, 0)
        result = run(start(model, x, y, FabSpec(goal=goal, steps=30), seed=0, bounds=None, target=target))
        assert torch.equal(result.prediction[result.success], target[result.success]) and result.success.any()
