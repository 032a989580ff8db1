"""The balanced order."""

from __future__ import annotations

import torch
from global_rng import global_rng_untouched
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.data import balanced_order


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 5), max_size=40), st.integers(0, 2**62))
def test_every_prefix_is_as_balanced_as_can_be(labels: list[int], seed: int) -> None:
    order = balanced_order(torch.tensor(labels, dtype=torch.int64), seed, "test").tolist()
    assert sorted(order) == list(range(len(labels)))
    have = dict.fromkeys(range(6), 0)
    for index in order:
        left = {c for c in range(6) if have[c] < labels.count(c)}
        assert have[labels[index]] == min(have[c] for c in left)  # the class taken is one that lags behind
        have[labels[index]] += 1


def test_it_is_random_within_the_classes_and_among_them() -> None:
    labels = torch.arange(10).repeat(100)
    order = balanced_order(labels, 0, "test")
    assert labels[order[:10]].tolist() != list(range(10))
    assert labels[order[:10]].tolist() != labels[order[10:20]].tolist()
    zeros = order[labels[order] == 0]
    assert zeros.tolist() != sorted(zeros.tolist())


def test_seed_and_purpose_decide_it() -> None:
    labels = torch.arange(10).repeat(10)
    with global_rng_untouched():
        one = balanced_order(labels, 3, "probe")
        assert torch.equal(one, balanced_order(labels, 3, "probe"))
        assert not torch.equal(one, balanced_order(labels, 4, "probe"))
        assert not torch.equal(one, balanced_order(labels, 3, "attack"))
