"""File dialogs as plain functions, so that a test can put its own in their place, and small safe writes."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QBuffer, QByteArray, QIODevice
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QFileDialog, QWidget


def ask_save(parent: QWidget, title: str, suggested: str, pattern: str) -> str:
    """Ask where to save. Gives a path, or "" when the person cancels."""
    return QFileDialog.getSaveFileName(parent, title, suggested, pattern)[0]


def ask_open(parent: QWidget, title: str, start: str, pattern: str) -> str:
    """Ask which file to open. Gives a path, or "" when the person cancels."""
    return QFileDialog.getOpenFileName(parent, title, start, pattern)[0]


def ask_folder(parent: QWidget, title: str, start: str) -> str:
    """Ask for a folder. Gives a path, or "" when the person cancels."""
    return QFileDialog.getExistingDirectory(parent, title, start)


def png_bytes(image: QImage) -> bytes:
    """An image as the content of a PNG file."""
    held = QByteArray()
    buffer = QBuffer(held)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")
    buffer.close()
    return held.data()


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file. Raises OSError where the folder is missing, read-only or full."""
    path.write_bytes(content)
