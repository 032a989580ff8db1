"""The test set at a glance: a wall of thumbnails, or of heat strips where the samples are vectors."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QPoint, QRect, QSize, Qt, Slot
from PySide6.QtGui import QFontMetrics, QImage, QPainter
from PySide6.QtWidgets import QComboBox, QVBoxLayout, QWidget

from gui.panels.base import Panel
from gui.plots.chips import Chips, Entry
from gui.plots.images import draw, fitted, mapped, picture
from gui.plots.tiles import Tiles, ink
from gui.selection import Selection
from gui.theme import Theme

if TYPE_CHECKING:
    from engine.events import Frame

MANY_CLASSES = 24  # more than this do not fit as chips
COMFORTABLE = 36  # tiles in view at which a wall reads well
STRIP = 15  # pixels a vector's row takes


class DatasetPanel(Panel):
    """Test samples, balanced over the classes; a chip shows one class only, a click chooses a sample."""

    key = "dataset"
    title = "Dataset"
    topics = ("dataset",)
    empty_text = "No data yet. Choose a dataset on the Data step and press its button."

    def __init__(self, selection: Selection, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(selection, theme, parent)
        self._frame_shown: Frame | None = None
        self._rows = np.zeros(0, dtype=np.int64)  # position in the frame of each tile
        self._pictures: dict[int, QImage] = {}
        self._reach = 1.0
        self.chips = Chips(theme, "Show one class")
        self.chips.toggled.connect(self._on_chip)
        self.class_box = QComboBox()
        self.class_box.setProperty("quiet", True)
        self.class_box.setAccessibleName("Show one class")
        self.class_box.activated.connect(self._on_class)
        self.tiles = Tiles(theme, "Test samples", self._measure, self._paint)
        self.tiles.chosen.connect(self._on_chosen)
        self.tiles.hovered.connect(self._on_hover)
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.chips)
        column.addWidget(self.class_box)
        column.addWidget(self.tiles, 1)
        self.set_body(body)
        selection.sample_changed.connect(self._show_sample)
        selection.klass_changed.connect(self._show_class)

    # --- frames ------------------------------------------------------------------------------------------------

    def show_frame(self, frame: Frame) -> None:
        self._frame_shown = frame
        self._pictures.clear()
        images = frame.arrays["images"]
        bounds = frame.info.get("bounds")
        self._reach = float(bounds[1]) if bounds else _reach(images)
        if not len(images):
            self.show_empty("This dataset has no test samples to show.")
            return
        self._fill_classes(frame)
        self._filter()
        self.show_content()

    def clear(self) -> None:
        self._frame_shown = None
        self._pictures.clear()
        self._rows = np.zeros(0, dtype=np.int64)
        self.tiles.set_texts([])
        super().clear()

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self.chips.set_theme(theme)
        self.tiles.set_theme(theme)

    def _fill_classes(self, frame: Frame) -> None:
        classes = list(frame.info["classes"])
        train, test = frame.arrays["train_counts"], frame.arrays["test_counts"]
        few = len(classes) <= MANY_CLASSES
        self.chips.setVisible(few)
        self.class_box.setVisible(not few)

        def counts(k: int) -> tuple[int, int]:
            return (int(train[k]) if k < len(train) else 0, int(test[k]) if k < len(test) else 0)

        if few:
            entries = []
            for k, name in enumerate(classes):
                n_train, n_test = counts(k)
                tip = f"Class {name}: {n_train:,} training and {n_test:,} test samples. Click to show only this class."
                entries.append(Entry(str(k), f"{name} · {n_test:,}", self.theme.muted, tip, "tag"))
            self.chips.set_entries(entries, self.chips.on())
        else:
            names = ["All classes", *(f"{name} · {counts(k)[1]:,} test" for k, name in enumerate(classes))]
            self.class_box.clear()
            self.class_box.addItems(names)
        shape = " × ".join(str(side) for side in frame.info["shape"])
        self.set_subtitle(
            f"{frame.info['name']} · {frame.info['train']:,} train · {frame.info['test']:,} test · {shape}"
        )

    def _filter(self) -> None:
        frame = self._frame_shown
        if frame is None:
            return
        labels = frame.arrays["labels"]
        wanted = self.selection.klass
        n_classes = len(frame.info["classes"])
        if wanted is None or not 0 <= wanted < n_classes:
            self._rows = np.arange(len(labels))
            self.chips.set_on([])
            self.class_box.setCurrentIndex(0)
        else:
            self._rows = np.flatnonzero(labels == wanted)
            self.chips.set_on([str(wanted)])
            self.class_box.setCurrentIndex(wanted + 1)
        self._pictures.clear()
        classes = frame.info["classes"]
        self.tiles.set_texts([f"Sample {frame.arrays['index'][r]}, class {classes[labels[r]]}" for r in self._rows])
        self._show_sample(self.selection.sample)
        self.tiles.lay_out()
        self.tiles.viewport().update()

    # --- selection ---------------------------------------------------------------------------------------------

    @Slot(int)
    def _on_chosen(self, row: int) -> None:
        if self._frame_shown is not None:
            self.selection.set_sample(int(self._frame_shown.arrays["index"][self._rows[row]]))

    @Slot(object)
    def _show_sample(self, sample: int | None) -> None:
        row = None
        if self._frame_shown is not None and sample is not None:
            where = np.flatnonzero(self._frame_shown.arrays["index"][self._rows] == sample)
            row = int(where[0]) if len(where) else None
        self.tiles.set_chosen(row)

    @Slot(object)
    def _show_class(self, _: int | None) -> None:
        self._filter()

    @Slot(str, bool)
    def _on_chip(self, key: str, _: bool) -> None:
        klass = int(key)
        self.selection.set_klass(None if self.selection.klass == klass else klass)
        self._filter()  # also when nothing changed: the chip has toggled itself

    @Slot(int)
    def _on_class(self, position: int) -> None:
        self.selection.set_klass(None if position == 0 else position - 1)

    # --- tiles -------------------------------------------------------------------------------------------------

    @property
    def _is_image(self) -> bool:
        return self._frame_shown is not None and self._frame_shown.arrays["images"].ndim == 4

    def _measure(self, room: QSize, count: int, zoom: float) -> tuple[int, int]:
        text = QFontMetrics(self.theme.font(self.theme.small)).height()
        if not self._is_image:
            return 1, max(4, round(max(STRIP, text + 1) * zoom))
        area = max(1, room.width() * (room.height() - text))
        side = math.sqrt(area / max(1, min(COMFORTABLE, count))) * zoom
        side = min(max(side, 48.0), 110.0 * zoom)
        columns = max(1, min(round(room.width() / side), max(1, room.width() // 30)))
        width = room.width() // columns
        height = self._frame_shown.arrays["images"].shape[2] / self._frame_shown.arrays["images"].shape[3]
        high = max(16, round((width - 8) * height) + text + 8)
        # whole rows, rather than a sliver of one more
        rows = max(1, round(room.height() / high))
        return columns, room.height() // rows if 0.88 < room.height() / (rows * high) < 1.12 else high

    def _picture(self, row: int) -> QImage:
        found = self._pictures.get(row)
        if found is None:
            assert self._frame_shown is not None
            sample = self._frame_shown.arrays["images"][self._rows[row]]
            if self._is_image:
                found = picture(sample)
            elif self._frame_shown.info.get("bounds"):
                low, high = self._frame_shown.info["bounds"]
                found = mapped(sample.reshape(1, -1), float(low), float(high), "viridis")
            else:
                found = mapped(sample.reshape(1, -1), -self._reach, self._reach)
            self._pictures[row] = found
        return found

    def _paint(self, painter: QPainter, rect: QRect, row: int) -> None:
        frame = self._frame_shown
        if frame is None or row >= len(self._rows):
            return
        label = str(frame.info["classes"][frame.arrays["labels"][self._rows[row]]])
        painter.setFont(self.theme.font(self.theme.small))
        metrics = painter.fontMetrics()
        ink(painter, self.theme.muted)
        if not self._is_image:
            wide = max(metrics.horizontalAdvance("00"), min(70, metrics.horizontalAdvance(label))) + 8
            text = QRect(rect.left() + 4, rect.top(), wide, rect.height())
            painter.drawText(text, Qt.AlignmentFlag.AlignVCenter, label)
            draw(painter, self._picture(row), rect.adjusted(wide + 2, 1, -3, -1))
            return
        text_height = metrics.height()
        image = self._picture(row)
        draw(painter, image, fitted(image.size(), rect.adjusted(4, 3, -4, -text_height - 3)))
        line = QRect(rect.left() + 2, rect.bottom() - text_height - 1, rect.width() - 4, text_height)
        shown = metrics.elidedText(label, Qt.TextElideMode.ElideRight, line.width())
        painter.drawText(line, Qt.AlignmentFlag.AlignCenter, shown)

    @Slot(int, QPoint)
    def _on_hover(self, row: int, at: QPoint) -> None:
        self.tiles.readout.say(self.describe(row), at)

    def describe(self, row: int) -> str:
        """What the readout says of a tile."""
        frame = self._frame_shown
        if frame is None:
            return ""
        place = self._rows[row]
        sample = frame.arrays["images"][place]
        return (
            f"test sample {frame.arrays['index'][place]} · class {frame.info['classes'][frame.arrays['labels'][place]]}\n"
            f"mean {sample.mean():.3f} · range {sample.min():.3g} to {sample.max():.3g}"
        )

    # --- export ------------------------------------------------------------------------------------------------

    def csv_rows(self) -> Iterable[Sequence[Any]]:
        """Index, class and values of the samples shown, in the order shown."""
        frame = self._frame_shown
        if frame is None:
            return
        images = frame.arrays["images"]
        size = int(np.prod(images.shape[1:]))
        yield ["index", "label", "class", *(f"x{k}" for k in range(size))]
        for place in self._rows:
            label = int(frame.arrays["labels"][place])
            yield [
                int(frame.arrays["index"][place]),
                label,
                frame.info["classes"][label],
                *images[place].ravel().tolist(),
            ]


def _reach(values: np.ndarray) -> float:
    """A symmetric range that all but the most extreme values fit in."""
    finite = np.abs(values[np.isfinite(values)])
    return float(np.quantile(finite, 0.995)) or 1.0 if finite.size else 1.0
