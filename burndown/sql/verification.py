"""Verification of rows by their digests, for every SELECT of a SQLite database in the same way."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import Column, FromClause, Join, Label, Select, Table, TypeCoerce

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
        self.is_intact = _verification(table, positions, covered or covered_columns(table))
        """Returns whether a row is as it was saved, as far as it has a digest."""

    def name(self, row: Sequence[Any]) -> str:
        """Return the name of the record in a row."""
        key = {column.name: row[self._positions[column.name]] for column in self._table.primary_key}
        return record_name(self._table, key)


def _verification(
    table: Table, positions: Mapping[str, int], covered: Sequence[str]
) -> Callable[[Sequence[Any]], bool]:
    # One function without further calls, for it takes a tenth of a small read.
    values = itemgetter(*(positions[name] for name in covered))
    digest = row_digest(table, covered)
    stored_at, content_digest_at = positions[DIGEST], positions.get(CONTENT_DIGEST, -1)
    content_at = positions.get(content_column(table) or "")

    def is_intact(row: Sequence[Any]) -> bool:
        stored = row[stored_at]
        if stored is None:  # another program has written it
            return True
        try:
            return digest(values(row)) == stored and (
                content_at is None or content_digest(row[content_at]) == row[content_digest_at]
            )
        except (TypeError, ValueError):  # a value of a type that is not stored there
            return False

    return is_intact


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
