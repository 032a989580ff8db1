"""The session's attacks for the results panel, read off the window's thread and each of them once."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from engine.errors import SessionError, UserError
from engine.experiments.attack_results import TABLE, AttackRun
from engine.session import Session
from gui.background import Background

Known = Mapping[int, AttackRun | None]
"""Runs by number; None for one that attacked nothing."""


class AttackRuns:
    """Follows one session. ``show(attacks)`` is called in the window's thread with all of them, oldest first."""

    def __init__(
        self, background: Background, show: Callable[[list[AttackRun]], None], failed: Callable[[str], None]
    ) -> None:
        self._background, self._show, self._failed = background, show, failed
        self._session: Session | None = None
        self._known: dict[int, AttackRun | None] = {}
        self._reading = self._again = False

    def attach(self, session: Session) -> None:
        """Follow another session."""
        self._session, self._known = session, {}
        self._show([])
        self.read()

    def read(self) -> None:
        """Read what is new; asked again meanwhile, it is read once more."""
        session = self._session
        if session is None:
            return
        if self._reading:
            self._again = True
            return
        self._reading = True
        known = dict(self._known)

        def done(found: tuple[dict[int, AttackRun | None], list[AttackRun]]) -> None:
            self._reading = False
            if session is self._session:
                self._known, shown = found
                self._show(shown)
            self._read_again(session)

        def failed(error: BaseException) -> None:
            self._reading = False
            if not isinstance(error, UserError):
                raise error
            if session is self._session:  # the one before may be closed by now
                self._failed(str(error))
            self._read_again(session)

        self._background.run(lambda: read_attacks(session, known), done, failed)

    def _read_again(self, session: Session) -> None:
        if self._again or session is not self._session:
            self._again = False
            self.read()


def read_attacks(session: Session, known: Known) -> tuple[dict[int, AttackRun | None], list[AttackRun]]:
    """(what need not be read again, all attacks in order) of a session; an attack still being written down is left out."""
    kept: dict[int, AttackRun | None] = {}
    found = []
    for run in session.runs():
        if run.id in known:
            attack = known[run.id]
        else:
            attack = None
            if TABLE in session.tables(run.id):
                try:
                    attack = AttackRun.read(run.id, run.read_spec(), session.table(run.id, TABLE))
                except (SessionError, KeyError):  # a run of another version: it cannot stand beside the others
                    attack = None
                else:
                    told = session.table(run.id, "attack")
                    if len(told) and len(attack) < int(told.column("samples")[-1]):
                        attack = None
        if run.status != "running":
            kept[run.id] = attack
        if attack is not None:
            found.append(attack)
    return kept, found
