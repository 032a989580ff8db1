"""Plots as SVG, drawn by Qt's own generator: pyqtgraph's exporter fails on the paths that Qt 6.11 writes."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QRectF, QSize
from PySide6.QtGui import QColor, QPainter
from PySide6.QtSvg import QSvgGenerator


def svg_bytes(item: Any, title: str, background: str) -> bytes:
    """A pyqtgraph PlotItem, or any item of a scene, as the content of an SVG file of its size on screen.

    Lines and texts stay lines and texts; images are embedded. Raises ValueError for an item that is in no scene.
    """
    scene = item.scene()
    if scene is None:
        raise ValueError(f"{title} is not drawn anywhere")
    if hasattr(scene, "prepareForPaint"):
        scene.prepareForPaint()  # pyqtgraph lays out axes late
    area = item.sceneBoundingRect()
    page = QRectF(0, 0, area.width(), area.height())
    held = QByteArray()
    buffer = QBuffer(held)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    generator = QSvgGenerator(QSvgGenerator.SvgVersion.Svg11)  # the older version draws beyond the axes: no clipping
    generator.setOutputDevice(buffer)
    generator.setSize(QSize(round(page.width()), round(page.height())))
    generator.setViewBox(page)
    generator.setTitle(title)
    generator.setResolution(96)
    painter = QPainter(generator)
    try:
        painter.fillRect(page, QColor(background))
        scene.render(painter, page, area)
    finally:
        painter.end()
        buffer.close()
    return held.data()
