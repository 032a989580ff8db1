"""An attack's tables, step by step."""

import numpy as np
import pytest

from engine.experiments.attack_curves import Watched, progressed, quartiles
from engine.experiments.rates import share
from engine.session.table import Table


def rows(values: np.ndarray) -> list[dict[str, float]]:
    """Rows of ``attack_samples``: the margins given, the losses ten times as large."""
    return [
        {"step": s, **{f"loss {k}": 10 * v for k, v in enumerate(row)}, **{f"margin {k}": v for k, v in enumerate(row)}}
        for s, row in enumerate(values.tolist())
    ]


def test_a_growing_table_gives_what_the_whole_one_gives() -> None:
    values = np.random.default_rng(0).normal(size=(30, 5)).cumsum(0)
    whole, growing, table = Watched(), Watched(), Table()
    whole.update(Table(rows(values)))
    for row in rows(values):
        table.append(row)
        growing.update(table)
    assert len(growing) == len(whole) == 30
    for name in Watched.NAMES:
        assert np.array_equal(growing.values[name], whole.values[name])
        assert np.array_equal(growing.quartiles[name], whole.quartiles[name])
    assert np.array_equal(growing.first_broken, whole.first_broken)
    assert np.array_equal(whole.values["loss"], 10 * whole.values["margin"])


def test_another_table_is_read_anew() -> None:
    found = Watched()
    found.update(Table(rows(np.ones((4, 3)))))
    found.update(Table(rows(-np.ones((2, 2)))))
    assert (len(found), found.samples) == (2, 2)
    assert found.first_broken.tolist() == [0, 0]


def test_a_sample_is_broken_at_its_first_negative_margin_though_it_comes_back() -> None:
    found = Watched()
    found.update(Table(rows(np.array([[1.0, 1.0, -1.0], [0.5, 0.0, 1.0], [-0.1, 0.2, 1.0], [0.3, 0.1, 1.0]]))))
    assert found.first_broken.tolist() == [2, -1, 0]


def test_quartiles_leave_out_what_is_no_number() -> None:
    values = np.array([[1.0, 2.0, 3.0, 4.0, 5.0], [np.nan, 2.0, 4.0, 6.0, np.inf], [np.nan] * 5])
    found = quartiles(values)
    assert found[0].tolist() == [2, 3, 4]
    assert found[1].tolist() == [3, 4, 5]
    assert np.isnan(found[2]).all()
    assert quartiles(np.zeros((2, 0))).shape == (2, 3)


def test_the_share_broken_so_far_has_wilson_s_band() -> None:
    table = Table({"step": k, "success_so_far": k / 10, "samples": 40, "success_before": 0.1} for k in range(5))
    found = progressed(table)
    assert (found.n, found.before) == (40, 0.1)
    for k in range(5):
        expected = share(4 * k, 40)
        assert (found.low[k], found.high[k]) == pytest.approx((expected.low, expected.high))
    assert np.isnan(found.smallest).all()
    assert found.stages == ()


def test_members_of_an_ensemble_or_restarts_of_one_attack_are_marked_where_they_begin() -> None:
    plan = [("apgd-ce", 0), ("apgd-ce", 0), ("apgd-ce", 1), ("fab-t", 0), ("square", 0), ("best found", 0)]
    table = Table(
        {"step": k, "success_so_far": 0.0, "samples": 4, "stage": s, "restart": r} for k, (s, r) in enumerate(plan)
    )
    assert progressed(table).stages == ((0.0, "apgd-ce"), (3.0, "fab-t"), (4.0, "square"))
    alone = Table(
        {"step": k, "success_so_far": 0.0, "samples": 4, "stage": s, "restart": k // 3}
        for k, s in enumerate(["", "", "", "", "", "best found"])
    )
    assert progressed(alone).stages == ((3.0, "restart 2"),)
