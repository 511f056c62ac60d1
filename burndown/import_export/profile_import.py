"""Import a profile from an export: all of it or nothing."""

import logging
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from burndown.errors import ImportExportError, ValidationError
from burndown.escaping import escaped
from burndown.files.working_folder import scratch_folder
from burndown.import_export.open_export import OpenExport
from burndown.import_export.opening import open_export
from burndown.import_export.report import ImportReport
from burndown.import_export.secrets import TOKEN, has_token, keep_token, token_of
from burndown.models import ENTITIES, Entity, Profile, ProfileDocument, Query
from burndown.models.codec import codec_of
from burndown.models.documents import REVISION
from burndown.naming_rules import check_count, check_name_is_free, free_id, validate_name
from burndown.persistence import Document, PersistenceBackend, resolve_backend
from burndown.persistence.sqlite_backend import SQLiteBackend
from burndown.settings import DATABASE_NAME, get_settings

__all__ = ["import_profile", "run_import"]

_ADVICE = "; import it under a new name (`--name`) or in place of that one (`--replace`)"

_logger = logging.getLogger(__name__)


def import_profile(
    import_path: str | Path,
    profile_name: str | None = None,
    *,
    replace: bool = False,
    passphrase: str | None = None,
    backend: PersistenceBackend | None = None,
) -> str:
    """Add a profile from what :func:`export_profile` wrote: all of it or nothing.

    An exchange file of the published dashboard is imported as well. What has another form here is
    converted, and :func:`run_import` reports it.

    The export may have been packed again, edited, or copied to a disk that changes the case or the
    normalization of names. :attr:`ImportReport.warnings`, such as that the Jira token has to be
    entered again, are logged, and so is what was skipped.

    A profile with more than 100 queries (``BURNDOWN_MAX_QUERIES``) is refused, as the managers
    refuse to create one. Only backends, migrations and :func:`~burndown.copying.copy_store` accept
    more, since they preserve what exists.

    Args:
        import_path: the folder or ``.zip`` file, or the exchange file.
        profile_name: a name instead of the exported one; if the id is taken, a new one is derived
            from it.
        replace: delete the profile that has the id or the name, with all that belongs to it. Its
            Jira token is kept if the export has none and is for the same server.
        passphrase: opens the secrets, if the export has some sealed; without it, they are omitted.
        backend: the store to import into; by default the current one.

    Returns:
        The id of the new profile.

    Raises:
        ImportExportError: a file is missing or damaged, or two profiles would be replaced.
        ValidationError: a value is not valid, the name or id is taken, or there are more than 100
            queries.
    """
    report = run_import(
        import_path, profile_name, replace=replace, passphrase=passphrase, backend=backend
    )
    skipped = (f"skipped: {escaped(found.what)}" for found in report.skipped)
    for warning in (*report.warnings, *skipped):
        _logger.warning("Profile %r: %s", report.profile_id, warning)
    return report.profile_id


def run_import(
    import_path: str | Path,
    profile_name: str | None = None,
    *,
    replace: bool = False,
    dry_run: bool = False,
    passphrase: str | None = None,
    backend: PersistenceBackend | None = None,
) -> ImportReport:
    """Import a profile as :func:`import_profile` does, and report what was done.

    Args:
        import_path: as there.
        profile_name: as there.
        replace: as there.
        dry_run: only report what would be done, or raise the error that it would end with; nothing
            is written.
        passphrase: as there.
        backend: as there.

    Returns:
        What was imported and replaced.

    Raises:
        ImportExportError: as there.
        ValidationError: as there.
    """
    store = resolve_backend(backend)
    with open_export(import_path, passphrase) as export:
        if not dry_run:
            with store.transaction():
                return _import(export, store, store, profile_name, replace)
        # A dry run imports into an empty store, so that every value is validated.
        with (
            scratch_folder() as folder,
            SQLiteBackend(folder / DATABASE_NAME) as scratch,
            scratch.transaction(),
        ):
            present = store if store.exists() else scratch
            return _import(export, present, scratch, profile_name, replace)


def _import(
    export: OpenExport,
    backend: PersistenceBackend,
    target: PersistenceBackend,
    profile_name: str | None,
    replace: bool,
) -> ImportReport:
    """Import into a target.

    Args:
        export: the export.
        backend: the store with the profiles whose names and ids are taken.
        target: the store that is written to; the same, or an empty one.
        profile_name: as of :func:`import_profile`.
        replace: as of :func:`import_profile`.
    """
    present = backend.list_profiles() if backend.exists() else []
    coming = _ProfileImport(export, present, profile_name, replace)
    if coming.replaced is None:
        return coming.save(target, {})
    replaced_id = coming.replaced["id"]
    removed = {
        entity.LABEL: sum(1 for _ in backend.records(entity, replaced_id))
        for entity in ENTITIES
        if entity is not Profile
    }
    revisions = {query["id"]: query["revision"] for query in backend.list_queries(replaced_id)}
    if target is backend:
        backend.delete_profile(replaced_id)
    report = coming.save(target, revisions)
    report.removed = {label: count for label, count in removed.items() if count}
    report.removed_queries = sorted(
        revisions.keys() - {query["id"] for query in target.list_queries(report.profile_id)}
    )
    return report


class _ProfileImport:
    """A profile to import, with a free name and id.

    Args:
        export: the export.
        present: the profiles in the store.
        profile_name: a name instead of the exported one.
        replace: whether it may replace another one.

    Raises:
        ImportExportError: two profiles would be replaced, or its file is damaged.
        ValidationError: its name or id is taken, or there would be too many profiles or queries.

    Attributes:
        replaced: the profile that it replaces, if any.
    """

    def __init__(
        self,
        export: OpenExport,
        present: list[ProfileDocument],
        profile_name: str | None,
        replace: bool,
    ) -> None:
        self._export = export
        limits = get_settings()
        with export.locating_errors(export.profile_place):
            self._profile = export.profile()
            name = self._profile.get("name", "") if profile_name is None else profile_name
            profile_id = self._profile.get("id")
            self.replaced = _find_replaced(present, profile_id, name) if replace else None
            others = [other for other in present if other is not self.replaced]
            check_count(Profile, limits.max_profiles, others)
            name = _free_name(name, others, is_exported=profile_name is None)
            if self.replaced is not None:
                profile_id = self.replaced["id"]
            else:
                is_renamed = profile_name is not None
                profile_id = _free_id(profile_id, name, others, is_renamed=is_renamed)
            self._profile.update(id=profile_id, name=name)
        with export.locating_errors(export.queries_place):
            if export.query_count > limits.max_queries:
                expected = f"input should be at most {limits.max_queries} queries"
                raise ValidationError.of("Profile", "queries", expected, export.query_count)

    def save(self, backend: PersistenceBackend, revisions: Mapping[str, int]) -> ImportReport:
        """Save everything; call it within a transaction.

        Args:
            backend: the store to save to.
            revisions: of the queries that are replaced, by id. The new ones are one higher, so that
                forms that were filled with the old ones find a conflict.
        """
        export, profile_id = self._export, self._profile["id"]
        self._profile[REVISION] = 1
        if self.replaced is not None:
            keep_token(self._profile, self.replaced)
            self._profile[REVISION] += self.replaced["revision"]
        with export.locating_errors(export.profile_place):
            backend.save_records(Profile, [self._profile])
        imported: dict[str, int] = {}
        for place, entity, found in export.contents():
            records = [{**each, "profile_id": profile_id} for each in found]
            with export.locating_errors(place):
                if entity is Query:
                    for each in records:
                        each[REVISION] = 1 + revisions.get(each["id"], 0)
                backend.save_records(entity, records)
                _refuse_duplicates(entity, records)
            imported[entity.LABEL] = imported.get(entity.LABEL, 0) + len(records)
        return ImportReport(
            profile_id,
            self._profile["name"],
            replaced=self.replaced["name"] if self.replaced is not None else None,
            imported=imported,
            converted=list(export.converted),
            skipped=list(export.skipped),
            edited=sorted(export.edited),
            added=list(export.added),
            missing_secrets=self._missing_secrets(),
        )

    def _missing_secrets(self) -> list[str]:
        """Return what was omitted, and the token of the replaced profile unless it was kept."""
        missing = set(self._export.omitted_secrets)
        token = f"{self._export.profile_place}: {TOKEN}"
        if self.replaced is not None and has_token(self.replaced):
            missing.add(token)
        if token_of(self._profile):
            missing.discard(token)
        return sorted(missing)


def _free_name(name: Any, others: list[ProfileDocument], *, is_exported: bool) -> Any:
    """Return the name of the profile, unless another profile has it.

    An exported name may be longer than those that the managers accept, and is validated when the
    profile is saved, as everything else in the file.
    """
    if not is_exported:
        return validate_name(Profile, name, others)
    if isinstance(name, str):
        check_name_is_free(Profile, name, others, advice=_ADVICE)
    return name


def _free_id(profile_id: Any, name: Any, others: list[ProfileDocument], *, is_renamed: bool) -> Any:
    """Return the id of the profile, or one derived from its name if it was renamed or has none."""
    taken = {other["id"] for other in others}
    if not isinstance(profile_id, str) or (is_renamed and profile_id in taken):
        return free_id(str(name), "profile", taken)
    if profile_id in taken:
        expected = f"input should be an id that is not taken{_ADVICE}"
        raise ValidationError.of("Profile", "id", expected, profile_id)
    return profile_id


def _refuse_duplicates(entity: type[Entity], records: list[Document]) -> None:
    """Refuse records with the same key, since the last one would replace the others.

    They have been validated: only then are their keys complete.

    Raises:
        ImportExportError: two records have the same key.
    """
    for key, count in Counter(map(codec_of(entity).key, records)).items():
        if count > 1:
            own_key = " ".join(repr(part) for part in key[2:])
            raise ImportExportError(f"{own_key} is there {count} times")


def _find_replaced(
    present: list[ProfileDocument], profile_id: Any, name: Any
) -> ProfileDocument | None:
    """Return the profile that has the id or the name, or ``None``.

    Raises:
        ImportExportError: one profile has the id, another one the name.
    """
    found = [
        other
        for other in present
        if other["id"] == profile_id
        or (isinstance(name, str) and other["name"].casefold() == name.strip().casefold())
    ]
    if len(found) > 1:
        ids = " and ".join(repr(other["id"]) for other in found)
        raise ImportExportError(f"profiles {ids} have its id and its name; delete one first")
    return found[0] if found else None
