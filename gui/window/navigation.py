"""Where the person is: at a step's form, or in the side-by-side view, which has the room of the forms too."""

from __future__ import annotations

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QWidget

from gui import steps
from gui.chrome.rail import Rail
from gui.window.step_stack import StepStack
from gui.workspace import Workspace

WIDE = "sidebyside"  # the panel that, shown alone, has the room of the form and the inspector too


class Navigation(QObject):
    """Leads from one step to another, and into the wide view and out of it."""

    def __init__(self, rail: Rail, stack: StepStack, docks: Workspace, inspector: QWidget, parent: QObject) -> None:
        super().__init__(parent)
        self._rail, self._stack, self._docks, self._inspector = rail, stack, docks, inspector
        rail.step_chosen.connect(self.show_step)
        docks.maximised_changed.connect(self._on_maximised)

    @property
    def current(self) -> str:
        """The step whose form is shown."""
        return self._rail.current

    @Slot(str)
    def show_step(self, key: str) -> None:
        """Show a step's form."""
        if self._docks.maximised == WIDE:
            self._docks.restore()
        self._rail.set_current(key)
        self._stack.show_step(key)

    @Slot(str)
    def show_settings(self, part: str) -> None:
        """Show the form of a part that folds out."""
        key = next(key for key, parts in steps.FORMS.items() if part in parts)
        self.show_step(key)
        self._stack.forms[key].reveal(part)

    @Slot()
    def show_side_by_side(self) -> None:
        """The side-by-side view, as wide as can be."""
        if self._docks.maximised != WIDE:
            self.show_step("compare")
            self._docks.show_panel(WIDE)
            self._docks.maximise(WIDE)

    @Slot(str)
    def _on_maximised(self, key: str) -> None:
        self._stack.setVisible(key != WIDE)
        self._inspector.setVisible(key != WIDE)
