"""SQLModel as in its tutorial: a session for each call, JSON columns, validation on load."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from sqlalchemy import JSON, Column, Engine, event
from sqlalchemy.orm import registry
from sqlmodel import Field, Session, SQLModel, col, create_engine, delete, func, select

from benchmarks.floor import merged
from benchmarks.issues import Json
from burndown import Week

__all__ = ["Naive"]


class Table(SQLModel, registry=registry()):
    """Base of tables in a registry of their own, separate from that of the package."""


class Profile(Table, table=True):
    """A profile."""

    __tablename__: ClassVar[str] = "profiles"

    id: str = Field(primary_key=True)
    name: str
    description: str = ""
    created_at: datetime = Field(default_factory=lambda: datetime.now(UTC))
    last_used: datetime = Field(default_factory=lambda: datetime.now(UTC))
    jira_config: dict[str, Any] = Field(sa_column=Column(JSON))
    field_mappings: dict[str, Any] = Field(sa_column=Column(JSON))
    forecast_settings: dict[str, Any] = Field(sa_column=Column(JSON))
    project_classification: dict[str, Any] = Field(sa_column=Column(JSON))
    flow_type_mappings: dict[str, Any] = Field(sa_column=Column(JSON))
    show_milestone: bool = False
    show_points: Any = Field(default=False, sa_column=Column(JSON))


class Query(Table, table=True):
    """A query."""

    __tablename__: ClassVar[str] = "queries"

    profile_id: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    name: str
    jql: str
    description: str = ""
    created_at: datetime = Field(default_factory=lambda: datetime.now(UTC))
    last_used: datetime = Field(default_factory=lambda: datetime.now(UTC), index=True)
    updated_at: datetime | None = None


class JiraCache(Table, table=True):
    """A cached response."""

    __tablename__: ClassVar[str] = "jira_cache"

    profile_id: str = Field(primary_key=True)
    query_id: str = Field(primary_key=True)
    cache_key: str = Field(primary_key=True)
    response: dict[str, Any] = Field(sa_column=Column(JSON))
    expires_at: datetime = Field(index=True)
    created_at: datetime = Field(default_factory=lambda: datetime.now(UTC))


class MetricsSnapshot(Table, table=True):
    """The metrics of a week."""

    __tablename__: ClassVar[str] = "metrics_snapshots"

    profile_id: str = Field(primary_key=True)
    query_id: str = Field(primary_key=True)
    snapshot_date: str = Field(primary_key=True)
    metric_type: str = Field(primary_key=True)
    metrics: dict[str, Any] = Field(sa_column=Column(JSON))
    forecast: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON))
    forecasts: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON))
    created_at: datetime = Field(default_factory=lambda: datetime.now(UTC))


class AppState(Table, table=True):
    """A value of the application state."""

    __tablename__: ClassVar[str] = "app_state"

    key: str = Field(primary_key=True)
    value: str


class TaskProgress(Table, table=True):
    """The progress of a task."""

    __tablename__: ClassVar[str] = "task_progress"

    task_name: str = Field(primary_key=True)
    progress_percent: float
    status: str
    message: str
    updated_at: datetime = Field(default_factory=lambda: datetime.now(UTC))
    owner: str | None = None
    started_at: datetime | None = None
    heartbeat_at: datetime | None = None
    lease_until: datetime | None = None
    cancel_requested: bool = False


def _validated(row: SQLModel | None) -> Json | None:
    return None if row is None else type(row).model_validate(row.model_dump()).model_dump()


def _freshness(found: Json) -> Json:
    """Return the times of a cached response, and how old it is."""
    now = datetime.now(UTC).replace(tzinfo=None)
    return {
        "created_at": found["created_at"],
        "expires_at": found["expires_at"],
        "age": (now - found["created_at"].replace(tzinfo=None)).total_seconds(),
        "state": "stale" if found["expires_at"].replace(tzinfo=None) <= now else "fresh",
    }


class Naive:
    """The operations, each with its own session."""

    def __init__(self, path: Path, synchronous: str) -> None:
        self.engine = create_engine(f"sqlite:///{path}")

        @event.listens_for(self.engine, "connect")
        def _(connection: Any, _: Any) -> None:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute(f"PRAGMA synchronous={synchronous}")

        Table.metadata.create_all(self.engine)
        self.outer: Session | None = None

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Insert many new rows in one transaction, to fill the store fast."""
        with Session(self.engine) as self.outer:
            yield
            self.outer.commit()
        self.outer = None

    def _merge(self, row: SQLModel) -> None:
        if self.outer is not None:
            self.outer.add(row)
            return
        with Session(self.engine) as session:
            session.merge(row)
            session.commit()

    def get_profile(self, profile_id: str) -> Json | None:
        with Session(self.engine) as session:
            return _validated(session.get(Profile, profile_id))

    def save_profile(self, profile: Json) -> None:
        self._merge(Profile.model_validate(profile))

    def patch_profile(self, profile_id: str, changes: Json) -> Json | None:
        """Change values of sections."""
        with Session(self.engine) as session:
            found = session.get_one(Profile, profile_id)
            for section, changed in changes.items():
                setattr(found, section, {**getattr(found, section), **changed})
            session.commit()
            session.refresh(found)
            return _validated(found)

    def save_query(self, profile_id: str, query: Json) -> None:
        self._merge(Query.model_validate({**query, "profile_id": profile_id}))

    def list_queries(self, profile_id: str) -> list[Json | None]:
        with Session(self.engine) as session:
            of_profile = select(Query).where(Query.profile_id == profile_id)
            found = session.exec(of_profile.order_by(col(Query.last_used).desc()))
            return [_validated(row) for row in found]

    def save_jira_cache(
        self, profile_id: str, query_id: str, key: str, response: Json, expires_at: datetime
    ) -> None:
        ids = {"profile_id": profile_id, "query_id": query_id, "cache_key": key}
        self._merge(
            JiraCache.model_validate({**ids, "response": response, "expires_at": expires_at})
        )

    def get_jira_cache(self, profile_id: str, query_id: str, key: str) -> Json | None:
        with Session(self.engine) as session:
            found = _validated(session.get(JiraCache, (profile_id, query_id, key)))
        if found is None or found["expires_at"].replace(tzinfo=UTC) <= datetime.now(UTC):
            return None
        response: Json = found["response"]
        return response

    def merge_jira_cache(
        self,
        profile_id: str,
        query_id: str,
        key: str,
        changed: list[Json],
        removed: list[str],
        expires_at: datetime,
    ) -> Json:
        with Session(self.engine) as session:
            found = session.get_one(JiraCache, (profile_id, query_id, key))
            response = {
                **found.response,
                "issues": merged(found.response["issues"], changed, removed),
            }
            found.response, found.expires_at = response, expires_at
            session.commit()
        return {"cache_key": key, "expired": False}

    def find_jira_cache(self, profile_id: str, query_id: str, key: str) -> Json | None:
        with Session(self.engine) as session:
            found = _validated(session.get(JiraCache, (profile_id, query_id, key)))
        if found is None:
            return None
        count = len(found["response"]["issues"])
        return {
            "response": found["response"],
            **_freshness(found),
            "issue_count": count,
            "is_complete": count == found["response"]["total"],
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
        found = []
        for query in filter(None, self.list_queries(profile_id)):
            with Session(self.engine) as session:
                newest = session.exec(
                    select(JiraCache)
                    .where(JiraCache.profile_id == profile_id)
                    .where(JiraCache.query_id == query["id"])
                    .order_by(col(JiraCache.created_at).desc())
                    .limit(1)
                ).first()
                row = _validated(newest)
            status = {"query_id": query["id"], "name": query["name"], "has_data": row is not None}
            found.append({**status, **({"state": None} if row is None else _freshness(row))})
        return found

    def cleanup(self, max_bytes: int) -> int:
        with Session(self.engine) as session:
            size = session.exec(select(func.sum(func.length(JiraCache.response)))).one()
        if size <= max_bytes:
            return 0
        raise NotImplementedError  # only measured for a store below its limit

    def cleanup_expired_cache(self) -> int:
        with Session(self.engine) as session:
            expired = delete(JiraCache).where(col(JiraCache.expires_at) <= datetime.now(UTC))
            found = session.exec(expired).rowcount
            session.commit()
            return found

    def save_metrics_snapshot(
        self, profile_id: str, query_id: str, week: str, kind: str, metrics: Json
    ) -> None:
        ids = {"profile_id": profile_id, "query_id": query_id}
        values = {"snapshot_date": week, "metric_type": kind, "metrics": metrics}
        self._merge(MetricsSnapshot.model_validate({**ids, **values}))

    def get_metrics_snapshots(
        self, profile_id: str, query_id: str, kind: str, limit: int
    ) -> list[Json | None]:
        with Session(self.engine) as session:
            found = (
                select(MetricsSnapshot)
                .where(MetricsSnapshot.profile_id == profile_id)
                .where(MetricsSnapshot.query_id == query_id)
                .where(MetricsSnapshot.metric_type == kind)
                .order_by(col(MetricsSnapshot.snapshot_date).desc())
                .limit(limit)
            )
            return [_validated(row) for row in session.exec(found)]

    def get_series(self, profile_id: str, query_id: str, metric: str, since: str) -> Json:
        kind, name = metric.split(".")
        with Session(self.engine) as session:
            found = (
                select(MetricsSnapshot)
                .where(MetricsSnapshot.profile_id == profile_id)
                .where(MetricsSnapshot.query_id == query_id)
                .where(MetricsSnapshot.metric_type == kind)
                .where(MetricsSnapshot.snapshot_date >= since)
            )
            stored = {
                each["snapshot_date"]: each["metrics"][name]
                for row in session.exec(found)
                if (each := _validated(row))
            }
        week, weeks = Week.of(since), [since]
        while weeks[-1] < max(stored):
            week += 1
            weeks.append(str(week))
        values = [stored[each]["median_days"] if each in stored else None for each in weeks]
        none = [None] * len(weeks)
        series = {"metric": metric, "unit": "days", "weeks": weeks, "values": values}
        return {**series, "forecast": none, "lower": none, "upper": none}

    def patch_metrics(
        self, profile_id: str, query_id: str, week: str, kind: str, metrics: Json
    ) -> None:
        with Session(self.engine) as session:
            found = session.get_one(MetricsSnapshot, (profile_id, query_id, week, kind))
            found.metrics = {**found.metrics, **metrics}
            session.commit()

    def delete_jira_caches(self, profile_id: str, query_id: str) -> int:
        with Session(self.engine) as session:
            of_query = delete(JiraCache).where(
                col(JiraCache.profile_id) == profile_id, col(JiraCache.query_id) == query_id
            )
            found = session.exec(of_query).rowcount
            session.commit()
            return found

    def get_app_state(self, key: str) -> str | None:
        with Session(self.engine) as session:
            found = session.get(AppState, key)
            return None if found is None else found.value

    def set_app_state(self, key: str, value: str) -> None:
        self._merge(AppState(key=key, value=value))

    def add_one(self, key: str) -> None:
        """Increment a counter as the tutorial would, ignoring concurrent updates."""
        with Session(self.engine) as session:
            found = session.get_one(AppState, key)
            found.value = str(int(found.value) + 1)
            session.commit()

    def get_task_progress(self, name: str) -> Json | None:
        with Session(self.engine) as session:
            return _validated(session.get(TaskProgress, name))

    def save_task_progress(self, name: str, percent: float, status: str, message: str) -> None:
        values = {"progress_percent": percent, "status": status, "message": message}
        self._merge(TaskProgress.model_validate({"task_name": name, **values}))

    @contextmanager
    def task(self, name: str, lease: timedelta = timedelta(seconds=30)) -> Iterator["NaiveTask"]:
        task = NaiveTask(self.engine, name, lease)
        task.change(True, "running", 0, "")
        yield task
        task.change(False, "completed", 100, "")

    def close(self) -> None:
        self.engine.dispose()


class NaiveTask:
    """A task with a lease, which two processes can take at the same time."""

    def __init__(self, engine: Engine, name: str, lease: timedelta) -> None:
        self._engine = engine
        self._name = name
        self._lease = lease

    def progress(self, percent: float, message: str) -> None:
        self.change(True, "running", percent, message)

    def change(self, is_held: bool, status: str, percent: float, message: str) -> None:
        with Session(self._engine) as session:
            now = datetime.now(UTC)
            found = session.get(TaskProgress, self._name) or TaskProgress(
                task_name=self._name, progress_percent=percent, status=status, message=message
            )
            found.owner, found.status = "me", status
            found.progress_percent, found.message = percent, message
            found.updated_at = found.heartbeat_at = now
            found.lease_until = now + self._lease if is_held else None
            session.add(found)
            session.commit()
