"""The tables of the published dashboard, in whatever shape a release made them."""

import math
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain, repeat
from typing import Any, NamedTuple

from burndown.conversion import Report
from burndown.published.reports import summed_up
from burndown.published.rows import IDS, Row

__all__ = ["DATA_TABLES", "Numbered", "Orphans", "Tables", "columns_without_place"]

_KNOWN = {
    "jira_issues": (
        "cache_key issue_key summary status assignee issue_type priority resolution created updated"
        " resolved points project_key project_name fix_versions labels components custom_fields"
        " expires_at fetched_at"
    ),
    "jira_changelog_entries": (
        "issue_key change_date author field_name field_type old_value new_value expires_at"
    ),
    "project_scope": "scope_data updated_at",
    "metrics_data_points": (
        "snapshot_date metric_category metric_name metric_value metric_unit excluded_issue_count"
        " calculation_metadata forecast_value forecast_confidence_low forecast_confidence_high"
        " calculated_at"
    ),
}
"""The columns that are read, of tables whose further ones would have no place."""

DATA_TABLES = (*_KNOWN, "project_statistics", "budget_settings", "budget_revisions")
"""The tables whose rows belong to a query, or to a profile if they have no ``query_id``."""

_INFINITIES = (math.inf, -math.inf)


def columns_without_place(table: str, columns: Iterable[str]) -> list[str]:
    """Return those columns of a data table that are not read."""
    if table not in _KNOWN:
        return []
    known = {*IDS, *_KNOWN[table].split()}
    return [column for column in columns if column not in known]


class Numbered(NamedTuple):
    """A row with its number, which identifies it whatever its id is."""

    number: int
    row: Row


class Orphans(NamedTuple):
    """Rows that belong to a profile or query that does not exist."""

    owner: str
    """The ids, such as ``p_1/q_2``."""
    number: int
    """The number of rows."""


class Tables:
    """The tables of an open database.

    Args:
        connection: the connection. Its ``text_factory`` is replaced while a table is read again
            that holds text which is not UTF-8.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._columns: dict[str, list[str]] = {}
        for table, column in connection.execute(
            "SELECT t.name, c.name FROM sqlite_master AS t, pragma_table_info(t.name) AS c"
            r" WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite\_%' ESCAPE '\'"
            " ORDER BY t.name, c.cid"
        ):
            self._columns.setdefault(table, []).append(column)

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def has_column(self, table: str, column: str) -> bool:
        """Return whether the table exists and has the column."""
        return column in self._columns.get(table, ())

    def profiles(self, report: Report) -> list[Numbered]:
        """Return the rows of ``profiles``, in the order of their insertion.

        Args:
            report: takes a sentence on values that JSON does not have, and how they are read.
        """
        return self._numbered("profiles", "profiles AS t", (), report)

    def queries(self, profile: int, report: Report) -> list[Numbered]:
        """Return the rows of ``queries`` of the profile with this number, as :meth:`profiles`."""
        source = "profiles AS p JOIN queries AS t ON t.profile_id = p.id WHERE p.rowid = ?"
        return self._numbered("queries", source, (profile,), report)

    def data(self, table: str, query: int, report: Report) -> list[dict[str, Any]]:
        """Return the rows of a data table that belong to a query, in the order of their insertion.

        Args:
            table: one of :data:`DATA_TABLES`.
            query: the number of the row of the query.
            report: takes a sentence on values that JSON does not have, and how they are read.
        """
        found = self._columns.get(table)
        if found is None:
            return []
        known = _KNOWN.get(table, " ".join(found)).split()
        columns = [column for column in found if column in known and column not in IDS]
        # By the number of the query: an id that is not valid UTF-8 could not be given as a value.
        source = f"queries AS q JOIN {table} AS t ON {self._owned_by(table)} WHERE q.rowid = ?"
        return self._select(columns, source, (query,), report)

    def app_state(self, report: Report) -> dict[str, Any]:
        """Return the app state by key."""
        rows = self._numbered("app_state", "app_state AS t", (), report)
        return {row["key"]: row.get("value") for _, row in rows}

    def count(self, table: str) -> int:
        """Return the number of rows; 0 without the table."""
        return self._one(f"SELECT count(*) FROM {_quoted(table)}") if table in self._columns else 0

    def values_without_place(self, table: str) -> dict[str, int]:
        """Return the columns of a data table that are not read, with their number of values."""
        counts = {
            column: self._one(f"SELECT count({_quoted(column)}) FROM {table}")
            for column in columns_without_place(table, self._columns.get(table, ()))
        }
        return {column: count for column, count in counts.items() if count}

    def orphans(self, table: str) -> list[Orphans]:
        """Return the rows of ``queries`` or a data table whose profile or query does not exist."""
        if table not in self._columns:
            return []
        if table == "queries":
            parents, condition = "profiles AS p", "p.id = t.profile_id"
        else:
            parents = "queries AS q JOIN profiles AS p ON p.id = q.profile_id"
            condition = self._owned_by(table)
        ids = "t.profile_id, t.query_id" if self.has_column(table, "query_id") else "t.profile_id"
        found = self._read(
            f"SELECT {ids}, count(*) FROM {table} AS t"
            f" WHERE NOT EXISTS (SELECT 1 FROM {parents} WHERE {condition}) GROUP BY {ids}"
        )
        return [Orphans("/".join(map(str, owner)), count) for *owner, count in found]

    def _owned_by(self, table: str) -> str:
        """Return the condition on which a row ``t`` of the table belongs to the query ``q``."""
        of_profile = "t.profile_id = q.profile_id"
        if self.has_column(table, "query_id"):
            return f"{of_profile} AND t.query_id = q.id"
        return of_profile

    def _numbered(
        self, table: str, source: str, parameters: tuple[int, ...], report: Report
    ) -> list[Numbered]:
        columns = self._columns.get(table)
        if columns is None:
            return []
        rows = self._select([*columns, "rowid"], source, parameters, report)
        return [Numbered(row.pop("rowid"), row) for row in rows]

    def _select(
        self, columns: list[str], source: str, parameters: tuple[int, ...], report: Report
    ) -> list[dict[str, Any]]:
        selected = ", ".join(f"t.{_quoted(column)}" for column in columns)
        sql = f"SELECT {selected} FROM {source} ORDER BY t.rowid"
        rows = self._read(sql, parameters, report)
        if _have_others(rows):
            rows = _with_json_values(rows, columns, report)
        return [dict(zip(columns, row)) for row in rows]  # noqa: B905 - strict takes a third more

    def _read(
        self, sql: str, parameters: tuple[int, ...] = (), report: Report = lambda what: None
    ) -> list[tuple[Any, ...]]:
        """Return the rows of a statement, with escapes for bytes that are not UTF-8."""
        with suppress(sqlite3.OperationalError):  # it quotes the string, which may be a secret
            return self._connection.execute(sql, parameters).fetchall()
        decoder = _Decoder()
        earlier = self._connection.text_factory
        self._connection.text_factory = decoder.decode
        try:  # any other error is raised again
            rows = self._connection.execute(sql, parameters).fetchall()
        finally:
            self._connection.text_factory = earlier
        report(f"{decoder.repaired} strings that are not UTF-8, read with escapes")
        return rows

    def _one(self, sql: str) -> int:
        [[number]] = self._read(sql)
        return int(number)


class _Decoder:
    """The decoding of strings of which some are not UTF-8."""

    def __init__(self) -> None:
        self.repaired = 0

    def decode(self, text: bytes) -> str:
        """Return the string, with an escape for each byte that is not part of UTF-8."""
        try:
            return text.decode()
        except UnicodeDecodeError:
            self.repaired += 1
            return text.decode(errors="backslashreplace")


def _have_others(rows: list[tuple[Any, ...]]) -> bool:
    """Return whether there are values in the rows that JSON does not have."""
    # Nearly never. Three passes in C take a tenth of the time of one comparison for each row.
    return bytes in map(type, chain.from_iterable(rows)) or any(
        infinity in chain.from_iterable(rows) for infinity in _INFINITIES
    )


def _with_json_values(
    rows: list[tuple[Any, ...]], columns: list[str], report: Report
) -> list[tuple[Any, ...]]:
    """Return the rows with others in place of the values that JSON does not have."""

    def converted(value: Any, column: str, row: str) -> Any:
        if isinstance(value, bytes):
            report_row(row, f"{column}: binary data read as text")
            return value.decode(errors="backslashreplace")
        if value in _INFINITIES:
            report_row(row, f"{column}: null in place of infinity")
            return None
        return value

    with summed_up(report) as report_row:
        return [
            tuple(map(converted, row, columns, repeat(f"row {number}")))
            for number, row in enumerate(rows, 1)
        ]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
