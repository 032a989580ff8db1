"""Tables as Parquet, for those who read them with pandas, R or DuckDB; only where the package pyarrow is installed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

from engine.report.whole import whole_file

NOT_THERE = (
    "Parquet files were left out: the package pyarrow is not installed. pip install 'rapidity-lab[parquet]' adds it."
)


def there() -> bool:
    """Whether Parquet can be written here."""
    return find_spec("pyarrow") is not None


def write_parquet(path: Path, columns: Mapping[str, Sequence[object]]) -> Path:
    """Write columns of equal length; None, NaN and "" of a column of numbers are missing values.

    Raises:
        ReportError: the file cannot be written.
    """
    import pyarrow as pa
    from pyarrow import parquet

    table = pa.table({name: pa.array(_plain(values)) for name, values in columns.items()})
    with whole_file(path) as fresh:
        parquet.write_table(table, fresh)
    return path


def _plain(values: Sequence[object]) -> list[object]:
    """A column of one type: where there is a text among them all are texts."""
    known = [None if value is None or value == "" or value != value else value for value in values]
    if any(isinstance(value, str) for value in known):
        return [None if value is None else str(value) for value in known]
    if any(isinstance(value, float) for value in known):
        return [None if value is None else float(value) for value in known]  # type: ignore[arg-type]
    return known
