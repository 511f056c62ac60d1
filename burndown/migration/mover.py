"""Save what was read from a legacy workspace, and compare each row with what was read."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlmodel import Session

from burndown.copying import NAMES
from burndown.errors import ValidationError
from burndown.legacy import STATE, Findings, LegacyProfile, LegacyQuery, QueryFile, Workspace
from burndown.migration.comparison import difference, require_equal
from burndown.models import Entity, JiraCache, Profile, Query
from burndown.repositories import (
    AppStateRepository,
    ProfileRepository,
    QueryRepository,
    TaskProgressRepository,
    repository_of,
)
from burndown.repositories.base import Repository

__all__ = ["Mover", "Progress"]

Progress = Callable[[int, int], None]
"""Called after each query with the number of queries moved so far, and of all of them."""


class Mover:
    """Moves a workspace into an empty database.

    Args:
        workspace: what was read.
        session: a session on the database; what was moved is not committed here.
        findings: collects what was converted or skipped, and the damages that stop the migration.

    Attributes:
        moved: the number of profiles, queries, cached responses, issues, … moved so far.
    """

    def __init__(self, workspace: Workspace, session: Session, findings: Findings) -> None:
        self._workspace = workspace
        self._session = session
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
        state, tasks = AppStateRepository(self._session), TaskProgressRepository(self._session)
        path = self._workspace.profiles_dir / STATE
        for key, value in self._workspace.app_state.items():
            if key != "schema_version":
                with self._collecting_problems(path):
                    state.set(key, value)
        for name, task in self._workspace.notes.tasks.items():
            with self._collecting_problems(path):
                tasks.save_document(task)
                require_equal(task, tasks.get_document(name), path)
        state.set("migration_complete", "true")

    def _move_profile(self, profile: LegacyProfile) -> None:
        profiles = ProfileRepository(self._session)
        profiles.save_document(profile.document)
        stored = profiles.get_document(profile.document["id"])
        require_equal(profile.document, stored, profile.path)
        self._count(Profile, 1)

    def _move_query(self, profile: LegacyProfile, query: LegacyQuery) -> None:
        profile_id, query_id = profile.document["id"], query.document["id"]
        queries = QueryRepository(self._session)
        document = {**query.document, "profile_id": profile_id}
        queries.save_document(document)
        require_equal(document, queries.get_document(profile_id, query_id), query.path)
        self._count(Query, 1)
        for file in query.read_files(self._findings):
            self._move_file(file, profile_id, query_id)

    def _move_file(self, file: QueryFile, profile_id: str, query_id: str) -> None:
        entity, repository = file.model, repository_of(file.model)(self._session)
        ids = {"profile_id": profile_id, "query_id": query_id}
        rows = [{**document, **ids} for document in file.documents]
        try:
            repository.save_documents(rows)
        except ValidationError:
            # One invalid row refuses all of them. Saved one by one, only that row is lost.
            rows = [row for row in rows if self._save_row(repository, row, file)]
        # JSON is compared as bytes, which saves parsing every response a second time.
        stored = {entity.key_of(row): row for row in repository.list_encoded(**ids)}
        if len(stored) != len(rows):
            raise difference(file.path, "the number of its entries")
        for row in rows:
            require_equal(row, stored.get(entity.key_of(row)), file.path)
        self._count(entity, len(rows))
        if entity is JiraCache:
            issues = [row["response"].get("issues") for row in rows]
            number = sum(len(each) for each in issues if isinstance(each, list))
            self.moved["issues"] = self.moved.get("issues", 0) + number

    def _save_row(self, repository: Repository[Any], row: dict[str, Any], file: QueryFile) -> bool:
        """Save one row, or report why it is not valid; return whether it was saved."""
        try:
            repository.save_document(row)
        except ValidationError as error:
            self._findings.refuse(file.path, _reasons(error), irreplaceable=file.irreplaceable)
            return False
        return True

    @contextmanager
    def _collecting_problems(self, path: Path) -> Iterator[None]:
        try:
            yield
        except ValidationError as error:
            self._findings.add_problem(path, _reasons(error))

    def _count(self, entity: type[Entity], number: int) -> None:
        label = NAMES[entity]
        self.moved[label] = self.moved.get(label, 0) + number


def _reasons(error: ValidationError) -> str:
    return "; ".join(map(str, error.problems))
