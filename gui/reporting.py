"""Writing the report from the window: asks where to, writes in the background, says where it is."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QWidget

from engine.errors import UserError
from engine.session import Session
from gui import files
from gui.background import Background
from gui.chrome.notice import NoticeBar


class Reporting(QObject):
    """Writes the report of a session."""

    finished = Signal(str)  # a sentence
    failed = Signal(str)  # a sentence

    def __init__(self, background: Background, notices: NoticeBar, window: QWidget) -> None:
        super().__init__(window)
        self._background, self._notices, self._window = background, notices, window
        self.ask_folder = files.ask_folder  # replaced in tests

    def choose_and_write(self, session: Session) -> None:
        """Ask for a folder and write the report there."""
        if not session.runs():
            self.failed.emit("There is nothing to report yet. Run a step first.")
            return
        folder = self.ask_folder(self._window, "Choose a folder for the report", "")
        if folder:
            self.write(session, Path(folder))

    def write(self, session: Session, folder: Path) -> None:
        """Write the report to a folder."""

        def work() -> Path:
            # here, not at the top: the figures' library takes a second to load
            from engine.report import write_report

            return write_report(session, folder)

        def done(page: Path) -> None:
            sentence = f"Report written to {page}."
            self._notices.show_notice(sentence, buttons=(("Open", lambda: open_page(page)),), key="report")
            self.finished.emit(sentence)

        def failed(error: BaseException) -> None:
            if not isinstance(error, UserError):
                raise error
            self.failed.emit(str(error))

        self._background.run(work, done, failed)


def open_page(page: Path) -> None:
    """Show a page in the person's browser."""
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(page)))
