"""Auto-PGD against what its papers say, written out sample by sample, and against exact minimal distances."""

import itertools

import pytest
import torch
from torch import nn

from engine.attacks import run, start
from engine.attacks.apgd import checkpoints_of, likeliest_others
from engine.attacks.apgd_l1 import phases_of
from engine.attacks.tools.climb import loss_of
from engine.attacks.tools.losses import cross_entropy, dlr, targeted_dlr
from engine.attacks.tools.projections import L1Ball, box_of
from engine.specs import ApgdSpec


def affine(k, d, seed=0):
    model = nn.Linear(d, k).double()
    draw = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        model.weight.copy_(torch.randn(k, d, generator=draw))
        model.bias.copy_(0.3 * torch.randn(k, generator=draw))
    return model.eval()


def network(k=4, d=12, seed=0):
    draw = torch.Generator().manual_seed(seed)
    model = nn.Sequential(nn.Linear(d, 24), nn.Tanh(), nn.Linear(24, k)).double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=draw))
    return model.eval()


def samples(model, n, d, seed=1):
    x = torch.rand(n, d, generator=torch.Generator().manual_seed(seed)).double()
    return x, model(x).argmax(1)


def untargeted(**settings):
    return ApgdSpec(goal="untargeted", **settings)


# --- the step rule -----------------------------------------------------------------------------------------------


def test_of_100_steps_the_checkpoints_are_those_of_the_paper():
    """Oracle 11."""
    assert sorted(checkpoints_of(100)) == [22, 41, 57, 70, 80, 87, 93, 99]


@pytest.mark.parametrize("steps", [1, 2, 3, 7, 10, 20, 33, 1000])
def test_checkpoints_rise_and_lie_inside(steps):
    found = sorted(checkpoints_of(steps))
    assert all(0 < step < steps for step in found) and (found or steps == 1)
    windows = [b - a for a, b in zip([0, *found], found, strict=False)]
    assert all(a >= b >= 1 for a, b in itertools.pairwise(windows))


def climbed(model, x, y, eps, norm, start_at, steps, box):
    """Algorithm 1 of the paper for one sample, in its words: all iterates."""

    def project(z):
        if norm == "Linf":
            z = x + (z - x).clamp(-eps, eps)
        else:
            z = x + (z - x) * min(1.0, eps / max((z - x).norm().item(), 1e-30))
        return z.clamp(0, 1) if box else z

    def ask(z):
        leaf = z.clone().requires_grad_()
        loss = nn.functional.cross_entropy(model(leaf[None]), y[None])
        return loss.item(), torch.autograd.grad(loss, leaf)[0]

    def towards(g):
        return g.sign() if norm == "Linf" else g / g.norm().clamp_min(1e-300)

    points, size = [start_at], 2 * eps
    loss, gradient = ask(start_at)
    losses, best = [loss], (loss, start_at, gradient)
    halved_before, best_before, last = True, loss, 0
    now, before = start_at, start_at
    for k in range(steps):
        if k in checkpoints_of(steps):
            rises = sum(losses[i + 1] > losses[i] for i in range(last, k))
            halve = rises <= 0.75 * (k - last) or (not halved_before and best[0] == best_before)
            if halve:
                size, now, gradient = size / 2, best[1], best[2]
            halved_before, best_before, last = halve, best[0], k
        z = project(now + size * towards(gradient))
        new = z if k == 0 else project(now + 0.75 * (z - now) + 0.25 * (now - before))
        before, now = now, new
        loss, gradient = ask(now)
        losses.append(loss)
        if loss > best[0]:
            best = (loss, now, gradient)
        points.append(now)
    return [*points[:-1], best[1]]


@pytest.mark.parametrize("norm", ["Linf", "L2"])
@pytest.mark.parametrize("box", [True, False])
def test_each_iterate_is_the_one_that_the_paper_s_algorithm_gives(norm, box):
    model = network()
    x, y = samples(model, 8, 12)
    eps, steps = {"Linf": 0.1, "L2": 0.3}[norm], 40
    spec = untargeted(norm=norm, eps=eps, steps=steps, stop=False)
    iterates = list(start(model, x, y, spec, seed=0, bounds=(0, 1) if box else None))
    assert [i.step for i in iterates] == list(range(steps + 1))
    for i in range(len(x)):
        expected = climbed(model, x[i], y[i], eps, norm, iterates[0].x_adv[i], steps, box)
        found = torch.stack([iterate.x_adv[i] for iterate in iterates])
        torch.testing.assert_close(found, torch.stack(expected), rtol=0, atol=1e-5)


@pytest.mark.parametrize("norm", ["Linf", "L2"])
def test_the_first_step_is_twice_the_radius(norm):
    """Oracle 11: in L-inf it reaches a corner of the ball, wherever it began."""
    model = network()
    x, y = samples(model, 10, 12)
    first, second, *_ = start(model, x, y, untargeted(norm=norm, eps=0.01, steps=2, stop=False), seed=0, bounds=None)
    leaf = first.x_adv.clone().requires_grad_()
    gradient = torch.autograd.grad(nn.functional.cross_entropy(model(leaf), y, reduction="sum"), leaf)[0]
    if norm == "Linf":
        expected = x + 0.01 * gradient.sign()
    else:
        away = first.x_adv + 0.02 * gradient / gradient.norm(dim=1, keepdim=True) - x
        expected = x + 0.01 * away / away.norm(dim=1, keepdim=True)
    torch.testing.assert_close(second.x_adv, expected, rtol=0, atol=1e-9)


LOSSES = {"ce": cross_entropy, "dlr": dlr}


@pytest.mark.parametrize("norm", ["Linf", "L2", "L1"])
@pytest.mark.parametrize("name", LOSSES)
def test_the_best_loss_never_falls_and_is_where_a_restart_ends(norm, name):
    """Oracle 11, of points in the ball: in L1 the search begins outside it."""
    model = network()
    x, y = samples(model, 30, 12)
    spec = untargeted(norm=norm, eps={"Linf": 0.03, "L2": 0.1, "L1": 0.3}[norm], steps=50, stop=False, loss=name)
    iterates = [i for i in start(model, x, y, spec, seed=0, bounds=(0, 1)) if i.step >= 30]
    losses = [LOSSES[name](i.logits, y, None) for i in iterates]
    best, last = torch.stack(losses).max(0), iterates[-1]
    success = torch.stack([i.success for i in iterates])[best.indices, torch.arange(30)]
    torch.testing.assert_close(losses[-1], best.values)
    assert (last.success >= success).all()
    assert (torch.stack(losses).diff(dim=0) < 0).any(), "the loss never fell, so this says nothing"


def test_a_sample_that_stops_at_its_first_success_takes_the_same_way_until_then():
    model = network()
    x, y = samples(model, 60, 12)
    settings = {"eps": 0.05, "steps": 40}
    all_the_way = run(start(model, x, y, untargeted(stop=False, **settings), seed=0, bounds=(0, 1)))
    stopped = run(start(model, x, y, untargeted(**settings), seed=0, bounds=(0, 1)))
    assert torch.equal(stopped.success, all_the_way.success) and 5 < stopped.success.sum() < 55
    assert torch.equal(stopped.first_success, all_the_way.first_success)
    assert (stopped.gradients[stopped.success] == stopped.first_success[stopped.success] + 1).all()
    assert (all_the_way.gradients == 40).all() and (all_the_way.forwards == 42).all()


# --- exact answers -----------------------------------------------------------------------------------------------


def smallest(model, x, y, dual):
    """Oracle 5: the distance to the nearest other class of an affine model."""
    logits, w = model(x).detach(), model.weight.detach()
    margin = logits.gather(1, y[:, None]) - logits
    norms = torch.linalg.vector_norm(w[y][:, None] - w, dual, dim=2)
    return (margin / norms).scatter(1, y[:, None], torch.inf).amin(1)


@pytest.mark.parametrize(("norm", "dual"), [("Linf", 1), ("L2", 2), ("L1", torch.inf)])
def test_targeted_dlr_is_exact_on_an_affine_model(norm, dual):
    """Oracle 8, with the box inactive."""
    model = affine(6, 20)
    x, y = samples(model, 80, 20)
    needed = smallest(model, x, y, dual)
    eps = needed.median().item()
    result = run(start(model, x, y, untargeted(norm=norm, eps=eps, loss="targeted-dlr"), seed=0, bounds=None))
    clear = (needed / eps - 1).abs() > 2e-3
    assert torch.equal(result.success[clear], (needed < eps)[clear])
    assert clear.sum() > 70 and 30 < result.success.sum() < 50


def test_cross_entropy_is_not_exact_with_more_than_two_classes():
    """Oracle 8: it heads for the likeliest other class where it is, not for the nearest."""
    model = affine(6, 20)
    x, y = samples(model, 300, 20)
    needed = smallest(model, x, y, 1)
    eps = needed.median().item()
    result = run(start(model, x, y, untargeted(eps=eps), seed=0, bounds=None))
    assert not result.success[needed > eps].any()
    assert not result.success[needed < eps * 0.998].all()


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("norm", ["Linf", "L2", "L1"])
def test_targeted_dlr_works_with_two_and_three_classes(classes, norm):
    model = affine(classes, 10)
    x, y = samples(model, 60, 10)
    needed = smallest(model, x, y, {"Linf": 1, "L2": 2, "L1": torch.inf}[norm])
    eps = needed.median().item()
    spec = untargeted(norm=norm, eps=eps, loss="targeted-dlr", steps=60)
    attack = start(model, x, y, spec, seed=0, bounds=None)
    restarts = {iterate.restart for iterate in attack}
    assert restarts == set(range(classes - 1))
    clear = (needed / eps - 1).abs() > 5e-3
    assert torch.equal(attack.result().success[clear], (needed < eps)[clear]) and clear.sum() > 50


@pytest.mark.parametrize("loss", ["ce", "dlr", "targeted-dlr"])
@pytest.mark.parametrize("norm", ["Linf", "L2", "L1"])
def test_with_a_target_in_mind_it_goes_there(norm, loss):
    model = affine(5, 20)
    x, y = samples(model, 60, 20)
    target = (y + 2) % 5
    logits, w = model(x).detach(), model.weight.detach()
    between = logits.gather(1, y[:, None]) - logits.gather(1, target[:, None])
    dual = {"Linf": 1, "L2": 2, "L1": torch.inf}[norm]
    eps = 2 * (between[:, 0] / torch.linalg.vector_norm(w[y] - w[target], dual, dim=1)).max().item()
    spec = ApgdSpec(norm=norm, eps=eps, loss=loss, goal="random", steps=60)
    attack = start(model, x, y, spec, seed=0, bounds=None, target=target)
    assert {iterate.restart for iterate in attack} == {0}
    result = attack.result()
    assert result.success.double().mean() > 0.9
    assert torch.equal(result.prediction[result.success], target[result.success])


# --- restarts and targets ----------------------------------------------------------------------------------------


def test_targets_are_the_other_classes_the_likeliest_first():
    logits = torch.tensor([[3.0, 1.0, 2.0, 0.0], [0.0, 5.0, 5.0, 9.0], [1.0, 1.0, 1.0, 1.0]])
    assert likeliest_others(logits, torch.tensor([0, 1, 2])).tolist() == [[2, 1, 3], [3, 2, 0], [0, 1, 3]]


def test_each_restart_of_targeted_dlr_is_after_its_own_class():
    """A class that only one target leads to is found with as many targets as it takes, and not with fewer."""
    model = nn.Linear(3, 4, bias=False).double()
    with torch.no_grad():
        model.weight.copy_(torch.tensor([[1.0, 0, 0], [-1, 0, 0], [0, 0.1, 0], [0, 0, 9.0]]))
    x, y = torch.tensor([[0.5, 0.4, -1e-3]]).double(), torch.tensor([0])
    assert likeliest_others(model(x), y).tolist() == [[2, 3, 1]]
    for targets, expected in ((1, False), (2, True)):
        spec = untargeted(eps=0.08, loss="targeted-dlr", steps=10, n_target_classes=targets)
        assert bool(run(start(model, x, y, spec, seed=0, bounds=None)).success) is expected


def test_restarts_begin_elsewhere_and_count_on():
    model = network()
    x, y = samples(model, 10, 12)
    spec = untargeted(eps=0.01, steps=3, loss="targeted-dlr", restarts=2, n_target_classes=2, stop=False)
    iterates = list(start(model, x, y, spec, seed=0, bounds=(0, 1)))
    assert [(i.restart, i.step) for i in iterates] == [(r, s) for r in range(4) for s in range(4)]
    starts = [i.x_adv for i in iterates if i.step == 0]
    assert all(not torch.equal(a, b) for n, a in enumerate(starts) for b in starts[:n])


def test_targets_stay_with_their_samples_when_others_leave():
    """What a sample's restarts do does not depend on who has left before."""
    model = network(k=6)
    x, y = samples(model, 150, 12)
    spec = untargeted(eps=0.05, steps=8, loss="targeted-dlr")
    together = run(start(model, x, y, spec, seed=0, bounds=(0, 1)))
    assert 20 < together.success.sum() < 130
    alone = run(start(model, x, y, spec, seed=0, bounds=(0, 1), batch=7))
    assert torch.equal(alone.success, together.success)
    assert torch.equal(alone.first_restart, together.first_restart) and (together.first_restart > 0).any()


def test_an_aim_comes_before_the_goal():
    logits = torch.randn(7, 5, generator=torch.Generator().manual_seed(0))
    y, aim = torch.arange(7) % 5, (torch.arange(7) + 2) % 5
    assert torch.equal(loss_of("targeted-dlr", aim)(logits, y, None), targeted_dlr(logits, y, aim))
    assert torch.equal(loss_of("targeted-dlr", None)(logits, y, aim), targeted_dlr(logits, y, aim))
    assert torch.equal(loss_of("dlr", None)(logits, y, None), dlr(logits, y, None))
    assert torch.equal(loss_of("ce", None)(logits, y, None), cross_entropy(logits, y, None))


# --- L1 ----------------------------------------------------------------------------------------------------------


def test_phases_take_30_30_and_40_percent_of_the_steps():
    assert phases_of(100, larger_balls=True) == [(3, 0, 30), (2, 30, 60), (1, 60, 100)]
    assert phases_of(100, larger_balls=False) == [(1, 0, 100)]
    for steps in (1, 2, 3, 5, 17):
        phases = phases_of(steps, larger_balls=True)
        assert phases[0][1] == 0 and phases[-1][0] == 1 and phases[-1][2] == steps
        assert all(a[2] == b[1] for a, b in itertools.pairwise(phases))
        assert all(end > begin for _, begin, end in phases)


def test_in_l1_the_attack_starts_at_a_projected_normal_draw_and_its_first_step_is_the_radius():
    model = network(d=30)
    x, y = samples(model, 10, 30)
    spec = untargeted(norm="L1", eps=0.5, steps=3, larger_balls=False, stop=False)
    first, second, *_ = start(model, x, y, spec, seed=0, bounds=(0, 1))
    delta = first.x_adv - x
    torch.testing.assert_close(delta.abs().sum(1), torch.full((10,), 0.5).double())
    assert ((delta != 0).sum(1) < 15).all(), "a projection onto a small L1 ball is sparse"
    leaf = first.x_adv.clone().requires_grad_()
    gradient = torch.autograd.grad(nn.functional.cross_entropy(model(leaf), y, reduction="sum"), leaf)[0]
    free = torch.where(gradient > 0, first.x_adv < 1, first.x_adv > 0)
    for i in range(10):  # a fifth of the values, those of the largest gradients that can go on
        chosen = (gradient[i].abs() * free[i]).argsort(descending=True)[:6]
        step = torch.zeros(30).double()
        step[chosen] = 0.5 / 6 * gradient[i, chosen].sign()
        expected = L1Ball(x[i : i + 1], 0.5, box_of((0, 1), x)).project((first.x_adv[i] + step)[None])[0]
        torch.testing.assert_close(second.x_adv[i], expected, rtol=0, atol=1e-9)


def test_in_l1_steps_become_as_sparse_as_the_best_perturbation():
    """Only 3 of 60 values matter; a sparse attack finds them, and spends nothing on the others."""
    model = affine(2, 60)
    with torch.no_grad():
        model.weight[:, 3:] *= 0.02
    x, y = samples(model, 40, 60)
    needed = smallest(model, x, y, torch.inf)
    eps = 1.3 * needed.median().item()
    for larger in (True, False):
        spec = untargeted(norm="L1", eps=eps, steps=100, larger_balls=larger, stop=False)
        result = run(start(model, x, y, spec, seed=0, bounds=None))
        spent = (result.x_adv - x).abs()
        assert (spent[:, :3].sum(1) > 0.98 * eps).double().mean() > 0.95
        clear = (needed / eps - 1).abs() > 0.01
        assert torch.equal(result.success[clear], (needed < eps)[clear]) and clear.sum() > 30


def test_points_of_larger_balls_are_shown_projected():
    model = network(d=30)
    x, y = samples(model, 10, 30)
    spec = untargeted(norm="L1", eps=0.1, steps=50, stop=False)
    iterates = list(start(model, x, y, spec, seed=0, bounds=(0, 1)))
    assert [i.step for i in iterates] == [0, 5, 10, 15, 20, 25, *range(30, 51)]
    for iterate in iterates:
        assert ((iterate.x_adv - x).abs().sum(1) <= 0.1 * (1 + 1e-6)).all()
