"""Running a generator that does its work between yields, where nobody watches it."""

from __future__ import annotations

from collections.abc import Generator
from time import perf_counter
from typing import Any, TypeVar

T = TypeVar("T")
Said = TypeVar("Said")


def drain(generator: Generator[Any, None, T]) -> T:
    """Run to the end, throw away what is yielded, and return what the generator returns."""
    while True:
        try:
            next(generator)
        except StopIteration as stop:
            result: T = stop.value
            return result


def stoppable(work: Generator[None, None, T], said: Said) -> Generator[Said, None, T]:
    """Work that pauses for breath now and then, saying ``said`` at each pause, so that it can be cancelled there."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            result: T = end.value
            return result
        yield said


def timed(work: Generator[Said, None, Any]) -> Generator[Said, None, float]:
    """Work as it is, and the seconds it took: its own, not those of whoever pulled it in between."""
    took = 0.0
    while True:
        began = perf_counter()
        try:
            said = next(work)
        except StopIteration:
            return took + perf_counter() - began
        took += perf_counter() - began
        yield said
