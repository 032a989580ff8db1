"""Ensembles: survivors only, never past a certificate, as good as a dense grid, for few classes too."""

import copy
from itertools import pairwise

import pytest
import torch
from pydantic import ValidationError
from torch import nn

from engine.attacks import run, start
from engine.attacks.core.batch import repack
from engine.attacks.ensemble import members
from engine.attacks.fab import RADIUS
from engine.specs import (
    AutoAttackSpec,
    FabSpec,
    FabTargetedSpec,
    FastEnsembleSpec,
    PgdSpec,
    SequenceSpec,
)

NORMS = ["Linf", "L2", "L1"]
every_norm = pytest.mark.parametrize("norm", NORMS)
STAGES = ["APGD-CE", "APGD-T", "FAB-T", "Square"]


def network(shape, k=4, seed=0, hidden=16, activation=nn.Tanh):
    d = torch.Size(shape).numel()
    model = nn.Sequential(nn.Flatten(), nn.Linear(d, hidden), activation(), nn.Linear(hidden, k))
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


def short(norm, eps, **chosen):
    """All six members, but brief."""
    everything = dict.fromkeys(("apgd_ce", "apgd_dlr", "apgd_t", "fab", "fab_t", "square"), not chosen)
    return SequenceSpec(norm=norm, eps=eps, **{"steps": 12, "queries": 60, **everything, **chosen})


def some_radius(norm):
    """In which some samples of :func:`network` withstand and some do not."""
    return {"Linf": 0.08, "L2": 0.25, "L1": 0.6}[norm]


# --- what it finds ---------------------------------------------------------------------------------------------------


def bounds_of(model, x, eps):
    """Interval bounds of the logits over the L-inf ball inside [0, 1]."""
    low, high = (x - eps).clamp(0, 1).flatten(1), (x + eps).clamp(0, 1).flatten(1)
    for layer in model:
        if isinstance(layer, nn.Linear):
            middle, radius = (low + high) / 2, (high - low) / 2
            middle, radius = layer(middle), radius @ layer.weight.abs().T
            low, high = middle - radius, middle + radius
        elif isinstance(layer, nn.ReLU):
            low, high = low.relu(), high.relu()
    return low, high


def test_a_sample_with_a_certificate_is_never_broken():
    """Oracle 17, by interval bound propagation."""
    model = network((1, 3, 3), k=3, activation=nn.ReLU)
    x, y = samples(model, 150, (1, 3, 3))
    eps = 0.015
    low, high = bounds_of(model, x, eps)
    certified = low.gather(1, y[:, None])[:, 0] > high.scatter(1, y[:, None], -torch.inf).amax(1)
    result = run(start(model, x, y, AutoAttackSpec(eps=eps), seed=0, bounds=(0, 1)))
    assert 20 < certified.sum() < 140 and result.success.sum() > 5
    assert not (certified & result.success).any()


@pytest.mark.parametrize(("norm", "k"), [("Linf", 2), ("Linf", 3), ("Linf", 4), ("Linf", 6), ("L2", 3), ("L1", 2)])
def test_in_two_dimensions_it_finds_what_a_dense_grid_finds(norm, k):
    """Oracle 17; with 2, 3 and 4 classes too, where other implementations fail."""
    model = network((2,), k=k, seed=k, hidden=24)
    with torch.no_grad():  # many boundaries cross the square
        model[1].weight.mul_(6)
        model[1].bias.copy_(-model[1].weight.sum(1) / 2)
    x, y = samples(model, 60, (2,))
    eps = {"Linf": 0.06, "L2": 0.07, "L1": 0.09}[norm]
    line = torch.linspace(-eps, eps, 161)
    steps = torch.cartesian_prod(line, line)
    steps = steps[size(steps, norm) <= eps]
    grid = (x[:, None] + steps).clamp(0, 1)
    broken = (model(grid.flatten(0, 1)).argmax(1).reshape(len(x), -1) != y[:, None]).any(1)
    result = run(start(model, x, y, AutoAttackSpec(norm=norm, eps=eps), seed=0, bounds=(0, 1)))
    assert 5 < broken.sum() < 55
    assert (broken <= result.success).all() and (result.success & ~broken).sum() <= 1  # between two lines of the grid


def test_what_fab_breaks_within_a_budget_is_what_it_finds_nearer_than_that():
    model = network((12,))
    x, y = samples(model, 60, (12,))
    for norm in NORMS:
        eps = some_radius(norm)
        free = run(start(model, x, y, FabTargetedSpec(norm=norm, steps=30), seed=0, bounds=(0, 1)))
        held = run(start(model, x, y, short(norm, eps, fab_t=True, steps=30), seed=0, bounds=(0, 1)))
        nearer = free.smallest <= eps
        clear = ((free.smallest / eps - 1).abs() > 1e-3) | held.success
        assert torch.equal(held.success[clear], nearer[clear]) and 5 < nearer.sum() < 55


@every_norm
def test_the_whole_breaks_no_fewer_than_its_first_half_and_that_no_fewer_than_its_first_member(norm):
    model = network((1, 4, 4), hidden=32)
    x, y = samples(model, 80, (1, 4, 4))
    found = []
    for chosen in ({}, {"fab": True, "fab_t": True, "square": True}):
        spec = short(norm, some_radius(norm), apgd_ce=True, apgd_t=True, **chosen)
        attack = start(model, x, y, spec, seed=0, bounds=(0, 1))
        by_stage = {iterate.stage: iterate.success for iterate in attack}
        found += [by_stage["APGD-CE"], attack.result().success]
    first, half, again, whole = found
    assert torch.equal(first, again) and (first <= half).all() and (half <= whole).all()
    assert 5 < first.sum() < 75


# --- how it goes about it --------------------------------------------------------------------------------------------


@every_norm
def test_members_work_in_turn_on_survivors_alone(norm):
    model = network((1, 4, 4))
    x, y = samples(model, 40, (1, 4, 4))
    spec = short(norm, some_radius(norm), **dict.fromkeys(("apgd_ce", "apgd_t", "fab_t", "square"), True))
    attack = start(model, x, y, spec, seed=0, bounds=(0, 1), batch=16)
    stages, before, fractions = [], torch.zeros(40, dtype=torch.bool), [0.0]
    for iterate in attack:
        assert (before <= iterate.success).all()  # broken is broken
        assert not (iterate.active & before).any()
        before = iterate.success
        fractions.append(iterate.fraction)
        if stages[-1:] != [iterate.stage]:
            stages.append(iterate.stage)
    assert stages == STAGES
    assert all(a <= b + 1e-9 for a, b in pairwise(fractions)) and fractions[-1] > 0.4
    result = attack.result()
    assert 5 < result.success.sum() < 40 and torch.equal(result.success, before)
    # 12 steps towards none, 3 and 3 classes
    assert (result.gradients[~result.success] == 12 * 7).all() and result.gradients[result.success].median() < 12


@every_norm
@pytest.mark.parametrize("stop", [True, False])
@pytest.mark.parametrize("shape", [(7,), (1, 4, 6), (3, 5, 2), (1, 1, 1)], ids=str)
def test_every_iterate_stays_in_ball_and_box_whatever_the_member(norm, stop, shape):
    model = network(shape)
    moved = 0
    for n, bounds in ((6, (0.0, 1.0)), (1, None)):
        x, y = samples(model, n, shape)
        spec = short(norm, some_radius(norm)).model_copy(update={"stop": stop})
        attack = start(model, x, y, spec, seed=0, bounds=bounds)
        stages = set()
        for iterate in attack:
            stages.add(iterate.stage)
            assert iterate.x_adv.isfinite().all()
            assert (size(iterate.x_adv - x, norm) <= spec.eps * (1 + 2e-6)).all()
            assert bounds is None or (iterate.x_adv.min() >= 0 and iterate.x_adv.max() <= 1)
        result = attack.result()
        assert not result.invalid.any() and result.disagreements == 0
        assert (size(result.x_adv - x, norm) <= spec.eps * (1 + 2e-6)).all()
        moved += int((result.norm > 0).sum())
    assert moved > 2


@every_norm
def test_results_do_not_depend_on_the_batch_nor_on_batch_mates(norm):
    """Oracle 13, in float64, where the rounding of a sum over another batch is small."""
    shape = (2, 4, 4)
    model = network(shape).double()
    x, y = samples(network(shape), 30, shape)
    spec = short(norm, some_radius(norm))
    whole, split, few = (
        run(start(model, x[:n].double(), y[:n], spec, seed=3, bounds=(0, 1), batch=b))
        for n, b in ((30, 30), (30, 7), (8, 8))
    )
    assert 3 < whole.success.sum() < 27
    for other, n in ((split, 30), (few, 8)):
        assert torch.equal(other.success, whole.success[:n])
        torch.testing.assert_close(other.x_adv, whole.x_adv[:n], rtol=0, atol=1e-6)
        assert torch.equal(other.first_success, whole.first_success[:n])
        assert torch.equal(other.forwards, whole.forwards[:n]) and torch.equal(other.gradients, whole.gradients[:n])


def test_survivors_are_put_together_into_full_batches():
    model, rows = network((12,)), []
    x, y = samples(model, 60, (12,))
    attack = start(model, x, y, short("Linf", 0.03, apgd_ce=True, square=True), seed=0, bounds=(0, 1), batch=6)
    model.register_forward_hook(lambda _, inputs, __: rows.append(len(inputs[0])))
    stage, sizes = "", {}
    for event in attack.events():
        stage = getattr(event, "stage", stage)
        sizes.setdefault(stage, []).extend(rows)
        rows.clear()
    survivors = int((~attack.result().success).sum())
    assert survivors > 12
    passes = len(attack._batches)
    used = sum(len(batch.places) > 0 for batch in attack._batches)
    assert passes == 10 and used <= -(-survivors // 6) + 1


def test_repacking_keeps_each_sample_together_with_what_is_known_of_it():
    model = network((5,))
    x, y = samples(model, 23, (5,))
    attack = start(model, x, y, PgdSpec(goal="untargeted", eps=0.1), seed=0, bounds=(0, 1), batch=5)
    batches = attack._batches
    batches[0].logits(batches[0].x)
    batches[1].logits(batches[1].x[:2], torch.tensor([1, 1]))
    for number, batch in enumerate(batches):
        batch.finish(batch.places % 3 == number % 3)
        batch.live()
    kept = torch.cat([batch.places for batch in batches])
    counts = torch.cat([batch.forwards for batch in batches])
    repack(batches)
    assert [len(batch) for batch in batches] == [5, 5, 5, 0, 0] or sum(map(len, batches)) == len(kept)
    assert torch.equal(torch.cat([batch.places for batch in batches]), kept)
    assert torch.equal(torch.cat([batch.forwards for batch in batches]), counts)
    for batch in batches:
        assert torch.equal(batch.x, x[batch.places]) and torch.equal(batch.y, y[batch.places])
        assert torch.equal(batch.ball.x, batch.x) and torch.equal(batch.draws.places, batch.places)
        assert batch.forwards.shape == batch.gradients.shape == batch.places.shape


def test_nothing_is_left_to_do_when_the_first_member_breaks_all():
    model = network((12,))
    x, y = samples(model, 20, (12,))
    attack = start(model, x, y, AutoAttackSpec(eps=1.0), seed=0, bounds=(0, 1))
    assert {iterate.stage for iterate in attack} == {"APGD-CE"}
    assert attack.result().success.all()


def test_a_ball_of_radius_0_holds_the_sample_alone_and_a_wrong_sample_is_left_as_it_is():
    model = network((12,))
    x, y = samples(model, 10, (12,))
    y[:3] = (y[:3] + 1) % 4
    result = run(start(model, x, y, short("L2", 0.0), seed=0, bounds=(0, 1)))
    assert torch.equal(result.x_adv, x) and torch.equal(result.success, torch.arange(10) < 3)
    assert (result.forwards[:3] == 1).all()


def test_the_model_and_the_generators_stay_as_they_were_and_a_breath_is_never_far():
    model, passes = nn.Sequential(nn.BatchNorm2d(2), nn.Dropout(0.5), network((2, 4, 4))), []
    model.train()
    x, y = torch.rand(6, 2, 4, 4, generator=torch.Generator().manual_seed(0)), torch.arange(6) % 4
    before, generator = copy.deepcopy(model), torch.get_rng_state()
    model.register_forward_hook(lambda *_: passes.append(None))
    for _ in start(model, x, y, short("Linf", 0.001), seed=0, bounds=(0, 1), batch=4).events():
        assert len(passes) <= 2
        passes.clear()
        assert torch.equal(torch.get_rng_state(), generator) and model.training
    for a, b in zip(before.state_dict().values(), model.state_dict().values(), strict=True):
        assert torch.equal(a, b)
    assert all(parameter.grad is None for parameter in model.parameters())


def test_points_found_on_a_copy_break_the_original():
    """Oracle 19: transfer to an identical copy is the white-box rate."""
    model = network((12,))
    x, y = samples(model, 40, (12,))
    result = run(start(copy.deepcopy(model), x, y, FastEnsembleSpec(eps=0.08), seed=0, bounds=(0, 1)))
    assert torch.equal(model(result.x_adv).argmax(1) != y, result.success) and 5 < result.success.sum() < 35


def test_the_members_are_those_of_autoattack():
    standard, of_l1, fast = (
        members(spec)
        for spec in (AutoAttackSpec(eps=0.1), AutoAttackSpec(norm="L1", eps=2.0), FastEnsembleSpec(eps=0.1))
    )
    assert [m.stage for m in standard] == [m.stage for m in of_l1] == STAGES and [m.stage for m in fast] == STAGES[:2]
    ce, targeted, fab_t, square = (m.spec for m in standard)
    assert (ce.loss, ce.steps, ce.restarts, ce.eps) == ("ce", 100, 1, 0.1)
    assert (targeted.loss, targeted.steps, targeted.restarts, targeted.n_target_classes) == ("targeted-dlr", 100, 1, 9)
    assert (fab_t.steps, fab_t.restarts, fab_t.n_target_classes) == (100, 1, 9)
    assert (square.queries, square.restarts, square.p_init, square.rescale) == (5000, 1, 0.8, False)
    assert (of_l1[0].spec.restarts, of_l1[1].spec.n_target_classes) == (5, 5) and of_l1[0].spec.larger_balls
    assert "AutoAttack" not in FastEnsembleSpec.title


def test_settings_that_make_no_sense_are_refused():
    nothing = dict.fromkeys(("apgd_ce", "apgd_dlr", "apgd_t", "fab", "fab_t", "square"), False)
    for kind, settings in (
        (SequenceSpec, nothing),
        (AutoAttackSpec, {"goal": "next"}),
        (FastEnsembleSpec, {"norm": "L0"}),
    ):
        with pytest.raises(ValidationError):
            kind(**settings)


# --- who broke what ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stop", [True, False])
def test_the_result_names_the_member_that_broke_each_sample(stop):
    model = network((12,))
    x, y = samples(model, 80, (12,))
    y[:2] = (y[:2] + 1) % 4
    one = {"apgd_ce": False, "apgd_dlr": False, "n_target_classes": 1, "fab": True, "steps": 1, "queries": 40}
    spec = SequenceSpec(eps=0.1, stop=stop, **one)
    attack = start(model, x, y, spec, seed=0, bounds=(0, 1))
    first = [""] * len(x)
    for iterate in attack:
        for k in torch.nonzero(iterate.success).flatten().tolist():
            first[k] = first[k] or iterate.stage
    result = attack.result()
    assert result.already.tolist() == [k < 2 for k in range(80)]
    assert all(name == "" for name, done in zip(result.first_stage, result.already.tolist(), strict=True) if done)
    assert list(result.first_stage[2:]) == first[2:]
    assert len(set(result.first_stage) - {""}) >= 2, "more than one member breaks something"
    alone = run(start(model, x, y, PgdSpec(goal="untargeted", eps=0.1), seed=0, bounds=(0, 1)))
    assert set(alone.first_stage) == {""} and alone.success.any()


@every_norm
def test_in_an_ensemble_fab_begins_its_restarts_within_half_the_budget(norm):
    """Alone, which knows no budget, within half the original's."""
    model = network((12,))
    x, y = samples(model, 20, (12,))
    spec = SequenceSpec(
        norm=norm,
        eps=1e-3,
        apgd_ce=False,
        apgd_dlr=False,
        apgd_t=False,
        fab=True,
        fab_t=False,
        square=False,
        steps=2,
        restarts=2,
    )
    farthest = []
    for one in (spec, FabSpec(norm=norm, steps=2, restarts=2)):
        seen = []
        handle = model.register_forward_hook(lambda _module, inputs, _output: seen.append(inputs[0].detach().clone()))  # noqa: B023
        for iterate in start(model, x, y, one, seed=0, bounds=None, batch=20):
            if (iterate.restart, iterate.step) == (1, 0):
                break
        handle.remove()
        farthest.append(
            max(float(size(point - x, norm).min()) for point in seen[-1])
        )  # from the nearest: some have left
    within, alone = farthest
    assert 0.2e-3 < within <= 0.5e-3 * (1 + 1e-3)
    assert 10e-3 < alone <= RADIUS[norm] / 2 * (1 + 1e-3)
