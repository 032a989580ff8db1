"""Sessions as documents: new, open, save, recover, recent files. Reading and writing happen in the background."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QMessageBox, QWidget

from engine.errors import UserError
from engine.paths import working_copies
from engine.session import Recoverable, Session, TargetChanged, discard, recoverable
from engine.spec_files import dump_spec, load_spec
from engine.specs import ExperimentSpec
from gui import files
from gui.background import Background
from gui.chrome.notice import NoticeBar
from gui.settings import Settings
from gui.stage import Opening, read_opening

SESSION_FILES = "Rapidity Lab session (*.rapidity)"
OPENED_FILES = "Session or sweep (*.rapidity *.sweep)"
SPEC_FILES = "Experiment (*.toml)"
SUFFIX = ".rapidity"
SWEEP_SUFFIX = ".sweep"


class Documents(QObject):
    """Holds the open session and replaces it. Nothing unsaved is let go without asking."""

    opened = Signal(object)  # Opening: another session is open now; the old one is closed
    saved = Signal(object)  # Path
    failed = Signal(str)  # a sentence

    def __init__(
        self, session: Session, settings: Settings, background: Background, notices: NoticeBar, window: QWidget
    ) -> None:
        super().__init__(window)
        self.session = session
        self._settings, self._background, self._notices, self._window = settings, background, notices, window
        self.saved_at: datetime | None = None
        # set by the window, which knows the sweeps and the jobs
        self.open_sweep: Callable[[Path], None] = lambda _: None
        self.hold_jobs: Callable[[], Callable[[], None]] = lambda: lambda: None  # to rest; gives what lets them go on
        self.end_jobs: Callable[[Callable[[], None]], None] = lambda then: then()  # calls back when none is left
        # replaced in tests
        self.ask_open = files.ask_open
        self.ask_save = files.ask_save
        self.ask_unsaved = ask_unsaved

    # --- opening ---------------------------------------------------------------------------------------------

    def new(self, spec: ExperimentSpec) -> None:
        """Begin a new session with this experiment."""
        try:
            opening = read_opening(Session.create(working_copies(), spec))
        except UserError as error:
            self.failed.emit(str(error))
            return
        self._offer(opening)

    def choose_and_open(self) -> None:
        """Ask for a session or sweep file and open it."""
        name = self.ask_open(self._window, "Open a session or a sweep", self._settings.values.folder, OPENED_FILES)
        if name:
            self.open(Path(name))

    def open(self, path: Path) -> None:
        """Open a session or sweep file, or begin a new session from a TOML file."""
        if path.suffix == ".toml":
            self.import_spec(path)
            return
        if path.suffix == SWEEP_SUFFIX:
            self.open_sweep(path)
            return

        def done(opening: Opening) -> None:
            if self._offer(opening):
                self._settings.add_recent(path)

        # read before the open one is let go: a file that cannot be opened costs nothing
        self._background.run(lambda: read_opening(Session.open(path, working_copies())), done, self._failed)

    def open_made(self, make: Callable[[], Session]) -> None:
        """Open a session that is made in the background, as one from a point of a sweep."""
        self._background.run(lambda: read_opening(make()), self._offer, self._failed)

    def import_spec(self, path: Path) -> None:
        """Begin a new session with the experiment of a TOML file."""
        try:
            spec = load_spec(path)
        except UserError as error:
            self.failed.emit(str(error))
            return
        self.new(spec)

    def choose_and_import(self) -> None:
        """Ask for a TOML file and begin a new session with it."""
        name = self.ask_open(self._window, "Import settings", self._settings.values.folder, SPEC_FILES)
        if name:
            self.import_spec(Path(name))

    def choose_and_export(self) -> None:
        """Ask where to, and write the experiment as TOML."""
        name = self.ask_save(self._window, "Export settings", "experiment.toml", SPEC_FILES)
        if not name:
            return
        try:
            Path(name).write_text(dump_spec(self.session.spec), encoding="utf-8")
        except OSError as error:
            self.failed.emit(f"{name} could not be written: {error.strerror}. Choose another folder.")

    def _offer(self, opening: Opening, *, keep: bool = False) -> bool:
        """Put a session in the open one's place, if that may go; ``keep`` leaves a refused one to be recovered."""
        if not self.let_go():
            opening.session.close(discard=not keep)
            return False
        self._replace(opening)
        return True

    def _replace(self, opening: Opening) -> None:
        old, self.session = self.session, opening.session
        self.saved_at = None
        # closed when nothing writes into it any more
        self.end_jobs(partial(old.close, discard=True))
        self.opened.emit(opening)

    # --- saving ----------------------------------------------------------------------------------------------

    def save(self) -> None:
        """Save to the session's file; asks for one where it has none."""
        if self.session.path is None:
            self.save_as()
        else:
            self._save(self.session.path, force=False)

    def save_as(self) -> None:
        """Ask for a name and save under it."""
        path = self._choose_target()
        if path is not None:
            self._save(path, force=True)

    def _choose_target(self) -> Path | None:
        suggested = str(Path(self._settings.values.folder) / f"{file_name(self.session.name)}{SUFFIX}")
        name = self.ask_save(self._window, "Save the session", suggested, SESSION_FILES)
        if not name:
            return None
        path = Path(name)
        return path if path.suffix == SUFFIX else path.with_name(path.name + SUFFIX)

    def _save(self, path: Path, *, force: bool) -> None:
        session = self.session

        def done(_: Path) -> None:
            self.saved_at = datetime.now().astimezone()
            self._settings.add_recent(path)
            self.saved.emit(path)

        def failed(error: BaseException) -> None:
            if isinstance(error, TargetChanged):
                buttons = (("Save as…", self.save_as), ("Replace it", lambda: self._save(path, force=True)))
                self._notices.show_error(str(error), buttons=buttons, key="target changed")
            else:
                self._failed(error)

        self._background.run(lambda: session.save(path, force=force), done, failed)

    def let_go(self) -> bool:
        """Before the session is closed: save or drop what is unsaved, as the person says. False to stay."""
        self._background.wait()
        go_on = self.hold_jobs()
        may_go = self._may_go()
        if not may_go:
            go_on()
        return may_go

    def _may_go(self) -> bool:
        if not self.session.dirty:
            return True
        answer = self.ask_unsaved(self._window, self.session.name)
        if answer == "cancel":
            return False
        if answer == "save":
            path = self.session.path or self._choose_target()
            if path is None:
                return False
            self._save(path, force=False)
            self._background.wait()
            return not self.session.dirty
        return True

    # --- recovery --------------------------------------------------------------------------------------------

    def offer_recovery(self) -> None:
        """Offer what a crash has left behind, each in a notice of its own."""
        for found in recoverable(working_copies()):
            if not found.unsaved:
                self._discard(found)  # nothing in it that is not elsewhere
                continue
            saved = f" (saved before as {found.saved_as.name})" if found.saved_as else ""
            when = datetime.fromtimestamp(found.modified).astimezone().strftime("%d %b, %H:%M")
            self._notices.show_notice(
                f"The lab ended unexpectedly on {when} with unsaved work in “{found.title}”{saved}.",
                level="warning",
                buttons=(
                    ("Recover", lambda found=found: self.recover(found)),
                    ("Discard", lambda found=found: self._discard(found)),
                ),
                key=f"recover:{found.path}",
            )

    def recover(self, found: Recoverable) -> None:
        """Go on with what a crash left."""

        def done(opening: Opening) -> None:
            self._offer(opening, keep=True)

        self._background.run(lambda: read_opening(Session.recover(found.path)), done, self._failed)

    def _discard(self, found: Recoverable) -> None:
        self._background.run(lambda: discard(found.path), lambda _: None, self._failed)

    def _failed(self, error: BaseException) -> None:
        if not isinstance(error, UserError):
            raise error
        self.failed.emit(str(error))


def file_name(title: str) -> str:
    """A title as a file name: letters and digits, the rest as dashes."""
    words = "".join(c if c.isalnum() else " " for c in title.lower()).split()
    return "-".join(words)[:60].rstrip("-") or "session"


def ask_unsaved(window: QWidget, name: str) -> str:
    """Ask what to do with unsaved work: "save", "discard" or "cancel"."""
    box = QMessageBox(window)
    box.setIcon(QMessageBox.Icon.Question)
    box.setText(f"Save “{name}” before it is closed?")
    box.setInformativeText("What was run since the last save is lost otherwise.")
    buttons = QMessageBox.StandardButton
    box.setStandardButtons(buttons.Save | buttons.Discard | buttons.Cancel)
    box.setDefaultButton(buttons.Save)
    return {buttons.Save: "save", buttons.Discard: "discard"}.get(buttons(box.exec()), "cancel")
