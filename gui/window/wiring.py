"""Which part of the window answers what another asks for. Nothing is decided here.

What follows one other part only is connected in its own file.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gui.main_window import MainWindow


def wire(window: MainWindow) -> None:
    """Connect every part that asks with the one that answers."""
    wire_steps(window)
    wire_files(window)
    wire_sweep(window)
    wire_panels(window)


def wire_steps(window: MainWindow) -> None:
    """The forms of the steps, and the transport."""
    runner, transport = window.runner, window.transport
    for key, form in window.step_forms.items():
        form.action_requested.connect(partial(runner.run_step, key))
        form.run_all_requested.connect(runner.run_all)
        for spec_form in form.forms:
            spec_form.edited.connect(
                window.sweep_desk.set_machine if spec_form is window.machine else window.editor.edit
            )
    transport.run_requested.connect(runner.run_or_resume)
    transport.pause_requested.connect(runner.pause)
    transport.step_requested.connect(runner.single_step)
    transport.stop_requested.connect(runner.stop)


def wire_files(window: MainWindow) -> None:
    """The session's file, and the report."""
    documents, messages = window.documents, window.messages
    documents.failed.connect(messages.fail)
    documents.open_sweep = window.sweep_desk.open
    documents.hold_jobs = partial(window.jobs.hold, window.bridge.tick)
    documents.end_jobs = window.jobs.end_all
    window.reporting.finished.connect(messages.say)
    window.reporting.failed.connect(messages.fail)


def wire_sweep(window: MainWindow) -> None:
    """The sweep, which has an engine and panels of its own."""
    desk, messages = window.sweep_desk, window.messages
    desk.sweeps.state_changed.connect(window.actions_.set_sweep_state)
    desk.said.connect(messages.say)
    desk.failed.connect(messages.fail)
    desk.broke.connect(messages.show_bug)
    desk.shown.connect(window.docks.show_panel)
    desk.step_wanted.connect(window.navigation.show_step)
    desk.compare_wanted.connect(window.beside.compare_points)
    desk.run_wanted.connect(window.runner.run)


def wire_panels(window: MainWindow) -> None:
    """What is asked for in panels: runs, settings, and a word on what was exported."""
    docks, looks, messages = window.docks, window.looks, window.messages
    settings = window.navigation.show_settings
    docks.compare.side_by_side_requested.connect(window.beside.compare_runs)
    docks.map.map_requested.connect(looks.map_sample)
    docks.classes.measure_requested.connect(looks.measure_classes)
    docks.checks.check_requested.connect(looks.check_attack)
    docks.robustness.robustness_requested.connect(partial(looks.look, "robustness"))
    docks.robustness.settings_requested.connect(partial(settings, "robustness"))
    docks.takeover.takeover_requested.connect(partial(looks.look, "takeover"))
    docks.takeover.falsifier_requested.connect(partial(looks.look, "falsifier"))
    docks.profile.null_requested.connect(partial(looks.look, "null"))
    docks.profile.repeats_requested.connect(partial(looks.look, "repeats"))
    docks.profile.layers_requested.connect(partial(looks.look, "layers"))
    docks.bell.bell_requested.connect(partial(looks.look, "bell"))
    docks.structure.structure_requested.connect(partial(looks.look, "structure"))
    docks.all_pairs.all_pairs_requested.connect(partial(looks.look, "all_pairs"))
    docks.relations.vulnerability_requested.connect(partial(looks.look, "vulnerability"))
    docks.relations.transferability_requested.connect(partial(looks.look, "transferability"))
    docks.relations.settings_requested.connect(partial(settings, "transfer"))
    docks.reconcile.reconciliation_requested.connect(partial(looks.look, "reconciliation"))
    docks.reconcile.price_requested.connect(partial(looks.look, "price"))
    docks.reconcile.settings_requested.connect(settings)
    docks.reconcile.edited.connect(window.editor.edit)
    docks.hardening.hardening_requested.connect(partial(looks.look, "hardening"))
    docks.hardening.settings_requested.connect(partial(settings, "hardening"))
    docks.noise.noise_requested.connect(partial(looks.look, "max_likelihood"))
    docks.noise.settings_requested.connect(partial(settings, "max_likelihood"))
    docks.claims.run_requested.connect(window.runner.run)  # the board stays in front
    docks.training.noted.connect(messages.say)
    for panel in (*docks.drawn, *docks.listing):
        panel.failed.connect(messages.fail)
        panel.exported.connect(messages.say)
