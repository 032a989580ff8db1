"""CKA against published values and its invariances."""

import json
import math
from pathlib import Path

import pytest
import torch

from engine.generators import drain
from engine.geometry.similarity import cka, cka_matrix

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "e_sets.json").read_text())


def waves():
    i = torch.arange(8, dtype=torch.float64)[:, None]
    return torch.sin(i * (torch.arange(3) + 1)), torch.cos(i * (torch.arange(4) + 2))


def test_golden_values():
    x, y = waves()
    assert cka(x, y, debiased=False) == pytest.approx(GOLDEN["cka_golden"]["biased"], abs=1e-13)
    assert cka(x, y) == pytest.approx(GOLDEN["cka_golden"]["debiased"], abs=1e-13)
    assert cka(x, x) == pytest.approx(1)


def test_independent_features_are_alike_only_to_the_plain_estimate():
    draw = torch.Generator().manual_seed(0)
    pairs = [(torch.randn(50, 200, generator=draw), torch.randn(50, 200, generator=draw)) for _ in range(60)]
    debiased = torch.tensor([cka(x, y) for x, y in pairs])
    plain = torch.tensor([cka(x, y, debiased=False) for x, y in pairs])
    assert debiased.mean().abs() < 4 * debiased.std() / math.sqrt(60)
    assert plain.mean() == pytest.approx(GOLDEN["cka_null"]["biased"], abs=0.01)


def test_rotation_scale_and_shift_change_nothing():
    x, y = waves()
    turn = torch.linalg.qr(torch.randn(4, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64))[0]
    assert cka(x, 1e3 * y @ turn + 1e4) == pytest.approx(cka(x, y), abs=1e-9)


def test_what_does_not_vary_has_no_similarity():
    x, _ = waves()
    assert math.isnan(cka(x, torch.ones(8, 3)))
    assert math.isnan(cka(x, torch.full((8, 3), torch.nan)))
    rounded = 1e3 + 1e-5 * torch.randn(8, 3, generator=torch.Generator().manual_seed(0))
    assert math.isnan(cka(x, rounded.float())), "what varies by its own rounding alone says nothing"


def test_too_few_or_unequal_samples_are_refused():
    with pytest.raises(ValueError, match="at least 4"):
        cka(torch.ones(3, 2), torch.ones(3, 2))
    with pytest.raises(ValueError, match="same samples"):
        cka(torch.ones(5, 2), torch.ones(4, 2))


def test_the_matrix_holds_each_pair():
    x, y = waves()
    own = drain(cka_matrix([x, y]))
    assert own[0, 1] == own[1, 0] == pytest.approx(cka(x, y))
    across = drain(cka_matrix([x, y], [y]))
    assert across.shape == (2, 1) and across[0, 0] == pytest.approx(cka(x, y)) and across[1, 0] == pytest.approx(1)
