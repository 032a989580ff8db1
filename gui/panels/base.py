"""What every panel is: a card with a title, a body, a text that explains it, and ways to take its picture away.

A panel draws what it is given and keeps nothing that the session does not keep. To write one::

    class TrainingPanel(Panel):
        key = "training"                      # names its help text, resources/help/training.md, and its dock
        title = "Training"
        tables = ("steps", "epochs")
        empty_text = "No training yet. Press Run, or F5."

        def __init__(self, selection, theme, parent=None):
            super().__init__(selection, theme, parent)
            self.plot = pg.PlotWidget()
            self.set_body(self.plot)          # hidden behind the empty text until show_content()

        def show_records(self, name, table):
            ...
            self.set_subtitle("loss, test accuracy")
            self.show_content()

``show_frame``, ``show_records``, ``clear`` and ``set_theme`` are called in the GUI thread, and only for topics and tables
that the panel names. They must return within a few milliseconds.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from PySide6.QtCore import QPoint, QRect, QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor, QGuiApplication, QImage, QPainter
from PySide6.QtWidgets import QFrame, QLabel, QMenu, QStackedLayout, QVBoxLayout, QWidget

from gui import files
from gui.panels.header import PanelHeader
from gui.panels.help import HelpPopover
from gui.selection import Selection
from gui.theme import Theme
from gui.vector import svg_bytes

if TYPE_CHECKING:
    from engine.events import Frame
    from engine.session.table import Table

ENOUGH = 190  # pixels of height that no panel may ask more than: two rows of them are to fit a screen of 720
PICTURE_SCALE = 2  # pictures are taken at twice the size on screen, sharp enough for print


class Panel(QWidget):
    """A card of the dock area. Subclasses set the class attributes and override the methods they need."""

    key: ClassVar[str] = ""
    title: ClassVar[str] = ""
    tab: ClassVar[str] = ""  # a shorter title for tabs, where the title alone would be cut
    topics: ClassVar[tuple[str, ...]] = ()
    tables: ClassVar[tuple[str, ...]] = ()
    empty_text: ClassVar[str] = "Nothing to show yet."

    subtitle_changed = Signal(str)
    maximise_requested = Signal()
    failed = Signal(str)  # a sentence for the notice bar
    exported = Signal(str)  # a sentence for the log

    def __init__(self, selection: Selection, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.selection = selection
        self.theme = theme
        self.ask_save: Callable[[QWidget, str, str, str], str] = files.ask_save  # replaced in tests
        self._subtitle = ""
        self._body: QWidget | None = None
        self._popover: HelpPopover | None = None

        self.setObjectName(self.key)
        self.setAccessibleName(self.title)
        self.header = PanelHeader(self.title, theme)
        self.header.help_button.clicked.connect(self.show_help)
        self.header.maximise_button.clicked.connect(self._ask_maximise)
        self.header.double_clicked.connect(self._ask_maximise)
        self.export_menu = QMenu(self)
        self.export_menu.setAccessibleName(f"Export {self.title}")
        self._exports = {
            "copy": self.export_menu.addAction("Copy image", self.copy_image),
            "png": self.export_menu.addAction("Save as PNG…", self.save_png),
            "svg": self.export_menu.addAction("Save as SVG…", self.save_svg),
            "csv": self.export_menu.addAction("Save numbers as CSV…", self.save_csv),
        }
        self.export_menu.aboutToShow.connect(self._offer_exports)
        self.header.export_button.setMenu(self.export_menu)

        self._frame = QFrame(objectName="panelBody")
        room = QVBoxLayout(self._frame)  # a stacked layout has no margins of its own
        room.setContentsMargins(theme.pad, 0, theme.pad, theme.pad)
        self._stack = QStackedLayout()
        room.addLayout(self._stack)
        self._empty = QLabel(self.empty_text, alignment=Qt.AlignmentFlag.AlignCenter, wordWrap=True)
        self._empty.setProperty("role", "muted")
        self._empty_page = QWidget()
        self._empty_column = QVBoxLayout(self._empty_page)
        self._empty_column.setContentsMargins(0, 0, 0, 0)
        self._empty_column.addStretch(1)
        self._empty_column.addWidget(self._empty)
        self._empty_column.addStretch(1)
        self._stack.addWidget(self._empty_page)

        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.header)
        column.addWidget(self._frame, 1)

    # --- made at once, or piece by piece -----------------------------------------------------------------------

    @classmethod
    def begun(cls, selection: Selection, theme: Theme, parent: QWidget) -> Self:
        """A panel of which the rest is made by :meth:`making`; before that nothing but its parent may be asked of it."""
        Panel._by_pieces = True
        try:
            return cls(selection, theme, parent)
        finally:
            Panel._by_pieces = False

    def making(self) -> Iterator[None]:
        """Make what :meth:`begun` left, with a yield wherever the window may go on."""
        yield from self._to_make
        self._to_make = iter(())

    def make(self, steps: Iterator[None]) -> None:
        """What the constructor of a large panel ends with: everything else it makes, with a yield between plots."""
        if Panel._by_pieces:
            self._to_make = steps
        else:
            for _ in steps:
                pass

    _by_pieces: ClassVar[bool] = False
    _to_make: Iterator[None] = iter(())

    # --- what a subclass overrides ---------------------------------------------------------------------------

    def show_frame(self, frame: Frame) -> None:
        """Draw a frame of one of ``topics``."""

    def show_records(self, name: str, table: Table) -> None:
        """Draw a table of ``tables``: all of its rows up to the moment shown."""

    def clear(self) -> None:
        """Forget everything drawn. Call it from the override too: it brings the empty text back."""
        self.set_subtitle("")
        self.show_empty()

    def set_theme(self, theme: Theme) -> None:
        """Take another theme. Call it from the override too, which recolours the plots."""
        self.theme = theme
        self.header.set_theme(theme)

    def plots(self) -> Sequence[tuple[str, Any]]:
        """(name, pyqtgraph PlotItem or GraphicsItem) of what can be written as SVG; nothing by default."""
        return ()

    def csv_rows(self) -> Iterable[Sequence[Any]]:
        """The numbers drawn, as rows for CSV with the column names first; nothing by default."""
        return ()

    # --- what a subclass calls --------------------------------------------------------------------------------

    def set_body(self, body: QWidget) -> None:
        """The widget that draws. The empty text stays in front of it until :meth:`show_content`."""
        self._body = body
        self._stack.addWidget(body)

    def add_tool(self, widget: QWidget) -> None:
        """Put a small control into the header, left of the standard buttons. Give it an accessible name."""
        self.header.add_tool(widget)

    @Slot()
    def show_content(self) -> None:
        """Show the body."""
        if self._body is not None:
            self._stack.setCurrentWidget(self._body)

    def show_empty(self, text: str | None = None) -> None:
        """Show a calm sentence instead of the body: what is missing and what to press."""
        self._empty.setText(text if text is not None else self.empty_text)
        self._stack.setCurrentWidget(self._empty_page)

    def add_empty_action(self, button: QWidget) -> None:
        """Put a button under the sentence that stands where there is nothing to draw yet."""
        self._empty_column.insertWidget(self._empty_column.count() - 1, button, 0, Qt.AlignmentFlag.AlignHCenter)

    @property
    def is_empty(self) -> bool:
        """Whether the empty text is shown."""
        return self._stack.currentWidget() is self._empty_page

    @property
    def subtitle(self) -> str:
        return self._subtitle

    def set_subtitle(self, text: str) -> None:
        """The quiet half of the header: what is drawn now. Cut with "…" where there is no room."""
        if text != self._subtitle:
            self._subtitle = text
            self.header.subtitle.set_text(text)
            self.subtitle_changed.emit(text)

    def bare(self) -> None:
        """Stand in a column of another panel: no frame of its own."""
        self._frame.setObjectName("bareBody")
        self._frame.layout().setContentsMargins(0, 0, 0, 0)

    def set_maximised(self, on: bool) -> None:
        """Told by the dock area: which of the two icons the header shows."""
        self.header.set_maximised(on)

    # --- help ------------------------------------------------------------------------------------------------

    @Slot()
    def show_help(self) -> None:
        """Open "What am I looking at?" under the header; Esc or a click elsewhere closes it."""
        if self._popover is None:
            self._popover = HelpPopover(self)
        self._popover.show_text(self.key, self.title, self.theme, self.header.help_button)

    # --- export ----------------------------------------------------------------------------------------------

    def picture(self) -> QImage:
        """The body at twice its size on screen, with title and subtitle above, for the clipboard or a file."""
        body = self._stack.currentWidget()
        strip = self.theme.base + 2 * self.theme.pad
        size = QSize(self._frame.width(), self._frame.height() + strip)
        image = QImage(size * PICTURE_SCALE, QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(PICTURE_SCALE)
        image.fill(QColor(self.theme.surface))
        painter = QPainter(image)
        try:
            line = QRect(self.theme.pad, 0, size.width() - 2 * self.theme.pad, strip)
            painter.setFont(self.theme.font(bold=True))
            painter.setPen(QColor(self.theme.text))
            painter.drawText(line, Qt.AlignmentFlag.AlignVCenter, self.title)
            line.setLeft(line.left() + painter.fontMetrics().horizontalAdvance(self.title) + 8)
            painter.setFont(self.theme.font())
            painter.setPen(QColor(self.theme.muted))
            says = painter.fontMetrics().elidedText(self.subtitle, Qt.TextElideMode.ElideRight, line.width())
            painter.drawText(line, Qt.AlignmentFlag.AlignVCenter, says)
            # QWidget's own render: a plot widget has another method of this name, which draws the scene alone
            at = body.mapTo(self._frame, QPoint(0, strip))
            QWidget.render(body, painter, at, renderFlags=QWidget.RenderFlag.DrawChildren)
        finally:
            painter.end()  # an image that is still painted on must not be deleted
        return image

    @Slot()
    def copy_image(self) -> None:
        """Put the picture on the clipboard."""
        QGuiApplication.clipboard().setImage(self.picture())
        self.exported.emit(f"{self.title}: image copied.")

    @Slot()
    def save_png(self) -> None:
        """Ask for a file and write the picture to it."""
        self._save("PNG image", "png", self._write_png)

    @Slot()
    def save_svg(self) -> None:
        """Ask for a file and write each plot to it; further plots go to NAME-2.svg, NAME-3.svg, …"""
        self._save("SVG drawing", "svg", self._write_svg)

    @Slot()
    def save_csv(self) -> None:
        """Ask for a file and write the numbers drawn to it."""
        self._save("CSV table", "csv", self._write_csv)

    def _save(self, what: str, suffix: str, write: Callable[[Path], None]) -> None:
        name = self.ask_save(self, f"Save {self.title} as {what}", f"{self.key}.{suffix}", f"{what} (*.{suffix})")
        if not name:
            return
        path = Path(name)
        if not path.suffix:
            path = path.with_suffix(f".{suffix}")
        try:
            write(path)
        except OSError as error:
            self.failed.emit(f"{path} could not be written: {error.strerror or error}. Choose another folder.")
        else:
            self.exported.emit(f"{self.title}: saved {path}.")

    def _write_png(self, path: Path) -> None:
        files.write_bytes(path, files.png_bytes(self.picture()))

    def _write_svg(self, path: Path) -> None:
        for number, (name, item) in enumerate(self.plots(), 1):
            target = path if number == 1 else path.with_stem(f"{path.stem}-{number}")
            files.write_bytes(target, svg_bytes(item, f"{self.title}: {name}", self.theme.surface))

    def _write_csv(self, path: Path) -> None:
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(self.csv_rows())

    @Slot()
    def _offer_exports(self) -> None:
        """Offer only what there is to take."""
        for action in self._exports.values():
            action.setEnabled(not self.is_empty)
        self._exports["svg"].setEnabled(not self.is_empty and bool(self.plots()))
        self._exports["csv"].setEnabled(not self.is_empty and next(iter(self.csv_rows()), None) is not None)

    @Slot()
    def _ask_maximise(self) -> None:
        self.maximise_requested.emit()

    def minimumSizeHint(self) -> QSize:
        hint = super().minimumSizeHint()
        return QSize(hint.width(), min(hint.height(), ENOUGH))

    def sizeHint(self) -> QSize:
        return QSize(340, 260)
