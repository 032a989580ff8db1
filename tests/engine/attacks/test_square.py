"""Square: exact on affine models in L-inf, windows all over the image, queries counted, the same whatever the batch."""

import copy
from itertools import pairwise

import pytest
import torch
from pydantic import ValidationError
from torch import nn

from engine.attacks import choose_targets, run, start
from engine.attacks.tools.windows import Grid, bumps, share_of
from engine.specs import SquareSpec

NORMS = ["Linf", "L2", "L1"]
every_norm = pytest.mark.parametrize("norm", NORMS)
SHAPES = [(7,), (1, 4, 6), (3, 5, 2), (2, 6), (1, 9, 1), (1, 1, 1)]


def affine(k, d, seed=0):
    model = nn.Sequential(nn.Flatten(), nn.Linear(d, k))
    draw = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        model[1].weight.copy_(torch.randn(k, d, generator=draw))
        model[1].bias.copy_(torch.randn(k, generator=draw))
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


# --- what it finds ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("together", [1, 4])
@pytest.mark.parametrize("shape", [(24,), (2, 3, 4)])
def test_in_linf_it_ends_at_the_best_corner_of_an_affine_model(shape, together):
    """With 2 classes the margin falls by eps times the 1-norm of w_y - w_k and no more; then no pixel can help any more."""
    model = affine(2, 24)
    x, y = samples(model, 60, shape)
    weight = model[1].weight.detach()
    slope = (weight[0] - weight[1]).abs().sum()
    logits = model(x).detach()
    margin = (logits.gather(1, y[:, None]) - logits.gather(1, 1 - y[:, None]))[:, 0]
    eps = float((margin / slope).median())
    spec = SquareSpec(norm="Linf", eps=eps, queries=1500, p_init=0.05, together=together, stop=False)
    result = run(start(model, x, y, spec, seed=0, bounds=None))
    torch.testing.assert_close(result.margin, margin - eps * slope, rtol=1e-4, atol=1e-4)
    assert 20 < result.success.sum() < 40
    assert (result.forwards < 1500).all()


@pytest.mark.parametrize(("norm", "dual"), [("L2", 2), ("L1", torch.inf)])
def test_in_l2_and_l1_it_breaks_an_affine_model_a_little_beyond_its_margin(norm, dual):
    model = affine(2, 16)
    x, y = samples(model, 30, (1, 4, 4))
    logits, weight = model(x).detach(), model[1].weight.detach()
    margin = (logits.gather(1, y[:, None]) - logits.gather(1, 1 - y[:, None]))[:, 0]
    least = float((margin / torch.linalg.vector_norm(weight[0] - weight[1], dual)).max())
    for factor, share in ((0.999, 0.0), (2.0, 0.9)):
        sample = margin.argmax()[None] if factor < 1 else slice(None)
        spec = SquareSpec(norm=norm, eps=least * factor, queries=400, p_init=0.3)
        result = run(start(model, x[sample], y[sample], spec, seed=0, bounds=None))
        assert result.success.double().mean() >= share and (factor > 1 or not result.success.any())


def test_a_pixel_in_the_last_corner_is_found():
    """The window of a published implementation never touches the last row and column."""

    class Corner(nn.Module):
        def forward(self, x):
            return torch.stack([x[:, 0, -1, -1] - 0.4, -(x[:, 0, -1, -1] - 0.4)], 1)

    x = torch.full((20, 1, 8, 8), 0.5)
    y = torch.zeros(20, dtype=torch.int64)
    for norm, eps in (("Linf", 0.2), ("L2", 1.0)):
        spec = SquareSpec(norm=norm, eps=eps, queries=300, p_init=0.02)
        result = run(start(Corner(), x, y, spec, seed=0, bounds=(0, 1)))
        assert (result.success & (result.first_success > 0)).sum() >= 3, norm  # not by the first pattern
        assert result.success.all() or norm == "L2"


@every_norm
def test_more_queries_and_restarts_break_no_fewer(norm):
    model = network((1, 5, 5))
    x, y = samples(model, 80, (1, 5, 5))
    eps = {"Linf": 0.06, "L2": 0.2, "L1": 0.5}[norm]
    found = []
    for queries, restarts in ((5, 1), (40, 1), (120, 1), (120, 3)):
        spec = SquareSpec(norm=norm, eps=eps, queries=queries, restarts=restarts)
        found.append(run(start(model, x, y, spec, seed=0, bounds=(0, 1))).success)
    assert all((fewer <= more).all() for fewer, more in pairwise(found))
    assert 0 < found[0].sum() < found[2].sum() < 80


@every_norm
@pytest.mark.parametrize("loss", ["published", "margin", "cross-entropy"])
def test_towards_a_target(norm, loss):
    model = network((1, 5, 5))
    x, y = samples(model, 40, (1, 5, 5))
    target = choose_targets(model, x, y, "next", 4, 0)
    spec = SquareSpec(norm=norm, goal="next", eps={"Linf": 0.4, "L2": 1.5, "L1": 4.0}[norm], queries=150, loss=loss)
    result = run(start(model, x, y, spec, seed=0, bounds=(0, 1), target=target))
    assert result.success.double().mean() > 0.5 and torch.equal(
        result.prediction[result.success], target[result.success]
    )


@every_norm
def test_it_needs_no_gradient(norm):
    model = network((1, 5, 5))
    x, y = samples(model, 30, (1, 5, 5))

    class Detached(nn.Module):
        def forward(self, x):
            return model(x.detach())

    spec = SquareSpec(norm=norm, eps={"Linf": 0.2, "L2": 0.8, "L1": 2.0}[norm], queries=100)
    assert spec.gradient_free
    plain, detached = (run(start(m, x, y, spec, seed=0, bounds=(0, 1))) for m in (model, Detached()))
    assert torch.equal(plain.x_adv, detached.x_adv) and plain.success.any() and (plain.gradients == 0).all()


# --- what holds for every point ------------------------------------------------------------------------------------


@every_norm
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_every_iterate_stays_in_ball_and_box_whatever_the_shape_and_the_bounds(norm, shape):
    model = network(shape)
    per_channel = ([0.1 * c for c in range(shape[0])], [1 + 0.1 * c for c in range(shape[0])])
    moved = 0
    for n, bounds, goal in ((6, (0.0, 1.0), "untargeted"), (1, None, "untargeted"), (3, per_channel, "next")):
        x, y = samples(model, n, shape)
        lower, upper = (-torch.inf, torch.inf) if bounds is None else (torch.as_tensor(b) for b in bounds)
        if bounds is per_channel:
            lower, upper = (b.reshape(-1, *[1] * (len(shape) - 1)) for b in (lower, upper))
            x = x.clamp(lower, upper)
        y = model(x).argmax(1)
        target = choose_targets(model, x, y, goal, 4, 0)
        spec = SquareSpec(norm=norm, goal=goal, eps={"Linf": 0.05, "L2": 0.12, "L1": 0.3}[norm], queries=40, restarts=2)
        attack = start(model, x, y, spec, seed=0, bounds=bounds, target=target)
        for iterate in attack:
            assert iterate.x_adv.shape == x.shape and iterate.x_adv.isfinite().all()
            assert (size(iterate.x_adv - x, norm) <= spec.eps * (1 + 1e-6)).all()
            assert ((iterate.x_adv >= lower) & (iterate.x_adv <= upper)).all()
        result = attack.result()
        assert not result.invalid.any() and result.disagreements == 0
        moved += int((result.norm > 0).sum())
    assert moved > 5


def test_in_linf_every_pixel_is_at_an_edge_and_each_sample_has_windows_of_its_own():
    model = network((2, 6, 6))
    x, y = samples(model, 12, (2, 6, 6))
    spec = SquareSpec(eps=0.03, queries=40, stop=False)
    seen = list(start(model, x, y, spec, seed=0, bounds=None))
    changes = []
    for iterate in seen:
        torch.testing.assert_close((iterate.x_adv - x).abs(), torch.full_like(x, 0.03), rtol=0, atol=1e-6)
        changes.append(iterate.x_adv)
    moved = torch.stack(changes).diff(dim=0).abs().flatten(3).amax(-1) > 1e-3  # [steps, samples, channels]
    together = moved.any(2).sum(1)
    assert together.any() and not ((together == 0) | (together == 12)).all()


@every_norm
@pytest.mark.parametrize("together", [1, 5])
def test_results_do_not_depend_on_the_batch_nor_on_batch_mates(norm, together):
    """Oracle 13, in float64, where the rounding of a sum over another batch is small."""
    shape = (2, 4, 5)
    model = network(shape).double()
    x, y = samples(network(shape), 20, shape)
    spec = SquareSpec(norm=norm, eps={"Linf": 0.05, "L2": 0.15, "L1": 0.4}[norm], queries=60, together=together)
    whole, split, few = (
        run(start(model, x[:n].double(), y[:n], spec, seed=3, bounds=(0, 1), batch=b))
        for n, b in ((20, 20), (20, 6), (8, 8))
    )
    assert 0 < whole.success.sum() < 20
    for other, n in ((split, 20), (few, 8)):
        torch.testing.assert_close(other.x_adv, whole.x_adv[:n], rtol=0, atol=1e-7)
        assert torch.equal(other.success, whole.success[:n])
        assert torch.equal(other.forwards, whole.forwards[:n])


@every_norm
def test_a_ball_of_radius_0_holds_the_sample_alone(norm):
    model = network((1, 4, 4))
    x, y = samples(model, 6, (1, 4, 4))
    attack = start(model, x, y, SquareSpec(norm=norm, eps=0.0, queries=80), seed=0, bounds=(0, 1))
    assert all(torch.equal(iterate.x_adv, x) for iterate in attack)
    assert not attack.result().success.any()


@every_norm
def test_tied_logits_make_no_nan(norm):
    class Flat(nn.Module):
        def forward(self, x):
            return x.flatten(1).sum(1, keepdim=True) * torch.zeros(4)

    x, y = torch.rand(5, 1, 4, 4, generator=torch.Generator().manual_seed(0)), torch.zeros(5, dtype=torch.int64)
    attack = start(Flat(), x, y, SquareSpec(norm=norm, eps=0.1, queries=70), seed=0, bounds=(0, 1))
    assert all(iterate.x_adv.isfinite().all() and iterate.loss.isfinite().all() for iterate in attack)
    assert not attack.result().success.any() and not attack.result().invalid.any()


# --- what it costs -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("together", "queries"), [(1, 1), (1, 50), (3, 65), (8, 150), (64, 65), (64, 150)])
def test_queries_are_looks(together, queries):
    model = network((1, 6, 6))
    x, y = samples(model, 5, (1, 6, 6))
    spec = SquareSpec(eps=0.001, queries=queries, together=together, restarts=2)
    attack = start(model, x, y, spec, seed=0, bounds=(0, 1))
    steps = [iterate.step for iterate in attack]
    result = attack.result()
    assert not result.success.any() and (result.forwards == 1 + 2 * queries).all()  # the clean look is the first
    assert steps[-1] == queries - 1


def test_windows_side_by_side_begin_like_windows_one_by_one():
    model = network((1, 6, 6))
    x, y = samples(model, 10, (1, 6, 6))
    seen = [
        list(start(model, x, y, SquareSpec(eps=0.01, queries=90, together=t), seed=0, bounds=(0, 1))) for t in (1, 8)
    ]
    assert all(torch.equal(a.x_adv, b.x_adv) for a, b in zip(*(s[:60] for s in seen), strict=True))
    assert [i.step for i in seen[1]][63:68] == [63, 64, 72, 80, 88]


def test_a_breath_is_never_more_than_two_passes_away_and_the_model_stays_as_it_was():
    model, passes = network((2, 4, 4)), []
    x, y = samples(model, 7, (2, 4, 4))
    before, generator = copy.deepcopy(model.state_dict()), torch.get_rng_state()
    model.register_forward_hook(lambda *_: passes.append(None))
    for norm in NORMS:
        spec = SquareSpec(norm=norm, eps=0.01, queries=120, together=8)
        for _ in start(model, x, y, spec, seed=0, bounds=(0, 1), batch=3).events():
            assert len(passes) <= 2
            passes.clear()
    assert torch.equal(torch.get_rng_state(), generator)
    assert all(torch.equal(a, b) for a, b in zip(before.values(), model.state_dict().values(), strict=True))


# --- windows -----------------------------------------------------------------------------------------------------------


def test_windows_shrink_on_schedule():
    shares = [share_of(q, 5000, 0.8, rescale=False) for q in (0, 10, 11, 50, 51, 201, 501, 1001, 2001, 4001, 4999)]
    assert shares == [0.8, 0.8, 0.4, 0.4, 0.2, 0.1, 0.05, 0.025, 0.0125, 0.00625, 0.00625]
    assert share_of(99, 100, 0.8, rescale=True) == 0.8 / 512 and share_of(0, 100, 0.8, rescale=True) == 0.8


@pytest.mark.parametrize("shape", [(9,), (1, 1, 9), (1, 9, 1), (1, 6, 6), (3, 5, 8), (2, 20, 3)], ids=str)
@pytest.mark.parametrize("odd", [False, True])
def test_windows_fit_the_image_cover_their_share_and_reach_every_pixel(shape, odd):
    grid = Grid(torch.Size(shape))
    assert grid.channels * grid.pixels == torch.Size(shape).numel()
    for share in (0.8, 0.3, 0.1, 0.01):
        height, width = grid.window(share, odd=odd)
        assert 1 <= height <= grid.height and 1 <= width <= grid.width
        if not odd:
            assert height * width == pytest.approx(share * grid.pixels, abs=0.4 * share * grid.pixels + 1)
        places = torch.rand(5000, 2, generator=torch.Generator().manual_seed(0))
        first = grid.place(places, height, width)
        reached = torch.zeros(grid.pixels, dtype=torch.bool)
        inside = first[:, None] + grid.offsets(height, width, torch.device("cpu"))
        assert inside.min() >= 0 and inside.max() < grid.pixels
        assert (inside % grid.width == (inside // grid.width * 0 + inside % grid.width)).all()
        columns = inside % grid.width
        assert (columns.amax(1) - columns.amin(1) == width - 1).all()  # no window wraps round
        reached[inside.flatten()] = True
        assert reached.all()


@pytest.mark.parametrize(("power", "order"), [(2, 2), (4, 1)])
@pytest.mark.parametrize("shape", [(5, 5), (3, 3), (7, 4), (1, 6), (6, 1), (1, 1), (2, 2)])
def test_hills_are_two_of_length_1_in_all_and_opposite_signs(power, order, shape):
    found = bumps(*shape, power)
    assert found.shape == (2, *shape)
    torch.testing.assert_close(torch.linalg.vector_norm(found.flatten(1), order, dim=1), torch.ones(2))
    if max(shape) > 1:
        for pattern in found:
            above, below = pattern.clamp_min(0).flatten(), (-pattern).clamp_min(0).flatten()
            torch.testing.assert_close(above.norm(order), below.norm(order))
    if shape == (5, 5):
        torch.testing.assert_close(found[0], found[1].T)


# --- what is refused ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "settings", [{"norm": "L0"}, {"queries": 0}, {"p_init": 0.0}, {"p_init": 1.1}, {"together": 0}, {"loss": "dlr"}]
)
def test_settings_that_make_no_sense_are_refused(settings):
    with pytest.raises(ValidationError):
        SquareSpec(**settings)
