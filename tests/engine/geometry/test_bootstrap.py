"""Bootstrap means and intervals against explicit resampling, one pair at a time."""

import math

import numpy as np
import pytest
import torch

from engine.generators import drain
from engine.geometry import bootstrap, readings
from engine.geometry.bootstrap import PairBootstrap, input_means, multiplicities, resampling_inputs
from engine.geometry.groups import class_groups
from engine.seeds import generator


def brute_force(values, groups, n, n_groups, resamples, seed):
    """Resample inputs literally: list them, form every pair of different inputs, average what is finite."""
    counts = multiplicities(n, resamples, generator(seed, "bootstrap")).long()
    square = np.full((n, n), np.nan)
    group = np.full((n, n), -1)
    i, j = np.triu_indices(n, 1)
    square[i, j] = square[j, i] = values
    group[i, j] = group[j, i] = groups
    means = np.full((n_groups, resamples), np.nan)
    for b in range(resamples):
        drawn = np.repeat(np.arange(n), counts[:, b])
        assert len(drawn) == n
        for g in range(n_groups):
            found = [
                square[p, q]
                for k, p in enumerate(drawn)
                for q in drawn[k + 1 :]
                if p != q and group[p, q] == g and np.isfinite(square[p, q])
            ]
            means[g, b] = np.mean(found) if found else np.nan
    return np.nanquantile(means, [0.025, 0.975], axis=1)


@pytest.fixture
def probe():
    draw = np.random.default_rng(0)
    n = 9
    groups = draw.integers(-1, 2, n * (n - 1) // 2)
    groups[[4, 7, 20]] = [0, 1, 1]
    values = draw.standard_normal((3, len(groups)))
    values[1, 4], values[2, 7], values[2, 20] = math.nan, math.inf, -math.inf
    return n, torch.from_numpy(values), torch.from_numpy(groups)


def test_pair_means_equal_explicit_resampling(probe):
    n, values, groups = probe
    found = PairBootstrap(groups, n=n, n_groups=2, resamples=40, seed=5).means(values)
    assert found.mean.shape == found.count.shape == (2, 3)
    for m in range(3):
        low, high = brute_force(values[m].numpy(), groups.numpy(), n, 2, 40, 5)
        np.testing.assert_allclose(found.low[:, m], low, rtol=1e-12)
        np.testing.assert_allclose(found.high[:, m], high, rtol=1e-12)
        for g in range(2):
            member = values[m][groups == g]
            kept = member[member.isfinite()]
            assert found.mean[g, m].item() == pytest.approx(kept.mean().item(), rel=1e-13)
            assert found.count[g, m] == len(kept)
            assert found.saturated[g, m] == member.isinf().sum()
    assert found.saturated.sum() > 0 and (found.count < torch.bincount(groups + 1)[1:, None]).any()


def test_blocks_change_nothing(probe, monkeypatch):
    n, values, groups = probe
    whole = PairBootstrap(groups, n=n, n_groups=2, resamples=40, seed=5).means(values)
    inputs = input_means(values.T, resamples=40, seed=1)
    monkeypatch.setattr(bootstrap, "_BLOCK", 120)
    blocks = PairBootstrap(groups, n=n, n_groups=2, resamples=40, seed=5).means(values)
    for name in ("mean", "low", "high"):
        torch.testing.assert_close(getattr(whole, name), getattr(blocks, name), rtol=1e-12, atol=0)
    monkeypatch.setattr(bootstrap, "_BLOCK", 40 * values.shape[1])
    same = input_means(values.T, resamples=40, seed=1)
    assert torch.equal(same.low, inputs.low)


@pytest.mark.parametrize("kept", [True, False])
def test_a_breath_comes_after_each_piece_of_weights_and_pieces_change_nothing(probe, kept, monkeypatch):
    n, values, groups = probe
    whole = PairBootstrap(groups, n=n, n_groups=2, resamples=40, seed=5).means(values)
    inputs = input_means(values.T, resamples=40, seed=1)
    monkeypatch.setattr(bootstrap, "_PIECE", 48)
    monkeypatch.setattr(bootstrap, "_DRAWS", 12)
    monkeypatch.setattr(bootstrap, "_BLOCK", 2**24 if kept else 0)
    pairs = PairBootstrap(groups, n=n, n_groups=2, resamples=40, seed=5)
    drain(pairs.resampling(values))  # what is kept, the second call takes
    breaths, found = 0, pairs.resampling(values)
    while True:
        try:
            next(found)
        except StopIteration as end:
            again = end.value
            break
        breaths += 1
    # four pairs and twelve resamples a piece, and each row's quantiles
    sizes = torch.bincount(groups + 1)[1:]
    assert breaths == int((-(-sizes // 4) * 4).sum()) + 2 * len(values)
    for name in ("mean", "low", "high"):
        torch.testing.assert_close(getattr(whole, name), getattr(again, name), rtol=1e-12, atol=0)
    assert sum(1 for _ in resampling_inputs(values.T, resamples=40, seed=1)) > 40 * values.shape[1] // 48
    assert torch.equal(inputs.mean, input_means(values.T, resamples=40, seed=1).mean)


def test_a_bootstrap_stopped_within_its_first_call_goes_on(probe, monkeypatch):
    n, values, groups = probe
    monkeypatch.setattr(bootstrap, "_PIECE", 48)
    pairs, whole = (PairBootstrap(groups, n=n, n_groups=2, resamples=40, seed=5) for _ in range(2))
    stopped = pairs.resampling(values)
    next(stopped)
    stopped.close()
    assert torch.equal(pairs.means(values).low, whole.means(values).low)


def test_a_profile_is_the_means_of_all_quantities():
    draw = torch.Generator().manual_seed(0)
    eta = torch.randn(2, 3, 45, generator=draw, dtype=torch.float64) * 3
    eta[0, 1, 5], eta[1, 0, 6] = math.inf, math.nan
    pairs = PairBootstrap(class_groups(torch.arange(10) % 3), n=10, n_groups=2, resamples=50, seed=0)
    found = pairs.profile(eta)
    assert found.mean.shape == (6, 2, 2, 3)
    for q, values in enumerate(readings.quantities(eta.numpy())):
        expected = pairs.means(torch.from_numpy(values))
        for name in ("mean", "low", "high", "count", "saturated"):
            torch.testing.assert_close(getattr(found, name)[q], getattr(expected, name), equal_nan=True)
    # a saturated pair counts in C, the angle and the chords, and is left out of rapidity and ln gamma
    assert found.saturated.sum((1, 2, 3)).tolist() == [0, 0, 0, 0, 1, 1]
    assert found.count[:4, :, 0, 1].sum(1).tolist() == [45] * 4
    assert found.count[4:, :, 0, 1].sum(1).tolist() == [44] * 2
    assert found.count[:, :, 1, 0].sum(1).tolist() == [44] * 6  # the dead pair counts nowhere


def test_input_means_equal_explicit_resampling():
    draw = np.random.default_rng(1)
    values = draw.standard_normal((12, 2, 3))
    values[3, 0, 1], values[5, 1, 2] = math.nan, math.inf
    found = input_means(torch.from_numpy(values), resamples=60, seed=3)
    counts = multiplicities(12, 60, generator(3, "bootstrap")).long()
    finite = np.where(np.isfinite(values), values, np.nan)
    means = np.stack([np.nanmean(np.repeat(finite, counts[:, b], axis=0), axis=0) for b in range(60)])
    np.testing.assert_allclose(found.low, np.quantile(means, 0.025, axis=0), rtol=1e-12)
    np.testing.assert_allclose(found.high, np.quantile(means, 0.975, axis=0), rtol=1e-12)
    np.testing.assert_allclose(found.mean, np.nanmean(finite, axis=0), rtol=1e-13)
    assert found.count.sum() == 12 * 6 - 2 and found.saturated[1, 2] == 1 and found.saturated.sum() == 1


def test_resamples_draw_each_input_with_equal_chance():
    counts = multiplicities(20, 4000, torch.Generator().manual_seed(0))
    assert (counts.sum(0) == 20).all()
    assert (counts.mean(1) - 1).abs().max() < 0.08  # sd of a mean is 0.0154
    assert counts.var().item() == pytest.approx(19 / 20, rel=0.03)


def test_equal_seeds_give_equal_intervals_and_the_global_generator_is_untouched():
    values = torch.randn(30, 4, generator=torch.Generator().manual_seed(0))
    state = torch.get_rng_state()
    a, b, c = (input_means(values, resamples=99, seed=s) for s in (1, 1, 2))
    assert torch.equal(a.low, b.low) and torch.equal(a.high, b.high)
    assert not torch.equal(a.low, c.low)
    assert torch.equal(torch.get_rng_state(), state)


def test_intervals_over_inputs_cover_the_truth_about_as_often_as_they_say():
    draw = torch.Generator().manual_seed(0)
    found = input_means(torch.randn(50, 400, generator=draw, dtype=torch.float64) + 3, resamples=400, seed=0)
    coverage = ((found.low < 3) & (found.high > 3)).double().mean().item()
    assert 0.89 < coverage < 0.98


def test_intervals_of_pair_means_cover_where_resampling_pairs_would_not():
    """Pairs v_ij = a_i + a_j share their inputs: 435 pairs hold only 30 independent numbers."""
    n, worlds = 30, 300
    draw = torch.Generator().manual_seed(0)
    a = torch.randn(worlds, n, generator=draw, dtype=torch.float64)
    i, j = torch.triu_indices(n, n, offset=1)
    values = a[:, i] + a[:, j]
    found = PairBootstrap(torch.zeros(len(i), dtype=torch.int64), n=n, n_groups=1, resamples=400, seed=0).means(values)
    coverage = ((found.low < 0) & (found.high > 0)).double().mean().item()
    assert 0.87 < coverage < 0.98
    naive = input_means(values.T, resamples=200, seed=0)
    assert ((naive.low < 0) & (naive.high > 0)).double().mean().item() < 0.6


def test_an_empty_group_is_nan_and_a_wrong_number_of_groups_is_refused():
    found = PairBootstrap(torch.tensor([0, 0, 2]), n=3, n_groups=3, resamples=50, seed=0).means(torch.ones(1, 3))
    assert found.mean[1].isnan().all() and found.low[1].isnan().all() and found.count[1] == 0
    assert found.mean[[0, 2]].flatten().tolist() == [1, 1] and found.low[0] == 1
    with pytest.raises(ValueError, match="4 inputs make 6 pairs"):
        PairBootstrap(torch.zeros(5), n=4, n_groups=1, resamples=9, seed=0)
