"""FGSM and PGD against what can be worked out by hand: affine models, softmax gradients, one step."""

import pytest
import torch
from torch import nn

from engine.attacks import choose_targets, run, start
from engine.attacks.core import look
from engine.attacks.tools.losses import cross_entropy
from engine.specs import FgsmSpec, PgdSpec


def affine(k, d, seed=0):
    model = nn.Sequential(nn.Flatten(), nn.Linear(d, k))
    draw = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        model[1].weight.copy_(torch.randn(k, d, generator=draw))
        model[1].bias.copy_(torch.randn(k, generator=draw))
    return model.eval()


def network(seed=0, k=4, d=12):
    draw = torch.Generator().manual_seed(seed)
    model = nn.Sequential(nn.Flatten(), nn.Linear(d, 16), nn.Tanh(), nn.Linear(16, k))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=draw))
    return model.eval()


def samples(n, shape, k, seed=1):
    draw = torch.Generator().manual_seed(seed)
    return torch.rand(n, *shape, generator=draw), torch.randint(k, (n,), generator=draw)


def test_the_input_gradient_of_a_linear_softmax_is_weights_times_error():
    """Oracle 9: d CE / d x = W^T (p - e_y), for each sample of the batch alone."""
    model, (x, y) = affine(5, 6), samples(20, (6,), 5)
    leaf = x.clone().requires_grad_()
    gain = cross_entropy(model(leaf), y, None)
    gradient = look.input_gradient(gain, leaf)
    p = model(x).softmax(1).detach()
    torch.testing.assert_close(gradient, (p - nn.functional.one_hot(y, 5)) @ model[1].weight.detach())
    torch.testing.assert_close(gain.detach(), -p[torch.arange(20), y].log())


@pytest.mark.parametrize("norm", ["Linf", "L2"])
@pytest.mark.parametrize("goal", ["untargeted", "next"])
def test_pgd_with_one_step_equals_fgsm(norm, goal):
    """Oracle 1, bit for bit."""
    model, (x, y) = network(), samples(30, (3, 2, 2), 4)
    target = choose_targets(model, x, y, goal, 4, 0)
    one = PgdSpec(norm=norm, goal=goal, eps=0.2, alpha=0.2, steps=1, random_start=False)
    fast = FgsmSpec(norm=norm, goal=goal, eps=0.2)
    pairs = [list(start(model, x, y, spec, seed=0, bounds=(0, 1), target=target)) for spec in (one, fast)]
    assert [len(p) for p in pairs] == [2, 2]
    for a, b in zip(*pairs, strict=True):
        for name in ("x_adv", "loss", "prediction", "confidence", "success", "active"):
            assert torch.equal(getattr(a, name), getattr(b, name)), name
    assert not torch.equal(pairs[0][1].x_adv, x)


@pytest.mark.parametrize("goal", ["untargeted", "next"])
def test_linf_fgsm_is_eps_times_the_sign_of_the_gradient(goal):
    model, (x, _) = network(), samples(30, (12,), 4)
    y = model(x).argmax(1)
    target = choose_targets(model, x, y, goal, 4, 0)
    leaf = x.clone().requires_grad_()
    nn.functional.cross_entropy(model(leaf), y if target is None else target).backward()
    sign = leaf.grad.sign() * (1 if target is None else -1)
    *_, last = start(model, x, y, FgsmSpec(eps=0.03, goal=goal), seed=0, bounds=None, target=target)
    torch.testing.assert_close(last.x_adv, x + 0.03 * sign, rtol=0, atol=2e-7)
    *_, boxed = start(model, x, y, FgsmSpec(eps=0.03, goal=goal), seed=0, bounds=(0, 1), target=target)
    torch.testing.assert_close(boxed.x_adv, (x + 0.03 * sign).clamp(0, 1), rtol=0, atol=2e-7)


@pytest.mark.parametrize("goal", ["untargeted", "next"])
def test_the_l2_step_on_a_binary_affine_model_is_exact(goal):
    """Every gradient lies along w_t - w_y, so one step of eps and many steps of alpha end at the same point.

    In float64: where softmax is nearly 1, float32 rounds p - 1 and p apart, and the direction by 1e-5 with them.
    """
    model, (x, y) = affine(2, 8).double(), samples(25, (8,), 2)
    x = x.double()
    y = model(x).argmax(1)
    w = model[1].weight.detach()
    towards = w[1 - y] - w[y]
    expected = x + 0.7 * towards / towards.norm(dim=1, keepdim=True)
    target = None if goal == "untargeted" else 1 - y
    many = PgdSpec(norm="L2", goal=goal, eps=0.7, alpha=0.1, steps=12, random_start=False, stop=False)
    for spec in (FgsmSpec(norm="L2", goal=goal, eps=0.7), many):
        *_, last = start(model, x, y, spec, seed=0, bounds=None, target=target)
        torch.testing.assert_close(last.x_adv, expected, rtol=0, atol=1e-12)


def test_the_l2_step_on_a_linear_softmax_is_exact():
    model, (x, _) = affine(5, 6), samples(20, (6,), 5)
    y = model(x).argmax(1)
    gradient = (model(x).softmax(1).detach() - nn.functional.one_hot(y, 5)) @ model[1].weight.detach()
    expected = x + 0.25 * gradient / gradient.norm(dim=1, keepdim=True)
    *_, last = start(model, x, y, FgsmSpec(norm="L2", goal="untargeted", eps=0.25), seed=0, bounds=None)
    torch.testing.assert_close(last.x_adv, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize(("norm", "dual"), [("Linf", 1), ("L2", 2)])
def test_a_binary_affine_model_breaks_exactly_beyond_its_margin(norm, dual):
    """Oracle 5: the minimal distance is the margin over the dual norm of w_y - w_t."""
    model, (x, _) = affine(2, 8), samples(40, (8,), 2)
    logits = model(x).detach()
    y = logits.argmax(1)
    w = model[1].weight.detach()
    margin = (logits.gather(1, y[:, None]) - logits.gather(1, 1 - y[:, None]))[:, 0]
    minimal = margin / torch.linalg.vector_norm(w[0] - w[1], dual)
    eps = minimal.median().item()
    result = run(start(model, x, y, FgsmSpec(norm=norm, goal="untargeted", eps=eps), seed=0, bounds=None))
    clear = (minimal - eps).abs() > 1e-5
    assert torch.equal(result.success[clear], (minimal < eps)[clear]) and 15 < result.success.sum() < 25


def test_a_targeted_attack_reaches_its_target_on_an_easy_model():
    model = nn.Linear(6, 3, bias=False).eval()
    with torch.no_grad():
        model.weight.copy_(5 * torch.eye(3, 6))
    x, y = torch.full((9, 6), 0.5), torch.arange(9) % 3
    x[torch.arange(9), y] += 0.1
    spec = PgdSpec(norm="Linf", eps=0.2, alpha=0.02, steps=20, random_start=False, stop=False)
    iterates = list(start(model, x, y, spec, seed=0, bounds=(0, 1), target=(y + 1) % 3))
    assert not iterates[0].success.any() and iterates[-1].success.all()
    assert torch.equal(iterates[-1].prediction, (y + 1) % 3)
    assert (iterates[-1].loss < iterates[0].loss).all()
    assert (iterates[-1].confidence > 0.5).all()


def test_an_untargeted_attack_raises_the_loss_and_a_targeted_one_lowers_it():
    model, (x, _) = network(), samples(50, (12,), 4)
    y = model(x).argmax(1)
    spec = PgdSpec(norm="L2", goal="untargeted", eps=0.3, alpha=0.01, steps=20, random_start=False, stop=False)
    first, *_, last = start(model, x, y, spec, seed=0, bounds=None)
    assert (last.loss > first.loss).all()
    first, *_, last = start(
        model, x, y, spec.model_copy(update={"goal": "next"}), seed=0, bounds=None, target=(y + 1) % 4
    )
    assert (last.loss < first.loss).all()


def test_a_flat_loss_moves_nothing_and_makes_no_nan():
    """Some samples have no gradient at all, their batch mates do."""
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3)).eval()
    with torch.no_grad():
        model[0].weight.copy_(torch.ones(8, 4))
        model[0].bias.fill_(-1.0)
        model[2].weight.copy_(torch.arange(24.0).reshape(3, 8).sin())
    x = torch.tensor([[0.0, 0, 0, 0], [1.0, 1, 1, 1], [0.1, 0, 0, 0]])
    for norm in ("L2", "Linf"):
        spec = PgdSpec(norm=norm, goal="untargeted", eps=0.1, alpha=0.05, steps=3, random_start=False, stop=False)
        *_, last = start(model, x, model(x).argmax(1), spec, seed=0, bounds=None)
        assert torch.equal(last.x_adv[[0, 2]], x[[0, 2]])
        assert last.x_adv.isfinite().all() and not torch.equal(last.x_adv[1], x[1])
