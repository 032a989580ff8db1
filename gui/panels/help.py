"""The pop-over behind every "?": what a panel shows, with its formula, its source, and what kind of statement it is."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QFont, QGuiApplication, QKeySequence, QShortcut, QTextDocument
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QTextBrowser, QVBoxLayout, QWidget

from gui.helptext import read_help
from gui.theme import Theme

WIDTH = 420
MARGIN = 14
MAX_HEIGHT = 460


class HelpPopover(QFrame):
    """A small window without a frame that closes with Esc or a click elsewhere."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup, objectName="popover")
        self._title = QLabel()
        self._title.setProperty("role", "title")
        self._kinds = QHBoxLayout()
        self._kinds.setSpacing(4)
        self.browser = QTextBrowser(
            openExternalLinks=True, horizontalScrollBarPolicy=Qt.ScrollBarPolicy.ScrollBarAlwaysOff
        )
        self.browser.setAccessibleName("Explanation")
        self._source = QLabel(wordWrap=True)
        self._source.setProperty("role", "small")

        head = QHBoxLayout()
        head.addWidget(self._title, 1)
        head.addLayout(self._kinds)
        column = QVBoxLayout(self)
        column.setContentsMargins(MARGIN, 10, MARGIN, 12)
        column.setSpacing(6)
        column.addLayout(head)
        column.addWidget(self.browser, 1)
        column.addWidget(self._source)
        QShortcut(QKeySequence("Esc"), self, self.close)

    def show_text(self, key: str, title: str, theme: Theme, anchor: QWidget) -> None:
        """Fill with the help text ``key`` and open under ``anchor``, kept on the screen."""
        self.fill(key, title, theme)
        corner = anchor.mapToGlobal(QPoint(anchor.width() - self.width(), anchor.height() + 4))
        screen = anchor.screen() or QGuiApplication.primaryScreen()
        if screen is not None:
            room = screen.availableGeometry()
            corner.setX(max(room.left(), min(corner.x(), room.right() - self.width())))
            corner.setY(max(room.top(), min(corner.y(), room.bottom() - self.height())))
        self.move(corner)
        self.show()
        self.browser.setFocus()

    def fill(self, key: str, title: str, theme: Theme) -> None:
        """Fill with the help text ``key`` and take the size it needs."""
        help = read_help(key)
        self._title.setText(title)
        self.setAccessibleName(f"What am I looking at? {title}")
        while (item := self._kinds.takeAt(0)) is not None:
            item.widget().deleteLater()
        for kind in help.kinds if help else ():
            chip = QLabel(kind)
            chip.setProperty("kind", kind)
            self._kinds.addWidget(chip, 0, Qt.AlignmentFlag.AlignVCenter)
        font = theme.font()
        # in points: Qt leaves no room between the paragraphs of Markdown in a font given in pixels
        font.setPointSizeF(theme.base * 72 / self.logicalDpiY())
        body = help.body if help else "No text has been written for this panel yet."
        fill(self.browser.document(), body, font)
        self._source.setText(f"Source: {help.source}" if help and help.source else "")
        self._source.setVisible(bool(help and help.source))
        # measured on a document of its own: the browser's takes the width the browser had before
        measured = QTextDocument()
        fill(measured, body, font)
        measured.setTextWidth(WIDTH - 2 * MARGIN - 4)
        self.browser.setFixedHeight(min(MAX_HEIGHT, round(measured.size().height()) + 6))
        self.setFixedWidth(WIDTH)
        self.ensurePolished()
        self.setFixedHeight(self.layout().totalHeightForWidth(WIDTH))


def fill(document: QTextDocument, body: str, font: QFont) -> None:
    """Put Markdown into a document."""
    document.setDocumentMargin(0)
    document.setIndentWidth(18)
    document.setDefaultFont(font)
    document.setMarkdown(body)
