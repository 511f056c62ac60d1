"""What a workspace holds, as complete documents of the models."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from burndown.errors import DatabaseCorruptionError, ValidationError
from burndown.legacy.contents import LegacyProfile, LegacyQuery
from burndown.legacy.findings import Findings
from burndown.legacy.layout import REGISTRY, STATE
from burndown.legacy.query_data import DATA_FILES
from burndown.legacy.workspace import Workspace
from burndown.models import SCHEMA_VERSION, Entity, Profile, Query
from burndown.models.codec import codec_of
from burndown.models.query_data import QueryData

__all__ = ["Records", "find_damages"]

Document = dict[str, Any]


class Records:
    """A workspace as it is at one moment.

    Args:
        root: the folder to read.
        shown_as: the folder that errors name.

    Raises:
        DatabaseCorruptionError: the registry, or what the workspace remembers, cannot be read.
            The methods raise it for what is damaged of that which they give.
    """

    def __init__(self, root: Path, shown_as: Path) -> None:
        self._root = root
        self._shown_as = shown_as
        self._findings = Findings(root)
        self.workspace = Workspace.read(root, self._findings)
        self._refuse_damaged(root / REGISTRY)
        self._refuse_damaged(root / STATE)

    def find(self, profile_id: str) -> LegacyProfile | None:
        """The profile, or ``None``."""
        profiles = self.workspace.profiles
        return next((each for each in profiles if each.document["id"] == profile_id), None)

    def find_query(self, profile_id: str, query_id: str) -> LegacyQuery | None:
        """The query, or ``None``."""
        profile = self.find(profile_id)
        queries = profile.queries if profile is not None else []
        return next((each for each in queries if each.document["id"] == query_id), None)

    def profile(self, profile: LegacyProfile) -> Document:
        """The document of a profile."""
        self._refuse_damaged(profile.path)
        return self._complete(Profile, [profile.document], profile.path)[0]

    def query(self, profile_id: str, query: LegacyQuery) -> Document:
        """The document of a query."""
        self._refuse_damaged(query.path)
        document = {**query.document, "profile_id": profile_id}
        return self._complete(Query, [document], query.path)[0]

    def data(self, model: type[QueryData], profile_id: str, query: LegacyQuery) -> list[Document]:
        """All that a query has of one kind; without what can be had again and cannot be read."""
        ids = {"profile_id": profile_id, "query_id": query.document["id"]}
        found: list[Document] = []
        for file in query.read_files(self._findings, {model}):
            documents = [{**document, **ids} for document in file.documents]
            try:
                found += self._complete(model, documents, file.path)
            except DatabaseCorruptionError:
                if file.irreplaceable:
                    raise
                for document in documents:
                    found += self._if_valid(model, document)
        self._refuse_damaged(query.notes_path)
        self._refuse_damaged(query.folder / DATA_FILES[model].name)
        return found

    @property
    def app_state(self) -> dict[str, str]:
        """All remembered values."""
        return {"schema_version": SCHEMA_VERSION, **self.workspace.app_state}

    @property
    def tasks(self) -> dict[str, Document]:
        """The progress of all tasks, by name."""
        return self.workspace.notes.tasks

    def queries(self) -> Iterator[tuple[str, LegacyQuery]]:
        """All queries, each with the id of its profile."""
        for profile in self.workspace.profiles:
            for query in profile.queries:
                yield profile.document["id"], query

    def _refuse_damaged(self, path: Path) -> None:
        for found in self._findings.problems:
            if found.path == path:
                raise self._damage(path, found.what)

    def _damage(self, path: Path, why: str) -> DatabaseCorruptionError:
        shown = (
            self._shown_as / path.relative_to(self._root) if self._root in path.parents else path
        )
        return DatabaseCorruptionError(f"{shown} is damaged: {why}")

    def _complete(
        self, model: type[Entity], documents: list[Document], path: Path
    ) -> list[Document]:
        try:
            return codec_of(model).complete(documents)
        except ValidationError as error:
            raise self._damage(path, "; ".join(map(str, error.problems))) from None

    @staticmethod
    def _if_valid(model: type[Entity], document: Document) -> list[Document]:
        try:
            return codec_of(model).complete([document])
        except ValidationError:
            return []


def find_damages(root: Path, shown_as: Path) -> list[str]:
    """What of a workspace is damaged, one sentence for each file; empty if all is whole."""
    try:
        records = Records(root, shown_as)
    except DatabaseCorruptionError as error:
        return [str(error)]
    checks: list[Callable[[], object]] = [
        partial(records.profile, profile) for profile in records.workspace.profiles
    ]
    for profile_id, query in records.queries():
        checks.append(partial(records.query, profile_id, query))
        checks += [partial(records.data, model, profile_id, query) for model in DATA_FILES]
    return list(dict.fromkeys(filter(None, map(_damage_found, checks))))


def _damage_found(check: Callable[[], object]) -> str:
    try:
        check()
    except DatabaseCorruptionError as error:
        return str(error)
    return ""
