"""Import a profile from an export: all of it or nothing."""

import logging
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from burndown.copying import NAMES
from burndown.errors import ImportExportError, ValidationError
from burndown.escaping import escaped
from burndown.import_export.folders import opened_export
from burndown.import_export.layout import PROFILE, QUERIES
from burndown.import_export.manifest import Manifest
from burndown.import_export.reading import Export
from burndown.import_export.secrets import TOKEN
from burndown.models import Entity, Profile
from burndown.models.codec import codec_of
from burndown.naming_rules import (
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
            present = backend if backend.exists() else scratch
            return _run(export, present, scratch, profile_name, replace)


def read_manifest(import_path: str | Path) -> Manifest:
    """What an export says of itself.

    Raises:
        ImportExportError: there is no export, or a file of it is missing.
    """
    with _opened(import_path) as export:
        return export.manifest


@contextmanager
def _opened(import_path: str | Path) -> Iterator[Export]:
    with opened_export(Path(import_path)) as source:
        yield Export(source)


def _run(
    export: Export,
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


class _Import:
    """A profile on its way in, once it is known that it may.

    Args:
        export: where it comes from.
        present: the profiles that are there.
        profile_name: a name in place of the exported one.
        replace: whether it may take the place of another.
    """

    def __init__(
        self, export: Export, present: list[Document], profile_name: str | None, replace: bool
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
        with export.reading(QUERIES):
            if export.query_count > MAX_QUERIES:
                expected = f"Input should be at most {MAX_QUERIES} queries"
                raise ValidationError.of("Profile", "queries", expected, export.query_count)
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


def _refuse_doubles(model: type[Entity], records: list[Document]) -> None:
    """Refuse what would be lost, since another one is stored in its place.

    Raises:
        ImportExportError: two of the records, which are valid, have the same key.
    """
    counted = Counter(map(codec_of(model).key, records))
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
