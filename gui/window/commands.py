"""What each command does, and which of them can be used at first. Nothing is decided here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWhatsThis

from engine.experiments.views import VIEWS
from gui.about import about_text, guide_text, keys_text, show_text
from gui.looks import LOOK_PANELS

if TYPE_CHECKING:
    from gui.main_window import MainWindow


def bind_commands(window: MainWindow) -> None:
    """Bind every command of the window."""
    actions = window.actions_
    bind_files(window)
    bind_edits(window)
    bind_runs(window)
    bind_views(window)
    actions.bind("help.whats_this", QWhatsThis.enterWhatsThisMode)
    actions.bind("help.guide", lambda: show_text(window, "User's guide", guide_text()))
    actions.bind("help.keys", lambda: show_text(window, "Keyboard", keys_text(actions)))
    actions.bind("help.about", lambda: show_text(window, "About Rapidity Lab", about_text()))
    actions.set_state("idle")
    actions.set_sweep_state("none")


def bind_files(window: MainWindow) -> None:
    """The File menu."""
    bind, documents, editor = window.actions_.bind, window.documents, window.editor
    bind("file.new", lambda: documents.new(editor.spec))  # with the settings as they stand
    bind("file.open", documents.choose_and_open)
    bind("file.save", documents.save)
    bind("file.save_as", documents.save_as)
    bind("file.import_spec", documents.choose_and_import)
    bind("file.export_spec", documents.choose_and_export)
    bind("file.save_sweep", window.sweep_desk.choose_and_copy)
    bind("file.quit", window.close)


def bind_edits(window: MainWindow) -> None:
    """The Edit menu."""
    actions, stack = window.actions_, window.editor.undo_stack
    actions.bind("edit.undo", stack.undo)
    actions.bind("edit.redo", stack.redo)
    stack.canUndoChanged.connect(actions["edit.undo"].setEnabled)
    stack.canRedoChanged.connect(actions["edit.redo"].setEnabled)
    actions["edit.undo"].setEnabled(False)
    actions["edit.redo"].setEnabled(False)


def bind_runs(window: MainWindow) -> None:
    """The Run menu."""
    bind, runner, looks, sweeps = window.actions_.bind, window.runner, window.looks, window.sweep_desk.sweeps
    bind("run.step_action", runner.run_current_step)
    bind("run.all", runner.run_all)
    bind("run.start", runner.run_or_resume)
    bind("run.pause", runner.pause)
    bind("run.step", runner.single_step)
    bind("run.stop", runner.stop)
    bind("run.decision_map", looks.map_selected)
    bind("run.class_matrix", looks.measure_classes)
    bind("run.attack_checks", looks.check_attack)
    for name in LOOK_PANELS:
        bind(f"run.{name}", looks.look, name)
    bind("run.sweep", runner.run_step, "sweep")
    bind("run.sweep_pause", sweeps.pause)
    bind("run.sweep_stop", sweeps.stop)


def bind_views(window: MainWindow) -> None:
    """The View menu."""
    actions, docks, themes = window.actions_, window.docks, window.theme_choice
    bind = actions.bind
    bind("view.live", window.stage.go_live)
    bind("view.previous_instant", window.moments.move, -1)
    bind("view.next_instant", window.moments.move, 1)
    bind("view.maximise", docks.toggle_focused)
    bind("view.side_by_side", window.navigation.show_side_by_side)
    bind("view.reset_layout", docks.reset_layout)
    bind("view.centred", window.selection.set_centred)
    window.selection.view_changed.connect(lambda view: actions["view.centred"].setChecked(view == VIEWS[0]))
    actions["view.centred"].setChecked(True)
    bind("view.jobs", window.job_display.show_list)
    bind("view.log", docks.show_log)
    for name in ("system", "light", "dark"):
        bind(f"view.theme_{name}", themes.choose, name)
    actions[f"view.theme_{window.settings.values.theme}"].setChecked(True)
    bind("view.larger", themes.scale, 1.1)
    bind("view.smaller", themes.scale, 1 / 1.1)
