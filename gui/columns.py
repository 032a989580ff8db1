"""Fills the side-by-side panel: which sources stand in it, read one after another off the window's thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Slot

from engine.errors import UserError
from engine.session import Run, Session
from gui import files
from gui.background import Background
from gui.documents import SESSION_FILES
from gui.panels.sidebyside.kinds import TABLES, TOPICS
from gui.panels.sidebyside.panel import SideBySidePanel
from gui.settings import Settings
from gui.sidebyside import MOST, Content, Source, read_source


class Columns(QObject):
    """Holds the sources in their order, and what was read of each."""

    def __init__(
        self,
        panel: SideBySidePanel,
        background: Background,
        settings: Settings,
        failed: Callable[[str], None],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._panel, self._background, self._settings, self._failed = panel, background, settings, failed
        self.sources: list[Source] = []
        self._contents: dict[str, Content] = {}
        self._problems: dict[str, str] = {}
        self._session: Session | None = None
        self.ask_open = files.ask_open  # replaced in tests
        panel.run_wanted.connect(self.add_run)
        panel.file_wanted.connect(self.choose_file)
        panel.dropped.connect(self.add_files)
        panel.remove_wanted.connect(self.remove)
        panel.move_wanted.connect(self.move)
        panel.run_of_wanted.connect(self.show_run)
        panel.read_wanted.connect(self.read_again)

    # --- the session in the window -----------------------------------------------------------------------------

    def attach(self, session: Session) -> None:
        """Another session is open: the runs of the one before go, files and points stay."""
        self._session = session
        for source in [each for each in self.sources if not each.owned]:
            self.remove(source.key)
        self._panel.set_runs(())

    def set_runs(self, runs: Sequence[Run]) -> None:
        """The runs of the session; those that ran when they were read are read again."""
        self._panel.set_runs([(run.id, f"{run.id} · {run.experiment} · {run.spec.get('title', '')}") for run in runs])
        running = {run.id for run in runs if run.status == "running"}
        for source in self.sources:
            content = self._contents.get(source.key)
            if not source.owned and content is not None and content.running and content.run not in running:
                self._read(source)

    # --- adding and removing -----------------------------------------------------------------------------------

    def compare(self, sources: Sequence[Source]) -> None:
        """Show exactly these, in this order; what is shown already is not read again."""
        known = [each for each in self.sources if each in sources]
        for source in self.sources:
            if source not in known:
                self._forget(source.key)
        self.sources = []
        self.add([known[known.index(each)] if each in known else each for each in sources])

    def add(self, sources: Sequence[Source]) -> None:
        """Put further sources at the right end, as far as there is room."""
        there = {source.key for source in self.sources}
        fresh = [source for source in dict.fromkeys(sources) if source.key not in there]
        room = MOST - len(self.sources)
        if len(fresh) > room:
            self._failed(f"{MOST} sources are the most that can be read side by side. Remove one first.")
        for source in fresh[:room]:
            self.sources.append(source)
            if source.key not in self._contents:
                self._read(source)
        self._show()

    @Slot(int)
    def add_run(self, run: int) -> None:
        """A run of the session in the window."""
        if self._session is not None:
            self.add([Source.of_run(self._session, run)])

    def runs(self, ids: Sequence[int]) -> list[Source]:
        """Runs of the session in the window as sources."""
        return [Source.of_run(self._session, run) for run in ids] if self._session is not None else []

    @Slot(object)
    def add_files(self, paths: Sequence[Path]) -> None:
        """Session files, which are only read."""
        self.add([Source.of_file(path) for path in paths])

    @Slot()
    def choose_file(self) -> None:
        """Ask for a session file and add it."""
        name = self.ask_open(self._panel, "Add a session", self._settings.values.folder, SESSION_FILES)
        if name:
            self.add_files([Path(name)])

    @Slot(str)
    def remove(self, key: str) -> None:
        """Take a source away; what was read of it is let go."""
        self.sources = [source for source in self.sources if source.key != key]
        self._forget(key)
        self._show()

    @Slot(str, int)
    def move(self, key: str, by: int) -> None:
        """Move a column to the left (-1) or to the right."""
        place = next(k for k, source in enumerate(self.sources) if source.key == key)
        source = self.sources.pop(place)
        self.sources.insert(min(max(place + by, 0), len(self.sources)), source)
        self._show()

    @Slot(str, int)
    def show_run(self, key: str, run: int) -> None:
        """Show another run of a session file."""
        self.sources = [source.at(run) if source.key == key else source for source in self.sources]
        self.read_again(key)

    @Slot(str)
    def read_again(self, key: str) -> None:
        """Read a source anew: its run has gone on, or its file was saved again."""
        self._forget(key)
        for source in self.sources:
            if source.key == key:
                self._read(source)
        self._show()

    # --- reading -----------------------------------------------------------------------------------------------

    def _forget(self, key: str) -> None:
        self._contents.pop(key, None)
        self._problems.pop(key, None)

    def _read(self, source: Source) -> None:
        def work() -> Content | None:
            # removed while it waited: nothing is opened for it
            return read_source(source, TOPICS, TABLES) if self._stands(source) else None

        def done(content: Content | None) -> None:
            if content is not None and self._stands(source):
                self._contents[source.key] = content
                self._problems.pop(source.key, None)
                self._show()

        def failed(error: BaseException) -> None:
            if not isinstance(error, UserError):
                raise error
            if self._stands(source):
                self._problems[source.key] = str(error)
                self._show()

        self._background.run(work, done, failed)

    def _stands(self, source: Source) -> bool:
        """Whether it is this very source that has a column: a run of an earlier session has the key of one of now."""
        return any(each is source for each in self.sources)

    def _show(self) -> None:
        self._panel.set_sources(
            [(each, self._contents.get(each.key), self._problems.get(each.key, "")) for each in self.sources]
        )
