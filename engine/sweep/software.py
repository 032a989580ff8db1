"""Whether a worker computes with the same software as this program, so that the points of a sweep may be compared.

Rapidity Lab must be the same to the letter, since it is what computes. Of Python, torch and numpy the first two numbers
of the version must be the same: what is pickled depends on Python's, and torch and numpy change how they add up from one
such version to the next. Their patches mend errors, and may at most change last digits: another patch is taken, and told.
"""

from __future__ import annotations

import functools
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of

PROGRAM = "Rapidity Lab"
_COMPUTES = ("torch", "numpy")
_ALL = (PROGRAM, "Python", *_COMPUTES)
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is said of a worker's software; empty where it is as it is here."""

    refused: str = ""
    """Why the worker cannot be used, and what to do, in a sentence."""
    note: str = ""
    """What differs and does no harm, in a sentence."""


@functools.cache
def version() -> str:
    """The version of this program, as far as it is known."""
    return _installed("rapidity-lab")


@functools.cache
def here() -> Mapping[str, str]:
    """The versions of what computes in this process, by name; nothing is loaded for it."""
    return {PROGRAM: version(), "Python": platform.python_version()} | {name: _installed(name) for name in _COMPUTES}


def compared(worker: str, there: Mapping[str, str], own: Mapping[str, str]) -> Comparison:
    """A worker's software (:func:`here` on it) against that of this program."""
    wrong = [name for name in _ALL if not _fits(name, there.get(name, UNKNOWN), own[name])]
    if wrong:
        return Comparison(
            refused=f"The worker {worker} has {_listed(wrong, there)}, and this program {_listed(wrong, own)}. "
            f"{_advice(wrong, own)}, and start it again."
        )
    other = [name for name in _COMPUTES if _release(there[name]) != _release(own[name])]
    if not other:
        return Comparison()
    return Comparison(
        note=f"The worker {worker} has {_listed(other, there)}, and this program {_listed(other, own)}: numbers may "
        "differ in their last digits."
    )


def _fits(name: str, there: str, own: str) -> bool:
    if name == PROGRAM:
        return there == own
    return there != UNKNOWN and _release(there).split(".")[:2] == _release(own).split(".")[:2]


def _release(text: str) -> str:
    """A version without its build: 2.13.0 of 2.13.0+cpu."""
    return text.partition("+")[0]


def _advice(wrong: Sequence[str], own: Mapping[str, str]) -> str:
    packages = [f"{name}=={_release(own[name])}" for name in wrong if name in _COMPUTES]
    if PROGRAM in wrong:
        return "Install the same version where it runs"
    if "Python" in wrong:
        python = ".".join(own["Python"].split(".")[:2])
        with_them = f" and pip install {' '.join(packages)}" if packages else ""
        return f"Install Rapidity Lab there with Python {python}{with_them}"
    return f"Run pip install {' '.join(packages)} where it runs"


def _listed(names: Sequence[str], versions: Mapping[str, str]) -> str:
    *first, last = (f"{name} {versions.get(name, UNKNOWN)}" for name in names)
    return f"{', '.join(first)} and {last}" if first else last


def _installed(package: str) -> str:
    try:
        return version_of(package)
    except PackageNotFoundError:
        return UNKNOWN
