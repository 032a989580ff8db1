"""Attacks for the smallest perturbation on affine models, where it can be worked out by hand."""

import pytest
import torch
from minimal_norm import affine, attacked, exact, samples

from engine.attacks import start
from engine.specs import CarliniWagnerSpec, DdnSpec, DeepFoolSpec, EadSpec, FmnSpec

NEAR = {
    "C&W": (CarliniWagnerSpec(goal="untargeted", steps=200, searches=6, learning_rate=0.02, initial_const=0.1), 1.02),
    "DDN": (DdnSpec(goal="untargeted", steps=300, init_norm=0.5), 1.06),
    "FMN L2": (FmnSpec(goal="untargeted", norm="L2"), 1.01),
    "FMN Linf": (FmnSpec(goal="untargeted", norm="Linf"), 1.02),
    "FMN L1": (FmnSpec(goal="untargeted", norm="L1"), 1.02),
    "EAD L1": (EadSpec(goal="untargeted", steps=200, searches=6, rule="L1", initial_const=0.1), 1.2),
}


@pytest.mark.parametrize("overshoot", [0.0, 0.02, 0.5])
@pytest.mark.parametrize("norm", ["L2", "Linf"])
def test_deepfool_on_an_affine_model_is_the_exact_distance_and_the_overshoot(norm, overshoot):
    """Oracle 5, in one step: from the sample onto the nearest of the 4 boundaries, and beyond."""
    model = affine(5, 12)
    x, y = samples(model, 60, (12,))
    result = attacked(model, x, y, DeepFoolSpec(norm=norm, overshoot=overshoot), bounds=None)
    expected = (1 + overshoot) * exact(model, x, y, norm)
    assert result.success.all()
    torch.testing.assert_close(result.norm, expected, rtol=1e-6 if overshoot else 1e-3, atol=1e-9)
    if overshoot:
        assert (result.first_success == 1).all() and (result.gradients == 4).all()


@pytest.mark.parametrize("name", NEAR)
def test_no_attack_goes_below_the_exact_distance_and_each_comes_near_it(name):
    """Oracles 5 and 7."""
    spec, near = NEAR[name]
    model = affine(5, 12)
    x, y = samples(model, 40, (12,))
    ratio = attacked(model, x, y, spec, bounds=None).smallest / exact(model, x, y, spec.norm)
    assert (ratio >= 1 - 1e-9).all() and ratio.isfinite().all()
    assert ratio.median() <= near, ratio


@pytest.mark.parametrize("name", [n for n in NEAR if n != "EAD L1"])
def test_so_it_is_towards_a_target_of_two_classes_and_with_a_wide_box(name):
    spec, near = NEAR[name]
    model = affine(2, 12)
    x, y = samples(model, 40, (12,))
    spec = spec.model_copy(update={"goal": "next"})
    ratio = attacked(model, x, y, spec, bounds=(-3, 4), target=1 - y).smallest / exact(model, x, y, spec.norm)
    assert (ratio >= 1 - 1e-9).all() and ratio.median() <= near + 0.01, ratio


@pytest.mark.parametrize("name", [*NEAR, "DeepFool"])
def test_refinement_finds_the_exact_distance_along_the_direction_found(name):
    """On an affine binary model the way to the sample crosses one hyperplane, which the secant hits at once."""
    spec = DeepFoolSpec(overshoot=0.5) if name == "DeepFool" else NEAR[name][0]
    model = affine(2, 12)
    x, y = samples(model, 30, (12,))
    plain = attacked(model, x, y, spec, bounds=None)
    fine = attacked(model, x, y, spec.model_copy(update={"refine": 30}), bounds=None)
    w, z = model[-1].weight.detach(), model(x).detach()
    gap = z.gather(1, y[:, None])[:, 0] - z.gather(1, 1 - y[:, None])[:, 0]
    slope = ((w[y] - w[1 - y]) * (plain.x_adv - x)).sum(1)
    expected = plain.norm * gap / -slope
    assert fine.success.all() and (fine.norm <= plain.norm).all()
    torch.testing.assert_close(fine.norm, expected, rtol=1e-3, atol=1e-9)
    assert (plain.norm > expected * (1 + 1e-9)).any()


def test_fmn_in_l0_finds_the_fewest_values_in_a_box():
    """A value can gain its weight times its room; the fewest values are the best ones, one after another."""
    model = affine(3, 15, seed=3)
    x, y = samples(model, 60, (15,))
    w, logits = model[-1].weight.detach(), model(x).detach()
    fewest = torch.full((60,), 99)
    for k in range(3):
        push = w[k] - w[y]
        gains = torch.where(push > 0, push * (1 - x), -push * x).sort(dim=1, descending=True).values.cumsum(1)
        gap = logits.gather(1, y[:, None])[:, 0] - logits[:, k]
        count = (gains <= gap[:, None]).sum(1) + 1
        fewest = torch.where(y == k, fewest, torch.minimum(fewest, count))
    result = attacked(model, x, y, FmnSpec(goal="untargeted", norm="L0", alpha=10.0))
    possible = fewest <= 15
    assert possible.sum() > 40 and fewest[possible].max() > 1
    assert torch.equal(result.success, possible)
    assert (result.norm[possible] >= fewest[possible]).all()
    assert (result.norm[possible] <= fewest[possible] + 2).all()
    assert (result.norm[possible] == fewest[possible]).double().mean() > 0.7


@pytest.mark.parametrize("c", [0.05, 0.5, 2.0])
def test_carlini_wagner_with_one_c_on_an_affine_binary_model_ends_where_its_objective_is_least(c):
    """Oracle 14: delta = -min(c / 2, f / ||w||^2) w, w being the gradient of f."""
    model = affine(2, 6)
    x, y = samples(model, 20, (6,))
    spec = CarliniWagnerSpec(
        goal="untargeted", searches=1, initial_const=c, steps=1500, learning_rate=2e-3, abort_early=False
    )
    *_, last = start(model, x, y, spec, seed=0, bounds=None)
    w, z = model[-1].weight.detach(), model(x).detach()
    slope = w[y] - w[1 - y]
    f = z.gather(1, y[:, None])[:, 0] - z.gather(1, 1 - y[:, None])[:, 0]
    share = torch.minimum(torch.tensor(c / 2), f / slope.square().sum(1))
    torch.testing.assert_close(last.x_adv, x - share[:, None] * slope, rtol=0, atol=1e-2)
    reached = f / slope.square().sum(1) < c / 2
    assert reached.all() if c > 1 else not reached.all()


@pytest.mark.parametrize(
    "spec", [CarliniWagnerSpec(steps=200, initial_const=0.1), EadSpec(steps=200, initial_const=0.1)]
)
def test_kappa_is_the_margin_that_each_success_has(spec):
    """The nearest point of margin kappa lies kappa / ||w|| beyond the boundary."""
    model = affine(2, 8)
    x, y = samples(model, 20, (8,))
    spec = spec.model_copy(update={"goal": "untargeted", "kappa": 3.0})
    result = attacked(model, x, y, spec, bounds=None)
    w = model[-1].weight.detach()
    dual = {"L2": 2, "L1": torch.inf}[spec.norm]
    least = exact(model, x, y, spec.norm) + 3 / torch.linalg.vector_norm(w[0] - w[1], dual)
    assert result.success.all() and (result.margin <= -3).all() and result.disagreements == 0
    assert (result.norm >= least - 1e-9).all() and (result.norm <= 1.5 * least).all()


def test_the_elastic_net_rule_and_the_l1_rule_keep_what_each_compares():
    model = affine(4, 12)
    x, y = samples(model, 30, (12,))
    beta = 0.05
    found = {}
    for rule in ("EN", "L1"):
        spec = EadSpec(goal="untargeted", steps=100, beta=beta, rule=rule, initial_const=0.1)
        delta = (attacked(model, x, y, spec).x_adv - x).flatten(1)
        found[rule] = delta.abs().sum(1), beta * delta.abs().sum(1) + delta.square().sum(1)
    assert (found["L1"][0] <= found["EN"][0] + 1e-12).all() and (found["EN"][1] <= found["L1"][1] + 1e-12).all()
    assert (found["L1"][0] < found["EN"][0]).any()


def test_shrinkage_leaves_most_values_alone():
    model = affine(4, 30)
    x, y = samples(model, 30, (30,))
    changed = []
    for beta in (0.0, 0.01):
        spec = EadSpec(goal="untargeted", steps=100, beta=beta, initial_const=0.1)
        result = attacked(model, x, y, spec)
        assert result.success.all()
        changed.append((result.x_adv != x).flatten(1).sum(1).double().mean())
    assert changed[0] == 30 and changed[1] < 15


def test_ista_and_fista_agree_on_an_easy_problem():
    model = affine(2, 8)
    x, y = samples(model, 20, (8,))
    norms = []
    for fista in (True, False):
        spec = EadSpec(goal="untargeted", steps=300, searches=4, initial_const=1.0, fista=fista, rule="L1")
        result = attacked(model, x, y, spec)
        assert result.success.all()
        norms.append(result.norm)
        if not fista:  # no second forward pass
            assert (result.forwards <= result.gradients + 1 + 4).all()
    assert 0.9 < (norms[0] / norms[1]).median() < 1.1
