"""The operations written manually: one open ``sqlite3`` connection and the standard ``json``."""

import json
import os
import platform
import secrets
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path

from benchmarks.issues import Json
from burndown import SQLiteBackend
from burndown.models.timestamps import utc_now

__all__ = ["Floor", "connect", "merged"]

_PROFILE = ("id", "name", "description", "created_at", "last_used")
_SECTIONS = (
    "jira_config",
    "field_mappings",
    "forecast_settings",
    "project_classification",
    "flow_type_mappings",
)
_QUERY = ("profile_id", "id", "name", "jql", "description", "created_at", "last_used", "updated_at")
_TASK = (
    *("task_name", "progress_percent", "status", "message", "updated_at"),
    *("owner", "started_at", "heartbeat_at", "lease_until", "cancel_requested"),
)


@cache
def _schema() -> str:
    """Return the SQL of the tables and indexes of the package, without its triggers."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "burndown.db"
        with SQLiteBackend(path) as backend:
            backend.list_profiles()  # makes the tables
        with closing(sqlite3.connect(path)) as connection:
            found = connection.execute(
                "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND type <> 'trigger'"
            )
            return ";\n".join(row[0] for row in found)


def connect(path: Path, synchronous: str) -> sqlite3.Connection:
    """Create a file with the tables of the package."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute(f"PRAGMA synchronous={synchronous}")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.executescript(_schema())
    return connection


def merged(issues: list[Json], changed: list[Json], removed: list[str]) -> list[Json]:
    """Return issues with the changed ones in their place, and without the removed ones."""
    by_key = {issue["key"]: issue for issue in issues}
    by_key.update((issue["key"], issue) for issue in changed)
    for key in removed:
        by_key.pop(key, None)
    return list(by_key.values())


def _stored_format(time: datetime) -> str:
    """Return a time in the format of the tables."""
    return time.strftime("%Y-%m-%d %H:%M:%S.%f")


def _with_extra(named: Json, extra: str) -> Json:
    """Add the keys that have no column, which are rare."""
    return named if extra == "{}" else {**named, **json.loads(extra)}


class Floor:
    """The code that a careful programmer writes without a library and without validation."""

    def __init__(self, path: Path, synchronous: str) -> None:
        self.connection = connect(path, synchronous)

    def get_profile(self, profile_id: str) -> Json | None:
        row = self.connection.execute(
            "SELECT id, name, description, created_at, last_used, show_milestone, jira_config,"
            " field_mappings, forecast_settings, project_classification, flow_type_mappings,"
            " show_points, extra FROM profiles WHERE id = ?",
            (profile_id,),
        ).fetchone()
        if row is None:
            return None
        profile = dict(zip(_PROFILE, row, strict=False))
        profile.update(zip((*_SECTIONS, "show_points"), map(json.loads, row[6:-1]), strict=True))
        profile["show_milestone"] = bool(row[5])
        return _with_extra(profile, row[-1])

    def save_profile(self, profile: Json) -> None:
        self.connection.execute(
            "INSERT INTO profiles (id, name, description, jira_config, field_mappings,"
            " forecast_settings, project_classification, flow_type_mappings)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET name=excluded.name,"
            " description=excluded.description, jira_config=excluded.jira_config,"
            " field_mappings=excluded.field_mappings,"
            " forecast_settings=excluded.forecast_settings,"
            " project_classification=excluded.project_classification,"
            " flow_type_mappings=excluded.flow_type_mappings",
            (
                profile["id"],
                profile["name"],
                profile["description"],
                *(json.dumps(profile[section]) for section in _SECTIONS),
            ),
        )

    def patch_profile(self, profile_id: str, changes: Json) -> Json:
        """Change values of sections."""
        with self.transaction():
            profile = self.get_profile(profile_id)
            assert profile is not None
            for section, changed in changes.items():
                profile[section] = {**profile[section], **changed}
                self.connection.execute(
                    f"UPDATE profiles SET {section} = ? WHERE id = ?",
                    (json.dumps(profile[section]), profile_id),
                )
        return profile

    def save_query(self, profile_id: str, query: Json) -> None:
        self.connection.execute(
            "INSERT INTO queries (profile_id, id, name, jql, description) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (profile_id, id) DO UPDATE SET name=excluded.name, jql=excluded.jql,"
            " description=excluded.description",
            (profile_id, query["id"], query["name"], query["jql"], query["description"]),
        )

    def list_queries(self, profile_id: str) -> list[Json]:
        rows = self.connection.execute(
            f"SELECT {', '.join(_QUERY)}, extra FROM queries WHERE profile_id = ?"
            " ORDER BY last_used DESC, id",
            (profile_id,),
        )
        return [_with_extra(dict(zip(_QUERY, row, strict=False)), row[-1]) for row in rows]

    def save_jira_cache(
        self, profile_id: str, query_id: str, key: str, response: Json, expires_at: datetime
    ) -> None:
        expiry, now = _stored_format(expires_at), _stored_format(datetime.now(UTC))
        self.connection.execute(
            "INSERT OR REPLACE INTO jira_cache (profile_id, query_id, cache_key, expires_at,"
            " created_at, response) VALUES (?, ?, ?, ?, ?, ?)",
            (profile_id, query_id, key, expiry, now, json.dumps(response)),
        )

    def get_jira_cache(self, profile_id: str, query_id: str, key: str) -> Json | None:
        row = self.connection.execute(
            "SELECT response FROM jira_cache WHERE profile_id = ? AND query_id = ?"
            " AND cache_key = ? AND expires_at > datetime('now')",
            (profile_id, query_id, key),
        ).fetchone()
        return None if row is None else json.loads(row[0])

    def merge_jira_cache(
        self,
        profile_id: str,
        query_id: str,
        key: str,
        changed: list[Json],
        removed: list[str],
        expires_at: datetime,
    ) -> Json:
        [[text]] = self.connection.execute(
            "SELECT response FROM jira_cache WHERE profile_id = ? AND query_id = ?"
            " AND cache_key = ?",
            (profile_id, query_id, key),
        )
        response = json.loads(text)
        response["issues"] = merged(response["issues"], changed, removed)
        self.save_jira_cache(profile_id, query_id, key, response, expires_at)
        return {"cache_key": key, "expired": False}

    def find_jira_cache(self, profile_id: str, query_id: str, key: str) -> Json | None:
        row = self.connection.execute(
            "SELECT response, created_at, expires_at FROM jira_cache"
            " WHERE profile_id = ? AND query_id = ? AND cache_key = ?",
            (profile_id, query_id, key),
        ).fetchone()
        if row is None:
            return None
        text, created_at, expires_at = row
        response, now = json.loads(text), datetime.now(UTC).replace(tzinfo=None)
        count = len(response["issues"])
        return {
            "response": response,
            "created_at": created_at,
            "expires_at": expires_at,
            "age": (now - datetime.fromisoformat(created_at)).total_seconds(),
            "state": "stale" if datetime.fromisoformat(expires_at) <= now else "fresh",
            "issue_count": count,
            "is_complete": count == response["total"],
        }

    def cached(
        self,
        profile_id: str,
        query_id: str,
        key: str,
        fetch: Callable[[], Json],
        ttl: timedelta,
    ) -> Json:
        found = self.find_jira_cache(profile_id, query_id, key)
        if found is None or found["state"] == "stale":
            self.save_jira_cache(profile_id, query_id, key, fetch(), datetime.now(UTC) + ttl)
            return self.cached(profile_id, query_id, key, fetch, ttl)
        return found

    def query_status(self, profile_id: str) -> list[Json]:
        rows = self.connection.execute(
            "SELECT id, name, created_at, expires_at, issue_count, is_complete FROM (SELECT q.id,"
            " q.name, q.last_used, (SELECT c.rowid FROM jira_cache c WHERE"
            " c.profile_id = q.profile_id AND c.query_id = q.id ORDER BY c.created_at DESC LIMIT 1)"
            " AS newest FROM queries q WHERE q.profile_id = ?) LEFT JOIN jira_cache"
            " ON jira_cache.rowid = newest ORDER BY last_used DESC, id",
            (profile_id,),
        )
        now = _stored_format(datetime.now(UTC))
        return [
            {
                "query_id": query_id,
                "name": name,
                "has_data": created_at is not None,
                "created_at": created_at,
                "expires_at": expires_at,
                "state": expires_at and ("stale" if expires_at <= now else "fresh"),
                "issue_count": issue_count,
                "is_complete": is_complete,
            }
            for query_id, name, created_at, expires_at, issue_count, is_complete in rows
        ]

    def cleanup(self, max_bytes: int) -> int:
        [[size]] = self.connection.execute("SELECT sum(length(response)) FROM jira_cache")
        if size <= max_bytes:
            return 0
        raise NotImplementedError  # only measured for a store below its limit

    def cleanup_expired_cache(self) -> int:
        return self.connection.execute(
            "DELETE FROM jira_cache WHERE expires_at <= datetime('now')"
        ).rowcount

    def save_metrics_snapshot(
        self, profile_id: str, query_id: str, week: str, kind: str, metrics: Json
    ) -> None:
        self.connection.execute(
            "INSERT INTO metrics_snapshots (profile_id, query_id, metric_type, snapshot_date,"
            " created_at, metrics) VALUES (?, ?, ?, ?, datetime('now'), ?)"
            " ON CONFLICT (profile_id, query_id, metric_type, snapshot_date) DO UPDATE SET"
            " created_at=excluded.created_at, metrics=excluded.metrics, forecast=NULL,"
            " forecasts=NULL",
            (profile_id, query_id, kind, week, json.dumps(metrics)),
        )

    def get_metrics_snapshots(
        self, profile_id: str, query_id: str, kind: str, limit: int
    ) -> list[Json]:
        rows = self.connection.execute(
            "SELECT snapshot_date, created_at, metrics, forecast, forecasts FROM metrics_snapshots"
            " WHERE profile_id = ? AND query_id = ? AND metric_type = ?"
            " ORDER BY snapshot_date DESC LIMIT ?",
            (profile_id, query_id, kind, limit),
        )
        return [
            {
                "profile_id": profile_id,
                "query_id": query_id,
                "snapshot_date": week,
                "metric_type": kind,
                "created_at": created_at,
                "metrics": json.loads(metrics),
                "forecast": None if forecast is None else json.loads(forecast),
                "forecasts": None if forecasts is None else json.loads(forecasts),
            }
            for week, created_at, metrics, forecast, forecasts in rows
        ]

    def get_series(self, profile_id: str, query_id: str, metric: str, since: str) -> Json:
        kind, name = metric.split(".")
        rows = self.connection.execute(
            "SELECT snapshot_date, metrics, forecast, forecasts FROM metrics_snapshots"
            " WHERE profile_id = ? AND query_id = ? AND metric_type = ? AND snapshot_date >= ?",
            (profile_id, query_id, kind, since),
        )
        stored = {
            week: (json.loads(metrics)[name], forecast and json.loads(forecast), forecasts)
            for week, metrics, forecast, forecasts in rows
        }
        weeks, day = [since], date.fromisocalendar(int(since[:4]), int(since[6:]), 1)
        while weeks[-1] < max(stored):
            day += timedelta(weeks=1)
            weeks.append("{}-W{:02}".format(*day.isocalendar()[:2]))
        values = []
        for week in weeks:
            metric_of_week = stored[week][0] if week in stored else {"completed_count": 0}
            has_value = metric_of_week["completed_count"]
            values.append(metric_of_week["median_days"] if has_value else None)
        none = [None] * len(weeks)
        forecasts_of_weeks = {"forecast": none, "lower": none, "upper": none}
        found = {"metric": metric, "unit": "days", "weeks": weeks, "values": values}
        return {**found, **forecasts_of_weeks}

    def patch_metrics(
        self, profile_id: str, query_id: str, week: str, kind: str, metrics: Json
    ) -> None:
        key = (profile_id, query_id, kind, week)
        of_week = " WHERE profile_id=? AND query_id=? AND metric_type=? AND snapshot_date=?"
        with self.transaction():
            [stored] = self.connection.execute(
                "SELECT metrics FROM metrics_snapshots" + of_week, key
            ).fetchone()
            self.connection.execute(
                "UPDATE metrics_snapshots SET metrics=?, created_at=datetime('now')" + of_week,
                (json.dumps({**json.loads(stored), **metrics}), *key),
            )

    def delete_jira_caches(self, profile_id: str, query_id: str) -> int:
        return self.connection.execute(
            "DELETE FROM jira_cache WHERE profile_id=? AND query_id=?", (profile_id, query_id)
        ).rowcount

    def get_app_state(self, key: str) -> str | None:
        row = self.connection.execute(
            "SELECT value FROM app_state WHERE key = ?", (key,)
        ).fetchone()
        return None if row is None else row[0]

    def set_app_state(self, key: str, value: str) -> None:
        self.connection.execute(
            "INSERT INTO app_state (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET"
            " value=excluded.value",
            (key, value),
        )

    def get_task_progress(self, name: str) -> Json | None:
        row = self.connection.execute(
            f"SELECT {', '.join(_TASK)} FROM task_progress WHERE task_name = ?", (name,)
        ).fetchone()
        if row is None:
            return None
        task = dict(zip(_TASK, row, strict=True))
        task["cancel_requested"] = bool(task["cancel_requested"])
        if task["lease_until"] is not None and task["lease_until"] <= _stored_format(utc_now()):
            task["status"] = "dead"
        return task

    def save_task_progress(self, name: str, percent: float, status: str, message: str) -> None:
        self.connection.execute(
            "INSERT INTO task_progress (task_name, progress_percent, status, message, updated_at)"
            " VALUES (?, ?, ?, ?, datetime('now'))"
            " ON CONFLICT (task_name) DO UPDATE SET progress_percent=excluded.progress_percent,"
            " status=excluded.status, message=excluded.message, updated_at=excluded.updated_at",
            (name, percent, status, message),
        )

    def task(self, name: str, lease: timedelta = timedelta(seconds=30)) -> "FloorTask":
        return FloorTask(self.connection, name, lease)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self.connection.execute("BEGIN IMMEDIATE")
        yield
        self.connection.execute("COMMIT")

    def close(self) -> None:
        self.connection.close()


class FloorTask:
    """A task with a lease: a statement each to begin it, to report and to end it."""

    def __init__(self, connection: sqlite3.Connection, name: str, lease: timedelta) -> None:
        self._connection = connection
        self._name = name
        self._lease = lease
        self._owner = ""

    def __enter__(self) -> "FloorTask":
        self._owner = f"{platform.node()}:{os.getpid()}:{secrets.token_hex(8)}"
        now = utc_now()
        at = _stored_format(now)
        begun = self._connection.execute(
            "INSERT INTO task_progress (task_name, progress_percent, status, message, updated_at,"
            " owner, started_at, heartbeat_at, lease_until) VALUES (?, 0, 'running', '', ?, ?, ?,"
            " ?, ?) ON CONFLICT (task_name) DO UPDATE SET progress_percent=0, status='running',"
            " message='', updated_at=excluded.updated_at, owner=excluded.owner,"
            " started_at=excluded.started_at, heartbeat_at=excluded.heartbeat_at,"
            " lease_until=excluded.lease_until, cancel_requested=0"
            " WHERE lease_until IS NULL OR lease_until <= excluded.started_at",
            (self._name, at, self._owner, at, at, _stored_format(now + self._lease)),
        )
        if not begun.rowcount:
            raise RuntimeError("the task is running")
        return self

    def progress(self, percent: float, message: str) -> None:
        now = utc_now()
        at = _stored_format(now)
        found = self._connection.execute(
            "UPDATE task_progress SET progress_percent=?, message=?, status='running',"
            " updated_at=?, heartbeat_at=?, lease_until=? WHERE task_name=? AND owner=? AND"
            " lease_until IS NOT NULL RETURNING cancel_requested",
            (percent, message, at, at, _stored_format(now + self._lease), self._name, self._owner),
        ).fetchall()
        if found != [(0,)]:
            raise RuntimeError("the task is lost or cancelled")

    def __exit__(self, *error: object) -> None:
        at = _stored_format(utc_now())
        self._connection.execute(
            "UPDATE task_progress SET progress_percent=100, status='completed', updated_at=?,"
            " heartbeat_at=?, lease_until=NULL, cancel_requested=0 WHERE task_name=? AND owner=?"
            " AND lease_until IS NOT NULL",
            (at, at, self._name, self._owner),
        )
