"""``sweep``: one experiment at many settings, by many processes, in one file that goes on where it was left."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from engine import events
from engine.cli.terminal import add_json, ctrl_c_noted, folder_of, write_json
from engine.errors import SweepError
from engine.spec_files import apply_overrides, load_spec
from engine.specs import AxisSpec, ExperimentSpec
from engine.sweep.axes import axis_text, parse_axis
from engine.sweep.cost import cost
from engine.sweep.file import SUFFIX
from engine.sweep.hopeless import hope_and_none
from engine.sweep.impossible import impossible
from engine.sweep.local import LocalProcesses, workers
from engine.sweep.points import Points
from engine.sweep.run import sweep
from engine.sweep.store import SweepStore

Executing = tuple[Any, int]
"""An executor, and how many points it computes at a time."""


def add(commands: Any) -> None:
    """The command and its options."""
    parser = commands.add_parser(
        "sweep",
        help="run an experiment at many settings, and write one file with what each came to",
        description="Run an experiment at many settings, as the part [sweep] of its file says, and write DIR/NAME.sweep. Where that "
        "file is there, with the same settings, the points that are not finished are computed.",
    )
    parser.add_argument(
        "spec", metavar="SPEC.toml", help="the experiment; examples are resources/examples/sweep-*.toml"
    )
    parser.add_argument("--out", metavar="DIR", default="out", help="folder for the sweep (default: out)")
    parser.add_argument(
        "--set",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="change a parameter of every point, as in --set training.epochs=5",
    )
    parser.add_argument(
        "--over",
        metavar="NAME=VALUES",
        action="append",
        default=[],
        help="vary a parameter: --over 'model.width=16, 32, 64', --over 'model.depth=1 .. 8 : 8' (eight values), or "
        "--over 'training.learning_rate=1e-4 .. 1e-1 : 4 log'; in place of the file's own axis of that name, if it has one",
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--workers", metavar="N", type=_count, help="processes on this machine (default: as many as it has room for)"
    )
    where.add_argument("--scheduler", metavar="ADDRESS", help="compute on a Dask cluster: tcp://HOST:8786")
    parser.add_argument("--retry", action="store_true", help="compute the points again that failed")
    parser.add_argument("--yes", action="store_true", help="begin a long sweep without asking")
    add_json(parser)
    parser.set_defaults(command=run_sweep)


def run_sweep(options: argparse.Namespace, console: Console) -> int:
    """Carry it out; returns the exit code."""
    from engine.report.sweeps.summary import sweep_summary

    spec = _spec(options)
    target = folder_of(options.out) / f"{Path(options.spec).stem}{SUFFIX}"
    points = Points(spec)
    slots = options.workers or workers()
    for each in impossible(spec):
        console.print(f"[yellow]{escape(each.sentence)}[/yellow]", highlight=False, soft_wrap=True)
    with _store(target, spec) as store:
        if options.retry:
            console.print(f"{store.retry():,} failed points wait again.", highlight=False)
        if not _agreed(store, points, slots, options, console):
            write_json(options, sweep_summary(store))
            return 130
        interrupted = _computed(store, slots, options, console)
        write_json(options, sweep_summary(store))
        _tell(store, console, interrupted)
        failed = store.counts()["failed"]
    if interrupted:
        return 130
    return 2 if failed else 0


def _computed(store: SweepStore, slots: int, options: argparse.Namespace, console: Console) -> bool:
    """Compute what is left, if anything is; returns whether Ctrl-C ended it."""
    counts = store.counts()
    if not counts["waiting"] and not counts["running"]:
        return False  # no process is started for nothing
    with ctrl_c_noted() as pressed, _executor(options, slots) as (executor, places):
        return _follow(store, executor, places, console, pressed)


# --- what is run --------------------------------------------------------------------------------------------------


def _spec(options: argparse.Namespace) -> ExperimentSpec:
    """The experiment with its changes and its axes."""
    spec = apply_overrides(load_spec(Path(options.spec)), options.set)
    axes: dict[str, AxisSpec] = {axis.field: axis for axis in spec.sweep.axes}
    for text in options.over:
        field, equals, values = text.partition("=")
        if not equals:
            raise SweepError(f"{text!r} varies nothing. Write NAME=VALUES, as in model.width=16, 32, 64.")
        axes[field.strip()] = parse_axis(field.strip(), values)
    if not axes:
        raise SweepError(
            f"{options.spec} has no axes to vary. Add [[sweep.axes]] to it, or name one: --over 'model.width=16, 32, 64'."
        )
    varied = spec.sweep.model_copy(update={"axes": tuple(axes.values())})
    return spec.model_copy(update={"sweep": varied})


@contextmanager
def _store(target: Path, spec: ExperimentSpec) -> Iterator[SweepStore]:
    """The file of the sweep: a new one, or the one that is there if it is of the same sweep."""
    if not target.exists():
        begun = True
        try:
            with SweepStore.create(target, spec) as store:
                try:
                    yield store
                finally:
                    begun = store.counts()["waiting"] < len(store.points)
        finally:
            if not begun:  # refused, or nobody to compute it: an empty file would stand in the way of other settings
                target.unlink(missing_ok=True)
        return
    with SweepStore.open(target) as store:
        if store.spec != spec:
            raise SweepError(
                f"{target} holds a sweep with other settings ({_difference(store.spec, spec)}). Choose another folder with "
                "--out, or rename that file."
            )
        yield store


def _difference(old: ExperimentSpec, new: ExperimentSpec) -> str:
    """The first few fields in which two experiments differ."""
    if old.sweep.axes != new.sweep.axes:
        there, now = ({axis.field: axis_text(axis) for axis in each.sweep.axes} for each in (old, new))
        changed = [field for field in {**there, **now} if there.get(field) != now.get(field)]
        return (
            "; ".join(f"{field} over {there.get(field, 'nothing')}" for field in changed[:3]) or "axes in another order"
        )
    found = []
    one, other = (each.model_dump(mode="json") for each in (old, new))
    for name in one:
        before, after = one[name], other[name]
        if isinstance(before, dict):
            found += [f"{name}.{key}" for key in {**before, **after} if before.get(key) != after.get(key)]
        elif before != after:
            found.append(name)
    return ", ".join(found[:5])


def _agreed(store: SweepStore, points: Points, slots: int, options: argparse.Namespace, console: Console) -> bool:
    """Whether to begin; what takes long is asked about first."""
    done = [float(each) for each in store.column("seconds")["seconds"]]
    counts = store.counts()
    left = counts["waiting"] + counts["running"]
    if not left:
        return True
    known = [each for each in done if each == each]
    estimate = cost(points, known, slots if options.scheduler is None else 1, left)
    asking = estimate.ask and not options.yes
    if asking and (sys.stdin is None or not sys.stdin.isatty()):
        raise SweepError(f"{estimate.sentence} That is long, and nobody is here to be asked. Add --yes to begin.")
    console.print(escape(estimate.sentence), highlight=False, soft_wrap=True)
    if not asking:
        return True
    console.print("Begin? [y/N] ", end="", markup=False)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


# --- how ----------------------------------------------------------------------------------------------------------


@contextmanager
def _executor(options: argparse.Namespace, slots: int) -> Iterator[Executing]:
    if options.scheduler is not None:
        from engine.sweep.cluster import connect

        cluster = connect(options.scheduler)
        for note in cluster.notes:
            Console(stderr=True).print(f"[yellow]{escape(note)}[/yellow]", highlight=False, soft_wrap=True)
        try:
            yield cluster.executor, cluster.slots
        finally:
            cluster.close()
        return
    processes = LocalProcesses(slots)
    try:
        yield processes, slots
    finally:
        processes.shutdown(wait=False, cancel_futures=True)


def _follow(store: SweepStore, executor: Any, slots: int, console: Console, pressed: Sequence[int]) -> bool:
    """Run it to its end and show how far it is; returns whether Ctrl-C ended it."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    running = sweep(store, executor, slots)
    with Progress(*columns, console=console) as bars:
        bar = bars.add_task("starting", total=len(store.points))
        try:
            for event in running:
                if isinstance(event, events.Progress):
                    bars.update(bar, description=event.text, completed=event.done, total=event.total)
                if pressed:
                    return True
        finally:
            close = getattr(running, "close", None)
            if close is not None:
                close()
    return False


def _tell(store: SweepStore, console: Console, interrupted: bool) -> None:
    counts = store.counts()
    for point in store.page(0, 3, status="failed"):
        settings = ", ".join(f"{field} = {value}" for field, value in point.values.items())
        console.print(f"[red]Point {point.id} ({escape(settings)}): {escape(point.error)}[/red]", soft_wrap=True)
    if counts["failed"] > 3:
        console.print(f"[red]And {counts['failed'] - 3:,} more points failed.[/red]")
    if interrupted:
        console.print(
            f"[yellow]Interrupted with {counts['finished']:,} of {len(store.points):,} points finished. Run the same "
            "command again to go on.[/yellow]"
        )
    elif counts["failed"]:
        console.print(_what_helps(store), soft_wrap=True)
    console.print(f"Sweep: {escape(str(store.path))}", soft_wrap=True)
    if counts["finished"]:
        console.print(f"Its report: python main.py report {escape(str(store.path))}", soft_wrap=True, highlight=False)


def _what_helps(store: SweepStore) -> str:
    """What to do about failed points."""
    hope, none = hope_and_none(store)
    retry = "Run the same command with --retry to compute them again"
    if not none:
        return f"{retry}."
    if hope:
        return f"{retry}; those whose settings are impossible will fail again."
    return "Their settings are impossible, so that to retry them is of no use: leave such values out, and choose another folder with --out."


def _count(text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() else 0
    if not 1 <= number <= 1024:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of processes from 1 to 1024")
    return number
