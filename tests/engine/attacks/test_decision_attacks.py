"""Boundary, HopSkipJump, GeoDA and SurFree against affine boundaries, whose distance is known, and what they are made of."""

import itertools
import math

import pytest
import torch
from torch import nn

from engine.attacks import run, start
from engine.attacks.geoda import FEWEST, SEARCH, looks_planned
from engine.attacks.tools.decision import beginning, bisect, clipped, first_success, straight
from engine.attacks.tools.normals import boundary_normal
from engine.attacks.tools.probes import Probes, made_unit, normal
from engine.attacks.tools.queries import Budget
from engine.generators import drain
from engine.specs import BoundarySpec, GeoDaSpec, HopSkipJumpSpec, SurFreeSpec

D = 12


class Affine(nn.Module):
    def __init__(self, weight, bias):
        super().__init__()
        self.weight, self.bias = nn.Parameter(weight), nn.Parameter(bias)

    def forward(self, x):
        return x.flatten(1) @ self.weight.T + self.bias


def random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def affine(k=2, d=D):
    """A model, samples and their classes, and by how much and along what each other class is away."""
    model = Affine(random(k, d), random(k, seed=1)).double()
    x = random(30, d, seed=2).double()
    y = model(x).argmax(1)
    return model, x, y


def distance(model, x, y, order):
    """Exact: the smallest of the distances to all boundaries, in the norm to which ``order`` is dual."""
    logits = model(x).detach()
    w = model.weight.detach()
    margins = logits.gather(1, y[:, None]) - logits
    apart = torch.linalg.vector_norm(w[y][:, None] - w[None], order, dim=2)
    return torch.where(margins > 0, margins / apart, torch.inf).amin(1)


# --- closed forms ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "within"),
    [
        (BoundarySpec(), 1.03),
        (HopSkipJumpSpec(), 1.03),
        (GeoDaSpec(), 1.02),
        (SurFreeSpec(), 1.01),
        (HopSkipJumpSpec(norm="Linf"), 1.1),
        (GeoDaSpec(norm="Linf"), 1.1),
    ],
    ids=lambda value: f"{value.method}-{value.norm}" if hasattr(value, "method") else "",
)
def test_the_distance_to_an_affine_boundary_is_found_and_never_undercut(spec, within):
    """The distance to a hyperplane is the margin over the dual norm of its normal."""
    model, x, y = affine()
    exact = distance(model, x, y, {"L2": 2, "Linf": 1}[spec.norm])
    result = run(start(model, x, y, spec.model_copy(update={"queries": 3000}), seed=0, bounds=None))
    assert result.success.all()
    share = result.norm / exact
    assert (share >= 1 - 1e-9).all()
    assert share.median() < within


@pytest.mark.parametrize("kind", [BoundarySpec, HopSkipJumpSpec, SurFreeSpec])
def test_towards_a_target_the_distance_to_its_region_is_found(kind):
    """The sectors of a plane; the nearest point of the target's is found on a fine grid of angles and lengths."""
    angles = torch.tensor([0.0, 2.0, 4.0]).double()
    model = Affine(torch.stack([angles.cos(), angles.sin()], 1), torch.zeros(3).double())
    x = torch.tensor([[1.0, 0.3], [0.2, 0.9], [0.6, -0.8], [0.5, 0.0]]).double()
    y = model(x).argmax(1)
    target = (y + 1) % 3
    turns = torch.linspace(0, 2 * torch.pi, 721).double()[:-1]
    lengths = torch.linspace(0, 2, 1001).double()
    rim = torch.stack([turns.cos(), turns.sin()], 1)
    grid = (lengths[:, None, None] * rim).reshape(-1, 2)
    exact = torch.stack([grid[model(x[i] + grid).argmax(1) == target[i]].norm(dim=1).min() for i in range(len(x))])
    pool = 5 * random(60, 2, seed=3).double()
    spec = kind(goal="next", queries=2000)
    examples = (pool, model(pool).argmax(1))
    result = run(start(model, x, y, spec, seed=0, bounds=None, target=target, examples=examples))
    assert result.success.all()
    assert (result.norm / exact < 1.03).all()
    assert (result.norm / exact > 0.995).all()


def test_a_boundary_at_right_angles_in_the_box_is_found_exactly():
    """The class turns where the first value passes 0.6."""

    class Threshold(nn.Module):
        def forward(self, x):
            return torch.stack([torch.full_like(x[:, 0], 0.6), x[:, 0]], 1)

    x = torch.rand(8, 6, generator=torch.Generator().manual_seed(0)).double()
    x[:, 0] *= 0.5
    for spec in (
        HopSkipJumpSpec(),
        HopSkipJumpSpec(norm="Linf"),
        SurFreeSpec(),
        GeoDaSpec(norm="Linf"),
        BoundarySpec(),
    ):
        result = run(
            start(
                Threshold(),
                x,
                torch.zeros(8, dtype=torch.int64),
                spec.model_copy(update={"queries": 2000}),
                seed=0,
                bounds=(0, 1),
            )
        )
        torch.testing.assert_close(result.norm, 0.6 - x[:, 0], rtol=0.03, atol=0)
        assert (result.norm >= 0.6 - x[:, 0]).all()


# --- where a search begins ---------------------------------------------------------------------------------------


def prepared(model, x, y, spec, bounds=(0, 1), target=None, examples=None, batch=None):
    attack = start(model, x, y, spec, seed=0, bounds=bounds, target=target, examples=examples, batch=batch)
    next(attack.events())
    return attack, attack._batches[0]


class Beyond(nn.Module):
    """Class 1 where the mean is above a threshold, class 2 where it is below another, class 0 in between."""

    def __init__(self, low, high):
        super().__init__()
        self.low, self.high = low, high

    def forward(self, x):
        mean = x.flatten(1).mean(1)
        return torch.stack([torch.zeros_like(mean), mean - self.high, self.low - mean], 1)


def test_an_untargeted_search_begins_at_noise_or_if_asked_to_at_the_nearest_example():
    model, x = Beyond(-1, 0.4), torch.zeros(3, 1, 4, 4) + 0.1
    y = torch.zeros(3, dtype=torch.int64)
    far, near = torch.ones(1, 1, 4, 4), torch.full((1, 1, 4, 4), 0.5)
    examples = (torch.cat([torch.full((1, 1, 4, 4), 0.11), far, near]), torch.tensor([0, 1, 1]))
    _, batch = prepared(model, x, y, HopSkipJumpSpec(), examples=examples)
    found, logits = drain(beginning(batch, HopSkipJumpSpec(), Budget(batch, 100)))
    assert (batch.succeeded(logits)).all()
    assert found.flatten(1).std(1).min() > 0.1
    assert len(torch.unique(found.flatten(1), dim=0)) == 3, "each sample has noise of its own"
    spec = HopSkipJumpSpec(begin="example")
    _, batch = prepared(model, x, y, spec, examples=examples)
    found, _ = drain(beginning(batch, spec, Budget(batch, 100)))
    assert torch.equal(found, near.expand(3, 1, 4, 4))
    assert (batch.forwards == 2).all()


def test_where_noise_fails_examples_serve_and_the_other_way_round():
    x, y = torch.zeros(2, 1, 4, 4), torch.zeros(2, dtype=torch.int64)
    pattern = (torch.arange(16) % 3 == 0).float().reshape(1, 1, 4, 4)

    class Picky(nn.Module):
        """Class 1 for what resembles the pattern more than any noise does."""

        def forward(self, x):
            alike = 1 - (x - pattern).abs().flatten(1).mean(1)
            return torch.stack([torch.full_like(alike, 0.9), alike], 1)

    examples = (pattern, torch.tensor([1]))
    spec = BoundarySpec(queries=300)
    assert run(start(Picky(), x, y, spec, seed=0, bounds=(0, 1), examples=examples)).success.all()
    assert not run(start(Picky(), x, y, spec, seed=0, bounds=(0, 1))).success.any()
    mislabelled = (torch.zeros(40, 1, 4, 4), torch.ones(40, dtype=torch.int64))
    spec = BoundarySpec(queries=300, begin="example")
    assert run(start(Beyond(-1, 0.4), x, y, spec, seed=0, bounds=(0, 1), examples=mislabelled)).success.all()


def test_a_targeted_search_tries_the_nearest_examples_of_the_target_that_the_model_takes_for_it():
    x, y, target = torch.full((2, 1, 2, 2), 0.5), torch.zeros(2, dtype=torch.int64), torch.tensor([1, 2])
    levels = torch.tensor([0.45, 0.99, 0.9, 0.02, 0.1, 0.55])
    labels = torch.tensor([2, 1, 1, 2, 2, 1])  # the model takes those at 0.45 and 0.55 for class 0
    examples = (levels[:, None, None, None].expand(-1, 1, 2, 2).clone(), labels)
    spec = HopSkipJumpSpec(goal="next")
    _, batch = prepared(Beyond(0.2, 0.8), x, y, spec, target=target, examples=examples)
    found, _ = drain(beginning(batch, spec, Budget(batch, 100)))
    assert found[:, 0, 0, 0].tolist() == pytest.approx([0.9, 0.1])
    assert batch.forwards.tolist() == [3, 3]


def test_without_a_box_noise_grows_until_it_leaves_the_class():
    """A ball around the origin, seen from samples of very different scales."""

    class Shell(nn.Module):
        def forward(self, x):
            size = x.flatten(1).norm(dim=1)
            return torch.stack([torch.full_like(size, 50.0), size], 1)

    x = random(4, 5) * torch.tensor([1e-3, 0.1, 1.0, 5.0])[:, None]
    x = torch.cat([x, torch.zeros(1, 5)])
    y = torch.zeros(5, dtype=torch.int64)
    result = run(start(Shell(), x, y, SurFreeSpec(queries=500), seed=0, bounds=None))
    assert result.success.all()
    torch.testing.assert_close(result.norm.float(), 50 - x.norm(dim=1), rtol=0.05, atol=0)


# --- parts -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", [straight, clipped])
@pytest.mark.parametrize("gap", [0.1, 1e-3, 1e-9])
def test_the_way_back_ends_within_the_gap_after_as_many_looks_as_that_takes(way, gap):
    model, x, y = affine()
    _, batch = prepared(model, x, y, BoundarySpec(), bounds=None)
    far = x + 20 * (model.weight[1 - y] - model.weight[y]).detach()
    path = way(x, far)
    point, logits = drain(bisect(batch, Budget(batch, 1000), path, model(far).detach(), gap))
    assert batch.succeeded(logits).all()
    torch.testing.assert_close(model(point).detach(), logits)
    everyone = torch.arange(len(x))
    order = torch.inf if way is clipped else 2
    share = torch.linalg.vector_norm(point - x, order, dim=1) / torch.linalg.vector_norm(far - x, order, dim=1)
    assert not batch.succeeded(model(path((share - 1.001 * gap).clamp_min(0), everyone)).detach()).any()
    assert (batch.forwards == 1 + math.ceil(math.log2(1 / gap))).all()
    assert torch.equal(path(torch.ones(30).double(), everyone), far)
    torch.testing.assert_close(path(torch.zeros(30).double(), everyone), x, rtol=0, atol=1e-12)


def test_a_search_back_ends_with_the_budget():
    model, x, y = affine()
    _, batch = prepared(model, x, y, BoundarySpec(), bounds=None)
    far = x + 20 * (model.weight[1 - y] - model.weight[y]).detach()
    point, _ = drain(bisect(batch, Budget(batch, 4), straight(x, far), model(far).detach(), 1e-6))
    assert (batch.forwards == 4).all()
    assert batch.succeeded(model(point).detach()).all()


def test_the_first_success_along_a_direction_is_taken_or_the_sample_stays():
    model, x, y = affine()
    _, batch = prepared(model, x, y, BoundarySpec(), bounds=None)
    w = (model.weight[1 - y] - model.weight[y]).detach()
    towards = w / w.norm(dim=1, keepdim=True)
    towards[::2] *= -1  # these never get there
    stay, logits = x + 100, torch.zeros(30, 2).double()
    exact = distance(model, x, y, 2)
    generator = first_success(batch, Budget(batch, 1000), x, towards, exact * 0.3, 2.0, 5, stay, logits)
    found, seen = drain(generator)
    torch.testing.assert_close(found[1::2], (x + (exact * 1.2)[:, None] * towards)[1::2])
    assert batch.succeeded(seen)[1::2].all()
    assert torch.equal(found[::2], stay[::2])
    assert torch.equal(seen[::2], logits[::2])
    assert batch.forwards[:2].tolist() == [6, 4]


def test_the_normal_of_an_affine_boundary_is_estimated_from_votes():
    model, x, y = affine()
    _, batch = prepared(model, x, y, BoundarySpec(), bounds=None, batch=30)
    w = (model.weight[1 - y] - model.weight[y]).detach()
    exact = distance(model, x, y, 2)
    at = x + (exact / w.norm(dim=1))[:, None] * w
    probes = Probes(0, "test", normal, x.shape[1:], x)
    counts = torch.full((30,), 2000)
    counts[:3] = torch.tensor([1, 2, 7])
    looks = lambda first, count: made_unit(probes.take(first, count))  # noqa: E731
    found = drain(boundary_normal(batch, at, torch.full_like(exact, 0.1), counts, looks, 5))
    alike = torch.cosine_similarity(found, w, dim=1)
    assert (alike[3:] > 0.97).all()
    assert (batch.forwards == 1 + counts).all()
    first = looks(5, 1)[0]  # a single look is the estimate, turned towards success
    side = torch.where(batch.succeeded(model(at[:1] + 0.1 * first).detach(), torch.tensor([0])), 1.0, -1.0)
    torch.testing.assert_close(found[0], side * first)
    # seven looks: each 1 or -1, less their mean
    seven = looks(5, 7)
    votes = batch.succeeded(model(at[2] + 0.1 * seven).detach(), torch.full((7,), 2)).double() * 2 - 1
    votes = votes - votes.mean() if votes.mean().abs() < 1 else votes
    torch.testing.assert_close(found[2], (votes[:, None] * seven).sum(0))


@pytest.mark.parametrize("queries", [1, 30, 80, 500, 5000, 100_000])
def test_geoda_spends_its_looks_in_growing_parts(queries):
    spec = GeoDaSpec(queries=queries)
    plan = looks_planned(spec)
    assert sum(plan) + SEARCH * len(plan) <= max(queries, SEARCH + 1)
    if queries >= 500:
        assert FEWEST <= plan[0] < 1.5 * FEWEST + 25
        growth = [b / a for a, b in itertools.pairwise(plan)]
        assert growth == pytest.approx([0.6 ** (-2 / 3)] * len(growth), rel=0.03)
        assert sum(plan) + SEARCH * len(plan) > queries - 2 * len(plan)


def test_the_first_point_is_step_0_and_steps_count_queries_or_estimates():
    model, x, y = affine()
    for spec in (HopSkipJumpSpec(queries=400), GeoDaSpec(queries=400)):
        assert [i.step for i in start(model, x, y, spec, seed=0, bounds=None)] == list(
            range(len(list(start(model, x, y, spec, seed=0, bounds=None))))
        )
    for spec in (SurFreeSpec(queries=200), BoundarySpec(queries=200)):
        iterates = list(start(model, x, y, spec, seed=0, bounds=None))
        assert iterates[-1].step == iterates[-1].steps == 200
        smallest = torch.stack([iterate.smallest for iterate in iterates])
        assert (smallest[1:] <= smallest[:-1]).all()
        assert (smallest[-1] < smallest[0]).all()
