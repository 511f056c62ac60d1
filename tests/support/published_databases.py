"""Databases as the published dashboard makes them, in each of the six shapes of its tables."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

__all__ = [
    "SAMPLE",
    "SHAPES",
    "Content",
    "Undecodable",
    "create_tables",
    "insert",
    "opened",
    "write_database",
]

SHAPES = ("S1", "S2", "S3", "S4", "S5", "S6")

Content = Mapping[str, Iterable[Mapping[str, Any]]]
"""Rows by table. Columns that a shape lacks are ignored; those without a value have a usual one."""

_PROFILES = """
CREATE TABLE app_state (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE profiles (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    description TEXT DEFAULT '',
    created_at TEXT NOT NULL,
    last_used TEXT NOT NULL,
    jira_config TEXT NOT NULL DEFAULT '{}',
    field_mappings TEXT NOT NULL DEFAULT '{}',
    forecast_settings TEXT NOT NULL DEFAULT '{"pert_factor": 1.2, "deadline": null}',
    project_classification TEXT NOT NULL DEFAULT '{}',
    flow_type_mappings TEXT NOT NULL DEFAULT '{}',
    show_milestone INTEGER DEFAULT 0,
    show_points INTEGER DEFAULT 0
);
CREATE TABLE queries (
    id TEXT NOT NULL,
    profile_id TEXT NOT NULL,
    name TEXT NOT NULL,
    jql TEXT NOT NULL,
    created_at TEXT NOT NULL,
    last_used TEXT NOT NULL,
    PRIMARY KEY (profile_id, id),
    FOREIGN KEY (profile_id) REFERENCES profiles(id) ON DELETE CASCADE
);
CREATE TABLE task_progress (
    task_name TEXT PRIMARY KEY,
    progress_percent REAL NOT NULL,
    status TEXT NOT NULL,
    message TEXT DEFAULT '',
    updated_at TEXT NOT NULL
);
"""
_OF_QUERY = """
    FOREIGN KEY (profile_id, query_id) REFERENCES queries(profile_id, id) ON DELETE CASCADE
"""
_DATA = f"""
CREATE TABLE jira_issues (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    profile_id TEXT NOT NULL,
    query_id TEXT NOT NULL,
    cache_key TEXT NOT NULL,
    issue_key TEXT NOT NULL,
    summary TEXT,
    status TEXT,
    assignee TEXT,
    issue_type TEXT,
    priority TEXT,
    resolution TEXT,
    created TEXT,
    updated TEXT,
    resolved TEXT,
    points REAL,
    project_key TEXT,
    project_name TEXT,
    fix_versions TEXT,
    labels TEXT,
    components TEXT,
    custom_fields TEXT,
    expires_at TEXT NOT NULL,
    fetched_at TEXT NOT NULL,
    UNIQUE (profile_id, query_id, issue_key),
    {_OF_QUERY}
);
CREATE INDEX idx_jira_issues_query ON jira_issues(profile_id, query_id);
CREATE TABLE jira_changelog_entries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    profile_id TEXT NOT NULL,
    query_id TEXT NOT NULL,
    issue_key TEXT NOT NULL,
    change_date TEXT NOT NULL,
    author TEXT NOT NULL,
    field_name TEXT NOT NULL,
    field_type TEXT DEFAULT 'jira',
    old_value TEXT,
    new_value TEXT,
    expires_at TEXT NOT NULL,
    {_OF_QUERY}
);
CREATE INDEX idx_changelog_query ON jira_changelog_entries(profile_id, query_id);
CREATE TABLE project_statistics (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    profile_id TEXT NOT NULL,
    query_id TEXT NOT NULL,
    stat_date TEXT NOT NULL,
    week_label TEXT,
    completed_items INTEGER DEFAULT 0,
    completed_points REAL DEFAULT 0.0,
    created_items INTEGER DEFAULT 0,
    created_points REAL DEFAULT 0.0,
    velocity_items REAL DEFAULT 0.0,
    velocity_points REAL DEFAULT 0.0,
    recorded_at TEXT NOT NULL,
    UNIQUE (profile_id, query_id, stat_date),
    {_OF_QUERY}
);
CREATE TABLE project_scope (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    profile_id TEXT NOT NULL,
    query_id TEXT NOT NULL,
    scope_data TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    UNIQUE (profile_id, query_id),
    {_OF_QUERY}
);
CREATE TABLE metrics_data_points (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    profile_id TEXT NOT NULL,
    query_id TEXT NOT NULL,
    snapshot_date TEXT NOT NULL,
    metric_category TEXT NOT NULL,
    metric_name TEXT NOT NULL,
    metric_value REAL NOT NULL,
    metric_unit TEXT,
    excluded_issue_count INTEGER DEFAULT 0,
    calculation_metadata TEXT,
    forecast_value REAL,
    forecast_confidence_low REAL,
    forecast_confidence_high REAL,
    calculated_at TEXT NOT NULL,
    UNIQUE (profile_id, query_id, snapshot_date, metric_category, metric_name),
    {_OF_QUERY}
);
CREATE INDEX idx_metrics_query ON metrics_data_points(profile_id, query_id);
"""
_FURTHER_STATISTICS = """
ALTER TABLE project_statistics ADD COLUMN remaining_items INTEGER;
ALTER TABLE project_statistics ADD COLUMN remaining_total_points REAL;
ALTER TABLE project_statistics ADD COLUMN items_added INTEGER DEFAULT 0;
ALTER TABLE project_statistics ADD COLUMN items_completed INTEGER DEFAULT 0;
"""
_JIRA_CACHE = """
CREATE TABLE jira_cache (
    profile_id TEXT NOT NULL,
    query_id TEXT NOT NULL,
    cache_key TEXT NOT NULL,
    timestamp TEXT NOT NULL,
    config_hash TEXT NOT NULL,
    issue_count INTEGER DEFAULT 0,
    expires_at TEXT NOT NULL,
    PRIMARY KEY (profile_id, query_id, cache_key)
);
"""


def _budgets(owner: str) -> str:
    ids = "".join(f"{column} TEXT NOT NULL, " for column in owner.split(", "))
    return f"""
    CREATE TABLE budget_settings (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        {ids}
        time_allocated_weeks INTEGER NOT NULL,
        team_cost_per_week_eur REAL,
        cost_rate_type TEXT DEFAULT 'weekly',
        currency_symbol TEXT DEFAULT '€',
        budget_total_eur REAL,
        created_at TEXT NOT NULL,
        updated_at TEXT NOT NULL,
        UNIQUE ({owner})
    );
    CREATE TABLE budget_revisions (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        {ids}
        revision_date TEXT NOT NULL,
        week_label TEXT NOT NULL,
        time_allocated_weeks_delta INTEGER DEFAULT 0,
        team_cost_delta REAL DEFAULT 0,
        budget_total_delta REAL DEFAULT 0,
        revision_reason TEXT,
        created_at TEXT NOT NULL,
        metadata TEXT
    );
    """


_VELOCITIES = """
ALTER TABLE budget_settings ADD COLUMN baseline_velocity_items REAL;
ALTER TABLE budget_settings ADD COLUMN baseline_velocity_points REAL;
"""


def create_tables(connection: sqlite3.Connection, shape: str = "S6") -> None:
    """Create the tables of a shape."""
    number = SHAPES.index(shape) + 1
    script = _PROFILES + _DATA
    if number >= 2:
        script += _FURTHER_STATISTICS
    if 2 <= number <= 5:
        script += _JIRA_CACHE
    if number >= 3:
        script += _budgets("profile_id" if number == 3 else "profile_id, query_id")
    if number >= 5:
        script += _VELOCITIES
    connection.executescript(script)


_USUAL: dict[str, dict[str, Any]] = {
    "profiles": {
        "name": "Team",
        "created_at": "2025-11-01T08:00:00+00:00",
        "last_used": "2025-11-02T08:00:00",
    },
    "queries": {
        "name": "Bugs",
        "jql": "project = A",
        "created_at": "2025-11-01T09:00:00+00:00",
        "last_used": "2025-11-02T09:00:00+00:00",
    },
    "jira_issues": {
        "cache_key": "0123456789abcdef0123456789abcdef",
        "expires_at": "2025-11-04T10:00:00+00:00",
        "fetched_at": "2025-11-03T10:00:00+00:00",
    },
    "jira_changelog_entries": {
        "change_date": "2025-10-31T22:22:55.000+0000",
        "author": "",
        "field_name": "status",
        "expires_at": "2025-11-04T10:00:00+00:00",
    },
    "project_statistics": {"recorded_at": "2025-11-03T11:00:00.123456"},
    "project_scope": {"scope_data": "{}", "updated_at": "2025-11-03T11:00:00.123456"},
    "metrics_data_points": {
        "metric_category": "flow",
        "metric_value": 0.0,
        "calculated_at": "2025-11-03T12:00:00.123456",
    },
    "budget_settings": {
        "time_allocated_weeks": 12,
        "created_at": "2025-11-03T00:00:00+00:00",
        "updated_at": "2025-11-03T13:00:00.123456+00:00",
    },
    "budget_revisions": {
        "revision_date": "2025-11-03T00:00:00+00:00",
        "week_label": "2025-W45",
        "created_at": "2025-11-03T13:00:00.123456+00:00",
    },
    "task_progress": {
        "progress_percent": 50.0,
        "status": "in_progress",
        "updated_at": "2025-11-03T14:00:00",
    },
    "jira_cache": {
        "timestamp": "2025-11-03T10:00:00",
        "config_hash": "0" * 32,
        "expires_at": "2025-11-04T10:00:00",
    },
    "app_state": {},
}


def insert(connection: sqlite3.Connection, table: str, row: Mapping[str, Any]) -> None:
    """Insert a row, unless its table has its key already or is not there.

    Text that is not UTF-8 is given as :class:`Undecodable`. A column that cannot be NULL gets a
    usual value instead.
    """
    columns = connection.execute(f"PRAGMA table_info({table})").fetchall()
    usual = _USUAL[table]
    required = {name for _, name, _, not_null, _, _ in columns if not_null}
    known = {key: value for key, value in row.items() if value is not None or key not in required}
    values = {**usual, **known}
    given = [name for _, name, *_ in columns if name in values]
    if given:
        slots = ", ".join(
            "CAST(? AS TEXT)" if isinstance(values[column], Undecodable) else "?"
            for column in given
        )
        connection.execute(
            f"INSERT OR IGNORE INTO {table} ({', '.join(given)}) VALUES ({slots})",
            [values[column] for column in given],
        )


class Undecodable(bytes):
    """Text that is not UTF-8."""


SAMPLE: Content = {
    "profiles": [
        {"id": "p_111111111111", "name": "Team A", "show_points": 1},
        {"id": "Team A/B", "name": "team a"},
    ],
    "queries": [
        {"profile_id": "p_111111111111", "id": "q_111111111111", "name": "Bugs"},
        {"profile_id": "p_111111111111", "id": "q_222222222222", "name": "Bugs"},
        {"profile_id": "Team A/B", "id": "q_20251101_090000", "name": "  "},
    ],
    "app_state": [
        {"key": "active_profile_id", "value": "p_111111111111"},
        {"key": "active_query_id", "value": "q_222222222222"},
        {"key": "schema_version", "value": "1.0"},
    ],
    "jira_issues": [
        {
            "profile_id": "p_111111111111",
            "query_id": "q_111111111111",
            "issue_key": f"A-{number}",
            "summary": f"Issue {number}",
            "status": "Done",
            "issue_type": "Bug",
            "created": "2025-10-01T22:22:55.000+0000",
            "labels": '["x"]',
            "custom_fields": '{"customfield_1": 3}',
        }
        for number in range(1, 4)
    ],
    "jira_changelog_entries": [
        {
            "profile_id": "p_111111111111",
            "query_id": "q_111111111111",
            "issue_key": "A-1",
            "old_value": "Open",
            "new_value": "Done",
        }
    ],
    "project_statistics": [
        {"profile_id": "p_111111111111", "query_id": "q_111111111111", "stat_date": "2025-11-03"}
    ],
    "project_scope": [
        {
            "profile_id": "p_111111111111",
            "query_id": "q_111111111111",
            "scope_data": '{"total_items": 3, "remaining_items": NaN}',
        }
    ],
    "metrics_data_points": [
        {
            "profile_id": "p_111111111111",
            "query_id": "q_111111111111",
            "snapshot_date": "2025-11-03",
            "metric_name": "flow_time",
            "metric_value": '{"median_days": 2}',
        }
    ],
    "budget_settings": [{"profile_id": "p_111111111111", "query_id": "q_111111111111"}],
    "budget_revisions": [{"profile_id": "p_111111111111", "query_id": "q_111111111111"}],
    "task_progress": [{"task_name": "update_data"}],
}
"""A small workspace with a row in each table of the newest shape."""


def write_database(path: Path, content: Content = SAMPLE, shape: str = "S6") -> None:
    """Write a file with these rows, as the dashboard leaves it."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA journal_mode = WAL")
        create_tables(connection, shape)
        for table, rows in content.items():
            for row in rows:
                insert(connection, table, row)


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a file for reading, in one transaction."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("BEGIN")
        yield connection
