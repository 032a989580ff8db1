"""Reading the attacks that a session holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from engine.errors import SessionError
from engine.experiments.attack_results import TABLE, AttackRun, robustness, summary

if TYPE_CHECKING:
    from engine.session import Run, Session


def read_attacks(
    session: Session, known: Mapping[int, AttackRun | None] | None = None
) -> tuple[dict[int, AttackRun | None], list[AttackRun]]:
    """(what need not be read again, all attacks in order); an attack that is still being written down is left out.

    ``known`` is the first of an earlier reading: runs by number, None for one that has attacked nothing.
    """
    known = known or {}
    kept: dict[int, AttackRun | None] = {}
    found = []
    for run in session.runs():
        attack = known[run.id] if run.id in known else _read(session, run)
        if run.status != "running":
            kept[run.id] = attack
        if attack is not None:
            found.append(attack)
    return kept, found


def _read(session: Session, run: Run) -> AttackRun | None:
    if TABLE not in session.tables(run.id):
        return None
    try:
        attack = AttackRun.read(run.id, run.read_spec(), session.table(run.id, TABLE))
    except (SessionError, KeyError):  # a run of another version: it cannot stand beside the others
        return None
    steps = session.table(run.id, "attack")
    told = int(steps.column("samples")[-1]) if len(steps) else len(attack)
    if len(attack) < told:
        return None
    summary(attack)  # here, where nobody waits for it
    robustness(attack, attack.norm)
    return attack
