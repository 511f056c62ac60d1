"""Import a profile from an export: all of it or nothing."""

import logging
import tempfile
import unicodedata
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from burndown.copying import NAMES
from burndown.disk import digest
from burndown.errors import ImportExportError, ValidationError, shown
from burndown.escaping import escaped
from burndown.import_export.file_names import match_names
from burndown.import_export.folders import Source, manifest_of, opened_export
from burndown.import_export.layout import (
    MANIFEST,
    PROFILE,
    QUERIES,
    SNAPSHOTS,
    Place,
    kind_of,
    parsed,
    records_in,
)
from burndown.import_export.manifest import FileEntry, Manifest
from burndown.import_export.secrets import TOKEN
from burndown.models import Entity, Profile, Query
from burndown.models.query_data import QueryData
from burndown.names import (
    MAX_PROFILES,
    MAX_QUERIES,
    checked_name,
    free_id,
    refuse_beyond,
    refuse_taken_name,
)
from burndown.persistence import Document, PersistenceBackend, get_backend
from burndown.persistence.sqlite_backend import SQLiteBackend
from burndown.settings import DATABASE_NAME

__all__ = ["ImportReport", "import_profile", "read_manifest", "run_import"]

_ADVICE = "; import it under a new name (`--name`) or in place of that one (`--replace`)"

_logger = logging.getLogger(__name__)


@dataclass
class ImportReport:
    """What an import did, or would do."""

    profile_id: str
    """The id of the imported profile."""
    profile_name: str
    replaced: str | None = None
    """The name of the profile that it took the place of."""
    removed: dict[str, int] = field(default_factory=dict)
    """How many queries, cached responses, … were deleted with that."""
    removed_queries: list[str] = field(default_factory=list)
    """The ids of the queries among them that did not come back."""
    imported: dict[str, int] = field(default_factory=dict)
    """How many queries, metrics snapshots, … came in."""
    edited: list[str] = field(default_factory=list)
    """Files that are not as they were exported."""
    added: list[str] = field(default_factory=list)
    """Files that were not exported."""
    missing_secrets: list[str] = field(default_factory=list)
    """What the export left out and has to be entered again."""

    @property
    def warnings(self) -> list[str]:
        """What somebody should know or do: a sentence of one line each, safe to print and log."""
        sentences = [f"{name} was edited after the export" for name in self.edited]
        sentences += [f"{name} was added after the export" for name in self.added]
        if self.missing_secrets:
            missing = ", ".join(self.missing_secrets)
            sentences.append(f"the export holds no secrets; enter them again: {missing}")
        return list(map(escaped, sentences))


def import_profile(
    import_path: str | Path, profile_name: str | None = None, *, replace: bool = False
) -> str:
    """Add a profile from what :func:`export_profile` wrote: all of it or nothing.

    The export may have been packed again, edited, or copied to a disk that changes the case or the
    normalization of names. What :attr:`ImportReport.warnings` says, such as that the Jira token has
    to be entered again, is logged.

    A profile with more than 100 queries is refused, as the managers refuse to make one. Only
    backends, migrations and :func:`~burndown.copying.copy_store` take more, since they preserve
    what is there.

    Args:
        import_path: the folder or ``.zip`` file.
        profile_name: a name in place of the exported one; if the id is taken, another one is made
            of it.
        replace: delete the profile that has the id or the name, with all that belongs to it. Its
            Jira token is kept if the export has none and means the same server.

    Returns:
        The id of the new profile.

    Raises:
        ImportExportError: a file is missing or damaged, or two profiles would be replaced.
        ValidationError: a value is not valid, the name or id is taken, or there are more than 100
            queries.
    """
    report = run_import(import_path, profile_name, replace=replace)
    for warning in report.warnings:
        _logger.warning("Profile %r: %s", report.profile_id, warning)
    return report.profile_id


def run_import(
    import_path: str | Path,
    profile_name: str | None = None,
    *,
    replace: bool = False,
    dry_run: bool = False,
) -> ImportReport:
    """As :func:`import_profile`, and tell what was done.

    Args:
        import_path: as there.
        profile_name: as there.
        replace: as there.
        dry_run: only tell what would be done, or why it cannot be; nothing is written.

    Raises:
        ImportExportError: as there.
        ValidationError: as there.
    """
    backend = get_backend()
    with _opened(import_path) as export:
        if not dry_run:
            with backend.transaction():
                return _run(export, backend, backend, profile_name, replace)
        with (
            tempfile.TemporaryDirectory() as folder,
            SQLiteBackend(Path(folder) / DATABASE_NAME) as scratch,
            scratch.transaction(),
        ):
            return _run(export, backend, scratch, profile_name, replace)


def read_manifest(import_path: str | Path) -> Manifest:
    """What an export says of itself.

    Raises:
        ImportExportError: there is no export, or a file of it is missing.
    """
    with _opened(import_path) as export:
        return export.manifest


@contextmanager
def _opened(import_path: str | Path) -> Iterator["_Export"]:
    with opened_export(Path(import_path)) as source:
        yield _Export(source)


def _run(
    export: "_Export",
    backend: PersistenceBackend,
    target: PersistenceBackend,
    profile_name: str | None,
    replace: bool,
) -> ImportReport:
    """Import into the target what fits into the backend."""
    present = backend.list_profiles() if backend.exists() else []
    coming = _Import(export, present, profile_name, replace)
    if coming.replaced is None:
        return coming.save(target)
    replaced_id = coming.replaced["id"]
    removed = {
        name: sum(1 for _ in backend.records(model, replaced_id))
        for model, name in NAMES.items()
        if model is not Profile
    }
    removed_queries = {query["id"] for query in backend.list_queries(replaced_id)}
    if target is backend:
        backend.delete_profile(replaced_id)
    report = coming.save(target)
    report.removed = {name: count for name, count in removed.items() if count}
    report.removed_queries = sorted(
        removed_queries - {query["id"] for query in target.list_queries(report.profile_id)}
    )
    return report


class _File(NamedTuple):
    """A file of an export."""

    name: str
    """The name as the disk or archive has it."""
    place: Place
    entry: FileEntry | None
    """What the manifest knows of it; ``None`` if it was added after the export."""


class _Export:
    """The files of an export."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.edited: list[str] = []
        with self.reading(MANIFEST):
            self.manifest = manifest_of(source)
        self._files = list(self._find_files(source.names()))
        self._query_ids = {file.place.query_id for file in self._files if file.place.model is Query}
        with self.reading(""):
            _refuse_doubled_files(self._files)
        with self.reading(QUERIES):
            if len(self._query_ids) > MAX_QUERIES:
                expected = f"Input should be at most {MAX_QUERIES} queries"
                raise ValidationError.of("Profile", "queries", expected, len(self._query_ids))

    @property
    def added(self) -> list[str]:
        """The files that were not exported."""
        return sorted(file.name for file in self._files if file.entry is None)

    @contextmanager
    def reading(self, name: str) -> Iterator[None]:
        """Errors within name this file."""
        try:
            yield
        except ImportExportError as error:
            raise ImportExportError(f"{self._source.path / name}: {error}") from None
        except ValidationError as error:
            where = f"{self._source.path / name}: {error.subject}"
            raise ValidationError(where, error.problems) from None

    def profile(self) -> Document:
        """Return the profile, as it is in its file."""
        [file] = (file for file in self._files if file.place.model is Profile)
        [profile] = self.records(file)
        return profile

    def files(self) -> Iterator[_File]:
        """Return all files but that of the profile, owners before what belongs to them."""
        for model in NAMES:
            if model is not Profile:
                yield from (file for file in self._files if file.place.model is model)

    def records(self, file: _File) -> list[Document]:
        """Return what is in a file, but for the id of the profile.

        Raises:
            ImportExportError: it is damaged, or belongs to a query that is not there.
        """
        data = self._source.read(file.name)
        records = list(records_in(file.place, parsed(data)))
        if issubclass(file.place.model, QueryData):
            owners = {record["query_id"] for record in records}
            for query_id in sorted(owners - self._query_ids):
                raise ImportExportError(f"there is no query {shown(query_id)}")
        if file.entry is not None and digest(data) != file.entry.sha256:
            self.edited.append(file.name)
        elif file.entry is not None and file.entry.updated_at is not None:
            records = [{**record, "updated_at": file.entry.updated_at} for record in records]
        return records

    def _find_files(self, found: list[str]) -> Iterator[_File]:
        """Return the files that the manifest lists, and others that were added to them.

        Files of the manifest are found though a disk changed the case or normalization of their
        names. What people add has names as keyboards type them, in NFC.
        """
        expected = (PROFILE, SNAPSHOTS, *self.manifest.files)
        matched = match_names(expected, found)
        for name in expected:
            if name not in matched:
                with self.reading(name):
                    raise ImportExportError("missing; the export was not copied as a whole")
        listed = [(name, actual, self.manifest.files.get(name)) for name, actual in matched.items()]
        others = sorted(set(found) - set(matched.values()))
        added = [(unicodedata.normalize("NFC", actual), actual, None) for actual in others]
        for name, actual, entry in (*listed, *added):
            with self.reading(actual):
                place = kind_of(name, self.manifest.query_ids)
                if place is None and entry is not None:
                    raise ImportExportError("listed in the manifest, but no file of an export")
            if place is not None:
                yield _File(actual, place, entry)


class _Import:
    """A profile on its way in, once it is known that it may.

    Args:
        export: where it comes from.
        present: the profiles that are there.
        profile_name: a name in place of the exported one.
        replace: whether it may take the place of another.
    """

    def __init__(
        self, export: _Export, present: list[Document], profile_name: str | None, replace: bool
    ) -> None:
        with export.reading(PROFILE):
            self._profile = export.profile()
            name = profile_name if profile_name is not None else self._profile.get("name", "")
            profile_id = self._profile.get("id")
            self.replaced = _in_the_way(present, profile_id, name) if replace else None
            others = [other for other in present if other is not self.replaced]
            refuse_beyond(MAX_PROFILES, "Profile", others)
            if profile_name is not None:
                name = checked_name("Profile", profile_name, others)
            elif isinstance(name, str):
                refuse_taken_name("Profile", name, others, _ADVICE)
            taken = {other["id"] for other in others}
            if self.replaced is not None:
                profile_id = self.replaced["id"]
            elif not isinstance(profile_id, str) or (profile_name and profile_id in taken):
                profile_id = free_id(str(name), "profile", taken)
            elif profile_id in taken:
                expected = f"an id that is free was expected{_ADVICE}"
                raise ValidationError.of("Profile", "id", expected, profile_id)
        self._export = export
        self._profile.update(id=profile_id, name=name)

    def save(self, backend: PersistenceBackend) -> ImportReport:
        """Save all of it; call it within a transaction."""
        export, profile_id = self._export, self._profile["id"]
        if self.replaced is not None:
            _keep_token(self._profile, self.replaced)
        with export.reading(PROFILE):
            backend.save_records(Profile, [self._profile])
        imported: dict[str, int] = {}
        for file in export.files():
            model = file.place.model
            with export.reading(file.name):
                records = [{**each, "profile_id": profile_id} for each in export.records(file)]
                backend.save_records(model, records)
                _refuse_doubles(model, records)
            imported[NAMES[model]] = imported.get(NAMES[model], 0) + len(records)
        return ImportReport(
            profile_id,
            self._profile["name"],
            replaced=self.replaced["name"] if self.replaced is not None else None,
            imported=imported,
            edited=sorted(export.edited),
            added=export.added,
            missing_secrets=self._missing_secrets(),
        )

    def _missing_secrets(self) -> list[str]:
        """What the export left out, and the token of the replaced profile, unless it is there."""
        missing = set(self._export.manifest.left_out.secrets)
        if self.replaced is not None and _token(self.replaced):
            missing.add(TOKEN)
        if _token(self._profile):
            missing.discard(TOKEN)
        return sorted(missing)


def _refuse_doubled_files(files: list[_File]) -> None:
    """Refuse two files of the same, such as ``größe.json`` in two normalizations.

    Raises:
        ImportExportError: one of both would be lost.
    """
    names: dict[Place, str] = {}
    for file in files:
        if file.place in names:
            raise ImportExportError(
                f"{names[file.place]!r} and {file.name!r} are of the same query; remove one of them"
            )
        names[file.place] = file.name


def _refuse_doubles(model: type[Entity], records: list[Document]) -> None:
    """Refuse what would be lost, since another one is stored in its place.

    Raises:
        ImportExportError: two of the records, which are valid, have the same key.
    """
    counted = Counter(map(model.key_of, records))
    for key, count in counted.items():
        if count > 1:
            told = " ".join(repr(part) for part in key[2:])
            raise ImportExportError(f"{told} is there {count} times")


def _in_the_way(present: list[Document], profile_id: Any, name: Any) -> Document | None:
    """The profile that has the id or the name.

    Raises:
        ImportExportError: one has the id, another one the name.
    """
    found = [
        other
        for other in present
        if other["id"] == profile_id
        or (isinstance(name, str) and other["name"].casefold() == name.strip().casefold())
    ]
    if len(found) > 1:
        told = " and ".join(repr(other["id"]) for other in found)
        raise ImportExportError(f"profiles {told} have its id and its name; delete one first")
    return found[0] if found else None


def _keep_token(profile: Document, replaced: Document) -> None:
    """Give the profile the token of the replaced one, if it has none and means the same server."""
    jira, earlier = profile.get("jira_config"), replaced["jira_config"]
    if not isinstance(jira, dict) or _token(profile) or not _token(replaced):
        return
    if jira.get("base_url") == earlier.get("base_url"):
        profile["jira_config"] = {**jira, "token": earlier["token"]}


def _token(profile: Document) -> Any:
    jira = profile.get("jira_config")
    return jira.get("token") if isinstance(jira, dict) else None
