"""Work is begun here: what a step's big button says, everything, and what the transport's buttons ask for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from PySide6.QtCore import QObject, Slot

from gui import steps
from gui.editor import Editor
from gui.jobs import Jobs, job_title
from gui.stage import Stage
from gui.window.messages import WELCOME, Messages
from gui.window.navigation import Navigation
from gui.window.step_stack import StepStack
from gui.workspace import Workspace


class Runner(QObject):
    """Runs experiments with the settings as they stand, once what is still being typed is taken in.

    ``run_sweep`` and ``write_report`` do what the buttons of those two steps say, which are no experiments.
    """

    def __init__(
        self,
        jobs: Jobs,
        editor: Editor,
        stage: Stage,
        docks: Workspace,
        stack: StepStack,
        navigation: Navigation,
        messages: Messages,
        run_sweep: Callable[[], None],
        write_report: Callable[[], None],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._jobs, self._editor, self._stage, self._docks = jobs, editor, stage, docks
        self._stack, self._navigation, self._messages = stack, navigation, messages
        self._run_sweep, self._write_report = run_sweep, write_report

    # --- steps -----------------------------------------------------------------------------------------------

    @Slot(str)
    def run_step(self, key: str) -> None:
        """Do what a step's big button says."""
        for panel in steps.PANELS.get(key, ()):
            self._docks.show_panel(panel)
        match key:
            case "compare":
                pass  # its panel is all there is to it
            case "sweep":
                if self._take_entries():
                    self._run_sweep()
            case "report":
                self._write_report()
            case _:
                self.run(key)

    @Slot()
    def run_current_step(self) -> None:
        """Press the shown step's button, which takes in first what is still being typed."""
        self._stack.forms[self._navigation.current].action_button.click()

    @Slot()
    def run_all(self) -> None:
        """Data, training, attack and measurement in one run."""
        self._messages.notices.dismiss(WELCOME)
        for panel in ("training", "gallery", "profile"):
            self._docks.show_panel(panel)
        self.run("story")

    # --- transport -------------------------------------------------------------------------------------------

    @Slot()
    def run_or_resume(self) -> None:
        """The run button: go on after a pause, else run everything."""
        if self._jobs.state == "paused":
            self._jobs.resume()
        elif self._jobs.state == "idle":
            self.run_all()

    @Slot()
    def pause(self) -> None:
        """Pause after the current step."""
        self._jobs.pause()

    @Slot()
    def single_step(self) -> None:
        """One step of the paused job; where none runs, the shown step's experiment is begun and paused."""
        if self._jobs.state == "idle":
            key = self._navigation.current
            self.run(key if key in steps.DEPENDS else "story", paused=True)
        else:
            self._jobs.step()

    @Slot()
    def stop(self) -> None:
        """Stop the current job."""
        self._jobs.cancel()

    # --- any experiment --------------------------------------------------------------------------------------

    def run(self, experiment: str, *, paused: bool = False, change: Mapping[str, Any] | None = None) -> None:
        """Run an experiment with the settings as they stand, but for what ``change`` names."""
        if not self._take_entries():
            return
        spec = self._editor.spec.model_copy(update=dict(change or {}))
        if self._jobs.has(experiment, spec):
            self._messages.say(f"{job_title(experiment)} runs or waits already, with these settings.")
            return
        self._messages.forget_failures()
        self._stage.go_live()
        self._jobs.run(experiment, spec, paused=paused)

    def _take_entries(self) -> bool:
        """Take what is still being typed in any form; False, and the field is shown, where it cannot be used."""
        key = self._stack.commit()
        if key is None:
            return True
        self._navigation.show_step(key)
        name = self._stack.forms[key].accessibleName()
        self._messages.fail(f"An entry on the {name} step cannot be used. Mend the field marked there, then run again.")
        return False
