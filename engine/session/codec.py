"""Arrays to bytes and back by safetensors, plain values to JSON text and back. Nothing is ever unpickled.

JSON has no NaN and no infinities, and SQLite's json functions refuse the tokens that Python would write. They are
written as ``{"$float": "nan"}``, ``{"$float": "inf"}`` and ``{"$float": "-inf"}``, and read back as floats; in SQL,
``json_extract(row, '$.loss.$float')`` finds them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import safetensors.numpy
from safetensors import SafetensorError

from engine.errors import SessionError

_TAG = "$float"


def pack(arrays: Mapping[str, np.ndarray]) -> bytes:
    """Named arrays as one safetensors blob. Any shape, scalars and empty ones too; bool, integers and floats.

    Raises:
        TypeError: an array of texts, objects or complex numbers.
    """
    plain: dict[str, np.ndarray] = {}
    for name, array in arrays.items():
        # order="C": safetensors writes the memory of a transposed array as if it were not transposed
        each = np.asarray(array, order="C")
        if each.dtype.kind not in "biuf" or each.dtype.itemsize > 8 or name == "__metadata__":
            raise TypeError(f"the array {name!r} of {each.dtype} cannot be kept in a session")
        plain[name] = each.astype(each.dtype.newbyteorder("="), copy=False)
    return safetensors.numpy.save(plain)


def unpack(blob: bytes) -> dict[str, np.ndarray]:
    """The arrays of a safetensors blob, in the order of their names.

    Raises:
        SessionError: the bytes are damaged.
    """
    try:
        loaded = safetensors.numpy.load(blob)
    except (SafetensorError, ValueError, KeyError) as error:
        raise SessionError(f"Arrays in this session are damaged and cannot be read: {error}") from None
    return {name: loaded[name] for name in sorted(loaded)}


def dump_json(value: Any) -> str:
    """Compact JSON text of a plain value; NumPy scalars become plain ones, NaN and infinities are kept.

    Raises:
        TypeError: something in it is not plain.
    """
    try:
        return _encode(value)
    except ValueError:
        return _encode(_with_tags(value))


def load_json(text: str) -> Any:
    """The value of a text that :func:`dump_json` wrote.

    Raises:
        SessionError: the text is damaged.
    """
    try:
        return json.loads(text, object_hook=_without_tag) if _TAG in text else json.loads(text)
    except ValueError as error:
        raise SessionError(f"A value in this session is damaged and cannot be read: {error}") from None


def load_rows(texts: list[str]) -> list[dict[str, Any]]:
    """Many JSON objects at once, several times faster than one by one."""
    rows: list[dict[str, Any]] = load_json(f"[{','.join(texts)}]")
    return rows


def _plain(value: object) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is not plain JSON and cannot be kept in a session")


_encode = json.JSONEncoder(allow_nan=False, separators=(",", ":"), default=_plain).encode


def _with_tags(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return {_TAG: str(value)}
    if isinstance(value, Mapping):
        return {name: _with_tags(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_with_tags(each) for each in value]
    return value


def _without_tag(value: dict[str, Any]) -> Any:
    return float(value[_TAG]) if value.keys() == {_TAG} and value[_TAG] in ("nan", "inf", "-inf") else value
