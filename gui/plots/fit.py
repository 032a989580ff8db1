"""A column that leaves its plot enough height: where there is too little, what can be spared gives way."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QSize, QTimer, Slot
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

LEAST = 104  # pixels of height that a plot keeps


class FitColumn(QWidget):
    """Widgets one below the other; ``plot`` takes what is left, ``spare`` are hidden one by one where that is too little."""

    def __init__(
        self, widgets: Sequence[QWidget], plot: QWidget, spare: Sequence[QWidget], *, least: int = LEAST
    ) -> None:
        """``least`` is the pixels of height that the plot keeps."""
        super().__init__()
        self._least = least
        self._widgets, self._plot, self._spare = list(widgets), plot, list(spare)
        self._unwanted: set[QWidget] = set()
        self._soon = QTimer(self, interval=0, singleShot=True)
        self._soon.timeout.connect(self.fit)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        for widget in widgets:
            column.addWidget(widget, 1 if widget is plot else 0)

    def want(self, widget: QWidget, wanted: bool) -> None:
        """Whether a widget has anything to show; :meth:`fit` then decides whether there is room."""
        (self._unwanted.discard if wanted else self._unwanted.add)(widget)

    @Slot()
    def fit(self) -> None:
        """Show what there is room for. Call it when texts have changed."""
        rows = [widget for widget in self._widgets if widget is not self._plot and widget not in self._unwanted]
        taken = sum(self._height(widget) + 3 for widget in rows)
        kept = set(rows)
        for widget in self._spare:
            if taken + self._least <= self.height():
                break
            if widget in kept:
                kept.discard(widget)
                taken -= self._height(widget) + 3
        for widget in self._widgets:
            if widget is not self._plot and widget.isHidden() == (widget in kept):
                widget.setVisible(widget in kept)

    def _height(self, widget: QWidget) -> int:
        found = widget.heightForWidth(self.width()) if widget.hasHeightForWidth() else -1
        return found if found >= 0 else widget.sizeHint().height()

    def minimumSizeHint(self) -> QSize:
        """What is needed once all that can be spared is hidden: what happens to be shown must not hold a window open."""
        kept = [w for w in self._widgets if w is not self._plot and w not in self._spare and w not in self._unwanted]
        height = sum(self._height(widget) + 3 for widget in kept) + min(
            self._least, self._plot.minimumSizeHint().height()
        )
        return QSize(super().minimumSizeHint().width(), height)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.fit()
        self._soon.start()  # rows that wrap know their height only once they have their width

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._soon.start()  # what came while nobody looked: other fonts, another style sheet

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self._soon.start()  # the widgets are dressed after the column
