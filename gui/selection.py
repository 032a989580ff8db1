"""What is chosen, shared by all panels: choosing a sample, a pair, a layer or a class in one chooses it in all.

Panels hold no selection of their own. They call a ``set_…`` method when a person chooses, and draw when the signal
comes back, so that a panel's own click and another panel's click take the same path.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from PySide6.QtCore import QObject, Signal

View = Literal["centred", "uncentred"]
Aspect = Literal["sample", "pair", "tap", "klass", "view"]
VIEWS: tuple[View, ...] = ("centred", "uncentred")  # the order of the first axis of every frame's arrays


class Selection(QObject):
    """The one selection of the window. A signal comes only when something really changed, with the new value."""

    sample_changed = Signal(object)  # test index, or None
    pair_changed = Signal(object)  # (test index, test index), -1 for a training sample; or None
    tap_changed = Signal(object)  # name of a tap, or None
    klass_changed = Signal(object)  # class number, or None
    view_changed = Signal(str)  # "centred" or "uncentred"
    changed = Signal(str)  # which was chosen, or chosen again after another: "sample", "pair", "tap", "klass", "view"

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._sample: int | None = None
        self._pair: tuple[int, int] | None = None
        self._tap: str | None = None
        self._klass: int | None = None
        self._view: View = "centred"
        self._latest: Aspect | None = None

    @property
    def sample(self) -> int | None:
        return self._sample

    @property
    def pair(self) -> tuple[int, int] | None:
        return self._pair

    @property
    def tap(self) -> str | None:
        return self._tap

    @property
    def klass(self) -> int | None:
        return self._klass

    @property
    def view(self) -> View:
        return self._view

    @property
    def view_index(self) -> int:
        """Position of the view on the first axis of frames: 0 centred, 1 uncentred."""
        return VIEWS.index(self._view)

    @property
    def latest(self) -> Aspect | None:
        """What was chosen last; the inspector shows this one. None before anything was chosen."""
        return self._latest

    def set_sample(self, index: int | None) -> None:
        self._set("sample", None if index is None else int(index))

    def set_pair(self, pair: Sequence[int] | None) -> None:
        self._set("pair", None if pair is None else (int(pair[0]), int(pair[1])))

    def set_tap(self, name: str | None) -> None:
        self._set("tap", name)

    def set_klass(self, klass: int | None) -> None:
        self._set("klass", None if klass is None else int(klass))

    def set_view(self, view: View) -> None:
        if view not in VIEWS:
            raise ValueError(f"no such view: {view!r}; there are {' and '.join(VIEWS)}")
        self._set("view", view)

    def set_centred(self, on: bool) -> None:
        """The view by whether it is the centred one."""
        self.set_view("centred" if on else "uncentred")

    def clear(self) -> None:
        """Choose nothing, as when another session is opened. The view stays."""
        self.set_sample(None)
        self.set_pair(None)
        self.set_tap(None)
        self.set_klass(None)
        self._latest = None

    def _set(self, aspect: Aspect, value: object) -> None:
        differs = getattr(self, f"_{aspect}") != value
        # choosing the same sample again after a pair brings the sample back to the inspector
        again = value is not None and aspect != self._latest
        if differs or again:
            setattr(self, f"_{aspect}", value)
            self._latest = aspect
        if differs:
            getattr(self, f"{aspect}_changed").emit(value)
        if differs or again:
            self.changed.emit(aspect)
