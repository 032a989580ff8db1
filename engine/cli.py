"""The command line: what the window does, without a display.

Exit codes: 0 done, 1 a bug of the program, 2 a mistake in the command or its input, 130 interrupted with Ctrl-C
(what was done by then is saved).
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from engine import events
from engine.catalogue import Attack, attack_named, attacks
from engine.errors import UserError
from engine.experiments import EXPERIMENTS, LOOKS, STEPS
from engine.lab import Lab
from engine.paths import RESOURCES, working_copies
from engine.runtime import Cancelled, Delivery, Failed, Finished
from engine.session import Session
from engine.spec_files import apply_overrides, carrying_notes, dump_spec, load_spec
from engine.specs import PARTS, ExperimentSpec, discriminator, parameters, variants

COMMANDS = ("run", "report", "export", "attacks")
DRAIN_SECONDS = 0.1


def main(arguments: Sequence[str]) -> int:
    """Run one command; returns the exit code."""
    options = _parser().parse_args(arguments)
    console = Console(stderr=True)
    try:
        code: int = options.command(options, console)
    except UserError as error:
        console.print(f"[red]{escape(str(error))}[/red]", soft_wrap=True)
        return 2
    except KeyboardInterrupt:
        return 130
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python main.py",
        description="Rapidity Lab. Without a command the window opens, on FILE if one is given.",
    )
    commands = parser.add_subparsers(required=True, metavar=" | ".join(COMMANDS))

    run = commands.add_parser(
        "run",
        help="run an experiment from a TOML file and write its session, figures and report",
        description="Run an experiment as the window would, and write its session file, figures and report.",
        epilog=_parameter_help(),
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
    run.add_argument("--json", action="store_true", help="print a summary as JSON on standard output")
    run.set_defaults(command=_run)

    report = commands.add_parser("report", help="write the report of a saved session")
    report.add_argument("session", metavar="FILE.rapidity", help="a saved session")
    report.add_argument("--out", metavar="DIR", default="out", help="folder for the report (default: out)")
    report.set_defaults(command=_report)

    export = commands.add_parser("export", help="write the tables of a saved session as CSV and its spec as TOML")
    export.add_argument("session", metavar="FILE.rapidity", help="a saved session")
    export.add_argument("--out", metavar="DIR", default="out", help="folder for the files (default: out)")
    export.set_defaults(command=_export)

    listing = commands.add_parser("attacks", help="list every attack; of one, every parameter with its default")
    listing.add_argument(
        "name", metavar="NAME", nargs="?", help="show this attack alone, with its parameters: pgd, for example"
    )
    listing.add_argument("--json", action="store_true", help="print the same as JSON on standard output")
    listing.set_defaults(command=_attacks)
    return parser


def _parameter_help() -> str:
    """All parameters of all specs, as --set and the TOML file name them."""
    lines = ["parameters (for the TOML file and --set):", ""]
    for p in parameters(ExperimentSpec):
        lines += _parameter_lines("", p)
    for part in PARTS:
        for name, spec in variants(part).items():
            lines.append("")
            chosen = f"  with {discriminator(part)} = {name}" if name else ""
            lines.append(f"[{part}]{chosen}: {(spec.__doc__ or '').splitlines()[0]}")
            for p in parameters(spec):
                lines += _parameter_lines(f"{part}.", p)
    return "\n".join(lines)


def _parameter_lines(prefix: str, p: Any) -> list[str]:
    limits = f"  [{p.range_text}]" if p.range_text else ""
    unit = f" ({p.unit})" if p.unit and p.unit not in p.help else ""
    return [f"  {prefix}{p.name} = {_written(p.default)}{limits}", f"      {p.help}{unit}"]


def _written(value: Any) -> str:
    """A value as a TOML file has it, without the quotes of a text that is not empty."""
    return str(value).lower() if isinstance(value, bool) else str(value) or '""'


def _run(options: argparse.Namespace, console: Console) -> int:
    written = load_spec(Path(options.spec))
    spec = apply_overrides(written, options.set)
    for note in carrying_notes(written, options.set):
        console.print(escape(note), soft_wrap=True, highlight=False)
    out = _folder(options.out)
    session = Session.create(working_copies(), spec)
    lab = Lab(session)
    target = out / f"{Path(options.spec).stem}.rapidity"
    try:
        with _ctrl_c_noted() as pressed:
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
        if options.json:
            sys.stdout.write(json.dumps(summary(session, target)) + "\n")
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


@contextmanager
def _ctrl_c_noted() -> Iterator[list[int]]:
    """Ctrl-C is noted, not raised wherever the program happens to be; pressed once more, it is raised."""
    pressed: list[int] = []

    def note(number: int, _: object) -> None:
        if pressed:
            raise KeyboardInterrupt
        pressed.append(number)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, before)


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


def _report(options: argparse.Namespace, console: Console) -> int:
    from engine.report import write_report

    session = Session.open(Path(options.session), working_copies())
    try:
        written = write_report(session, _folder(options.out))
    finally:
        session.close(discard=True)
    console.print(f"Report: {escape(str(written))}", soft_wrap=True)
    return 0


def _export(options: argparse.Namespace, console: Console) -> int:
    from engine.report import export_tables

    session = Session.open(Path(options.session), working_copies())
    try:
        out = _folder(options.out)
        written = export_tables(session, out)
        (out / "spec.toml").write_text(dump_spec(session.spec), encoding="utf-8")
    finally:
        session.close(discard=True)
    for path in [*written, out / "spec.toml"]:
        console.print(escape(str(path)), soft_wrap=True)
    return 0


def _attacks(options: argparse.Namespace, _: Console) -> int:
    chosen = attack_named(options.name) if options.name else None
    if options.json:
        said = chosen.as_json() if chosen else [attack.as_json() for attack in attacks()]
        sys.stdout.write(json.dumps(said, indent=2, ensure_ascii=False) + "\n")
        return 0
    out = Console(highlight=False)
    if chosen:
        _print_attack(out, chosen)
    else:
        _print_list(out)
    return 0


def _print_list(out: Console) -> None:
    family = ""
    for attack in attacks():
        if attack.family != family:
            family = attack.family
            out.print(f"\n[bold]{escape(family)}[/bold]")
        norms = " ".join(value for value, _ in attack.norms)
        out.print(f"\n  [cyan]{escape(attack.title)}[/cyan]  attack.method={attack.method}  {norms}", soft_wrap=True)
        out.print(Padding(escape(attack.help), (0, 0, 0, 4)))
    out.print(
        "\nThe settings of one, with their defaults: python main.py attacks NAME, as in python main.py attacks pgd"
    )


def _print_attack(out: Console, attack: Attack) -> None:
    """One attack with all its parameters, as a TOML file and --set name them."""
    norms = " ".join(value for value, _ in attack.norms)
    out.print(f"[cyan]{escape(attack.title)}[/cyan]  attack.method={attack.method}  {norms}", soft_wrap=True)
    needs = "no gradients" if attack.gradient_free else "gradients"
    looks_for = "the smallest norm" if attack.minimal else "success within a budget"
    out.print(f"{escape(attack.family)}: looks for {looks_for}, needs {needs}.", soft_wrap=True)
    for text in (attack.help, attack.details):
        if text:
            out.print(escape(text))
    out.print(f"Source: {escape(attack.source)}. The page docs/attacks.md has the formula and the full source.\n")
    for p in attack.parameters:
        setting, help = _parameter_lines("attack.", p)
        out.print(escape(setting.strip()), soft_wrap=True)
        out.print(Padding(escape(help.strip()), (0, 0, 0, 4)))
        for value, name in p.choices:
            if name.casefold() != value.casefold():
                out.print(Padding(escape(f"{value}: {name}"), (0, 0, 0, 6)))


def _folder(name: str) -> Path:
    folder = Path(name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"The folder {folder} cannot be made: {error.strerror}. Choose another with --out.") from error
    return folder


def ready_example() -> Path:
    """The experiment that a first start opens."""
    return RESOURCES / "examples" / "digits-takeover.toml"
