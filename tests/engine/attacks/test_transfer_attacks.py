"""The transfer attacks against each other where they must agree, and against their formulas written out."""

import pytest
import torch
from torch import nn
from torch.nn.functional import conv2d, cross_entropy, interpolate, pad

from engine.attacks import run, start
from engine.attacks.tools.diversity import Diversity
from engine.attacks.tools.draws import Draws
from engine.attacks.tools.smoothing import gaussian, smoothed
from engine.attacks.transfer import of_mean_one
from engine.errors import AttackError
from engine.specs import BimSpec, DiSpec, FgsmSpec, MiSpec, NiSpec, PgdSpec, SiNiSpec, TiSpec, VmiSpec

SHAPE = (2, 5, 4)
SETTINGS = {"eps": 0.1, "alpha": 0.02, "steps": 6, "goal": "untargeted", "stop": False}


def network(shape=SHAPE, k=4, seed=0):
    d = torch.Size(shape).numel()
    model = nn.Sequential(nn.Flatten(), nn.Linear(d, 16), nn.Tanh(), nn.Linear(16, k))
    draw = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=draw))
    return model.eval()


def samples(model, n=20, shape=SHAPE, seed=1):
    x = torch.rand(n, *shape, generator=torch.Generator().manual_seed(seed))
    return x, model(x).argmax(1)


def iterates(spec, model=None, **more):
    model = model or network()
    return [i.x_adv for i in start(model, *samples(model), spec, seed=0, bounds=(0, 1), **more)]


def assert_same_way(one, other, **tolerance):
    found, expected = iterates(one), iterates(other)
    assert len(found) == len(expected) > 1
    for a, b in zip(found, expected, strict=True):
        torch.testing.assert_close(a, b, **({"rtol": 0, "atol": 0} | tolerance))
    assert not torch.equal(found[0], found[-1])


# --- oracles 1, 2, 3: where the attacks must agree, bit for bit in L-inf ----------------------------------------------


@pytest.mark.parametrize("other", [MiSpec, NiSpec, SiNiSpec, BimSpec, PgdSpec])
def test_one_step_of_each_is_fgsm(other):
    more = {"random_start": False} if other is PgdSpec else {"copies": 1} if other is SiNiSpec else {}
    one_step = {**SETTINGS, "alpha": 0.1, "steps": 1}
    assert_same_way(other(**one_step, **more), FgsmSpec(eps=0.1, goal="untargeted", stop=False))


@pytest.mark.parametrize("kind", [MiSpec, NiSpec])
def test_without_momentum_it_is_pgd_without_a_random_start(kind):
    assert_same_way(kind(mu=0.0, **SETTINGS), PgdSpec(random_start=False, **SETTINGS))


def test_without_momentum_mi_in_l2_is_pgd_up_to_rounding():
    settings = {**SETTINGS, "norm": "L2"}
    assert_same_way(MiSpec(mu=0.0, **settings), PgdSpec(random_start=False, **settings), atol=1e-5)


@pytest.mark.parametrize("norm", ["Linf", "L2"])
def test_di_that_transforms_nothing_is_mi(norm):
    assert_same_way(DiSpec(probability=0.0, norm=norm, **SETTINGS), MiSpec(norm=norm, **SETTINGS))
    whole = DiSpec(probability=1.0, smallest=1.0, norm=norm, **SETTINGS)
    assert_same_way(whole, MiSpec(norm=norm, **SETTINGS), atol=1e-5)


@pytest.mark.parametrize("norm", ["Linf", "L2"])
def test_ti_with_a_kernel_of_one_pixel_is_mi(norm):
    assert_same_way(TiSpec(kernel=1, norm=norm, **SETTINGS), MiSpec(norm=norm, **SETTINGS))


def test_sini_with_one_copy_is_ni():
    assert_same_way(SiNiSpec(copies=1, **SETTINGS), NiSpec(**SETTINGS))


def test_vmi_whose_only_neighbour_is_the_iterate_is_mi():
    assert_same_way(VmiSpec(neighbours=1, beta=0.0, **SETTINGS), MiSpec(**SETTINGS))


def test_otherwise_they_all_go_other_ways():
    """So that none of the above holds for nothing."""
    specs = [MiSpec, NiSpec, SiNiSpec, DiSpec, TiSpec, VmiSpec, BimSpec]
    ends = [iterates(kind(**SETTINGS))[-1] for kind in specs]
    assert all(not torch.allclose(a, b) for n, a in enumerate(ends) for b in ends[:n])


# --- the formulas ------------------------------------------------------------------------------------------------


def gradient_at(model, y):
    def gradient(point):
        leaf = point.clone().requires_grad_()
        return torch.autograd.grad(cross_entropy(model(leaf), y, reduction="sum"), leaf)[0]

    return gradient


def by_formula(spec, estimate, after=None):
    """The papers' loop in L-inf: ``g = mu g + estimate(x, g) / its mean absolute value``, then a step along its sign."""
    model = network()
    x, y = samples(model)
    gradient = gradient_at(model, y)
    now, g, points = x, torch.zeros_like(x), [x]
    for step in range(spec.steps):
        raw = estimate(gradient, now, g, step)
        g = spec.mu * g + raw / raw.abs().mean((1, 2, 3), keepdim=True)
        if after:
            after(gradient, now, step)
        now = (now + spec.alpha * g.sign()).clamp(x - spec.eps, x + spec.eps).clamp(0, 1)
        points.append(now)
    return points


def assert_formula(spec, estimate, after=None):
    for found, expected in zip(iterates(spec), by_formula(spec, estimate, after), strict=True):
        far = (found - expected).abs() > 1e-5  # the sign of a sum near 0 is rounding's
        assert far.double().mean() < 0.01


@pytest.mark.parametrize("mu", [0.5, 1.0])
def test_mi_adds_up_gradients_of_equal_size(mu):
    assert_formula(MiSpec(mu=mu, **SETTINGS), lambda gradient, x, g, step: gradient(x))


@pytest.mark.parametrize("mu", [0.5, 1.0])
def test_ni_looks_where_the_momentum_leads(mu):
    assert_formula(NiSpec(mu=mu, **SETTINGS), lambda gradient, x, g, step: gradient(x + 0.02 * mu * g))


def test_sini_averages_over_scaled_copies():
    def estimate(gradient, x, g, step):
        ahead = x + 0.02 * g
        return sum(gradient(ahead / 2**i) / 2**i for i in range(3)) / 3

    assert_formula(SiNiSpec(copies=3, **SETTINGS), estimate)


def test_ti_smooths():
    assert_formula(TiSpec(kernel=3, **SETTINGS), lambda gradient, x, g, step: smoothed(gradient(x), 3))


def test_vmi_corrects_by_the_variance_around_the_last_iterate():
    spec = VmiSpec(neighbours=3, beta=1.5, **SETTINGS)
    draws, v = Draws(0, torch.arange(20)), [torch.zeros(20, *SHAPE)]

    def after(gradient, x, step):
        around = [draws.uniform("neighbour", 3 * step + i, SHAPE) * 2 - 1 for i in range(3)]
        v[0] = sum(gradient(x + 1.5 * 0.1 * r) for r in around) / 3 - gradient(x)

    assert_formula(spec, lambda gradient, x, g, step: gradient(x) + v[0], after)


def test_di_takes_the_gradient_through_its_transformation():
    """Against autograd through the same transformation."""
    spec = DiSpec(smallest=0.4, probability=0.8, **SETTINGS)
    model = network()
    x, y = samples(model)
    draws, diversity = Draws(0, torch.arange(20)), Diversity(x, probability=0.8, smallest=0.4)

    def estimate(gradient, point, g, step):
        leaf = point.clone().requires_grad_()
        changed = diversity.draw(draws, step).apply(leaf)
        return torch.autograd.grad(cross_entropy(model(changed), y, reduction="sum"), leaf)[0]

    assert_formula(spec, estimate)


def test_gradients_are_made_of_mean_one_and_nothing_stays_nothing():
    gradient = torch.tensor([[1.0, -3.0], [0.0, 0.0], [1e-30, 1e-30]])
    assert of_mean_one(gradient).tolist() == [[0.5, -1.5], [0.0, 0.0], [1.0, 1.0]]


# --- input diversity ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 11, 6), (9, 7), (2, 1, 5), (1, 1, 1)], ids=str)
def test_a_transformed_image_is_a_shrunk_one_padded_with_zeros(shape):
    """Against torch's own interpolation, image by image."""
    x = torch.rand(60, *shape, generator=torch.Generator().manual_seed(0)) + 1  # zeros are padding
    change = Diversity(x, probability=0.7, smallest=0.3).draw(Draws(0, torch.arange(60)), 3)
    changed = change.apply(x)
    chosen, sizes = set(change.rows.tolist()), set()
    assert 25 < len(chosen) < 59
    for i in range(60):
        if i not in chosen:
            assert torch.equal(changed[i], x[i])
            continue
        image, found = (t.reshape(-1, *shape[-2:]) for t in (x[i], changed[i]))
        rows, columns = (found[0].sum(d).nonzero()[:, 0] for d in (1, 0))
        top, left, height, width = rows[0], columns[0], len(rows), len(columns)
        shrunk = interpolate(image[None], size=(height, width), mode="bilinear", align_corners=False)[0]
        around = (left, shape[-1] - left - width, top, shape[-2] - top - height)
        torch.testing.assert_close(found, pad(shrunk, around), rtol=0, atol=1e-5)
        assert all(n >= max(1, int(0.3 * full)) for n, full in ((height, shape[-2]), (width, shape[-1])))
        assert all(n < full or full == 1 for n, full in ((height, shape[-2]), (width, shape[-1])))
        sizes.add((height, int(top), int(left)))
    assert len(sizes) > 5 or shape[-2] == 1


def test_pulling_back_is_the_adjoint():
    draw = torch.Generator().manual_seed(0)
    x, g = (torch.randn(9, 2, 6, 5, generator=draw).double() for _ in range(2))
    change = Diversity(x, probability=0.8, smallest=0.3).draw(Draws(1, torch.arange(9)), 0)
    inner = ((change.apply(x) * g).sum((1, 2, 3)), (x * change.pull(g)).sum((1, 2, 3)))
    torch.testing.assert_close(*inner)


def test_each_sample_has_a_transformation_of_its_own_whoever_is_in_the_batch():
    x = torch.rand(30, 1, 9, 9, generator=torch.Generator().manual_seed(0))
    diversity = Diversity(x, probability=0.6, smallest=0.5)
    whole = diversity.draw(Draws(0, torch.arange(30)), 2).apply(x)
    part = diversity.draw(Draws(0, torch.arange(30)[7:15]), 2).apply(x[7:15])
    assert torch.equal(part, whole[7:15])
    again = diversity.draw(Draws(0, torch.arange(30)), 3).apply(x)
    assert not torch.equal(again, whole)


def test_nobody_transformed_is_nobody_changed():
    x = torch.rand(4, 1, 6, 6, generator=torch.Generator().manual_seed(0))
    change = Diversity(x, probability=0.0, smallest=0.5).draw(Draws(0, torch.arange(4)), 0)
    assert len(change.rows) == 0 and torch.equal(change.apply(x), x) and torch.equal(change.pull(x), x)


# --- smoothing ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 11, 6), (5, 4, 4), (9, 7)], ids=str)
@pytest.mark.parametrize("width", [1, 3, 15])
def test_smoothing_is_a_depthwise_convolution_with_a_gaussian(shape, width):
    images = torch.randn(6, *shape, generator=torch.Generator().manual_seed(0))
    kernel = gaussian(width)[:, None] * gaussian(width)
    assert kernel.sum() == pytest.approx(1, abs=1e-6) and kernel.argmax() == width**2 // 2
    channels = images.reshape(6, -1, *shape[-2:])
    c = channels.shape[1]
    expected = conv2d(channels, kernel.expand(c, 1, width, width), padding=width // 2, groups=c).reshape(images.shape)
    torch.testing.assert_close(smoothed(images, width), expected, rtol=0, atol=1e-6)


def test_the_gaussian_reaches_three_standard_deviations():
    weights = gaussian(7)
    torch.testing.assert_close(weights[3] / weights[0], torch.tensor(3.0).square().div(2).exp())
    torch.testing.assert_close(weights, weights.flip(0))


def test_vectors_have_no_neighbourhood():
    with pytest.raises(AttackError, match="shifts images"):
        smoothed(torch.rand(3, 5), 3)
    with pytest.raises(AttackError, match="shrinks and pads images"):
        Diversity(torch.rand(3, 5), probability=0.5, smallest=0.5)


# --- what they cost, and what they are for -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "forwards", "gradients"),
    [
        (MiSpec(**SETTINGS), 1 + 7, 6),
        (TiSpec(**SETTINGS), 1 + 7, 6),
        (NiSpec(**SETTINGS), 1 + 7 + 5, 6),  # the first look is at the sample itself, for there is no momentum yet
        (NiSpec(mu=0.0, **SETTINGS), 1 + 7, 6),
        (SiNiSpec(copies=4, **SETTINGS), 1 + 4 * 6 + 5 + 1, 4 * 6),
        (DiSpec(probability=1.0, **SETTINGS), 1 + 6 + 6 + 1, 6),
        (DiSpec(probability=0.0, **SETTINGS), 1 + 7, 6),
        (
            VmiSpec(neighbours=3, **SETTINGS),
            1 + 7 + 3 * 5,
            6 + 3 * 5,
        ),  # after the last gradient nobody needs a variance
    ],
    ids=lambda s: getattr(s, "method", None),
)
def test_no_pass_is_wasted(spec, forwards, gradients):
    model = network()
    result = run(start(model, *samples(model), spec, seed=0, bounds=(0, 1)))
    assert (result.forwards == forwards).all() and (result.gradients == gradients).all()


def test_a_sample_goes_on_after_its_first_success_unless_told_to_stop():
    """How deep a point lies in the wrong class decides whether it carries over to another model."""
    model = network()
    x, y = samples(model, 60)
    settings = {"eps": 0.1, "alpha": 0.01, "steps": 10, "goal": "untargeted"}
    deep, shallow = (
        run(start(model, x, y, MiSpec(**settings, **s), seed=0, bounds=(0, 1))) for s in ({}, {"stop": True})
    )
    assert torch.equal(deep.success, shallow.success) and deep.success.sum() > 10
    assert deep.margin[deep.success].mean() < shallow.margin[deep.success].mean() - 0.1
    assert (deep.gradients == 10).all() and (shallow.gradients[shallow.success] < 10).any()


@pytest.mark.parametrize("kind", [MiSpec, NiSpec, SiNiSpec, DiSpec, TiSpec, VmiSpec])
def test_a_target_is_approached(kind):
    model = network()
    x, y = samples(model, 40)
    target = (y + 1) % 4
    more = {"kernel": 3} if kind is TiSpec else {}
    spec = kind(eps=0.3, alpha=0.03, steps=10, goal="next", **more)
    first, *_, last = start(model, x, y, spec, seed=0, bounds=(0, 1), target=target)
    assert (last.loss < first.loss).double().mean() > 0.9 and last.success.sum() > 3
    assert torch.equal(last.prediction[last.success], target[last.success])
