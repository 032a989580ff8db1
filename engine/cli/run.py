"""``run``: an experiment as the window would run it, its session, figures and report."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from engine import events
from engine.cli.parameter_help import parameter_help
from engine.cli.terminal import add_json, ctrl_c_noted, folder_of, write_json
from engine.errors import UserError
from engine.experiments import EXPERIMENTS, LOOKS, STEPS
from engine.lab import Lab
from engine.paths import working_copies
from engine.runtime import Cancelled, Delivery, Failed, Finished
from engine.session import Session
from engine.spec_files import apply_overrides, carrying_notes, load_spec

DRAIN_SECONDS = 0.1


def add(commands: Any) -> None:
    """The command and its options."""
    run = commands.add_parser(
        "run",
        help="run an experiment from a TOML file and write its session, figures and report",
        description="Run an experiment as the window would, and write its session file, figures and report.",
        epilog=parameter_help(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    run.add_argument("spec", metavar="SPEC.toml", help="the experiment; examples are in resources/examples")
    run.add_argument(
        "--out",
        metavar="DIR",
        default="out",
        help="folder for the results (default: out); results of an earlier run there are replaced, "
        "unless this one fails or is interrupted: then its session is NAME.partial.rapidity beside them",
    )
    run.add_argument(
        "--experiment",
        metavar="NAME",
        action="append",
        choices=EXPERIMENTS,
        help="what to run (default: story, from the data to the measured entanglement); given several times, one after the other "
        f"in one session. Steps: {', '.join(STEPS)}. Closer looks, each of which makes first what it needs: {', '.join(LOOKS)}",
    )
    run.add_argument(
        "--claims",
        action="store_true",
        help="run every experiment that a claim of the paper is tested by, after those named; the report then has all verdicts",
    )
    run.add_argument(
        "--set",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="change a parameter, as in --set model.width=256",
    )
    run.add_argument("--no-report", action="store_true", help="write the session file only")
    add_json(run)
    run.set_defaults(command=run_experiment)


def run_experiment(options: argparse.Namespace, console: Console) -> int:
    """Carry it out; returns the exit code."""
    written = load_spec(Path(options.spec))
    spec = apply_overrides(written, options.set)
    for note in carrying_notes(written, options.set):
        console.print(escape(note), soft_wrap=True, highlight=False)
    out = folder_of(options.out)
    session = Session.create(working_copies(), spec)
    lab = Lab(session)
    target = out / f"{Path(options.spec).stem}.rapidity"
    try:
        with ctrl_c_noted() as pressed:
            lab.start()
            asked = _asked_for(options)
            for number, experiment in enumerate(asked, 1):
                outcome = _follow(lab, lab.run(experiment, spec), console, pressed)
                if not isinstance(outcome, Finished):
                    if asked[number:]:
                        console.print(f"Not run after {experiment}: {', '.join(asked[number:])}.", highlight=False)
                    break
            lab.close()
            reporting = not options.no_report
            if target.exists() and not isinstance(outcome, Finished):
                # what was run before stays whole, and so does its report
                target, reporting = target.with_suffix(".partial.rapidity"), False
            session.save(target, force=True)
            if reporting:
                from engine.report import write_report

                write_report(session, out)
        error = {"error": outcome.message} if isinstance(outcome, Failed) else {}
        write_json(options, summary(session, target) | error)
        console.print(f"Session: {escape(str(target))}", soft_wrap=True)
        if reporting:
            console.print(f"Report:  {escape(str(out / 'report.html'))}", soft_wrap=True)
    finally:
        lab.close()
        unsaved = session.dirty and bool(session.runs())
        session.close(discard=not unsaved)
        if unsaved:
            console.print(
                "[yellow]What was run is kept: the window offers to recover it when it is next opened.[/yellow]"
            )
    match outcome:
        case Failed(message=message, is_user_error=True):
            raise UserError(message)
        case Failed(traceback=trace):
            console.print(trace, markup=False, highlight=False, soft_wrap=True)
            console.print("[red]This is a bug of Rapidity Lab. What was recorded before it is saved.[/red]")
            return 1
        case Cancelled():
            console.print("[yellow]Interrupted. What was done is saved.[/yellow]")
            return 130
    return 0


def _asked_for(options: argparse.Namespace) -> Sequence[str]:
    """Names of experiments in the order in which they are run; never none."""
    from engine.experiments.claims import CLAIMS

    named = options.experiment or ([] if options.claims else ["story"])
    tested_by = [name for claim in CLAIMS for name in claim.tested_by] if options.claims else []
    return list(dict.fromkeys([*named, *tested_by]))


def _follow(lab: Lab, job: int, console: Console, pressed: Sequence[int]) -> Finished | Cancelled | Failed:
    """Show a job's progress until it ends; Ctrl-C cancels it."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bars:
        shown: dict[str, TaskID] = {}
        cancelled = False
        while True:
            time.sleep(DRAIN_SECONDS)
            if pressed and not cancelled:
                cancelled = True
                lab.engine.cancel(job)
            more = True
            while more:
                delivery = lab.mailbox.drain()
                more = delivery.more
                _show(bars, shown, delivery)
                for event in delivery.lifecycle:
                    if isinstance(event, Finished | Cancelled | Failed) and event.job == job:
                        if isinstance(event, Finished):
                            _complete(bars)
                        return event


def _show(bars: Progress, shown: dict[str, TaskID], delivery: Delivery) -> None:
    if delivery.progress is not None:
        _show_progress(bars, shown, delivery.progress)
    for record in delivery.records:
        if record.table == "epochs":
            row = record.row
            bars.console.print(f"epoch {row['epoch']}: test accuracy {row['test_accuracy']:.4f}", highlight=False)
    for frame in delivery.frames.values():
        if frame.info.get("done"):
            for note in frame.info.get("notes", ()):
                bars.console.print(escape(str(note)), highlight=False, soft_wrap=True)


def _show_progress(bars: Progress, shown: dict[str, TaskID], progress: events.Progress) -> None:
    # one bar for each kind of work: "training, epoch 3 of 20" and "testing after epoch 3" are one
    first = progress.text.split()[0].strip(",:").lower()
    kind = {"testing": "training", "reading": "data", "entanglement": "measuring"}.get(first, first)
    if kind not in shown:
        _complete(bars)  # the work before this one is done, even if its last step was told too late to be seen
        shown[kind] = bars.add_task(progress.text, total=progress.total)
    bars.update(shown[kind], description=progress.text, completed=progress.done, total=progress.total)


def _complete(bars: Progress) -> None:
    for task in bars.tasks:
        bars.update(task.id, completed=task.total)


def summary(session: Session, target: Path) -> dict[str, Any]:
    """The key numbers of a session: accuracy, attack success, the claims' verdicts, and the profile's last measurement."""
    from engine.report.headlines import shares
    from engine.report.verdicts import judged

    found: dict[str, Any] = {"session": str(target), "runs": [[run.experiment, run.status] for run in session.runs()]}
    for share in shares(session):
        found[share.name.replace(" ", "_")] = {"value": share.value, "low": share.low, "high": share.high, "n": share.n}
    claims = {each.claim.key: each.verdict.word for each in judged(session) if each.verdict}
    if claims:
        found["claims"] = claims
    profile = session.latest_table("profile")
    if len(profile):
        columns = {name: profile.column(name) for name in profile.columns}
        rows: Iterable[int] = range(len(profile))
        found["profile"] = [{name: _plain(column[i]) for name, column in columns.items()} for i in rows]
    return found


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value
