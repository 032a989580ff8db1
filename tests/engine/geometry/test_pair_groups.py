"""Groups of pairs and means over partners, against loops."""

import math

import numpy as np
import torch

from engine.geometry.groups import DIFFERENT, SAME, class_groups, partner_means


def test_pairs_are_grouped_by_class_in_triangle_order():
    labels = torch.tensor([3, 1, 3, 1, 0])
    i, j = np.triu_indices(5, 1)
    expected = [SAME if labels[a] == labels[b] else DIFFERENT for a, b in zip(i, j, strict=True)]
    assert class_groups(labels).tolist() == expected
    assert expected.count(SAME) == 2


def test_partner_means_use_the_masked_finite_values_and_count_the_rest():
    values = torch.tensor([[1.0, 2.0, 4.0], [math.inf, 3.0, math.nan], [math.inf, math.nan, 7.0]])
    mask = torch.tensor([[True, False, True], [True, True, True], [True, True, False]])
    found = partner_means(values.expand(2, 3, 3), mask)
    for k in range(2):
        assert found.mean[k, :2].tolist() == [2.5, 3.0] and found.mean[k, 2].isnan()
        assert found.count[k].tolist() == [2, 1, 0]
        assert found.saturated[k].tolist() == [0, 1, 1]
