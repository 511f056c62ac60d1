"""Complete documents of the models, read from a workspace."""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

from burndown.conversion import Findings
from burndown.errors import DatabaseCorruptionError, ValidationError
from burndown.files.reading import read_below
from burndown.legacy.contents import LegacyProfile, LegacyQuery
from burndown.legacy.layout import DATA_FILES, REGISTRY, STATE, may_hold_data
from burndown.legacy.reading.query_files import read_query_files
from burndown.legacy.reading.workspace import Workspace
from burndown.legacy.signature import DAMAGED, has_signature, verified
from burndown.models import (
    SCHEMA_VERSION,
    Document,
    Entity,
    Profile,
    Query,
    QueryData,
    TaskProgress,
)
from burndown.models.codec import codec_of
from burndown.models.sealer import sealer_of

__all__ = ["WorkspaceReader", "find_damages", "find_edited"]


class WorkspaceReader:
    """The documents of a workspace, as it was when the reader was made.

    Each method raises DatabaseCorruptionError for damage to the documents that it returns.

    Args:
        root: the folder to read.
        shown_as: the folder that errors name.

    Raises:
        DatabaseCorruptionError: the registry or the sidecar of the workspace cannot be read.
    """

    def __init__(self, root: Path, shown_as: Path) -> None:
        self._root = root
        self._shown_as = shown_as
        self._findings = Findings(root)
        self.workspace = Workspace.read(root, self._findings)
        self._refuse_damaged(root / REGISTRY)
        self._refuse_damaged(root / STATE)

    def find(self, profile_id: str) -> LegacyProfile | None:
        """Return the profile, or ``None``."""
        profiles = self.workspace.profiles
        return next((each for each in profiles if each.document["id"] == profile_id), None)

    def find_query(self, profile_id: str, query_id: str) -> LegacyQuery | None:
        """Return the query, or ``None``."""
        profile = self.find(profile_id)
        queries = profile.queries if profile is not None else []
        return next((each for each in queries if each.document["id"] == query_id), None)

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

    @property
    def app_state(self) -> dict[str, str]:
        """Return the app state."""
        return {"schema_version": SCHEMA_VERSION, **self.workspace.app_state}

    @property
    def tasks(self) -> list[Document]:
        """Return the progress of all tasks."""
        tasks = self.workspace.sidecar.tasks.values()
        return self._complete(TaskProgress, [*tasks], self._root / STATE)

    def queries(self) -> Iterator[tuple[str, LegacyQuery]]:
        """Yield all queries, each with the id of its profile."""
        for profile in self.workspace.profiles:
            for query in profile.queries:
                yield profile.document["id"], query

    def _refuse_damaged(self, path: Path) -> None:
        for found in self._findings.problems:
            if found.path == path:
                raise self._damage(path, found.what)

    def _damage(self, path: Path, why: str) -> DatabaseCorruptionError:
        # In a transaction the root is its copy, whose path means nothing to people.
        is_below = self._root in path.parents
        shown = self._shown_as / path.relative_to(self._root) if is_below else path
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


def find_damages(root: Path, shown_as: Path) -> list[str]:
    """Return what is damaged in a workspace, one sentence for each file.

    Args:
        root: the folder to read.
        shown_as: the folder that the sentences name.
    """
    try:
        reader = WorkspaceReader(root, shown_as)
    except DatabaseCorruptionError as error:
        return [str(error)]
    checks: list[Callable[[], object]] = [
        partial(reader.profile, profile) for profile in reader.workspace.profiles
    ]
    for profile_id, query in reader.queries():
        checks.append(partial(reader.query, profile_id, query))
        checks += [partial(reader.data, model, profile_id, query) for model in DATA_FILES]
    # Several checks can find the same damage, such as that of a sidecar. What Jira can return again
    # is read without the damaged part, so that only its signature tells.
    damages = [*filter(None, map(_damage_found, checks))]
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


def _damage_found(check: Callable[[], object]) -> str:
    try:
        check()
    except DatabaseCorruptionError as error:
        return str(error)
    return ""
