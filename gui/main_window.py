"""The window: every part put in its place and made known to the others. What the parts do is in their own files."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from PySide6.QtCore import QTimer, Slot
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QShowEvent
from PySide6.QtWidgets import QApplication, QHBoxLayout, QMainWindow, QVBoxLayout, QWidget

from engine.lab import Lab
from engine.runtime import Cancelled, Delivery, memory_use
from engine.specs import ExperimentSpec
from gui import steps
from gui.actions import Actions
from gui.attack_runs import AttackRuns
from gui.background import Background
from gui.bridge import Bridge
from gui.chrome.inspector import Inspector
from gui.chrome.jobs import JobsPopup
from gui.chrome.notice import NoticeBar
from gui.chrome.rail import Rail, Tall
from gui.chrome.status import StatusBar
from gui.chrome.transport import Transport
from gui.claim_runs import ClaimRuns
from gui.columns import Columns
from gui.documents import Documents
from gui.editor import Editor
from gui.jobs import Jobs, JobView
from gui.redraw import Rotation
from gui.reporting import Reporting
from gui.selection import Selection
from gui.settings import Settings
from gui.stage import Opening, Stage, read_opening
from gui.step_forms import make_step_forms
from gui.sweep_desk import SweepDesk
from gui.theme import Theme, dressing
from gui.window.beside import Beside
from gui.window.choices import Choices
from gui.window.closer_looks import CloserLooks
from gui.window.commands import bind_commands
from gui.window.drops import Drops
from gui.window.early_stop import offer_early_stop
from gui.window.engine_news import EngineNews
from gui.window.file_menus import FileMenus
from gui.window.inspection import Inspection
from gui.window.job_display import JobDisplay
from gui.window.messages import WELCOME, Messages
from gui.window.moments import Moments
from gui.window.navigation import Navigation
from gui.window.placement import Placement
from gui.window.run_list import RunList
from gui.window.runner import Runner
from gui.window.session_title import SessionTitle
from gui.window.step_stack import StepStack
from gui.window.theme_choice import ThemeChoice
from gui.window.wiring import wire
from gui.workspace import Workspace

SLOW_MS = 500  # how often what need not be fluid is brought up to date


class MainWindow(QMainWindow):
    """The one window of the lab."""

    def __init__(self, lab: Lab, settings: Settings) -> None:
        super().__init__()
        self.lab = lab
        self.settings = settings
        self.theme_choice = ThemeChoice(settings, self.set_theme)
        self.theme = self.theme_choice.theme
        self.setAcceptDrops(True)
        self._make_state()
        self._make_widgets()
        self._lay_out()
        self._make_work()
        self._make_display()
        wire(self)
        bind_commands(self)
        self._follow()
        self.set_theme(self.theme)
        self.placement.restore()
        self._on_session(read_opening(lab.session))
        self.navigation.show_step(settings.values.step if settings.values.step in steps.FORMS else "data")

    def start(self) -> None:
        """Begin to fetch what the engine says, and start it: called once the window is on screen."""
        self.engine_news.expect()
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
            buttons=(("Run everything", self.runner.run_all),),
            key=WELCOME,
        )

    # --- the parts -------------------------------------------------------------------------------------------

    def _make_state(self) -> None:
        """What there is to see and to do, whatever shows it."""
        self.selection = Selection(self)
        self.stage = Stage(self.lab.session, self)
        self.editor = Editor(self.lab.session, self)
        self.jobs = Jobs(self.lab, self)
        self.bridge = Bridge(self.lab.mailbox, self)
        self.background = Background()
        self.actions_ = Actions(self, self.theme)

    def _make_widgets(self) -> None:
        """What can be seen."""
        theme = self.theme
        self.notices = NoticeBar(theme)
        self.rail = Rail(theme)
        self.inspector = Inspector(theme)
        self.transport = Transport(theme)
        self.status = StatusBar()
        self.jobs_popup = JobsPopup(theme, self)
        made = make_step_forms(self.editor, self.settings, self.actions_, theme)
        self.step_forms, self.axes, self.machine = made.forms, made.axes, made.machine
        self.step_stack = StepStack(made, self.editor)
        self.docks = Workspace(self.selection, theme)
        self.panels = self.docks.drawn
        self.training, self.gallery, self.profile = self.docks.training, self.docks.gallery, self.docks.profile
        self.compare, self.log = self.docks.compare, self.docks.log

    def _lay_out(self) -> None:
        """The widgets in their places."""
        theme = self.theme
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

    def _make_work(self) -> None:
        """What a person has done: files, runs, sweeps, comparisons."""
        docks, editor, settings, background = self.docks, self.editor, self.settings, self.background
        self.messages = Messages(self.notices, self.status, self.log, self)
        self.documents = Documents(self.lab.session, settings, background, self.notices, self)
        self.reporting = Reporting(background, self.notices, self)
        self.navigation = Navigation(self.rail, self.step_stack, docks, self.inspector, self)
        self.columns = Columns(docks.sidebyside, background, settings, self.messages.fail, self)
        self.beside = Beside(self.columns, docks.sidebyside, self.navigation, self)
        self.sweep_desk = SweepDesk(
            self.step_forms["sweep"], self.axes, docks.sweep, docks.complexity,
            editor, self.documents, settings, self.notices, self,
        )  # fmt: skip
        self.runner = Runner(
            self.jobs, editor, self.stage, docks, self.step_stack, self.navigation, self.messages,
            self.sweep_desk.run, self._write_report, self,
        )  # fmt: skip
        self.looks = CloserLooks(self.runner, editor, self.selection, docks, self)
        self.claim_runs = ClaimRuns(docks.claims, self.jobs, self.runner.run, self)
        self.drops = Drops(self.documents, editor, self.navigation, self.messages)

    def _make_display(self) -> None:
        """What keeps the widgets to what there is to see."""
        docks, stage = self.docks, self.stage
        self.rotation = Rotation(self.panels, stage, self)
        self.rotation.name_moment = self.transport.timeline.name
        self.attack_runs = AttackRuns(self.background, docks.results.set_runs, self.messages.fail)
        self.run_list = RunList(
            self.lab.session, self.rail, self.transport, docks, self.columns, self.attack_runs, stage, self
        )
        self.moments = Moments(stage, self.transport, docks, self)
        self.inspection = Inspection(self.inspector, self.selection, stage, self)
        self.choices = Choices(stage, docks.reconcile, self)
        self.job_display = JobDisplay(self.jobs, self.transport, self.jobs_popup, self.actions_, self.messages, self)
        self.engine_news = EngineNews(self.status, self.log, self.messages, self)
        self.session_title = SessionTitle(self, self.status, self.documents)
        self.placement = Placement(self, docks, self.settings)
        menus = self.actions_.fill(self.menuBar())
        self.file_menus = FileMenus(menus["File"], self.documents, self.settings, self)
        menus["View"].addMenu("Panels").addActions(docks.view_actions())

    # --- what everything hears of, each in its turn ----------------------------------------------------------

    def _follow(self) -> None:
        self._slow = QTimer(self, interval=SLOW_MS)
        self._slow.timeout.connect(self._on_slow)
        self.bridge.delivered.connect(self._on_delivery)
        self.bridge.ticked.connect(self._on_tick)
        self.jobs.ended.connect(self._on_ended)
        self.editor.changed.connect(self._on_spec)
        self.documents.opened.connect(self._on_session)
        self.documents.saved.connect(self._on_saved)

    @Slot(object)
    def _on_delivery(self, delivery: Delivery) -> None:
        self.stage.take(delivery)
        self.jobs.take(delivery)
        self.engine_news.take(delivery)

    @Slot()
    def _on_tick(self) -> None:
        self.background.poll()
        if not self.rotation.draw_one(sparing=self.jobs.state == "running" and self.stage.live):
            self.inspection.refresh()

    @Slot()
    def _on_slow(self) -> None:
        self.stage.refresh_instants()
        self.run_list.read_new_results()
        self.status.set_memory(memory_use().process)
        running = self.jobs.state == "running"
        self.status.set_rate(self.lab.mailbox.statistics().steps_per_second if running else None)
        self.session_title.show()

    @Slot(object, object)
    def _on_ended(self, job: JobView, end: Any) -> None:
        self.job_display.show_end(job, end)
        if isinstance(end, Cancelled):
            offer_early_stop(job, self.documents.session, self.editor, self.notices)
        self.stage.refresh_instants()
        self.run_list.read()

    @Slot(object)
    def _on_spec(self, spec: ExperimentSpec) -> None:
        docks = self.docks
        for part in (self.step_stack, docks.reconcile, docks.noise, docks.robustness, self.sweep_desk):
            part.set_experiment(spec)
        self.run_list.show_done(spec)
        self.session_title.show()

    @Slot(object)
    def _on_session(self, opening: Opening) -> None:
        session = opening.session
        self.lab.session = session
        self.notices.dismiss(WELCOME)
        self.run_list.attach(session)
        self.selection.clear()
        self.compare.choose()  # the baseline was a run of the session before
        self.editor.attach(session)
        self.stage.attach(opening)
        self.attack_runs.attach(session)
        self.columns.attach(session)
        self.sweep_desk.on_session(opening)
        self.run_list.read()
        self.session_title.show()

    @Slot(object)
    def _on_saved(self, path: Path) -> None:
        self.messages.say(f"Saved {path}.")
        self.session_title.show()

    def _write_report(self) -> None:
        self.reporting.choose_and_write(self.documents.session)

    # --- looks -----------------------------------------------------------------------------------------------

    def set_theme(self, theme: Theme) -> None:
        """Take another look, everywhere at once."""
        self.theme = theme
        parts = (
            self.notices, self.rail, self.inspector, self.transport, self.jobs_popup, self.docks, self.actions_, self.step_stack,
        )  # fmt: skip
        with dressing(QApplication.instance(), theme):
            for part in parts:
                part.set_theme(theme)
        self._rail_area.updateGeometry()
        self.inspection.show()

    # --- what the system tells the window --------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.placement.arrange_once()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        self.drops.take(Path(event.mimeData().urls()[0].toLocalFile()))

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
        self.placement.remember()
        self.settings.update(step=self.rail.current)
        with suppress(OSError):  # a full or read-only disk must not keep the window open
            self.settings.save()
        self.documents.session.close(discard=True)
        event.accept()
