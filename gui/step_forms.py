"""The forms of the steps, each made of the forms of its parts."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtWidgets import QLabel

from gui import steps
from gui.actions import Actions
from gui.chrome.rail import STEPS
from gui.chrome.step_form import StepForm, link
from gui.editor import Editor
from gui.forms.axes import AxesEditor
from gui.forms.form import SpecForm
from gui.forms.machine import MACHINE, MachineSpec
from gui.settings import Settings
from gui.theme import Theme


@dataclass(frozen=True)
class StepForms:
    """The forms by step, and those in the sweep's that are no part of the experiment's spec or edit it otherwise."""

    forms: dict[str, StepForm]
    axes: AxesEditor
    machine: SpecForm


def make_step_forms(editor: Editor, settings: Settings, actions: Actions, theme: Theme) -> StepForms:
    """Make the form of every step, with the settings as they stand."""
    forms: dict[str, StepForm] = {}
    axes = AxesEditor(editor.spec, theme)
    values = settings.values
    machine = SpecForm(MACHINE, MachineSpec(workers=values.workers, scheduler=values.scheduler), theme)
    for step in STEPS:
        form = StepForm(step.key, step.label, theme)
        made = {part: SpecForm(part, editor.part(part), theme) for part in steps.FORMS[step.key]}
        folded = {action: made.pop(part) for part, action in steps.FOLDED.items() if part in made}
        if step.key == "sweep":
            form.add_form(axes)
        for spec_form in made.values():
            form.add_form(spec_form)
        if step.key == "sweep":
            title = QLabel("On this computer, whatever the experiment")
            title.setProperty("role", "small")
            title.setWordWrap(True)
            form.add_widget(title)
            form.add_form(machine)
        form.set_description(steps.DESCRIPTIONS.get(step.key, ""))
        for action in steps.LOOKS.get(step.key, ()):
            button = link(actions[action])
            if action in folded:
                form.add_folded(button, folded[action])
            else:
                form.add_below(button)
        forms[step.key] = form
    return StepForms(forms, axes, machine)
