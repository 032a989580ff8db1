"""The random control is as far from the input as the attack, and stays where inputs may be."""

import pace
import pytest
import torch

from engine.data import drain, load
from engine.experiments.control import length, moving_at_random, random_perturbation
from engine.seeds import generator
from engine.specs import DigitsSpec


@pytest.mark.parametrize("norm", ["Linf", "L2"])
@pytest.mark.parametrize("eps", [0.05, 0.3, 1.0])
def test_the_control_moves_real_images_exactly_as_far(norm: str, eps: float) -> None:
    x = drain(load(DigitsSpec(), 0)).x_test[:50]
    noise = torch.randn(x.shape, generator=generator(0, "test"))
    size = length(noise.flatten(1).double(), norm).float().reshape(-1, 1, 1, 1)
    x_adv = (x + eps * noise / size).clamp(0, 1)
    moved = random_perturbation(x, x_adv, norm, (0.0, 1.0), generator(1, "test"))
    assert ((moved >= 0) & (moved <= 1)).all()
    wanted, found = (length((there - x).flatten(1).double(), norm) for there in (x_adv, moved))
    assert torch.allclose(found, wanted, rtol=1e-4)


def test_without_bounds_an_l2_control_is_isotropic_and_of_the_same_length() -> None:
    x = torch.zeros(2000, 5)
    moved = random_perturbation(x, x + 1.0, "L2", None, generator(0, "test"))
    assert torch.allclose(moved.norm(dim=1), torch.full((2000,), 5**0.5), rtol=1e-5)
    assert (moved.mean(0).abs() < 4 * 1 / 2000**0.5).all()


def test_an_attack_that_moved_nothing_has_a_control_that_moves_nothing() -> None:
    x = torch.rand(4, 1, 3, 3, generator=generator(0, "test"))
    assert torch.equal(random_perturbation(x, x, "L2", (0.0, 1.0), generator(1, "test")), x)


def test_where_the_bounds_leave_no_room_it_moves_as_far_as_it_can() -> None:
    x = torch.full((1, 4), 0.5)
    far = random_perturbation(x, x + 10.0, "L2", (0.0, 1.0), generator(0, "test"))
    assert set(far.flatten().tolist()) <= {0.0, 1.0}


@pytest.mark.parametrize("norm", ["Linf", "L2", "L1", "L0"])
def test_large_images_are_moved_a_few_at_a_time_so_that_a_cancel_is_quick(norm: str) -> None:
    x = torch.rand(100, 3, 64, 64, generator=generator(0, "test"))

    def moving():
        return moving_at_random(x, (x + 0.1).clamp(0, 1), norm, (0.0, 1.0), generator(1, "test"))

    assert sum(1 for _ in moving()) >= 10
    assert pace.longest_breath(moving, 0.2) < 0.2
