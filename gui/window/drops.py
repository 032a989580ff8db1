"""Files dropped on the window: sessions, sweeps and experiments are opened, a folder of images becomes the data."""

from __future__ import annotations

from pathlib import Path

from engine.specs import IdxSpec
from gui.documents import SUFFIX, SWEEP_SUFFIX, Documents
from gui.editor import Editor
from gui.window.messages import Messages
from gui.window.navigation import Navigation


class Drops:
    """Takes what is dropped, or says what can be."""

    def __init__(self, documents: Documents, editor: Editor, navigation: Navigation, messages: Messages) -> None:
        self._documents, self._editor, self._navigation, self._messages = documents, editor, navigation, messages

    def take(self, path: Path) -> None:
        """A file or a folder."""
        if path.suffix in (SUFFIX, SWEEP_SUFFIX, ".toml"):
            self._documents.open(path)
        elif path.is_dir() or path.name.endswith((".gz", "-ubyte")):
            folder = path if path.is_dir() else path.parent
            self._editor.edit("dataset", IdxSpec(folder=str(folder)), "folder")
            self._navigation.show_step("data")
        else:
            self._messages.fail(
                f"{path.name} cannot be opened here. Drop a session ({SUFFIX}), a sweep ({SWEEP_SUFFIX}), an experiment (.toml) "
                "or a folder of IDX files."
            )
