"""Our line icons, drawn once as SVG in ``resources/icons`` and coloured by the theme when asked for."""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from gui.theme import RESOURCES, Theme

SIZES = (16, 20, 32, 40)  # the two sizes shown, and the same on screens of double density


def names() -> tuple[str, ...]:
    """All icons there are."""
    return tuple(sorted(path.stem for path in (RESOURCES / "icons").glob("*.svg")))


def icon(name: str, theme: Theme, colour: str | None = None) -> QIcon:
    """The icon in the theme's quiet colour, faint when disabled and accented when switched on."""
    return _icon(name, colour or theme.muted, theme.faint, colour or theme.accent)


@lru_cache(maxsize=256)
def _icon(name: str, normal: str, disabled: str, chosen: str) -> QIcon:
    made = QIcon()
    for mode, state, colour in (
        (QIcon.Mode.Normal, QIcon.State.Off, normal),
        (QIcon.Mode.Disabled, QIcon.State.Off, disabled),
        (QIcon.Mode.Normal, QIcon.State.On, chosen),
    ):
        for size in SIZES:
            made.addPixmap(pixmap(name, colour, size), mode, state)
    return made


@lru_cache(maxsize=1024)
def pixmap(name: str, colour: str, size: int) -> QPixmap:
    """The icon as a picture of ``size`` device pixels. Raises FileNotFoundError for a name that is not there."""
    text = (RESOURCES / "icons" / f"{name}.svg").read_text(encoding="utf-8")
    renderer = QSvgRenderer(QByteArray(text.replace("currentColor", colour).encode()))
    made = QPixmap(size, size)
    made.fill(Qt.GlobalColor.transparent)
    painter = QPainter(made)
    renderer.render(painter, QRectF(0, 0, size, size))
    painter.end()
    return made
