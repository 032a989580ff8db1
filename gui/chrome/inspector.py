"""The inspector: the numbers of what is selected, a sample, a pair, a layer or a class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtGui import QGuiApplication, QImage, QPixmap
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from gui.panels.header import CardHeader
from gui.theme import Theme

WIDTH = 216
PICTURE = 112


@dataclass(frozen=True)
class Row:
    """One number with its name. ``tone`` colours it: "", "accent", "error", "success" or "muted"."""

    name: str
    value: str
    tone: str = ""
    tip: str = ""


@dataclass(frozen=True)
class Section:
    """Rows under a heading of their own."""

    title: str
    rows: Sequence[Row | tuple[str, str]] = field(default_factory=tuple)


class Inspector(QWidget):
    """A card filled by :meth:`set_content`; it knows nothing of what it shows."""

    empty_text = "Choose a sample, a pair or a layer in any panel to see its numbers."

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._shown: tuple[str, list[Section]] = ("", [])
        self.setAccessibleName("Inspector")
        self.header = CardHeader("Inspector", theme)
        self.copy_button = self.header.add_button("copy", "Copy the numbers", "Copy the numbers as text")
        self.copy_button.clicked.connect(self.copy)

        self._title = QLabel(wordWrap=True)
        self._title.setProperty("role", "heading")
        self._pictures = QHBoxLayout()
        self._pictures.setSpacing(8)
        self._pool: list[QLabel] = []
        self._captions: list[QLabel] = []
        self._rows = QGridLayout()
        self._rows.setVerticalSpacing(3)
        self._rows.setHorizontalSpacing(8)
        self._rows.setColumnStretch(1, 1)
        self._cells: list[tuple[QLabel, QLabel]] = []
        self._plot_slot = QVBoxLayout()
        self._plot: QWidget | None = None
        self._empty = QLabel(self.empty_text, wordWrap=True, alignment=Qt.AlignmentFlag.AlignCenter)
        self._empty.setProperty("role", "muted")

        inside = QWidget(objectName="scrolled")
        self._column = QVBoxLayout(inside)
        self._column.setContentsMargins(0, 2, 0, 6)
        self._column.setSpacing(10)
        self._column.addWidget(self._title)
        self._column.addLayout(self._pictures)
        self._column.addLayout(self._rows)
        self._column.addLayout(self._plot_slot)
        self._column.addWidget(self._empty, 1000)
        self._column.addStretch(1)
        area = QScrollArea(widgetResizable=True, horizontalScrollBarPolicy=Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidget(inside)
        body = QFrame(objectName="panelBody")
        framed = QVBoxLayout(body)
        framed.setContentsMargins(theme.pad, 2, theme.pad, theme.pad)
        framed.addWidget(area)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(self.header)
        outer.addWidget(body, 1)
        self.set_theme(theme)
        self.clear()

    def set_content(
        self,
        title: str,
        image: np.ndarray | Sequence[tuple[np.ndarray, str]] | None = None,
        rows: Sequence[Row | tuple[str, str]] = (),
        sections: Sequence[Section] = (),
        subtitle: str = "",
    ) -> None:
        """Show something.

        Args:
            title: its name, as "Sample 2" or "Pair 2 and 17".
            image: float [C, H, W] or [H, W] in [0, 1], or several with captions; None or a vector shows none.
            rows: (name, value) pairs, or :class:`Row` for a coloured value.
            sections: further rows under headings.
            subtitle: for the header, as the moment shown.
        """
        self._empty.hide()
        self.copy_button.setEnabled(True)
        self._title.setText(title)
        self._title.show()
        self.header.subtitle.set_text(subtitle)
        self._show_pictures(image)
        groups = [Section("", rows), *sections]
        self._show_rows(groups)
        self._shown = (title, groups)

    def set_plot(self, widget: QWidget | None) -> None:
        """Put a small plot below the numbers, or take it away. The widget belongs to the inspector from here on."""
        if self._plot is not None and self._plot is not widget:
            self._plot_slot.removeWidget(self._plot)
            self._plot.hide()
            self._plot.deleteLater()
        if widget is not None and widget is not self._plot:
            self._plot_slot.addWidget(widget)
        self._plot = widget

    def clear(self) -> None:
        """Nothing is selected."""
        self._shown = ("", [])
        self._title.hide()
        self.header.subtitle.set_text("")
        self._show_pictures(None)
        self._show_rows([])
        self.set_plot(None)
        self._empty.show()
        self.copy_button.setEnabled(False)

    def set_theme(self, theme: Theme) -> None:
        """Colour the icons and the numbers."""
        self._theme = theme
        self.setFixedWidth(round(WIDTH * max(1.0, theme.scale)))
        self.header.set_theme(theme)
        self._show_rows(self._shown[1])

    def text(self) -> str:
        """What is shown, as lines of name, tab, value."""
        title, groups = self._shown
        lines = [title]
        for group in groups:
            lines += ["", group.title] if group.title else []
            lines += [f"{row.name}\t{row.value}" for row in map(as_row, group.rows)]
        return "\n".join(lines)

    @Slot()
    def copy(self) -> None:
        """Put the numbers on the clipboard."""
        QGuiApplication.clipboard().setText(self.text())

    # --- drawing ---------------------------------------------------------------------------------------------

    def _show_pictures(self, image: np.ndarray | Sequence[tuple[np.ndarray, str]] | None) -> None:
        several = [(image, "")] if isinstance(image, np.ndarray) else list(image or ())
        pictures = [(made, caption) for array, caption in several if (made := to_image(array)) is not None]
        while len(self._pool) < len(pictures):
            picture, caption = QLabel(alignment=Qt.AlignmentFlag.AlignCenter), QLabel()
            caption.setAlignment(Qt.AlignmentFlag.AlignCenter)
            caption.setProperty("role", "small")
            box = QVBoxLayout()
            box.setSpacing(3)
            box.addWidget(picture)
            box.addWidget(caption)
            self._pictures.addLayout(box)
            self._pool.append(picture)
            self._captions.append(caption)
        room = (WIDTH - 40) // max(1, len(pictures)) - 4
        side = min(PICTURE, room)
        for number, (picture, caption) in enumerate(zip(self._pool, self._captions, strict=True)):
            on = number < len(pictures)
            picture.setVisible(on)
            caption.setVisible(on and bool(pictures[number][1]))
            if on:
                picture.setPixmap(enlarged(pictures[number][0], side, self.devicePixelRatioF()))
                caption.setText(pictures[number][1])
                picture.setAccessibleName(pictures[number][1] or "Picture of the sample")

    def _show_rows(self, groups: Sequence[Section]) -> None:
        lines: list[Row | None] = []
        for group in groups:
            if group.title and group.rows:
                lines.append(Row(group.title, "", "heading"))
            lines += map(as_row, group.rows)
        while len(self._cells) < len(lines):
            name, value = QLabel(), QLabel(alignment=Qt.AlignmentFlag.AlignRight)
            value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            self._rows.addWidget(name, len(self._cells), 0)
            self._rows.addWidget(value, len(self._cells), 1)
            self._cells.append((name, value))
        colours = {"": self._theme.text, "accent": self._theme.accent, "error": self._theme.error,
                   "success": self._theme.success, "muted": self._theme.muted}  # fmt: skip
        for number, (name, value) in enumerate(self._cells):
            on = number < len(lines)
            name.setVisible(on)
            value.setVisible(on)
            if not on:
                continue
            row = lines[number]
            heading = row.tone == "heading"
            # a heading takes both columns: in the first alone it would push every number out of the card
            self._rows.addWidget(name, number, 0, 1, 2 if heading else 1)
            name.setWordWrap(heading)  # nor may a long one
            value.setVisible(not heading)
            put(name, row.name, self._theme.text if heading else self._theme.muted, bold=heading)
            put(value, row.value, colours.get(row.tone, self._theme.text))
            name.setContentsMargins(0, 8 if heading and number else 0, 0, 0)
            name.setToolTip(row.tip)
            value.setToolTip(row.tip)

    def sizeHint(self) -> QSize:
        return QSize(WIDTH, 400)


def as_row(row: Row | tuple[str, str]) -> Row:
    """A pair as a row."""
    return row if isinstance(row, Row) else Row(*row)


def put(label: QLabel, text: str, colour: str, bold: bool = False) -> None:
    """Set a label's text and colour, touching nothing that is already so."""
    if label.text() != text:
        label.setText(text)
    look = f"color: {colour};{' font-weight: 600;' if bold else ''}"
    if label.styleSheet() != look:
        label.setStyleSheet(look)


def to_image(array: np.ndarray) -> QImage | None:
    """A picture of [C, H, W] or [H, W] values in [0, 1] with 1 or 3 channels; None for anything else."""
    pixels = np.asarray(array)
    if pixels.ndim == 2:
        pixels = pixels[None]
    if pixels.ndim != 3 or pixels.shape[0] not in (1, 3):
        return None
    bytes_ = np.ascontiguousarray(
        (np.clip(np.nan_to_num(pixels), 0, 1) * 255).round().astype(np.uint8).transpose(1, 2, 0)
    )
    height, width, channels = bytes_.shape
    kind = QImage.Format.Format_Grayscale8 if channels == 1 else QImage.Format.Format_RGB888
    return QImage(bytes_.data, width, height, width * channels, kind).copy()


def enlarged(image: QImage, side: int, ratio: float) -> QPixmap:
    """The picture with its longer side ``side``, every pixel a sharp square."""
    scaled = image.scaled(
        QSize(round(side * ratio), round(side * ratio)),
        Qt.AspectRatioMode.KeepAspectRatio,
        Qt.TransformationMode.FastTransformation,
    )
    pixmap = QPixmap.fromImage(scaled)
    pixmap.setDevicePixelRatio(ratio)
    return pixmap
