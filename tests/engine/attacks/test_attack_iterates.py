"""What holds for every iterate and every result: the ball, the box, the counting, the best, the seeds, the batches."""

from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from engine.attacks import Iterate, run, start
from engine.attacks.core import precision
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
    model = network(shape)
    y = model(x).argmax(1)  # right from the start, or there would be nothing to do
    spec = PgdSpec(norm=norm, goal="untargeted", eps=eps, alpha=alpha, steps=4, random_start=random_start, stop=False)
    count = 0
    for iterate in start(model, x, y, spec, seed=seed, bounds=(0, 1) if boxed else None):
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
    x, _ = samples(20, (12,))
    model = network((12,))
    y = model(x).argmax(1)
    for norm in ("Linf", "L2"):
        spec = PgdSpec(norm=norm, goal="untargeted", eps=0.3, alpha=0.1, steps=10, stop=False)
        result = run(start(model, x, y, spec, seed=0, bounds=None))
        assert (result.norm > 0.29).double().mean() > 0.9 and (result.norm <= 0.3 + 1e-6).all()


def test_iterates_count_restarts_and_steps_and_describe_themselves():
    x, _ = samples(10, (12,))
    model = network((12,))
    y = model(x).argmax(1)
    spec = PgdSpec(goal="untargeted", eps=0.1, alpha=0.05, steps=3, restarts=2, stop=False)
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
        torch.testing.assert_close(a.x_adv, b.x_adv, rtol=0, atol=1e-5)  # sums are taken in another order
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
    x, _ = samples(5, (12,))
    model = network((12,))
    y = model(x).argmax(1)
    spec = PgdSpec(goal="untargeted", steps=2, restarts=2, stop=False)
    a, b, c = (list(start(model, x, y, spec, seed=s, bounds=(0, 1))) for s in (1, 1, 2))
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
    x, _ = samples(60, (12,))
    model = network((12,))
    y = model(x).argmax(1)
    target = None if goal == "untargeted" else (y + 1) % 4
    spec = PgdSpec(goal=goal, eps=0.05, alpha=0.02, steps=5, restarts=3, stop=False)
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
        ends = [i for i in iterates if i.step == 5 and bool(i.success[n]) == bool(result.success[n])]
        if ends:
            best = min(ends, key=lambda i: i.margin[n].item())
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
    spec = PgdSpec(norm="Linf", goal="untargeted", eps=1.0, alpha=0.4, steps=3, random_start=False, stop=False)
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


def test_no_more_than_two_looks_at_the_model_pass_between_two_events_and_verification_is_among_them():
    """So that a cancel is quick however many samples there are."""
    x, _ = samples(10, (12,))
    model, spec = network((12,)), PgdSpec(goal="untargeted", eps=0.1, steps=2, stop=False)
    y = model(x).argmax(1)
    attack = start(model, x, y, spec, seed=0, bounds=(0, 1), batch=4)
    calls, between = [], []
    model.register_forward_hook(lambda *_: calls.append(1))
    kinds = ""
    for event in attack.events():
        kinds += "I" if isinstance(event, Iterate) else "w"
        between.append(len(calls))
        calls.clear()
    assert kinds.count("I") == 3 and kinds.startswith("www") and max(between) == 1
    assert sum(between) >= 3 * (1 + 3 + 1) and isinstance(attack.result().success, torch.Tensor)
    assert not calls  # the verification was done while iterating


def test_a_closed_attack_gives_the_best_so_far():
    x, _ = samples(10, (12,))
    model = network((12,))
    y = model(x).argmax(1)
    attack = start(
        model, x, y, PgdSpec(goal="untargeted", eps=0.3, steps=50, stop=False), seed=0, bounds=(0, 1), batch=4
    )
    with pytest.raises(RuntimeError, match="before its first iterate"):
        attack.result()
    seen = [next(attack) for _ in range(4)]
    attack.close()
    assert list(attack) == []
    result = attack.result()
    assert torch.equal(result.success, torch.stack([i.success for i in seen]).any(0))
    assert (result.loss >= seen[0].loss - 1e-5).all() or result.success.any()


def test_samples_rest_at_their_first_success_unless_told_otherwise():
    """The active set: nothing is lost, much is saved."""
    x, _ = samples(60, (12,))
    model = network((12,))
    y = model(x).argmax(1)
    spec = PgdSpec(goal="untargeted", eps=0.05, alpha=0.01, steps=10)
    rest, on = (
        run(start(model, x, y, spec.model_copy(update={"stop": s}), seed=0, bounds=(0, 1))) for s in (True, False)
    )
    assert torch.equal(rest.success, on.success) and torch.equal(rest.first_success, on.first_success)
    assert 10 < rest.success.sum() < 60
    spent = torch.where(rest.success, rest.first_success + 1, 11)
    assert torch.equal(rest.forwards, spent + 1)  # and one look at the clean sample
    assert (on.forwards == 12).all() and (on.gradients == 10).all()
    assert (on.margin[on.success] <= rest.margin[rest.success] + 1e-5).double().mean() > 0.8


def test_a_sample_already_misclassified_is_returned_unchanged():
    x, y = samples(40, (12,))
    model = network((12,))
    wrong = model(x).argmax(1) != y
    for stop in (True, False):
        result = run(start(model, x, y, PgdSpec(goal="untargeted", eps=0.1, steps=4, stop=stop), seed=0, bounds=(0, 1)))
        assert torch.equal(result.x_adv[wrong], x[wrong]) and (result.norm[wrong] == 0).all() and wrong.sum() > 5
        assert (result.forwards[wrong] == 1).all() and (result.gradients[wrong] == 0).all()
        assert result.success[wrong].all() and not torch.equal(result.x_adv, x)


def test_samples_that_all_need_no_attack_still_give_one_iterate():
    x, _ = samples(5, (12,))
    model = network((12,))
    (only,) = start(model, x, (model(x).argmax(1) + 1) % 4, FgsmSpec(goal="untargeted"), seed=0, bounds=(0, 1))
    assert only.success.all() and torch.equal(only.x_adv, x) and only.fraction == 1


def test_an_iterate_from_events_is_lost_once_the_attack_goes_on_unless_kept():
    x, _ = samples(8, (12,))
    model = network((12,))
    y = model(x).argmax(1)
    attack = start(model, x, y, PgdSpec(goal="untargeted", eps=0.01, steps=3), seed=0, bounds=(0, 1))
    first, second = [i for i in attack.events() if isinstance(i, Iterate) and (i.step or i.keep())][:2]
    assert first.x_adv.shape == x.shape
    with pytest.raises(RuntimeError, match="gone on"):
        second.x_adv  # noqa: B018


def test_the_first_rows_alone_are_those_of_the_whole():
    x, _ = samples(20, (12,))
    model = network((12,))
    y = model(x).argmax(1)
    for iterate in start(
        model, x, y, PgdSpec(goal="untargeted", eps=0.1, steps=6), seed=0, bounds=(0, 1), batch=7
    ).events():
        if isinstance(iterate, Iterate):
            assert torch.equal(iterate.first(9), iterate.x_adv[:9])


def test_the_trajectory_holds_what_each_iterate_said():
    x, _ = samples(20, (12,))
    model = network((12,))
    y = model(x).argmax(1)
    attack = start(
        model, x, y, PgdSpec(goal="untargeted", eps=0.06, alpha=0.02, steps=6), seed=0, bounds=(0, 1), batch=7
    )
    iterates = list(attack)
    trajectory = attack.result().trajectory
    assert trajectory.step.tolist() == list(range(len(iterates)))
    for name in ("loss", "confidence", "margin"):
        torch.testing.assert_close(getattr(trajectory, name), torch.stack([getattr(i, name) for i in iterates]))


class Rounding(nn.Module):
    """Class 1 from 0.4985 on, a little above the 127th of 255 levels."""

    def forward(self, x):
        return torch.cat([0.4985 - x, x - 0.4985], 1)


def test_successes_are_looked_at_again_after_rounding_to_8_bits():
    """0.4987 is written as 127 / 255 = 0.4980, where it is class 0 again; 0.503 as 128 / 255."""
    x, y = torch.tensor([[0.49], [0.494], [0.3]]), torch.tensor([0, 0, 0])
    spec = PgdSpec(goal="untargeted", eps=0.0087, alpha=0.0087, steps=1, random_start=False)
    result = run(start(Rounding(), x, y, spec, seed=0, bounds=(0, 1)))
    assert result.success.tolist() == [True, True, False]
    assert result.success_8bit.tolist() == [False, True, False]
    unbounded = run(start(Rounding(), x, y, spec, seed=0, bounds=None))
    assert unbounded.success_8bit.tolist() == [True, True, False]  # no range, no file of images


@pytest.mark.skipif(
    not precision.computes_bfloat16(nn.Linear(4, 2), torch.zeros(1, 4)), reason="the processor multiplies no bfloat16"
)
@pytest.mark.parametrize("stop", [True, False])
def test_a_success_in_bfloat16_counts_only_if_float32_agrees(stop):
    x, _ = samples(200, (12,))
    model = network((12,))
    y = model(x).argmax(1)
    spec = PgdSpec(goal="untargeted", eps=0.03, alpha=0.006, steps=15, stop=stop)
    low = spec.model_copy(update={"precision": "bfloat16"})
    kinds = []
    handle = model[1].register_forward_hook(lambda _module, _inputs, output: kinds.append(output.dtype))
    exact, fast = (run(start(model, x, y, s, seed=0, bounds=(0, 1))) for s in (spec, low))
    handle.remove()
    assert torch.bfloat16 in kinds and torch.float32 in kinds
    assert torch.equal(fast.success, model(fast.x_adv).argmax(1) != y)
    assert torch.equal(fast.first_success >= 0, fast.success)
    assert 30 < exact.success.sum() < 170
    assert fast.success.sum() >= 0.97 * exact.success.sum()
    iterates = list(start(model, x, y, low, seed=0, bounds=(0, 1)))
    seen = torch.stack([model(i.x_adv).argmax(1) != y for i in iterates])
    assert (seen | ~torch.stack([i.success for i in iterates])).all()
