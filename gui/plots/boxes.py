"""Lists of which one entry is chosen, without a frame, filled only where their entries differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtWidgets import QComboBox


def quiet_box(name: str, tip: str) -> QComboBox:
    """A list without a frame."""
    box = QComboBox()
    box.setProperty("quiet", True)
    box.setAccessibleName(name)
    box.setToolTip(tip)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
    return box


def fill_box(box: QComboBox, items: Sequence[tuple[str, Any]], chosen: Any) -> None:
    """Put (text, data) into a list, only where they differ, and choose silently."""
    if [(box.itemText(k), box.itemData(k)) for k in range(box.count())] != list(items):
        box.clear()
        for text, data in items:
            box.addItem(text, data)
    box.setCurrentIndex(max(0, box.findData(chosen)))
