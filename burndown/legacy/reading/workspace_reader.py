"""Complete documents of the models, read from a workspace."""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from burndown.conversion import Findings
from burndown.errors import DatabaseCorruptionError, ValidationError
from burndown.files.reading import read_below
from burndown.legacy.contents import LegacyProfile, LegacyQuery
from burndown.legacy.layout import DATA_FILES, REGISTRY, STATE, may_hold_data
from burndown.legacy.reading.query_files import read_query_files
from burndown.legacy.reading.workspace import Workspace
from burndown.legacy.signature import DAMAGED, has_signature, verified
from burndown.models import (
    ENTITIES,
    SCHEMA_VERSION,
    AppState,
    Document,
    Entity,
    Profile,
    Query,
    QueryData,
    TaskProgress,
)
from burndown.models.codec import codec_of
from burndown.models.sealer import sealer_of

__all__ = ["Part", "WorkspaceReader", "find_damages", "find_edited"]

Part = tuple[tuple[str, ...] | None, Callable[[], list[Document]]]
"""The key of a document, ``None`` if it is another part of an entity, and what reads the part."""


class WorkspaceReader:
    """The documents of a workspace, as it was when the reader was made.

    Each method raises DatabaseCorruptionError for damage to the documents that it returns. Those of
    queries are read when they are needed, so the folder may not change meanwhile; the data of a
    query, which are read by each call, may.

    Args:
        root: the folder to read.
        shown_as: the folder that errors name.
    """

    def __init__(self, root: Path, shown_as: Path) -> None:
        self.root = root
        self._shown_as = shown_as
        self._findings = Findings(root)
        self.workspace = Workspace.read(root, self._findings)

    def find(self, profile_id: str) -> LegacyProfile | None:
        """Return the profile, or ``None``."""
        profiles = self.workspace.profiles
        return next((each for each in profiles if each.document["id"] == profile_id), None)

    def find_query(self, profile_id: str, query_id: str) -> LegacyQuery | None:
        """Return the query, or ``None``."""
        profile = self.find(profile_id)
        queries = profile.queries if profile is not None else []
        return next((each for each in queries if each.document["id"] == query_id), None)

    def profiles(self, profile_id: str | None = None) -> list[Document]:
        """Return the documents of all profiles, or of one."""
        found = [
            each for each in self.workspace.profiles if profile_id in (None, each.document["id"])
        ]
        # Another one may be in the registry alone, or get its name from there.
        if profile_id is None or not any(each.has_marker for each in found):
            self._refuse_damaged(self.root / REGISTRY)
        return [self.profile(each) for each in found]

    def profile(self, profile: LegacyProfile) -> Document:
        """Return the document of a profile."""
        self._refuse_damaged(profile.path)
        return self._complete(Profile, [profile.document], profile.path)[0]

    def query(self, profile_id: str, query: LegacyQuery) -> Document:
        """Return the document of a query."""
        self._refuse_damaged(query.path)
        document = {**query.document, "profile_id": profile_id}
        return self._complete(Query, [document], query.path)[0]

    def data(self, model: type[QueryData], profile_id: str, query: LegacyQuery) -> list[Document]:
        """Return a query's documents of one entity type, without damaged ones that Jira has."""
        ids = {"profile_id": profile_id, "query_id": query.document["id"]}
        found: list[Document] = []
        for file in read_query_files(query, self._findings, {model}):
            documents = [{**document, **ids} for document in file.documents]
            try:
                found += self._complete(model, documents, file.path)
            except DatabaseCorruptionError:
                if file.model.IRREPLACEABLE:
                    raise
                for document in documents:
                    found += self._if_valid(model, document)
        self._refuse_damaged(query.sidecar_path)
        self._refuse_damaged(query.folder / DATA_FILES[model])
        return found

    def data_of_query(
        self, model: type[QueryData], profile_id: str, query_id: str
    ) -> list[Document]:
        """Return the documents as :meth:`data` does; none if there is no such query."""
        profile = self.find(profile_id)
        query = None if profile is None else profile.find_query(query_id)
        return [] if query is None else self.data(model, profile_id, query)

    def app_state(self) -> list[Document]:
        """Return all app state."""
        return [document for _, read in self.parts(AppState) for document in read()]

    def tasks(self) -> list[Document]:
        """Return the progress of all tasks."""
        self._refuse_damaged(self.root / STATE)
        tasks = self.workspace.sidecar.tasks.values()
        return self._complete(TaskProgress, [*tasks], self.root / STATE)

    def refuse_damaged_root_files(self) -> None:
        """Refuse a damaged registry or sidecar of the workspace, before they are written anew."""
        self._refuse_damaged(self.root / REGISTRY)
        self._refuse_damaged(self.root / STATE)

    def parts(self, entity: type[Entity]) -> Iterator[Part]:
        """Yield what reads the documents of an entity, each part independent of the others."""
        if entity is Profile:
            yield None, self._registered_only
            for profile in self.workspace.profiles:
                if profile.path != self.root / REGISTRY:
                    yield (profile.document["id"],), partial(_listed, self.profile, profile)
        elif entity is AppState:
            yield None, self._saved_state
            yield None, self._active_state
        elif entity is TaskProgress:
            yield None, self.tasks
        elif entity is Query:
            for owner, query in self.queries():
                yield (owner, query.document["id"]), partial(_listed, self.query, owner, query)
        elif issubclass(entity, QueryData):
            for owner, query in self.queries():
                yield None, partial(self.data, entity, owner, query)

    def queries(self, profile_id: str | None = None) -> Iterator[tuple[str, LegacyQuery]]:
        """Yield the queries of all profiles, or of one, each with the id of its profile."""
        for profile in self.workspace.profiles:
            if profile_id in (None, profile.document["id"]):
                for query in profile.queries:
                    yield profile.document["id"], query

    def _registered_only(self) -> list[Document]:
        registry = self.root / REGISTRY
        self._refuse_damaged(registry)
        return [self.profile(each) for each in self.workspace.profiles if each.path == registry]

    def _saved_state(self) -> list[Document]:
        self._refuse_damaged(self.root / STATE)
        saved = {"schema_version": SCHEMA_VERSION, **self.workspace.sidecar.app_state}
        return [{"key": key, "value": value} for key, value in saved.items()]

    def _active_state(self) -> list[Document]:
        self._refuse_damaged(self.root / REGISTRY)
        found, saved = self.workspace.app_state.items(), self.workspace.sidecar.app_state
        return [{"key": key, "value": value} for key, value in found if key not in saved]

    def _refuse_damaged(self, path: Path) -> None:
        for found in self._findings.problems:
            if found.path == path:
                raise self._damage(path, found.what)

    def _damage(self, path: Path, why: str) -> DatabaseCorruptionError:
        # In a transaction the root is its copy, whose path means nothing to people.
        is_below = self.root in path.parents
        shown = self._shown_as / path.relative_to(self.root) if is_below else path
        return DatabaseCorruptionError(f"{shown} is damaged: {why}")

    def _complete(
        self, model: type[Entity], documents: list[Document], path: Path
    ) -> list[Document]:
        try:
            return list(map(sealer_of(model).opened, codec_of(model).complete(documents)))
        except ValidationError as error:
            raise self._damage(path, "; ".join(map(str, error.problems))) from None

    @staticmethod
    def _if_valid(model: type[Entity], document: Document) -> list[Document]:
        try:
            return codec_of(model).complete([document])
        except ValidationError:
            return []


def _listed(read: Callable[..., Document], *args: Any) -> list[Document]:
    return [read(*args)]


def find_damages(root: Path, shown_as: Path) -> list[str]:
    """Return what is damaged in a workspace, one sentence for each file.

    Args:
        root: the folder to read.
        shown_as: the folder that the sentences name.
    """
    reader = WorkspaceReader(root, shown_as)
    parts = [read for entity in ENTITIES for _, read in reader.parts(entity)]
    # Several parts can have the same damage, such as that of a sidecar. What Jira can return again
    # is read without the damaged part, so that only its signature tells.
    damages = [*filter(None, map(_damage_found, parts))]
    damages += [f"{shown} is damaged: {DAMAGED}" for shown in _files(root, shown_as, _is_damaged)]
    return list(dict.fromkeys(damages))


def find_edited(root: Path, shown_as: Path) -> list[str]:
    """Return the files that another program has written, which cannot be verified.

    Args:
        root: the folder to read.
        shown_as: the folder that the sentences name.
    """
    edited = _files(root, shown_as, lambda data: not has_signature(data))
    return [f"{shown} was written by another program" for shown in edited]


def _files(root: Path, shown_as: Path, wanted: Callable[[bytes], bool]) -> Iterator[Path]:
    """Yield the files of a workspace with a certain content, as they are shown."""
    for folder, _, names in os.walk(root):
        for name in sorted(filter(may_hold_data, names)):
            path = Path(folder, name)
            with suppress(OSError):  # reported as damage where it is needed
                if wanted(read_below(root, path)):
                    yield shown_as / path.relative_to(root)


def _is_damaged(data: bytes) -> bool:
    try:
        verified(data)
    except ValueError:
        return True
    return False


def _damage_found(read: Callable[[], object]) -> str:
    try:
        read()
    except DatabaseCorruptionError as error:
        return str(error)
    return ""
