"""Neural collapse on a toy whose numbers are known."""

import json
import math
from pathlib import Path

import pytest
import torch

from engine.geometry.collapse import collapse

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "e_sets.json").read_text())["nc_toy"]
SIMPLEX = math.sqrt(3 / 2) * (torch.eye(3, dtype=torch.float64) - 1 / 3)


def toy():
    around = 0.1 * torch.tensor([[1.0, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0]], dtype=torch.float64)
    y = torch.arange(3).repeat_interleave(4)
    return 2 * SIMPLEX[y] + around.repeat(3, 1), y


def test_golden_toy():
    h, y = toy()
    found = collapse(h, y, weight=3 * SIMPLEX, prediction=y)
    assert found.nc1 == pytest.approx(GOLDEN["NC1"], rel=1e-12)
    assert (found.nc2_norms, found.nc2_angles, found.nc3, found.nc4) == pytest.approx((0, 0, 0, 0), abs=1e-12)
    assert found.mean_cosine == pytest.approx(-1 / 2)


def test_a_shift_of_all_features_changes_nothing():
    h, y = toy()
    assert collapse(h + 7, y).nc1 == pytest.approx(GOLDEN["NC1"], rel=1e-9)


def test_wrong_predictions_and_a_turned_classifier_show():
    h, y = toy()
    found = collapse(h, y, weight=SIMPLEX[[1, 2, 0]], prediction=torch.where(torch.arange(12) < 3, (y + 1) % 3, y))
    assert found.nc4 == pytest.approx(0.25)
    assert found.nc3 == pytest.approx(math.sqrt(3))


def test_a_class_without_samples_does_not_count():
    h, y = toy()
    found = collapse(h, torch.tensor([0, 1, 3])[y], weight=torch.cat([SIMPLEX[:2], SIMPLEX[:1] * 0, SIMPLEX[2:]]))
    assert found.classes == 3 and found.nc3 == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("features", [torch.ones(4, 2), torch.full((4, 2), torch.nan)])
def test_a_single_class_or_no_numbers_have_no_collapse(features):
    found = collapse(features, torch.zeros(4, dtype=torch.int64))
    assert math.isnan(found.nc1) and found.classes == 1


def test_equal_means_have_no_collapse():
    found = collapse(torch.ones(4, 2), torch.tensor([0, 0, 1, 1]))
    assert math.isnan(found.nc2_norms) and math.isnan(found.nc1)
