"""A new store with the intact records of a damaged one, completed from its backups.

from burndown.persistence import open_backend
from burndown.salvage import salvage

with open_backend("salvaged.db") as target:
    report = salvage("profiles/burndown.db", target, ["backups/burndown.db"])
"""

from collections.abc import Collection, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from burndown.copying import sealed
from burndown.database.sqlite_salvage import Damage, DamagedFile
from burndown.errors import (
    DatabaseCorruptionError,
    ForeignDatabaseError,
    ImportExportError,
    PersistenceError,
    SchemaTooNewError,
    StoreNotFoundError,
    ValidationError,
)
from burndown.files.working_folder import working_folder
from burndown.import_export import import_profile
from burndown.legacy import WorkspaceReader, find_damages, workspace_folder
from burndown.models import (
    ENTITIES,
    SCHEMA_VERSION,
    AppState,
    Document,
    Entity,
    Profile,
    Query,
    QueryData,
)
from burndown.models.codec import codec_of
from burndown.models.digests import record_name
from burndown.models.sealing import secrets_as_stored
from burndown.persistence import PersistenceBackend, open_backend
from burndown.persistence.json_backend import JSONBackend
from burndown.schema import VERSIONS

__all__ = ["SalvageReport", "salvage"]

_BATCH = 100
_NO_COUNTS = "the numbers of rows are damaged, so rows that have vanished would not be noticed"
_SCHEMA_VERSION = "schema_version"
Key = tuple[Any, ...]


@dataclass
class SalvageReport:
    """The outcome of a salvage: each record of a damaged store is in one of the first four."""

    kept: dict[str, int] = field(default_factory=dict)
    """The number of intact records by the label of their entity."""
    restored: list[str] = field(default_factory=list)
    """Records that were taken from a backup, with the backup: they can be older."""
    dropped: list[str] = field(default_factory=list)
    """Damaged records that can be fetched from Jira again."""
    lost: list[str] = field(default_factory=list)
    """Records that no backup has."""
    notes: list[str] = field(default_factory=list)
    """What could not be verified."""

    def to_document(self) -> Document:
        """Return the report as a plain dict."""
        return asdict(self)


def salvage(
    source: str | Path, target: PersistenceBackend, backups: Iterable[str | Path] = ()
) -> SalvageReport:
    """Copy what is intact in a damaged store, and take the rest from backups; all of it or nothing.

    A row that was edited by another program is intact if it can be read. A profile or query that is
    lost, while data of it are intact, becomes an empty one.

    Args:
        source: the damaged store, as :func:`~burndown.persistence.open_backend` takes it; nothing
            in it is changed.
        target: the store to fill, which must be empty.
        backups: stores, or exports of profiles, the newest first. Copies next to the damaged file,
            such as ``burndown.db.1.5.backup``, follow them.

    Returns:
        What was kept, restored, dropped and lost, and what could not be verified.

    Raises:
        StoreNotFoundError: there is nothing at the source or a backup.
        ImportExportError: the target is not empty.
        ForeignDatabaseError: the source or a backup is a database of another program.
        SchemaTooNewError: a newer release made the source or a backup.
        StorageError: the target cannot be written, or another program has locked the source, or
            was interrupted while it wrote to it, or a server is out of reach.
    """
    named = [*map(str, backups), *map(str, _copies_next_to(source))]
    for each in (source, *named):
        location = str(each).removeprefix("json:")
        if "://" not in location and not Path(location).exists():
            raise StoreNotFoundError(f"There is no store at {location}")
    report = SalvageReport()
    with secrets_as_stored(), ExitStack() as stack:
        damaged = stack.enter_context(_opened(source))
        opened = [(each, stack.enter_context(_opened(each))) for each in named]
        stack.enter_context(target.transaction())
        if any(True for each in (Profile, Query) for _ in target.records(each)):
            raise ImportExportError(f"{target.describe()['location']} is not empty; name another")
        filling = _Filling(target, report)
        for entity in ENTITIES:
            filling.fill(entity, damaged, opened)
        if isinstance(damaged, _Workspace):
            filling.drop(damaged.damaged_files())
        elif isinstance(damaged, DamagedFile) and not damaged.has_row_counts():
            report.notes.append(_NO_COUNTS)
    return report


class _Readable(Protocol):
    """A store of which each record is read on its own, as far as that is possible."""

    def records(self, entity: type[Entity], damages: list[Damage]) -> Iterator[Document]:
        """Yield the intact records of an entity; add what is damaged to the list."""
        ...


class _Workspace:
    """JSON files, of which each is read on its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files = workspace_folder(folder, read_only=True)

    def records(self, entity: type[Entity], damages: list[Damage]) -> Iterator[Document]:
        """Yield the intact records of an entity; add what is damaged to the list."""
        with self._files.reading() as root:
            parts = list(WorkspaceReader(root, self._folder).parts(entity))
        for key, read in parts:
            try:
                with self._files.reading():  # not for longer: another program may have to write
                    found = read()
            except DatabaseCorruptionError as error:
                damages.append(Damage(key, f"{entity.LABEL}: {error}"))
            else:
                yield from found

    def damaged_files(self) -> list[str]:
        """Return each damaged file; what Jira has is read from it as if it had no records."""
        with self._files.reading() as root:
            return find_damages(root, self._folder)


class _OtherStore:
    """A store of an earlier version, on a server or in an export.

    Args:
        backend: the store.
        owner_ids: the ids of each profile, and of each query with its profile, as far as they are
            known without the records themselves.
    """

    def __init__(
        self, backend: PersistenceBackend, owner_ids: Collection[tuple[str, ...]] = ()
    ) -> None:
        self._backend = backend
        self._owner_ids = owner_ids

    def records(self, entity: type[Entity], damages: list[Damage]) -> Iterator[Document]:
        """Yield the intact records of an entity; add what is damaged to the list."""
        for scope in self._scopes(entity):
            try:
                yield from self._backend.records(entity, *scope)
            except PersistenceError as error:
                key = scope if scope and entity in (Profile, Query) else None
                damages.append(Damage(key, f"{entity.LABEL}: {error}"))

    def _scopes(self, entity: type[Entity]) -> Iterable[tuple[str, ...]]:
        """Return the owners whose records are read on their own; all together if none is known."""
        depth = 2 if entity.QUERY_COLUMN else 1 if entity.PROFILE_COLUMN else 0
        return [each for each in self._owner_ids if len(each) == depth] or [()]


class _Filling:
    """A store that is being filled with what is intact."""

    def __init__(self, target: PersistenceBackend, report: SalvageReport) -> None:
        self._target = target
        self._report = report
        self._seen: dict[type[Entity], set[Key]] = {entity: set() for entity in ENTITIES}
        self._damages: list[str] = []

    def fill(
        self, entity: type[Entity], damaged: _Readable, backups: list[tuple[str, _Readable]]
    ) -> None:
        """Save the intact records of an entity, and those of backups in place of damaged ones."""
        damages: list[Damage] = []
        self._report.kept[entity.LABEL] = self._save(entity, _salvageable(damaged, entity, damages))
        self._damages += [each.description for each in damages]
        if not _is_irreplaceable(entity):
            self._report.dropped += [each.description for each in damages]
            return
        restored = self._restore(entity, {each.key for each in damages}, backups)
        missing = [each for each in damages if each.key not in restored]
        missing.sort(key=lambda each: each.key is not None)
        # A key may be damaged itself, so each record that only a backup has may be a lost one.
        while missing and (found := self._restore_unknown(entity, backups)):
            del missing[:found]
        self._report.lost += [each.description for each in missing]

    def drop(self, damages: Iterable[str]) -> None:
        """Report damages as dropped records, unless a read has noticed them."""
        self._report.dropped += [
            each for each in damages if not any(each in noticed for noticed in self._damages)
        ]

    def _restore(
        self, entity: type[Entity], keys: set[Key | None], backups: list[tuple[str, _Readable]]
    ) -> set[Key | None]:
        """Take the records with some keys, each from the newest backup that has it; return these.

        Args:
            entity: the entity.
            keys: the keys.
            backups: the name of each backup, and its content.
        """
        key_of, saved = codec_of(entity).key, self._seen[entity]
        wanted = keys - saved - {None}
        for name, backup in backups:
            missing = wanted - saved
            if missing:
                records = _salvageable(backup, entity, [])
                self._save_restored(
                    entity, [one for one in records if key_of(one) in missing], name
                )
        return wanted & saved

    def _restore_unknown(self, entity: type[Entity], backups: list[tuple[str, _Readable]]) -> int:
        """Take all records that are not saved yet from the newest backup that has any.

        Returns:
            Their number.
        """
        key_of = codec_of(entity).key
        for name, backup in backups:
            records = _salvageable(backup, entity, [])
            found = [each for each in records if key_of(each) not in self._seen[entity]]
            if count := self._save_restored(entity, found, name):
                return count
        return 0

    def _save_restored(self, entity: type[Entity], records: list[Document], name: str) -> int:
        """Save records of a backup, and report them; return their number."""
        count = self._save(entity, records)
        if count:
            columns = [column.name for column in entity.__table__.primary_key]
            self._report.restored += [
                f"{record_name(entity.__table__, {each: one[each] for each in columns})} "
                f"from {name}"
                for one in records
            ]
        return count

    def _save(self, entity: type[Entity], records: Iterable[Document]) -> int:
        """Save records with their owners; return their number."""
        remaining, key_of, count = iter(records), codec_of(entity).key, 0
        while batch := list(islice(remaining, _BATCH)):
            for record in batch:
                self._ensure_owners(entity, record)
            try:
                self._target.save_records(entity, [sealed(entity, record) for record in batch])
            except ValidationError as error:  # such as a name that another record has by now
                if len(batch) > 1:
                    count += sum(self._save(entity, [record]) for record in batch)
                else:
                    self._report.lost.append(str(error))
                continue
            if _is_irreplaceable(entity):  # a store can have a million others
                self._seen[entity].update(map(key_of, batch))
            count += len(batch)
        return count

    def _ensure_owners(self, entity: type[Entity], record: Document) -> None:
        """Make an empty profile and query for a record whose own are lost."""
        owners: list[tuple[type[Entity], Document]] = []
        if entity.PROFILE_COLUMN and entity is not Profile:
            owners.append((Profile, {"id": record["profile_id"]}))
        if entity.QUERY_COLUMN and entity is not Query:
            owners.append((Query, {"id": record["query_id"], "profile_id": record["profile_id"]}))
        for owner, document in owners:
            if codec_of(owner).key(document) not in self._seen[owner]:
                self._save(owner, [document])


def _is_irreplaceable(entity: type[Entity]) -> bool:
    """Return whether records of an entity are taken from backups, since Jira does not have them."""
    return not issubclass(entity, QueryData) or entity.IRREPLACEABLE


def _salvageable(
    source: _Readable, entity: type[Entity], damages: list[Damage]
) -> Iterator[Document]:
    """Yield the intact records of an entity, without the version of the tables."""
    for each in source.records(entity, damages):
        if entity is not AppState or each["key"] != _SCHEMA_VERSION:
            yield each


@contextmanager
def _opened(location: str | Path) -> Iterator[_Readable]:
    """Open a store, or an export as one."""
    path = Path(location)
    if path.suffix == ".zip" or (path / "manifest.json").is_file():
        with working_folder(path.parent) as folder, open_backend(folder / "export.db") as backend:
            import_profile(path, backend=backend)
            yield _OtherStore(backend)
        return
    with open_backend(location, read_only=True) as backend:
        if isinstance(backend, JSONBackend):
            yield _Workspace(backend.folder)
        elif path.is_file():
            file = DamagedFile(path.absolute())
            if file.is_current():
                _refuse_newer(file, path)
                yield file
            else:
                _refuse_foreign(backend)
                yield _OtherStore(backend, file.owner_ids())
        else:
            backend.describe()  # raises an error if the server is out of reach, which is no damage
            yield _OtherStore(backend)


def _refuse_foreign(backend: PersistenceBackend) -> None:
    """Check that a file is not intact and of another program or a newer release.

    Raises:
        ForeignDatabaseError: it is of another program.
        SchemaTooNewError: a newer release made it.
    """
    try:
        backend.describe()
    except (ForeignDatabaseError, SchemaTooNewError):
        raise
    except PersistenceError:
        return  # it is damaged


def _refuse_newer(file: DamagedFile, path: Path) -> None:
    """Check the version in the app state, whose digest tells a later one from a damaged one.

    Raises:
        SchemaTooNewError: a newer release made the database.
    """
    for each in file.records(AppState, []):
        if each["key"] == _SCHEMA_VERSION and each["value"] not in VERSIONS:
            raise SchemaTooNewError(str(path), each["value"], SCHEMA_VERSION)


def _copies_next_to(source: str | Path) -> list[Path]:
    """Return the copies that upgrades and restores left next to a file, newest first."""
    path = Path(source)
    if not path.is_file():
        return []
    found = [*path.parent.glob(f"{path.name}.*backup"), *path.parent.glob(f"{path.name}.before-*")]
    return sorted(found, key=lambda each: each.stat().st_mtime, reverse=True)
