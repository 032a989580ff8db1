"""Arrays and values survive the session exactly; nothing is ever executed."""

from __future__ import annotations

import json
import math
import pickle
import sqlite3
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from session_helpers import same

from engine.errors import SessionError
from engine.session import dump_json, load_json, pack, unpack
from engine.session.codec import load_rows

DTYPES = st.sampled_from(["bool", "int64", "int32", "uint8", "float16", "float32", "float64"]).map(np.dtype)
NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=12).filter(lambda name: name != "__metadata__")
ARRAYS = DTYPES.flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4))
)


@settings(max_examples=100, deadline=None)
@given(arrays=st.dictionaries(NAMES, ARRAYS, max_size=4))
def test_arrays_of_every_type_and_shape_survive(arrays: dict[str, np.ndarray]) -> None:
    assert same(unpack(pack(arrays)), arrays)


def test_scalars_empty_arrays_and_none_at_all_survive() -> None:
    arrays = {"scalar": np.array(1.5), "empty": np.zeros((0, 3)), "flat": np.zeros((2, 0), np.int64)}
    assert same(unpack(pack(arrays)), arrays)
    assert unpack(pack({})) == {}
    assert unpack(pack({"np": np.float32(2.5)}))["np"] == np.float32(2.5)  # type: ignore[dict-item]


def test_memory_layout_does_not_change_the_values() -> None:
    x = np.arange(24.0).reshape(2, 3, 4)
    for each in (x.T, x[:, ::-1], x[..., ::2], np.asfortranarray(x), x.astype(">f8"), np.broadcast_to(x[0], (5, 3, 4))):
        assert np.array_equal(unpack(pack({"x": each}))["x"], each)


@pytest.mark.parametrize(
    "array", [np.array(["text"]), np.array([object()]), np.array([1j]), np.zeros(2, np.longdouble)]
)
def test_what_cannot_be_kept_is_refused_by_name(array: np.ndarray) -> None:
    with pytest.raises(TypeError, match="'bad'"):
        pack({"bad": array})


@pytest.mark.parametrize("blob", [b"", b"abc", b"\xff" * 100, pack({"x": np.ones(5)})[:-1], pickle.dumps([1, 2])])
def test_damaged_blobs_are_told(blob: bytes) -> None:
    with pytest.raises(SessionError, match="damaged"):
        unpack(blob)


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def equal(a: Any, b: Any) -> bool:
    if isinstance(a, float) and isinstance(b, float):
        return a == b or (math.isnan(a) and math.isnan(b))
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(equal, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(equal(a[key], b[key]) for key in a)
    return type(a) is type(b) and a == b


@settings(max_examples=150, deadline=None)
@given(value=PLAIN)
def test_plain_values_survive_and_are_valid_json(value: Any) -> None:
    text = dump_json(value)
    assert equal(load_json(text), value)

    def refuse(token: str) -> None:
        raise AssertionError(token)

    json.loads(text, parse_constant=refuse)
    with sqlite3.connect(":memory:") as connection:
        assert connection.execute("SELECT json_valid(?)", (text,)).fetchone() == (1,)


def test_sqlite_finds_numbers_and_nan_in_rows() -> None:
    with sqlite3.connect(":memory:") as connection:
        text = dump_json({"loss": math.nan, "step": 3})
        found = connection.execute("SELECT json_extract(?1, '$.step'), json_extract(?1, '$.loss.$float')", (text,))
        assert found.fetchone() == (3, "nan")


def test_numpy_scalars_and_tuples_become_plain() -> None:
    value = {
        "a": np.float32(0.5),
        "b": np.int64(3),
        "c": np.bool_(True),
        "d": (1, np.float64("nan")),
        "e": np.float32("inf"),
    }
    back = load_json(dump_json(value))
    assert (back["a"], back["b"], back["c"], back["e"]) == (0.5, 3, True, math.inf)
    assert back["d"][0] == 1
    assert math.isnan(back["d"][1])


def test_what_is_not_plain_is_refused() -> None:
    for value in (np.ones(2), object(), {1, 2}, {"a": math.nan, "b": b"bytes"}):
        with pytest.raises(TypeError):
            dump_json(value)


def test_many_rows_decode_as_one_by_one() -> None:
    texts = [dump_json({"i": i, "loss": math.nan if i % 3 else 0.5}) for i in range(10)]
    assert equal(load_rows(texts), [load_json(text) for text in texts])
    assert load_rows([]) == []
    with pytest.raises(SessionError, match="damaged"):
        load_rows(["{"])
