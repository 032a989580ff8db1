"""The recorded numbers as CSV, one file a table, with the run in the first column."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from engine.errors import ReportError
from engine.session import Session

COUNTS = {  # written without a decimal point
    "step", "epoch", "restart", "samples", "test_samples", "tap_index", "n", "networks", "layer", "dead", "source", "counted",
    "sample", "y", "target", "clean_prediction", "prediction", "success", "success_8bit", "random_success", "invalid", "first_step",
}  # fmt: skip


def export_tables(session: Session, folder: Path) -> list[Path]:
    """Write every table of every run to ``folder`` as ``TABLE.csv``; returns the files written.

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
    return written


def whole(name: str, column: np.ndarray) -> Sequence[object]:
    """A column as it is written: counts as whole numbers, an absent one as nothing."""
    if name not in COUNTS:
        return list(column.tolist())
    return ["" if np.isnan(value) else int(value) for value in column]
