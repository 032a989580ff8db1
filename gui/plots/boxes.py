"""Lists of which one entry is chosen, without a frame, filled only where their entries differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QComboBox


class _QuietBox(QComboBox):
    """As wide as the entry that it shows; its list is as wide as the longest one.

    A list of columns has long names: a box as wide as the longest of them takes a line of a narrow panel for itself.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.currentTextChanged.connect(self.updateGeometry)

    def sizeHint(self) -> QSize:
        return self._as_shown(super().sizeHint())

    def minimumSizeHint(self) -> QSize:
        return self._as_shown(super().minimumSizeHint())

    def showPopup(self) -> None:
        self.view().setMinimumWidth(super().sizeHint().width())
        super().showPopup()

    def _as_shown(self, hint: QSize) -> QSize:
        longest = max((self._wide(self.itemText(k)) for k in range(self.count())), default=0)
        return QSize(hint.width() - longest + self._wide(self.currentText()), hint.height())

    def _wide(self, text: str) -> int:
        return self.fontMetrics().horizontalAdvance(text)


def quiet_box(name: str, tip: str) -> QComboBox:
    """A list without a frame."""
    box = _QuietBox()
    box.setProperty("quiet", True)
    box.setAccessibleName(name)
    box.setToolTip(tip)
    return box


def fill_box(box: QComboBox, items: Sequence[tuple[str, Any]], chosen: Any) -> None:
    """Put (text, data) into a list, only where they differ, and choose silently."""
    if [(box.itemText(k), box.itemData(k)) for k in range(box.count())] != list(items):
        box.clear()
        for text, data in items:
            box.addItem(text, data)
    box.setCurrentIndex(max(0, box.findData(chosen)))
