"""A plugin for Datasette, to look at a store while it is in use.

    datasette profiles/burndown.db --plugins-dir examples/datasette_plugin

Datasette opens the database read-only. The function ``burndown_json`` decodes cached responses and
changelogs; this lists the issues of all queries::

    SELECT query_id, issue.value ->> 'key' AS issue_key
    FROM jira_cache, json_each(burndown_json(response), '$.issues') AS issue

Settings of profiles and unknown keys, which may hold secrets, are NULL in every statement.
"""

import sqlite3

from datasette import hookimpl

from burndown.models.compression import decompress
from burndown.schema.recognition import APPLICATION_ID

_VISIBLE = {"", "id", "name", "description", "created_at", "last_used", "revision"}
"""The columns of profiles without secrets; the empty one stands for ``count(*)``."""


@hookimpl
def prepare_connection(conn: sqlite3.Connection) -> None:
    """Hide secrets, and add the function to a connection with a store of burndown."""
    [application_id] = conn.execute("PRAGMA application_id").fetchone()
    if application_id == APPLICATION_ID:
        conn.create_function("burndown_json", 1, _json, deterministic=True)
        conn.set_authorizer(_authorize)


def _json(compressed: bytes | None) -> str | None:
    return None if compressed is None else decompress(compressed).decode()


def _authorize(
    action: int, table: str | None, column: str | None, _schema: str | None, _source: str | None
) -> int:
    """Return that a column with secrets is read as NULL."""
    if action == sqlite3.SQLITE_READ:
        is_hidden = column not in _VISIBLE if table == "profiles" else column == "extra"
        return sqlite3.SQLITE_IGNORE if is_hidden else sqlite3.SQLITE_OK
    return sqlite3.SQLITE_OK
