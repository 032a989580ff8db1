"""What attacks for the smallest perturbation promise besides exact distances."""

from itertools import pairwise

import pytest
import torch
from minimal_norm import affine, attacked, network, samples
from pydantic import ValidationError
from torch import nn

from engine.attacks import Iterate, choose_targets, start
from engine.attacks.tools.norms import sizes
from engine.specs import CarliniWagnerSpec, DdnSpec, DeepFoolSpec, EadSpec, FmnSpec

SPECS = [
    DeepFoolSpec(),
    DeepFoolSpec(norm="Linf"),
    CarliniWagnerSpec(goal="untargeted", steps=40, searches=5, initial_const=0.1, learning_rate=0.05),
    DdnSpec(goal="untargeted", steps=30),
    *[FmnSpec(goal="untargeted", norm=norm, steps=30) for norm in ("L0", "L1", "L2", "Linf")],
    EadSpec(goal="untargeted", steps=40, searches=5, initial_const=0.1),
    EadSpec(goal="untargeted", steps=40, searches=5, initial_const=0.1, rule="L1", fista=False),
]
NAMES = [f"{s.method}-{s.norm}-{i}" for i, s in enumerate(SPECS)]
TARGETED = [s.model_copy(update={"goal": "random"}) for s in SPECS if s.method != "deepfool"]


def changed(spec, **fields):
    return spec.model_copy(update=fields)


@pytest.mark.parametrize("spec", SPECS, ids=NAMES)
@pytest.mark.parametrize("shape", [(7,), (1, 4, 4), (3, 2, 5), (1, 1, 6)])
@pytest.mark.parametrize("bounds", [(0, 1), None])
def test_successes_are_wrong_classes_at_the_distance_told(spec, shape, bounds):
    model = network(shape)
    x, y = samples(model, 12, shape)
    result = attacked(model, x, y, spec, bounds=bounds)
    assert torch.equal(result.success, model(result.x_adv).argmax(1) != y) and result.success.any()
    torch.testing.assert_close(result.norm, sizes(result.x_adv, x, spec.norm), rtol=0, atol=0)
    assert (result.smallest[~result.success] == torch.inf).all() and (result.smallest[result.success] > 0).all()
    assert not result.invalid.any() and result.disagreements == 0


@pytest.mark.parametrize("spec", SPECS, ids=NAMES)
def test_every_iterate_lies_in_a_box_that_differs_by_channel(spec):
    low, high = torch.tensor([0.0, -1.0, 0.2]), torch.tensor([1.0, 0.5, 0.4])
    model = network((3, 2, 5))
    unit, _ = samples(model, 12, (3, 2, 5))
    wide = (3, 1, 1)
    x = low.reshape(wide) + unit * (high - low).reshape(wide).double()
    y = model(x).argmax(1)
    running = start(model, x, y, spec, seed=0, bounds=(low.tolist(), high.tolist()))
    moved = 0.0
    for iterate in running:
        assert (iterate.x_adv >= low.reshape(wide)).all() and (iterate.x_adv <= high.reshape(wide)).all()
        moved = max(moved, float((iterate.x_adv - x).abs().max()))
    assert moved > 0.1 and running.result().success.any()


@pytest.mark.parametrize("spec", TARGETED, ids=lambda s: f"{s.method}-{s.norm}")
def test_a_target_is_reached(spec):
    model = network((10,))
    x, y = samples(model, 20, (10,))
    target = choose_targets(model, x, y, "random", 4, 0)
    result = attacked(model, x, y, changed(spec, steps=100), bounds=(-2, 3), target=target)
    assert result.success.double().mean() > 0.7
    assert torch.equal(result.success, result.prediction == target)


@pytest.mark.parametrize("goal", ["next", "random", "least-likely"])
def test_deepfool_refuses_targets(goal):
    with pytest.raises(ValidationError, match="untargeted"):
        DeepFoolSpec(goal=goal)


@pytest.mark.parametrize("spec", SPECS, ids=NAMES)
@pytest.mark.parametrize("batch", [1, 3])
def test_batch_mates_change_neither_success_nor_norm(spec, batch):
    model = network((1, 4, 4))
    x, y = samples(model, 8, (1, 4, 4))
    whole = attacked(model, x, y, spec, batch=64)
    split = attacked(model, x, y, spec, batch=batch)
    assert torch.equal(whole.success, split.success)
    torch.testing.assert_close(whole.norm, split.norm, rtol=1e-6, atol=1e-6)
    assert torch.equal(whole.forwards, split.forwards) and torch.equal(whole.gradients, split.gradients)
    assert torch.equal(whole.first_success, split.first_success)


@pytest.mark.parametrize("spec", SPECS, ids=NAMES)
def test_more_steps_never_lower_success(spec):
    model = network((1, 4, 4))
    x, y = samples(model, 30, (1, 4, 4))
    slow = {"ddn": {"init_norm": 0.02}, "fmn": {"alpha": 0.1}, "ead": {"searches": 3, "learning_rate": 1e-3}}
    spec = changed(spec, **slow.get(spec.method, {}))
    reached = [attacked(model, x, y, changed(spec, steps=steps)).success for steps in (1, 5, 30, 90)]
    for fewer, more in pairwise(reached):
        assert (more | ~fewer).all()
    assert reached[0].sum() < reached[-1].sum()


@pytest.mark.parametrize("norm", ["L0", "L1", "L2", "Linf"])
def test_restarts_of_fmn_never_lose_ground_and_sometimes_gain_some(norm):
    model = network((1, 6, 6), seed=2)
    x, y = samples(model, 40, (1, 6, 6))
    spec = FmnSpec(goal="untargeted", norm=norm, steps=12)
    one, three = (attacked(model, x, y, changed(spec, restarts=r)) for r in (1, 3))
    assert (three.smallest <= one.smallest).all() and (three.smallest < one.smallest).any()
    assert (three.success | ~one.success).all()


@pytest.mark.parametrize("spec", SPECS, ids=NAMES)
def test_refinement_only_brings_points_nearer_and_its_cost_is_counted(spec):
    model = network((1, 4, 4))
    x, y = samples(model, 30, (1, 4, 4))
    plain, fine = (attacked(model, x, y, changed(spec, refine=r)) for r in (0, 6))
    assert torch.equal(plain.success, fine.success) and (fine.smallest <= plain.smallest).all()
    if spec.norm != "L0":
        assert (fine.smallest < plain.smallest).any()
    assert torch.equal(fine.gradients, plain.gradients)
    assert torch.equal(fine.forwards - plain.forwards, torch.where(plain.success, 7, 0))


@pytest.mark.parametrize("spec", SPECS, ids=NAMES)
def test_a_sample_that_is_wrong_already_costs_one_look(spec):
    model = network((10,))
    x, y = samples(model, 8, (10,))
    y = torch.cat([(y[:4] + 1) % 4, y[4:]])
    result = attacked(model, x, y, spec)
    assert torch.equal(result.x_adv[:4], x[:4]) and (result.norm[:4] == 0).all() and result.success[:4].all()
    assert (result.forwards[:4] == 1).all() and (result.gradients[:4] == 0).all()
    assert (result.norm[4:] > 0).all()


class Tied(nn.Module):
    """Classes 0 and 1 have the same score everywhere on the plane x_0 = 0.5, where the samples lie."""

    def forward(self, x):
        slope = 4 * (x[:, :1] - 0.5)
        return torch.cat([-slope, slope, -1 + 0 * slope], 1)


@pytest.mark.parametrize("spec", SPECS, ids=NAMES)
def test_a_sample_on_the_boundary_gets_over_it(spec):
    x, y = torch.full((3, 5), 0.5), torch.zeros(3, dtype=torch.int64)
    result = attacked(Tied(), x, y, spec)
    assert result.success.all() and result.x_adv.isfinite().all()
    assert (result.norm <= (1 if spec.norm == "L0" else 0.3)).all()


@pytest.mark.parametrize("spec", SPECS, ids=NAMES)
def test_where_there_is_no_gradient_a_failure_is_marked_as_one(spec):
    """A saturated model: no step helps, some attacks walk at random."""
    model = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 3)).double()
    with torch.no_grad():
        model[0].weight.fill_(1.0)
        model[0].bias.fill_(-100.0)
        model[2].bias.copy_(torch.tensor([1.0, 0.0, 0.0]))
    x, y = torch.rand(5, 4, dtype=torch.float64), torch.zeros(5, dtype=torch.int64)
    for bounds in ((0, 1), None):
        result = attacked(model, x, y, spec, bounds=bounds)
        assert not result.success.any() and result.smallest.isinf().all()
        assert result.x_adv.isfinite().all() and not result.invalid.any()


@pytest.mark.parametrize("spec", SPECS, ids=NAMES)
def test_a_nearly_saturated_model_is_not_blown_up(spec):
    """Its gradients are of the order 1e-20: a linear step would be astronomically long."""
    model = nn.Sequential(nn.Linear(4, 3, bias=False), nn.Softmax(1)).double()
    with torch.no_grad():
        model[0].weight.copy_(torch.tensor([[30.0] * 4, [-30.0] * 4, [0.0] * 4]))
    x, y = torch.rand(5, 4, dtype=torch.float64) * 0.3 + 0.3, torch.zeros(5, dtype=torch.int64)
    for bounds in ((0, 1), None):
        result = attacked(model, x, y, spec, bounds=bounds)
        assert result.x_adv.isfinite().all() and result.norm.isfinite().all() and not result.invalid.any()


class Failing(nn.Module):
    """No number for samples whose first value is above 0.8."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        return self.inner(x) / (x[:, :1] <= 0.8)


@pytest.mark.parametrize("spec", SPECS, ids=NAMES)
def test_an_answer_that_is_no_number_makes_a_sample_invalid_and_harms_no_other(spec):
    inner = network((6,))
    x, y = samples(inner, 20, (6,))
    model, x = Failing(inner), x * 0.6
    x[:5, 0] = 0.9
    y = inner(x).argmax(1)
    result = attacked(model, x, y, spec)
    assert result.invalid[:5].all() and not result.success[:5].any() and result.smallest[:5].isnan().all()
    assert result.success[5:].any() and result.x_adv.isfinite().all()
    alone = attacked(model, x[5:], y[5:], spec)
    assert torch.equal(alone.success, result.success[5:])


@pytest.mark.parametrize("spec", SPECS, ids=NAMES)
def test_little_work_is_done_between_two_moments_at_which_it_can_be_cancelled(spec):
    """At most two forward passes, a pass back counting as one, however many classes there are."""
    inner = network((6,), k=30)
    x, y = samples(inner, 8, (6,))
    passes = []

    class Counted(nn.Module):
        def forward(self, x):
            passes.append(1)
            logits = inner(x)
            if logits.requires_grad:
                logits.register_hook(lambda _: passes.append(1))
            return logits

    model = Counted()
    running = start(model, x, y, changed(spec, refine=3), seed=0, bounds=(0, 1), batch=8)
    most, seen = 0, 0
    for event in running.events():
        most, seen = max(most, len(passes) - seen), len(passes)
        if isinstance(event, Iterate):
            assert event.first(2).shape == (2, 6)
    assert 1 <= most <= 4


@pytest.mark.parametrize("spec", SPECS, ids=NAMES)
def test_closed_early_it_gives_the_nearest_so_far(spec):
    model = network((1, 4, 4))
    x, y = samples(model, 20, (1, 4, 4))
    running = start(model, x, y, spec, seed=0, bounds=(0, 1))
    seen = []
    for iterate in running:
        seen.append(torch.where(iterate.success, sizes(iterate.x_adv, x, spec.norm), torch.inf))
        torch.testing.assert_close(iterate.smallest, running._board.smallest, equal_nan=True)
        if len(seen) == 12:
            break
    running.close()
    result = running.result()
    nearest = torch.stack(seen).amin(0)
    assert torch.equal(result.success, nearest.isfinite())
    if not (isinstance(spec, EadSpec) and spec.rule == "EN"):
        torch.testing.assert_close(result.smallest, nearest)


@pytest.mark.parametrize("levels", [2, 16, 256])
def test_ddn_with_levels_gives_points_that_an_image_file_keeps(levels):
    model = network((1, 4, 4))
    x, y = samples(model, 20, (1, 4, 4))
    x = (x * (levels - 1)).round() / (levels - 1)
    y = model(x).argmax(1)
    result = attacked(model, x, y, DdnSpec(goal="untargeted", steps=40, levels=levels))
    steps = result.x_adv * (levels - 1)
    assert result.success.any() and (steps - steps.round()).abs().max() < 1e-9


def test_ddn_walks_at_random_where_there_is_no_gradient_the_same_way_every_time():
    model = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2)).double()
    with torch.no_grad():
        model[0].weight.copy_(torch.eye(3, 4))
        model[0].bias.fill_(-1.0)
        model[2].weight.copy_(torch.tensor([[0.0] * 3, [9.0] * 3]))
        model[2].bias.copy_(torch.tensor([1.0, 0.0]))
    x, y = torch.full((6, 4), 0.5, dtype=torch.float64), torch.zeros(6, dtype=torch.int64)
    spec = DdnSpec(goal="untargeted", steps=60)
    first, again, other = (attacked(model, x, y, spec, bounds=(0, 3), seed=s) for s in (0, 0, 1))
    assert first.success.any() and torch.equal(first.x_adv, again.x_adv) and not torch.equal(first.x_adv, other.x_adv)
    assert len(torch.unique(first.x_adv[:, 0])) > 1  # each sample goes its own way


def test_a_search_for_c_doubles_back_and_aborts_early_without_losing_much():
    model = network((1, 4, 4))
    x, y = samples(model, 30, (1, 4, 4))
    for spec in (
        CarliniWagnerSpec(goal="untargeted", steps=100, learning_rate=0.05),
        EadSpec(goal="untargeted", steps=100),
    ):
        early, full = (attacked(model, x, y, changed(spec, abort_early=a)) for a in (True, False))
        assert torch.equal(early.success, full.success) and early.success.all()
        assert (full.gradients == 9 * 100).all() and (early.gradients < full.gradients).any()
        assert early.norm.median() <= 1.05 * full.norm.median()


def test_few_of_many_classes_are_enough_for_deepfool_and_each_costs_a_backward_pass():
    model = affine(30, 10)
    x, y = samples(model, 20, (10,))
    few, all_of_them = (attacked(model, x, y, DeepFoolSpec(candidates=c), bounds=None) for c in (4, 30))
    assert few.success.all() and (few.gradients % 3 == 0).all() and (all_of_them.gradients % 29 == 0).all()
    assert (few.gradients < all_of_them.gradients).all()
    assert (few.norm >= all_of_them.norm - 1e-9).all()


@pytest.mark.parametrize("norm", ["Linf", "L2", "L1", "L0"])
def test_a_restart_of_fmn_goes_on_from_the_best_success_and_finds_nearer_ones(norm):
    """It begins at a success, whose norm is the ball's first radius, never 0, with steps that are long again."""
    model = network((3, 4, 4))
    x, y = samples(model, 40, (3, 4, 4))
    spec = FmnSpec(goal="untargeted", norm=norm, steps=8, refine=0)
    once, twice = (attacked(model, x, y, changed(spec, restarts=r)) for r in (1, 3))
    assert (twice.gradients == 3 * once.gradients).all() and once.success.any()
    assert (twice.smallest <= once.smallest).all()
    room = once.success & (once.norm > 1) if norm == "L0" else once.success  # one value is the least there is
    assert (twice.smallest[room] < once.smallest[room]).double().mean() > 0.3
