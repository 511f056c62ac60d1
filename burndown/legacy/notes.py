"""What the files of the old dashboard have no place for, and how it stands beside them."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import pydantic
from pydantic import BaseModel, ConfigDict, PlainSerializer

from burndown.files.paths import lexists
from burndown.legacy.files import UnreadableFileError, json_file, read_json
from burndown.legacy.findings import Findings
from burndown.models.values import IsoWeek, UtcDatetime, Word

__all__ = [
    "ActiveNote",
    "JiraCacheNote",
    "ProjectDataNote",
    "QueryNotes",
    "ResponseNote",
    "SnapshotNote",
    "WorkspaceNotes",
]

_Moment = Annotated[UtcDatetime, PlainSerializer(datetime.isoformat)]


class _Notes(BaseModel):
    model_config = ConfigDict(extra="forbid")

    version: Literal[1] = 1
    """The form of the file."""

    @classmethod
    def read(cls, path: Path, findings: Findings) -> Self:
        """What the file says; nothing if there is none. What is wrong with it is a problem."""
        if not lexists(path):
            return cls()
        try:
            written = read_json(path, findings)
            return cls.model_validate(written)
        except UnreadableFileError as error:
            findings.add_problem(path, str(error))
            return cls()
        except pydantic.ValidationError as error:
            found = [details["loc"] for details in error.errors()]
            places = {".".join(map(str, location)) for location in found}
            findings.add_problem(path, f"not as it was written at {', '.join(sorted(places))}")
            return cls.model_validate(_without(written, found))

    def to_file(self) -> bytes:
        """What the file holds."""
        return json_file(self.model_dump())


def _without(written: Any, locations: list[tuple[int | str, ...]]) -> dict[str, Any]:
    """The notes without those that are wrong; without any if they have another form."""
    if not isinstance(written, dict) or ("version",) in locations:
        return {}
    wrong = {location[:2] for location in locations}
    rest: dict[str, Any] = {}
    for key, notes in written.items():
        if isinstance(notes, dict):
            rest[key] = {name: note for name, note in notes.items() if (key, name) not in wrong}
        elif isinstance(notes, list):
            rest[key] = [note for n, note in enumerate(notes) if (key, n) not in wrong]
        else:
            rest[key] = notes
    return {key: notes for key, notes in rest.items() if (key,) not in wrong}


class ActiveNote(BaseModel):
    """Which profile or query is active; holds while the registry says what it said."""

    value: str | None
    """The remembered value."""
    registry: Any
    """What the registry says for it."""


class WorkspaceNotes(_Notes):
    """``profiles/burndown.json``: what the workspace remembers."""

    active: dict[str, ActiveNote] = {}
    """For ``active_profile_id`` and ``active_query_id``."""
    app_state: dict[str, str] = {}
    """All other remembered values."""
    tasks: dict[str, dict[str, Any]] = {}
    """The progress of tasks, by name."""


class ProjectDataNote(BaseModel):
    """Holds while ``project_data.json`` is as it was written."""

    updated_at: _Moment
    digest: str


class SnapshotNote(BaseModel):
    """What makes one snapshot of the metrics of a week in ``metrics_snapshots.json``."""

    snapshot_date: IsoWeek
    metric_type: Word
    created_at: _Moment
    forecast: dict[str, Any] | None
    metrics: list[str]
    """The names of its metrics."""
    values: dict[str, Any] = {}
    """The values that differ from another type's metric of the same name."""


class ResponseNote(BaseModel):
    """What belongs to an answer of Jira that lies in the folder of responses."""

    created_at: _Moment
    expires_at: _Moment


class JiraCacheNote(ResponseNote):
    """What belongs to the answer in ``jira_cache.json``; holds while that is as it was written."""

    cache_key: str
    digest: str
    added: list[str]
    """The keys that were added for the old dashboard."""


class QueryNotes(_Notes):
    """``burndown.json`` of a query."""

    project_data: ProjectDataNote | None = None
    snapshots: list[SnapshotNote] = []
    changelogs: dict[str, _Moment] = {}
    """When the histories expire, by issue key, if they do."""
    responses: dict[str, ResponseNote] = {}
    """The answers in the folder of responses, by cache key."""
    jira_cache: JiraCacheNote | None = None
