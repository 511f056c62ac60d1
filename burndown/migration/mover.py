"""Save what was read from a legacy workspace, and compare each row with what was read."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from burndown.errors import ValidationError
from burndown.legacy import (
    STATE,
    Findings,
    LegacyProfile,
    LegacyQuery,
    QueryFile,
    Workspace,
    read_query_files,
)
from burndown.migration.comparison import difference, require_equal
from burndown.models import Entity, JiraCache, Profile, Query, TaskProgress
from burndown.models.codec import codec_of
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
    """The move of a workspace into an empty database.

    Args:
        workspace: what was read.
        executor: the executor of a transaction on the database, which is not committed here.
        findings: collects what was converted or skipped, and the damages that stop the migration.

    Attributes:
        moved: the number of profiles, queries, cached responses, issues, … moved so far.
    """

    def __init__(self, workspace: Workspace, executor: Executor, findings: Findings) -> None:
        self._workspace = workspace
        self._executor = executor
        self._findings = findings
        self.moved: dict[str, int] = {}

    def move(self, progress: Progress) -> None:
        """Move everything.

        Raises:
            MigrationError: what is read back differs from what was read from the files.
        """
        self._move_state()
        done = 0
        for profile in self._workspace.profiles:
            self._move_profile(profile)
            for query in profile.queries:
                self._move_query(profile, query)
                done += 1
                progress(done, self._workspace.query_count)

    def _move_state(self) -> None:
        """Move the app state and the tasks, but not the schema version: the database has its own.

        Damages are collected rather than raised, so that one run reports all of them.
        """
        path = self._workspace.profiles_dir / STATE
        for key, value in self._workspace.app_state.items():
            if key != "schema_version":
                with self._collecting_problems(path):
                    set_app_state(self._executor, key, value)
        for name, task in self._workspace.sidecar.tasks.items():
            with self._collecting_problems(path):
                save_documents(self._executor, TaskProgress, [task])
                require_equal(task, get_task_progress(self._executor, name), path)
        set_app_state(self._executor, "migration_complete", "true")

    def _move_profile(self, profile: LegacyProfile) -> None:
        save_documents(self._executor, Profile, [profile.document])
        stored = get_profile(self._executor, profile.document["id"])
        require_equal(profile.document, stored, profile.path)
        self._count(Profile, 1)

    def _move_query(self, profile: LegacyProfile, query: LegacyQuery) -> None:
        profile_id, query_id = profile.document["id"], query.document["id"]
        document = {**query.document, "profile_id": profile_id}
        save_documents(self._executor, Query, [document])
        require_equal(document, get_query(self._executor, profile_id, query_id), query.path)
        self._count(Query, 1)
        for file in read_query_files(query, self._findings):
            self._move_file(file, profile_id, query_id)

    def _move_file(self, file: QueryFile, profile_id: str, query_id: str) -> None:
        entity, ids = file.model, {"profile_id": profile_id, "query_id": query_id}
        rows = [{**document, **ids} for document in file.documents]
        try:
            save_documents(self._executor, entity, rows)
        except ValidationError:
            # One invalid row refuses all of them. Saved one by one, only that row is lost.
            rows = [row for row in rows if self._save_row(row, file)]
        # JSON is compared as bytes, which saves parsing every response a second time.
        encoded = list_encoded(self._executor, entity, profile_id, query_id)
        key_of = codec_of(entity).key
        stored = {key_of(row): row for row in encoded}
        if len(stored) != len(rows):
            raise difference(file.path, "the number of its entries")
        for row in rows:
            require_equal(row, stored.get(key_of(row)), file.path)
        self._count(entity, len(rows))
        if entity is JiraCache:
            issues = [row["response"].get("issues") for row in rows]
            number = sum(len(each) for each in issues if isinstance(each, list))
            self.moved["issues"] = self.moved.get("issues", 0) + number

    def _save_row(self, row: dict[str, Any], file: QueryFile) -> bool:
        """Save one row, or report why it is not valid; return whether it was saved."""
        try:
            save_documents(self._executor, file.model, [row])
        except ValidationError as error:
            self._findings.add_damaged(file.path, _reasons(error), irreplaceable=file.irreplaceable)
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


def _reasons(error: ValidationError) -> str:
    return "; ".join(map(str, error.problems))
