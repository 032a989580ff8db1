"""The hidden image: 8x8 pixels of 4 grey levels, 0 black to 3 white, as 128 bits and as 32 hexadecimal digits.

Pixels go row by row, each with its higher bit first.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.errors import ReconcileError

SIDE = 8
LEVELS = 4
BITS = 2 * SIDE * SIDE
DIGITS = BITS // 4

Image = NDArray[np.uint8]
"""``[8, 8]``, values 0 to 3."""
Bits = NDArray[np.uint8]
"""0 or 1."""


def to_bits(image: ArrayLike) -> Bits:
    """128 bits of an image ``[8, 8]`` of grey levels 0 to 3; raises ReconcileError for anything else."""
    pixels = np.asarray(image)
    if pixels.shape != (SIDE, SIDE) or not np.isin(pixels, np.arange(LEVELS)).all():
        raise ReconcileError(
            f"A message is an image of {SIDE}x{SIDE} grey levels from 0 to {LEVELS - 1}, but this is {list(pixels.shape)} with "
            "other values: reduce it first."
        )
    flat = pixels.astype(np.uint8).reshape(-1)
    return np.stack([flat >> 1, flat & 1], axis=1).reshape(-1)


def from_bits(bits: ArrayLike) -> Image:
    """The images ``[..., 8, 8]`` of bits ``[..., 128]``."""
    pairs = np.asarray(bits, np.uint8).reshape(*np.shape(bits)[:-1], SIDE, SIDE, 2)
    image: Image = 2 * pairs[..., 0] + pairs[..., 1]
    return image


def to_hex(image: ArrayLike) -> str:
    """32 hexadecimal digits."""
    return np.packbits(to_bits(image)).tobytes().hex()


def from_hex(digits: str) -> Image:
    """The image of 32 hexadecimal digits; raises ReconcileError for anything else."""
    try:
        data = bytes.fromhex(digits)
    except ValueError:
        data = b""
    if len(digits) != DIGITS or len(data) != DIGITS // 2:
        raise ReconcileError(f"{digits!r} is no message: give {DIGITS} hexadecimal digits, two pixels each.")
    return from_bits(np.unpackbits(np.frombuffer(data, np.uint8)))


def reduced(x: ArrayLike, bounds: tuple[float, float] | None = (0.0, 1.0)) -> Image:
    """An input made a message: an image ``[C, H, W]`` or a vector ``[D]``, averaged over areas and rounded to 4 levels.

    ``bounds`` are the values of black and white; without them, the least and the largest value of the averages are. A
    vector fills the pixels row by row. Raises ReconcileError for other shapes and for values that are not finite.
    """
    values = np.asarray(x, np.float64)
    if values.ndim not in (1, 3) or not values.size or not np.isfinite(values).all():
        raise ReconcileError(
            f"An input of shape {list(values.shape)} cannot be made a message: give an image [C, H, W] or a vector [D] of finite "
            "numbers."
        )
    if values.ndim == 1:
        small = (_areas(len(values), SIDE * SIDE) @ values).reshape(SIDE, SIDE)
    else:
        grey = values.mean(0)
        small = _areas(grey.shape[0], SIDE) @ grey @ _areas(grey.shape[1], SIDE).T
    black, white = bounds if bounds is not None else (small.min(), small.max())
    scale = (white - black) or 1.0
    return np.clip(np.rint((small - black) / scale * (LEVELS - 1)), 0, LEVELS - 1).astype(np.uint8)


def _areas(length: int, parts: int) -> NDArray[np.float64]:
    """Weights ``[parts, length]`` of the mean over each of so many equal parts of a line; a value on an edge is shared."""
    edges = np.arange(parts + 1) * (length / parts)
    cells = np.arange(length)
    overlap = np.minimum(edges[1:, None], cells + 1) - np.maximum(edges[:-1, None], cells)
    weights = np.clip(overlap, 0, None)
    return np.asarray(weights / weights.sum(1, keepdims=True))
