"""A legacy workspace: which profiles and queries its folders hold, and what is in each.

The name of a folder is the id of what it holds, whatever the files within say. Links are not
followed. Small files are read at once, the large ones of a query when it is asked for them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from burndown.errors import shown
from burndown.legacy.files import UnreadableFileError, modified_at, read_json
from burndown.legacy.findings import Findings
from burndown.legacy.layout import (
    REGISTRY,
    ROOT_FILES,
    is_file,
    profile_folders,
    query_folders,
    tell_leftovers,
)
from burndown.legacy.profile_shapes import profile_document
from burndown.legacy.query_shapes import (
    ShapeError,
    changelog_documents,
    jira_cache_document,
    project_data_document,
    query_document,
    snapshot_documents,
)
from burndown.models import JiraCache, JiraChangelog, MetricsSnapshot, ProjectData
from burndown.models.query_data import QueryData
from burndown.models.values import MAX_NAME_LENGTH, is_identifier, slug, to_utc

__all__ = ["LegacyProfile", "LegacyQuery", "QueryFile", "Workspace"]

_LONGEST_BASE = MAX_NAME_LENGTH - 10
"""How much of a long name is taken, so that a number fits behind it."""


@dataclass(frozen=True)
class QueryFile:
    """What a large file of a query holds."""

    path: Path
    """The file."""
    model: type[QueryData]
    """What its entries are."""
    vital: bool
    """Whether it cannot be had again; what can be is fetched from Jira."""
    documents: list[dict[str, Any]]
    """Its entries, without the ids of profile and query."""

    @property
    def key(self) -> list[str]:
        """What tells its entries apart."""
        return [
            column.name
            for column in self.model.__table__.primary_key  # type: ignore[attr-defined]
            if column.name not in ("profile_id", "query_id")
        ]


_QUERY_DATA: tuple[tuple[str, type[QueryData], bool], ...] = (
    ("jira_cache.json", JiraCache, False),
    ("jira_changelog_cache.json", JiraChangelog, False),
    ("project_data.json", ProjectData, True),
    ("metrics_snapshots.json", MetricsSnapshot, True),
)


@dataclass
class LegacyQuery:
    """A query, and the folder in which its files lie."""

    key: str
    """Its id as the dashboard knows it."""
    folder: Path
    document: dict[str, Any]

    @property
    def path(self) -> Path:
        """The file that describes the query."""
        return self.folder / "query.json"

    def read_files(self, findings: Findings) -> Iterator[QueryFile]:
        """Read the large files, one after the other.

        One that cannot be read is left out if Jira can be asked again, and else a problem.
        """
        for name, model, vital in _QUERY_DATA:
            path = self.folder / name
            if not is_file(path):
                continue
            try:
                documents = self._documents(path, model, findings)
            except (UnreadableFileError, ShapeError) as error:
                if vital:
                    findings.stops_at(path, str(error))
                else:
                    findings.leaves_out(path, f"{error}; it can be fetched from Jira again")
            else:
                yield QueryFile(path, model, vital, documents)

    def _documents(
        self, path: Path, model: type[QueryData], findings: Findings
    ) -> list[dict[str, Any]]:
        value = read_json(path, findings)
        say = findings.about(path)
        if model is JiraCache:
            jql = str(self.document["jql"])
            return [jira_cache_document(value, jql, modified_at(path), say)]
        if model is JiraChangelog:
            return changelog_documents(value, say)
        if model is ProjectData:
            return [project_data_document(value, modified_at(path))]
        return snapshot_documents(value, modified_at(path), say)


@dataclass
class LegacyProfile:
    """A profile with its queries."""

    key: str
    """Its id as the dashboard knows it."""
    path: Path
    """Its ``profile.json``, or what stands for it."""
    document: dict[str, Any]
    queries: list[LegacyQuery]


@dataclass
class Workspace:
    """All that a legacy workspace holds.

    Attributes:
        profiles: the profiles, in the order of their ids.
        active_profile_id: the profile that was active, if it exists.
        active_query_id: the query of it that was active, if it exists.
    """

    profiles: list[LegacyProfile]
    active_profile_id: str | None
    active_query_id: str | None

    @property
    def query_count(self) -> int:
        """How many queries the profiles have."""
        return sum(len(profile.queries) for profile in self.profiles)

    @classmethod
    def read(cls, profiles_dir: Path, findings: Findings) -> "Workspace":
        """Read what the folder holds; every file that cannot be read is told as a problem."""
        return _Reader(profiles_dir, findings).read()


class _Reader:
    def __init__(self, profiles_dir: Path, findings: Findings) -> None:
        self.profiles_dir = profiles_dir
        self.root = profiles_dir.parent
        self.findings = findings

    def read(self) -> Workspace:
        registry = self._registry()
        entries = self._entries(registry)
        profiles = self._profiles(entries)
        at_root = any(query.folder == self.root for p in profiles for query in p.queries)
        tell_leftovers(self.profiles_dir, at_root, self.findings)
        _make_names_fit(profiles, "profile", self.findings)
        for profile in profiles:
            _make_names_fit(profile.queries, "query", self.findings)
        active_profile, active_query = self._active(registry, profiles)
        return Workspace(profiles, active_profile, active_query)

    # --- the registry ------------------------------------------------------------------------

    def _registry(self) -> dict[str, Any]:
        registry = self._object(self.profiles_dir / REGISTRY)
        return registry or {}

    def _entries(self, registry: dict[str, Any]) -> dict[str, dict[str, Any]]:
        path = self.profiles_dir / REGISTRY
        listed = registry.get("profiles", {})
        if isinstance(listed, list):
            self.findings.puts_right(path, "profiles: a list read as an object by id")
            listed = {
                entry["id"]: entry
                for entry in listed
                if isinstance(entry, dict) and isinstance(entry.get("id"), str)
            }
        if not isinstance(listed, dict):
            self.findings.stops_at(path, "profiles: an object by id was expected")
            return {}
        return {key: entry for key, entry in listed.items() if isinstance(entry, dict)}

    def _active(
        self, registry: dict[str, Any], profiles: list[LegacyProfile]
    ) -> tuple[str | None, str | None]:
        wanted, wanted_query = (
            registry.get("active_profile_id"),
            registry.get("active_query_id"),
        )
        if not registry and len(profiles) == 1 and len(profiles[0].queries) == 1:
            return profiles[0].document["id"], profiles[0].queries[0].document["id"]
        profile = next((profile for profile in profiles if profile.key == wanted), None)
        if profile is None:
            if wanted is not None:
                self._forget_active("active_profile_id", wanted, "names no profile")
            return None, None
        query = next((query for query in profile.queries if query.key == wanted_query), None)
        if query is None and wanted_query is not None:
            self._forget_active("active_query_id", wanted_query, f"names no query of {wanted!r}")
        return profile.document["id"], query.document["id"] if query else None

    def _forget_active(self, key: str, value: Any, why: str) -> None:
        path = self.profiles_dir / REGISTRY
        self.findings.puts_right(path, f"{key}: {shown(value)} {why}; nothing is active")

    # --- profiles ----------------------------------------------------------------------------

    def _profiles(self, entries: dict[str, dict[str, Any]]) -> list[LegacyProfile]:
        folders = profile_folders(self.profiles_dir)
        taken: set[str] = set()
        profiles = [
            self._profile(key, folders[key], entries.get(key, {}), taken)
            for key in sorted(folders, key=lambda key: (not is_identifier(key), key))
        ]
        profiles += [
            self._registered_only(key, entries[key], taken)
            for key in sorted(entries.keys() - folders.keys())
        ]
        if not profiles and any(is_file(self.root / name) for name in ROOT_FILES):
            profiles.append(self._root_profile())
        return profiles

    def _profile(
        self, key: str, folder: Path, entry: dict[str, Any], taken: set[str]
    ) -> LegacyProfile:
        profile_id = self._identifier(key, folder, "profile", taken)
        path, written = self._settings(folder)
        document = profile_document(profile_id, written, entry, self.findings.about(path))
        if "created_at" not in document:
            document["created_at"] = modified_at(path)
            self.findings.puts_right(path, "created_at: taken from the time of the file")
        if profile_id != key:
            document["legacy_id"] = key
        queries = list(self._queries(folder, document))
        return LegacyProfile(key, path, document, queries)

    def _settings(self, folder: Path) -> tuple[Path, dict[str, Any]]:
        """The settings of a profile, wherever the dashboard of its time put them."""
        for path in (
            folder / "profile.json",
            folder / "app_settings.json",
            folder / "queries" / "main" / "app_settings.json",
        ):
            if is_file(path):
                return path, self._object(path) or {}
        self.findings.puts_right(folder, "no profile.json; taken from profiles.json and defaults")
        return folder, {}

    def _registered_only(self, key: str, entry: dict[str, Any], taken: set[str]) -> LegacyProfile:
        path = self.profiles_dir / REGISTRY
        profile_id = self._identifier(key, path, "profile", taken)
        document = profile_document(profile_id, entry, entry, self.findings.about(path))
        document.setdefault("created_at", modified_at(path))
        if profile_id != key:
            document["legacy_id"] = key
        self.findings.puts_right(path, f"profile {shown(key)} has no folder; taken from its entry")
        return LegacyProfile(key, path, document, [])

    def _root_profile(self) -> LegacyProfile:
        """The time before profiles: all files beside the folder of profiles."""
        path = self.root / "app_settings.json"
        written = (self._object(path) if is_file(path) else None) or {}
        document = profile_document("default", written, {}, self.findings.about(path))
        document.setdefault("created_at", modified_at(path if is_file(path) else self.root))
        query = self._query("main", self.root, document)
        self.findings.puts_right(self.root, "files of the time before profiles: now default/main")
        return LegacyProfile("default", path, document, [query])

    # --- queries -----------------------------------------------------------------------------

    def _queries(self, folder: Path, profile: dict[str, Any]) -> Iterator[LegacyQuery]:
        taken: set[str] = set()
        for query_folder in query_folders(folder):
            if not any(query_folder.iterdir()):
                self.findings.leaves_out(query_folder, "an empty folder")
                continue
            query_id = self._identifier(query_folder.name, query_folder, "query", taken)
            query = self._query(query_id, query_folder, profile)
            if query_id != query_folder.name:
                query.document["legacy_id"] = query_folder.name
            yield query

    def _query(self, query_id: str, folder: Path, profile: dict[str, Any]) -> LegacyQuery:
        path = folder / "query.json"
        if is_file(path):
            document = query_document(
                query_id, self._object(path) or {}, "", modified_at(path), self.findings.about(path)
            )
        else:
            self.findings.puts_right(folder, "no query.json; taken from the other files")
            jql = self._fetched_jql(folder) or profile.get("jql_query")
            document = query_document(
                query_id,
                {},
                jql if isinstance(jql, str) else "",
                modified_at(folder),
                self.findings.about(folder),
            )
        return LegacyQuery(folder.name, folder, document)

    def _fetched_jql(self, folder: Path) -> Any:
        """The JQL of the last sync; what is wrong with the file is told when its data is read."""
        try:
            cache = read_json(folder / "jira_cache.json", Findings())
        except UnreadableFileError:
            return None
        return cache.get("jql_query") if isinstance(cache, dict) else None

    # --- what all need -----------------------------------------------------------------------

    def _object(self, path: Path) -> dict[str, Any] | None:
        """The object in the file; ``None`` if there is no file, or a problem with it."""
        if not is_file(path):
            return None
        try:
            value = read_json(path, self.findings)
        except UnreadableFileError as error:
            self.findings.stops_at(path, str(error))
            return None
        if not isinstance(value, dict):
            self.findings.stops_at(path, f"an object was expected, not {type(value).__name__}")
            return None
        return value

    def _identifier(self, key: str, path: Path, kind: str, taken: set[str]) -> str:
        identifier = key
        if not is_identifier(key):
            base = identifier = slug(key, kind)
            number = 2
            while identifier in taken:
                identifier, number = f"{base}-{number}", number + 1
            self.findings.puts_right(path, f"{shown(key)} is no safe id; now {identifier!r}")
        taken.add(identifier)
        return identifier


def _make_names_fit(
    items: Sequence[LegacyProfile | LegacyQuery], kind: str, findings: Findings
) -> None:
    """Give each a name that the database takes: not too long, and nobody else's.

    Of those that share a name, the oldest keeps it.
    """
    taken: set[str] = set()
    oldest_first = sorted(
        items, key=lambda item: (to_utc(item.document["created_at"]), item.document["id"])
    )
    for item in oldest_first:
        written = item.document["name"]
        if not isinstance(written, str):
            continue
        base = written if written.strip() else item.document["id"]
        name = base if len(base) <= MAX_NAME_LENGTH else base[:_LONGEST_BASE]
        number = 2
        while name in taken:
            name, number = f"{base[:_LONGEST_BASE]} ({number})", number + 1
        if name != written:
            why = f"another {kind} has it" if written in taken else "it is blank or too long"
            item.document.update(name=name, legacy_name=written)
            findings.puts_right(
                item.path, f"name: {shown(name)} in place of {shown(written)}, as {why}"
            )
        taken.add(name)
