"""``report`` and ``export``: what leaves a saved file."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from engine.cli.run import summary
from engine.cli.terminal import add_json, folder_of, write_json
from engine.paths import working_copies
from engine.session import Session
from engine.spec_files import dump_spec
from engine.sweep.file import SUFFIX
from engine.sweep.store import SweepStore


def add(commands: Any) -> None:
    """The commands and their options."""
    report = commands.add_parser("report", help="write the report of a saved session or of a sweep")
    report.add_argument("file", metavar="FILE", help="a saved session (.rapidity) or a sweep (.sweep)")
    report.add_argument("--out", metavar="DIR", default="out", help="folder for the report (default: out)")
    add_json(report)
    report.set_defaults(command=write)

    export = commands.add_parser(
        "export", help="write the tables of a saved session or of a sweep as CSV and Parquet, and its spec as TOML"
    )
    export.add_argument("file", metavar="FILE", help="a saved session (.rapidity) or a sweep (.sweep)")
    export.add_argument("--out", metavar="DIR", default="out", help="folder for the files (default: out)")
    export.add_argument("--figures", action="store_true", help="write the figures of the report too, as SVG and PNG")
    add_json(export)
    export.set_defaults(command=export_files)


def write(options: argparse.Namespace, console: Console) -> int:
    """Carry ``report`` out; returns the exit code."""
    with _opened(Path(options.file)) as held:
        out = folder_of(options.out)
        if isinstance(held, Session):
            from engine.report import write_report

            written, said = write_report(held, out), summary(held, Path(options.file))
        else:
            from engine.report.sweeps import sweep_summary, write_sweep_report

            written, said = write_sweep_report(held, out), sweep_summary(held)
    write_json(options, {"report": str(written), **said})
    console.print(f"Report: {escape(str(written))}", soft_wrap=True)
    return 0


def export_files(options: argparse.Namespace, console: Console) -> int:
    """Carry ``export`` out; returns the exit code."""
    from engine.report.parquet import NOT_THERE, there
    from engine.report.whole import whole_file

    with _opened(Path(options.file)) as held:
        out = folder_of(options.out)
        if isinstance(held, Session):
            from engine.report import export_tables, write_figures

            written = export_tables(held, out, parquet=there())
            figures = write_figures(held, out) if options.figures else []
        else:
            from engine.report.sweeps import export_points, write_sweep_figures

            written = export_points(held, out, parquet=there())
            figures = write_sweep_figures(held, out) if options.figures else []
        spec = out / "spec.toml"
        with whole_file(spec) as fresh:
            fresh.write_text(dump_spec(held.spec), encoding="utf-8")
    notes = [] if there() else [NOT_THERE]
    files = [*written, *figures, spec]
    write_json(options, {"files": [str(path) for path in files], "notes": notes})
    for text in [*map(str, files), *notes]:
        console.print(escape(text), soft_wrap=True, highlight=False)
    return 0


@contextmanager
def _opened(path: Path) -> Iterator[Session | SweepStore]:
    """A session or a sweep, by the ending of its file."""
    if path.suffix == SUFFIX:
        with SweepStore.open(path) as store:
            yield store
        return
    session = Session.open(path, working_copies())
    try:
        yield session
    finally:
        session.close(discard=True)
