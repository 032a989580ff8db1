"""The experiment as it is edited: one spec, every edit undoable, kept in the session as it changes."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QUndoStack

from engine.session import Session
from engine.specs import ExperimentSpec, Spec
from gui.undo import SpecEdit

EXPERIMENT_FIELDS = ("title", "seed", "threads")


class Editor(QObject):
    """Holds the spec that the forms show. ``changed`` comes after every edit, undo, redo or replacement."""

    changed = Signal(object)  # ExperimentSpec

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.undo_stack = QUndoStack(self)

    @property
    def spec(self) -> ExperimentSpec:
        """The experiment as it stands."""
        return self._session.spec

    def attach(self, session: Session) -> None:
        """Edit another session's experiment; nothing of the last one can be undone any more."""
        self._session = session
        self.undo_stack.clear()
        self.changed.emit(self.spec)

    @Slot(str, object, str)
    def edit(self, part: str, new: Spec, field: str) -> None:
        """Take an edit from a form: ``part`` is one of ``engine.specs.PARTS``, or "experiment"."""
        old = self.part(part)
        if new != old:
            self.undo_stack.push(SpecEdit(part, field, old, new, self._apply))

    def replace(self, spec: ExperimentSpec, text: str) -> None:
        """Put a whole experiment in place, as one edit."""
        if spec != self.spec:
            self.undo_stack.push(SpecEdit("everything", "", self.spec, spec, self._apply, text=text))

    def part(self, name: str) -> Spec:
        """A part of the experiment; the experiment itself for "experiment" and "everything"."""
        return self.spec if name in ("experiment", "everything") else getattr(self.spec, name)

    def _apply(self, part: str, new: Spec) -> None:
        if part == "everything":
            assert isinstance(new, ExperimentSpec)
            spec = new
        elif part == "experiment":
            # only its own fields: the parts may have been edited since this edit was made
            spec = self.spec.model_copy(update={name: getattr(new, name) for name in EXPERIMENT_FIELDS})
        else:
            spec = self.spec.model_copy(update={part: new})
        self._session.set_spec(spec)
        self.changed.emit(spec)
