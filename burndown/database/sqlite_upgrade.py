"""Creating and upgrading the tables of a SQLite file."""

from contextlib import closing

from sqlalchemy import Connection

from burndown.database.connection_cache import ConnectionCache
from burndown.database.sqlite_backup import copy_database, integrity_problems
from burndown.database.sqlite_connector import SQLiteConnector
from burndown.database.sqlite_errors import not_writable
from burndown.database.sqlite_recognition import is_ours, recognized_version
from burndown.database.upgrade import Begin, SchemaUpgrader
from burndown.errors import DatabaseCorruptionError
from burndown.files.atomic import keep_copy
from burndown.files.working_folder import working_folder
from burndown.models import SCHEMA_VERSION
from burndown.schema import READABLE
from burndown.schema.recognition import APPLICATION_ID

__all__ = ["SQLiteUpgrader"]


class SQLiteUpgrader(SchemaUpgrader):
    """The creation and upgrade of the tables of a SQLite file.

    Before an upgrade or a downgrade, the file is copied next to itself.

    Args:
        connector: opens connections to the file.
        cache: the idle connections; if there is one, the version has been checked.
        begin: begins a transaction to create tables in.
        begin_to_alter: begins a transaction to alter tables in.
        read_only: create and change nothing.
    """

    readable = READABLE

    def __init__(
        self,
        connector: SQLiteConnector,
        cache: ConnectionCache,
        begin: Begin,
        begin_to_alter: Begin,
        *,
        read_only: bool,
    ) -> None:
        self._file = connector.file
        super().__init__(str(self._file.path), "sqlite", begin, begin_to_alter, read_only=read_only)
        self._connector = connector
        self._cache = cache

    def version(self) -> str | None:
        """Return the version of the tables, or ``None`` if there are none; change nothing.

        Raises:
            StorageError: the file cannot be read safely.
            ForeignDatabaseError: it belongs to another program.
        """
        self._file.refuse_unsafe()
        if not self._file.exists():
            return None
        with closing(self._connector.open_to_inspect()) as connection:
            return recognized_version(connection, self._file.path)

    def prepare(self) -> None:
        """Make the file and its tables, upgrade them, or check that they can be read."""
        self._file.refuse_unsafe()
        if self._connector.detect_access() is not None:
            self._prepare_to_read()
            return
        self._file.make()
        self._prepare_to_write()
        self._file.make_private()
        self._file.mark()

    def _prepare_to_write(self) -> None:
        """Make the tables, or upgrade them."""
        if self._is_current():
            return
        # The file may be another program's, or too new, and has to stay as it is then. SQLite puts
        # the log into the file when the last connection that can write is closed, so the one of
        # the cache is closed while another one is open.
        with closing(self._connector.open_to_inspect()) as connection:
            try:
                self.refuse_too_new(recognized_version(connection, self._file.path))
            finally:
                self._cache.close()
        super().prepare()
        self._connector.use_write_ahead_log()
        with closing(self._connector.open()) as connection:
            # A database that was restored from an SQL dump has lost its id.
            connection.execute(f"PRAGMA application_id={APPLICATION_ID}")

    def _prepare_to_read(self) -> None:
        fingerprint = self._connector.immutable_fingerprint()
        self._connector.read_with(READABLE[self.readable_version()], fingerprint)

    def _is_current(self) -> bool:
        """Return whether nothing has to be done, as is mostly so.

        It takes two statements on a connection that the first call uses afterwards.
        """
        with self._cache.reader() as executor:
            return is_ours(executor, SCHEMA_VERSION) and executor.execute(
                "PRAGMA journal_mode"
            ).fetchone() == ("wal",)
        return False

    def _create(self) -> None:
        self._connector.use_write_ahead_log()
        super()._create()

    def _change(self, version: str) -> None:
        reason = self._connector.find_read_only_reason()
        if reason is not None:
            raise not_writable(self._file.path, reason)
        self._connector.use_write_ahead_log()
        super()._change(version)

    def _change_in(self, connection: Connection, current: str | None, version: str) -> None:
        if current is not None:
            self._back_up(current)  # raises if a row is damaged, which would be signed below
        super()._change_in(connection, current, version)
        problems = integrity_problems(connection.exec_driver_sql)
        if problems:
            raise DatabaseCorruptionError(
                f"{self._file.path} is damaged, and stays in version {current}: "
                f"{'; '.join(problems[:5])}"
            )

    def _back_up(self, version: str) -> None:
        """Copy the database next to itself, unless an earlier copy is equal.

        It runs in the transaction of the change, so that no other process writes in between.
        """
        path = self._file.path
        with (
            working_folder(path.parent) as folder,
            closing(self._connector.open_to_inspect()) as source,
        ):
            copy = folder / path.name
            copy_database(source, copy)
            keep_copy(copy, path.with_name(f"{path.name}.{version}"), ".backup")
