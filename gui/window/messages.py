"""What is said to the person: a word in the status bar, a notice above the panels, and a line in the log of either."""

from __future__ import annotations

import traceback
from typing import Any

from PySide6.QtCore import QObject, Slot

from gui.chrome.log import LogPanel
from gui.chrome.notice import NoticeBar
from gui.chrome.status import StatusBar

WELCOME = "welcome"  # the notice of the first start


class Messages(QObject):
    """Every part of the window says here what there is to say."""

    def __init__(self, notices: NoticeBar, status: StatusBar, log: LogPanel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.notices = notices
        self._status, self._log = status, log

    @Slot(str)
    def say(self, sentence: str) -> None:
        """Something went as it was meant to."""
        self._status.show_message(sentence)
        self._log.append("info", sentence)

    @Slot(str)
    def fail(self, sentence: str) -> None:
        """Something that the person can mend did not go."""
        self.notices.show_error(sentence)
        self._log.append("error", sentence)

    @Slot(str, str)
    def show_bug(self, message: str, trace: str) -> None:
        """Something that only we can mend did not go."""
        self.notices.show_bug(message, trace)
        self._log.append("error", f"{message}\n{trace}")

    def show_exception(self, kind: Any, error: BaseException, trace: Any) -> None:
        """An error of the window itself: shown, logged, and the program goes on."""
        self.show_bug(str(error) or kind.__name__, "".join(traceback.format_exception(kind, error, trace)))

    def forget_failures(self) -> None:
        """What failed is being tried again. What only we can mend stays."""
        for notice in self.notices.notices:
            if notice.level == "error" and not notice.details:
                self.notices.dismiss(notice.key)
