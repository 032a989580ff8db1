"""A lock with the name of a file, which the system lets go of when its holder dies, and which leaves no file behind.

Not on the sweep's own file: SQLite locks it by POSIX locks, all of which a program loses when it closes any descriptor
of that file, and where ``flock`` is of the same kind as those, as on macOS and on network disks, the two would be in
each other's way. So it is on a file beside it, which only its holder removes. On POSIX whoever gets the lock looks
whether the file is still the one of that name; if it was removed in between, it tries again. On Windows no file can
be removed that anybody has open.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from pathlib import Path

if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError as error:
            if error.errno in (errno.EACCES, errno.EDEADLK):
                return False
            raise
        return True

    def _unlock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)  # closing it alone would let it go some time later

else:
    import fcntl

    def _try_lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EACCES, errno.EAGAIN, errno.EWOULDBLOCK):
                return False
            raise
        return True


_TRIES = 1000
"""How often a lock is tried again whose file was removed meanwhile."""
_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)


class Lock:
    """One holder at a time among all programs, and among all locks of this name in this one. Its owner keeps threads apart."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def acquire(self) -> bool:
        """Take it; False where another holds it.

        Raises:
            OSError: the file cannot be made, or its disk knows no locks.
        """
        descriptor = self._locked()
        if descriptor is not None:
            self._descriptor = descriptor
        return descriptor is not None

    def keep(self) -> bool:
        """While it is held: put the file back if somebody has deleted it. False where another has the lock since.

        A folder that was moved or cannot be written to any more is no reason to stop: nobody finds the lock there.
        """
        assert self._descriptor is not None
        try:
            if sys.platform == "win32" or self._is_in_place(self._descriptor):
                return True
            descriptor = self._locked()
        except OSError:
            return True
        if descriptor is None:
            return False
        os.close(self._descriptor)
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        """Let it go and remove its file."""
        descriptor, self._descriptor = self._descriptor, None
        assert descriptor is not None
        if sys.platform == "win32":
            _unlock(descriptor)
            os.close(descriptor)
            with contextlib.suppress(OSError):  # another has it open: that one removes it
                self._path.unlink()
            return
        # removed while it is held: a file of that name that is not this one is another's
        with contextlib.suppress(OSError):
            if self._is_in_place(descriptor):
                self._path.unlink()
        os.close(descriptor)

    def _locked(self) -> int | None:
        for _ in range(_TRIES):
            descriptor = os.open(self._path, _FLAGS, 0o666)
            try:
                if not _try_lock(descriptor):
                    os.close(descriptor)
                    return None
                if sys.platform == "win32" or self._is_in_place(descriptor):
                    return descriptor
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)  # its holder removed it before it was locked here
        raise OSError(
            errno.ENOLCK, os.strerror(errno.ENOLCK)
        )  # each look finds another file: a disk that knows none by number

    def _is_in_place(self, descriptor: int) -> bool:
        try:
            return os.path.samestat(self._path.lstat(), os.fstat(descriptor))
        except FileNotFoundError:
            return False
