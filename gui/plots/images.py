"""Arrays to pictures: thumbnails, perturbations and heat strips as QImage, drawn with hard pixel edges."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QImage, QPainter

from gui.theme import diverging, magnitude

DEAD = 255  # the index of the grey that stands for "undefined"; values use 0 … 254, so that 127 is exactly 0
_DEAD_RGB = (128, 128, 128)


@lru_cache
def table(name: str) -> np.ndarray:
    """Colours [256, 3] uint8 of a map: "diverging", "cividis", "viridis"; the last entry is the grey of NaN."""
    source = diverging() if name == "diverging" else magnitude("viridis" if name == "viridis" else "cividis")
    colours = np.empty((256, 3), dtype=np.uint8)
    colours[:255] = source.getLookupTable(nPts=255, alpha=False)
    colours[DEAD] = _DEAD_RGB
    colours.setflags(write=False)
    return colours


def indices(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Positions in a colour table (uint8) of values between ``low`` and ``high``; NaN becomes ``DEAD``."""
    scaled = (np.asarray(values, dtype=np.float32) - low) * (254.0 / (high - low))
    missing = np.isnan(scaled)
    found = np.clip(np.where(missing, 0, scaled) + 0.5, 0, 254).astype(np.uint8)
    found[missing] = DEAD
    return found


def picture(image: np.ndarray) -> QImage:
    """An image [C, H, W] with values in [0, 1] as grey (C = 1) or colour (C = 3; other C show the channel mean)."""
    values = np.nan_to_num(np.asarray(image, dtype=np.float32))
    if values.shape[0] == 3:
        return _rgb(np.ascontiguousarray((np.clip(values.transpose(1, 2, 0), 0, 1) * 255 + 0.5).astype(np.uint8)))
    grey = values[0] if values.shape[0] == 1 else values.mean(axis=0)
    pixels = np.ascontiguousarray((np.clip(grey, 0, 1) * 255 + 0.5).astype(np.uint8))
    height, width = pixels.shape
    return QImage(pixels.data, width, height, width, QImage.Format.Format_Grayscale8).copy()


def mapped(values: np.ndarray, low: float, high: float, name: str = "diverging") -> QImage:
    """Values [H, W] between ``low`` and ``high`` through a colour map; a vector [D] becomes one row."""
    grid = np.atleast_2d(values)
    return _rgb(np.ascontiguousarray(table(name)[indices(grid, low, high)]))


def difference(delta: np.ndarray, reach: float) -> QImage:
    """A perturbation [C, H, W] (channel mean) or [D] on the diverging map, fixed to ±``reach``."""
    grid = delta.mean(axis=0) if delta.ndim == 3 else delta
    return mapped(grid, -reach, reach)


def draw(painter: QPainter, image: QImage, into: QRect) -> None:
    """Draw ``image`` into ``into`` without smoothing: a pixel of the data stays a square."""
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
    painter.drawImage(into, image)


def fitted(size: QSize, into: QRect) -> QRect:
    """The largest rectangle of the picture's shape inside ``into``, centred."""
    scaled = size.scaled(into.size(), Qt.AspectRatioMode.KeepAspectRatio)
    return QRect(
        into.x() + (into.width() - scaled.width()) // 2,
        into.y() + (into.height() - scaled.height()) // 2,
        scaled.width(),
        scaled.height(),
    )


def _rgb(pixels: np.ndarray) -> QImage:
    height, width, _ = pixels.shape
    # a copy, because QImage only borrows the array's memory
    return QImage(pixels.data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()
