"""A legacy workspace moves into the database, whole or not at all.

The files are backed up, read, and written to a database under a temporary name. What was written
is read back and compared with the files, value by value, and the database is then put in its place
at once. Whatever goes wrong, or whenever the process dies, the files are as they were and the next
start tries again.
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from operator import itemgetter
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock, Timeout

from burndown.copying import NAMES, copy_records
from burndown.database import Database, SQLiteDatabase, get_database, remove_database
from burndown.disk import is_there
from burndown.errors import MigrationError, StorageError, ValidationError
from burndown.legacy import (
    STATE,
    DatabaseFiles,
    Findings,
    QueryFile,
    SafeFolder,
    Workspace,
    back_up,
    changes_of,
    has_workspace,
)
from burndown.models import JiraCache, Profile, Query, TaskProgress
from burndown.models.json_codec import encode
from burndown.models.values import to_utc, utc_now
from burndown.persistence.sql_backend import SQLBackend
from burndown.persistence.sqlite_backend import SQLiteBackend
from burndown.repositories.app_state import get_app_state, set_app_state
from burndown.repositories.base import list_encoded, save_documents
from burndown.repositories.profile import get_profile
from burndown.repositories.query import get_query
from burndown.repositories.task_progress import get_task_progress
from burndown.settings import DATABASE_NAME, get_settings
from burndown.sql import Executor

__all__ = ["MigrationReport", "Progress", "run_migration_if_needed"]

LOCK_TIMEOUT_SECONDS = 600
"""How long to wait for another process that is migrating."""

Outcome = Literal["migrated", "already migrated", "nothing to migrate", "dry run"]

Progress = Callable[[int, int], None]
"""Takes how many queries are done, and of how many."""


@dataclass
class MigrationReport:
    """What a migration did, or would do."""

    outcome: Outcome
    """How it ended."""
    profiles_dir: Path
    """The folder of the legacy workspace."""
    database: str
    """The database it moved into: its path, or its URL without the password."""
    backup: Path | None = None
    """Where the files were backed up; ``None`` if nothing had to be."""
    moved: dict[str, int] = field(default_factory=dict)
    """How many profiles, queries, cached responses, issues, … moved in."""
    findings: Findings = field(default_factory=Findings)
    """What was converted, and what was skipped."""

    def to_document(self) -> dict[str, Any]:
        """The report as JSON values, for programs."""
        return {
            "outcome": self.outcome,
            "profiles_dir": str(self.profiles_dir),
            "database": self.database,
            "backup": None if self.backup is None else str(self.backup),
            "moved": self.moved,
            "converted": [
                {"path": str(found.path), "what": found.what} for found in self.findings.converted
            ],
            "skipped": [
                {"path": str(found.path), "why": found.what} for found in self.findings.skipped
            ],
        }


def run_migration_if_needed(
    profiles_dir: str | Path | None = None,
    database: Database | None = None,
    *,
    dry_run: bool = False,
    skip_damaged: bool = False,
    progress: Progress | None = None,
) -> MigrationReport:
    """Move the legacy workspace into the database, unless that has been done.

    Call it when the application starts. Of several processes at once, one migrates and the others
    wait for it. The old files are neither changed nor deleted.

    Args:
        profiles_dir: the folder with ``profiles.json``; that of the settings if not given.
        database: where to move it; the current database if not given.
        dry_run: only tell what would be done; nothing is written to the workspace, unless a
            process died while it was writing there: that is finished first.
        skip_damaged: go on without damaged files that are irreplaceable; the report has them
            among what was skipped.
        progress: is told how far it is.

    Returns:
        What moved, what was converted, and what was skipped.

    Raises:
        MigrationError: an irreplaceable file is damaged, or the database already holds
            other profiles; no database is left, and the error lists every such file.
        StorageError: the disk is full, or a folder cannot be written to.
    """
    folder = Path(profiles_dir or get_settings().profiles_dir).absolute()
    target = database or get_database()
    migration = _Migration(folder, target, skip_damaged, progress)
    try:
        if _is_done(target):
            if not dry_run:
                _scratch_path(folder, target).unlink(missing_ok=True)
            return MigrationReport("already migrated", folder, target.location)
        if is_there(folder) and not folder.is_dir():
            problem = (folder, "not the folder of profiles; put that in its place")
            raise MigrationError(f"The workspace in {folder.parent} was not moved", [problem])
        if dry_run:
            with tempfile.TemporaryDirectory() as scratch:
                return migration.rehearse(Path(scratch) / DATABASE_NAME)
        with _lock(folder, target):
            if _is_done(target):
                return MigrationReport("already migrated", folder, target.location)
            return migration.run()
    except Timeout:
        raise MigrationError(
            f"Another process has been migrating {folder} for more than "
            f"{LOCK_TIMEOUT_SECONDS} seconds"
        ) from None
    except OSError as error:
        if isinstance(error, StorageError):
            raise
        raise StorageError(
            f"The workspace was not moved: {error.strerror or error} ({error.filename or folder})"
        ) from error


def _is_done(database: Database) -> bool:
    if not database.exists():
        return False
    return database.read(get_app_state, "migration_complete") == "true"


def _lock(folder: Path, database: Database) -> FileLock:
    path = _beside(folder, database, ".lock")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return FileLock(path, timeout=LOCK_TIMEOUT_SECONDS, mode=0o600)


def _scratch_path(folder: Path, database: Database) -> Path:
    return _beside(folder, database, ".migrating")


def _beside(folder: Path, database: Database, suffix: str) -> Path:
    """A file next to the database, or to where it would lie if no server kept it."""
    path = database.path or folder / DATABASE_NAME
    return path.with_name(path.name + suffix)


class _Migration:
    """One attempt to move a workspace."""

    def __init__(
        self, folder: Path, target: Database, skip_damaged: bool, progress: Progress | None
    ) -> None:
        self.folder = folder
        self.target = target
        self.skip_damaged = skip_damaged
        self.progress = progress or (lambda done, of: None)
        self.findings = Findings(folder)
        self.databases = DatabaseFiles((_beside(folder, target, ""), folder / DATABASE_NAME))
        self.moved: dict[str, int] = {}

    def run(self) -> MigrationReport:
        SafeFolder(self.folder).finish_interrupted()
        before = changes_of(self.folder, self.databases)
        if not has_workspace(self.folder):
            self._refuse_changes(before)
            self.target.write(set_app_state, "migration_complete", "true")
            return self._report("nothing to migrate")
        self._refuse_profiles()
        backup = back_up(self.folder, utc_now(), self.databases)
        scratch = _scratch_path(self.folder, self.target)
        remove_database(scratch)
        try:
            self._build(scratch, before)
            if not self.target.install_prebuilt(scratch):
                self._copy(scratch)
        finally:
            remove_database(scratch)
        return self._report("migrated", backup)

    def _refuse_changes(self, before: object) -> None:
        """Stop if a file is not as it was, by what :func:`changes_of` gave before."""
        if changes_of(self.folder, self.databases) != before:
            raise MigrationError(
                f"The files in {self.folder} changed while they were read, so nothing was moved; "
                "stop the old dashboard if it is running, and try again"
            )

    def _refuse_profiles(self) -> None:
        if self.target.exists() and SQLBackend(self.target).list_profiles():
            raise MigrationError(
                f"{self.target.location} already holds profiles, so the workspace in "
                f"{self.folder} was not moved into it. Choose another database to migrate into, or "
                "set the app state migration_complete to 'true' to go on without the old files"
            )

    def _copy(self, built: Path) -> None:
        """Add what was built to a database that others may be using, in one transaction."""
        with SQLiteBackend(built) as source, self.target.session():
            self._refuse_profiles()
            copy_records(source, SQLBackend(self.target))

    def rehearse(self, scratch: Path) -> MigrationReport:
        SafeFolder(self.folder).finish_interrupted()
        if not has_workspace(self.folder):
            return self._report("nothing to migrate")
        self._refuse_profiles()
        self._build(scratch, changes_of(self.folder, self.databases))
        return self._report("dry run")

    def _report(self, outcome: Outcome, backup: Path | None = None) -> MigrationReport:
        return MigrationReport(
            outcome, self.folder, self.target.location, backup, self.moved, self.findings
        )

    def _build(self, path: Path, before: object) -> None:
        """Make the database; what was written is read back and compared before it is committed.

        Args:
            path: where to make it.
            before: what :func:`changes_of` gave before the first file was read.
        """
        database = SQLiteDatabase(path)
        try:
            with database.session() as session:
                workspace = Workspace.read(self.folder, self.findings)
                workspace.tell_leftovers(self.findings, self.databases)
                self._move(workspace, Executor.of(session))
            is_whole, errors = database.check_integrity()
        finally:
            database.close()
        if not is_whole:
            raise MigrationError(f"The database that was built is damaged: {'; '.join(errors)}")
        self._refuse_changes(before)

    def _move(self, workspace: Workspace, executor: Executor) -> None:
        self._move_state(workspace, executor)
        done = 0
        for profile in workspace.profiles:
            profile_id = profile.document["id"]
            save_documents(executor, Profile, [profile.document])
            _must_agree(profile.document, get_profile(executor, profile_id), profile.path)
            self._count("profiles", 1)
            for query in profile.queries:
                query_id = query.document["id"]
                document = {**query.document, "profile_id": profile_id}
                save_documents(executor, Query, [document])
                _must_agree(document, get_query(executor, profile_id, query_id), query.path)
                self._count("queries", 1)
                for file in query.read_files(self.findings):
                    self._move_file(file, executor, profile_id, query_id)
                done += 1
                self.progress(done, workspace.query_count)
        if self.skip_damaged:
            self.findings.skip_problems()
        if self.findings.problems:
            raise MigrationError(
                f"The workspace in {self.folder} was not moved, and nothing was changed: "
                "irreplaceable files are damaged; mend them, put earlier copies in their "
                "place, or go on without them (`burndown migrate --skip-damaged`)",
                [(found.path, found.what) for found in self.findings.problems],
            )

    def _move_state(self, workspace: Workspace, executor: Executor) -> None:
        """Move what the workspace remembers; the schema is that of the database."""
        path = self.folder / STATE
        for key, value in workspace.app_state.items():
            if key != "schema_version":
                with self._problems_of(path):
                    set_app_state(executor, key, value)
        for name, task in workspace.notes.tasks.items():
            with self._problems_of(path):
                save_documents(executor, TaskProgress, [task])
                _must_agree(task, get_task_progress(executor, name), path)
        set_app_state(executor, "migration_complete", "true")

    @contextmanager
    def _problems_of(self, path: Path) -> Iterator[None]:
        try:
            yield
        except ValidationError as error:
            self.findings.add_problem(path, _reasons(error))

    def _move_file(
        self, file: QueryFile, executor: Executor, profile_id: str, query_id: str
    ) -> None:
        ids = {"profile_id": profile_id, "query_id": query_id}
        rows = [{**document, **ids} for document in file.documents]
        try:
            save_documents(executor, file.model, rows)
        except ValidationError:
            rows = [row for row in rows if self._stored_alone(executor, row, file)]
        key = itemgetter(*file.key) if file.key else lambda row: ()
        stored = list_encoded(executor, file.model, profile_id, query_id)
        found = {key(row): row for row in stored}
        if len(found) != len(rows):
            raise _disagreement(file.path, "the number of its entries")
        for row in rows:
            _must_agree(row, found.get(key(row)), file.path)
        self._count(NAMES[file.model], len(rows))
        if file.model is JiraCache:
            issues = [row["response"].get("issues") for row in rows]
            self._count("issues", sum(len(each) for each in issues if isinstance(each, list)))

    def _stored_alone(self, executor: Executor, row: dict[str, Any], file: QueryFile) -> bool:
        """Whether the row could be stored; if not, it is reported."""
        try:
            save_documents(executor, file.model, [row])
        except ValidationError as error:
            self.findings.refuse(file.path, _reasons(error), irreplaceable=file.irreplaceable)
            return False
        return True

    def _count(self, kind: str, number: int) -> None:
        self.moved[kind] = self.moved.get(kind, 0) + number


def _must_agree(expected: Mapping[str, Any], found: Mapping[str, Any] | None, path: Path) -> None:
    """Compare what the files say with what was stored, moments as such and all else as JSON."""
    for name, value in expected.items():
        if found is None or name not in found or not _agree(value, found[name]):
            raise _disagreement(path, name)


def _agree(value: Any, stored: Any) -> bool:
    if isinstance(stored, bytes):
        return encode(value) == stored
    if isinstance(stored, str | datetime):
        return value == stored or _same_time(value, stored)
    return encode(value) == encode(stored)


def _same_time(value: Any, stored: str | datetime) -> bool:
    """Whether both are moments, however they are written, and the same one."""
    try:
        return isinstance(value, str | datetime) and to_utc(value) == to_utc(stored)
    except ValueError:
        return False


def _disagreement(path: Path, what: str) -> MigrationError:
    return MigrationError(
        "What was stored is not what the files say, so nothing was changed",
        [(path, f"{what} differs")],
    )


def _reasons(error: ValidationError) -> str:
    return "; ".join(map(str, error.problems))
