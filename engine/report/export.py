"""The recorded numbers as CSV, one file a table, with the run in the first column."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from engine.errors import ReportError
from engine.report.verdicts import judged
from engine.session import Session

COUNTS = {  # written without a decimal point
    "step", "epoch", "restart", "samples", "test_samples", "tap_index", "n", "networks", "layer", "dead", "source", "counted", "pairs", "saturated",
    "sample", "y", "target", "clean_prediction", "prediction", "success", "success_8bit", "random_success", "invalid", "first_step",
    "layers", "identities", "distinct", "repetition",
}  # fmt: skip


def export_tables(session: Session, folder: Path) -> list[Path]:
    """Write every table of every run to ``folder`` as ``TABLE.csv``, and the claims' verdicts; returns the files written.

    Raises ReportError where a file cannot be written.
    """
    runs = session.runs()
    names = sorted({name for run in runs for name in session.tables(run.id)})
    written = []
    for name in names:
        path = folder / f"{name}.csv"
        tables = {run.id: table for run in runs if len(table := session.table(run.id, name))}
        # runs may have other columns, as an attack on fewer samples or of another version has
        columns = list(dict.fromkeys(column for table in tables.values() for column in table.columns))
        try:
            with path.open("w", newline="", encoding="utf-8") as file:
                writer = csv.writer(file)
                writer.writerow(["run", *columns])
                for run, table in tables.items():
                    held = [
                        whole(column, table.column(column)) if column in table.columns else [""] * len(table)
                        for column in columns
                    ]
                    writer.writerows([run, *row] for row in zip(*held, strict=True))
        except OSError as error:
            raise ReportError(f"{path} could not be written: {error.strerror}. Choose another folder.") from error
        written.append(path)
    if told := list(claim_rows(session)):
        path = folder / "claims.csv"
        try:
            with path.open("w", newline="", encoding="utf-8") as file:
                rows = csv.DictWriter(file, list(told[0]))
                rows.writeheader()
                rows.writerows(told)
        except OSError as error:
            raise ReportError(f"{path} could not be written: {error.strerror}. Choose another folder.") from error
        written.append(path)
    return written


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
