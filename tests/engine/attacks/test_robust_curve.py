"""Robust accuracy at every budget, from one attack."""

import pytest
import torch
from minimal_norm import affine, attacked, exact, network, samples

from engine.attacks import robust_curve
from engine.specs import DdnSpec, DeepFoolSpec, FmnSpec

SPECS = [DeepFoolSpec(), DdnSpec(goal="untargeted", steps=30), FmnSpec(goal="untargeted", norm="Linf", steps=30)]


@pytest.mark.parametrize("spec", SPECS, ids=lambda s: s.method)
def test_the_curve_never_rises_and_begins_at_the_clean_accuracy(spec):
    """Oracle 16."""
    model = network((1, 4, 4))
    x, y = samples(model, 50, (1, 4, 4))
    y[:10] = (y[:10] + 1) % 4
    curve = robust_curve(attacked(model, x, y, spec), torch.linspace(0, 3, 50))
    assert curve[0] == 0.8 and (curve.diff() <= 0).all() and curve[-1] < 0.8
    assert curve.dtype == torch.float64


def test_in_images_nothing_withstands_a_linf_budget_of_one():
    model = network((1, 4, 4))
    x, y = samples(model, 50, (1, 4, 4))
    result = attacked(model, x, y, SPECS[2])
    assert result.success.all() and robust_curve(result, [1.0]).tolist() == [0.0]


def test_on_an_affine_model_it_is_the_distribution_of_the_exact_distances():
    model = affine(4, 12)
    x, y = samples(model, 200, (12,))
    distance = exact(model, x, y, "L2")
    eps = distance.quantile(torch.tensor([0.1, 0.5, 0.9], dtype=torch.float64))
    curve = robust_curve(attacked(model, x, y, DeepFoolSpec(overshoot=1e-6), bounds=None), eps)
    torch.testing.assert_close(curve, torch.tensor([0.9, 0.5, 0.1], dtype=torch.float64), rtol=0, atol=0.01)


def test_failures_withstand_and_what_has_no_answer_is_left_out():
    class Guarded(torch.nn.Module):
        """Class 0 everywhere, but no number beyond 0.9."""

        def forward(self, x):
            return torch.cat([1 + 0 * x[:, :1], 0 * x[:, :1]], 1) / (x[:, :1] < 0.9)

    x = torch.tensor([[0.1, 0.0], [0.5, 0.0], [0.95, 0.0]])
    result = attacked(Guarded(), x, torch.tensor([0, 0, 0]), SPECS[0])
    assert result.invalid.tolist() == [False, False, True]
    assert robust_curve(result, [0.0, 1e9]).tolist() == [1.0, 1.0]
