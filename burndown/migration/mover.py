"""Save what was read from an old store, and compare each row with what was read."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from burndown.conversion import (
    Findings,
    Source,
    SourceData,
    SourceProfile,
    SourceStore,
)
from burndown.errors import ValidationError
from burndown.migration.comparison import difference, require_equal
from burndown.models import Entity, JiraCache, Profile, Query, QueryData, TaskProgress
from burndown.models.codec import codec_of
from burndown.models.sealer import sealer_of
from burndown.models.sealing import Resealing, secrets_as_stored
from burndown.repositories.app_state import set_app_state
from burndown.repositories.base import list_encoded, save_documents
from burndown.repositories.profile import get_profile
from burndown.repositories.query import get_query
from burndown.repositories.task_progress import get_task_progress
from burndown.sql import Executor

__all__ = ["Mover", "Progress"]

Progress = Callable[[int, int], None]
"""Called after each query with the number of queries moved so far, and of all of them."""


class Mover:
    """The move of an old store into an empty database.

    Args:
        store: the store, open for reading.
        executor: the executor of a transaction on the database, which is not committed here.
        findings: collects what was converted or skipped, and the damages that stop the migration.

    Attributes:
        moved: the number of profiles, queries, cached responses, issues, … moved so far.
    """

    def __init__(self, store: SourceStore[Any], executor: Executor, findings: Findings) -> None:
        self._store = store
        self._executor = executor
        self._findings = findings
        self.moved: dict[str, int] = {}

    def move(self, progress: Progress) -> None:
        """Move everything.

        Raises:
            MigrationError: what is read back differs from what was read.
        """
        with secrets_as_stored():
            self._move(progress)

    def _move(self, progress: Progress) -> None:
        self._move_state()
        done, count = 0, sum(len(profile.queries) for profile in self._store.profiles)
        for profile in self._store.profiles:
            self._move_profile(profile)
            for query in profile.queries:
                self._move_query(profile, query)
                done += 1
                progress(done, count)

    def _move_state(self) -> None:
        """Move the app state and the tasks, but not the schema version: the database has its own.

        Damages are collected rather than raised, so that one run reports all of them.
        """
        path = self._store.path
        for key, value in self._store.app_state.items():
            if key != "schema_version":
                with self._collecting_problems(path):
                    set_app_state(self._executor, key, value)
        for name, task in self._store.tasks.items():
            with self._collecting_problems(path):
                save_documents(self._executor, TaskProgress, [task])
                require_equal(task, get_task_progress(self._executor, name), path)
        set_app_state(self._executor, "migration_complete", "true")

    def _move_profile(self, profile: SourceProfile[Any]) -> None:
        document = _sealed(Profile, profile.document)
        save_documents(self._executor, Profile, [document])
        _require_equal(profile, document, get_profile(self._executor, document["id"]))
        self._count(Profile, 1)

    def _move_query(self, profile: Source, query: Source) -> None:
        profile_id, query_id = profile.document["id"], query.document["id"]
        document = _sealed(Query, {**query.document, "profile_id": profile_id})
        save_documents(self._executor, Query, [document])
        _require_equal(query, document, get_query(self._executor, profile_id, query_id))
        self._count(Query, 1)
        for data in self._store.data(query):
            self._move_data(data, profile_id, query_id)

    def _move_data(self, data: SourceData, profile_id: str, query_id: str) -> None:
        entity, ids = data.model, {"profile_id": profile_id, "query_id": query_id}
        rows = [_sealed(entity, {**document, **ids}) for document in data.documents]
        try:
            save_documents(self._executor, entity, rows)
        except ValidationError:
            # One invalid row refuses all of them. Saved one by one, only that row is lost.
            rows = [row for row in rows if self._save_row(row, data)]
        # JSON is compared as bytes, which saves parsing every response a second time.
        encoded = list_encoded(self._executor, entity, profile_id, query_id)
        key_of = codec_of(entity).key
        stored = {key_of(row): row for row in encoded}
        if len(stored) != len(rows):
            raise difference(data.path, f"{data.where}the number of its entries")
        for row in _by_column(entity, rows):
            _require_equal(data, row, stored.get(key_of(row)))
        self._count(entity, len(rows))
        if entity is JiraCache:
            issues = [row["response"].get("issues") for row in rows]
            number = sum(len(each) for each in issues if isinstance(each, list))
            self.moved["issues"] = self.moved.get("issues", 0) + number

    def _save_row(self, row: dict[str, Any], data: SourceData) -> bool:
        """Save one row, or report why it is not valid; return whether it was saved."""
        try:
            save_documents(self._executor, data.model, [row])
        except ValidationError as error:
            why = f"{data.where}{_reasons(error)}"
            self._findings.add_damaged(data.path, why, irreplaceable=data.model.IRREPLACEABLE)
            return False
        return True

    @contextmanager
    def _collecting_problems(self, path: Path) -> Iterator[None]:
        try:
            yield
        except ValidationError as error:
            self._findings.add_problem(path, _reasons(error))

    def _count(self, entity: type[Entity], number: int) -> None:
        label = entity.LABEL
        self.moved[label] = self.moved.get(label, 0) + number


def _sealed(entity: type[Entity], document: dict[str, Any]) -> dict[str, Any]:
    """Return a document as it is stored: with its secrets sealed, if there is a key."""
    return sealer_of(entity).resealed(document, Resealing.SEAL)


def _by_column(entity: type[QueryData], rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what the columns should hold: unknown keys are in one of their own.

    Values of people, next to them, are stored in one spelling: amounts as floats, times in UTC.
    """
    if not entity.UNKNOWN_KEYS:
        return rows
    return [
        entity.fields_of_document({key: stored[key] for key in row})
        for row, stored in zip(rows, codec_of(entity).complete(rows), strict=True)
    ]


def _require_equal(
    source: Source | SourceData, expected: dict[str, Any], stored: Mapping[str, Any] | None
) -> None:
    require_equal(expected, stored, source.path, source.where)


def _reasons(error: ValidationError) -> str:
    return "; ".join(map(str, error.problems))
