"""BCH codes: words of n bits, a power of two less one, of which up to t wrong ones are corrected for certain.

The library that builds, encodes and decodes is galois. Compared were, a decoding of BCH(255, 131, t = 18) each: bchlib 2.1.3, C,
12 us, but GPL-2.0-only, which cannot be combined with Apache-2.0 (safetensors) or LGPL-3 (PySide6); komm 0.37, 1.8 ms,
GPL-3.0-only, which would bind the whole program; reedsolo, which has no binary BCH code; galois 0.4.11, MIT, 1.2 ms. Its price is
numba, which compiles for some 20 seconds on first use in each process: :func:`prepared` does it in a background thread.

Sources: R. C. Bose, D. K. Ray-Chaudhuri (1960), "On a class of error correcting binary group codes"; A. Hocquenghem (1959), "Codes
correcteurs d'erreurs"; for the decoder E. R. Berlekamp (1968), "Algebraic coding theory", and J. L. Massey (1969),
"Shift-register synthesis and BCH decoding".
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import ReconcileError
from engine.generators import drain

Bits = NDArray[np.uint8]

SHORTEST, LONGEST = 7, 1023
_WORDS = 8  # decoded at a time: about 10 ms, in which no other thread of Python runs
_PATIENCE = 0.02  # seconds between two looks at another thread

_library = threading.Lock()  # galois compiles against globals, and numba's threads may not be entered from two threads
_gate = threading.Lock()
_preparations: dict[tuple[int, int], _Preparation] = {}


@dataclass(frozen=True, eq=False)
class Decoded:
    """What the decoder makes of N words. It may be wrong without knowing: nothing here is a message before it is checked."""

    messages: Bits
    """``[N, k]``; all 0 where decoding failed."""
    corrected: NDArray[np.int64]
    """``[N]``: how many bits were corrected, -1 where decoding failed."""


class Code:
    """A binary, primitive, narrow-sense BCH code; made by :func:`prepared`."""

    def __init__(self, n: int, t: int, library: Any) -> None:
        self.n, self.t = n, t
        self.k = dimension(n, t)
        self._bch = library
        if library.k != self.k:
            raise AssertionError(f"the library builds a BCH({n}, {library.k}) where theory has {self.k}")
        self._parity = np.asarray(library.G, np.int64)[:, self.k :]  # the message comes first in a word

    def encode(self, messages: Bits) -> Bits:
        """Code words ``[N, n]`` of messages ``[N, m]``, m at most k, filled up with zeros.

        Raises ReconcileError for a message too long for the code.
        """
        messages = np.asarray(messages, np.uint8)
        require_room(self.n, self.t, messages.shape[1])
        filled = np.zeros((len(messages), self.k), np.int64)
        filled[:, : messages.shape[1]] = messages
        return np.concatenate([filled, filled @ self._parity % 2], axis=1).astype(np.uint8)

    def decode(self, words: Bits) -> Decoded:
        """Messages of received words ``[N, n]``. See :meth:`decoding`."""
        return drain(self.decoding(words))

    def decoding(self, words: Bits) -> Generator[None, None, Decoded]:
        """The same with breaths in between; raises ReconcileError for words of another length."""
        words = np.asarray(words, np.uint8)
        if words.ndim != 2 or words.shape[1] != self.n:
            raise ReconcileError(
                f"The code has words of {self.n} bits, but these are {list(words.shape)}: use the code that they were made for."
            )
        messages = np.zeros((len(words), self.k), np.uint8)
        corrected = np.zeros(len(words), np.int64)
        for start in range(0, len(words), _WORDS):
            part = slice(start, start + _WORDS)
            while not _library.acquire(timeout=_PATIENCE):  # held while another code is being compiled
                yield None
            try:
                messages[part], corrected[part] = self._decoded(words[part])
            finally:
                _library.release()
            yield None
        messages[corrected < 0] = 0
        return Decoded(messages, corrected)

    def _decoded(self, words: Bits) -> tuple[Any, Any]:
        with _one_thread():
            # a copy of its own: the library reads the words where they lie
            found, count = self._bch.decode(self._bch.field(words.copy()), errors=True)
        return np.asarray(found), np.asarray(count)


def prepared(n: int, t: int) -> Generator[None, None, Code]:
    """The code of n bits that corrects t, made once in a process; yields while a background thread compiles its decoder.

    Whoever stops waiting leaves the thread to end by itself, and the next who asks finds what it made. Raises
    ReconcileError at once for a code that cannot be built.
    """
    dimension(n, t)
    with _gate:
        work = _preparations.get((n, t))
        if work is None:
            work = _preparations[n, t] = _Preparation(n, t)
            work.start()
    while work.is_alive():
        work.join(_PATIENCE)
        yield None
    work.join()
    if work.code is None:
        with _gate:
            if _preparations.get((n, t)) is work:  # another who waited may have begun anew
                del _preparations[n, t]
        raise work.error or RuntimeError("the code was not prepared")
    return work.code


def dimension(n: int, t: int) -> int:
    """Bits k of information in a word, known without building the code; raises ReconcileError where there is no such code.

    ``n - k`` is the number of distinct exponents among ``i 2^j mod n`` for i from 1 to 2 t: the roots of the generator.
    """
    if (n + 1) & n or not SHORTEST <= n <= LONGEST:
        raise ReconcileError(
            f"There is no BCH code of {n} bits: its length is a power of two less one, from {SHORTEST} to {LONGEST}."
        )
    roots: set[int] = set()
    for i in range(1, 2 * t + 1):
        while i % n not in roots:
            roots.add(i % n)
            i = 2 * i % n
    k = n - len(roots)
    if t < 1 or k < 1 or 2 * t + 1 > n:
        raise ReconcileError(
            f"No BCH code of {n} bits corrects {t}: nothing would be left for a message. Correct between 1 and "
            f"{(n - 1) // 2} bits, or take longer words."
        )
    return k


def require_room(n: int, t: int, bits: int) -> None:
    """Raises ReconcileError where a message of so many bits does not fit into the code."""
    k = dimension(n, t)
    if bits > k:
        raise ReconcileError(
            f"The message has {bits} bits, but the BCH code of {n} bits that corrects {t} carries only {k}: correct fewer, or "
            "take longer words."
        )


class _Preparation(threading.Thread):
    """Builds a code and decodes a word with it, which compiles all of it."""

    def __init__(self, n: int, t: int) -> None:
        # a daemon: nobody waits for a compiler at the program's end
        super().__init__(name=f"BCH({n}, t={t})", daemon=True)
        self._asked = n, t
        self.code: Code | None = None
        self.error: BaseException | None = None

    def run(self) -> None:
        n, t = self._asked
        try:
            with _library:
                import galois

                code = Code(n, t, galois.BCH(n, d=2 * t + 1))
            wrong = code.encode(np.zeros((1, code.k), np.uint8))
            wrong[:, 0] ^= 1
            with _library:
                code._decoded(wrong)
            if not gc.isenabled():  # collected by hand: what the compiler leaves stays, and would be walked each time
                gc.freeze()
            self.code = code
        except BaseException as error:  # raised again where the code is asked for
            self.error = error


@contextmanager
def _one_thread() -> Iterator[None]:
    """numba on one thread while this is held.

    The decoder evaluates a polynomial at single points in a parallel loop. Waking more threads for each costs 10 to 100 times
    what it computes, as soon as another program uses a core.
    """
    import numba

    before = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        yield
    finally:
        numba.set_num_threads(before)
