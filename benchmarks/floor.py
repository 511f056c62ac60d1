"""The operations by hand: one kept ``sqlite3`` connection and the standard ``json``."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from benchmarks.sample import Document
from burndown import SQLiteBackend

OF_PROFILE = (
    "jira_config",
    "field_mappings",
    "forecast_settings",
    "project_classification",
    "flow_type_mappings",
)


def text_of(moment: datetime) -> str:
    """A moment as the tables hold it."""
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f")


class Floor:
    """What a careful programmer writes without a library, and without validation."""

    def __init__(self, path: Path, synchronous: str) -> None:
        with SQLiteBackend(path) as backend:
            backend.list_profiles()  # makes the tables
        self.connection = sqlite3.connect(path, isolation_level=None)
        self.connection.execute(f"PRAGMA synchronous={synchronous}")
        self.connection.execute("PRAGMA foreign_keys=ON")

    def get_profile(self, profile_id: str) -> Document | None:
        row = self.connection.execute(
            "SELECT id, name, description, created_at, last_used, jira_config, field_mappings,"
            " forecast_settings, project_classification, flow_type_mappings FROM profiles"
            " WHERE id = ?",
            (profile_id,),
        ).fetchone()
        if row is None:
            return None
        named = dict(
            zip(("id", "name", "description", "created_at", "last_used"), row, strict=False)
        )
        named.update(zip(OF_PROFILE, map(json.loads, row[5:]), strict=True))
        return named

    def save_profile(self, profile: Document) -> None:
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
                *(json.dumps(profile[section]) for section in OF_PROFILE),
            ),
        )

    def save_query(self, profile_id: str, query: Document) -> None:
        self.connection.execute(
            "INSERT OR REPLACE INTO queries (profile_id, id, name, jql, description)"
            " VALUES (?, ?, ?, ?, ?)",
            (profile_id, query["id"], query["name"], query["jql"], query["description"]),
        )

    def list_queries(self, profile_id: str) -> list[Document]:
        names = ("profile_id", "id", "name", "jql", "description", "created_at", "last_used")
        rows = self.connection.execute(
            f"SELECT {', '.join(names)}, extra FROM queries WHERE profile_id = ?"
            " ORDER BY last_used DESC, id",
            (profile_id,),
        )
        return [{**dict(zip(names, row, strict=False)), **json.loads(row[-1])} for row in rows]

    def save_jira_cache(
        self, profile_id: str, query_id: str, key: str, response: Document, expires_at: datetime
    ) -> None:
        moment = text_of(expires_at)
        self.connection.execute(
            "INSERT OR REPLACE INTO jira_cache (profile_id, query_id, cache_key, expires_at,"
            " created_at, response) VALUES (?, ?, ?, ?, ?, ?)",
            (profile_id, query_id, key, moment, moment, json.dumps(response)),
        )

    def get_jira_cache(self, profile_id: str, query_id: str, key: str) -> Document | None:
        row = self.connection.execute(
            "SELECT response FROM jira_cache WHERE profile_id = ? AND query_id = ?"
            " AND cache_key = ? AND expires_at > datetime('now')",
            (profile_id, query_id, key),
        ).fetchone()
        return None if row is None else json.loads(row[0])

    def cleanup_expired_cache(self) -> int:
        return self.connection.execute(
            "DELETE FROM jira_cache WHERE expires_at <= datetime('now')"
        ).rowcount

    def save_metrics_snapshot(
        self, profile_id: str, query_id: str, week: str, kind: str, metrics: Document
    ) -> None:
        self.connection.execute(
            "INSERT OR REPLACE INTO metrics_snapshots (profile_id, query_id, metric_type,"
            " snapshot_date, created_at, metrics) VALUES (?, ?, ?, ?, datetime('now'), ?)",
            (profile_id, query_id, kind, week, json.dumps(metrics)),
        )

    def get_metrics_snapshots(
        self, profile_id: str, query_id: str, kind: str, limit: int
    ) -> list[Document]:
        rows = self.connection.execute(
            "SELECT snapshot_date, metric_type, created_at, metrics, forecast"
            " FROM metrics_snapshots WHERE profile_id = ? AND query_id = ? AND metric_type = ?"
            " ORDER BY snapshot_date DESC LIMIT ?",
            (profile_id, query_id, kind, limit),
        )
        return [
            {
                "snapshot_date": week,
                "metric_type": metric_type,
                "created_at": created_at,
                "metrics": json.loads(metrics),
                "forecast": None if forecast is None else json.loads(forecast),
            }
            for week, metric_type, created_at, metrics, forecast in rows
        ]

    def get_app_state(self, key: str) -> str | None:
        row = self.connection.execute(
            "SELECT value FROM app_state WHERE key = ?", (key,)
        ).fetchone()
        return None if row is None else row[0]

    def set_app_state(self, key: str, value: str) -> None:
        self.connection.execute("INSERT OR REPLACE INTO app_state VALUES (?, ?)", (key, value))

    def get_task_progress(self, name: str) -> Document | None:
        names = ("task_name", "progress_percent", "status", "message", "updated_at")
        row = self.connection.execute(
            f"SELECT {', '.join(names)} FROM task_progress WHERE task_name = ?", (name,)
        ).fetchone()
        return None if row is None else dict(zip(names, row, strict=True))

    def save_task_progress(self, name: str, percent: float, status: str, message: str) -> None:
        self.connection.execute(
            "INSERT OR REPLACE INTO task_progress VALUES (?, ?, ?, ?, datetime('now'))",
            (name, percent, status, message),
        )

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self.connection.execute("BEGIN IMMEDIATE")
        yield
        self.connection.execute("COMMIT")

    def close(self) -> None:
        self.connection.close()
