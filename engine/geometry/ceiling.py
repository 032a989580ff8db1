"""The largest rapidity that features of a given precision can mean. No torch here."""

from __future__ import annotations

import math

_EPSILON = {"float16": 2.0**-10, "bfloat16": 2.0**-7, "float32": 2.0**-23, "float64": 2.0**-52}


def ceiling(dtype: object) -> float:
    """|eta| at which two directions differ by one rounding step: ``ln(2 / machine epsilon)``.

    16.6 for float32 features and 36.7 for float64; beyond it a pair is "parallel as far as can be told". ``dtype`` is
    the type of the features when the network computed them (not of the geometry, always float64): a torch or numpy
    dtype, or its name. Raises ValueError for a type that is not a floating-point one.
    """
    name = getattr(dtype, "__name__", str(dtype)).removeprefix("torch.")
    if name not in _EPSILON:
        raise ValueError(f"no rapidity ceiling is known for {dtype!r}; it is one of {', '.join(_EPSILON)}")
    return math.log(2 / _EPSILON[name])
