"""Verification of rows by their digests, for every SELECT of a SQLite database in the same way."""

from collections.abc import Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import Column, FromClause, Join, Label, Select, Table, TypeCoerce

from burndown.models.columns import damaged
from burndown.models.digests import (
    CONTENT_DIGEST,
    DIGEST,
    content_column,
    content_digest,
    covered_columns,
    record_name,
    row_digest,
)

__all__ = ["RowVerifier", "with_verifiers"]


class RowVerifier:
    """The verification of rows of one table.

    Args:
        table: the table of an entity.
        positions: the index in a row of each column of the table that was selected.
        covered: the columns that the digest covers; by default those of this release.
    """

    def __init__(
        self, table: Table, positions: Mapping[str, int], covered: Sequence[str] | None = None
    ) -> None:
        self._table = table
        self._positions = positions
        self._stored = positions[DIGEST]
        self._covered = itemgetter(*(positions[name] for name in covered or covered_columns(table)))
        self._digest = row_digest(table)
        content = content_column(table)
        self._content = positions.get(content, -1) if content else -1
        self._content_digest = positions.get(CONTENT_DIGEST, -1)

    def verify(self, row: Sequence[Any]) -> None:
        """Check a row as SQLite returns it; one that another program has written has no digest.

        Raises:
            DatabaseCorruptionError: the row is not as it was saved.
        """
        stored = row[self._stored]
        if stored is None:
            return
        if not self._is_intact(row, stored):
            raise damaged(self.name(row), "it is not as it was saved")

    def name(self, row: Sequence[Any]) -> str:
        """Return the name of the record in a row."""
        key = {column.name: row[self._positions[column.name]] for column in self._table.primary_key}
        return record_name(self._table, key)

    def is_intact(self, row: Sequence[Any]) -> bool:
        """Return whether a row with a digest is as it was saved."""
        return self._is_intact(row, row[self._stored])

    def _is_intact(self, row: Sequence[Any], stored: object) -> bool:
        try:
            if self._digest(self._covered(row)) != stored:
                return False
            return self._content < 0 or (
                content_digest(row[self._content]) == row[self._content_digest]
            )
        except TypeError:  # a value of a type that is not stored there
            return False


def with_verifiers(built: Select[Any]) -> tuple[Select[Any], list[RowVerifier]]:
    """Return a SELECT with what its rows are verified by, and their verification.

    Rows of which only the key is selected are not verified: no value of them is used.

    Returns:
        The SELECT with further columns at its end, and the verifier of each table.
    """
    verifiers = []
    for table in _tables(built):
        selected = {
            column.name: at
            for at, column in enumerate(map(_column, built.selected_columns))
            if column is not None and column.table is table
        }
        if DIGEST not in table.c or selected.keys() <= set(table.primary_key.columns.keys()):
            continue
        has_content = content_column(table) in selected
        for name in (*covered_columns(table), DIGEST, *([CONTENT_DIGEST] if has_content else [])):
            if name not in selected:
                selected[name] = len(built.selected_columns)
                built = built.add_columns(table.c[name].label(f"{table.name}.{name}"))
        verifiers.append(RowVerifier(table, selected))
    return built, verifiers


def _tables(built: Select[Any]) -> Iterator[Table]:
    """Yield the tables that are read, also those of a join."""
    froms: list[FromClause] = list(built.get_final_froms())
    while froms:
        found = froms.pop()
        if isinstance(found, Join):
            froms += [found.right, found.left]
        elif isinstance(found, Table):
            yield found


def _column(selected: Any) -> Column[Any] | None:
    """Return the column of a table that is selected, or ``None`` if it is an expression."""
    while isinstance(selected, Label | TypeCoerce):
        selected = selected.element if isinstance(selected, Label) else selected.clause
    return selected if isinstance(selected, Column) else None
