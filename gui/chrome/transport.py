"""The transport bar, as in a video editor: run, pause, single step, stop, and the time slider."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtWidgets import (
    QAbstractSlider,
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from gui.actions import COMMANDS, RunState
from gui.chrome.moments import Moment
from gui.chrome.timeleft import TimeLeft, clock_text
from gui.chrome.timeline import Timeline
from gui.icons import icon
from gui.panels.labels import ElidedLabel
from gui.theme import Theme

_DECLARED = {command.id: command for command in COMMANDS}
_BUTTONS = {"run": "run.start", "pause": "run.pause", "step": "run.step", "stop": "run.stop"}


class Transport(QFrame):
    """Buttons, time slider and progress. It decides nothing: it asks by signals and shows what it is told."""

    run_requested = Signal()  # run, or go on after a pause
    pause_requested = Signal()
    step_requested = Signal()
    stop_requested = Signal()
    moment_chosen = Signal(int)  # id of the moment a person moved to; the view is no longer live
    live_requested = Signal()
    jobs_requested = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent, objectName="card")
        self._theme = theme
        self._state: RunState = "idle"
        self._live = True
        self._icons: dict[QToolButton, str] = {}
        self._left = TimeLeft()
        self.setAccessibleName("Transport")

        self.buttons = {name: self._button(id) for name, id in _BUTTONS.items()}
        for name, button in self.buttons.items():
            button.clicked.connect(getattr(self, f"_on_{name}"))
        self.timeline = Timeline(theme)
        self.timeline.moment_chosen.connect(self._on_moment)
        self._where = QLabel()
        self._where.setAccessibleName("Moment shown")
        self._where.setAlignment(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight)
        self.live_button = self._button("view.live", text=" Live")
        self.live_button.setCheckable(True)
        self.live_button.clicked.connect(self._on_live)

        self.progress = QProgressBar(textVisible=False)
        self.progress.setAccessibleName("Progress of the job")
        policy = self.progress.sizePolicy()
        policy.setRetainSizeWhenHidden(True)  # so that nothing moves when a job begins
        self.progress.setSizePolicy(policy)
        self._text = ElidedLabel()
        self._time = QLabel()
        for label in (self._text, self._time):
            label.setProperty("role", "small")
        words = QHBoxLayout()
        words.setSpacing(6)
        words.addWidget(self._text, 1)
        words.addWidget(self._time)
        self._gauge = QWidget()
        gauge = QVBoxLayout(self._gauge)
        gauge.setContentsMargins(0, 0, 0, 0)
        gauge.setSpacing(4)
        gauge.addStretch(1)
        gauge.addWidget(self.progress)
        gauge.addLayout(words)
        gauge.addStretch(1)

        self.jobs_button = self._button("view.jobs", text=" No job")
        self.jobs_button.clicked.connect(self._on_jobs)

        row = QHBoxLayout(self)
        row.setContentsMargins(8, 5, 8, 5)
        row.setSpacing(2)
        for button in self.buttons.values():
            row.addWidget(button)
        row.addSpacing(6)
        row.addWidget(self.timeline, 1)
        row.addSpacing(6)
        row.addWidget(self._where)
        row.addSpacing(4)
        row.addWidget(self.live_button)
        row.addSpacing(8)
        row.addWidget(self._gauge)
        row.addSpacing(6)
        row.addWidget(self.jobs_button)
        self.set_theme(theme)
        self.set_state("idle")
        self.clear_progress()
        self._show_live()

    # --- what it is told -------------------------------------------------------------------------------------

    @property
    def state(self) -> RunState:
        return self._state

    @property
    def live(self) -> bool:
        """Whether the window follows the run, as against showing a moment of the past."""
        return self._live

    def set_state(self, state: RunState) -> None:
        """idle, running, paused or stopping: which buttons can be pressed, as ``gui.actions`` declares."""
        if state != self._state:
            self._left.reset()
        self._state = state
        self._show_where()
        for name, id in _BUTTONS.items():
            self.buttons[name].setEnabled(state in _DECLARED[id].states)
        going_on = state == "paused"
        run = self.buttons["run"]
        run.setAccessibleName("Go on" if going_on else "Run")
        run.setIcon(icon("play", self._theme, self._theme.accent if run.isEnabled() else None))
        if state == "paused":
            self._time.setText("paused")
        elif state == "stopping":
            self._time.setText("stopping")

    def set_moments(self, moments: Sequence[Moment]) -> None:
        """Everything recorded, in order. While live the handle stays at the end."""
        self.timeline.set_moments(moments)
        if self._live:
            self.timeline.set_moment(None)
        self._show_where()

    def set_attacks(self, names: Mapping[int, str], ended: Collection[int]) -> None:
        """The names of the runs' attacks, and which runs went to their end."""
        self.timeline.set_attacks(names, ended)
        self._show_where()

    def set_moment(self, id: int | None) -> None:
        """Show a moment as chosen, or live for None; emits nothing."""
        self._live = id is None
        self.timeline.set_moment(id)
        self._show_live()

    def set_progress(self, done: int, total: int, text: str = "") -> None:
        """How far the job is; the time left comes from its pace. ``total`` 0 shows a bar without an end."""
        self.progress.show()
        self.progress.setRange(0, total)
        self.progress.setValue(done)
        self._text.set_text(text)
        if self._state in ("paused", "stopping"):
            return
        self._left.update(done, total)
        seconds = self._left.seconds
        self._time.setText(f"{clock_text(seconds)} left" if seconds is not None and done < total else "")

    @property
    def rate(self) -> float | None:
        """Units of progress a second, or None while it is too early to say."""
        return self._left.rate

    def clear_progress(self, text: str = "") -> None:
        """No job runs; ``text`` says how the last one ended."""
        self._left.reset()
        self.progress.setRange(0, 1)
        self.progress.setValue(0)
        self.progress.hide()
        self._text.set_text(text)
        self._time.setText("")

    def set_jobs(self, running: int, waiting: int = 0) -> None:
        """How many jobs there are."""
        count = running + waiting
        text = " No job" if not count else f" {count} job{'s' if count > 1 else ''}"
        self.jobs_button.setText(text)
        self.jobs_button.setAccessibleName(f"Jobs: {running} running, {waiting} waiting")

    def set_theme(self, theme: Theme) -> None:
        """Colour the icons and the slider."""
        self._theme = theme
        for button, name in self._icons.items():
            button.setIcon(icon(name, theme))
        self.timeline.set_theme(theme)
        self.progress.setFixedHeight(6)
        self._gauge.setFixedWidth(round(170 * theme.scale))
        self._where.setMinimumWidth(theme_width(self._where, "AutoAttack: step 000 / 000"))
        self.set_state(self._state)

    @Slot()
    def previous(self) -> None:
        """Move to the moment before, as a person would."""
        self.timeline.triggerAction(QAbstractSlider.SliderAction.SliderSingleStepSub)

    @Slot()
    def next(self) -> None:
        """Move to the moment after, as a person would."""
        self.timeline.triggerAction(QAbstractSlider.SliderAction.SliderSingleStepAdd)

    # --- the person ------------------------------------------------------------------------------------------

    def _button(self, id: str, text: str = "") -> QToolButton:
        command = _DECLARED[id]
        button = QToolButton(autoRaise=True, text=text, toolTip=command.tip)
        button.setIconSize(QSize(20, 20) if not text else QSize(16, 16))
        if text:
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setAccessibleName(command.text)
        button.setWhatsThis(command.help)
        self._icons[button] = command.icon
        return button

    @Slot()
    def _on_run(self) -> None:
        self.run_requested.emit()

    @Slot()
    def _on_pause(self) -> None:
        self.pause_requested.emit()

    @Slot()
    def _on_step(self) -> None:
        self.step_requested.emit()

    @Slot()
    def _on_stop(self) -> None:
        self.stop_requested.emit()

    @Slot(int)
    def _on_moment(self, id: int) -> None:
        self._live = False
        self._show_live()
        self.moment_chosen.emit(id)

    @Slot()
    def _on_live(self) -> None:
        self.set_moment(None)
        self.live_requested.emit()

    @Slot()
    def _on_jobs(self) -> None:
        self.jobs_requested.emit()

    def _show_live(self) -> None:
        self.live_button.setChecked(self._live)
        self._show_where()

    def _show_where(self) -> None:
        # while a run is followed, the progress beside it says where it is
        following = self._live and self._state == "running"
        self._where.setText("" if following else self.timeline.text() or "nothing recorded")
        self._where.setEnabled(bool(self.timeline.text()))


def theme_width(widget: QWidget, text: str) -> int:
    """The width of a text in a widget's font, so that a changing text does not move its neighbours."""
    return widget.fontMetrics().horizontalAdvance(text)
