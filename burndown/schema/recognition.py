"""Recognition of our databases and of their version, by their tables and columns."""

from collections.abc import Collection, Mapping
from itertools import takewhile
from typing import NamedTuple

from burndown.models.version import SCHEMA_VERSION

__all__ = [
    "ADDED",
    "ALEMBIC_TABLE",
    "APPLICATION_ID",
    "READABLE",
    "TABLES",
    "VERSION_TABLE",
    "Contents",
]

APPLICATION_ID = 0x6275726E
"""``PRAGMA application_id`` of our SQLite files since version 1.2: "burn" in ASCII."""

VERSION_TABLE = "burndown_version"
"""The table whose only row is the version, since schema version 1.2."""

ALEMBIC_TABLE = "alembic_version"
"""The table that version 1.1 used. Every program that uses Alembic has one of that name."""

_NAMED = {"id", "name", "description", "created_at", "last_used", "extra"}
_OF_QUERY = {"profile_id", "query_id"}
_FIRST_COLUMNS: dict[str, set[str]] = {
    "profiles": {
        *_NAMED,
        "jira_config",
        "field_mappings",
        "forecast_settings",
        "project_classification",
        "flow_type_mappings",
        "show_milestone",
        "show_points",
    },
    "queries": {*_NAMED, "profile_id", "jql"},
    "app_state": {"key", "value"},
    "jira_cache": {*_OF_QUERY, "cache_key", "expires_at", "created_at", "response"},
    "jira_changelog_cache": {*_OF_QUERY, "issue_key", "expires_at", "changelog"},
    "project_data": {*_OF_QUERY, "updated_at", "data"},
    "metrics_snapshots": {
        *_OF_QUERY,
        "metric_type",
        "snapshot_date",
        "created_at",
        "metrics",
        "forecast",
    },
    "task_progress": {"task_name", "progress_percent", "status", "message", "updated_at"},
}
ADDED: dict[str, dict[str, set[str]]] = {
    "1.0": _FIRST_COLUMNS,
    "1.1": {"jira_cache": {"issue_count", "is_complete"}, "queries": {"updated_at"}},
    "1.2": {"jira_changelog_cache": {"is_complete"}},
    "1.3": {"profiles": {"revision"}, "queries": {"revision"}},
    "1.4": {
        "budgets": {
            *_OF_QUERY,
            "time_allocated_weeks",
            "team_cost_per_week",
            "budget_total",
            "cost_rate_type",
            "currency_symbol",
            "baseline_velocity_items",
            "baseline_velocity_points",
            "effective_from",
            "created_at",
            "updated_at",
            "revisions",
            "extra",
        }
    },
    "1.5": {
        "task_progress": {
            "owner",
            "started_at",
            "heartbeat_at",
            "lease_until",
            "cancel_requested",
        },
        "jira_changelog_cache": {"created_at"},
        "metrics_snapshots": {"forecasts"},
    },
    "1.6": {},
}
"""The columns that each version added, oldest first; all of 1.0 are in every version."""

_REVISIONS = (
    "CREATE TEMP VIEW profiles AS SELECT 1 AS revision, * FROM main.profiles",
    "CREATE TEMP VIEW queries AS SELECT 1 AS revision, * FROM main.queries",
)
_NO_BUDGETS = (
    "CREATE TEMP VIEW budgets AS SELECT "
    + ", ".join(f"NULL AS {column}" for column in sorted(ADDED["1.4"]["budgets"]))
    + " WHERE FALSE",
)
_NO_CHANGELOG_TIMES = (
    "CREATE TEMP VIEW jira_changelog_cache AS "
    "SELECT NULL AS created_at, * FROM main.jira_changelog_cache",
)
_NO_LEASES_AND_FORECASTS = (
    "CREATE TEMP VIEW task_progress AS SELECT NULL AS owner, NULL AS started_at, "
    "NULL AS heartbeat_at, NULL AS lease_until, 0 AS cancel_requested, * FROM main.task_progress",
    "CREATE TEMP VIEW metrics_snapshots AS SELECT NULL AS forecasts, * FROM main.metrics_snapshots",
)
READABLE: dict[str, tuple[str, ...]] = {
    "1.1": (
        "CREATE TEMP VIEW jira_changelog_cache AS SELECT NULL AS is_complete, "
        "NULL AS created_at, * FROM main.jira_changelog_cache",
        *_REVISIONS,
        *_NO_BUDGETS,
        *_NO_LEASES_AND_FORECASTS,
    ),
    "1.2": (*_REVISIONS, *_NO_BUDGETS, *_NO_CHANGELOG_TIMES, *_NO_LEASES_AND_FORECASTS),
    "1.3": (*_NO_BUDGETS, *_NO_CHANGELOG_TIMES, *_NO_LEASES_AND_FORECASTS),
    "1.4": (*_NO_CHANGELOG_TIMES, *_NO_LEASES_AND_FORECASTS),
    "1.5": (),
    SCHEMA_VERSION: (),
}
"""The versions in which a SQLite file can be read without an upgrade.

Each has the statements that make a connection show the tables as those of the current version. The
new columns are the first, since SQLite renames a later one of the same name, which others added."""

_PUBLISHED = {"app_state", "jira_issues", "profiles", "queries"}
"""Tables of every database of the published dashboard; none of its releases records a version."""

_FIRST, _SECOND = list(ADDED)[:2]

TABLES = frozenset(table for tables in ADDED.values() for table in tables)
"""The tables of all versions."""


class Contents(NamedTuple):
    """The parts of a database by which it is recognized."""

    columns: Mapping[str, Collection[str]]
    """The columns of each table."""
    recorded: str | None = None
    """The version in :data:`VERSION_TABLE`."""
    alembic: Collection[str] = ()
    """The rows of :data:`ALEMBIC_TABLE`."""

    @property
    def version(self) -> str | None:
        """Return the version of our tables; ``None`` if they do not exist.

        Version 1.0 recorded none, and 1.1 used Alembic's own table, which may be another program's;
        so a database without a version table of ours has to have every table and column of those
        versions.
        """
        if self.recorded is not None:
            return self.recorded
        if self.newest is None:
            return None
        return _SECOND if _SECOND in self.alembic and self.newest != _FIRST else _FIRST

    @property
    def newest(self) -> str | None:
        """Return the newest version whose columns exist, with those of all earlier versions."""
        return list(takewhile(self._has, ADDED))[-1] if self._has(_FIRST) else None

    @property
    def is_published(self) -> bool:
        """Return whether it is a database of the published dashboard."""
        is_ours = self.recorded is not None or ALEMBIC_TABLE in self.columns
        return not is_ours and self.columns.keys() >= _PUBLISHED

    @property
    def foreign(self) -> list[str]:
        """Return the tables that have names of ours in a database that is not ours."""
        return sorted(TABLES & self.columns.keys()) if self.version is None else []

    def missing(self, version: str) -> list[str]:
        """Return a string for each table or column of a version that is missing."""
        found = []
        for each in list(ADDED)[: list(ADDED).index(version) + 1]:
            for table, names in ADDED[each].items():
                lost = sorted(names - set(self.columns.get(table, ())))
                if table not in self.columns:
                    found.append(f"the table {table} is missing")
                elif lost:
                    found.append(f"the table {table} lacks {', '.join(lost)}")
        return list(dict.fromkeys(found))

    def _has(self, version: str) -> bool:
        added = ADDED[version].items()
        return all(set(names) <= set(self.columns.get(table, ())) for table, names in added)
