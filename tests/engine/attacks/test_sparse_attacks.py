"""JSMA, sigma-zero, one-pixel and Sparse-RS: few values or pixels, found exactly where that can be known."""

import itertools

import pytest
import torch
from pydantic import ValidationError
from torch import nn

from engine.attacks import choose_targets, run, start
from engine.attacks.sparse_rs import exchanged_at
from engine.attacks.tools.saliency import best_pair, best_single
from engine.generators import drain
from engine.specs import JsmaSpec, OnePixelSpec, SigmaZeroSpec, SparseRsSpec

K = 4


class Affine(nn.Module):
    def __init__(self, weight, bias):
        super().__init__()
        self.weight, self.bias = nn.Parameter(weight), nn.Parameter(bias)

    def forward(self, x):
        return x.flatten(1) @ self.weight.T + self.bias


def random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def uniform(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def network(shape, seed=0):
    d = torch.Size(shape).numel()
    model = nn.Sequential(nn.Flatten(), nn.Linear(d, 16), nn.ReLU(), nn.Linear(16, K))
    draw = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=draw))
    return model.eval()


def attacked(model, x, y, spec, bounds=(0, 1), seed=0, **how):
    target = choose_targets(model, x, y, spec.goal, K, 0)
    return run(start(model, x, y, spec, seed=seed, bounds=bounds, target=target, **how))


def small(kind, goal="untargeted", **more):
    """Each attack at a size that takes no time."""
    sizes = {
        JsmaSpec: {"gamma": 1.0, "direction": "either"},
        SigmaZeroSpec: {"steps": 30},
        OnePixelSpec: {"population": 12, "generations": 6, "pixels": 2},
        SparseRsSpec: {"queries": 60, "pixels": 3},
    }
    return kind(goal=goal, **{**sizes[kind], **more})


KINDS = [JsmaSpec, SigmaZeroSpec, OnePixelSpec, SparseRsSpec]


# --- what holds for all ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(7,), (1, 4, 3), (3, 2, 5), (2, 6), (1, 1, 1), (1,)])
@pytest.mark.parametrize("bounds", [None, (0, 1), "each"])
def test_every_point_keeps_to_the_box_and_to_its_number_of_pixels(kind, shape, bounds):
    x = uniform(5, *shape, seed=3)
    if bounds == "each":
        bounds = (-uniform(*shape, seed=4), 1 + uniform(*shape, seed=5))
    model = network(shape)
    y = model(x).argmax(1)
    for goal in ("untargeted", "random"):
        spec = small(kind, goal)
        target = choose_targets(model, x, y, goal, K, 0)
        seen = 0
        for iterate in start(model, x, y, spec, seed=0, bounds=bounds, target=target):
            seen += 1
            assert iterate.x_adv.isfinite().all() and iterate.logits.isfinite().all()
            if bounds is not None:
                low, high = (torch.as_tensor(edge) for edge in bounds)
                assert (iterate.x_adv >= low).all() and (iterate.x_adv <= high).all()
            if hasattr(spec, "pixels"):
                changed = (iterate.x_adv != x).flatten(1) if len(shape) == 1 else (iterate.x_adv != x).any(1).flatten(1)
                assert (changed.sum(1) <= spec.pixels).all()
        assert seen and not torch.equal(iterate.x_adv, x)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("goal", ["untargeted", "next"])
def test_samples_do_not_depend_on_their_batch_mates(kind, goal):
    """In float64, where what a batch's size does to a sum is too little to lead a chaotic attack elsewhere."""
    shape = (2, 3, 4)
    x, model = uniform(12, *shape, seed=1).double(), network(shape).double()
    y = model(x).argmax(1)
    whole, cut, alone = (
        attacked(model, part, y[: len(part)], small(kind, goal), batch=size)
        for part, size in ((x, 12), (x, 5), (x[:5], 5))
    )
    for other, n in ((cut, 12), (alone, 5)):
        for name in ("success", "norm", "first_success", "forwards", "gradients"):
            assert torch.equal(getattr(whole, name)[:n], getattr(other, name)[:n]), name
        torch.testing.assert_close(whole.x_adv[:n], other.x_adv[:n], rtol=0, atol=1e-6)
    assert whole.success.any()


@pytest.mark.parametrize("kind", KINDS)
def test_each_is_better_than_nothing_and_says_the_truth(kind):
    shape = (1, 5, 5)
    x, model = uniform(40, *shape, seed=2), network(shape)
    y = model(x).argmax(1)
    y[:3] = (y[:3] + 1) % K
    result = attacked(model, x, y, small(kind))
    assert (result.norm[:3] == 0).all() and torch.equal(result.x_adv[:3], x[:3])
    assert result.success[3:].double().mean() > 0.4
    assert torch.equal(model(result.x_adv).argmax(1) != y, result.success)
    assert torch.equal(result.norm, (result.x_adv != x).flatten(1).sum(1).double())
    assert result.disagreements == 0
    again = attacked(model, x, y, small(kind))
    assert torch.equal(result.x_adv, again.x_adv)
    gradient_free = kind in (OnePixelSpec, SparseRsSpec)
    assert kind.gradient_free == gradient_free and (result.gradients[3:] == 0).all() == gradient_free


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("goal", ["untargeted", "next"])
def test_flat_models_and_tied_scores_give_failures_without_nan(kind, goal):
    x = uniform(6, 1, 3, 3)
    y = torch.zeros(6, dtype=torch.int64)
    result = attacked(Affine(torch.zeros(K, 9), torch.tensor([1.0, 1, 0, 1])), x, y, small(kind, goal))
    assert not result.success.any() and result.x_adv.isfinite().all() and not result.invalid.any()


@pytest.mark.parametrize("kind", KINDS)
def test_where_the_model_gives_no_numbers_samples_are_invalid_and_the_others_go_on(kind):
    class Partly(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = network((4,))

        def forward(self, x):
            return torch.where(x[:, :1] == 0.123, torch.nan, self.inner(x))

    model, x = Partly(), uniform(30, 4, seed=8)
    x[::3, 0] = 0.123
    y = model.inner(x).argmax(1)
    result = attacked(model, x, y, small(kind))
    assert result.invalid[::3].all() and result.invalid.sum() == 10 and not result.success[::3].any()
    assert result.success.any()


# --- JSMA --------------------------------------------------------------------------------------------------------


def test_the_best_pair_is_that_of_a_search_through_all_pairs():
    for seed, correlation in itertools.product(range(30), (-1.0, -0.5, 0.0, 0.9, 1.0)):
        a = random(3, 14, seed=seed)
        b = correlation * a + (1 - abs(correlation)) * random(3, 14, seed=100 + seed)
        allowed = uniform(3, 14, seed=200 + seed) < 0.7
        promise, pair = drain(best_pair(a, b, allowed))
        for row in range(3):
            best = 0.0
            for p, q in itertools.combinations(torch.nonzero(allowed[row])[:, 0].tolist(), 2):
                alpha, beta = a[row, p] + a[row, q], b[row, p] + b[row, q]
                if alpha > 0 and beta > 0:
                    best = max(best, float(alpha * beta))
            assert float(promise[row]) == pytest.approx(best, rel=1e-6)
            p, q = pair[row].tolist()
            if best > 0:
                assert p != q and allowed[row, p] and allowed[row, q]
                assert float((a[row, p] + a[row, q]) * (b[row, p] + b[row, q])) == pytest.approx(best, rel=1e-6)


def test_a_pair_among_thousands_that_all_compete_is_found_in_blocks():
    """Entries on a falling line: none excels another, so no shortcut helps."""
    a = torch.linspace(0.1, 1, 2500)[None]
    b = 1.1 - a
    promise, pair = drain(best_pair(a, b, torch.ones_like(a, dtype=torch.bool)))
    assert float(promise) == pytest.approx(1.1**2, rel=1e-4)  # a_p + a_q = b_p + b_q = 1.1
    assert pair[0, 0] != pair[0, 1]


def test_nothing_is_promised_where_nothing_is_allowed_or_all_is_flat():
    a, none = torch.ones(2, 5), torch.zeros(2, 5, dtype=torch.bool)
    zero = torch.zeros(2, 5)
    for values, allowed in ((a, none), (zero, ~none), (-a, ~none)):
        assert (drain(best_pair(values, values, allowed))[0] == 0).all()
        assert (best_single(values, values, allowed)[0] == 0).all()
    one = none.clone()
    one[:, 3] = True
    assert (drain(best_pair(a, a, one))[0] == 0).all(), "there is no pair of one"
    assert (best_single(a, a, one)[1] == 3).all()


@pytest.mark.parametrize("pairs", [False, True])
@pytest.mark.parametrize("direction", ["up", "down"])
def test_on_a_binary_affine_model_it_is_the_greedy_choice_of_the_largest_weights(pairs, direction):
    """z_1 - z_0 = 2 w x + b. Values go from 0 to 1 (down: from 1 to 0), so k of them gain 2 times the k largest weights."""
    w = random(20, seed=5)
    sign = 1 if direction == "up" else -1
    x = torch.zeros(8, 20) if direction == "up" else torch.ones(8, 20)
    ordered = (sign * w).clamp_min(0).sort(descending=True)
    reach = 2 * ordered.values.cumsum(0)
    gaps = torch.linspace(0.3, float(reach[-1]) - 0.1, 8)
    needed = (reach[None] < gaps[:, None]).sum(1) + 1
    y = torch.zeros(8, dtype=torch.int64)
    for k, gap in enumerate(gaps):
        start_value = float((x[k] * 2 * w).sum())
        model = Affine(torch.stack([-w, w]), torch.tensor([float(gap) + start_value, 0.0]))
        spec = JsmaSpec(goal="next", gamma=1, direction=direction, pairs=pairs)
        result = run(start(model, x[k : k + 1], y[:1], spec, seed=0, bounds=(0, 1), target=torch.ones_like(y[:1])))
        count = int(needed[k])
        count += count % 2 if pairs else 0
        assert result.success.all() and int(result.norm) == count
        changed = torch.nonzero(result.x_adv[0] != x[k])[:, 0]
        if count <= int((ordered.values > 0).sum()):
            assert set(changed.tolist()) == set(ordered.indices[:count].tolist())


def test_values_go_either_way_when_they_may():
    w = torch.tensor([3.0, -2.0, 1.0, -0.5])
    model = Affine(torch.stack([-w, w]), torch.tensor([9.5, 0.0]))
    x, y = torch.full((1, 4), 0.5), torch.zeros(1, dtype=torch.int64)
    # the gap 9.5 - 2 w x is 8; each value set to its better end gains |w|, at most 6.5: never enough, but all are moved
    spec = JsmaSpec(goal="untargeted", gamma=1, direction="either")
    result = run(start(model, x, y, spec, seed=0, bounds=(0, 1)))
    assert not result.success.any() and torch.equal(result.x_adv, torch.tensor([[1.0, 0, 1, 0]]))
    up = run(start(model, x, y, spec.model_copy(update={"direction": "up"}), seed=0, bounds=(0, 1)))
    assert torch.equal(up.x_adv, torch.tensor([[1.0, 0.5, 1, 0.5]]))


def test_counting_the_room_prefers_a_value_that_can_go_far():
    w = torch.tensor([1.0, 0.9])
    model = Affine(torch.stack([-w, w]), torch.tensor([3.5, 0.0]))  # gap 3.5 - 2 w x = 1.52
    x, y = torch.tensor([[0.9, 0.1]]), torch.zeros(1, dtype=torch.int64)
    found = {
        weighted: run(
            start(
                model,
                x,
                y,
                JsmaSpec(goal="untargeted", gamma=1, pairs=False, weighted=weighted),
                seed=0,
                bounds=(0, 1),
            )
        )
        for weighted in (False, True)
    }
    assert found[True].norm.item() == 1 and found[False].norm.item() == 2


def test_a_value_at_the_end_of_its_range_but_for_a_hundredth_is_left_alone():
    """As 254 of 255 levels are: no step is wasted on it, however steep its weight."""
    w = torch.tensor([5.0, 1.0, 1.0])
    model = Affine(torch.stack([-w, w]), torch.tensor([11.0, 0.0]))
    x, y = torch.tensor([[0.995, 0.2, 0.3]]), torch.zeros(1, dtype=torch.int64)
    result = run(start(model, x, y, JsmaSpec(goal="untargeted", gamma=0.5), seed=0, bounds=(0, 1)))
    assert result.success.all() and torch.equal(result.x_adv, torch.tensor([[0.995, 1.0, 1.0]]))


def test_away_from_the_true_class_a_step_has_two_backward_passes_and_any_class_one_for_each():
    shape = (1, 4, 4)
    model, x = network(shape), uniform(20, *shape)
    y = model(x).argmax(1)
    for maximal, passes in ((False, 2), (True, K)):
        result = attacked(model, x, y, small(JsmaSpec, maximal=maximal))
        assert torch.equal(result.gradients, passes * (result.gradients // passes)) and result.gradients.max() > 0
        assert result.success.double().mean() > 0.8
    targeted = attacked(model, x, y, small(JsmaSpec, "next", maximal=True))
    assert (targeted.gradients % 2 == 0).all(), "with a target there is but one class to head for"


def test_theta_is_how_far_a_value_goes_and_gamma_bounds_the_steps():
    shape = (40,)
    model, x = network(shape), uniform(10, *shape)
    y = model(x).argmax(1)
    first, second = itertools.islice(
        start(model, x, y, small(JsmaSpec, theta=0.05, gamma=0.2, pairs=False), seed=0, bounds=None), 2
    )
    moved = (second.x_adv - first.x_adv).abs()
    still = second.active & first.active
    assert still.any() and moved[still].sum(1).sub(0.05).abs().max() < 1e-6
    result = attacked(model, x, y, small(JsmaSpec, theta=1e-3, gamma=0.2, pairs=False))
    assert not result.success.any() and (result.forwards == 1 + 8 + 1).all()  # the clean look, 0.2 * 40 steps, the end


# --- sigma-zero --------------------------------------------------------------------------------------------------


def test_sigma_zero_comes_near_the_fewest_values_of_an_affine_model():
    """From 1/2 a value can gain |w| / 2 of the margin, so the fewest are those of the largest |w|."""
    w = random(30, seed=9)
    gaps = torch.linspace(0.5, 0.45 * float(w.abs().sum()), 6)
    gains = w.abs().sort(descending=True).values.cumsum(0) / 2
    ratio = []
    for gap in gaps:
        # z_1 - z_0 = w (x - 1/2) - gap
        model = Affine(torch.stack([-w, w]) / 2, torch.tensor([float(gap) + float(w.sum()) / 2, 0.0]))
        x, y = torch.full((1, 30), 0.5), torch.zeros(1, dtype=torch.int64)
        result = run(start(model, x, y, SigmaZeroSpec(goal="untargeted", steps=200), seed=0, bounds=(0, 1)))
        fewest = int((gains < gap).sum()) + 1
        assert result.success.all() and int(result.norm) >= fewest
        ratio.append(int(result.norm) / fewest)
    assert sum(ratio) / len(ratio) < 1.15


def test_sigma_zero_first_step_goes_to_the_ends_where_the_gradient_is_large():
    """Adam's first step is eta times the gradient's sign; what moved less than tau is undone."""
    w = torch.tensor([1.0, -1.0, 0.0])
    model = Affine(torch.stack([-w, w]), torch.tensor([100.0, 0.0]))
    x, y = torch.tensor([[0.5, 0.1, 0.5]]), torch.zeros(1, dtype=torch.int64)
    spec = SigmaZeroSpec(goal="untargeted", eta=0.2, tau=0.15, steps=1)
    *_, last = start(model, x, y, spec, seed=0, bounds=(0, 1))
    torch.testing.assert_close(last.x_adv, torch.tensor([[0.7, 0.1, 0.5]]))  # 0.1 can only go 0.1 down: undone


def test_sigma_zero_changes_fewer_values_than_jsma():
    shape = (1, 6, 6)
    model, x = network(shape), uniform(40, *shape)
    y = model(x).argmax(1)
    jsma, zero = (attacked(model, x, y, spec) for spec in (small(JsmaSpec), small(SigmaZeroSpec, steps=100)))
    assert zero.success.all()
    assert zero.norm.mean() < jsma.norm[jsma.success].mean()


# --- pixels ------------------------------------------------------------------------------------------------------


def test_one_pixel_finds_what_a_search_through_all_pixels_finds():
    """Of an affine model the best value of a pixel is an end of the range: 2 D points a sample are all there is to try."""
    model = Affine(random(K, 12, seed=2), torch.tensor([0.0, 0.0, -2.0, -4.0]))
    x = uniform(60, 1, 3, 4, seed=3)
    y = model(x).argmax(1)
    breakable = torch.zeros(60, dtype=torch.bool)
    for place, value in itertools.product(range(12), (0.0, 1.0)):
        tried = x.flatten(1).clone()
        tried[:, place] = value
        breakable |= model(tried).argmax(1) != y
    assert 5 < breakable.sum() < 55
    spec = OnePixelSpec(population=100, generations=25)
    assert torch.equal(attacked(model, x, y, spec).success, breakable)
    best = attacked(model, x, y, spec.model_copy(update={"strategy": "best"}))
    assert not best.success[~breakable].any() and best.success.sum() >= 0.8 * breakable.sum()


def test_a_pixel_of_an_image_is_all_its_channels():
    model, x = network((3, 4, 4)), uniform(30, 3, 4, 4)
    y = model(x).argmax(1)
    for spec in (small(OnePixelSpec, pixels=1, generations=20, population=30), small(SparseRsSpec, pixels=1)):
        result = attacked(model, x, y, spec)
        places = (result.x_adv != x).any(1).flatten(1).sum(1)
        assert (places <= 1).all() and result.norm.max() == 3, spec.method


def test_more_generations_and_queries_and_pixels_break_no_fewer():
    model, x = network((1, 5, 5)), uniform(60, 1, 5, 5)
    y = model(x).argmax(1)
    few, many = (attacked(model, x, y, small(OnePixelSpec, pixels=1, generations=g)) for g in (2, 10))
    assert not (few.success & ~many.success).any() and few.success.any()
    few, many = (attacked(model, x, y, small(SparseRsSpec, pixels=1, queries=q)).success.sum() for q in (30, 300))
    assert few < many


def test_queries_are_counted_and_the_budget_is_kept():
    model, x = network((1, 4, 4)), uniform(30, 1, 4, 4)
    y = model(x).argmax(1)
    asked = attacked(model, x, y, small(SparseRsSpec, pixels=1, queries=25))
    assert (asked.forwards <= 25).all() and (asked.forwards[~asked.success] == 25).all() and not asked.success.all()
    spec = small(OnePixelSpec, pixels=1, population=25, generations=3)
    grown = attacked(model, x, y, spec)
    assert (grown.forwards[~grown.success] == 1 + 25 * 4).all() and not grown.success.all()
    assert (grown.forwards[grown.success] <= 1 + 25 * 4).all() and grown.success.any()
    onward = attacked(model, x, y, spec.model_copy(update={"stop": False}))
    assert (onward.forwards == 1 + 25 * 4).all() and not (grown.success & ~onward.success).any()
    both = grown.success & onward.success
    assert (onward.margin[both] <= grown.margin[both] + 1e-6).all() and (onward.margin < grown.margin)[both].any()


def test_sparse_rs_sets_pixels_to_corners_of_the_range_and_never_to_what_they_were():
    low, high = torch.tensor([-1.0, 0.0]), torch.tensor([0.5, 2.0])
    edges = torch.stack([low, high])
    x = edges[torch.randint(2, (20, 2, 9), generator=torch.Generator().manual_seed(0)), torch.tensor([0, 1])[:, None]]
    x = x.reshape(20, 2, 3, 3)
    model = network((2, 3, 3))
    y = model(x).argmax(1)
    spec = SparseRsSpec(pixels=2, queries=40, stop=False)
    for iterate in start(model, x, y, spec, seed=0, bounds=(low, high)):
        assert ((iterate.x_adv == low[:, None, None]) | (iterate.x_adv == high[:, None, None])).all()
        assert ((iterate.x_adv != x).any(1).flatten(1).sum(1) == 2).all()


def test_sparse_rs_exchanges_fewer_and_fewer_pixels():
    spec = SparseRsSpec(pixels=100, queries=10_000)
    looks = (1, 50, 51, 200, 201, 500, 501, 1000, 1001, 2001, 4001, 6001, 8001)
    assert [exchanged_at(look, spec) for look in looks] == [15, 15, 7, 7, 6, 6, 5, 5, 3, 3, 2, 2, 1]
    halved = spec.model_copy(update={"queries": 5000})
    assert [exchanged_at(look, halved) for look in (25, 26)] == [15, 7], "the schedule is stretched to the queries"
    assert exchanged_at(1, SparseRsSpec(pixels=1)) == 1


def test_more_pixels_than_there_are_change_all_of_them():
    model, x = network((1, 3, 3)), uniform(20, 1, 3, 3)
    y = model(x).argmax(1)
    result = attacked(model, x, y, small(SparseRsSpec, pixels=50, queries=200))
    assert result.success.double().mean() > 0.5 and result.norm.max() == 9


def test_without_a_range_colours_come_from_around_the_samples_own():
    model, x = network((1, 4, 4)), 10 + random(20, 1, 4, 4)
    y = model(x).argmax(1)
    least, most = x.flatten(1).amin(1), x.flatten(1).amax(1)
    span = (most - least)[:, None]
    for kind in (OnePixelSpec, SparseRsSpec):
        result = attacked(model, x, y, small(kind, stop=False), bounds=None)
        flat = result.x_adv.flatten(1)
        assert (flat >= least[:, None] - span - 1e-4).all() and (flat <= most[:, None] + span + 1e-4).all()
        assert ((flat > most[:, None]) | (flat < least[:, None])).any()


def test_bad_settings_are_refused():
    for kind, bad in (
        (JsmaSpec, {"theta": 0}),
        (JsmaSpec, {"gamma": 0}),
        (JsmaSpec, {"gamma": 1.5}),
        (JsmaSpec, {"norm": "L2"}),
        (SigmaZeroSpec, {"steps": 0}),
        (SigmaZeroSpec, {"sigma": 0}),
        (OnePixelSpec, {"pixels": 0}),
        (OnePixelSpec, {"population": 3}),
        (SparseRsSpec, {"queries": 0}),
        (SparseRsSpec, {"alpha_init": 0}),
    ):
        with pytest.raises(ValidationError):
            kind(**bad)
