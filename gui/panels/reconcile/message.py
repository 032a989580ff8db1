"""The image to hide: 8x8 pixels of 4 grey levels, as hexadecimal digits, as a picture, and from any image file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QImage, QImageReader, QPainter

from engine.errors import UserError

SIDE, LEVELS = 8, 4
LARGEST = 40_000_000  # pixels beyond which an image is not opened
ENOUGH = 256  # pixels of the shorter side that are read at most: decoders are faster where less is wanted
PATTERN = "Images (*.png *.jpg *.jpeg *.bmp *.gif *.pgm *.ppm *.svg);;All files (*)"


class MessageError(UserError):
    """A file that is no image to hide."""


def digits_of(pixels: np.ndarray) -> str:
    """32 hexadecimal digits of pixels [8, 8] with values 0 to 3, row by row, two pixels a digit."""
    pairs = np.asarray(pixels, dtype=int).reshape(-1, 2)
    return "".join(f"{4 * first + second:x}" for first, second in pairs)


def pixels_of(digits: str) -> np.ndarray:
    """Pixels uint8 [8, 8] of 32 hexadecimal digits."""
    values = np.array([int(digit, 16) for digit in digits], dtype=np.uint8)
    return np.stack([values // 4, values % 4], axis=1).reshape(SIDE, SIDE)


def picture_of(pixels: np.ndarray) -> QImage:
    """A picture of pixels [8, 8] with values 0 (black) to 3 (white)."""
    grey = np.ascontiguousarray(np.asarray(pixels, dtype=np.uint8) * (255 // (LEVELS - 1)))
    return QImage(grey.data, SIDE, SIDE, SIDE, QImage.Format.Format_Grayscale8).copy()


def read_pixels(path: Path) -> np.ndarray:
    """An image file reduced to pixels [8, 8] of 4 levels: its middle square, averaged. Raises :class:`MessageError`."""
    reader = QImageReader(str(path))
    reader.setAutoTransform(True)
    reader.setDecideFormatFromContent(True)
    size = reader.size()
    if size.width() * size.height() > LARGEST:
        raise MessageError(f"{path.name} is {size.width():,} × {size.height():,} pixels: give a smaller image.")
    if min(size.width(), size.height()) > ENOUGH:
        wanted = QSize(ENOUGH, ENOUGH)
        reader.setScaledSize(size.scaled(wanted, Qt.AspectRatioMode.KeepAspectRatioByExpanding))
    image = reader.read()
    if image.isNull():
        why = "there is no such file" if not path.is_file() else "it is no image that can be read"
        raise MessageError(f"{path.name} cannot be hidden: {why}. Give a PNG, JPEG, BMP or GIF file.")
    return reduced(image)


def reduced(image: QImage) -> np.ndarray:
    """The middle square of an image as pixels [8, 8] of 4 levels; what is transparent counts as black."""
    opaque = QImage(image.size(), QImage.Format.Format_RGB32)
    opaque.fill(Qt.GlobalColor.black)
    painter = QPainter(opaque)
    painter.drawImage(0, 0, image)
    painter.end()
    side = min(image.width(), image.height())
    square = opaque.copy((image.width() - side) // 2, (image.height() - side) // 2, side, side)
    small = square.scaled(
        QSize(SIDE, SIDE), Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation
    ).convertToFormat(QImage.Format.Format_Grayscale8)
    rows = np.frombuffer(small.constBits(), np.uint8).reshape(SIDE, small.bytesPerLine())[:, :SIDE]
    return np.rint(rows / 255 * (LEVELS - 1)).astype(np.uint8)
