"""The recorded numbers as CSV, one file a table, with the run in the first column."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from engine.errors import ReportError
from engine.session import Session

COUNTS = {"step", "epoch", "restart", "samples", "test_samples", "tap_index", "n"}  # written without a decimal point


def export_tables(session: Session, folder: Path) -> list[Path]:
    """Write every table of every run to ``folder`` as ``TABLE.csv``; returns the files written.

    Raises ReportError where a file cannot be written.
    """
    runs = session.runs()
    names = sorted({name for run in runs for name in session.tables(run.id)})
    written = []
    for name in names:
        path = folder / f"{name}.csv"
        try:
            with path.open("w", newline="", encoding="utf-8") as file:
                writer = csv.writer(file)
                header = False
                for run in runs:
                    table = session.table(run.id, name)
                    if not len(table):
                        continue
                    if not header:
                        writer.writerow(["run", *table.columns])
                        columns = list(table.columns)
                        header = True
                    held = [whole(column, table.column(column)) for column in columns]
                    writer.writerows([run.id, *row] for row in zip(*held, strict=True))
        except OSError as error:
            raise ReportError(f"{path} could not be written: {error.strerror}. Choose another folder.") from error
        written.append(path)
    return written


def whole(name: str, column: np.ndarray) -> Sequence[object]:
    """A column as it is written: counts as whole numbers, an absent one as nothing."""
    if name not in COUNTS:
        return list(column.tolist())
    return ["" if np.isnan(value) else int(value) for value in column]
