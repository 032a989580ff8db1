"""Losses against their formulas written out, their invariances, and gradients against finite differences."""

import math
from functools import partial

import pytest
import torch
from torch.nn import functional

from engine.attacks.tools.losses import best_other, cross_entropy, dlr, kl, margin, margin_of, targeted_dlr

UNTARGETED = {"cross_entropy": cross_entropy, "margin": margin, "dlr": dlr}
TARGETED = {**UNTARGETED, "targeted_dlr": targeted_dlr}


def normal(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def labels(n, classes, seed=1):
    """True classes and others as targets."""
    source = torch.Generator().manual_seed(seed)
    y = torch.randint(classes, (n,), generator=source)
    return y, (y + torch.randint(1, classes, (n,), generator=source)) % classes


def cases():
    """Every loss with and without a target, for each number of classes for which its form differs."""
    for classes in (2, 3, 4, 10):
        y, target = labels(60, classes)
        for losses, aim in ((UNTARGETED, None), (TARGETED, target)):
            for name, loss in losses.items():
                ident = f"{name}-{classes}" + ("" if aim is None else "-targeted")
                yield pytest.param(partial(loss, y=y, target=aim), classes, id=ident)
        yield pytest.param(partial(from_the_reference, normal(60, classes, seed=9)), classes, id=f"kl-{classes}")


def from_the_reference(before, z):
    return kl(before.to(z.dtype))(z, torch.zeros(len(z), dtype=torch.int64), None)


every_loss = pytest.mark.parametrize(("loss", "classes"), list(cases()))


def test_cross_entropy_is_torchs_and_its_negative_for_a_target():
    z = normal(30, 5)
    y, target = labels(30, 5)
    torch.testing.assert_close(cross_entropy(z, y), functional.cross_entropy(z, y, reduction="none"))
    torch.testing.assert_close(cross_entropy(z, y, target), -functional.cross_entropy(z, target, reduction="none"))


def test_margin_is_above_0_exactly_where_the_attack_has_succeeded():
    z = normal(300, 4)
    y, target = labels(300, 4)
    assert (margin(z, y) > 0).tolist() == (z.argmax(1) != y).tolist()
    assert (margin(z, y, target) > 0).tolist() == (z.argmax(1) == target).tolist()
    assert torch.equal(margin_of(z, y), -margin(z, y))
    assert torch.equal(margin_of(z, y, target), -margin(z, y, target))
    by_hand = torch.tensor([[3.0, 1, 2], [0, 5, -1]])
    assert margin(by_hand, torch.tensor([0, 0])).tolist() == [-1, 5]
    assert margin(by_hand, torch.tensor([0, 0]), torch.tensor([1, 1])).tolist() == [-2, 5]
    assert best_other(by_hand, torch.tensor([0, 1])).tolist() == [2, 0]


def test_dlr_of_3_2_1_is_minus_a_half():
    assert dlr(torch.tensor([[3.0, 2, 1]]), torch.tensor([0])).item() == -0.5


@pytest.mark.parametrize("classes", [3, 4, 10])
def test_dlr_is_its_formula_and_lies_in_minus_1_to_0_when_correct(classes):
    z = normal(300, classes)
    y, _ = labels(300, classes)
    found = dlr(z, y)
    for row, value in zip(range(300), found.tolist(), strict=True):
        ordered = sorted(z[row].tolist(), reverse=True)
        others = [z[row, k].item() for k in range(classes) if k != y[row]]
        assert value == pytest.approx(-(z[row, y[row]].item() - max(others)) / (ordered[0] - ordered[2]))
    correct = z.argmax(1) == y
    assert 20 < int(correct.sum()) < 280
    assert ((found >= -1) & (found <= 0))[correct].all()
    assert (found > 0)[~correct].all()


def test_targeted_dlr_is_its_formula_and_leaves_out_what_is_not_there():
    for classes, divisor in (
        (10, lambda o: o[0] - (o[2] + o[3]) / 2),
        (4, lambda o: o[0] - (o[2] + o[3]) / 2),
        (3, lambda o: o[0] - (o[1] + o[2]) / 2),
        (2, lambda o: 1.0),
    ):
        z = normal(100, classes)
        y, target = labels(100, classes)
        for row, value in zip(range(100), targeted_dlr(z, y, target).tolist(), strict=True):
            divided = divisor(sorted(z[row].tolist(), reverse=True))
            assert value == pytest.approx((z[row, target[row]] - z[row, y[row]]).item() / divided)
        assert torch.equal(dlr(z, y, target), targeted_dlr(z, y, target))


@pytest.mark.parametrize("classes", [3, 4, 10])
@pytest.mark.parametrize("targeted", [False, True])
def test_dlr_does_not_change_when_logits_are_scaled_and_shifted(classes, targeted):
    z = normal(200, classes)
    y, target = labels(200, classes)
    loss = partial(dlr, y=y, target=target if targeted else None)
    for scale, shift in ((1e-6, 0), (1e6, 0), (3, -70), (0.1, 5)):
        torch.testing.assert_close(loss(scale * z + shift), loss(z), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("targeted", [False, True])
def test_of_two_classes_dlr_orders_points_alike_however_logits_are_scaled_and_shifted(targeted):
    z = normal(200, 2)
    y, target = labels(1, 2)
    loss = partial(dlr, y=y.expand(200), target=target.expand(200) if targeted else None)
    assert loss(5 * z - 7).argsort().tolist() == loss(z).argsort().tolist()
    torch.testing.assert_close(loss(5 * z - 7), 5 * loss(z))


@every_loss
def test_gradients_are_those_of_finite_differences(loss, classes):
    z = normal(60, classes, seed=3).requires_grad_()
    assert torch.autograd.gradcheck(loss, z)


def test_losses_of_classes_are_flat_nowhere_but_dlr_where_the_true_class_is_third():
    for classes in (2, 3, 4, 10):
        z = normal(300, classes, seed=3).requires_grad_()
        y, target = labels(300, classes)
        third = (z > z.gather(1, y[:, None])).sum(1) == 2
        for losses, aim in ((UNTARGETED, None), (TARGETED, target)):
            for loss in losses.values():
                gradient = torch.autograd.grad(loss(z, y, aim).sum(), z)[0]
                flat = gradient.abs().amax(1) < 1e-3
                assert flat.tolist() == (third if loss is dlr and aim is None else torch.zeros(300)).tolist()


@every_loss
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_values_and_gradients_are_finite_for_ties_and_huge_and_tiny_logits(loss, classes, dtype):
    extremes = [
        torch.zeros(60, classes),
        torch.full((60, classes), 1e4),
        normal(60, classes).round(),
        1e4 * normal(60, classes).sign(),
        1e-38 * normal(60, classes),
        torch.cat([torch.full((60, 1), 1e4), torch.zeros(60, classes - 1)], 1),
        torch.cat([torch.ones(60, classes - 1), torch.full((60, 1), -1e4)], 1),
    ]
    for case in extremes:
        z = case.to(dtype).requires_grad_()
        value = loss(z)
        gradient = torch.autograd.grad(value.sum(), z)[0]
        assert value.shape == (60,)
        assert value.dtype == dtype
        assert value.isfinite().all()
        assert gradient.isfinite().all()


@every_loss
def test_more_is_better_for_the_attacker(loss, classes):
    """A small step along the gradient raises the loss, and following it ends in a success."""
    z = normal(60, classes)
    for _ in range(300):
        z = z.requires_grad_()
        gradient = torch.autograd.grad(loss(z).sum(), z)[0]
        z = (z + 0.05 * gradient / gradient.norm(dim=1, keepdim=True).clamp_min(1e-12)).detach()
    keywords = loss.keywords
    if not keywords:  # KL has no class in mind
        assert (loss(z) > 1).all()
    elif keywords["target"] is None:
        assert (z.argmax(1) != keywords["y"]).all()
    else:
        beats = z.gather(1, keywords["target"][:, None]) > z.gather(1, keywords["y"][:, None])
        assert beats.all()


def test_kl_is_torchs_and_0_with_no_gradient_at_its_reference():
    before, z = normal(20, 5), normal(20, 5, seed=1)
    y = torch.zeros(20, dtype=torch.int64)
    expected = functional.kl_div(z.log_softmax(1), before.log_softmax(1), log_target=True, reduction="none").sum(1)
    torch.testing.assert_close(kl(before)(z, y, None), expected)
    at = before.clone().requires_grad_()
    value = kl(before)(at, y, None)
    torch.testing.assert_close(value, torch.zeros(20, dtype=torch.float64))
    torch.testing.assert_close(torch.autograd.grad(value.sum(), at)[0], torch.zeros_like(before))


def test_a_targeted_loss_asks_for_its_target():
    with pytest.raises(ValueError, match="needs a target"):
        targeted_dlr(torch.zeros(1, 4), torch.tensor([0]), None)


def test_a_sample_loses_alike_alone_and_in_company():
    z = normal(50, 7).float()
    y, target = labels(50, 7)
    for loss in TARGETED.values():
        torch.testing.assert_close(loss(z[9:10], y[9:10], target[9:10]), loss(z, y, target)[9:10], rtol=0, atol=0)
    assert math.isfinite(kl(z[9:10])(z[8:9], y[:1], None).item())
