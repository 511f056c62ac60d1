"""A legacy workspace: which profiles and queries its folders hold, and what is in each.

The name of a folder is the id of what it holds, whatever the files within say. Links are not
followed. Small files are read at once, the large ones of a query when it is asked for them.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from burndown.errors import format_value
from burndown.files.paths import lexists
from burndown.files.sqlite_files import SQLiteFiles
from burndown.legacy.contents import LegacyProfile, LegacyQuery
from burndown.legacy.conversion import convert
from burndown.legacy.exact import unmarked
from burndown.legacy.files import (
    UnreadableFileError,
    escaped,
    finite,
    kind_of,
    modified_at,
    read_json,
)
from burndown.legacy.findings import Findings
from burndown.legacy.fitting_names import make_names_fit
from burndown.legacy.layout import (
    QUERIES,
    REGISTRY,
    ROOT_FILES,
    STATE,
    folder_name,
    id_of_folder,
    profile_folders,
    query_folders,
    settings_places,
    tell_leftovers,
)
from burndown.legacy.notes import WorkspaceNotes
from burndown.legacy.profile_formats import profile_document
from burndown.legacy.query_formats import query_document
from burndown.models import Profile, Query
from burndown.models.values import is_identifier, is_line, slug

__all__ = ["Workspace"]


@dataclass
class Workspace:
    """All that a legacy workspace holds.

    Attributes:
        profiles_dir: its folder.
        registry: what ``profiles.json`` holds, empty if there is none.
        entries: what the registry says of each profile, by its key.
        notes: what ``burndown.json`` holds.
        profiles: the profiles, in the order of their ids.
        app_state: the remembered values; ``active_profile_id`` and ``active_query_id`` only if
            something is active.
    """

    profiles_dir: Path
    registry: dict[str, Any]
    entries: dict[str, dict[str, Any]]
    notes: WorkspaceNotes
    profiles: list[LegacyProfile]
    app_state: dict[str, str]

    @property
    def query_count(self) -> int:
        """How many queries the profiles have."""
        return sum(len(profile.queries) for profile in self.profiles)

    @property
    def lies_at_root(self) -> bool:
        """Whether it is of the time before profiles, with all files beside the folder."""
        root = self.profiles_dir.parent
        return any(profile.folder == root for profile in self.profiles)

    @classmethod
    def read(cls, profiles_dir: Path, findings: Findings) -> "Workspace":
        """Read what the folder holds; every file that cannot be read is told as a problem."""
        return _Reader(profiles_dir, findings).read()

    def tell_leftovers(self, findings: Findings, databases: SQLiteFiles) -> None:
        """Say of all files that hold nothing of this, and are no database, why they do not."""
        tell_leftovers(self.profiles_dir, self.lies_at_root, findings, databases)


class _Reader:
    def __init__(self, profiles_dir: Path, findings: Findings) -> None:
        self.profiles_dir = profiles_dir
        self.root = profiles_dir.parent
        self.findings = findings
        self.notes = WorkspaceNotes.read(profiles_dir / STATE, findings)

    def read(self) -> Workspace:
        registry = self._object(self.profiles_dir / REGISTRY) or {}
        entries = self._entries(registry)
        profiles = self._profiles(entries)
        make_names_fit(profiles, "profile", self.findings)
        for profile in profiles:
            make_names_fit(profile.queries, "query", self.findings)
        active = self._active(registry, profiles)
        app_state = {key: value for key, value in active.items() if value is not None}
        app_state.update(self.notes.app_state)
        return Workspace(self.profiles_dir, registry, entries, self.notes, profiles, app_state)

    # --- the registry ------------------------------------------------------------------------

    def _entries(self, registry: dict[str, Any]) -> dict[str, dict[str, Any]]:
        path = self.profiles_dir / REGISTRY
        listed = registry.get("profiles", {})
        if isinstance(listed, list):
            self.findings.add_converted(path, "profiles: a list read as an object by id")
            listed = self._by_id(listed)
        if not isinstance(listed, dict):
            why = f"profiles: an object by id was expected, not {kind_of(listed)}"
            self.findings.add_problem(path, why)
            return {}
        entries: dict[str, dict[str, Any]] = {}
        for key, entry in listed.items():
            if entry is None:
                self.findings.add_converted(
                    path, f"profiles: {format_value(key)}: null read as not set"
                )
                entries[key] = {}
            elif isinstance(entry, dict):
                entries[key] = entry
            else:
                why = f"profiles: {format_value(key)}: an object was expected, not {kind_of(entry)}"
                self.findings.add_problem(path, why)
        return entries

    def _by_id(self, listed: list[Any]) -> dict[str, Any]:
        """The entries of a list, which has them whole or only their ids."""
        path = self.profiles_dir / REGISTRY
        entries: dict[str, Any] = {}
        for number, entry in enumerate(listed):
            key = entry.get("id") if isinstance(entry, dict) else entry
            if not isinstance(key, str):
                why = f"profiles[{number}]: an object with an id was expected"
                self.findings.add_problem(path, why)
                continue
            if key in entries:
                why = (
                    f"profiles[{number}]: {format_value(key)} is there twice; the last one is taken"
                )
                self.findings.add_converted(path, why)
            entries[key] = entry if isinstance(entry, dict) else {}
        return entries

    def _active(
        self, registry: dict[str, Any], profiles: list[LegacyProfile]
    ) -> dict[str, str | None]:
        """What is active: as it was noted, unless the registry has changed since."""
        noted: dict[str, str | None] = {
            key: note.value
            for key, note in self.notes.active.items()
            if note.registry == registry.get(key)
        }
        if len(noted) == 2:
            return noted
        profile_id, query_id = self._active_by_registry(registry, profiles)
        return {"active_profile_id": profile_id, "active_query_id": query_id, **noted}

    def _active_by_registry(
        self, registry: dict[str, Any], profiles: list[LegacyProfile]
    ) -> tuple[str | None, str | None]:
        wanted = registry.get("active_profile_id")
        wanted_query = registry.get("active_query_id")
        if not registry and len(profiles) == 1 and len(profiles[0].queries) == 1:
            return profiles[0].document["id"], profiles[0].queries[0].document["id"]
        profile = next((profile for profile in profiles if profile.key == wanted), None)
        if profile is None:
            if wanted is not None:
                self._forget_active("active_profile_id", wanted, "names no profile")
            elif wanted_query is not None:
                self._forget_active("active_query_id", wanted_query, "has no active profile")
            return None, None
        query = next((query for query in profile.queries if query.key == wanted_query), None)
        if query is None and wanted_query is not None:
            self._forget_active("active_query_id", wanted_query, f"names no query of {wanted!r}")
        return profile.document["id"], query.document["id"] if query else None

    def _forget_active(self, key: str, value: Any, why: str) -> None:
        path = self.profiles_dir / REGISTRY
        self.findings.add_converted(path, f"{key}: {format_value(value)} {why}; nothing is active")

    # --- profiles ----------------------------------------------------------------------------

    def _profiles(self, entries: dict[str, dict[str, Any]]) -> list[LegacyProfile]:
        folders = profile_folders(self.profiles_dir)
        self._expect_folders(self.profiles_dir, entries, "profile")
        taken: dict[str, int] = {}
        profiles = [
            self._profile(key, folders[key], entries.get(key, {}), taken)
            for key in sorted(folders, key=lambda key: (not is_identifier(key), key))
        ]
        profiles += [
            self._registered_only(key, entries[key], taken)
            for key in sorted(entries.keys() - folders.keys())
        ]
        is_settled = lexists(self.profiles_dir / STATE)
        if not profiles and not is_settled and any(lexists(self.root / n) for n in ROOT_FILES):
            profiles.append(self._root_profile())
        return profiles

    def _profile(
        self, key: str, folder: Path, entry: dict[str, Any], taken: dict[str, int]
    ) -> LegacyProfile:
        profile_id = self._identifier(key, folder, "profile", taken)
        path, written = self._settings(folder, entry)
        document, is_exact = unmarked(written)
        is_exact = is_exact and document.get("id") == profile_id
        say = self.findings.about(path)
        if is_exact:
            document = convert(Profile, document, say)
        else:
            document = profile_document(profile_id, document, entry, say)
            if "created_at" not in document:
                document["created_at"] = modified_at(path)
                self.findings.add_converted(path, "created_at: taken from the time of the file")
            if profile_id != id_of_folder(key):
                document["legacy_id"] = escaped(key)
        queries = list(self._queries(folder, document, entry))
        return LegacyProfile(key, folder, path, document, queries, is_exact)

    def _settings(self, folder: Path, entry: dict[str, Any]) -> tuple[Path, dict[str, Any]]:
        """The settings of a profile, wherever the dashboard of its time put them.

        If there is no file of them, or none that can be read, the registry has the only ones.
        """
        path = next((each for each in settings_places(folder) if lexists(each)), None)
        written = None if path is None else self._object(path)
        if written is None:
            what = "no profile.json" if path is None else "cannot be read"
            where = path or folder
            self.findings.add_converted(where, f"{what}; taken from profiles.json and defaults")
            return where, entry
        return path or folder, written

    def _registered_only(
        self, key: str, entry: dict[str, Any], taken: dict[str, int]
    ) -> LegacyProfile:
        path = self.profiles_dir / REGISTRY
        profile_id = self._identifier(key, path, "profile", taken)

        def say(what: str) -> None:
            self.findings.add_converted(path, f"profile {format_value(key)}: {what}")

        document = profile_document(profile_id, entry, entry, say)
        document.setdefault("created_at", modified_at(path))
        if profile_id != key:
            document["legacy_id"] = key
        say("there is no folder; taken from this entry")
        folder = self.profiles_dir / folder_name(profile_id)
        return LegacyProfile(key, folder, path, document, [])

    def _root_profile(self) -> LegacyProfile:
        """The time before profiles: all files beside the folder of profiles."""
        path = self.root / "app_settings.json"
        written = (self._object(path) if lexists(path) else None) or {}
        document = profile_document("default", written, {}, self.findings.about(path))
        document.setdefault("created_at", modified_at(path if lexists(path) else self.root))
        query = replace(self._query("main", self.root, document), key="main")
        self.findings.add_converted(
            self.root, "files of the time before profiles: now default/main"
        )
        return LegacyProfile("default", self.root, path, document, [query])

    # --- queries -----------------------------------------------------------------------------

    def _queries(
        self, folder: Path, profile: dict[str, Any], entry: dict[str, Any]
    ) -> Iterator[LegacyQuery]:
        known = entry.get("queries")
        self._expect_folders(folder, [QUERIES], "queries")
        self._expect_folders(folder / QUERIES, known if isinstance(known, list) else [], "query")
        taken: dict[str, int] = {}
        for query_folder in query_folders(folder):
            query_id = self._identifier(query_folder.name, query_folder, "query", taken)
            query = self._query(query_id, query_folder, profile)
            if not query.is_exact and query_id != id_of_folder(query_folder.name):
                query.document["legacy_id"] = escaped(query_folder.name)
            yield query

    def _query(self, query_id: str, folder: Path, profile: dict[str, Any]) -> LegacyQuery:
        path = folder / "query.json"
        written = self._object(path)
        if written is None:
            document = self._query_of_other_files(query_id, folder, profile)
            return LegacyQuery(folder.name, folder, document)
        document, is_exact = unmarked(written)
        is_exact = is_exact and document.get("id") == query_id
        say = self.findings.about(path)
        if is_exact:
            document = convert(Query, document, say)
        else:
            document = query_document(query_id, document, "", modified_at(path), say)
        return LegacyQuery(folder.name, folder, document, is_exact)

    def _query_of_other_files(
        self, query_id: str, folder: Path, profile: dict[str, Any]
    ) -> dict[str, Any]:
        path = folder / "query.json"
        if not lexists(path):
            path = folder
            self.findings.add_converted(folder, "no query.json; taken from the other files")
        jql = self._fetched_jql(folder) or profile.get("jql_query")
        if not (isinstance(jql, str) and is_line(jql)):
            jql = ""
        return query_document(query_id, {}, jql, modified_at(path), self.findings.about(path))

    def _fetched_jql(self, folder: Path) -> Any:
        """The JQL of the last sync; what is wrong with the file is told when its data is read."""
        try:
            cache = read_json(folder / "jira_cache.json", Findings(self.findings.root))
        except UnreadableFileError:
            return None
        return cache.get("jql_query") if isinstance(cache, dict) else None

    # --- what all need -----------------------------------------------------------------------

    def _object(self, path: Path) -> dict[str, Any] | None:
        """The object in the file; ``None`` if there is no file, or a problem with it."""
        if not lexists(path):
            return None
        try:
            value = finite(read_json(path, self.findings), path, self.findings)
        except UnreadableFileError as error:
            self.findings.add_problem(path, str(error))
            return None
        if not isinstance(value, dict):
            self.findings.add_problem(path, f"an object was expected, not {kind_of(value)}")
            return None
        return value

    def _expect_folders(self, parent: Path, names: Iterable[Any], kind: str) -> None:
        """What stands in the place of a folder is a problem; links are told with all others."""
        for name in names:
            if isinstance(name, str) and is_identifier(name):
                path = parent / folder_name(name)
                if lexists(path) and not path.is_dir() and not path.is_symlink():
                    what = "a file" if path.is_file() else "a device"
                    self.findings.add_problem(path, f"{what}, not the folder of the {kind}")

    def _identifier(self, key: str, path: Path, kind: str, taken: dict[str, int]) -> str:
        """An id that is safe and not taken; of each that is, how many were made of it is noted."""
        identifier = id_of_folder(key)
        if not is_identifier(identifier) or identifier in taken:
            base = identifier = slug(key, kind)
            while identifier in taken:
                taken[base] += 1
                identifier = f"{base}-{taken[base]}"
            self.findings.add_converted(
                path, f"{format_value(key)} is no safe id; now {identifier!r}"
            )
        taken[identifier] = 1
        return identifier
