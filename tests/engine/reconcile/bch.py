"""The code that all tests of reconciliation share: compiled once in a process."""

from __future__ import annotations

from engine.generators import drain
from engine.reconcile.code import Code, prepared


def the_code() -> Code:
    """BCH(255, 131, t = 18)."""
    return drain(prepared(255, 18))
