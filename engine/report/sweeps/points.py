"""The points of a sweep as a table of their own: settings, outcome, and everything that was measured."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from engine.report.export import write_csv
from engine.report.parquet import write_parquet
from engine.sweep.store import PointRow, SweepStore

PAGE = 5000
FIRST = ("id", "status")
LAST = ("attempts", "error")


def export_points(store: SweepStore, folder: Path, *, parquet: bool = False) -> list[Path]:
    """Write every point that is not waiting to ``points.csv`` in ``folder``, and with ``parquet`` to ``points.parquet``.

    Returns the files written. Raises ReportError where one cannot be written.
    """
    columns = point_columns(store)
    written = [write_csv(folder / "points.csv", columns)]
    if parquet:
        written.append(write_parquet(folder / "points.parquet", columns))
    return written


def point_columns(store: SweepStore) -> dict[str, list[object]]:
    """All points that are not waiting, by column; None where a point has no value."""
    names = [column.name for column in store.columns()]
    held: dict[str, list[object]] = {name: [] for name in (*FIRST, *names, *LAST)}
    for point in touched(store):
        values: dict[str, object] = {**point.values, **point.row}
        values |= {name: getattr(point, name) for name in (*FIRST, *LAST)}
        for name, column in held.items():
            column.append(values.get(name))
    return held


def touched(store: SweepStore) -> Iterator[PointRow]:
    """The points that are not waiting, by number, however many wait between them."""
    start = 0
    while found := store.touched(start, PAGE):
        yield from (point for point in found if point.status != "waiting")
        start = found[-1].id + 1
