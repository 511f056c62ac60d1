"""The steps of a migration, and the errors that stop it."""

import logging
from contextlib import closing
from pathlib import Path

from filelock import FileLock, Timeout

from burndown.conversion import Findings
from burndown.copying import copy_records
from burndown.database import Database, SQLiteDatabase, get_database, remove_database
from burndown.errors import (
    ForeignDatabaseError,
    MigrationError,
    PublishedDatabaseError,
    SchemaTooNewError,
    StorageError,
)
from burndown.files.paths import lexists
from burndown.files.sqlite_files import SQLiteFiles
from burndown.files.working_folder import scratch_folder
from burndown.migration.mover import Mover, Progress
from burndown.migration.published_source import PublishedSource
from burndown.migration.report import MigrationReport, Outcome
from burndown.migration.source import MigrationSource
from burndown.migration.workspace_source import WorkspaceSource
from burndown.models.timestamps import utc_now
from burndown.persistence import PersistenceBackend
from burndown.persistence.sql_backend import SQLBackend
from burndown.persistence.sqlite_backend import SQLiteBackend
from burndown.repositories.app_state import get_app_state, set_app_state
from burndown.settings import DATABASE_NAME, get_settings
from burndown.sql import Executor

__all__ = ["run_migration_if_needed"]

_logger = logging.getLogger(__name__)

LOCK_TIMEOUT_SECONDS = 600
"""How long to wait for another process that is migrating.

A migration takes 2 to 3 seconds for each 10,000 issues, and all processes of an application that is
restarted wait for the first of them.
"""


def run_migration_if_needed(
    profiles_dir: str | Path | None = None,
    database: Database | None = None,
    *,
    backend: PersistenceBackend | None = None,
    published: str | Path | None = None,
    dry_run: bool = False,
    skip_damaged: bool = False,
    progress: Progress | None = None,
) -> MigrationReport:
    """Move the data of an older dashboard into the database, unless that has been done.

    These are its JSON files, or the database of the published dashboard, ``burndown.db`` in the
    folder. Call it when the application starts. If several processes call it, one migrates and the
    others wait for it. The old files are neither changed nor deleted; but if the published
    dashboard's database is where the new one has to be, it is kept as ``burndown.db.published``.

    Args:
        profiles_dir: the folder with ``profiles.json``; by default that of the settings.
        database: the target; by default the current database.
        backend: the target as a backend, in place of ``database``.
        published: a database file of the published dashboard to move in place of the folder; it is
            only read. One at the path of the target is found without it, and replaced.
        dry_run: only report what would be done. Nothing is written to the workspace, unless a
            process was killed while it was writing there: its changes are completed first.
        skip_damaged: continue without damaged files that are irreplaceable; the report lists them
            among what was skipped.
        progress: called after each query with the number of queries moved so far, and of all.

    Returns:
        What was moved, what was converted, and what was skipped.

    Raises:
        MigrationError: an irreplaceable file is damaged, or the database already holds
            other profiles; no database is left, and the error lists every such file. Or the old
            dashboard uses the files.
        StorageError: the disk is full, or a folder cannot be written to; or the backend stores in
            no database.
    """
    if backend is not None:
        database = _database_of(backend)
    folder = Path(profiles_dir or get_settings().profiles_dir).absolute()
    target = database or get_database()
    try:
        if _is_done(target):
            if not dry_run:
                # A process that was killed after its last step left the temporary database.
                _scratch_path(folder, target).unlink(missing_ok=True)
            return MigrationReport("already migrated", folder, target.location)
        if lexists(folder) and not folder.is_dir():
            problem = (folder, "not a folder; replace it with the folder of profiles")
            raise MigrationError(f"The workspace in {folder.parent} was not moved", [problem])
        source = _source_of(folder, target, published)
        migration = _Migration(source, folder, target, skip_damaged, progress)
        if dry_run:
            with scratch_folder() as scratch:
                return migration.rehearse(scratch / DATABASE_NAME)
        with _lock(folder, target):
            if _is_done(target):  # by the process that had the lock
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


def _database_of(backend: PersistenceBackend) -> Database:
    if not isinstance(backend, SQLBackend):
        location = backend.describe()["location"]
        raise StorageError(f"{location} is not a database; give the backend of one to migrate into")
    return backend.database


def _source_of(folder: Path, target: Database, published: str | Path | None) -> MigrationSource:
    if published is not None:
        path = Path(published).absolute()
        if not _is_published(path):
            raise MigrationError(f"{path} is not a database of the published dashboard")
        return PublishedSource(path, folder, is_replaced=_is_same(path, target))
    path = folder / DATABASE_NAME
    if target.path is not None and _is_published(target.path):
        return PublishedSource(target.path, folder, is_replaced=True)
    if _is_published(path):
        return PublishedSource(path, folder, is_replaced=False)
    return WorkspaceSource(folder, SQLiteFiles((_next_to(folder, target, ""), path)))


def _is_published(path: Path) -> bool:
    with closing(SQLiteDatabase(path, read_only=True)) as database:
        try:
            if database.exists():
                database.schema_version()
        except PublishedDatabaseError:
            return True
        except (ForeignDatabaseError, SchemaTooNewError):
            return False
    return False


def _is_same(path: Path, target: Database) -> bool:
    return target.path is not None and target.path.exists() and target.path.samefile(path)


def _is_done(database: Database) -> bool:
    try:
        is_done = database.exists() and database.read(get_app_state, "migration_complete") == "true"
    except PublishedDatabaseError:  # it will be replaced
        return False
    return is_done


def _lock(folder: Path, database: Database) -> FileLock:
    path = _next_to(folder, database, ".lock")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return FileLock(path, timeout=LOCK_TIMEOUT_SECONDS, mode=0o600)


def _scratch_path(folder: Path, database: Database) -> Path:
    path = _next_to(folder, database, "").resolve()  # a rename stays on one file system
    return path.with_name(f"{path.name}.migrating")


def _next_to(folder: Path, database: Database, suffix: str) -> Path:
    """Return a path next to the database file, or in the workspace for a database on a server."""
    path = database.path or folder / DATABASE_NAME
    return path.with_name(path.name + suffix)


class _Migration:
    """One attempt to move an old store."""

    def __init__(
        self,
        source: MigrationSource,
        folder: Path,
        target: Database,
        skip_damaged: bool,
        progress: Progress | None,
    ) -> None:
        self.source = source
        self.folder = folder
        self.target = target
        self.skip_damaged = skip_damaged
        self.progress = progress or (lambda done, of: None)
        self.findings = Findings(folder)
        self.moved: dict[str, int] = {}

    def run(self) -> MigrationReport:
        """Back up and move the store; nothing but the backup is left after an error."""
        with self.source.held(dry_run=False):
            if not self.source.exists():
                self.source.refuse_changes()
                self.target.write(set_app_state, "migration_complete", "true")
                return self._report("nothing to migrate")
            self._refuse_profiles()
            backup = self.source.back_up(utc_now())
            scratch = _scratch_path(self.folder, self.target)
            remove_database(scratch)
            try:
                self._build(scratch)
                if not self.source.install(scratch, self.target):
                    self._copy(scratch)
            finally:
                remove_database(scratch)
        _logger.info(
            "Moved %s to %s; its files are backed up to %s",
            self.folder,
            self.target.location,
            backup,
        )
        return self._report("migrated", backup)

    def rehearse(self, scratch: Path) -> MigrationReport:
        """Move the store into a temporary database, and report it."""
        with self.source.held(dry_run=True):
            if not self.source.exists():
                return self._report("nothing to migrate")
            self._refuse_profiles()
            self._build(scratch)
        return self._report("dry run")

    def _build(self, path: Path) -> None:
        """Build the database; what was stored is read back and compared before it is committed."""
        database = SQLiteDatabase(path)
        try:
            with database.session() as session:
                store = self.source.open(self.findings)
                mover = Mover(store, Executor.of(session), self.findings)
                mover.move(self.progress)
                self.moved = mover.moved
                self._refuse_damages()
            is_intact, errors = database.check_integrity()
        finally:
            database.close()
        if not is_intact:
            raise MigrationError(f"The database that was built is damaged: {'; '.join(errors)}")
        self.source.refuse_changes()

    def _copy(self, built: Path) -> None:
        """Copy what was built to an existing database, in one transaction."""
        with SQLiteBackend(built) as source, self.target.session():
            self._refuse_profiles()  # again, now that no other process can write
            copy_records(source, SQLBackend(self.target))

    def _refuse_damages(self) -> None:
        if self.skip_damaged:
            self.findings.skip_problems()
        if self.findings.problems:
            raise MigrationError(
                f"{self.source.path} was not moved, and nothing was changed: irreplaceable data is "
                "damaged; repair it, restore an earlier copy, or continue without it "
                "(`burndown migrate --skip-damaged`)",
                [(found.path, found.what) for found in self.findings.problems],
            )

    def _refuse_profiles(self) -> None:
        if self._has_profiles():
            raise MigrationError(
                f"{self.target.location} already holds profiles, so {self.source.path} was not "
                "moved into it. Choose another database to migrate into, or set the app state "
                "migration_complete to 'true' to continue without the old data"
            )

    def _has_profiles(self) -> bool:
        try:
            return self.target.exists() and bool(SQLBackend(self.target).list_profiles())
        except PublishedDatabaseError:  # it will be replaced
            return False

    def _report(self, outcome: Outcome, backup: Path | None = None) -> MigrationReport:
        return MigrationReport(
            outcome,
            self.folder,
            self.target.location,
            backup,
            self.moved,
            dict(self.source.restored),
            self.source.kept,
            self.findings,
        )
