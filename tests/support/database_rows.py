"""The rows of a database, read without the code under test."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import zstandard

from burndown.models import ENTITIES

Rows = list[dict[str, Any]]


def rows(database: Path, table: str) -> Rows:
    """Return all rows of a table, with its JSON decoded, without their digests."""
    with _connected(database) as connection:
        return _rows(connection, table)


def everything(database: Path) -> dict[str, Rows]:
    """Return all rows of all tables."""
    with _connected(database) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        return {table["name"]: _rows(connection, table["name"]) for table in tables.fetchall()}


def _connected(database: Path) -> closing[sqlite3.Connection]:
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    connection.row_factory = sqlite3.Row
    return closing(connection)


def _rows(connection: sqlite3.Connection, table: str) -> Rows:
    return [
        {
            name: _decoded(name, row[name])
            for name in row.keys()  # noqa: SIM118
            if name not in ("digest", "content_digest")
        }
        for row in connection.execute(f"SELECT * FROM {table}")
    ]


def unindexed_rows(database: Path) -> list[list[str]]:
    """Return the ``repr`` of all rows of each table of this package, read without an index."""
    with closing(sqlite3.connect(database)) as connection:
        connection.text_factory = bytes
        return [
            sorted(map(repr, connection.execute(f"SELECT * FROM {table} NOT INDEXED")))
            for table in (entity.__tablename__ for entity in ENTITIES)
        ]


_JSON = {
    "jira_config",
    "field_mappings",
    "forecast_settings",
    "project_classification",
    "flow_type_mappings",
    "show_points",
    "extra",
    "data",
    "metrics",
    "forecast",
    "forecasts",
}


def _decoded(name: str, value: Any) -> Any:
    if isinstance(value, bytes):
        return json.loads(zstandard.decompress(value))
    if name == "show_milestone":
        return bool(value)
    if name in _JSON and isinstance(value, str):
        return json.loads(value)
    return value
