"""Random numbers of one sample each: their distributions, and that nothing but the arguments changes them."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from engine.attacks.tools.draws import Draws

METHODS = {
    "uniform": lambda draws, purpose, step, shape: draws.uniform(purpose, step, shape),
    "normal": lambda draws, purpose, step, shape: draws.normal(purpose, step, shape),
    "signs": lambda draws, purpose, step, shape: draws.signs(purpose, step, shape),
    "integers": lambda draws, purpose, step, shape: draws.integers(1000, purpose, step, shape),
    "permutation": lambda draws, purpose, step, shape: draws.permutation(math.prod(shape), purpose, step),
}
every_method = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)


def draws(n, seed=0):
    return Draws(seed, torch.arange(n))


@every_method
@pytest.mark.parametrize("shape", [(1,), (7,), (3, 5, 5), (1, 28, 28)])
def test_a_sample_gets_the_same_numbers_whoever_is_in_its_batch(method, shape):
    everyone = method(draws(64), "noise", 3, shape)
    torch.testing.assert_close(everyone, method(draws(64), "noise", 3, shape), rtol=0, atol=0)
    for index in ([5], [63, 0], list(range(1, 64, 3))):
        alone = method(draws(64).rows(torch.tensor(index)), "noise", 3, shape)
        torch.testing.assert_close(alone, everyone[index], rtol=0, atol=0)
    mask = torch.arange(64) % 7 == 2
    torch.testing.assert_close(method(draws(64).rows(mask), "noise", 3, shape), everyone[mask], rtol=0, atol=0)


@every_method
def test_seed_purpose_step_and_place_each_change_the_numbers(method):
    first = method(draws(4), "noise", 0, (40,))
    for other in (
        method(draws(4, seed=1), "noise", 0, (40,)),
        method(draws(4), "start", 0, (40,)),
        method(draws(4), "noise", 1, (40,)),
        method(draws(8).rows(torch.arange(4, 8)), "noise", 0, (40,)),
    ):
        assert (first != other).any(1).all()


def test_shapes_and_types_are_as_asked_for():
    some = draws(3)
    assert some.uniform("a").shape == (3,)
    assert some.normal("a", 0, (2, 5)).shape == (3, 2, 5)
    assert some.uniform("a", 0, (0,)).shape == some.normal("a", 0, (0,)).shape == (3, 0)
    assert some.rows(torch.tensor([], dtype=torch.int64)).uniform("a", 0, (4,)).shape == (0, 4)
    assert {some.uniform("a").dtype, some.normal("a").dtype, some.signs("a").dtype} == {torch.float32}
    assert some.integers(5, "a").dtype == some.permutation(5, "a").dtype == torch.int64


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**63 - 1), st.integers(0, 2**40), st.integers(0, 2**31))
def test_uniforms_are_uniform_for_any_seed_step_and_place(seed, place, step):
    found = Draws(seed, torch.tensor([place])).uniform("a", step, (5000,))[0]
    assert found.min() >= 0
    assert found.max() < 1
    assert stats.kstest(found.double().numpy(), "uniform").pvalue > 1e-6


def test_neighbouring_places_and_steps_are_uniform_together():
    by_place = draws(50_000).uniform("a")
    by_step = torch.cat([draws(1).uniform("a", step) for step in range(3000)])
    for found in (by_place, by_step):
        assert stats.kstest(found.double().numpy(), "uniform").pvalue > 1e-3
        pairs = torch.histogramdd(torch.stack([found[:-1], found[1:]], 1), [8, 8], [0.0, 1.0, 0.0, 1.0]).hist
        assert stats.chisquare(pairs.flatten()).pvalue > 1e-3


def test_normals_are_normal_into_their_tails():
    found = draws(100).normal("a", 0, (20_001,)).double().flatten()
    assert stats.kstest(found.numpy(), "norm").pvalue > 1e-3
    beyond = int((found.abs() > 4).sum())
    assert stats.binomtest(beyond, len(found), 2 * stats.norm.sf(4)).pvalue > 1e-3
    assert beyond > 50


@pytest.mark.parametrize("method", ["uniform", "normal", "signs"])
def test_places_steps_purposes_and_neighbours_do_not_correlate(method):
    length = 4001  # odd: the last word is used by half
    draw = METHODS[method]
    rows = [
        *draw(draws(20), "a", 0, (length,)),
        *draw(draws(20), "a", 1, (length,)),
        *draw(draws(20), "b", 0, (length,)),
    ]
    found = torch.stack(rows).double()
    neighbours = torch.cat([found, found.roll(1, 1), found.roll(length // 2, 1)])
    correlations = torch.corrcoef(neighbours).triu(1) * math.sqrt(length)
    assert correlations.abs().max() < 5.5  # 16 110 pairs: beyond it with a chance of 6e-4
    assert correlations[correlations != 0].std() == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("bits", [0, -1, 1, 2**31 - 1, -(2**31)])
def test_the_rarest_bits_give_numbers_in_range_too(bits, monkeypatch):
    monkeypatch.setattr(Draws, "_bits", lambda self, p, s, n: torch.full((2, n), bits, dtype=torch.int32))
    some = draws(2)
    assert ((some.uniform("a") >= 0) & (some.uniform("a") < 1)).all()
    assert (some.normal("a", 0, (4,)).abs() < 6.6).all()
    assert set(some.signs("a").tolist()) < {-1, 1}
    assert ((some.integers(7, "a") >= 0) & (some.integers(7, "a") < 7)).all()


def test_every_bit_of_a_uniform_is_a_fair_coin():
    bits = (draws(100).uniform("a", 0, (1000,)) * 2**24).long()[..., None] >> torch.arange(24) & 1
    ones = bits.flatten(0, 1).sum(0)
    assert stats.binomtest(int(ones.min()), 100_000, 0.5).pvalue > 1e-5
    assert stats.binomtest(int(ones.max()), 100_000, 0.5).pvalue > 1e-5


@pytest.mark.parametrize("high", [1, 2, 3, 10, 1000])
def test_integers_are_equally_frequent(high):
    found = draws(200).integers(high, "a", 0, (500,))
    counts = torch.bincount(found.flatten(), minlength=high)
    assert len(counts) == high
    assert high == 1 or stats.chisquare(counts).pvalue > 1e-3


def test_integers_may_have_a_limit_of_their_own():
    high = torch.tensor([1, 2, 2**31 - 1])[:, None]
    found = draws(3).integers(high, "a", 0, (2000,))
    assert (found >= 0).all()
    assert (found < high).all()
    assert found.amax(1).tolist()[:2] == [0, 1]
    assert found[2].max() > 0.99 * 2**31


def test_signs_are_fair():
    found = draws(100).signs("a", 0, (1000,))
    assert found.unique().tolist() == [-1, 1]
    assert stats.binomtest(int((found > 0).sum()), 100_000, 0.5).pvalue > 1e-3


def test_permutations_are_all_equally_likely():
    found = draws(24_000).permutation(4, "a")
    assert (found.sort(1).values == torch.arange(4)).all()
    counts = torch.bincount((found * torch.tensor([64, 16, 4, 1])).sum(1))
    assert stats.chisquare(counts[counts > 0]).pvalue > 1e-3
    assert int((counts > 0).sum()) == 24


def test_drawing_leaves_the_global_generator_alone():
    before = torch.get_rng_state()
    draws(4).normal("a", 0, (9,))
    assert torch.equal(torch.get_rng_state(), before)
