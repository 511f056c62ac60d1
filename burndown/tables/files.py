"""Tables in a folder of CSV or Parquet files."""

import csv
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from burndown.errors import MissingExtraError
from burndown.tables.columns import Table, Value

__all__ = ["CsvFiles", "ParquetFiles", "TableFiles"]

_BATCH = 10_000
"""Rows in memory, and in a row group of a Parquet file."""


class TableFiles(Protocol):
    """A format of files, one for each table."""

    suffix: str
    """The ending of each file."""

    def read(self, path: Path, table: Table) -> Iterator[list[Value]]:
        """Yield the rows of a file.

        Raises:
            ValueError, csv.Error, OSError: the file has other columns, or another format.
        """

    def write(self, path: Path, table: Table, rows: Iterable[tuple[Value, ...]]) -> None:
        """Write a file."""


class CsvFiles:
    """CSV files in UTF-8, with the names of the columns in the first line."""

    suffix = ".csv"

    def read(self, path: Path, table: Table) -> Iterator[list[Value]]:
        """Yield the rows of a file; see :class:`TableFiles`."""
        kinds = [each.type if each.type in (int, float) else str for each in table.columns]
        with path.open(encoding="utf-8", newline="") as file:
            lines = csv.reader(file)
            if next(lines, None) != [each.name for each in table.columns]:
                raise ValueError("the file has other columns")
            for line in lines:
                cells = zip(kinds, line, strict=True)
                yield [None if cell == "" else kind(cell) for kind, cell in cells]

    def write(self, path: Path, table: Table, rows: Iterable[tuple[Value, ...]]) -> None:
        """Write a file; see :class:`TableFiles`."""
        with path.open("w", encoding="utf-8", newline="") as file:
            lines = csv.writer(file)
            lines.writerow(each.name for each in table.columns)
            lines.writerows(rows)


class ParquetFiles:
    """Parquet files, with timestamps in UTC and dates as such, and descriptions of the columns.

    Raises:
        MissingExtraError: pyarrow is not installed.
    """

    suffix = ".parquet"

    def __init__(self) -> None:
        try:
            import pyarrow  # an extra, which takes 100 ms to import
            import pyarrow.parquet
        except ImportError:
            raise MissingExtraError("Parquet needs pyarrow", "parquet") from None
        self._arrow: Any = pyarrow

    def read(self, path: Path, table: Table) -> Iterator[list[Value]]:
        """Yield the rows of a file; see :class:`TableFiles`."""
        with self._arrow.parquet.ParquetFile(path) as file:
            if not file.schema_arrow.equals(self._schema_of(table)):
                raise ValueError("the file has other columns")
            for batch in file.iter_batches(_BATCH):
                columns = [each.to_pylist() for each in batch.columns]
                yield from map(table.encoded, zip(*columns, strict=True))

    def write(self, path: Path, table: Table, rows: Iterable[tuple[Value, ...]]) -> None:
        """Write a file; see :class:`TableFiles`."""
        schema, remaining = self._schema_of(table), iter(rows)
        with self._arrow.parquet.ParquetWriter(path, schema) as file:
            while batch := list(islice(remaining, _BATCH)):
                columns = zip(table.columns, zip(*batch, strict=True), strict=True)
                arrays = [
                    self._arrow.array(map(_decoder(column.type), values), schema.field(i).type)
                    for i, (column, values) in enumerate(columns)
                ]
                file.write_batch(self._arrow.record_batch(arrays, schema=schema))

    def _schema_of(self, table: Table) -> Any:
        arrow = self._arrow
        types = {
            str: arrow.string(),
            int: arrow.int64(),
            float: arrow.float64(),
            bool: arrow.bool_(),
            date: arrow.date32(),
            datetime: arrow.timestamp("ms", tz="UTC"),
        }
        return arrow.schema(
            arrow.field(each.name, types[each.type], metadata={"description": each.description})
            for each in table.columns
        )


def _decoder(kind: type[Any]) -> Any:
    """Return a function that makes the Python value of a column from that of SQLite."""
    decode: Any = kind.fromisoformat if issubclass(kind, date) else kind
    return lambda value: None if value is None else decode(value)
