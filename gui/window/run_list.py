"""The runs of the session: read when one ends, and shown wherever runs and their results are."""

from __future__ import annotations

from PySide6.QtCore import QObject, Slot

from engine.experiments import artifact_keys
from engine.session import Run, Session
from engine.specs import ExperimentSpec
from gui import steps
from gui.attack_runs import AttackRuns, attacks_of
from gui.chrome.rail import Rail
from gui.chrome.transport import Transport
from gui.columns import Columns
from gui.comparing import RunRows
from gui.stage import Stage
from gui.workspace import Workspace


class RunList(QObject):
    """Holds the runs of one session and hands them on: to the time slider, the lists, the columns and the rail."""

    def __init__(
        self,
        session: Session,
        rail: Rail,
        transport: Transport,
        docks: Workspace,
        columns: Columns,
        attack_runs: AttackRuns,
        stage: Stage,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._rail, self._transport, self._docks = rail, transport, docks
        self._columns, self._attack_runs = columns, attack_runs
        self._results_are_old = False
        self.attach(session)
        stage.results_changed.connect(self._on_results)
        docks.compare.baseline_chosen.connect(self._on_baseline)

    def attach(self, session: Session) -> None:
        """Another session; nothing is read of it yet."""
        self._session = session
        self._runs: list[Run] = []
        self._rows = RunRows(session)

    def read(self) -> None:
        """The list of runs is another: a run ended, or another session is open."""
        self._runs = self._session.runs()
        self._transport.set_attacks(*attacks_of(self._runs))
        self._docks.compare.set_runs(self._rows.of(self._runs))
        self._columns.set_runs(self._runs)
        self._attack_runs.read()
        self.show_done(self._session.spec)

    def show_done(self, spec: ExperimentSpec) -> None:
        """Mark on the rail the steps whose result is there and current."""
        kept = [name for name, key in artifact_keys(spec).items() if self._session.has_artifact(name, key)]
        done = steps.current_results(spec, self._runs, kept)
        for key in steps.DEPENDS:
            self._rail.set_done(key, key in done)

    def read_new_results(self) -> None:
        """Read what the running job has added, if it has."""
        if self._results_are_old:
            self._results_are_old = False
            self._attack_runs.read()

    @Slot(str)
    def _on_results(self, _: str) -> None:
        self._results_are_old = True  # read when the rows have come, not at each of them

    @Slot(object)
    def _on_baseline(self, run: int | None) -> None:
        frame = self._session.frame("profile", run=run) if run is not None else None
        self._docks.profile.set_baseline(frame, f"run {run}" if run is not None else "")
