"""A workspace of JSON files as the source of a migration."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from burndown.conversion import Findings, SourceData, SourceStore
from burndown.database import Database
from burndown.errors import MigrationError
from burndown.files.sqlite_files import SQLiteFiles
from burndown.legacy import (
    STATE,
    LegacyProfile,
    LegacyQuery,
    Workspace,
    back_up,
    file_states,
    has_workspace,
    read_query_files,
    workspace_folder,
)
from burndown.migration.source import MigrationSource
from burndown.models import Document

__all__ = ["WorkspaceSource", "WorkspaceStore"]


class WorkspaceSource(MigrationSource):
    """The folder of a legacy workspace, whose files are neither changed nor deleted.

    Args:
        folder: the folder with ``profiles.json``.
        databases: the files in it that are not part of the workspace.
    """

    def __init__(self, folder: Path, databases: SQLiteFiles) -> None:
        self._folder = folder
        self._databases = databases
        self._before: object = None

    @property
    def path(self) -> Path:
        """Return the folder."""
        return self._folder

    def exists(self) -> bool:
        """Return whether there is a workspace in the folder."""
        return has_workspace(self._folder)

    @contextmanager
    def held(self, *, dry_run: bool) -> Iterator[None]:
        """Complete the changes of a killed process, and remember the state of all files."""
        workspace_folder(self._folder).finish_interrupted()
        self._before = file_states(self._folder, self._databases)
        yield

    def back_up(self, now: datetime) -> Path:
        """Copy all files of the workspace."""
        return back_up(self._folder, now, self._databases)

    def open(self, findings: Findings) -> SourceStore[Any]:
        """Read the profiles and queries; their data is read on demand."""
        store = WorkspaceStore(self._folder, findings)
        store.workspace.report_leftovers(findings, self._databases)
        return store

    def refuse_changes(self) -> None:
        """Check that no file has changed: the old dashboard may have written meanwhile."""
        if file_states(self._folder, self._databases) != self._before:
            raise MigrationError(
                f"The files in {self._folder} changed while they were read, so nothing was moved; "
                "stop the old dashboard if it is running, and try again"
            )

    def install(self, built: Path, target: Database) -> bool:
        """Put the new database where no file is: an existing one may be in use."""
        return target.install_prebuilt(built)


class WorkspaceStore:
    """The content of a legacy workspace.

    Args:
        folder: the folder with ``profiles.json``.
        findings: takes reports of what was converted, skipped, or cannot be read.
    """

    def __init__(self, folder: Path, findings: Findings) -> None:
        self.workspace = Workspace.read(folder, findings)
        self._findings = findings

    @property
    def path(self) -> Path:
        """Return the sidecar with the app state."""
        return self.workspace.profiles_dir / STATE

    @property
    def profiles(self) -> list[LegacyProfile]:
        """Return the profiles."""
        return self.workspace.profiles

    @property
    def app_state(self) -> dict[str, str]:
        """Return the app state."""
        return self.workspace.app_state

    @property
    def tasks(self) -> dict[str, Document]:
        """Return the progress of tasks."""
        return self.workspace.sidecar.tasks

    def data(self, query: LegacyQuery) -> Iterator[SourceData]:
        """Read the data files of a query."""
        return read_query_files(query, self._findings)
