"""A workspace in the JSON files of the old dashboard."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from burndown.errors import (
    ProfileNotFoundError,
    QueryNotFoundError,
    StorageError,
)
from burndown.legacy import (
    LegacyProfile,
    LegacyQuery,
    Records,
    SafeFolder,
    Writer,
    copy_workspace,
    find_damages,
    has_workspace,
)
from burndown.legacy.layout import stored_size
from burndown.models import (
    AppState,
    Entity,
    JiraCache,
    JiraChangelog,
    MetricsSnapshot,
    Profile,
    ProjectData,
    Query,
    TaskProgress,
)
from burndown.models.codec import codec_of
from burndown.models.named_entity import NamedEntity, name_taken
from burndown.models.query_data import QueryData
from burndown.models.values import to_utc, utc_now
from burndown.persistence.document_backend import (
    DocumentBackend,
    checked_limit,
    checked_mapping,
    has_expired,
    listed_caches,
    query_document,
)
from burndown.persistence.interface import Document

__all__ = ["JSONBackend"]


class JSONBackend(DocumentBackend):
    """The storage of a workspace in the files of the old dashboard, which can go on using them.

    It shows what a migration of the folder would move, and writes what the dashboard would write;
    what that has no place for stands in files beside. A profile or query lies in a folder of its
    id, so that on a file system that ignores case two ids that differ only by it cannot both be
    kept.

    Args:
        folder: the folder ``profiles``; it is made on first use, for its owner only.
        clock: gives the present, by which entries expire.
        read_only: leave nothing in the folder, not even a lock, and refuse to write.
    """

    def __init__(
        self,
        folder: str | Path,
        clock: Callable[[], datetime] = utc_now,
        *,
        read_only: bool = False,
    ) -> None:
        super().__init__(clock)
        self.folder = Path(folder).absolute()
        self._files = SafeFolder(self.folder, read_only=read_only)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.folder)!r})"

    @contextmanager
    def _reading(self) -> Iterator[Records]:
        with self._files.reading() as root:
            yield Records(root, self.folder)

    @contextmanager
    def _writing(self) -> Iterator[Writer]:
        with self._files.writing() as changes:
            writer = Writer(Records(changes.root, self.folder), changes)
            yield writer
            writer.finish()

    # --- profiles and queries ----------------------------------------------------------------

    def get_profile(self, profile_id: str) -> Document | None:
        with self._reading() as records:
            found = records.find(profile_id)
            return None if found is None else records.profile(found)

    def save_profile(self, profile: Mapping[str, Any]) -> None:
        document = checked_mapping("Profile", profile)
        [completed] = codec_of(Profile).complete([{"created_at": self._now(), **document}])
        with self._writing() as writer:
            _save_profile(writer, completed, document)

    def list_profiles(self) -> list[Document]:
        with self._reading() as records:
            found = [records.profile(each) for each in records.workspace.profiles]
        return _most_recently_used(found)

    def delete_profile(self, profile_id: str) -> None:
        with self._writing() as writer:
            writer.delete_profile(_profile(writer.records, profile_id))

    def get_query(self, profile_id: str, query_id: str) -> Document | None:
        with self._reading() as records:
            found = records.find_query(profile_id, query_id)
            return None if found is None else records.query(profile_id, found)

    def save_query(self, profile_id: str, query: Mapping[str, Any]) -> None:
        query = query_document(profile_id, query)
        [completed] = codec_of(Query).complete([{"created_at": self._now(), **query}])
        with self._writing() as writer:
            _save_query(writer, completed, query)

    def list_queries(self, profile_id: str) -> list[Document]:
        with self._reading() as records:
            profile = records.find(profile_id)
            queries = profile.queries if profile is not None else []
            found = [records.query(profile_id, each) for each in queries]
        return _most_recently_used(found)

    def delete_query(self, profile_id: str, query_id: str) -> None:
        with self._writing() as writer:
            profile, query = writer.records.find(profile_id), None
            if profile is not None:
                query = writer.records.find_query(profile_id, query_id)
            if profile is None or query is None:
                raise QueryNotFoundError(profile_id, query_id)
            writer.delete_query(profile, query)

    # --- app state ---------------------------------------------------------------------------

    def get_app_state(self, key: str) -> str | None:
        with self._reading() as records:
            return records.app_state.get(key)

    def set_app_state(self, key: str, value: str | None) -> None:
        if value is not None:
            codec_of(AppState).rows([{"key": key, "value": value}])
        with self._writing() as writer:
            writer.set_app_state(key, value)

    # --- answers of Jira ---------------------------------------------------------------------

    def get_jira_cache(self, profile_id: str, query_id: str, cache_key: str) -> Document | None:
        now = self._now()
        for found in self._data(JiraCache, profile_id, query_id):
            if found["cache_key"] == cache_key and not has_expired(found, now):
                response: Document = found["response"]
                return response
        return None

    def list_jira_caches(self, profile_id: str, query_id: str) -> list[Document]:
        now = self._now()
        found = sorted(self._data(JiraCache, profile_id, query_id), key=_by_cache_key)
        found.sort(key=lambda each: to_utc(each["created_at"]), reverse=True)
        return listed_caches(found, now)

    def cleanup_expired_cache(self) -> int:
        now, removed = self._now(), 0
        with self._writing() as writer:
            for profile in list(writer.records.workspace.profiles):
                for query in list(profile.queries):
                    for model in (JiraCache, JiraChangelog):
                        found = writer.records.data(model, profile.document["id"], query)
                        live = [each for each in found if not has_expired(each, now)]
                        if len(live) < len(found):
                            writer.save_data(model, profile, query, live)
                            removed += len(found) - len(live)
        return removed

    # --- changelogs --------------------------------------------------------------------------

    def get_jira_changelog(self, profile_id: str, query_id: str, issue_key: str) -> Document | None:
        return self.get_jira_changelogs(profile_id, query_id, [issue_key]).get(issue_key)

    def get_jira_changelogs(
        self, profile_id: str, query_id: str, issue_keys: Iterable[str] | None = None
    ) -> dict[str, Document]:
        now = self._now()
        wanted = None if issue_keys is None else set(issue_keys)
        found = sorted(self._data(JiraChangelog, profile_id, query_id), key=_by_issue_key)
        return {
            each["issue_key"]: each["changelog"]
            for each in found
            if not has_expired(each, now) and (wanted is None or each["issue_key"] in wanted)
        }

    def list_jira_changelogs(self, profile_id: str, query_id: str) -> list[Document]:
        now = self._now()
        return [
            {
                "issue_key": each["issue_key"],
                "expires_at": each["expires_at"],
                "is_complete": each["is_complete"],
                "expired": has_expired(each, now),
            }
            for each in sorted(self._data(JiraChangelog, profile_id, query_id), key=_by_issue_key)
        ]

    # --- project data ------------------------------------------------------------------------

    def get_project_data(self, profile_id: str, query_id: str) -> Document | None:
        found = self._data(ProjectData, profile_id, query_id)
        return found[0]["data"] if found else None

    # --- metrics -----------------------------------------------------------------------------

    def get_metrics_snapshots(
        self,
        profile_id: str,
        query_id: str,
        metric_type: str | None = None,
        limit: int | None = 52,
    ) -> list[Document]:
        checked_limit(limit)
        found = [
            each
            for each in self._data(MetricsSnapshot, profile_id, query_id)
            if metric_type in (None, each["metric_type"])
        ]
        found.sort(key=lambda each: str(each["metric_type"]))
        found.sort(key=lambda each: str(each["snapshot_date"]), reverse=True)
        return found[:limit]

    # --- tasks -------------------------------------------------------------------------------

    def get_task_progress(self, task_name: str) -> Document | None:
        with self._reading() as records:
            return records.tasks.get(task_name)

    def list_task_progress(self) -> list[Document]:
        with self._reading() as records:
            return [task for _, task in sorted(records.tasks.items())]

    def clear_task_progress(self, task_name: str) -> None:
        with self._writing() as writer:
            writer.clear_task(task_name)

    # --- the whole ---------------------------------------------------------------------------

    def describe(self) -> Document:
        return {
            "location": str(self.folder),
            "size_bytes": stored_size(self.folder) if self.exists() else 0,
            "schema_version": self.get_app_state("schema_version") if self.exists() else None,
        }

    def exists(self) -> bool:
        return has_workspace(self.folder)

    def check_integrity(self) -> tuple[bool, list[str]]:
        with self._files.reading() as root:
            damages = find_damages(root, self.folder)
        return not damages, damages

    def backup(self, path: str | Path) -> Path:
        target = Path(path).absolute()
        if not self.exists():
            raise StorageError(f"There is no workspace at {self.folder}")
        with self._files.committed() as root:
            copy_workspace(root, target)
        return target

    def records(self, model: type[Entity], profile_id: str | None = None) -> Iterator[Document]:
        if issubclass(model, QueryData):
            yield from self._all_data(model, profile_id)
            return
        with self._reading() as records:
            if model is AppState:
                found = [{"key": key, "value": value} for key, value in records.app_state.items()]
            elif model is TaskProgress:
                found = list(records.tasks.values())
            elif model is Query:
                found = [records.query(*each) for each in records.queries()]
            else:
                found = [records.profile(each) for each in records.workspace.profiles]
        if profile_id is not None:
            column = "id" if model is Profile else "profile_id"
            found = [each for each in found if each.get(column) == profile_id]
        yield from _by_key(model, found)

    def save_records(self, model: type[Entity], records: Iterable[Mapping[str, Any]]) -> None:
        given = list(records)
        if issubclass(model, QueryData):
            self._save(model, given)
            return
        documents = codec_of(model).complete(given)
        with self._writing() as writer:
            for document in documents:
                if model is Profile:
                    _save_profile(writer, document, document)
                elif model is Query:
                    _save_query(writer, document, document)
                elif model is TaskProgress:
                    percent = float(document["progress_percent"])
                    writer.save_task({**document, "progress_percent": percent})
                else:
                    writer.set_app_state(document["key"], document["value"])

    def transaction(self) -> AbstractContextManager[None]:
        return self._files.transaction()

    def close(self) -> None:
        pass  # no file stays open between two calls

    # --- what hangs on a query ---------------------------------------------------------------

    def _data(self, model: type[QueryData], profile_id: str, query_id: str) -> list[Document]:
        with self._reading() as records:
            query = records.find_query(profile_id, query_id)
            return [] if query is None else records.data(model, profile_id, query)

    def _all_data(self, model: type[QueryData], profile_id: str | None) -> Iterator[Document]:
        with self._reading() as records:
            ids = sorted(
                (owner, query.document["id"])
                for owner, query in records.queries()
                if profile_id in (None, owner)
            )
        for owner, query_id in ids:
            yield from _by_key(model, self._data(model, owner, query_id))

    def _save(self, model: type[QueryData], documents: list[Any]) -> None:
        completed = codec_of(model).complete(documents)
        saved: dict[tuple[str, str], list[Document]] = {}
        for document in completed:
            saved.setdefault((document["profile_id"], document["query_id"]), []).append(document)
        if not saved:
            return
        with self._writing() as writer:
            for (profile_id, query_id), added in saved.items():
                profile, query = _query(writer.records, profile_id, query_id)
                kept = {
                    codec_of(model).key(each): each
                    for each in writer.records.data(model, profile_id, query)
                }
                for document in added:
                    kept.pop(codec_of(model).key(document), None)
                    kept[codec_of(model).key(document)] = document
                writer.save_data(model, profile, query, list(kept.values()))


# --- what a database does by itself ----------------------------------------------------------


def _profile(records: Records, profile_id: str) -> LegacyProfile:
    profile = records.find(profile_id)
    if profile is None:
        raise ProfileNotFoundError(profile_id)
    return profile


def _query(records: Records, profile_id: str, query_id: str) -> tuple[LegacyProfile, LegacyQuery]:
    profile = _profile(records, profile_id)
    query = records.find_query(profile_id, query_id)
    if query is None:
        raise QueryNotFoundError(profile_id, query_id)
    return profile, query


def _save_profile(writer: Writer, document: Document, given: Mapping[str, Any]) -> None:
    """Save it as a whole, but for the times that were not given."""
    profiles = writer.records.workspace.profiles
    earlier = writer.records.find(document["id"])
    _refuse_taken_name(Profile, document, [each.document for each in profiles])
    if earlier is not None and not given.keys() >= Profile.PRESERVED_ON_UPDATE:
        kept = Profile.PRESERVED_ON_UPDATE - given.keys()
        document.update(_of(writer.records.profile(earlier), kept))
    writer.save_profile(document)


def _save_query(writer: Writer, document: Document, given: Mapping[str, Any]) -> None:
    """Save it as a whole, but for the times that were not given."""
    profile = _profile(writer.records, document["profile_id"])
    earlier = writer.records.find_query(document["profile_id"], document["id"])
    _refuse_taken_name(Query, document, [each.document for each in profile.queries])
    if earlier is not None and not given.keys() >= Query.PRESERVED_ON_UPDATE:
        kept = Query.PRESERVED_ON_UPDATE - given.keys()
        document.update(_of(writer.records.query(document["profile_id"], earlier), kept))
    writer.save_query(profile, document)


def _of(document: Document, keys: Iterable[str]) -> Document:
    return {key: document[key] for key in keys}


def _refuse_taken_name(
    entity: type[NamedEntity], document: Document, others: Iterable[Document]
) -> None:
    for other in others:
        if other["name"] == document["name"] and other["id"] != document["id"]:
            raise name_taken(entity, document, other["id"])


def _most_recently_used(found: list[Document]) -> list[Document]:
    found.sort(key=lambda each: str(each["id"]))
    found.sort(key=lambda each: to_utc(each["last_used"]), reverse=True)
    return found


def _by_cache_key(document: Document) -> str:
    return str(document["cache_key"])


def _by_issue_key(document: Document) -> str:
    return str(document["issue_key"])


def _by_key(model: type[Entity], found: Iterable[Document]) -> list[Document]:
    return sorted(found, key=codec_of(model).key)
