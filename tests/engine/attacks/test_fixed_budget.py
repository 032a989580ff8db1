"""What every attack of a fixed budget keeps: ball, box, seeds, batches, the model; and BIM, sparse PGD, expectation."""

import copy
import itertools

import pytest
import torch
from torch import nn

from engine.attacks import choose_targets, run, start
from engine.attacks.tools.expectation import mean_gradient, mean_logits
from engine.attacks.tools.projections import L1Ball
from engine.errors import AttackError
from engine.specs import (
    ApgdSpec,
    BimSpec,
    DiSpec,
    FgsmSpec,
    MiSpec,
    NiSpec,
    PgdSpec,
    SiNiSpec,
    TiSpec,
    VmiSpec,
)

SPECS = [
    FgsmSpec(norm="L1"),
    BimSpec(steps=5),
    BimSpec(norm="L1", steps=5, sparsity=0.5),
    PgdSpec(norm="L1", steps=5, restarts=2),
    PgdSpec(norm="L2", steps=4, eot=3),
    *(
        ApgdSpec(norm=norm, loss=loss, steps=12)
        for norm in ("Linf", "L2", "L1")
        for loss in ("ce", "dlr", "targeted-dlr")
    ),
    ApgdSpec(norm="L1", steps=6, larger_balls=False, restarts=2),
    ApgdSpec(steps=6, eot=2, restarts=2),
    MiSpec(steps=5),
    MiSpec(norm="L2", steps=5),
    NiSpec(steps=5),
    SiNiSpec(steps=4, copies=3),
    DiSpec(steps=5, smallest=0.5, probability=0.7),
    DiSpec(norm="L2", steps=4, smallest=0.5, probability=1.0),
    TiSpec(steps=5, kernel=3),
    TiSpec(norm="L2", steps=4, kernel=5),
    VmiSpec(steps=4, neighbours=3),
]
NAMES = [f"{s.method}-{s.norm}-{getattr(s, 'loss', '')}-{i}" for i, s in enumerate(SPECS)]
every_attack = pytest.mark.parametrize("spec", SPECS, ids=NAMES)
ONLY_IMAGES = (DiSpec, TiSpec)
SHAPES = [(7,), (1, 4, 6), (3, 5, 2), (1, 1, 1)]


def network(shape, k=4, seed=0):
    d = torch.Size(shape).numel()
    model = nn.Sequential(nn.Flatten(), nn.Linear(d, 16), nn.Tanh(), nn.Linear(16, k))
    draw = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=draw))
    return model.eval()


def samples(model, n, shape, seed=1):
    """Points with the labels that the model gives them, so that there is something to attack."""
    x = torch.rand(n, *shape, generator=torch.Generator().manual_seed(seed))
    return x, model(x).argmax(1)


def with_(spec, **changes):
    return type(spec)(**{**spec.model_dump(exclude={"method"}), **changes})


def size(delta, norm):
    delta = delta.double().flatten(1)
    return {"Linf": delta.abs().amax(1), "L2": delta.norm(dim=1), "L1": delta.abs().sum(1)}[norm]


def fitted(spec, shape, **changes):
    """The attack with a radius that breaks some samples and not others, and steps that reach its edge."""
    eps = {"Linf": 0.05, "L2": 0.2, "L1": 0.3}[spec.norm] * (4 if shape == (1, 1, 1) else 1)
    return with_(spec, **{"eps": eps, **({"alpha": eps / 3} if hasattr(spec, "alpha") else {}), **changes})


@every_attack
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("goal", ["untargeted", "next"])
def test_every_iterate_stays_in_ball_and_box_whatever_the_shape_and_the_bounds(spec, shape, goal):
    model = network(shape)
    if len(shape) == 1 and isinstance(spec, ONLY_IMAGES):
        pytest.skip("for images alone")
    per_channel = ([0.1 * c for c in range(shape[0])], [1 + 0.1 * c for c in range(shape[0])])
    moved = 0
    for n, bounds in ((6, (0.0, 1.0)), (1, None), (3, per_channel)):
        x, y = samples(model, n, shape)
        lower, upper = (-torch.inf, torch.inf) if bounds is None else (torch.as_tensor(b) for b in bounds)
        if bounds is per_channel:
            lower, upper = (b.reshape(-1, *[1] * (len(shape) - 1)) for b in (lower, upper))
            x = x.clamp(lower, upper)
        spec = fitted(spec, shape, goal=goal)
        target = choose_targets(model, x, y, goal, 4, 0)
        if target is not None:
            target = torch.where(target == y, (y + 2) % 4, target)
        attack = start(model, x, y, spec, seed=0, bounds=bounds, target=target)
        for iterate in attack:
            assert iterate.x_adv.shape == x.shape and iterate.x_adv.isfinite().all()
            assert (size(iterate.x_adv - x, spec.norm) <= spec.eps * (1 + 1e-6)).all()
            assert ((iterate.x_adv >= lower) & (iterate.x_adv <= upper)).all()
        result = attack.result()
        assert not result.invalid.any() and result.disagreements == 0
        moved += int((result.norm > 0).sum())
    assert moved > 5


@every_attack
def test_results_do_not_depend_on_the_batch_nor_on_batch_mates(spec):
    """Rounding, which a sum over another batch changes, is small in float64."""
    shape = (2, 4, 4)
    model = network(shape).double()
    x, y = (t.double() if t.is_floating_point() else t for t in samples(network(shape), 20, shape))
    spec = fitted(spec, shape, goal="untargeted")
    whole, split, few = (
        run(start(model, x[:n], y[:n], spec, seed=3, bounds=(0, 1), batch=b)) for n, b in ((20, 20), (20, 6), (8, 8))
    )
    assert 0 < whole.success.sum() < 20 or spec.norm == "L1"
    for other, n in ((split, 20), (few, 8)):
        torch.testing.assert_close(other.x_adv, whole.x_adv[:n], rtol=0, atol=1e-7)
        assert torch.equal(other.success, whole.success[:n])
        assert torch.equal(other.first_success, whole.first_success[:n])
        assert torch.equal(other.gradients, whole.gradients[:n])


@every_attack
def test_a_ball_of_radius_0_holds_the_sample_alone(spec):
    shape = (1, 4, 4)
    model = network(shape)
    x, y = samples(model, 6, shape)
    attack = start(model, x, y, with_(spec, eps=0.0, goal="untargeted"), seed=0, bounds=(0, 1))
    assert all(torch.equal(iterate.x_adv, x) for iterate in attack)
    assert torch.equal(attack.result().x_adv, x) and not attack.result().success.any()


@every_attack
def test_a_flat_loss_and_tied_logits_make_no_nan(spec):
    class Flat(nn.Module):
        def forward(self, x):
            return x.flatten(1).sum(1, keepdim=True) * torch.zeros(4)

    x, y = torch.rand(5, 1, 4, 4, generator=torch.Generator().manual_seed(0)), torch.zeros(5, dtype=torch.int64)
    attack = start(Flat(), x, y, with_(spec, goal="untargeted"), seed=0, bounds=(0, 1))
    assert all(iterate.x_adv.isfinite().all() and iterate.loss.isfinite().all() for iterate in attack)
    assert not attack.result().success.any() and not attack.result().invalid.any()


@every_attack
def test_the_model_and_the_generators_stay_as_they_were_and_a_breath_is_never_far(spec):
    """At most two passes forward lie between two moments at which the attack may be cancelled."""
    shape, passes = (2, 4, 4), []
    model = nn.Sequential(nn.BatchNorm2d(2), nn.Dropout(0.5), network(shape))
    model.train()
    model[2][1].weight.grad = torch.ones_like(model[2][1].weight)
    x, y = torch.rand(6, *shape, generator=torch.Generator().manual_seed(0)), torch.arange(6) % 4
    before, generator = copy.deepcopy(model), torch.get_rng_state()
    model.register_forward_hook(lambda *_: passes.append(None))
    attack = start(model, x, y, with_(spec, goal="untargeted"), seed=0, bounds=(0, 1), batch=6)
    for _ in attack.events():
        assert len(passes) <= 2
        passes.clear()
        assert torch.equal(torch.get_rng_state(), generator)
        assert model.training and model[1].training
    for a, b in zip(before.state_dict().values(), model.state_dict().values(), strict=True):
        assert torch.equal(a, b)
    grads = [p.grad for p in model.parameters()]
    assert sum(g is not None for g in grads) == 1 and torch.equal(model[2][1].weight.grad, torch.ones(16, 32))


@pytest.mark.parametrize(
    "spec",
    [
        PgdSpec(norm="L1", steps=6, alpha=0.1),
        ApgdSpec(steps=6),
        ApgdSpec(norm="L1", steps=6),
        ApgdSpec(norm="L2", steps=6, loss="targeted-dlr"),
    ],
    ids=lambda s: f"{s.method}-{s.norm}",
)
def test_more_restarts_break_no_fewer(spec):
    shape = (1, 4, 4)
    model = network(shape)
    x, y = samples(model, 60, shape)
    spec = fitted(spec, shape, goal="untargeted")
    found = [run(start(model, x, y, with_(spec, restarts=r), seed=0, bounds=(0, 1))).success for r in (1, 2, 6)]
    assert all((fewer <= more).all() for fewer, more in itertools.pairwise(found))
    assert 0 < found[0].sum() < 60


@pytest.mark.parametrize("spec", [s for s in SPECS if not isinstance(s, ApgdSpec | FgsmSpec)], ids=lambda s: s.method)
def test_more_steps_break_no_fewer(spec):
    """Of attacks whose steps do not depend on how many will follow."""
    shape = (1, 4, 4)
    model = network(shape)
    x, y = samples(model, 60, shape)
    spec = fitted(spec, shape, goal="untargeted")
    found = [run(start(model, x, y, with_(spec, steps=n), seed=0, bounds=(0, 1))).success for n in (1, 3, 8)]
    assert all((fewer <= more).all() for fewer, more in itertools.pairwise(found))
    assert 0 < found[-1].sum() < 60


# --- the basic iterative method ----------------------------------------------------------------------------------


@pytest.mark.parametrize("norm", ["Linf", "L2", "L1"])
def test_bim_is_pgd_without_a_random_start(norm):
    """Oracle 2, bit for bit."""
    model = network((12,))
    x, y = samples(model, 20, (12,))
    settings = {"norm": norm, "eps": 0.3, "alpha": 0.05, "steps": 8, "goal": "untargeted", "sparsity": 0.7}
    bim = list(start(model, x, y, BimSpec(**settings), seed=0, bounds=(0, 1)))
    pgd = list(start(model, x, y, PgdSpec(random_start=False, **settings), seed=0, bounds=(0, 1)))
    assert len(bim) == len(pgd) == 9
    assert all(torch.equal(a.x_adv, b.x_adv) for a, b in zip(bim, pgd, strict=True))
    assert not torch.equal(bim[-1].x_adv, x)


def test_sparsity_says_how_many_values_a_step_in_l1_changes():
    model = network((12,))
    x, y = samples(model, 20, (12,))
    for sparsity, count in ((0.0, 12), (0.5, 6), (0.99, 1), (1.0, 1)):
        settings = {"norm": "L1", "eps": 0.3, "alpha": 0.1, "steps": 1, "goal": "untargeted", "sparsity": sparsity}
        *_, last = start(model, x, y, BimSpec(**settings), seed=0, bounds=None)
        moved = last.x_adv - x
        assert ((moved != 0).sum(1) == count).all()
        torch.testing.assert_close(moved.abs().amax(1), torch.full((20,), 0.1 / count))


def test_a_step_in_l1_of_sparsity_1_goes_along_the_largest_gradient():
    model = network((12,))
    x, y = samples(model, 20, (12,))
    leaf = x.clone().requires_grad_()
    nn.functional.cross_entropy(model(leaf), y, reduction="sum").backward()
    settings = {"norm": "L1", "eps": 0.3, "alpha": 0.1, "steps": 1, "goal": "untargeted", "sparsity": 1.0}
    *_, last = start(model, x, y, BimSpec(**settings), seed=0, bounds=None)
    largest = leaf.grad.abs().argmax(1, keepdim=True)
    expected = torch.zeros_like(x).scatter(1, largest, 0.1 * leaf.grad.gather(1, largest).sign())
    torch.testing.assert_close(last.x_adv - x, expected)


# --- expectation over transformation -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "spec",
    [
        PgdSpec(norm="L2", steps=6, alpha=0.05),
        PgdSpec(norm="L1", steps=6, alpha=0.05),
        ApgdSpec(steps=10),
        ApgdSpec(norm="L1", steps=10),
    ],
    ids=lambda s: f"{s.method}-{s.norm}",
)
def test_expectation_changes_nothing_for_a_model_that_always_answers_alike(spec):
    """Oracle 4, bit for bit; it only costs more."""
    model = network((12,))
    x, y = samples(model, 20, (12,))
    spec = with_(spec, eps=0.1, goal="untargeted")
    one, three = (run(start(model, x, y, with_(spec, eot=k), seed=0, bounds=(0, 1))) for k in (1, 3))
    assert torch.equal(one.x_adv, three.x_adv) and torch.equal(one.first_success, three.first_success)
    assert torch.equal(three.gradients, 3 * one.gradients) and one.gradients.sum() > 0


class Shaken(nn.Module):
    """A linear model whose weights are drawn anew for each sample at each look; on average they are ``weight``."""

    def __init__(self, k, d, noise):
        super().__init__()
        self.weight = torch.randn(k, d, generator=torch.Generator().manual_seed(0))
        self.noise = noise

    def forward(self, x):
        weight = self.weight + self.noise * torch.randn(len(x), *self.weight.shape)
        return (weight @ x[:, :, None])[:, :, 0]


@pytest.mark.parametrize(
    "spec",
    [PgdSpec(steps=2, alpha=0.15, random_start=False, stop=False), ApgdSpec(steps=3, stop=False, loss="dlr")],
    ids=lambda s: s.method,
)
def test_expectation_breaks_more_of_a_model_that_answers_at_random(spec):
    """Judged by what the model says on average."""
    model = Shaken(3, 100, noise=4.0)
    x = torch.randn(80, 100, generator=torch.Generator().manual_seed(1))
    y = (x @ model.weight.T).argmax(1)
    broken = {}
    for k in (1, 30):
        spec = with_(spec, eps=0.15, goal="untargeted", eot=k)
        # a sample that the shaken model gets wrong at first sight is left as it is: of those that both attacked
        attack = start(model, x, y, spec, seed=0, bounds=None)
        result = run(attack)
        broken[k] = ((result.x_adv @ model.weight.T).argmax(1) != y).double().mean()
    assert broken[30] > broken[1] + 0.08


def test_means_over_draws_are_means():
    model = network((12,))
    calls = []

    class Fake:
        def gradient(self, x, loss):
            calls.append(loss)
            value = float(len(calls))
            return x * value, x[:, 0] + value, x - value

        def logits(self, x):
            calls.append(None)
            return x * len(calls)

    def drained(steps):
        breaths = 0
        while True:
            try:
                assert next(steps) is None
                breaths += 1
            except StopIteration as end:
                return breaths, end.value

    x = torch.rand(3, 4, generator=torch.Generator().manual_seed(0)).double()
    breaths, (logits, gain, gradient) = drained(mean_gradient(Fake(), x, model, 4))
    assert breaths == 3 and calls == [model] * 4
    for found, expected in ((logits, x * 2.5), (gain, x[:, 0] + 2.5), (gradient, x - 2.5)):
        torch.testing.assert_close(found, expected)
    calls.clear()
    breaths, logits = drained(mean_logits(Fake(), x, 3))
    assert breaths == 2
    torch.testing.assert_close(logits, x * 2)


# --- what is refused ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spec", [DiSpec(steps=2), TiSpec(steps=2)], ids=lambda s: s.method)
def test_attacks_on_images_refuse_vectors_with_a_sentence(spec):
    model = network((7,))
    x, y = samples(model, 3, (7,))
    with pytest.raises(AttackError, match=r"images \[N, C, H, W\].*choose an attack without it"):
        run(start(model, x, y, with_(spec, goal="untargeted"), seed=0, bounds=(0, 1)))


@pytest.mark.parametrize(
    ("kind", "bad"),
    [
        (TiSpec, {"kernel": 4}),
        (NiSpec, {"norm": "L2"}),
        (VmiSpec, {"norm": "L1"}),
        (MiSpec, {"norm": "L1"}),
        (ApgdSpec, {"loss": "margin"}),
        (ApgdSpec, {"n_target_classes": 0}),
        (PgdSpec, {"eot": 0}),
        (BimSpec, {"sparsity": 1.1}),
        (DiSpec, {"smallest": 0.0}),
    ],
)
def test_settings_that_mean_nothing_are_refused(kind, bad):
    with pytest.raises(ValueError, match="validation error"):
        kind(**bad)


def test_l1_steps_with_all_values_at_the_edge_of_the_box_stay():
    """Nowhere to go: the direction is 0, not NaN."""
    x = torch.ones(2, 5)
    direction = L1Ball(x, 0.5, None).ascent(torch.zeros(2, 5), x)
    assert torch.equal(direction, torch.zeros(2, 5))


@pytest.mark.parametrize(("norm", "eps"), [("Linf", 0.1), ("L2", 1.0), ("L1", 5.0)])
def test_without_a_step_size_the_steps_reach_across_the_ball_in_any_norm(norm, eps):
    assert PgdSpec(norm=norm, eps=eps, steps=50).step_size == pytest.approx(2.5 * eps / 50)
    assert PgdSpec(norm=norm, eps=eps, steps=50, alpha=0.3).step_size == 0.3
    model = torch.nn.Linear(6, 3)
    with torch.no_grad():
        model.weight.copy_(torch.randn(3, 6, generator=torch.Generator().manual_seed(0)))
    x = torch.full((4, 6), 0.5)
    spec = PgdSpec(norm=norm, eps=eps, steps=20, random_start=False, stop=False, goal="untargeted")
    result = run(start(model, x, model(x).argmax(1), spec, seed=0, bounds=None))
    assert result.norm.tolist() == pytest.approx([eps] * 4, rel=0.05)
