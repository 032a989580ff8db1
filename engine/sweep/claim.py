"""Being the one program that writes to a sweep."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.errors import SweepError
from engine.sweep.lock import Lock


class Claim:
    """A lock beside the file of a sweep. One program holds it at a time, as often and from as many threads as it likes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock(path.with_name(f".{path.name}.lock"))
        self._gate = threading.Lock()
        self._holders = 0
        self._runs = False

    @contextmanager
    def held(self, *, to_run: bool = False) -> Iterator[None]:
        """Hold it; with ``to_run`` as the one that runs the sweep.

        Raises:
            SweepError: another program holds it, the sweep runs already, or its folder cannot be written to.
        """
        self._take(to_run)
        try:
            yield
        finally:
            self._let_go(to_run)

    def _take(self, to_run: bool) -> None:
        with self._gate:
            if to_run and self._runs:
                raise SweepError(f"The sweep {self._path} runs already. Wait until it is done, or stop it.")
            try:
                held = self._lock.keep() if self._holders else self._lock.acquire()
            except OSError as error:
                raise SweepError(
                    f"The sweep {self._path} cannot be written: {error.strerror or error}. "
                    "Copy it to a folder that can be written to, and open it there."
                ) from None
            if not held:
                raise SweepError(
                    f"Another program runs the sweep {self._path}. Wait until it is done, or stop it there."
                )
            self._holders += 1
            self._runs = self._runs or to_run

    def _let_go(self, ran: bool) -> None:
        with self._gate:
            self._holders -= 1
            self._runs = self._runs and not ran
            if not self._holders:
                self._lock.release()
