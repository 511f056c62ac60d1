"""The floor on a PostgreSQL server: psycopg and the standard json, as one writes them manually.

A connection stays open, psycopg prepares the statements, and a pipeline sends those of a write
together. It keeps the promises of the package: a call that writes locks its profile, and a
transaction the store. It validates nothing, compresses nothing, and works without a pooler only.
"""

import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import psycopg

from benchmarks.issues import Json

__all__ = ["ServerFloor", "create_tables"]

_TABLES = """
CREATE TABLE floor_state (key text PRIMARY KEY, value text);
CREATE TABLE floor_profiles (id text PRIMARY KEY, revision int NOT NULL, document text NOT NULL);
CREATE TABLE floor_cache (
    profile_id text REFERENCES floor_profiles ON DELETE CASCADE, query_id text, cache_key text,
    response text NOT NULL, expires_at timestamptz NOT NULL,
    PRIMARY KEY (profile_id, query_id, cache_key));
CREATE TABLE floor_metrics (
    profile_id text REFERENCES floor_profiles ON DELETE CASCADE, query_id text, week text,
    type text, metrics text NOT NULL, PRIMARY KEY (profile_id, query_id, week, type));
"""


def create_tables(connection: "psycopg.Connection[Any]") -> None:
    """Create the tables in the first schema of the search path."""
    connection.execute(_TABLES)


class ServerFloor:
    """A connection to a schema.

    Args:
        url: the database, as libpq takes it.
        schema: the schema.
    """

    def __init__(self, url: str, schema: str) -> None:
        options = f"-csearch_path={schema} -clock_timeout=10s"
        self._connection = psycopg.connect(url, autocommit=True, options=options)
        self._store = zlib.crc32(schema.encode())

    def get_app_state(self, key: str) -> str | None:
        row = self._connection.execute(
            "SELECT value FROM floor_state WHERE key = %s", (key,)
        ).fetchone()
        return None if row is None else row[0]

    def set_app_state(self, key: str, value: str) -> None:
        with self._locked(f"state {key}"):
            self._connection.execute(
                "INSERT INTO floor_state VALUES (%s, %s) ON CONFLICT (key) DO UPDATE SET"
                " value = excluded.value",
                (key, value),
            )

    def get_profile(self, profile_id: str) -> Json | None:
        row = self._connection.execute(
            "SELECT revision, document FROM floor_profiles WHERE id = %s", (profile_id,)
        ).fetchone()
        return None if row is None else {**json.loads(row[1]), "revision": row[0]}

    def save_profile(self, profile: Json) -> None:
        document = json.dumps(profile)
        with self._locked(profile["id"]):
            self._connection.execute(
                "INSERT INTO floor_profiles VALUES (%s, 1, %s) ON CONFLICT (id) DO UPDATE SET"
                " document = excluded.document, revision = floor_profiles.revision + 1",
                (profile["id"], document),
            )

    def get_jira_cache(self, profile_id: str, query_id: str, cache_key: str) -> Json | None:
        row = self._connection.execute(
            "SELECT response FROM floor_cache WHERE profile_id = %s AND query_id = %s"
            " AND cache_key = %s AND expires_at > now()",
            (profile_id, query_id, cache_key),
        ).fetchone()
        return None if row is None else json.loads(row[0])

    def save_jira_cache(
        self, profile_id: str, query_id: str, cache_key: str, response: Json, expires_at: datetime
    ) -> None:
        document = json.dumps(response)
        with self._locked(profile_id):
            self._connection.execute(
                "INSERT INTO floor_cache VALUES (%s, %s, %s, %s, %s)"
                " ON CONFLICT (profile_id, query_id, cache_key) DO UPDATE SET"
                " response = excluded.response, expires_at = excluded.expires_at",
                (profile_id, query_id, cache_key, document, expires_at),
            )

    def patch_metrics(
        self, profile_id: str, query_id: str, week: str, metric_type: str, metrics: Json
    ) -> None:
        key = profile_id, query_id, week, metric_type
        with self._locked(profile_id):
            row = self._connection.execute(
                "SELECT metrics FROM floor_metrics WHERE profile_id = %s AND query_id = %s"
                " AND week = %s AND type = %s",
                key,
            ).fetchone()
            stored = {} if row is None else json.loads(row[0])
            self._connection.execute(
                "INSERT INTO floor_metrics VALUES (%s, %s, %s, %s, %s)"
                " ON CONFLICT (profile_id, query_id, week, type) DO UPDATE SET"
                " metrics = excluded.metrics",
                (*key, json.dumps({**stored, **metrics})),
            )

    def add_one(self, key: str) -> None:
        with self._connection.pipeline():
            self._connection.execute("BEGIN")
            self._connection.execute("SELECT pg_advisory_xact_lock(%s)", (self._store,))
            row = self._connection.execute(
                "SELECT value FROM floor_state WHERE key = %s", (key,)
            ).fetchone()
            count = int(row[0]) if row else 0
            self._connection.execute(
                "INSERT INTO floor_state VALUES (%s, %s) ON CONFLICT (key) DO UPDATE SET"
                " value = excluded.value",
                (key, str(count + 1)),
            )
            self._connection.execute("COMMIT")

    def close(self) -> None:
        self._connection.close()

    @contextmanager
    def _locked(self, scope: str) -> Iterator[None]:
        """Run the statements of a block in a transaction, in one round trip if none is awaited."""
        with self._connection.pipeline():
            self._connection.execute("BEGIN")
            self._connection.execute(
                "SELECT pg_advisory_xact_lock_shared(%s), pg_advisory_xact_lock(%s, %s)",
                (self._store, self._store - 2**31, zlib.crc32(scope.encode()) - 2**31),
            )
            yield
            self._connection.execute("COMMIT")
