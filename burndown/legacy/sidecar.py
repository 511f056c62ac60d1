"""Files next to those of the old dashboard, for the fields that these cannot contain."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, PlainSerializer

from burndown.models.field_types import Word
from burndown.models.time_types import IsoWeek, UtcDatetime

__all__ = [
    "ActiveInfo",
    "JiraCacheInfo",
    "ProjectDataInfo",
    "QuerySidecar",
    "ResponseInfo",
    "Sidecar",
    "SnapshotInfo",
    "WorkspaceSidecar",
]

_Timestamp = Annotated[UtcDatetime, PlainSerializer(datetime.isoformat)]


class Sidecar(BaseModel):
    """A file with fields that other files cannot hold."""

    # An unknown key is from a later version, whose meaning would be lost without notice.
    model_config = ConfigDict(extra="forbid")

    version: Literal[1] = 1
    """The version of the format."""


class ActiveInfo(BaseModel):
    """The active profile or query; valid while the registry has the same value as then."""

    value: str | None
    """The value of the app state."""
    registry: Any
    """The value in the registry."""


class WorkspaceSidecar(Sidecar):
    """The content of ``profiles/burndown.json``."""

    active: dict[str, ActiveInfo] = {}
    """By ``active_profile_id`` and ``active_query_id``."""
    app_state: dict[str, str] = {}
    """All other app state."""
    tasks: dict[str, dict[str, Any]] = {}
    """The progress of tasks, by name."""


class ProjectDataInfo(BaseModel):
    """Fields of ``project_data.json``; valid while the file is unchanged."""

    updated_at: _Timestamp
    digest: str


class SnapshotInfo(BaseModel):
    """Fields of one snapshot, whose metrics are in ``metrics_snapshots.json``."""

    snapshot_date: IsoWeek
    metric_type: Word
    created_at: _Timestamp
    forecast: dict[str, Any] | None
    forecasts: dict[str, Any] | None = None
    metrics: list[str]
    """The names of its metrics."""
    values: dict[str, Any] = {}
    """The values that differ from another type's metric of the same name."""


class ResponseInfo(BaseModel):
    """Fields of a cached response in the folder of responses."""

    created_at: _Timestamp
    expires_at: _Timestamp


class JiraCacheInfo(ResponseInfo):
    """Fields of the cached response in ``jira_cache.json``; valid while the file is unchanged."""

    cache_key: str
    digest: str
    added: list[str]
    """The keys that were added for the old dashboard."""


class QuerySidecar(Sidecar):
    """The content of the ``burndown.json`` of a query."""

    project_data: ProjectDataInfo | None = None
    snapshots: list[SnapshotInfo] = []
    changelogs: dict[str, _Timestamp] = {}
    """Expiry of the changelogs that expire, by issue key."""
    changelogs_created: dict[str, _Timestamp] = {}
    """When changelogs were saved, as far as that is known, by issue key."""
    responses: dict[str, ResponseInfo] = {}
    """The responses in the folder of responses, by cache key."""
    jira_cache: JiraCacheInfo | None = None
