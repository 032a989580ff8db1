"""The forms of the steps, one shown at a time."""

from __future__ import annotations

from PySide6.QtWidgets import QStackedWidget

from engine.specs import ExperimentSpec
from gui import steps
from gui.editor import Editor
from gui.forms.form import description
from gui.step_forms import StepForms
from gui.theme import Theme


class StepStack(QStackedWidget):
    """Shows a step's form, and keeps all of them to the settings as they stand."""

    def __init__(self, made: StepForms, editor: Editor) -> None:
        super().__init__()
        self.forms = made.forms
        self._machine, self._editor = made.machine, editor
        for form in self.forms.values():
            self.addWidget(form)
        self._fit()

    def show_step(self, key: str) -> None:
        """Show a step's form."""
        self.setCurrentWidget(self.forms[key])

    def commit(self) -> str | None:
        """Take what is still being typed; the first step with an entry that cannot be used, None where all can."""
        return next((key for key, form in self.forms.items() if not form.commit()), None)

    def set_experiment(self, spec: ExperimentSpec) -> None:
        """Show the settings as they stand; what this computer gives is none of the experiment's."""
        for key, form in self.forms.items():
            form.set_action(steps.action(key, spec), run_all=key in steps.DEPENDS)
            for spec_form in form.forms:
                if spec_form is self._machine:
                    continue
                part = self._editor.part(spec_form.part)
                if spec_form.spec != part:
                    spec_form.set_spec(part)
                if spec_form.part not in ("experiment", "controls", *steps.FOLDED):
                    form.set_description(description(type(part)))

    def set_theme(self, theme: Theme) -> None:
        """Take another look."""
        for form in self.forms.values():
            form.set_theme(theme)
        self._fit()

    def _fit(self) -> None:
        self.setFixedWidth(next(iter(self.forms.values())).width())
