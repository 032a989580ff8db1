"""The moment that is shown: moved by keys and by panels, and told to the time slider and the curves."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QObject, Slot

from gui.chrome.transport import Transport
from gui.stage import Stage
from gui.workspace import Workspace


class Moments(QObject):
    """Stands between the stage, which shows a moment, and what a person chooses it with."""

    def __init__(self, stage: Stage, transport: Transport, docks: Workspace, parent: QObject) -> None:
        super().__init__(parent)
        self._stage, self._transport, self._docks = stage, transport, docks
        stage.instants_changed.connect(self._on_instants)
        stage.moment_changed.connect(self._on_moment)
        transport.moment_chosen.connect(stage.go_to)
        transport.live_requested.connect(stage.go_live)
        docks.gallery.step_requested.connect(partial(self.go_to_step, "attack"))
        docks.curves.step_requested.connect(partial(self.go_to_step, "attack"))
        docks.training.step_requested.connect(partial(self.go_to_step, "train"))

    def move(self, by: int) -> None:
        """To the moment before (-1) or after the one shown."""
        instants, moment = self._stage.instants, self._stage.moment
        if not instants:
            return
        ids = [instant.id for instant in instants]
        at = ids.index(moment.id) if moment is not None else len(ids) - 1
        self._stage.go_to(ids[min(max(at + by, 0), len(ids) - 1)])

    def go_to_step(self, phase: str, step: int) -> None:
        """A panel asks for a step of training or of the attack: the latest recorded moment up to it."""
        shown = self._stage.moment
        runs = [i.run for i in self._stage.instants if i.phase == phase and (shown is None or i.run <= shown.run)]
        run = max(runs, default=None)
        found = [i for i in self._stage.instants if i.run == run and i.phase == phase and i.step <= step]
        if found:
            self._stage.go_to(found[-1].id)

    @Slot()
    def _on_instants(self) -> None:
        self._transport.set_moments(self._stage.instants)

    @Slot()
    def _on_moment(self) -> None:
        moment = self._stage.moment
        self._transport.set_moment(moment.id if moment else None)
        step = self._stage.training_step()
        self._docks.training.set_moment("train" if step is not None else "", step)
        step = self._stage.attack_step()
        self._docks.curves.set_moment("attack" if step is not None else "", step)
        self._docks.results.set_moment(moment.run if moment else None)
