"""All pairs of many samples, without keeping one."""

import numpy as np
import pytest
import torch

from engine.generators import drain
from engine.geometry import population as module
from engine.geometry.gram import upper_pairs
from engine.geometry.groups import class_groups
from engine.geometry.population import BINS, population
from engine.geometry.readings import QUANTITIES, quantities


def samples(n=60, d=7, seed=0):
    draw = torch.Generator().manual_seed(seed)
    return torch.randn(n, d, generator=draw), torch.randint(3, (n,), generator=draw)


@pytest.mark.parametrize("block", [64, 2**17])
def test_means_and_counts_are_those_of_all_pairs_kept(block, monkeypatch):
    monkeypatch.setattr(module, "_BLOCK", block)
    x, y = samples()
    found = drain(population(x, y))
    values, groups = quantities(upper_pairs(x).numpy()), class_groups(y).numpy()
    for group in (0, 1):
        chosen = values[:, groups == group]
        assert found.count[group] == chosen.shape[1] == found.histogram[group].sum()
        np.testing.assert_allclose(found.mean[group], chosen.mean(1), rtol=1e-9)
        np.testing.assert_allclose(found.sd[group], chosen.std(1), rtol=1e-7)
        expected = np.histogram(chosen[0], np.linspace(-1, 1, BINS + 1))[0]
        assert np.abs(found.histogram[group] - expected).sum() <= 2


def test_dead_samples_are_counted_and_identical_ones_saturate():
    x, y = samples(6)
    x[1] = 0
    x[3] = torch.nan
    x[5], y[5] = 2 * x[4], y[4]
    found = drain(population(x, y))
    assert found.dead == 2 and found.count.sum() == 6
    assert found.saturated.sum() == 1
    rapidity = QUANTITIES.index("rapidity")
    assert np.isfinite(found.mean[0, rapidity]) or found.count[0] == 1


def test_one_sample_makes_no_pair():
    found = drain(population(*samples(1)))
    assert found.count.tolist() == [0, 0] and np.isnan(found.mean).all()


def test_progress_rises_and_breaths_are_short():
    shares = list(population(*samples(3000, 20)))
    assert shares == sorted(shares) and shares[0] == 0 and len(shares) > 10
