"""Which part of the window hears of what, and what each command does. Nothing is decided here."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWhatsThis

from engine.paths import RESOURCES
from gui.claim_runs import ClaimRuns
from gui.looks import LOOK_PANELS

if TYPE_CHECKING:
    from gui.main_window import MainWindow


def wire(window: MainWindow) -> None:
    """Tell every part of the window of what it has to know."""
    window.bridge.delivered.connect(window._on_delivery)
    window.bridge.ticked.connect(window._on_tick)
    window._slow.timeout.connect(window._on_slow)
    window.rail.step_chosen.connect(window.show_step)
    for key, form in window.step_forms.items():
        form.action_requested.connect(partial(window.run_step, key))
        form.run_all_requested.connect(window.run_all)
        for spec_form in form.forms:
            spec_form.edited.connect(
                window.sweep_desk.set_machine if spec_form is window.machine else window.editor.edit
            )
    window.editor.changed.connect(window._on_spec)
    window.transport.run_requested.connect(window.run_or_resume)
    window.transport.pause_requested.connect(window.pause)
    window.transport.step_requested.connect(window.single_step)
    window.transport.stop_requested.connect(window.stop)
    window.transport.moment_chosen.connect(window.stage.go_to)
    window.transport.live_requested.connect(window.stage.go_live)
    window.transport.jobs_requested.connect(window.show_jobs)
    window.jobs.state_changed.connect(window._on_state)
    window.jobs.listed.connect(window._on_jobs)
    window.jobs.progressed.connect(window._on_progress)
    window.jobs.ended.connect(window._on_ended)
    window.jobs_popup.pause_requested.connect(window.jobs.pause)
    window.jobs_popup.resume_requested.connect(window.jobs.resume)
    window.jobs_popup.cancel_requested.connect(window.jobs.cancel)
    window.stage.instants_changed.connect(window._on_instants)
    window.stage.moment_changed.connect(window._on_moment)
    window.stage.topic_changed.connect(window._on_topic)
    window.selection.changed.connect(window._on_selection)
    window.selection.view_changed.connect(window._on_view)
    window.documents.opened.connect(window._on_session)
    window.documents.saved.connect(window._on_saved)
    window.documents.failed.connect(window._on_failure)
    window.documents.open_sweep = window.sweep_desk.open
    window.documents.hold_jobs = window._hold
    window.documents.end_jobs = window.jobs.end_all
    window.reporting.finished.connect(window._say)
    window.reporting.failed.connect(window._on_failure)
    window.compare.baseline_chosen.connect(window._on_baseline)
    window.compare.side_by_side_requested.connect(window._on_side_by_side)
    window.docks.maximised_changed.connect(window._on_maximised)
    window.gallery.step_requested.connect(partial(window._go_to_step, "attack"))
    window.docks.curves.step_requested.connect(partial(window._go_to_step, "attack"))
    window.training.step_requested.connect(partial(window._go_to_step, "train"))
    window.docks.map.map_requested.connect(window.map_sample)
    window.docks.classes.measure_requested.connect(window.measure_classes)
    window.docks.checks.check_requested.connect(window.check_attack)
    window.docks.robustness.robustness_requested.connect(partial(window.look, "robustness"))
    window.docks.robustness.settings_requested.connect(partial(window.show_settings, "robustness"))
    window.docks.takeover.takeover_requested.connect(partial(window.look, "takeover"))
    window.docks.takeover.falsifier_requested.connect(partial(window.look, "falsifier"))
    window.profile.null_requested.connect(partial(window.look, "null"))
    window.profile.repeats_requested.connect(partial(window.look, "repeats"))
    window.profile.layers_requested.connect(partial(window.look, "layers"))
    window.docks.bell.bell_requested.connect(partial(window.look, "bell"))
    window.docks.structure.structure_requested.connect(partial(window.look, "structure"))
    window.docks.all_pairs.all_pairs_requested.connect(partial(window.look, "all_pairs"))
    window.docks.relations.vulnerability_requested.connect(partial(window.look, "vulnerability"))
    window.docks.relations.settings_requested.connect(partial(window.show_settings, "transfer"))
    window.docks.relations.transferability_requested.connect(partial(window.look, "transferability"))
    window.docks.reconcile.reconciliation_requested.connect(partial(window.look, "reconciliation"))
    window.docks.reconcile.price_requested.connect(partial(window.look, "price"))
    window.docks.reconcile.settings_requested.connect(window.show_settings)
    window.docks.reconcile.edited.connect(window.editor.edit)
    window.stage.cleared.connect(partial(window.docks.reconcile.set_known, (), ()))
    window.training.noted.connect(window._say)
    window.docks.hardening.hardening_requested.connect(partial(window.look, "hardening"))
    window.docks.hardening.settings_requested.connect(partial(window.show_settings, "hardening"))
    window.docks.noise.noise_requested.connect(partial(window.look, "max_likelihood"))
    window.docks.noise.settings_requested.connect(partial(window.show_settings, "max_likelihood"))
    window.docks.claims.run_requested.connect(window._run)  # the board stays in front
    window._claim_runs = ClaimRuns(window.docks.claims, window.jobs, window._run, window)
    window.sweep_desk.sweeps.state_changed.connect(window._on_sweep_state)
    window.sweep_desk.said.connect(window._say)
    window.sweep_desk.failed.connect(window._on_failure)
    window.sweep_desk.broke.connect(window._on_bug)
    window.sweep_desk.shown.connect(window.docks.show_panel)
    window.sweep_desk.step_wanted.connect(window.show_step)
    window.sweep_desk.compare_wanted.connect(window._on_points_compared)
    window.sweep_desk.run_wanted.connect(window._run)
    window.stage.results_changed.connect(window._on_results)
    for panel in (*window.panels, *window.docks.listing):
        panel.failed.connect(window._on_failure)
        panel.exported.connect(window._say)


def bind_actions(window: MainWindow) -> None:
    """Say what each command does, and which of them can be used at first."""
    bind = window.actions_.bind
    documents, stack = window.documents, window.editor.undo_stack
    bind("file.new", window.new_session)
    bind("file.open", documents.choose_and_open)
    bind("file.save", documents.save)
    bind("file.save_as", documents.save_as)
    bind("file.import_spec", documents.choose_and_import)
    bind("file.export_spec", documents.choose_and_export)
    bind("file.quit", window.close)
    bind("edit.undo", stack.undo)
    bind("edit.redo", stack.redo)
    stack.canUndoChanged.connect(window.actions_["edit.undo"].setEnabled)
    stack.canRedoChanged.connect(window.actions_["edit.redo"].setEnabled)
    window.actions_["edit.undo"].setEnabled(False)
    window.actions_["edit.redo"].setEnabled(False)
    bind("run.step_action", window.run_current_step)
    bind("run.all", window.run_all)
    bind("run.start", window.run_or_resume)
    bind("run.pause", window.pause)
    bind("run.step", window.single_step)
    bind("run.stop", window.stop)
    bind("run.decision_map", window.map_selected)
    bind("run.class_matrix", window.measure_classes)
    bind("run.attack_checks", window.check_attack)
    for name in LOOK_PANELS:
        bind(f"run.{name}", window.look, name)
    bind("run.sweep", window.run_step, "sweep")
    bind("run.sweep_pause", window.sweep_desk.sweeps.pause)
    bind("run.sweep_stop", window.sweep_desk.sweeps.stop)
    bind("file.save_sweep", window.sweep_desk.choose_and_copy)
    window._on_sweep_state("none")
    bind("view.live", window.go_live)
    bind("view.previous_instant", window._move, -1)
    bind("view.next_instant", window._move, 1)
    bind("view.maximise", window._toggle_maximised)
    bind("view.side_by_side", window.show_side_by_side)
    bind("view.reset_layout", window.docks.reset_layout)
    bind("view.centred", window._set_centred)
    bind("view.jobs", window.show_jobs)
    bind("view.log", window._show_log)
    for name in ("system", "light", "dark"):
        bind(f"view.theme_{name}", window._choose_theme, name)
    bind("view.larger", window._scale, 1.1)
    bind("view.smaller", window._scale, 1 / 1.1)
    bind("help.whats_this", QWhatsThis.enterWhatsThisMode)
    bind("help.guide", window._open_guide)
    bind("help.keys", window._show_keys)
    bind("help.about", window._show_about)
    window.actions_["view.centred"].setChecked(True)
    window.actions_[f"view.theme_{window.settings.values.theme}"].setChecked(True)
    window.actions_.set_state("idle")
    window._recent_menu.aboutToShow.connect(window._fill_recent)
    for path in sorted((RESOURCES / "examples").glob("*.toml")):
        action = window._examples_menu.addAction(path.stem.replace("-", " ").capitalize())
        action.triggered.connect(partial(window._open_example, path))
