"""Tables: columns of numbers that grow."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.session import Table


def test_rows_become_columns() -> None:
    table = Table([{"step": 1, "loss": 0.5}, {"step": 2, "loss": 0.25}])
    table.append({"step": 3, "loss": 0.125})
    assert len(table) == 3
    assert table.columns == ("step", "loss")
    assert table.column("step").dtype == np.float64
    assert table.column("loss").tolist() == [0.5, 0.25, 0.125]
    assert table.row(-1) == {"step": 3.0, "loss": 0.125}


def test_what_is_absent_is_nan_and_none_in_text() -> None:
    table = Table([{"a": 1}, {"b": None, "name": "x"}, {"a": 3, "name": None}])
    assert np.array_equal(table.column("a"), [1, np.nan, 3], equal_nan=True)
    assert np.isnan(table.column("b")).all()
    assert table.column("name").tolist() == [None, "x", None]
    assert len(table.column("name")) == 3


def test_a_column_of_numbers_becomes_one_of_objects_at_the_first_text() -> None:
    table = Table([{"a": 1}, {}, {"a": "two"}, {"a": 3}])
    assert table.column("a").tolist() == [1.0, None, "two", 3]
    assert table.column("a").dtype == object


def test_nan_and_infinities_stay() -> None:
    table = Table([{"a": math.nan}, {"a": math.inf}, {"a": -math.inf}])
    assert np.array_equal(table.column("a"), [np.nan, np.inf, -np.inf], equal_nan=True)


def test_a_view_keeps_its_rows_while_the_table_grows_and_cannot_be_written() -> None:
    table = Table([{"a": i} for i in range(3)])
    view = table.column("a")
    table.extend({"a": -1.0} for _ in range(10_000))
    assert view.tolist() == [0, 1, 2]
    assert len(table.column("a")) == 10_003
    with pytest.raises(ValueError, match="read-only"):
        view[0] = 9


def test_an_empty_table_has_no_columns() -> None:
    table = Table()
    table.extend([])
    assert len(table) == 0
    assert table.columns == ()
    with pytest.raises(KeyError):
        table.column("a")
    with pytest.raises(IndexError):
        table.row(0)


def test_growth_is_amortised() -> None:
    table = Table()
    buffers = set()
    for i in range(5000):
        table.append({"a": i})
        buffers.add(table.column("a").base.ctypes.data)  # type: ignore[union-attr]
    assert len(buffers) <= 10


@settings(max_examples=60, deadline=None)
@given(
    batches=st.lists(
        st.lists(st.dictionaries(st.sampled_from("abc"), st.floats() | st.none(), max_size=3), max_size=90), max_size=5
    )
)
def test_any_rows_in_any_batches_read_as_put(batches: list[list[dict[str, float | None]]]) -> None:
    table = Table()
    for batch in batches:
        table.extend(batch)
    rows = [row for batch in batches for row in batch]
    assert len(table) == len(rows)
    for name in table.columns:
        expected = [math.nan if row.get(name) is None else row[name] for row in rows]
        assert np.array_equal(table.column(name), np.array(expected, dtype=float), equal_nan=True)
    assert set(table.columns) == {name for row in rows for name in row}
