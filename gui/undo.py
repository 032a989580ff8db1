"""Undo and redo of spec edits. Typing in one field is one command, however many keys it took."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtGui import QUndoCommand

from engine.specs import Spec

_MERGE_ID = 1


class SpecEdit(QUndoCommand):
    """One edit of one part of the experiment. ``apply(part, spec)`` puts a spec in place, and is called by push."""

    def __init__(
        self,
        part: str,
        field: str,
        old: Spec,
        new: Spec,
        apply: Callable[[str, Spec], None],
        *,
        text: str = "",
        parent: QUndoCommand | None = None,
    ) -> None:
        super().__init__(text or f"Change {field.replace('_', ' ')}", parent)
        self.part = part
        self.field = field
        self.old = old
        self.new = new
        self._apply = apply

    def redo(self) -> None:
        self._apply(self.part, self.new)

    def undo(self) -> None:
        self._apply(self.part, self.old)

    def id(self) -> int:
        return _MERGE_ID

    def mergeWith(self, other: QUndoCommand) -> bool:
        """Take a further edit of the same field into this one; an edit back to the start leaves nothing to undo."""
        if not isinstance(other, SpecEdit) or (other.part, other.field) != (self.part, self.field):
            return False
        if type(self.old) is not type(self.new) or type(other.old) is not type(other.new):
            return False  # another variant was chosen: each choice is its own step
        self.new = other.new
        self.setObsolete(self.new == self.old)
        return True
