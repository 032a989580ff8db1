"""Each claim with its verdict as a session's runs give it, and with these runs: none from runs of different settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.errors import SessionError
from engine.experiments.claims import CLAIMS, Claim, Verdict, missing, stale, verdict
from engine.report.headlines import run_of
from engine.session import Session


@dataclass(frozen=True)
class Judged:
    """A claim, and what there is to say of it."""

    claim: Claim
    verdict: Verdict | None
    why_not: str
    """Why there is no verdict; "" where there is one."""
    runs: str
    """Experiments and runs that it stands on, in words."""


def judged(session: Session) -> list[Judged]:
    """Every claim, in order; empty while no experiment that tests one has been run."""
    topics = {name for claim in CLAIMS for name in claim.tested_by}
    runs = {name: run for name in topics if (run := run_of(session, name)) is not None}
    # the newest last, by which runs of older settings are known
    frames = {name: frame for name in sorted(runs, key=lambda name: runs[name]) if (frame := session.frame(name))}
    found = []
    for claim in CLAIMS if frames else ():
        of = {name: runs[name] for name in claim.tested_by if name in runs}
        told = ", ".join(f"{name}, run {run}" for name, run in of.items())
        old = stale(claim, frames)
        left = [name for name in missing(claim, frames) if name not in old]
        if claim.judge is None:
            why = "not yet testable here"
        elif left:
            why = f"not run: {', '.join(left)}"
        elif old or not _alike(session, claim, list(of.values())):
            why = "made with different settings"
        else:
            why = ""
        found.append(Judged(claim, None if why else verdict(claim, frames), why, told))
    return found


def _alike(session: Session, claim: Claim, runs: Sequence[int]) -> bool:
    """Whether runs that a verdict puts side by side are of the same data and networks (and attack, where that matters)."""
    parts = {"dataset", "model", "training", "seed"}
    parts |= {"attack"} if "takeover" in claim.tested_by else set()
    parts |= {"reconcile"} if "reconciliation" in claim.tested_by else set()
    by_id = {run.id: run for run in session.runs()}
    try:
        specs = [by_id[run].read_spec().model_dump(mode="json", include=parts) for run in runs]
    except SessionError:
        return False
    return all(spec == specs[0] for spec in specs)
