"""Spectra of features against closed forms."""

import json
import math
from pathlib import Path

import pytest
import torch

from engine.geometry.spectrum import isotropic_purity, spectrum

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "e_sets.json").read_text())


def pair(c):
    return torch.tensor([[1.0, 0.0], [c, math.sqrt(1 - c * c)]], dtype=torch.float64)


@pytest.mark.parametrize("c", GOLDEN["pair"])
def test_golden_pairs(c):
    found, golden = spectrum(pair(float(c))), GOLDEN["pair"][c]
    for name, key in (("entropy", "S"), ("effective_rank", "effective_rank"), ("purity", "purity")):
        assert getattr(found, name) == pytest.approx(float(golden[key]), abs=1e-14)


@pytest.mark.parametrize("k", GOLDEN["etf"])
def test_golden_simplices(k):
    simplex = torch.eye(int(k), dtype=torch.float64) - 1 / int(k)
    found, golden = spectrum(simplex), GOLDEN["etf"][k]
    assert (found.entropy, found.effective_rank, found.purity) == pytest.approx(
        (golden["S"], golden["effective_rank"], golden["purity"]), abs=1e-12
    )


def test_golden_equal_correlations():
    gram = torch.full((10, 10), 0.75, dtype=torch.float64).fill_diagonal_(1)
    found, golden = spectrum(torch.linalg.cholesky(gram)), GOLDEN["equicorr_K10_c0.75"]
    assert found.entropy == pytest.approx(float(golden["S"]), abs=1e-12)
    assert found.purity == pytest.approx(float(golden["purity"]), abs=1e-12)


def test_isotropic_directions_have_the_purity_that_is_told():
    draw = torch.Generator().manual_seed(0)
    found = [spectrum(torch.randn(40, 30, generator=draw)).purity for _ in range(200)]
    mean, spread = torch.tensor(found).mean(), torch.tensor(found).std()
    assert abs(mean - isotropic_purity(40, 30)) < 4 * spread / math.sqrt(200)


def test_lengths_do_not_count_and_dead_rows_are_counted_and_left_out():
    x = torch.randn(6, 4, generator=torch.Generator().manual_seed(1))
    x[2] = 0
    x[4, 1] = torch.nan
    found = spectrum(x * torch.tensor([1e-200, 3, 1, 1e30, 1, 2], dtype=torch.float64)[:, None])
    alone = spectrum(x[[0, 1, 3, 5]])
    assert (found.m, found.dead) == (4, 2)
    assert found.entropy == pytest.approx(alone.entropy, abs=1e-12)


@pytest.mark.parametrize("shape", [(0, 3), (3, 3)])
def test_nothing_alive_gives_no_number(shape):
    found = spectrum(torch.zeros(shape))
    assert found.m == 0 and found.dead == shape[0] and math.isnan(found.entropy)


def test_one_sample_is_pure():
    found = spectrum(torch.ones(1, 5))
    assert (found.entropy, found.effective_rank, found.purity) == pytest.approx((0, 1, 1))


def test_more_samples_than_features_and_fewer_give_the_same():
    x = torch.randn(8, 8, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    assert spectrum(x).entropy == pytest.approx(spectrum(torch.cat([x, torch.zeros(8, 5)], 1)).entropy, abs=1e-12)
