"""What the window and its status bar call the open session, and whether it is saved."""

from __future__ import annotations

from PySide6.QtWidgets import QMainWindow

from gui.chrome.status import StatusBar
from gui.documents import Documents


class SessionTitle:
    """Writes the session's name over the window and below it."""

    def __init__(self, window: QMainWindow, status: StatusBar, documents: Documents) -> None:
        self._window, self._status, self._documents = window, status, documents

    def show(self) -> None:
        """As it is now."""
        session = self._documents.session
        dirty = session.dirty
        self._window.setWindowTitle(f"{session.name}[*] – Rapidity Lab")
        self._window.setWindowModified(dirty)
        saved = self._documents.saved_at
        when = "unsaved" if dirty else f"saved {saved:%H:%M}" if saved else "saved" if session.path else "new"
        name = session.path.name if session.path else session.name
        self._status.set_session(f"{name} · {when}")
