"""What holds for every black-box attack: budgets, boxes, batches, goals, and that they ask for nothing but outputs."""

import pytest
import torch
from pydantic import ValidationError
from torch import nn

from engine.attacks import choose_targets, run, start
from engine.attacks.core.batch import Batch
from engine.attacks.tools.queries import Budget
from engine.specs import BoundarySpec, GeoDaSpec, HopSkipJumpSpec, NesSpec, SimbaSpec, SpsaSpec, SurFreeSpec

K = 4
SCORE = [
    SimbaSpec(norm="L2", eps=0.4, alpha=0.1),
    SimbaSpec(norm="Linf", eps=0.1, alpha=0.1),
    SimbaSpec(norm="L2", eps=0.4, alpha=0.1, basis="dct"),
    NesSpec(eps=0.1, alpha=0.03, probes=10),
    NesSpec(norm="L2", eps=0.4, alpha=0.1, probes=10, loss="margin"),
    SpsaSpec(eps=0.1, alpha=0.03, probes=10),
    SpsaSpec(norm="L2", eps=0.4, alpha=0.03, probes=10),
]
DECISION = [
    BoundarySpec(),
    HopSkipJumpSpec(probes=20),
    HopSkipJumpSpec(norm="Linf", probes=20),
    GeoDaSpec(),
    GeoDaSpec(norm="Linf"),
    SurFreeSpec(),
]
EVERY = SCORE + DECISION


def named(spec):
    return "-".join([spec.method, spec.norm, *([spec.basis] if isinstance(spec, SimbaSpec) else [])])


def network(shape, seed=0, k=K):
    d = torch.Size(shape).numel()
    model = nn.Sequential(nn.Flatten(), nn.Linear(d, 16), nn.Tanh(), nn.Linear(16, k))
    draw = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=draw))
        model[3].bias -= model(uniform(500, *shape, seed=8)).mean(0)  # so that all classes occur
    return model.eval()


def uniform(*shape, seed=1):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def attacked(model, x, y, spec, *, bounds=(0, 1), seed=0, target=None, **more):
    return run(start(model, x, y, spec, seed=seed, bounds=bounds, target=target, **more))


class Asked(nn.Module):
    """Counts the points that go through a model."""

    def __init__(self, model):
        super().__init__()
        self.model, self.calls, self.points = model, 0, 0

    def forward(self, x):
        self.calls += 1
        self.points += len(x)
        return self.model(x)


# --- budgets -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spec", EVERY, ids=named)
@pytest.mark.parametrize("queries", [1, 2, 3, 9, 60, 333])
def test_no_sample_is_asked_about_more_often_than_allowed(spec, queries):
    model = Asked(network((1, 4, 4)))
    x = uniform(6, 1, 4, 4)
    y = model(x).argmax(1)
    model.points = 0
    attack = start(model, x, y, spec.model_copy(update={"queries": queries}), seed=0, bounds=(0, 1), batch=4)
    for _ in attack.events():
        assert model.points <= 6 * queries + 2 * len(x)  # and the verification
    result = attack.result()
    assert (result.forwards <= queries).all()
    assert (result.gradients == 0).all()
    counted = model.points - len(x) - int(result.success.sum())  # the best points, and the successes in 8 bits
    assert counted == result.forwards.sum(), "each point that the model was asked about is counted, no other is"


@pytest.mark.parametrize("spec", EVERY, ids=named)
def test_most_of_a_budget_is_used(spec):
    """GeoDA and HopSkipJump keep what their last search back to the boundary might have cost."""
    model, x = network((12,)), uniform(5, 12)
    if not spec.minimal:  # so that no sample rests
        spec = spec.model_copy(update={"stop": False})
    pool = uniform(50, 12, seed=5)
    examples = (pool, model(pool).argmax(1))
    result = attacked(model, x, model(x).argmax(1), spec.model_copy(update={"queries": 150}), examples=examples)
    assert result.success.any()
    assert (result.forwards >= 150 - 25).all()


def test_an_index_counts_as_often_as_it_occurs():
    model, x = network((5,)), uniform(4, 5)
    attack = start(model, x, model(x).argmax(1), SimbaSpec(queries=7), seed=0, bounds=None)
    next(attack.events())
    batch: Batch = attack._batches[0]
    budget = Budget(batch, 7)
    rows = torch.tensor([2, 0, 2, 2, 3])
    assert torch.equal(batch.logits(x[rows], rows), model(x[rows]).detach())
    assert batch.forwards.tolist() == [2, 1, 4, 2]
    assert budget.left.tolist() == [5, 6, 3, 5]
    batch.logits(x[[1, 3]], torch.tensor([False, True, False, True]))
    assert batch.forwards.tolist() == [2, 2, 4, 3]
    broken = torch.tensor([False, True, True, False, False])
    batch.note_invalid(broken, rows)
    assert attack._board.invalid.tolist() == [True, False, True, False]


@pytest.mark.parametrize("spec", EVERY, ids=named)
def test_a_cancel_never_waits_for_more_than_one_pass(spec):
    """A pass holds at most the points that are known to take a moment; between events there is no more than one."""
    model = Asked(network((1, 6, 5)))
    x = uniform(7, 1, 6, 5)
    y = model(x).argmax(1)
    attack = start(model, x, y, spec.model_copy(update={"queries": 120}), seed=0, bounds=(0, 1), batch=8)
    seen = model.calls
    for _ in attack.events():
        assert model.calls - seen <= 2
        seen = model.calls


@pytest.mark.parametrize("spec", EVERY, ids=named)
def test_more_queries_break_no_fewer_samples(spec):
    model, x = network((1, 4, 4)), uniform(40, 1, 4, 4)
    y = model(x).argmax(1)
    before = None
    for queries in (20, 80, 240):
        result = attacked(model, x, y, spec.model_copy(update={"queries": queries}))
        if before is not None:
            assert (result.success | ~before.success).all()
            if isinstance(spec, BoundarySpec | SurFreeSpec):  # the others plan with their budget
                assert (result.smallest <= before.smallest + 1e-6).all()
        before = result
    assert before.success.any()


# --- points ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spec", EVERY, ids=named)
@pytest.mark.parametrize("shape", [(7,), (1,), (1, 4, 3), (3, 2, 5), (2, 6)])
@pytest.mark.parametrize("bounds", [None, (0, 1), "each"])
def test_every_point_is_finite_and_keeps_to_the_box_and_to_the_ball(spec, shape, bounds):
    x = uniform(5, *shape)
    if bounds == "each":
        bounds = (-uniform(shape[0], seed=2), 1 + uniform(shape[0], seed=3))
    model = network(shape)
    y = model(x).argmax(1)
    lower, upper = (-torch.inf, torch.inf) if bounds is None else bounds
    if isinstance(lower, torch.Tensor):
        lower, upper = (b.reshape(-1, *[1] * (len(shape) - 1)) for b in bounds)
    count = 0
    for iterate in start(model, x, y, spec.model_copy(update={"queries": 70}), seed=0, bounds=bounds, batch=3):
        count += 1
        assert iterate.x_adv.isfinite().all() and iterate.loss.isfinite().all()
        assert ((iterate.x_adv >= lower) & (iterate.x_adv <= upper)).all()
        if not spec.minimal:
            moved = (iterate.x_adv.double() - x.double()).flatten(1)
            size = moved.abs().amax(1) if spec.norm == "Linf" else moved.norm(dim=1)
            assert (size <= spec.eps * (1 + 1e-6)).all()
    assert count > 0


@pytest.mark.parametrize("spec", EVERY, ids=named)
def test_a_sample_does_not_depend_on_its_batch(spec):
    """In float64, where a product of matrices hardly depends on how many rows there are."""
    model, x = network((1, 5, 4)).double(), uniform(9, 1, 5, 4).double()
    y = model(x).argmax(1)
    spec = spec.model_copy(update={"queries": 80})
    examples = (uniform(30, 1, 5, 4, seed=5).double(), torch.arange(30) % K)
    whole = attacked(model, x, y, spec, examples=examples)
    for batch in (2, 4):
        parts = attacked(model, x, y, spec, batch=batch, examples=examples)
        torch.testing.assert_close(parts.x_adv, whole.x_adv, rtol=0, atol=1e-6)
        assert torch.equal(parts.success, whole.success)
        assert torch.equal(parts.forwards, whole.forwards)
    few = attacked(model, x[:2], y[:2], spec, examples=examples)
    torch.testing.assert_close(few.x_adv, whole.x_adv[:2], rtol=0, atol=1e-6)
    assert whole.success.any()


@pytest.mark.parametrize("spec", EVERY, ids=named)
def test_a_seed_gives_one_result_and_another_seed_another(spec):
    model, x = network((1, 4, 4)), uniform(8, 1, 4, 4)
    y = model(x).argmax(1)
    spec = spec.model_copy(update={"queries": 120})
    a, b, other = (attacked(model, x, y, spec, seed=seed).x_adv for seed in (0, 0, 1))
    assert torch.equal(a, b)
    assert not torch.equal(a, other)


@pytest.mark.parametrize("spec", SCORE, ids=named)
def test_with_eps_0_nothing_changes(spec):
    model, x = network((1, 4, 4)), uniform(6, 1, 4, 4)
    result = attacked(model, x, model(x).argmax(1), spec.model_copy(update={"eps": 0.0, "queries": 100}))
    assert torch.equal(result.x_adv, x)
    assert not result.success.any()


@pytest.mark.parametrize("spec", EVERY, ids=named)
def test_what_is_misclassified_is_left_alone(spec):
    model, x = network((1, 4, 4)), uniform(6, 1, 4, 4)
    y = model(x).argmax(1)
    y[::2] = (y[::2] + 1) % K
    result = attacked(model, x, y, spec.model_copy(update={"queries": 50}))
    assert torch.equal(result.x_adv[::2], x[::2])
    assert result.success[::2].all()
    assert (result.norm[::2] == 0).all()
    assert (result.forwards[::2] == 1).all()


@pytest.mark.parametrize("spec", EVERY, ids=named)
def test_the_model_and_the_global_generator_stay_as_they_are(spec):
    model = nn.Sequential(
        nn.Conv2d(1, 3, 3, padding=1), nn.BatchNorm2d(3), nn.Flatten(), nn.Dropout(), nn.Linear(48, K)
    )
    model.train()
    x = uniform(5, 1, 4, 4)
    y = torch.arange(5) % K
    before = {name: value.clone() for name, value in model.state_dict().items()}
    state = torch.get_rng_state()
    for _ in start(model, x, y, spec.model_copy(update={"queries": 60}), seed=0, bounds=(0, 1)).events():
        assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
        assert torch.equal(state, torch.get_rng_state())
        assert all(module.training for module in model.modules())
        assert all(p.grad is None for p in model.parameters())


# --- goals -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spec", EVERY, ids=named)
def test_a_target_is_reached_where_there_is_such_a_goal(spec):
    if isinstance(spec, GeoDaSpec):
        with pytest.raises(ValidationError, match="goal"):
            GeoDaSpec(norm=spec.norm, goal="next")
        return
    model, x = network((1, 4, 4)), uniform(40, 1, 4, 4)
    y = model(x).argmax(1)
    target = choose_targets(model, x, y, "next", K, 0)
    pool = uniform(200, 1, 4, 4, seed=9)
    examples = (pool, model(pool).argmax(1))
    spec = spec.model_copy(update={"goal": "next", "queries": 400} | ({} if spec.minimal else {"eps": 2.0}))
    result = attacked(model, x, y, spec, target=target, examples=examples)
    present = (target[:, None] == examples[1]).any(1)
    assert present.sum() > 20
    if spec.minimal:
        assert torch.equal(result.success, present | result.success)
    assert result.success.double().mean() > 0.6
    assert torch.equal(result.prediction[result.success], target[result.success])


# --- models that give little -------------------------------------------------------------------------------------


class Detached(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x):
        return self.model(x).detach()


class Decided(nn.Module):
    """Tells the class alone."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x):
        logits = self.model(x)
        return nn.functional.one_hot(logits.argmax(1), logits.shape[1]).to(logits.dtype)


@pytest.mark.parametrize("spec", SCORE, ids=named)
def test_a_score_attack_needs_no_gradient(spec):
    model, x = network((1, 4, 4)), uniform(6, 1, 4, 4)
    y = model(x).argmax(1)
    spec = spec.model_copy(update={"queries": 100})
    assert torch.equal(attacked(Detached(model), x, y, spec).x_adv, attacked(model, x, y, spec).x_adv)


@pytest.mark.parametrize("spec", DECISION, ids=named)
def test_a_decision_attack_reads_nothing_but_the_class(spec):
    model, x = network((1, 4, 4)), uniform(6, 1, 4, 4)
    y = model(x).argmax(1)
    spec = spec.model_copy(update={"queries": 200})
    decided, plain = attacked(Decided(model), x, y, spec), attacked(model, x, y, spec)
    assert torch.equal(decided.x_adv, plain.x_adv)
    assert decided.success.all()


@pytest.mark.parametrize("spec", EVERY, ids=named)
@pytest.mark.parametrize("bounds", [None, (0, 1)])
def test_a_model_that_always_says_the_same_is_a_failure_that_is_marked(spec, bounds):
    """All logits tie, so the first class is predicted everywhere."""
    model = nn.Sequential(nn.Flatten(), nn.Linear(16, K))
    with torch.no_grad():
        model[1].weight.zero_()
        model[1].bias.fill_(3.0)
    x = uniform(4, 1, 4, 4)
    examples = (uniform(9, 1, 4, 4, seed=4), torch.arange(9) % K)
    spec = spec.model_copy(update={"queries": 80})
    result = attacked(model, x, torch.zeros(4, dtype=torch.int64), spec, bounds=bounds, examples=examples)
    assert not result.success.any()
    assert not result.invalid.any()
    assert result.x_adv.isfinite().all() and result.loss.isfinite().all()
    assert result.smallest.isinf().all()
    if spec.minimal:
        assert torch.equal(result.x_adv, x)
        assert (result.forwards == 1 + spec.tries).all()


class Frail(nn.Module):
    """Gives no number near one point, except at it."""

    def __init__(self, model, point):
        super().__init__()
        self.model, self.point = model, point

    def forward(self, x):
        apart = (x - self.point).norm(dim=1)
        return torch.where(((apart > 0) & (apart < 0.5))[:, None], torch.nan, self.model(x))


@pytest.mark.parametrize("spec", EVERY, ids=named)
def test_a_sample_at_which_the_model_fails_is_never_called_robust_and_its_mates_go_on(spec):
    x, model = uniform(10, 12), network((12,))
    y = model(x).argmax(1)
    spec = spec.model_copy(update={"queries": 100})
    plain = attacked(model, x, y, spec)
    one = int(plain.smallest.argmin())
    assert (plain.x_adv[one] - x[one]).norm() < 0.4
    frail = attacked(Frail(model, x[one]), x, y, spec)
    mates = torch.arange(10) != one
    assert not frail.invalid[mates].any()
    assert frail.invalid[one] != frail.success[one]  # broken before the model failed, or without a verdict
    assert frail.x_adv.isfinite().all()
    assert torch.equal(frail.success[mates], plain.success[mates])
    assert frail.success[mates].any()
