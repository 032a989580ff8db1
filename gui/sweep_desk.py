"""Where the sweep's parts meet: its step, its two panels, its controller, and the rest of the window."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal, Slot
from PySide6.QtWidgets import QWidget

from engine.errors import UserError
from engine.events import Progress
from engine.experiments import KEPT_NETWORK
from engine.paths import working_copies
from engine.session import Session
from engine.specs import ExperimentSpec
from engine.sweep.opened import is_point
from gui import files
from gui.chrome.notice import NoticeBar
from gui.chrome.step_form import StepForm
from gui.documents import Documents, file_name
from gui.editor import Editor
from gui.forms.axes import AxesEditor
from gui.forms.machine import MachineSpec
from gui.panels.complexity.panel import ComplexityPanel
from gui.panels.sweep.panel import SweepPanel
from gui.settings import Settings
from gui.sidebyside import Source
from gui.stage import Opening
from gui.sweep_questions import ask_large, ask_stop
from gui.sweep_step import Offer, Outlook, how_far, look_ahead, offer, waits
from gui.sweeps import SUFFIX, Computer, Sweeps, same_points

if TYPE_CHECKING:
    from engine.sweep.store import SweepStore

SWEEP_FILES = "Sweep (*.sweep)"
REMEMBERED = "sweep"  # the session's note of the sweep that is open with it
WAITS, MISSED = "sweep waits", "sweep missed"  # notices
COST_MS = 120  # after the last edit, before the cost is worked out


class SweepDesk(QObject):
    """Wires the sweep into the window. What it does with others' parts it does through their own commands."""

    said = Signal(str)
    failed = Signal(str)
    broke = Signal(str, str)
    shown = Signal(str)  # a panel is to be brought to the front
    step_wanted = Signal(str)
    compare_wanted = Signal(object)  # Sources to be put side by side
    run_wanted = Signal(str)  # an experiment on the session

    def __init__(
        self,
        form: StepForm,
        axes: AxesEditor,
        panel: SweepPanel,
        complexity: ComplexityPanel,
        editor: Editor,
        documents: Documents,
        settings: Settings,
        notices: NoticeBar,
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self.sweeps = Sweeps(self)
        self._form, self._axes, self.panel, self.complexity = form, axes, panel, complexity
        self._editor, self._documents, self._settings, self._notices = editor, documents, settings, notices
        self._window = window
        self._outlook: Outlook | None = None
        self._outlook_of: ExperimentSpec | None = None
        self._asked: object = None  # the outlook that was asked for last
        self._compared: tuple[SweepStore, ExperimentSpec, bool] | None = None  # whether they are one sweep
        # replaced in tests
        self.ask_save = files.ask_save
        self.ask_open = files.ask_open
        self.ask_large: Callable[[QWidget, str], bool] = ask_large
        self.ask_stop: Callable[[QWidget, str], bool] = ask_stop
        self._later = QTimer(self, interval=COST_MS, singleShot=True)
        self._later.timeout.connect(self._work_out_cost)
        self._wire()

    def _wire(self) -> None:
        sweeps, panel, complexity = self.sweeps, self.panel, self.complexity
        panel.read = sweeps.read
        complexity.read, complexity.work = sweeps.read, sweeps.work
        sweeps.opened.connect(self._on_opened)
        sweeps.state_changed.connect(panel.set_state)
        sweeps.progressed.connect(self._on_progress)
        sweeps.revised.connect(panel.refresh)
        sweeps.revised.connect(complexity.refresh)
        sweeps.said.connect(self.said)
        sweeps.failed.connect(self.failed)
        sweeps.broke.connect(self.broke)
        sweeps.missed.connect(self._on_missed)
        sweeps.state_changed.connect(self._on_state)
        sweeps.may_stop = partial(self._may_stop_for, None)
        panel.model.counted.connect(self._on_counts)
        panel.run_requested.connect(self.resume)
        panel.pause_requested.connect(sweeps.pause)
        panel.stop_requested.connect(sweeps.stop)
        panel.file_requested.connect(self.choose_and_open)
        panel.step_requested.connect(partial(self.step_wanted.emit, "sweep"))
        panel.settings_requested.connect(self.take_settings)
        panel.open_requested.connect(self.open_point)
        panel.compare_requested.connect(self.compare)
        panel.cancel_requested.connect(sweeps.cancel_points)
        panel.retry_requested.connect(self.retry)
        panel.point_chosen.connect(complexity.show_point)
        complexity.point_chosen.connect(panel.go_to)
        complexity.open_requested.connect(self.open_point)
        complexity.sweep_requested.connect(partial(self.step_wanted.emit, "sweep"))
        self._axes.validity_changed.connect(self._show_action)

    @property
    def _computer(self) -> Computer:
        values = self._settings.values
        return Computer(values.workers, values.scheduler.strip())

    # --- the step ------------------------------------------------------------------------------------------------

    def set_experiment(self, spec: ExperimentSpec) -> None:
        """The settings as they stand."""
        self._axes.set_experiment(spec)
        self._later.start()
        self._show_action()

    @Slot(str, object, str)
    def set_machine(self, _part: str, spec: MachineSpec, _field: str) -> None:
        """What this computer gives; remembered, and no part of the experiment."""
        self._settings.update(workers=spec.workers, scheduler=spec.scheduler)
        self._outlook_of = None
        self._later.start()

    @Slot()
    def _work_out_cost(self) -> None:
        spec, computer, store = self._editor.spec, self._computer, self._own_store
        if not spec.sweep.axes:
            return
        self._asked = asked = object()

        def done(found: Outlook) -> None:
            if asked is self._asked and spec is self._editor.spec:
                self._outlook, self._outlook_of = found, spec
                self._show_action()

        self.sweeps.work(lambda: look_ahead(spec, store, computer), done)

    @property
    def _own_store(self) -> SweepStore | None:
        """The open sweep, where it is that of the settings as they stand."""
        store, spec = self.sweeps.store, self._editor.spec
        if store is None:
            return None
        if self._compared is None or self._compared[0] is not store or self._compared[1] is not spec:
            self._compared = store, spec, same_points(store.spec, spec)  # long axes take a while
        return store if self._compared[2] else None

    @property
    def _offer(self) -> Offer:
        spec, is_own = self._editor.spec, self._own_store is not None
        outlook = self._outlook if self._outlook_of is spec else None
        state = self.sweeps.state if is_own else "none"
        return offer(spec, outlook, state, self.panel.model.counts if is_own else {}, self._computer)

    @Slot()
    def _show_action(self) -> None:
        shown = self._offer
        self._form.set_action(shown.label, enabled=shown.deed != "none", tip=shown.tip, run_all=False)
        self._form.set_note(shown.note)

    @Slot(object)
    def _on_counts(self, _counts: object) -> None:
        """The points of the open sweep are others: what is left is, and what it costs."""
        if self._own_store is not None:
            self._show_action()
            if self.sweeps.state == "idle":
                self._later.start()

    # --- running -------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Run the sweep of the settings as they stand, or what is left of it; a large one is asked for first."""
        spec = self._editor.spec
        if not spec.sweep.axes:
            self.failed.emit("A sweep needs an axis: on the Sweep step choose a field that varies, and its values.")
            return
        shown, store, computer = self._offer, self._own_store, self._computer
        if store is not None and (shown.deed != "run" or self.sweeps.state == "paused"):
            self.shown.emit("sweep")
            if shown.deed == "retry":
                self.sweeps.retry_failed(self._resume_if_idle)
            elif shown.deed == "run":
                self.resume()
            elif shown.deed == "none":
                self.said.emit(shown.note)
            return

        def done(found: Outlook) -> None:
            if found.cost is None:
                self.failed.emit(found.problem)
                return
            if found.left != 0 and found.cost.ask and not self.ask_large(self._window, found.cost.sentence):
                return
            if not self._may_stop_for(spec):
                return
            self.shown.emit("sweep")
            self.sweeps.run(spec, computer, sure=True)

        self.sweeps.read(lambda: look_ahead(spec, store, computer), done)

    def _may_stop_for(self, spec: ExperimentSpec | None) -> bool:
        """Whether the sweep that runs, if any, may be stopped for another one: a person is asked."""
        store, counts = self.sweeps.store, self.panel.model.counts
        if store is None or self.sweeps.state not in ("running", "paused"):
            return True
        if spec is not None and same_points(store.spec, spec):
            return True
        return self.ask_stop(self._window, how_far(store.path.stem, store.path, counts))

    @Slot()
    def resume(self) -> None:
        """Go on with the open sweep."""
        self.sweeps.resume(self._computer)

    @Slot(object)
    def retry(self, points: list[int]) -> None:
        """Let points be run again, at once where nothing runs."""
        self.sweeps.retry_points(points, self._resume_if_idle)

    def _resume_if_idle(self) -> None:
        if self.sweeps.state == "idle":
            self.resume()

    @Slot(str)
    def _on_state(self, state: str) -> None:
        if state == "running":
            self._notices.dismiss(WAITS)
        self._show_action()
        if state in ("idle", "none"):
            self._later.start()

    @Slot(object)
    def _on_progress(self, progress: Progress) -> None:
        self.panel.set_progress(progress.text)

    # --- files ---------------------------------------------------------------------------------------------------

    def open(self, path: Path) -> None:
        """Open a sweep file; what waits in it is offered to go on."""

        def opened() -> None:
            self.shown.emit("sweep")  # again: the window may have been laid out meanwhile, as it was left
            self._offer_to_go_on(path)

        self.shown.emit("sweep")
        self.sweeps.open(path, opened)

    def _offer_to_go_on(self, path: Path) -> None:
        store, computer = self.sweeps.store, self._computer
        if store is None:
            return
        self._settings.add_recent(path)

        def done(found: Outlook) -> None:
            sentence = waits(path.stem, found, computer)
            if sentence and self.sweeps.store is store and self.sweeps.state == "idle":
                self._notices.show_notice(sentence, buttons=(("Go on", self.resume),), key=WAITS)

        self.sweeps.read(lambda: look_ahead(store.spec, store, computer), done)

    @Slot()
    def choose_and_open(self) -> None:
        """Ask for a sweep file and open it."""
        name = self.ask_open(self._window, "Open a sweep", self._settings.values.folder, SWEEP_FILES)
        if name:
            self.open(Path(name))

    @Slot()
    def choose_and_copy(self) -> None:
        """Ask where to, and save a copy of the sweep as it stands."""
        store = self.sweeps.store
        if store is None:
            self.failed.emit("No sweep is open. Run one, or open a sweep file.")
            return
        suggested = str(Path(self._settings.values.folder) / f"{file_name(store.spec.title)}{SUFFIX}")
        name = self.ask_save(self._window, "Save a copy of the sweep", suggested, SWEEP_FILES)
        if name:
            path = Path(name)
            self.sweeps.save_copy(path if path.suffix == SUFFIX else path.with_name(path.name + SUFFIX))

    @Slot(str)
    def _on_missed(self, sentence: str) -> None:
        """The file is not where it was, or is back."""
        self._notices.dismiss(MISSED)
        if sentence:
            self._notices.show_error(sentence, buttons=(("Save a copy…", self.choose_and_copy),), key=MISSED)
        else:
            self.said.emit("The file of the sweep is in its place again.")

    @Slot()
    def take_settings(self) -> None:
        """Put the settings of the open sweep into the forms, as one edit."""
        if self.sweeps.store is not None:
            self._editor.replace(self.sweeps.store.spec, "Take the settings of the sweep")
            self.step_wanted.emit("sweep")

    @Slot(int)
    def open_point(self, point: int) -> None:
        """Open a finished point as a session of its own, in place of the one that is open."""
        store = self.sweeps.store
        if store is not None:
            self._documents.open_made(lambda: self.sweeps.point_session(store, point, working_copies()))

    @Slot(object)
    def compare(self, points: list[int]) -> None:
        """Put finished points side by side."""
        store = self.sweeps.store
        if store is not None:
            self.compare_wanted.emit([Source.of_point(store, point) for point in points])

    @Slot(object)
    def _on_opened(self, store: SweepStore | None) -> None:
        self._notices.dismiss(WAITS)
        self._notices.dismiss(MISSED)
        self._compared = None
        self.panel.set_store(store)
        self.complexity.set_store(store)
        if store is not None:
            self._remember(self._documents.session)

    # --- the session remembers -------------------------------------------------------------------------------------

    def on_session(self, opening: Opening) -> None:
        """Another session: its sweep is opened too, unless one runs. One that has none takes the sweep that is open.

        A point of a sweep comes with its numbers and its network alone: its data and the network are shown at once.
        """
        session = opening.session
        if "dataset" not in opening.frames and is_point(session):
            self.run_wanted.emit(KEPT_NETWORK)
        name = session.state(REMEMBERED)
        path = Path(name) if isinstance(name, str) and name else None
        if path is None:
            if self.sweeps.store is not None:
                self._remember(session)
        elif path == self.sweeps.path:
            return
        elif not path.is_file():
            self.failed.emit(
                f"The sweep of this session is not at {path} any more: it was moved, renamed or deleted. Open it where it is now."
            )
        elif self.sweeps.state in ("running", "paused", "stopping"):
            self.said.emit(
                f"“{path.stem}”, the sweep of this session, can be opened when the sweep that runs is done: {path}"
            )
        else:
            self.sweeps.open(path, partial(self._offer_to_go_on, path))

    def _remember(self, session: Session) -> None:
        path = str(self.sweeps.path)

        def work() -> None:
            try:
                if session.state(REMEMBERED) != path:
                    session.set_state(REMEMBERED, path)
            except UserError:
                pass  # it was closed meanwhile, or cannot be written, which is told where it matters

        self.sweeps.read(work, lambda _: None)

    def close(self) -> bool:
        """Stop what runs and end the threads. False if a sweep would not stop in time."""
        self._later.stop()
        return self.sweeps.close()
