"""What holds for every iterate and every result: the ball, the box, the counting, the best, the seeds, the batches."""

from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from engine.attacks import Iterate, Working, run, start
from engine.specs import FgsmSpec, PgdSpec


def network(shape, k=4, seed=0):
    d = torch.Size(shape).numel()
    model = nn.Sequential(nn.Flatten(), nn.Linear(d, 16), nn.ReLU(), nn.Linear(16, k))
    draw = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=draw))
    return model.eval()


def samples(n, shape, k=4, seed=1):
    draw = torch.Generator().manual_seed(seed)
    return torch.rand(n, *shape, generator=draw), torch.randint(k, (n,), generator=draw)


SHAPES = [(7,), (1, 4, 4), (3, 2, 5), (1, 1, 1), (3, 6, 2)]


@settings(max_examples=60, deadline=None)
@given(
    norm=st.sampled_from(["Linf", "L2"]),
    eps=st.one_of(st.just(0.0), st.floats(1e-4, 3)),
    alpha=st.floats(1e-3, 5),
    shape=st.sampled_from(SHAPES),
    n=st.sampled_from([1, 2, 5]),
    random_start=st.booleans(),
    boxed=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_no_iterate_ever_leaves_the_ball_or_the_box(norm, eps, alpha, shape, n, random_start, boxed, seed):
    x, y = samples(n, shape, seed=seed)
    if not boxed:
        x = 6 * x - 3
    spec = PgdSpec(norm=norm, goal="untargeted", eps=eps, alpha=alpha, steps=4, random_start=random_start)
    count = 0
    for iterate in start(network(shape), x, y, spec, seed=seed, bounds=(0, 1) if boxed else None):
        delta = (iterate.x_adv.double() - x.double()).flatten(1)
        size = delta.abs().amax(1) if norm == "Linf" else delta.norm(dim=1)
        assert iterate.x_adv.shape == x.shape and iterate.x_adv.dtype == torch.float32
        assert size.max() <= eps + 1e-6
        if boxed:
            assert iterate.x_adv.min() >= 0 and iterate.x_adv.max() <= 1
        if eps == 0:
            assert torch.equal(iterate.x_adv, x)
        count += 1
    assert count == 5


def test_large_steps_reach_the_edge_of_the_ball():
    """So that the test above is not met by standing still."""
    x, y = samples(20, (12,))
    for norm in ("Linf", "L2"):
        spec = PgdSpec(norm=norm, goal="untargeted", eps=0.3, alpha=0.1, steps=10)
        result = run(start(network((12,)), x, y, spec, seed=0, bounds=None))
        assert (result.norm > 0.29).double().mean() > 0.9 and (result.norm <= 0.3 + 1e-6).all()


def test_iterates_count_restarts_and_steps_and_describe_themselves():
    x, y = samples(10, (12,))
    model = network((12,))
    spec = PgdSpec(goal="untargeted", eps=0.1, alpha=0.05, steps=3, restarts=2)
    iterates = list(start(model, x, y, spec, seed=0, bounds=(0, 1)))
    assert [(i.restart, i.step, i.steps) for i in iterates] == [(r, s, 3) for r in range(2) for s in range(4)]
    for iterate in iterates:
        logits = model(iterate.x_adv)
        torch.testing.assert_close(iterate.loss, nn.functional.cross_entropy(logits, y, reduction="none"))
        assert torch.equal(iterate.prediction, logits.argmax(1))
        torch.testing.assert_close(iterate.confidence, logits.softmax(1).max(1).values)
        assert torch.equal(iterate.success, iterate.prediction != y)
        assert iterate.active.tolist() == [iterate.step < 3] * 10
        assert not iterate.x_adv.requires_grad and not iterate.loss.requires_grad


def test_iterates_are_not_changed_afterwards():
    x, y = samples(6, (12,))
    attack = start(network((12,)), x, y, PgdSpec(goal="untargeted", steps=5), seed=0, bounds=(0, 1))
    kept = [(i, i.x_adv.clone()) for i in attack]
    assert all(torch.equal(i.x_adv, copy) for i, copy in kept)


@pytest.mark.parametrize("norm", ["Linf", "L2"])
def test_changing_the_callers_tensors_later_changes_nothing(norm):
    x, y = samples(6, (12,))
    model, spec = network((12,)), PgdSpec(norm=norm, goal="untargeted", eps=0.2, alpha=0.1, steps=4)
    expected = run(start(model, x, y, spec, seed=0, bounds=(0, 1))).x_adv
    x_own, y_own = x.clone(), y.clone()
    attack = start(model, x_own, y_own, spec, seed=0, bounds=(0, 1))
    next(attack)
    x_own.zero_()
    y_own.zero_()
    assert torch.equal(run(attack).x_adv, expected)


@pytest.mark.parametrize("norm", ["Linf", "L2"])
@pytest.mark.parametrize("batch", [1, 7, 64])
def test_results_do_not_depend_on_the_batch_split(norm, batch):
    x, y = samples(20, (3, 4, 4))
    model = network((3, 4, 4))
    spec = PgdSpec(norm=norm, goal="untargeted", eps=0.2, alpha=0.05, steps=8)
    whole, split = (list(start(model, x, y, spec, seed=3, bounds=(0, 1), batch=b)) for b in (20, batch))
    for a, b in zip(whole, split, strict=True):
        torch.testing.assert_close(a.x_adv, b.x_adv, rtol=0, atol=1e-6)
        assert torch.equal(a.prediction, b.prediction)


@pytest.mark.parametrize("norm", ["Linf", "L2"])
def test_the_first_eight_of_sixty_four_are_as_eight_alone(norm):
    """Oracle 13: batch mates change nothing, not even the random start."""
    x, y = samples(64, (12,))
    model = network((12,))
    spec = PgdSpec(norm=norm, goal="untargeted", eps=0.3, alpha=0.05, steps=8, restarts=2)
    many = run(start(model, x, y, spec, seed=3, bounds=(0, 1)))
    few = run(start(model, x[:8], y[:8], spec, seed=3, bounds=(0, 1)))
    torch.testing.assert_close(many.x_adv[:8], few.x_adv, rtol=0, atol=1e-6)
    assert torch.equal(many.prediction[:8], few.prediction)
    assert torch.equal(many.first_success[:8], few.first_success)


def test_equal_seeds_give_equal_numbers_and_other_seeds_and_restarts_other_starts():
    x, y = samples(5, (12,))
    spec = PgdSpec(goal="untargeted", steps=2, restarts=2)
    a, b, c = (list(start(network((12,)), x, y, spec, seed=s, bounds=(0, 1))) for s in (1, 1, 2))
    for first, second in zip(a, b, strict=True):
        assert torch.equal(first.x_adv, second.x_adv) and torch.equal(first.loss, second.loss)
    assert not torch.equal(a[0].x_adv, c[0].x_adv)
    assert not torch.equal(a[0].x_adv, a[3].x_adv)
    shifts = a[0].x_adv - x
    assert len(torch.unique(shifts[:, 0])) == 5  # each sample has its own draw


@pytest.mark.parametrize("norm", ["Linf", "L2"])
def test_more_restarts_never_lower_success(norm):
    x, y = samples(200, (12,))
    model = network((12,))
    y = model(x).argmax(1)
    reached = []
    for restarts in (1, 2, 4, 8):
        spec = PgdSpec(norm=norm, goal="untargeted", eps=0.06, alpha=0.06, steps=1, restarts=restarts)
        reached.append(run(start(model, x, y, spec, seed=0, bounds=(0, 1))).success)
    for fewer, more in pairwise(reached):
        assert (more | ~fewer).all()
    assert 0 < reached[0].sum() < reached[-1].sum() < 200


@pytest.mark.parametrize("goal", ["untargeted", "next"])
def test_the_result_is_the_best_end_of_all_restarts_verified(goal):
    x, y = samples(60, (12,))
    model = network((12,))
    target = None if goal == "untargeted" else (y + 1) % 4
    spec = PgdSpec(goal=goal, eps=0.15, alpha=0.05, steps=5, restarts=3)
    attack = start(model, x, y, spec, seed=0, bounds=(0, 1), target=target)
    iterates = list(attack)
    result = attack.result()
    everything = torch.stack([i.success for i in iterates])
    assert torch.equal(result.success, everything.any(0)) and 0 < result.success.sum() < 60
    for n in range(60):
        order = [k for k, i in enumerate(iterates) if i.success[n]]
        first = iterates[order[0]] if order else None
        assert result.first_success[n] == (first.step if first else -1)
        assert result.first_restart[n] == (first.restart if first else -1)
        sign = 1 if goal == "untargeted" else -1
        ends = [i for i in iterates if i.step == 5 and bool(i.success[n]) == bool(result.success[n])]
        if ends:
            best = max(ends, key=lambda i: sign * i.loss[n].item())
            assert torch.equal(result.x_adv[n], best.x_adv[n])
    logits = model(result.x_adv)
    torch.testing.assert_close(
        result.loss, nn.functional.cross_entropy(logits, y if target is None else target, reduction="none")
    )
    assert torch.equal(result.prediction, logits.argmax(1)) and result.disagreements == 0
    torch.testing.assert_close(result.norm, (result.x_adv.double() - x.double()).abs().amax(1), rtol=0, atol=0)


class Bump(nn.Module):
    """Class 1 in a narrow band only, so that large steps jump over it."""

    def forward(self, x):
        inside = (0.3 - (x - 0.5).abs()) * 10
        return torch.cat([-inside, inside], 1)


def test_a_success_on_the_way_is_not_lost_when_the_end_fails():
    spec = PgdSpec(norm="Linf", goal="untargeted", eps=1.0, alpha=0.4, steps=3, random_start=False)
    x, y = torch.tensor([[0.85]]), torch.tensor([0])
    iterates = [(round(i.x_adv.item(), 2), i.success.item()) for i in start(Bump(), x, y, spec, seed=0, bounds=None)]
    assert iterates == [(0.85, False), (0.45, True), (0.85, False), (0.45, True)]
    result = run(start(Bump(), x, y, spec.model_copy(update={"steps": 2}), seed=0, bounds=None))
    assert result.success.item() and result.first_success.item() == 1
    assert result.x_adv.item() == pytest.approx(0.45)


def test_a_misclassified_sample_counts_as_a_success_from_the_start():
    model, (x, _) = network((12,)), samples(5, (12,))
    wrong = (model(x).argmax(1) + 1) % 4
    result = run(start(model, x, wrong, FgsmSpec(goal="untargeted", eps=0.0), seed=0, bounds=(0, 1)))
    assert result.success.all() and (result.first_success == 0).all() and (result.norm == 0).all()


def test_eps_zero_gives_clean_accuracy_and_eps_one_none():
    """Oracle 16, on images in [0, 1]: any image is within 1 of any other."""
    model, (x, y) = network((1, 4, 4)), samples(60, (1, 4, 4))
    correct = (model(x).argmax(1) == y).double().mean()
    nothing = run(start(model, x, y, PgdSpec(goal="untargeted", eps=0, steps=3), seed=0, bounds=(0, 1)))
    assert (~nothing.success).double().mean() == correct and torch.equal(nothing.x_adv, x)
    everything = run(
        start(model, x, y, PgdSpec(goal="untargeted", eps=1, alpha=0.1, steps=30, restarts=3), seed=0, bounds=(0, 1))
    )
    assert everything.success.all()


def test_work_is_announced_between_batches_and_the_verification_is_part_of_it():
    x, y = samples(10, (12,))
    model, spec = network((12,)), PgdSpec(goal="untargeted", eps=0.1, steps=2)
    attack = start(model, x, y, spec, seed=0, bounds=(0, 1), batch=4)
    events = list(attack.events())
    kinds = "".join("I" if isinstance(e, Iterate) else "w" for e in events)
    assert kinds == "wwI" * 3 + "ww"
    assert [(e.step, e.done, e.total) for e in events if isinstance(e, Working)][:4] == [
        (0, 1, 3),
        (0, 2, 3),
        (1, 1, 3),
        (1, 2, 3),
    ]
    calls = []
    model.register_forward_hook(lambda *_: calls.append(1))
    attack.result()
    assert not calls  # the verification was done while iterating


def test_a_closed_attack_gives_the_best_so_far():
    x, y = samples(10, (12,))
    attack = start(network((12,)), x, y, PgdSpec(goal="untargeted", eps=0.3, steps=50), seed=0, bounds=(0, 1), batch=4)
    with pytest.raises(RuntimeError, match="before its first iterate"):
        attack.result()
    seen = [next(attack) for _ in range(4)]
    attack.close()
    assert list(attack) == []
    result = attack.result()
    assert torch.equal(result.success, torch.stack([i.success for i in seen]).any(0))
    assert (result.loss >= seen[0].loss - 1e-5).all() or result.success.any()
