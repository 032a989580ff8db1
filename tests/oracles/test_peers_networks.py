"""The networks on which attacks are compared tell attacks apart: neither withstands everything nor nothing."""

from __future__ import annotations

import pytest
import torch
from networks import FEW, Victim, robust_mlp, standard_mlp
from torch.nn.functional import cross_entropy


def descended(victim: Victim, norm: str, steps: int = 20) -> torch.Tensor:
    """PGD written out: nothing here is trusted that is tested elsewhere."""
    x, eps = victim.x, victim.eps[norm]
    x_adv = x.clone()
    for _ in range(steps):
        x_adv.requires_grad_()
        (gradient,) = torch.autograd.grad(cross_entropy(victim.model(x_adv), victim.y, reduction="sum"), x_adv)
        if norm == "Linf":
            x_adv = x_adv.detach() + eps / 8 * gradient.sign()
            x_adv = x_adv.clamp(x - eps, x + eps).clamp(0, 1)
        else:
            unit = gradient / gradient.flatten(1).norm(dim=1).clamp_min(1e-20)[:, None, None, None]
            delta = x_adv.detach() + eps / 8 * unit - x
            length = delta.flatten(1).norm(dim=1)[:, None, None, None]
            x_adv = (x + delta * (eps / length).clamp(max=1)).clamp(0, 1)
    return x_adv


@pytest.mark.parametrize("norm", ["Linf", "L2"])
def test_some_samples_withstand_and_some_do_not(victim: Victim, norm: str) -> None:
    assert victim.accuracy(victim.x) >= 0.9 and len(victim.x) == 200
    assert 0.2 <= victim.accuracy(descended(victim, norm)) <= 0.8


def test_so_it_is_with_few_classes_and_in_colour(few_class_victim: Victim, colour_victim: Victim) -> None:
    assert few_class_victim.n_classes in FEW
    for victim in (few_class_victim, colour_victim):
        assert victim.accuracy(victim.x) >= 0.9
        assert all(0.2 <= victim.accuracy(descended(victim, norm)) <= 0.8 for norm in ("Linf", "L2"))


@pytest.mark.mnist
def test_so_it_is_on_mnist(mnist_victim: Victim) -> None:
    assert mnist_victim.accuracy(mnist_victim.x) >= 0.9
    assert all(0.2 <= mnist_victim.accuracy(descended(mnist_victim, norm)) <= 0.8 for norm in ("Linf", "L2"))


def test_training_on_attacked_points_makes_a_network_robust() -> None:
    standard, robust = standard_mlp(), robust_mlp()
    harder = robust_mlp().eps
    assert robust.accuracy(descended(robust, "Linf")) > 0.4
    weak = Victim(standard.model, standard.x, standard.y, 10, harder)
    assert weak.accuracy(descended(weak, "Linf")) < 0.2


def test_the_networks_are_the_same_each_time() -> None:
    first = [p.clone() for p in robust_mlp().model.parameters()]
    robust_mlp.cache_clear()
    assert all(torch.equal(a, b) for a, b in zip(first, robust_mlp().model.parameters(), strict=True))
