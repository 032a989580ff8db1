"""The session's attacks for the results panel, read off the window's thread and each of them once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from engine.catalogue import attacks
from engine.errors import UserError
from engine.experiments.attack_results import AttackRun
from engine.experiments.attack_session import read_attacks
from engine.session import Run, Session
from gui.background import Background


def attacks_of(runs: Sequence[Run]) -> tuple[dict[int, str], frozenset[int]]:
    """The names of the runs' attacks, and which runs went to their end, for the time slider."""
    titles = {attack.method: attack.title for attack in attacks()}
    names = {}
    for run in runs:
        method = str((run.spec.get("attack") or {}).get("method", ""))
        names[run.id] = titles.get(method, method)
    return names, frozenset(run.id for run in runs if run.status == "finished")


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
