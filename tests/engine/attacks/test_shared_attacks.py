"""The universal perturbation and the adversarial patch: one thing for all samples."""

import pytest
import torch
from pydantic import ValidationError
from torch import nn

from engine.attacks import choose_targets, run, start
from engine.attacks.patch import _Patch
from engine.attacks.tools.draws import Draws
from engine.attacks.tools.shared import AT_LAST
from engine.errors import AttackError
from engine.specs import PatchSpec, UniversalSpec

K = 3
SHAPE = (2, 5, 4)


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


def network(shape=SHAPE, seed=0):
    d = torch.Size(shape).numel()
    model = nn.Sequential(nn.Flatten(), nn.Linear(d, 16), nn.ReLU(), nn.Linear(16, K))
    draw = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=draw))
    return model.eval()


def labelled(model, n, shape=SHAPE, seed=1):
    x = uniform(n, *shape, seed=seed)
    return x, model(x).argmax(1)


def attacked(model, x, y, spec, bounds=(0, 1), seed=0, **how):
    target = choose_targets(model, x, y, spec.goal, K, 0)
    return run(start(model, x, y, spec, seed=seed, bounds=bounds, target=target, **how))


SPECS = [
    UniversalSpec(eps=0.3, epochs=4, minibatch=16),
    UniversalSpec(norm="L2", eps=1.5, alpha=0.2, epochs=4, minibatch=16),
    PatchSpec(size=0.5, epochs=4, minibatch=16),
]


def name(spec):
    return f"{spec.method}-{spec.norm}"


# --- what holds for both -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("spec", SPECS, ids=name)
@pytest.mark.parametrize("fit", ["examples", "samples"])
@pytest.mark.parametrize("goal", ["untargeted", "next", "random", "least-likely"])
def test_points_keep_to_box_and_ball_and_the_result_says_the_truth(spec, fit, goal):
    model = network()
    (x, y), examples = labelled(model, 30), labelled(model, 60, seed=2)
    y[:4] = (y[:4] - 1) % K
    low, high = [-0.5, 0.0], [1.0, 1.5]
    spec = spec.model_copy(update={"fit": fit, "goal": goal})
    target = choose_targets(model, x, y, goal, K, 0)
    attack = start(model, x, y, spec, seed=0, bounds=(low, high), target=target, examples=examples, batch=8)
    count = 0
    for iterate in attack:
        count += 1
        for channel in range(2):
            assert iterate.x_adv[:, channel].min() >= low[channel]
            assert iterate.x_adv[:, channel].max() <= high[channel]
        delta = (iterate.x_adv - x).flatten(1).double()
        if spec.method == "universal":
            size = delta.abs().amax(1) if spec.norm == "Linf" else delta.norm(dim=1)
            assert size.max() <= spec.eps * (1 + 1e-6)
    assert count == spec.epochs + 1
    result = attack.result()
    before = model(x).argmax(1) != y if target is None else model(x).argmax(1) == target
    assert torch.equal(result.x_adv[before], x[before]) and (result.norm[before] == 0).all()
    assert before.any() or goal in ("random", "least-likely")
    reached = model(result.x_adv).argmax(1) != y if target is None else model(result.x_adv).argmax(1) == target
    assert torch.equal(result.success, reached) and result.disagreements == 0
    assert (result.first_success[~result.success] == -1).all() and (result.first_success[result.success] >= 0).all()


@pytest.mark.parametrize("spec", SPECS, ids=name)
def test_what_is_fitted_to_examples_does_not_depend_on_who_is_attacked(spec):
    """But for rounding: a minibatch's gradients are summed in parts as large as a batch, so it is done in float64."""
    model = network()
    (x, y), examples = labelled(model, 20), labelled(model, 60, seed=2)
    model, x, examples = model.double(), x.double(), (examples[0].double(), examples[1])
    whole, cut, some = (
        attacked(model, part, y[: len(part)], spec, examples=examples, batch=batch)
        for part, batch in ((x, 20), (x, 7), (x[:5], 5))
    )
    for other, n in ((cut, 20), (some, 5)):
        for field in ("success", "first_success"):
            assert torch.equal(getattr(whole, field)[:n], getattr(other, field)[:n]), field
        torch.testing.assert_close(whole.x_adv[:n], other.x_adv[:n], rtol=0, atol=1e-12)
    another = attacked(model, x, y, spec, seed=1, examples=examples)
    assert not torch.equal(whole.x_adv, another.x_adv)


@pytest.mark.parametrize("spec", SPECS, ids=name)
def test_what_the_fit_costs_is_shared_out_among_the_attacked(spec):
    """The counts add up to the looks at the model, but for those by which the result is verified."""
    model = network()
    (x, y), examples = labelled(model, 20), labelled(model, 60, seed=2)
    for n, batch in ((20, 20), (20, 7), (5, 5)):
        result = attacked(model, x[:n], y[:n], spec, examples=examples, batch=batch)
        assert result.gradients.sum() == 60 * spec.epochs
        assert result.gradients.max() - result.gradients.min() <= 1
        shown = result.forwards.sum() - n - 60 * (1 + spec.epochs + spec.epochs + 1)
        assert n <= shown <= n * (1 + spec.epochs)


@pytest.mark.parametrize("spec", SPECS, ids=name)
def test_fitted_to_the_samples_it_depends_on_the_set_but_not_on_the_batches(spec):
    model = network()
    x, y = labelled(model, 20)
    spec = spec.model_copy(update={"fit": "samples"})
    whole, cut = (attacked(model, x, y, spec, batch=batch) for batch in (20, 7))
    torch.testing.assert_close(whole.x_adv, cut.x_adv, rtol=0, atol=1e-6)
    assert torch.equal(whole.success, cut.success) and torch.equal(whole.gradients, cut.gradients)
    assert not torch.equal(attacked(model, x[:5], y[:5], spec).x_adv, whole.x_adv[:5])
    assert (whole.gradients == spec.epochs).all()
    assert (whole.forwards == 1 + spec.epochs + spec.epochs + 1).all()  # the clean look, the fit, the looks after each


@pytest.mark.parametrize("spec", SPECS, ids=name)
def test_without_examples_it_is_fitted_to_the_samples(spec):
    model = network()
    x, y = labelled(model, 20)
    given = attacked(model, x, y, spec.model_copy(update={"fit": "samples"}), examples=labelled(model, 60, seed=2))
    assert torch.equal(attacked(model, x, y, spec).x_adv, given.x_adv)


@pytest.mark.parametrize("spec", SPECS, ids=name)
def test_more_epochs_break_no_fewer_of_the_samples_it_is_fitted_to(spec):
    model = network()
    x, y = labelled(model, 40)
    spec = spec.model_copy(update={"fit": "samples"})
    counts = [attacked(model, x, y, spec.model_copy(update={"epochs": e})).success.sum().item() for e in (1, 3, 9, 15)]
    assert counts == sorted(counts) and counts[-1] > 0
    counts = [int(i.success.sum()) for i in start(model, x, y, spec, seed=0, bounds=(0, 1))]
    assert counts == sorted(counts)


@pytest.mark.parametrize("spec", SPECS, ids=name)
@pytest.mark.parametrize("goal", ["untargeted", "next"])
def test_flat_models_and_one_sample_give_no_nan(spec, goal):
    model = Affine(torch.zeros(K, 40), torch.tensor([1.0, 1.0, 0.0]))
    x, y = uniform(3, *SHAPE), torch.zeros(3, dtype=torch.int64)
    result = attacked(model, x, y, spec.model_copy(update={"goal": goal}), bounds=None)
    assert result.x_adv.isfinite().all() and not result.invalid.any()
    assert result.success.sum() == 0
    model = network()
    (x, y), examples = labelled(model, 1), labelled(model, 9, seed=3)
    assert attacked(model, x, y, spec, bounds=None, examples=examples).x_adv.isfinite().all()


@pytest.mark.parametrize("spec", SPECS, ids=name)
@pytest.mark.parametrize("fit", ["examples", "samples"])
def test_samples_and_examples_without_an_answer_do_no_harm(spec, fit):
    inner = network()

    class Partly(nn.Module):
        def forward(self, x):
            return torch.where(x[:, :1, 0, 0] > 0.95, torch.nan, inner(x))

    model, x, examples = Partly(), uniform(40, *SHAPE, seed=5), uniform(80, *SHAPE, seed=6)
    y, y_examples = inner(x).argmax(1), inner(examples).argmax(1)
    for some in (x, examples):
        some[:, 0, 0, 0] /= 2
        some[::4, 0, 0, 0] = 0.98
    clean_bad = torch.arange(40) % 4 == 0
    spec = spec.model_copy(update={"fit": fit})
    result = attacked(model, x, y, spec, examples=(examples, y_examples))
    assert result.invalid[clean_bad].all() and not result.success[result.invalid].any()
    assert result.x_adv.isfinite().all() and not result.invalid.all()


@pytest.mark.parametrize("spec", SPECS, ids=name)
def test_the_model_and_the_generators_are_left_as_they_were(spec):
    model = network().train()
    x, y = labelled(model, 12)
    before = [p.clone() for p in model.parameters()]
    state = torch.get_rng_state()
    attack = start(model, x, y, spec, seed=0, bounds=(0, 1), examples=labelled(model, 30, seed=2))
    for _ in attack.events():
        assert model.training and torch.equal(state, torch.get_rng_state())
    assert all(torch.equal(p, q) and p.grad is None for p, q in zip(model.parameters(), before, strict=True))
    attack = start(model, x, y, spec, seed=0, bounds=(0, 1))
    next(attack)
    attack.close()
    assert attack.result().x_adv.isfinite().all() and model.training


def test_a_network_that_knows_no_example_has_nothing_to_fit_to():
    model = network()
    (x, y), (seen, right) = labelled(model, 10), labelled(model, 20, seed=2)
    for spec in SPECS:
        with pytest.raises(AttackError, match="sees no training sample as what it is"):
            attacked(model, x, y, spec, examples=(seen, (right + 1) % K))


# --- universal ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fit", ["examples", "samples"])
@pytest.mark.parametrize("bounds", [None, (-9, 9)])
def test_of_a_binary_affine_model_it_is_eps_times_the_sign_of_w(fit, bounds):
    w = random(30, seed=4)
    x = random(40, 30, seed=5)
    x -= (x @ w / (w @ w))[:, None] * w  # all on the boundary's parallel, at distance b
    model = Affine(torch.stack([-w, w]), torch.tensor([5.0, 0.0]))
    y = torch.zeros(40, dtype=torch.int64)
    for eps in (0.1, 0.3):
        spec = UniversalSpec(eps=eps, alpha=0.05, epochs=20, fit=fit)
        result = attacked(model, x[:30], y[:30], spec, bounds=bounds, examples=(x[30:], y[30:]))
        torch.testing.assert_close(result.x_adv - x[:30], (eps * w.sign()).expand(30, -1), rtol=0, atol=1e-5)
        # 2 w x - 5 < 0 before; eps sign(w) adds 2 eps |w|_1
        assert bool(result.success.all()) == bool(2 * eps * w.abs().sum() > 5)
    spec = UniversalSpec(norm="L2", eps=1.0, alpha=0.1, epochs=20, fit=fit)
    result = attacked(model, x[:30], y[:30], spec, bounds=bounds, examples=(x[30:], y[30:]))
    torch.testing.assert_close(result.x_adv - x[:30], (w / w.norm()).expand(30, -1), rtol=0, atol=1e-4)


def test_all_samples_get_the_same_perturbation_put_into_the_box():
    model = network()
    (x, y), examples = labelled(model, 50), labelled(model, 60, seed=2)
    free = attacked(model, x, y, SPECS[0], bounds=None, examples=examples)
    delta = free.x_adv - x
    torch.testing.assert_close(delta, delta[:1].expand_as(delta), rtol=0, atol=1e-6)
    assert delta.abs().max() > 0.1
    boxed = attacked(model, x, y, SPECS[0], examples=examples)
    inside = (boxed.x_adv > 0) & (boxed.x_adv < 1)
    shift = torch.where(inside, boxed.x_adv - x, torch.nan)
    spread = shift.nan_to_num(-9).amax(0) - shift.nan_to_num(9).amin(0)
    assert spread.max() < 1e-6 and (~inside).any()


def test_a_universal_perturbation_of_size_zero_changes_nothing():
    model = network()
    x, y = labelled(model, 20)
    result = attacked(model, x, y, UniversalSpec(eps=0, epochs=3))
    assert torch.equal(result.x_adv, x) and not result.success.any() and (result.norm == 0).all()


def test_it_carries_over_to_samples_it_has_not_seen():
    model = network()
    (x, y), examples = labelled(model, 200), labelled(model, 300, seed=2)
    noise = 0.3 * random(1, *SHAPE, seed=9).sign()
    by_chance = (model((x + noise).clamp(0, 1)).argmax(1) != y).double().mean()
    result = attacked(model, x, y, UniversalSpec(eps=0.3), examples=examples)
    own = attacked(model, x, y, UniversalSpec(eps=0.3, fit="samples"), examples=examples)
    assert result.success.double().mean() > by_chance + 0.2
    assert own.success.double().mean() > 0.9 * result.success.double().mean()


def test_the_cut_loss_keeps_fooled_samples_from_outweighing_the_others():
    """A sample that is fooled by next to nothing, along the first axis, with a loss 50 times as steep as that of the
    others, which need much along the second."""

    class Two(nn.Module):
        def forward(self, x):
            steep = x.detach()[:, 2:3] > 0.5
            return torch.cat([torch.where(steep, 1 - 100 * x[:, :1], 1 - 2 * x[:, 1:2]), torch.zeros(len(x), 1)], 1)

    x = torch.tensor([[0.0, 0, 1], [0, 0, 0], [0, 0, 0]])
    y = torch.zeros(3, dtype=torch.int64)
    spec = UniversalSpec(norm="L2", eps=0.8, alpha=0.05, epochs=100, fit="samples", minibatch=3)
    fooled = {
        clip: attacked(Two(), x, y, spec.model_copy(update={"clip": clip}), bounds=None).success for clip in (9.0, 1e6)
    }
    assert fooled[9.0].tolist() == [True, True, True] and fooled[1e6].tolist() == [True, False, False]


# --- patch -------------------------------------------------------------------------------------------------------


def covered(x_adv, x):
    return (x_adv != x).any(1)


@pytest.mark.parametrize("placement", ["random", "centre", "corner"])
@pytest.mark.parametrize("shape", ["square", "circle"])
def test_only_what_lies_under_the_patch_changes_and_all_of_it_is_the_same_picture(placement, shape):
    model = network((2, 9, 7))
    (x, y), examples = labelled(model, 40, (2, 9, 7)), labelled(model, 60, (2, 9, 7), seed=2)
    spec = PatchSpec(size=0.45, placement=placement, shape=shape, epochs=3)  # 3 of 7
    result = attacked(model, x, y, spec, examples=examples)
    corners, pictures = set(), []
    for before, after in zip(x, result.x_adv, strict=True):
        rows, cols = torch.nonzero((before != after).any(0), as_tuple=True)
        top, left = int(rows.min()), int(cols.min())
        assert rows.max() - top == 2 and cols.max() - left == 2
        assert len(rows) == 9
        corners.add((top, left))
        pictures.append(after[:, rows, cols])
    assert all(torch.equal(picture, pictures[0]) for picture in pictures)
    expected = {"centre": {(3, 2)}, "corner": {(0, 0)}}.get(placement)
    if expected is None:
        assert len(corners) > 10 and max(c[0] for c in corners) == 6 and max(c[1] for c in corners) == 4
    else:
        assert corners == expected


def test_a_circle_leaves_the_corners_and_the_least_patch_is_one_pixel():
    model = network((1, 12, 12))
    x, y = labelled(model, 10, (1, 12, 12))
    square, circle, least = (
        covered(attacked(model, x, y, spec).x_adv, x).flatten(1).sum(1)
        for spec in (
            PatchSpec(size=0.5, epochs=1),
            PatchSpec(size=0.5, epochs=1, shape="circle"),
            PatchSpec(size=0.001, epochs=1),
        )
    )
    assert (square == 36).all() and (circle == 32).all() and (least == 1).all()
    whole = attacked(model, x, y, PatchSpec(size=1, epochs=1))
    assert torch.equal(whole.x_adv, whole.x_adv[:1].expand_as(x))


def test_places_are_drawn_anew_at_each_step_and_for_each_sample():
    like = torch.zeros(50, 1, 8, 8)
    patch = _Patch(PatchSpec(size=0.25), None, like)
    draws = Draws(0, torch.arange(50))
    first, second, last = (patch._index(like, draws, step)[:, 0, 0] for step in (1, 2, AT_LAST))
    assert not torch.equal(first, second) and not torch.equal(first, last)
    for places in (first, second, last):
        assert len(places.unique()) > 15
        assert (places // 8).max() <= 6 and (places % 8).max() <= 6
    assert torch.equal(patch._index(like[:7], draws.rows(torch.arange(7)), 1)[:, 0, 0], first[:7])


def test_of_an_affine_model_the_patch_is_the_sign_of_the_weights_under_it():
    w = random(2, 6, 6, seed=7)
    model = Affine(torch.stack([-w.flatten(), w.flatten()]), torch.tensor([30.0, 0.0]))
    x, y = uniform(20, 2, 6, 6, seed=8), torch.zeros(20, dtype=torch.int64)
    spec = PatchSpec(size=0.5, placement="centre", epochs=20)
    result = attacked(model, x, y, spec, examples=(x[:9].flip(3), y[:9]))
    under = result.x_adv[:, :, 1:4, 1:4]
    assert torch.equal(under, (w[:, 1:4, 1:4] > 0).float().expand(20, -1, -1, -1))


def test_a_fitted_patch_does_more_than_a_random_one_wherever_it_is_put():
    shape = (1, 8, 8)
    conv = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, K)
    )
    draw = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in conv.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=draw))
    (x, y), examples = labelled(conv, 200, shape), labelled(conv, 300, shape, seed=2)
    attack = start(conv, x, y, PatchSpec(size=0.5), seed=0, bounds=(0, 1), examples=examples)
    rates = [float(iterate.success.double().mean()) for iterate in attack]
    assert rates[-1] > rates[0] + 0.15


def test_a_patch_for_one_class_drives_all_others_there():
    shape = (2, 4, 4)
    model = network(shape)
    (x, y), examples = labelled(model, 100, shape), labelled(model, 300, shape, seed=2)
    rates = []
    for aim in range(K):
        spec = PatchSpec(size=1, target_class=aim, epochs=10)
        result = attacked(model, x, y, spec, examples=examples)
        others = y != aim
        rates.append(float((result.prediction == aim)[others].double().mean()))
        assert torch.equal(result.success, result.prediction == aim), "another wrong class is no success"
        assert torch.equal(result.already, y == aim)
    assert min(rates) == 1  # the patch covers everything
    with pytest.raises(AttackError, match=r"The model tells 3 classes apart, but labels or targets run from [01] to 7"):
        attacked(model, x, y, PatchSpec(target_class=7), examples=examples)
    only = y == y[0]
    nothing_to_do = attacked(model, x[only], y[only], PatchSpec(target_class=int(y[0]), fit="samples"))
    assert nothing_to_do.already.all() and torch.equal(nothing_to_do.x_adv, x[only])
    wrong = (y[only] + 1) % K  # of the class aimed at by their labels, but not so to the network
    with pytest.raises(AttackError, match="All samples are of class"):
        attacked(model, x[only], wrong, PatchSpec(target_class=int(wrong[0]), fit="samples"))


def test_bad_settings_and_vectors_are_refused():
    model = network((6,))
    x, y = labelled(model, 5, (6,))
    with pytest.raises(AttackError, match=r"put on images \[C, H, W\], but these samples have the shape \[6\]"):
        attacked(model, x, y, PatchSpec())
    with pytest.raises(ValidationError, match="no other targets"):
        PatchSpec(goal="next", target_class=1)
    for kind, bad in (
        (PatchSpec, {"size": 0}),
        (PatchSpec, {"size": 1.1}),
        (PatchSpec, {"norm": "Linf"}),
        (PatchSpec, {"target_class": -2}),
        (UniversalSpec, {"eps": -1}),
        (UniversalSpec, {"norm": "L1"}),
        (UniversalSpec, {"epochs": 0}),
        (UniversalSpec, {"fit": "all"}),
    ):
        with pytest.raises(ValidationError):
            kind(**bad)
