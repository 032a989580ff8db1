"""Slow work that is not the engine's: reading, saving and writing files, off the window's thread.

Results are fetched at the bridge's tick, so no callback ever runs in another thread.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


class Background:
    """One worker thread; tasks run in the order they were given."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="files")
        self._waiting: list[tuple[Future[Any], Callable[[Any], None], Callable[[BaseException], None]]] = []

    def run(self, work: Callable[[], T], done: Callable[[T], None], failed: Callable[[BaseException], None]) -> None:
        """Do ``work`` in the worker, then call ``done`` or ``failed`` in the window's thread."""
        self._waiting.append((self._pool.submit(work), done, failed))

    @property
    def busy(self) -> bool:
        """Whether something is still to be done or fetched."""
        return bool(self._waiting)

    def poll(self) -> None:
        """Hand on what is ready."""
        while self._waiting and self._waiting[0][0].done():
            future, done, failed = self._waiting.pop(0)
            error = future.exception()
            if error is None:
                done(future.result())
            else:
                failed(error)

    def wait(self) -> None:
        """Finish everything, in this thread's time."""
        while self._waiting:
            self._waiting[0][0].exception()
            self.poll()

    def close(self) -> None:
        """Finish everything and end the worker."""
        self.wait()
        self._pool.shutdown()
