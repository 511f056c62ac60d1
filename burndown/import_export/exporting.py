"""Out of the store: a profile for people and colleagues, or all of it for the old dashboard."""

import logging
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from burndown.copying import NAMES, as_it_is, copy_store
from burndown.errors import (
    DatabaseCorruptionError,
    ImportExportError,
    PersistenceError,
    ProfileNotFoundError,
)
from burndown.files.paths import remove
from burndown.files.reading import digest
from burndown.import_export.file_names import file_stems
from burndown.import_export.folders import Write, folder_in_place, new_export
from burndown.import_export.layout import (
    MANIFEST,
    PROFILE,
    SNAPSHOTS,
    encoded,
    file_name,
    without_ids,
)
from burndown.import_export.manifest import FileEntry, LeftOut, Manifest
from burndown.import_export.secrets import refuse_tokens, without_secrets
from burndown.legacy import is_temporary
from burndown.models import (
    Entity,
    JiraCache,
    JiraChangelog,
    MetricsSnapshot,
    Profile,
    ProjectData,
    Query,
)
from burndown.models.values import utc_now
from burndown.naming_rules import MAX_QUERIES
from burndown.persistence import Document, PersistenceBackend, get_backend
from burndown.persistence.json_backend import JSONBackend

__all__ = ["export_profile", "export_workspace"]

_logger = logging.getLogger(__name__)

_FETCHED: tuple[type[Entity], ...] = (JiraCache, JiraChangelog)
"""What can be fetched from Jira again."""


def export_profile(
    profile_id: str,
    export_path: str | Path,
    *,
    include_cache: bool = False,
    include_secrets: bool = False,
) -> Path:
    """Write a profile with its queries, project data and metrics to a folder or a ``.zip`` file.

    The export appears atomically. It takes the place of an earlier one, with the files that a
    system or a running editor has put there since, and of nothing else. Equal data make equal
    files, but for the time in the manifest. Every disk can hold the names of the files: ids that
    are no names on some system are in the manifest.

    A profile with more than 100 queries, which only a backend or a migration can store, is exported
    with a warning in the log, since an import takes no more.

    Args:
        profile_id: which profile.
        export_path: the folder to make, with the folders above it; one file if it ends in
            ``.zip``.
        include_cache: also the cached answers of Jira, expired ones included, and the changelogs.
        include_secrets: also the Jira token, and whatever else is called a token, password, …;
            the manifest says where some were left out.

    Returns:
        The path.

    Raises:
        ProfileNotFoundError: there is no such profile.
        ImportExportError: there is something else at that path, it cannot be written, or a Jira
            token stands where it is not known as one, such as in a description.
    """
    path = Path(export_path)
    backend = get_backend()
    try:
        with backend.transaction():  # one state of the data
            export = _Export(backend, profile_id, include_cache, include_secrets)
            with new_export(path.absolute()) as write:
                export.write(write)
    except PersistenceError:
        raise
    except (OSError, ValueError) as error:
        raise ImportExportError(f"The export {path} was not written: {error}") from error
    return path


def export_workspace(export_path: str | Path, *, include_secrets: bool = False) -> Path:
    """Write all that is stored as a workspace that the old dashboard opens.

    It appears whole or not at all, and is compared with what is stored. What the old files have no
    place for stands beside them, so that migrating the workspace gives an equal store.

    Args:
        export_path: the folder to make; ``profiles`` will lie in it.
        include_secrets: also the Jira tokens. The old dashboard needs them, and keeps them in
            clear; without them they have to be entered there again.

    Returns:
        The path.

    Raises:
        ImportExportError: there is something at that path, or it cannot be written.
    """
    path = Path(export_path)
    backend = get_backend()
    try:
        with (
            folder_in_place(path.absolute()) as folder,
            JSONBackend(folder / "profiles") as files,
        ):
            copy_store(backend, files, adapt=as_it_is if include_secrets else _without_secrets)
            if not include_secrets:
                _refuse_tokens(backend, folder)
            for left_over in filter(lambda each: is_temporary(each.name), files.folder.iterdir()):
                remove(left_over)
    except PersistenceError:
        raise
    except (OSError, ValueError) as error:
        raise ImportExportError(f"The workspace {path} was not written: {error}") from error
    return path


class _Export:
    """What is written of a profile."""

    def __init__(
        self,
        backend: PersistenceBackend,
        profile_id: str,
        include_cache: bool,
        include_secrets: bool,
    ) -> None:
        self._all_profiles = backend.list_profiles()
        profile = next((each for each in self._all_profiles if each["id"] == profile_id), None)
        if profile is None:
            raise ProfileNotFoundError(profile_id)
        self._backend = backend
        self._profile = profile
        self._fetched = _FETCHED if include_cache else ()
        self._include_secrets = include_secrets
        self._left_out: list[str] = []
        self._counts: dict[str, int] = {}
        self._files: dict[str, FileEntry] = {}
        self._stems: dict[str, str] = {}

    def write(self, write: Write) -> None:
        """Write all files, the manifest last."""
        self._write_file(write, PROFILE, self._profile)
        snapshots: dict[str, list[Document]] = {}
        queries = list(self._records(Query))
        self._stems = file_stems([query["id"] for query in queries])
        if len(queries) > MAX_QUERIES:
            _logger.warning(
                "Profile %r has %d queries; an import takes at most %d",
                self._profile["id"],
                len(queries),
                MAX_QUERIES,
            )
        for query in queries:
            self._write_file(write, self._name(Query, query["id"]), without_ids(query))
            snapshots[query["id"]] = []
        for data in self._records(ProjectData):
            name = self._name(ProjectData, data["query_id"])
            self._write_file(write, name, data["data"], updated_at=data["updated_at"])
        for snapshot in self._records(MetricsSnapshot):
            snapshots[snapshot["query_id"]].append(without_ids(snapshot))
        self._write_file(write, SNAPSHOTS, snapshots)
        for model in self._fetched:
            for query_id, of_query in groupby(self._records(model), itemgetter("query_id")):
                content = [without_ids(record) for record in of_query]
                self._write_file(write, self._name(model, query_id), content)
        self._write(write, MANIFEST, encoded(self._manifest().to_content()))

    def _records(self, model: type[Entity]) -> Iterator[Document]:
        self._counts[NAMES[model]] = 0
        for record in self._backend.records(model, self._profile["id"]):
            if "query_id" in record and record["query_id"] not in self._stems:
                raise DatabaseCorruptionError(
                    f"{NAMES[model]} of profile {self._profile['id']!r} belong to the query "
                    f"{record['query_id']!r}, which is not there; `burndown check` lists such rows"
                )
            self._counts[NAMES[model]] += 1
            yield record

    def _name(self, model: type[Entity], query_id: str) -> str:
        return file_name(model, self._stems[query_id])

    def _write_file(
        self, write: Write, name: str, content: Any, updated_at: str | None = None
    ) -> None:
        if not self._include_secrets:
            content, left_out = without_secrets(content, name)
            self._left_out += left_out
        data = encoded(content)
        self._files[name] = FileEntry.model_validate(
            {"sha256": digest(data), "size": len(data), "updated_at": updated_at}
        )
        self._write(write, name, data)

    def _write(self, write: Write, name: str, data: bytes) -> None:
        if not self._include_secrets:
            refuse_tokens(self._all_profiles, data, name)
        write(name, data)

    def _manifest(self) -> Manifest:
        return Manifest(
            exported_at=utc_now(),
            profile_id=self._profile["id"],
            profile_name=self._profile["name"],
            counts=self._counts,
            left_out=LeftOut(
                kinds=[NAMES[model] for model in _FETCHED if model not in self._fetched],
                secrets=self._left_out,
            ),
            query_ids={stem: each for each, stem in self._stems.items() if stem != each},
            files=self._files,
        )


def _without_secrets(model: type[Entity], record: Document) -> Document:
    name = PROFILE if model is Profile else NAMES[model]
    rest: Document = without_secrets(record, name)[0]
    return rest


def _refuse_tokens(backend: PersistenceBackend, folder: Path) -> None:
    profiles = backend.list_profiles()
    for path in filter(Path.is_file, folder.rglob("*.json")):
        refuse_tokens(profiles, path.read_bytes(), path.relative_to(folder).as_posix())
