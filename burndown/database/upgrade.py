"""The version of a database's tables: creating them, upgrading and downgrading them."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager

from sqlalchemy import Connection

from burndown.errors import (
    SchemaTooNewError,
    StorageError,
    StoreNotFoundError,
    ValidationError,
)
from burndown.models import SCHEMA_VERSION
from burndown.schema import VERSIONS, change_version, make_schema, sql_between, stored_version

__all__ = ["SchemaUpgrader"]

_logger = logging.getLogger(__name__)

Begin = Callable[[], AbstractContextManager[Connection]]
"""Begins a transaction that no other writer runs next to."""


class SchemaUpgrader(ABC):
    """The creation and upgrade of the tables of one database.

    A transaction creates or changes all tables, or none: both databases can undo DDL. Killed in
    the middle of it 120 times, a process left no broken schema; with Alembic's defaults on SQLite,
    which commits before DDL, it left 111.

    Args:
        location: where the database is, for errors.
        dialect: ``sqlite`` or ``postgresql``.
        begin: begins a transaction to create tables in.
        begin_to_alter: begins a transaction to alter tables in; it waits longer for others.
        read_only: create and change nothing.
    """

    readable: Collection[str] = (SCHEMA_VERSION,)
    """The versions that can be read without an upgrade."""

    def __init__(
        self, location: str, dialect: str, begin: Begin, begin_to_alter: Begin, *, read_only: bool
    ) -> None:
        self.location = location
        self.read_only = read_only
        self._dialect = dialect
        self._begin = begin
        self._begin_to_alter = begin_to_alter

    @abstractmethod
    def version(self) -> str | None:
        """Return the version of the tables, or ``None`` if there are none; change nothing."""

    def prepare(self) -> None:
        """Create the tables, or upgrade them to the version of this release; check if read-only.

        Raises:
            SchemaTooNewError: a newer release made the database.
            StorageError: it is read-only, and there are no tables or they need an upgrade.
        """
        if self.read_only:
            self.readable_version()
            return
        version = self.version()
        if version is None:
            self._create()
            version = self.version()  # another process may have created them, in another version
        self.refuse_too_new(version)
        if version != SCHEMA_VERSION:
            self._change(SCHEMA_VERSION)

    def readable_version(self) -> str:
        """Return the version of the tables, if they can be read without an upgrade.

        Raises:
            SchemaTooNewError: a newer release made the database.
            StoreNotFoundError: there are no tables.
            StorageError: they need an upgrade.
        """
        version = self.version()
        if version is None:
            raise StoreNotFoundError(
                f"There is no database at {self.location}; `burndown init` makes an empty one, and "
                "`burndown migrate` one of the data of an older dashboard"
            )
        self.refuse_too_new(version)
        if version not in self.readable:
            raise StorageError(
                f"{self.location} has the schema version {version}, which has to be upgraded "
                "before it can be read; `burndown upgrade` does that"
            )
        return version

    def sql_of_change(self, version: str) -> str:
        """Return the SQL that :meth:`change_version` runs, without the filling of rows by Python.

        Raises:
            SchemaTooNewError: a newer release made the database.
            ValidationError: there is no such version.
            StorageError: there is no database.
        """
        current = self._known_version(version)
        return "" if current == version else sql_between(self._dialect, current, version)

    def change_version(self, version: str) -> None:
        """Upgrade or downgrade the tables to a version.

        Raises:
            SchemaTooNewError: a newer release made the database.
            ValidationError: there is no such version.
            StorageError: there is no database, or the downgrade would lose data.
        """
        self._known_version(version)
        self._change(version)

    def refuse_too_new(self, version: str | None) -> None:
        """Check that this release knows a version.

        Raises:
            SchemaTooNewError: it does not.
        """
        if version is not None and version not in VERSIONS:
            raise SchemaTooNewError(self.location, version, SCHEMA_VERSION)

    def _known_version(self, wanted: str) -> str:
        """Return the version of the tables, after checking that it and the wanted one are known."""
        if wanted not in VERSIONS:
            known = ", ".join(VERSIONS)
            raise ValidationError.of(
                "Schema version", "", f"input should be one of {known}", wanted
            )
        version = self.version()
        if version is None:
            raise StoreNotFoundError(f"There is no database at {self.location}")
        self.refuse_too_new(version)
        return version

    def _create(self) -> None:
        with self._begin() as connection:
            if stored_version(connection) is None:
                self._create_in(connection)

    def _change(self, version: str) -> None:
        with self._begin_to_alter() as connection:
            # Read again: another process may have changed it while this one waited for the lock.
            current = stored_version(connection)
            self.refuse_too_new(current)
            if current == version:
                return
            self._change_in(connection, current, version)
        _logger.info("Changed the schema of %s from %s to %s", self.location, current, version)

    def _create_in(self, connection: Connection) -> None:
        """Create the tables in a transaction."""
        make_schema(connection, self.location)

    def _change_in(self, connection: Connection, current: str | None, version: str) -> None:
        """Change the tables from one version to another in a transaction."""
        change_version(connection, version)
