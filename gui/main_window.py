"""The window: every part put in its place and wired to the others. What the parts do is in their own files."""

from __future__ import annotations

import base64
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

from PySide6.QtCore import QByteArray, QThread, QTimer, Slot
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QApplication,
    QHBoxLayout,
    QMainWindow,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from engine.experiments import artifact_keys, shorter, weights_key
from engine.experiments.views import VIEWS
from engine.lab import Lab
from engine.paths import RESOURCES
from engine.runtime import Cancelled, Delivery, EngineFailed, EngineReady, Failed, Finished, RecorderFailed, memory_use
from engine.session import Run
from engine.specs import ExperimentSpec, MapSpec
from gui import steps
from gui.about import about_text, keys_text, show_text
from gui.actions import Actions
from gui.attack_runs import AttackRuns, attacks_of
from gui.background import Background
from gui.bridge import Bridge
from gui.chrome.inspector import Inspector
from gui.chrome.jobs import Job, JobsPopup
from gui.chrome.notice import NoticeBar
from gui.chrome.rail import Rail, Tall
from gui.chrome.status import StatusBar
from gui.chrome.transport import Transport
from gui.columns import Columns
from gui.comparing import RunRows
from gui.documents import SUFFIX, SWEEP_SUFFIX, Documents
from gui.editor import Editor
from gui.forms.form import description
from gui.inspect import describe
from gui.jobs import Jobs, JobView, job_title
from gui.looks import LOOK_PANELS
from gui.panels.sidebyside.panel import DIFFERENCES
from gui.redraw import Rotation
from gui.reporting import Reporting
from gui.selection import Selection
from gui.settings import Settings
from gui.sidebyside import Source
from gui.stage import Opening, Stage, read_opening
from gui.step_forms import make_step_forms
from gui.sweep_desk import SweepDesk
from gui.theme import Theme, system_theme
from gui.theme import apply as apply_theme
from gui.wiring import bind_actions, wire
from gui.workspace import Workspace

SLOW_MS = 500  # how often what need not be fluid is brought up to date
WIDE = "sidebyside"  # the panel that, shown alone, has the room of the form and the inspector too
HOLD_SECONDS = 5.0  # how long a job may take to come to rest before a person is asked about unsaved work
SIZE = (1440, 900)


class MainWindow(QMainWindow):
    """The one window of the lab."""

    def __init__(self, lab: Lab, settings: Settings) -> None:
        super().__init__()
        self.lab = lab
        self.settings = settings
        self.theme: Theme = system_theme(settings.values.theme, settings.values.text_scale)
        self.setAcceptDrops(True)

        self.selection = Selection(self)
        self.stage = Stage(lab.session, self)
        self.editor = Editor(lab.session, self)
        self.jobs = Jobs(lab, self)
        self.bridge = Bridge(lab.mailbox, self)
        self.background = Background()
        self.actions_ = Actions(self, self.theme)
        self._build()
        self.documents = Documents(lab.session, settings, self.background, self.notices, self)
        self.reporting = Reporting(self.background, self.notices, self)
        self.attack_runs = AttackRuns(self.background, self.docks.results.set_runs, self._on_failure)
        self.columns = Columns(self.docks.sidebyside, self.background, settings, self._on_failure, self)
        self.sweep_desk = SweepDesk(
            self.step_forms["sweep"], self.axes, self.docks.sweep, self.docks.complexity,
            self.editor, self.documents, settings, self.notices, self,
        )  # fmt: skip
        self.rotation = Rotation(self.panels, self.stage, self)
        self.rotation.name_moment = self.transport.timeline.name
        self._slow = QTimer(self, interval=SLOW_MS)
        self._runs: list[Run] = []
        self._run_rows = RunRows(lab.session)
        wire(self)
        bind_actions(self)
        self.set_theme(self.theme)
        self._restore_layout()
        self._on_session(read_opening(lab.session))
        self.show_step(settings.values.step if settings.values.step in steps.FORMS else "data")

    def start(self) -> None:
        """Begin to fetch what the engine says, and start it: called once the window is on screen."""
        self.status.set_device("loading engine…")
        self.log.append("info", "Loading the engine.")
        self.bridge.start()
        self._slow.start()
        self.lab.start()
        for problem in self.settings.problems:
            self.log.append("warning", problem)
        self.documents.offer_recovery()
        if not self.settings.path.exists():
            self.welcome()
        # one press of the space bar away from running
        self.transport.buttons["run"].setFocus()

    def welcome(self) -> None:
        """At the first start: say what there is to press."""
        self.notices.show_notice(
            f"Ready to run: “{self.editor.spec.title}”. A network learns, an attack fools it, and you see at which layer.",
            buttons=(("Run everything", self.run_all),),
            key="welcome",
        )

    # --- building --------------------------------------------------------------------------------------------

    def _build(self) -> None:
        theme = self.theme
        self.notices = NoticeBar(theme)
        self.rail = Rail(theme)
        self.inspector = Inspector(theme)
        self.transport = Transport(theme)
        self.status = StatusBar()
        self.jobs_popup = JobsPopup(theme, self)
        self.step_stack = QStackedWidget()
        made = make_step_forms(self.editor, self.settings, self.actions_, theme)
        self.step_forms, self.axes, self.machine = made.forms, made.axes, made.machine
        for form in self.step_forms.values():
            self.step_stack.addWidget(form)
        self.step_stack.setFixedWidth(next(iter(self.step_forms.values())).width())

        self.docks = Workspace(self.selection, theme)
        self.panels = self.docks.drawn
        self.training, self.gallery, self.profile = self.docks.training, self.docks.gallery, self.docks.profile
        self.compare, self.log = self.docks.compare, self.docks.log

        centre = QWidget(objectName="window")
        column = QVBoxLayout(centre)
        column.setContentsMargins(theme.gap, theme.gap, theme.gap, 4)
        column.setSpacing(theme.gap)
        row = QHBoxLayout()
        row.setSpacing(theme.gap)
        self._rail_area = Tall(self.rail)
        for widget, stretch in ((self._rail_area, 0), (self.step_stack, 0), (self.docks, 1), (self.inspector, 0)):
            row.addWidget(widget, stretch)
        column.addWidget(self.notices)
        column.addLayout(row, 1)
        column.addWidget(self.transport)
        column.addWidget(self.status)
        self.setCentralWidget(centre)
        menus = self.actions_.fill(self.menuBar())
        self._recent_menu = menus["File"].addMenu("Open recent")
        self._examples_menu = menus["File"].addMenu("Examples")
        panels_menu = menus["View"].addMenu("Panels")
        panels_menu.addActions(self.docks.view_actions())

    # --- running ---------------------------------------------------------------------------------------------

    @Slot(str)
    def show_step(self, key: str) -> None:
        """Show a step's form."""
        if self.docks.maximised == WIDE:
            self.docks.restore()
        self.rail.set_current(key)
        self.step_stack.setCurrentWidget(self.step_forms[key])

    @Slot(str)
    def show_settings(self, part: str) -> None:
        """Show the form of a part that folds out."""
        key = next(key for key, parts in steps.FORMS.items() if part in parts)
        self.show_step(key)
        self.step_forms[key].reveal(part)

    @Slot(str)
    def run_step(self, key: str) -> None:
        """Do what a step's big button says."""
        for panel in steps.PANELS.get(key, ()):
            self.docks.show_panel(panel)
        if key == "compare":
            return
        if key == "sweep":
            if self._take_entries():
                self.sweep_desk.run()
            return
        if key == "report":
            self.reporting.choose_and_write(self.documents.session)
            return
        self._run(key)

    @Slot()
    def run_current_step(self) -> None:
        """Press the shown step's button, which takes in first what is still being typed."""
        self.step_forms[self.rail.current].action_button.click()

    @Slot()
    def run_all(self) -> None:
        """Data, training, attack and measurement in one run."""
        self.notices.dismiss("welcome")
        for panel in ("training", "gallery", "profile"):
            self.docks.show_panel(panel)
        self._run("story")

    @Slot()
    def map_selected(self) -> None:
        """The decision map of the selected sample, or of the first that the attack has fooled."""
        self.map_sample(self.selection.sample if self.selection.sample is not None else -1, -1)

    @Slot(int, int)
    def map_sample(self, sample: int, third: int) -> None:
        """The decision map of a sample through a third one; -1 leaves a choice to the experiment. The settings stay."""
        self.docks.show_panel("map")
        spec = self.editor.spec
        wanted = MapSpec(sample=sample, third=third, resolution=spec.map.resolution)
        self._run("decision_map", change={"map": wanted})

    @Slot()
    def measure_classes(self) -> None:
        """The attack in its targeted form, from each class to every other."""
        self.docks.show_panel("classes")
        self._run("class_matrix")

    @Slot()
    def check_attack(self) -> None:
        """Flags for what misleads attacks, and the active test of the attack as it is set."""
        self.docks.show_panel("checks")
        self._run("attack_checks")

    @Slot(str)
    def look(self, name: str) -> None:
        """A closer look by its experiment's name, in the panel that draws it."""
        self.docks.show_panel(LOOK_PANELS[name])
        if name == "layers":
            self.profile.show_page("split")
        if name in ("price", "reconciliation"):
            self.docks.reconcile.show_look(name)
        if name == "complexity":
            self.docks.complexity.await_session()
        self._run(name)

    @Slot()
    def show_side_by_side(self) -> None:
        """The side-by-side view, as wide as can be."""
        if self.docks.maximised != WIDE:
            self.show_step("compare")
            self.docks.show_panel(WIDE)
            self.docks.maximise(WIDE)

    def compare_sources(self, sources: Sequence[Source]) -> None:
        """Show these side by side: runs, session files, points of a sweep; with none, what is there already."""
        if sources:
            self.columns.compare(sources)
        self.show_side_by_side()

    @Slot(object)
    def _on_side_by_side(self, runs: Sequence[int]) -> None:
        self.compare_sources(self.columns.runs(runs))

    @Slot(object)
    def _on_points_compared(self, points: Sequence[Source]) -> None:
        """Of points a sweep keeps numbers and networks, and no pictures: their numbers come first."""
        self.compare_sources(points)
        self.docks.sidebyside.show_page(DIFFERENCES)

    @Slot(str)
    def _on_maximised(self, key: str) -> None:
        self.step_stack.setVisible(key != WIDE)
        self.inspector.setVisible(key != WIDE)

    @Slot()
    def run_or_resume(self) -> None:
        """The run button: go on after a pause, else run everything."""
        if self.jobs.state == "paused":
            self.jobs.resume()
        elif self.jobs.state == "idle":
            self.run_all()

    @Slot()
    def pause(self) -> None:
        """Pause after the current step."""
        self.jobs.pause()

    @Slot()
    def single_step(self) -> None:
        """One step of the paused job; where none runs, the shown step's experiment is begun and paused."""
        if self.jobs.state == "idle":
            key = self.rail.current
            self._run(key if key in steps.DEPENDS else "story", paused=True)
        else:
            self.jobs.step()

    @Slot()
    def stop(self) -> None:
        """Stop the current job."""
        self.jobs.cancel()

    def _run(self, experiment: str, *, paused: bool = False, change: Mapping[str, Any] | None = None) -> None:
        """Run an experiment with the settings as they stand, but for what ``change`` names."""
        if not self._take_entries():
            return
        spec = self.editor.spec.model_copy(update=dict(change or {}))
        if self.jobs.has(experiment, spec):
            self._say(f"{job_title(experiment)} runs or waits already, with these settings.")
            return
        for notice in self.notices.notices:
            if notice.level == "error" and not notice.details:
                self.notices.dismiss(notice.key)  # what it was about is being tried again
        self.go_live()
        self.jobs.run(experiment, spec, paused=paused)

    def _take_entries(self) -> bool:
        """Take what is still being typed in any form; False, and the field is shown, where it cannot be used."""
        for key, form in self.step_forms.items():
            if not form.commit():
                self.show_step(key)
                name = form.accessibleName()
                self._on_failure(
                    f"An entry on the {name} step cannot be used. Mend the field marked there, then run again."
                )
                return False
        return True

    def _hold(self) -> Callable[[], None]:
        """Bring the running job to rest, so that what is saved then is everything; gives what lets it go on."""
        job = self.jobs.current
        if job is None or job.state != "running":
            return lambda: None
        self.jobs.pause(job.id)
        patience = monotonic() + HOLD_SECONDS
        while self.jobs.state == "running" and monotonic() < patience:
            self.bridge.tick()
            QThread.msleep(2)
        return partial(self.jobs.resume, job.id)

    # --- what the engine says --------------------------------------------------------------------------------

    @Slot(object)
    def _on_delivery(self, delivery: Delivery) -> None:
        self.stage.take(delivery)
        self.jobs.take(delivery)
        for event in delivery.lifecycle:
            match event:
                case EngineReady(description=text, seconds=seconds):
                    self.status.set_device(text)
                    self.log.append("info", f"Engine ready in {seconds:.1f} s: {text}.")
                    self.engine_is_ready()
                case EngineFailed(message=message, traceback=trace):
                    self.status.set_device("engine failed")
                    self._on_bug(message, trace)
                case RecorderFailed(message=message):
                    self._on_failure(message)

    def engine_is_ready(self) -> None:
        """Replaced by the application, which tidies memory when torch is in."""

    @Slot()
    def _on_tick(self) -> None:
        self.background.poll()
        drawn = self.rotation.draw_one(sparing=self.jobs.state == "running" and self.stage.live)
        if not drawn and self._inspector_is_old:
            self._on_selection()

    @Slot()
    def _on_slow(self) -> None:
        self.stage.refresh_instants()
        if self._results_are_old:
            self._results_are_old = False
            self.attack_runs.read()
        self.status.set_memory(memory_use().process)
        running = self.jobs.state == "running"
        self.status.set_rate(self.lab.mailbox.statistics().steps_per_second if running else None)
        self._show_title()

    _results_are_old = False

    @Slot(str)
    def _on_results(self, _: str) -> None:
        self._results_are_old = True  # read when the rows have come, not at each of them

    @Slot(str)
    def _on_state(self, state: str) -> None:
        self.transport.set_state(state)
        self.actions_.set_state(state)

    @Slot(str)
    def _on_sweep_state(self, state: str) -> None:
        self.actions_["run.sweep_pause"].setEnabled(state == "running")
        self.actions_["run.sweep_stop"].setEnabled(state in ("running", "paused"))
        self.actions_["file.save_sweep"].setEnabled(state != "none")

    @Slot()
    def _on_jobs(self) -> None:
        jobs = self.jobs.all
        waiting = sum(job.state == "waiting" for job in jobs)
        self.transport.set_jobs(len(jobs) - waiting, waiting)
        self.jobs_popup.set_jobs([_listed(job) for job in jobs])

    @Slot(object)
    def _on_progress(self, progress: Any) -> None:
        self.transport.set_progress(progress.done, progress.total, progress.text)
        if self.jobs_popup.isVisible():
            self._on_jobs()

    @Slot(object, object)
    def _on_ended(self, job: JobView, end: Any) -> None:
        match end:
            case Finished():
                self._say(f"{job_title(job.experiment)}: finished.")
                self.transport.clear_progress("finished")
            case Cancelled():
                self._say(f"{job_title(job.experiment)}: stopped; what was recorded stays.")
                self.transport.clear_progress("stopped")
                self._offer_early_stop(job)
            case Failed(message=message, traceback=trace, is_user_error=mendable):
                self.transport.clear_progress("failed")
                self._on_failure(message) if mendable else self._on_bug(message, trace)
        self.stage.refresh_instants()
        self._read_runs()

    def _offer_early_stop(self, job: JobView) -> None:
        """A training that was stopped leaves the network of its last kept epoch: offer to go on with that one."""
        session, spec = self.documents.session, self.editor.spec
        if job.run is None or job.spec != spec or "epochs" not in session.tables(job.run):
            return
        done = int(session.table(job.run, "epochs").column("epoch")[-1])
        kept = (e for e in range(done, 0, -1) if session.has_artifact("weights", weights_key(shorter(spec, e))))
        epochs = next(kept, None)
        if epochs is not None and epochs < spec.training.epochs:
            fewer = shorter(spec, epochs).training
            self.notices.show_notice(
                f"Training was stopped after epoch {done}. The network as it was after epoch {epochs} is kept.",
                buttons=((f"Use it: {epochs} epochs", partial(self.editor.edit, "training", fewer, "epochs")),),
                key="stopped early",
            )

    # --- what the person edits -------------------------------------------------------------------------------

    @Slot(object)
    def _on_spec(self, spec: ExperimentSpec) -> None:
        for key, form in self.step_forms.items():
            form.set_action(steps.action(key, spec), run_all=key in steps.DEPENDS)
            for spec_form in form.forms:
                if spec_form is self.machine:
                    continue
                part = self.editor.part(spec_form.part)
                if spec_form.spec != part:
                    spec_form.set_spec(part)
                if spec_form.part not in ("experiment", "controls", *steps.FOLDED):
                    form.set_description(description(type(part)))
        self.docks.reconcile.set_experiment(spec)
        self.docks.noise.set_experiment(spec)
        self.docks.robustness.set_experiment(spec)
        self.sweep_desk.set_experiment(spec)
        self._show_results()
        self._show_title()

    def _read_runs(self) -> None:
        """The list of runs is another: a run ended, or another session is open."""
        self._runs = self.documents.session.runs()
        self.transport.set_attacks(*attacks_of(self._runs))
        self.compare.set_runs(self._run_rows.of(self._runs))
        self.columns.set_runs(self._runs)
        self.attack_runs.read()
        self._show_results()

    def _show_results(self) -> None:
        session, spec = self.documents.session, self.editor.spec
        kept = [name for name, key in artifact_keys(spec).items() if session.has_artifact(name, key)]
        done = steps.current_results(spec, self._runs, kept)
        for key in steps.DEPENDS:
            self.rail.set_done(key, key in done)

    # --- time ------------------------------------------------------------------------------------------------

    @Slot()
    def _on_instants(self) -> None:
        self.transport.set_moments(self.stage.instants)

    @Slot()
    def _on_moment(self) -> None:
        moment = self.stage.moment
        self.transport.set_moment(moment.id if moment else None)
        step = self.stage.training_step()
        self.training.set_moment("train" if step is not None else "", step)
        step = self.stage.attack_step()
        self.docks.curves.set_moment("attack" if step is not None else "", step)
        self.docks.results.set_moment(moment.run if moment else None)
        self._on_selection()

    @Slot()
    def go_live(self) -> None:
        """Follow the run."""
        self.stage.go_live()

    def _move(self, by: int) -> None:
        instants, moment = self.stage.instants, self.stage.moment
        if not instants:
            return
        ids = [instant.id for instant in instants]
        at = ids.index(moment.id) if moment is not None else len(ids) - 1
        self.stage.go_to(ids[min(max(at + by, 0), len(ids) - 1)])

    def _go_to_step(self, phase: str, step: int) -> None:
        """A panel asks for a step of training or of the attack: the latest recorded moment up to it."""
        shown = self.stage.moment
        runs = [i.run for i in self.stage.instants if i.phase == phase and (shown is None or i.run <= shown.run)]
        run = max(runs, default=None)
        found = [i for i in self.stage.instants if i.run == run and i.phase == phase and i.step <= step]
        if found:
            self.stage.go_to(found[-1].id)

    @Slot(str)
    def _on_topic(self, topic: str) -> None:
        if topic in ("gallery", "matrix/clean", "pairs", "dataset") and self.selection.latest is not None:
            self._inspector_is_old = True
        if topic in ("dataset", "model"):
            data, model = self.stage.frame("dataset"), self.stage.frame("model")
            self.docks.reconcile.set_known(data.info["classes"] if data else (), model.info["taps"] if model else ())

    _inspector_is_old = False

    # --- selection -------------------------------------------------------------------------------------------

    @Slot()
    def _on_selection(self, _: str = "") -> None:
        self._inspector_is_old = False
        content = describe(self.selection, self.stage)
        if content is None:
            self.inspector.clear()
        else:
            self.inspector.set_content(content.title, content.image, content.rows, content.sections, content.subtitle)

    @Slot(str)
    def _on_view(self, view: str) -> None:
        self.actions_["view.centred"].setChecked(view == VIEWS[0])

    def _set_centred(self, on: bool) -> None:
        self.selection.set_view("centred" if on else "uncentred")

    @Slot(object)
    def _on_baseline(self, run: int | None) -> None:
        frame = self.documents.session.frame("profile", run=run) if run is not None else None
        self.profile.set_baseline(frame, f"run {run}" if run is not None else "")

    # --- documents -------------------------------------------------------------------------------------------

    @Slot(object)
    def _on_session(self, opening: Opening) -> None:
        session = opening.session
        self.lab.session = session
        self.notices.dismiss("welcome")
        self._runs, self._run_rows = [], RunRows(session)
        self.selection.clear()
        self.compare.choose()  # the baseline was a run of the session before
        self.editor.attach(session)
        self.stage.attach(opening)
        self.attack_runs.attach(session)
        self.columns.attach(session)
        self.sweep_desk.on_session(opening)
        self._read_runs()
        self._show_title()

    @Slot(object)
    def _on_saved(self, path: Path) -> None:
        self._say(f"Saved {path}.")
        self._show_title()

    @Slot()
    def new_session(self) -> None:
        """Begin a new session with the settings as they stand."""
        self.documents.new(self.editor.spec)

    def _open_example(self, path: Path, _checked: bool = False) -> None:
        self.documents.import_spec(path)

    @Slot()
    def _fill_recent(self) -> None:
        self._recent_menu.clear()
        for path in self.settings.recent():
            self._recent_menu.addAction(str(path), partial(self.documents.open, path))
        if self._recent_menu.isEmpty():
            self._recent_menu.addAction("No session was saved yet").setEnabled(False)

    def _show_title(self) -> None:
        session = self.documents.session
        dirty = session.dirty
        self.setWindowTitle(f"{session.name}[*] – Rapidity Lab")
        self.setWindowModified(dirty)
        saved = self.documents.saved_at
        when = "unsaved" if dirty else f"saved {saved:%H:%M}" if saved else "saved" if session.path else "new"
        name = session.path.name if session.path else session.name
        self.status.set_session(f"{name} · {when}")

    # --- messages --------------------------------------------------------------------------------------------

    @Slot(str)
    def _say(self, sentence: str) -> None:
        self.status.show_message(sentence)
        self.log.append("info", sentence)

    @Slot(str)
    def _on_failure(self, sentence: str) -> None:
        self.notices.show_error(sentence)
        self.log.append("error", sentence)

    def _on_bug(self, message: str, trace: str) -> None:
        self.notices.show_bug(message, trace)
        self.log.append("error", f"{message}\n{trace}")

    def show_exception(self, kind: Any, error: BaseException, trace: Any) -> None:
        """An error of the window itself: shown, logged, and the program goes on."""
        self._on_bug(str(error) or kind.__name__, "".join(traceback.format_exception(kind, error, trace)))

    @Slot()
    def show_jobs(self) -> None:
        """Open the list of jobs."""
        self.jobs_popup.open_above(self.transport.jobs_button)

    def _show_log(self, on: bool) -> None:
        if on:
            self.docks.show_panel("log")
        else:
            self.docks.show_panel("profile")

    @Slot()
    def _show_keys(self) -> None:
        show_text(self, "Keyboard", keys_text(self.actions_))

    @Slot()
    def _show_about(self) -> None:
        show_text(self, "About Rapidity Lab", about_text())

    @Slot()
    def _open_guide(self) -> None:
        show_text(self, "User's guide", (RESOURCES / "help" / "guide.md").read_text(encoding="utf-8"))

    # --- looks -----------------------------------------------------------------------------------------------

    def set_theme(self, theme: Theme) -> None:
        """Take another look, everywhere at once."""
        self.theme = theme
        apply_theme(QApplication.instance(), theme)
        parts = (self.notices, self.rail, self.inspector, self.transport, self.jobs_popup, self.docks, self.actions_)
        for part in (*parts, *self.step_forms.values()):
            part.set_theme(theme)
        self.step_stack.setFixedWidth(next(iter(self.step_forms.values())).width())
        self._rail_area.updateGeometry()
        self._on_selection()

    def _choose_theme(self, name: str, _on: bool = True) -> None:
        self.settings.update(theme=name)
        self.set_theme(system_theme(name, self.settings.values.text_scale))

    def _scale(self, factor: float) -> None:
        scale = min(max(round(self.settings.values.text_scale * factor, 2), 0.8), 2.0)
        self.settings.update(text_scale=scale)
        self.set_theme(system_theme(self.settings.values.theme, scale))

    def _toggle_maximised(self) -> None:
        focus = QApplication.focusWidget()
        key = next((p.key for p in self.docks.panels if focus is not None and p.isAncestorOf(focus)), "profile")
        self.docks.toggle_maximised(key)

    def _restore_layout(self) -> None:
        geometry = self.settings.values.geometry
        if not (geometry and self.restoreGeometry(QByteArray.fromBase64(geometry.encode()))):
            self.resize(*SIZE)

    def showEvent(self, event: Any) -> None:
        super().showEvent(event)
        if not self._arranged:
            self._arranged = True
            # sizes of docks hold only once the window has its size
            QTimer.singleShot(0, self, self._arrange)

    _arranged = False

    @Slot()
    def _arrange(self) -> None:
        self.docks.share_out()
        if self.settings.values.layout:
            self.docks.restore_layout(self.settings.values.layout)

    # --- files dropped, and the end --------------------------------------------------------------------------

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        path = Path(event.mimeData().urls()[0].toLocalFile())
        if path.suffix in (SUFFIX, SWEEP_SUFFIX, ".toml"):
            self.documents.open(path)
        elif path.is_dir() or path.name.endswith((".gz", "-ubyte")):
            folder = path if path.is_dir() else path.parent
            self.editor.edit("dataset", _idx_spec(folder), "folder")
            self.show_step("data")
        else:
            self._on_failure(
                f"{path.name} cannot be opened here. Drop a session ({SUFFIX}), a sweep ({SWEEP_SUFFIX}), an experiment (.toml) "
                "or a folder of IDX files."
            )

    def closeEvent(self, event: QCloseEvent) -> None:
        if not self.documents.let_go():
            event.ignore()
            return
        self.bridge.stop()
        self._slow.stop()
        if not self.lab.close():
            self.log.append("error", "The running experiment did not stop in time.")
        self.bridge.tick()  # its end is the last that is heard of it
        if not self.sweep_desk.close():
            self.log.append("error", "The running sweep did not stop in time; its finished points are kept.")
        self.background.close()
        layout = self.docks.save_layout() if self._arranged else self.settings.values.layout
        geometry = base64.b64encode(self.saveGeometry().data()).decode()
        self.settings.update(layout=layout, geometry=geometry, step=self.rail.current)
        with suppress(OSError):  # a full or read-only disk must not keep the window open
            self.settings.save()
        self.documents.session.close(discard=True)
        event.accept()


def _listed(job: JobView) -> Job:
    progress = job.progress
    done, total, text = (progress.done, progress.total, progress.text) if progress else (0, 0, "")
    return Job(job.id, job_title(job.experiment), job.state, done, total, text)  # type: ignore[arg-type]


def _idx_spec(folder: Path) -> Any:
    from engine.specs import IdxSpec

    return IdxSpec(folder=str(folder))
