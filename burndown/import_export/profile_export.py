"""Export a profile to files that people can read."""

import logging
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from burndown.errors import (
    DatabaseCorruptionError,
    ImportExportError,
    PersistenceError,
    ProfileNotFoundError,
)
from burndown.files.reading import digest
from burndown.import_export.content import encode_content
from burndown.import_export.exported_secrets import ExportedSecrets
from burndown.import_export.file_names import file_stems
from burndown.import_export.layout import (
    EXPORTED,
    MANIFEST,
    content_of,
    file_content,
    file_name,
    has_file_per_query,
)
from burndown.import_export.manifest import FileEntry, Manifest, Omissions
from burndown.import_export.secrets import refuse_tokens
from burndown.import_export.targets import WriteFile, new_export
from burndown.models import Entity, Profile, Query
from burndown.models.query_data import QueryData
from burndown.persistence import Document, PersistenceBackend, resolve_backend
from burndown.settings import get_settings

__all__ = ["export_profile"]

_QUERY_DATA = [entity for entity in EXPORTED if issubclass(entity, QueryData)]
_IRREPLACEABLE = [entity for entity in _QUERY_DATA if entity.IRREPLACEABLE]
_REPLACEABLE = [entity for entity in _QUERY_DATA if not entity.IRREPLACEABLE]

_logger = logging.getLogger(__name__)


def export_profile(
    profile_id: str,
    export_path: str | Path,
    *,
    include_cache: bool = False,
    include_secrets: bool = False,
    passphrase: str | None = None,
    backend: PersistenceBackend | None = None,
) -> Path:
    """Write a profile with its queries, project data and metrics to a folder or a ``.zip`` file.

    The export appears atomically. It replaces an earlier one, including the files that a system or
    a running editor has put there since, and nothing else. Equal data make equal files, except for
    the time in the manifest. Every disk can hold the names of the files: ids that are not valid
    names on some system are in the manifest.

    A profile with more than 100 queries (``BURNDOWN_MAX_QUERIES``), which only a backend or a
    migration can store, is exported with a warning in the log, since an import refuses it.

    Args:
        profile_id: the profile.
        export_path: the folder to create, with missing folders above it; one file if it ends in
            ``.zip``.
        include_cache: include the cached Jira responses, expired ones too, and the changelogs.
        include_secrets: include the Jira token, and other values under keys such as ``token`` or
            ``password``; the manifest lists where they were omitted otherwise, and in any case
            those that no key opens.
        passphrase: include the same, sealed with this passphrase.
        backend: the store to export from; by default the current one.

    Returns:
        The path.

    Raises:
        ProfileNotFoundError: there is no such profile.
        ImportExportError: there is something else at that path, it cannot be written, or a Jira
            token is stored in an unexpected place, such as a description.
    """
    path = Path(export_path)
    store = resolve_backend(backend)
    try:
        with store.transaction():  # so that all records are of one state of the data
            secrets = ExportedSecrets(include_secrets, passphrase)
            export = _ProfileExport(store, profile_id, include_cache, secrets)
            with new_export(path.absolute()) as write:
                export.write_to(write)
    except PersistenceError:
        raise
    except (OSError, ValueError) as error:
        raise ImportExportError(f"The export {path} was not written: {error}") from error
    return path


class _ProfileExport:
    """The files of an export, written one after the other."""

    def __init__(
        self,
        backend: PersistenceBackend,
        profile_id: str,
        include_cache: bool,
        secrets: ExportedSecrets,
    ) -> None:
        self._all_profiles = backend.list_profiles()
        profile = next((each for each in self._all_profiles if each["id"] == profile_id), None)
        if profile is None:
            raise ProfileNotFoundError(profile_id)
        self._backend = backend
        self._profile = profile
        self._omitted = [] if include_cache else _REPLACEABLE
        self._secrets = secrets
        self._write: WriteFile
        self._counts: dict[str, int] = {}
        self._files: dict[str, FileEntry] = {}
        self._stems: dict[str, str] = {}

    def write_to(self, write: WriteFile) -> None:
        """Write all files, the manifest last: without it, files are not an export."""
        self._write = write
        self._write_records(Profile, file_name(Profile), content_of(self._profile))
        self._write_queries()
        for entity in (*_IRREPLACEABLE, *_REPLACEABLE):
            if entity in self._omitted:
                continue
            if has_file_per_query(entity):
                self._write_file_per_query(entity)
            else:
                self._write_shared_file(entity)
        self._write_file(MANIFEST, encode_content(self._manifest().to_content()))

    def _write_queries(self) -> None:
        queries = list(self._records(Query))
        self._stems = file_stems([query["id"] for query in queries])
        most = get_settings().max_queries
        if len(queries) > most:
            _logger.warning(
                "Profile %r has %d queries; an import takes at most %d",
                self._profile["id"],
                len(queries),
                most,
            )
        for query in queries:
            name = file_name(Query, self._stems[query["id"]])
            self._write_records(Query, name, content_of(query))

    def _write_file_per_query(self, entity: type[QueryData]) -> None:
        for query_id, group in groupby(self._records(entity), itemgetter("query_id")):
            records = list(group)
            # A file that is one field of its record leaves the time to the manifest.
            updated_at = records[0]["updated_at"] if entity.EXPORT_FIELD else None
            name = file_name(entity, self._stems[query_id])
            self._write_records(entity, name, file_content(entity, records), updated_at)

    def _write_shared_file(self, entity: type[QueryData]) -> None:
        by_query: dict[str, list[Document]] = {query_id: [] for query_id in self._stems}
        for record in self._records(entity):
            by_query[record["query_id"]].append(content_of(record))
        name = file_name(entity)
        # Query by query: the id of a query is not the key of a secret, whatever it is.
        content = {
            query_id: self._secrets.content(entity, name, records, query_id)
            for query_id, records in by_query.items()
        }
        self._write_content(name, content)

    def _records(self, entity: type[Entity]) -> Iterator[Document]:
        self._counts[entity.LABEL] = 0
        for record in self._backend.records(entity, self._profile["id"]):
            if "query_id" in record and record["query_id"] not in self._stems:
                raise DatabaseCorruptionError(
                    f"{entity.LABEL} of profile {self._profile['id']!r} belong to the query "
                    f"{record['query_id']!r}, which does not exist; `burndown check` lists such "
                    "rows"
                )
            self._counts[entity.LABEL] += 1
            yield record

    def _write_records(
        self, entity: type[Entity], name: str, content: Any, updated_at: str | None = None
    ) -> None:
        self._write_content(name, self._secrets.content(entity, name, content), updated_at)

    def _write_content(self, name: str, content: Any, updated_at: str | None = None) -> None:
        data = encode_content(content)
        self._files[name] = FileEntry.model_validate(
            {"sha256": digest(data), "size": len(data), "updated_at": updated_at}
        )
        self._write_file(name, data)

    def _write_file(self, name: str, data: bytes) -> None:
        if not self._secrets.are_in_plain_text:
            refuse_tokens(self._all_profiles, data, name)
        self._write(name, data)

    def _manifest(self) -> Manifest:
        return Manifest(
            exported_at=self._backend.now(),
            profile_id=self._profile["id"],
            profile_name=self._profile["name"],
            counts=self._counts,
            left_out=Omissions(
                kinds=[entity.LABEL for entity in self._omitted], secrets=self._secrets.omitted
            ),
            sealing=self._secrets.sealing,
            query_ids={stem: each for each, stem in self._stems.items() if stem != each},
            files=self._files,
        )
