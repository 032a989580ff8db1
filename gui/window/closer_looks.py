"""Closer looks at a result: each brings the panel that draws it to the front and runs its experiment."""

from __future__ import annotations

from PySide6.QtCore import QObject, Slot

from engine.specs import MapSpec
from gui.editor import Editor
from gui.looks import LOOK_PANELS
from gui.selection import Selection
from gui.window.runner import Runner
from gui.workspace import Workspace


class CloserLooks(QObject):
    """Begins closer looks. What they are of is chosen in the window or left to the experiment."""

    def __init__(self, runner: Runner, editor: Editor, selection: Selection, docks: Workspace, parent: QObject) -> None:
        super().__init__(parent)
        self._runner, self._editor, self._selection, self._docks = runner, editor, selection, docks

    @Slot(str)
    def look(self, name: str) -> None:
        """A closer look by its experiment's name, in the panel that draws it."""
        self._docks.show_panel(LOOK_PANELS[name])
        if name == "layers":
            self._docks.profile.show_page("split")
        if name in ("price", "reconciliation"):
            self._docks.reconcile.show_look(name)
        if name == "complexity":
            self._docks.complexity.await_session()
        self._runner.run(name)

    @Slot()
    def map_selected(self) -> None:
        """The decision map of the selected sample, or of the first that the attack has fooled."""
        self.map_sample(self._selection.sample if self._selection.sample is not None else -1, -1)

    @Slot(int, int)
    def map_sample(self, sample: int, third: int) -> None:
        """The decision map of a sample through a third one; -1 leaves a choice to the experiment. The settings stay."""
        self._docks.show_panel("map")
        wanted = MapSpec(sample=sample, third=third, resolution=self._editor.spec.map.resolution)
        self._runner.run("decision_map", change={"map": wanted})

    @Slot()
    def measure_classes(self) -> None:
        """The attack in its targeted form, from each class to every other."""
        self._docks.show_panel("classes")
        self._runner.run("class_matrix")

    @Slot()
    def check_attack(self) -> None:
        """Flags for what misleads attacks, and the active test of the attack as it is set."""
        self._docks.show_panel("checks")
        self._runner.run("attack_checks")
