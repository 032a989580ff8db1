"""Fuzzy commitment by a code offset: a message locked to a hash, and opened by any hash that is near enough.

The helper is ``repeat(Enc(message)) xor hash``, public, with the SHA-256 of the message. Whoever brings a hash of the same
direction to within the code's reach cancels the hash and decodes the message. A decoder that gives up or that finds another code
word opens nothing: what it found is handed out only if its SHA-256 is the helper's.

The check catches wrong readings and a damaged helper; it also refuses the negative of the message, to which a direction opposite to
the locked one decodes. It does not stop someone who writes offset AND digest anew: who makes the
helper makes the message, and the input brings nothing but "near enough" to it.

Sources: A. Juels, M. Wattenberg (1999), "A fuzzy commitment scheme"; Y. Dodis, L. Reyzin, A. Smith (2004), "Fuzzy extractors: how
to generate strong keys from biometrics and other noisy data".
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.errors import ReconcileError
from engine.generators import drain
from engine.reconcile.code import Bits, Code
from engine.reconcile.message import BITS, Image, from_bits, to_bits

OPENED = "The check sum of the recovered image is right."
NOT_DECODED = "More bits are wrong than the code can correct, so nothing was recovered."
CHECK_FAILED = (
    "The code was read, but the SHA-256 of what it says is not the one in the helper data: the reading is wrong or the helper data "
    "were tampered with, so nothing was recovered."
)
OPPOSITE = (
    "The features point away from the reference: the code reads them as the exact opposite, whose SHA-256 is not the one in the helper "
    "data, so nothing was recovered."
)
DEAD = "The features are all zero or not finite, so they have no hash and nothing was recovered."


@dataclass(frozen=True, eq=False)
class Helper:
    """Public helper data of one locked message."""

    offset: Bits
    """``[n r]``"""
    sha256: str
    """Of the message's 16 bytes, hexadecimal."""
    n: int
    k: int
    t: int
    repetition: int
    """r, odd: bit i of the code word is locked to the bits i r to i r + r - 1 of the hash."""
    seed: int
    """From which the public projection is drawn."""


@dataclass(frozen=True, eq=False)
class Recovered:
    """What N hashes opened. Images that were not verified are not in it."""

    opened: NDArray[np.bool_]
    """``[N]``: decoded, and the SHA-256 is the helper's."""
    corrected: NDArray[np.int64]
    """``[N]``: bits of the code word that the decoder changed; -1 where it gave up or had nothing to read."""
    sentences: tuple[str, ...]
    """``[N]``: what happened, for a person."""
    _images: NDArray[np.uint8]

    def image(self, i: int) -> Image | None:
        """The image ``[8, 8]`` that input i opened, or None."""
        return self._images[i].copy() if self.opened[i] else None


def enrol(bits: Bits, image: ArrayLike, code: Code, *, repetition: int, seed: int) -> Helper:
    """Lock an image ``[8, 8]`` of levels 0 to 3 to a hash ``[n r]``; ``seed`` tells from which projection the hash came.

    Raises ReconcileError for a hash of another length, an even repetition, or a code too small for an image.
    """
    if repetition < 1 or repetition % 2 == 0:
        raise ReconcileError(
            f"A majority of {repetition} copies does not exist: repeat each bit an odd number of times."
        )
    message = to_bits(image)
    word = np.repeat(code.encode(message[None])[0], repetition)
    bits = _checked(np.asarray(bits)[None], len(word))[0]
    return Helper(word ^ bits, _checksum(message), code.n, code.k, code.t, repetition, seed)


def recover(bits: Bits, helper: Helper, code: Code, alive: NDArray[np.bool_] | None = None) -> Recovered:
    """Open the lock with hashes ``[N, n r]``. See :func:`recovering`."""
    return drain(recovering(bits, helper, code, alive))


def recovering(
    bits: Bits, helper: Helper, code: Code, alive: NDArray[np.bool_] | None = None
) -> Generator[None, None, Recovered]:
    """The same with breaths in between; inputs that are not ``alive`` ``[N]`` open nothing.

    Raises ReconcileError for a helper that is of another code, or whose length is not that of its own code, and for hashes of
    another length than the helper's.
    """
    _require_fit(helper, code)
    bits = _checked(bits, len(helper.offset))
    alive = np.ones(len(bits), np.bool_) if alive is None else alive
    decoded = yield from code.decoding(majority(bits ^ helper.offset, helper.repetition)[alive])
    messages = np.zeros((len(bits), BITS), np.uint8)
    corrected = np.full(len(bits), -1, np.int64)
    messages[alive], corrected[alive] = decoded.messages[:, :BITS], decoded.corrected
    opened = np.array(
        [c >= 0 and _checksum(m) == helper.sha256 for m, c in zip(messages, corrected, strict=True)], np.bool_
    )
    sentences = tuple(
        _said(helper, message, bool(right), bool(lives), int(count))
        for message, right, lives, count in zip(messages, opened, alive, corrected, strict=True)
    )
    messages[~opened] = 0
    return Recovered(opened, corrected, sentences, from_bits(messages))


def majority(bits: Bits, repetition: int) -> Bits:
    """Hashes ``[..., n r]`` read as code words ``[..., n]``: what most of the r copies of a bit say, r odd."""
    copies = bits.reshape(*bits.shape[:-1], bits.shape[-1] // repetition, repetition)
    word: Bits = (copies.sum(-1, dtype=np.int64) > repetition // 2).astype(np.uint8)
    return word


def wrong_bits(bits: Bits, reference: Bits, repetition: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """How far hashes ``[N, n r]`` are from the locked one ``[n r]``: share of wrong bits, and wrong code bits by majority, ``[N]``."""
    wrong = np.asarray(bits ^ reference, np.uint8)
    return wrong.mean(-1, dtype=np.float64), majority(wrong, repetition).sum(-1, dtype=np.int64)


def _said(helper: Helper, message: Bits, opened: bool, alive: bool, corrected: int) -> str:
    if opened:
        return OPENED
    if not alive:
        return DEAD
    if corrected < 0:
        return NOT_DECODED
    # the word of all ones is a code word, so near the opposite of the reference lies the opposite of the message
    return OPPOSITE if _checksum(1 - message) == helper.sha256 else CHECK_FAILED


def digest(image: ArrayLike) -> str:
    """The SHA-256 that a helper keeps of an image ``[8, 8]``, hexadecimal."""
    return _checksum(to_bits(image))


def _checksum(message: Bits) -> str:
    return hashlib.sha256(np.packbits(message).tobytes()).hexdigest()


def _require_fit(helper: Helper, code: Code) -> None:
    own = helper.n, helper.k, helper.t
    if own != (code.n, code.k, code.t):
        raise ReconcileError(
            f"The helper data are of a BCH{own} code, but this one is {(code.n, code.k, code.t)} (length, message, corrected): use "
            "the code that they were made with."
        )
    if helper.offset.shape != (helper.n * helper.repetition,):
        raise ReconcileError(
            f"The helper data hold {helper.offset.size} bits instead of {helper.n} times {helper.repetition}: they are damaged or of "
            "another code. Make them again."
        )


def _checked(bits: Bits, length: int) -> Bits:
    bits = np.asarray(bits)
    if bits.ndim != 2 or bits.shape[1] != length:
        raise ReconcileError(
            f"The hash has {bits.shape[-1]} bits, but {length} are locked: hash the features with as many rows."
        )
    if ((bits != 0) & (bits != 1)).any():
        raise ReconcileError("A hash consists of bits 0 and 1, but this one has other values.")
    return bits.astype(np.uint8)
