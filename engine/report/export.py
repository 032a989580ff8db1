"""The recorded numbers as CSV and Parquet, one file a table, with the run in the first column."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from engine.report.parquet import write_parquet
from engine.report.verdicts import judged
from engine.report.whole import whole_file
from engine.session import Session

COUNTS = {  # written without a decimal point
    "step", "epoch", "restart", "samples", "test_samples", "tap_index", "n", "networks", "layer", "dead", "source", "counted", "pairs", "saturated",
    "sample", "y", "target", "clean_prediction", "prediction", "success", "success_8bit", "random_success", "invalid", "first_step",
    "layers", "identities", "distinct", "repetition",
}  # fmt: skip


def export_tables(session: Session, folder: Path, *, parquet: bool = False) -> list[Path]:
    """Write every table of every run to ``folder`` as ``TABLE.csv``, and the claims' verdicts; returns the files written.

    With ``parquet`` as ``TABLE.parquet`` too. Raises ReportError where a file cannot be written.
    """
    names = sorted({name for run in session.runs() for name in session.tables(run.id)})
    tables = {name: _held(session, name) for name in names}
    if told := list(claim_rows(session)):
        tables["claims"] = {name: [row[name] for row in told] for name in told[0]}
    written = [write_csv(folder / f"{name}.csv", columns) for name, columns in tables.items()]
    if parquet:
        written += [write_parquet(folder / f"{name}.parquet", columns) for name, columns in tables.items()]
    return written


def write_csv(path: Path, columns: Mapping[str, Sequence[object]]) -> Path:
    """Write columns of equal length with their names above them; None is written as nothing.

    Raises ReportError where the file cannot be written.
    """
    with whole_file(path) as fresh, fresh.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
    return path


def _held(session: Session, name: str) -> dict[str, list[object]]:
    """A table of all runs by column. Runs may have other columns, as an attack on fewer samples or of another version has."""
    tables = {run.id: table for run in session.runs() if len(table := session.table(run.id, name))}
    columns = dict.fromkeys(column for table in tables.values() for column in table.columns)
    held: dict[str, list[object]] = {"run": [run for run, table in tables.items() for _ in range(len(table))]}
    for column in columns:
        parts = (
            whole(column, table.column(column)) if column in table.columns else [""] * len(table)
            for table in tables.values()
        )
        held[column] = [value for part in parts for value in part]
    return held


def claim_rows(session: Session) -> Iterator[dict[str, object]]:
    """Each number of each claim's verdict; of a claim without one a single row that says why."""
    for each in judged(session):
        row: dict[str, object] = {
            "claim": each.claim.key,
            "versions": each.claim.versions,
            "text": each.claim.text,
            "verdict": each.verdict.word if each.verdict else each.why_not,
            "sentence": each.verdict.sentence if each.verdict else "",
            "decided_by": each.verdict.control if each.verdict else "",
            "runs": each.runs,
        }
        numbers = [asdict(number) for number in each.verdict.numbers] if each.verdict else []
        for number in numbers or [{"label": "", "value": math.nan, "low": math.nan, "high": math.nan}]:
            yield row | {name: "" if value != value else value for name, value in number.items()}


def whole(name: str, column: np.ndarray) -> Sequence[object]:
    """A column as it is written: counts as whole numbers, an absent one as nothing."""
    if name not in COUNTS:
        return list(column.tolist())
    return ["" if np.isnan(value) else int(value) for value in column]
