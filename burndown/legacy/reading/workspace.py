"""The profiles and queries of a workspace.

The name of a folder is the id of its profile or query, whatever the files in it contain. Links are
not followed. The files of the profiles are read immediately, those of their queries when they are
needed.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from burndown.conversion import (
    Findings,
    UniqueIds,
    UnreadableError,
    convert,
    escape_surrogates,
    make_names_unique,
    report_id,
)
from burndown.errors import format_value
from burndown.files.paths import lexists, modified_at
from burndown.files.sqlite_files import SQLiteFiles
from burndown.legacy.contents import LegacyProfile, LegacyQuery
from burndown.legacy.layout import (
    DATA_FILES,
    QUERIES,
    QUERY_FILE,
    REGISTRY,
    ROOT_FILES,
    STATE,
    folder_name,
    id_of_folder,
)
from burndown.legacy.marker import remove_marker
from burndown.legacy.reading.folders import profile_folders, query_folders, settings_paths
from burndown.legacy.reading.json_files import read_json, read_object
from burndown.legacy.reading.leftovers import report_leftovers
from burndown.legacy.reading.profile_formats import profile_document
from burndown.legacy.reading.query_formats import query_document
from burndown.legacy.reading.registry import active_ids, registry_entries
from burndown.legacy.reading.sidecar_files import read_sidecar
from burndown.legacy.sidecar import WorkspaceSidecar
from burndown.models import Document, JiraCache, Profile, Query
from burndown.models.field_types import is_identifier, is_line

__all__ = ["Workspace"]


@dataclass
class Workspace:
    """The content of a workspace.

    Attributes:
        profiles_dir: its folder.
        registry: the content of ``profiles.json``, empty if there is none.
        entries: the entry of each profile in the registry, by its key.
        sidecar: the content of ``burndown.json``.
        profiles: the profiles, in the order of their ids.
        app_state: the app state; ``active_profile_id`` and ``active_query_id`` only if something is
            active.
    """

    profiles_dir: Path
    registry: dict[str, Any]
    entries: dict[str, dict[str, Any]]
    sidecar: WorkspaceSidecar
    profiles: list[LegacyProfile]
    app_state: dict[str, str]

    @classmethod
    def read(cls, profiles_dir: Path, findings: Findings) -> "Workspace":
        """Read the folder; a file that cannot be read is reported as a problem."""
        path = profiles_dir / REGISTRY
        sidecar = read_sidecar(WorkspaceSidecar, profiles_dir / STATE, findings)
        registry = read_object(path, findings) or {}
        entries = registry_entries(registry, path, findings)
        profiles = _ProfileReader(profiles_dir, findings).read(entries)
        make_names_unique(profiles, "profile", findings)
        active = active_ids(registry, path, profiles, sidecar, findings)
        app_state = {key: value for key, value in active.items() if value is not None}
        app_state.update(sidecar.app_state)
        return cls(profiles_dir, registry, entries, sidecar, profiles, app_state)

    @property
    def predates_profiles(self) -> bool:
        """Return whether its files are next to the folder, from before there were profiles."""
        root = self.profiles_dir.parent
        return any(profile.folder == root for profile in self.profiles)

    def report_leftovers(self, findings: Findings, databases: SQLiteFiles) -> None:
        """Report the files in the folder that belong neither to the workspace nor to a database."""
        report_leftovers(self.profiles_dir, self.predates_profiles, findings, databases)


class _ProfileReader:
    """A reader of the profiles and queries of a folder."""

    def __init__(self, profiles_dir: Path, findings: Findings) -> None:
        self.profiles_dir = profiles_dir
        self.root = profiles_dir.parent
        self.findings = findings

    def read(self, entries: dict[str, dict[str, Any]]) -> list[LegacyProfile]:
        """Return the profiles with a folder, and those that only the registry has.

        Args:
            entries: the entries of the registry, by key.
        """
        folders = profile_folders(self.profiles_dir)
        self._expect_folders(self.profiles_dir, entries, "profile")
        # Valid ids first: an invalid one becomes another, which must not take theirs.
        ids = UniqueIds("profile")
        profiles = [
            self._profile(key, folders[key], entries.get(key, {}), ids)
            for key in sorted(folders, key=lambda key: (not is_identifier(key), key))
        ]
        profiles += [
            self._registered_only(key, entries[key], ids)
            for key in sorted(entries.keys() - folders.keys())
        ]
        # A sidecar shows that these files were read once: their profile was deleted since.
        was_written = lexists(self.profiles_dir / STATE)
        if not profiles and not was_written and any(lexists(self.root / n) for n in ROOT_FILES):
            profiles.append(self._root_profile())
        return profiles

    def _profile(
        self, key: str, folder: Path, entry: dict[str, Any], ids: UniqueIds
    ) -> LegacyProfile:
        profile_id = self._identifier(key, folder, ids)
        path, written = self._settings(folder, entry)
        document, has_marker = remove_marker(written, profile_id)
        report = self.findings.reporter(path)
        if has_marker:
            document = convert(Profile, document, report)
        else:
            document = profile_document(profile_id, document, entry, report)
            if "created_at" not in document:
                document["created_at"] = modified_at(path)
                self.findings.add_converted(path, "created_at: taken from the time of the file")
            if profile_id != id_of_folder(key):
                document["legacy_id"] = escape_surrogates(key)
        read_queries = partial(self._queries, folder, document, entry)
        return LegacyProfile(key, folder, path, document, read_queries, has_marker)

    def _settings(self, folder: Path, entry: dict[str, Any]) -> tuple[Path, dict[str, Any]]:
        """Return the path and content of the settings; without a readable file, of the registry."""
        path = next((each for each in settings_paths(folder) if lexists(each)), None)
        written = None if path is None else read_object(path, self.findings)
        if written is None:
            what = "no profile.json" if path is None else "cannot be read"
            where = path or folder
            self.findings.add_converted(where, f"{what}; taken from profiles.json and defaults")
            return where, entry
        return path or folder, written

    def _registered_only(self, key: str, entry: dict[str, Any], ids: UniqueIds) -> LegacyProfile:
        path = self.profiles_dir / REGISTRY
        profile_id = self._identifier(key, path, ids)

        def report(what: str) -> None:
            self.findings.add_converted(path, f"profile {format_value(key)}: {what}")

        document = profile_document(profile_id, entry, entry, report)
        document.setdefault("created_at", modified_at(path))
        if profile_id != key:
            document["legacy_id"] = key
        report("there is no folder; taken from this entry")
        folder = self.profiles_dir / folder_name(profile_id)
        return LegacyProfile(key, folder, path, document)

    def _root_profile(self) -> LegacyProfile:
        """Return a profile of the files next to the folder, from before there were profiles."""
        path = self.root / ROOT_FILES[0]
        written = read_object(path, self.findings) or {}
        document = profile_document("default", written, {}, self.findings.reporter(path))
        document.setdefault("created_at", modified_at(path if lexists(path) else self.root))
        self.findings.add_converted(
            self.root, "files from before there were profiles: now default/main"
        )

        def read_queries(query_id: str | None) -> list[LegacyQuery]:
            query = replace(self._query("main", self.root, document), key="main")
            return [query] if query_id in (None, "main") else []

        return LegacyProfile("default", self.root, path, document, read_queries)

    # --- queries -----------------------------------------------------------------------------

    def _queries(
        self, folder: Path, profile: Document, entry: dict[str, Any], wanted: str | None
    ) -> list[LegacyQuery]:
        known = entry.get("queries")
        self._expect_folders(folder, [QUERIES], "queries")
        self._expect_folders(folder / QUERIES, known if isinstance(known, list) else [], "query")
        ids = UniqueIds("query")
        queries = []
        for query_folder in query_folders(folder):
            query_id = self._identifier(query_folder.name, query_folder, ids)
            if wanted not in (None, query_id):
                continue
            query = self._query(query_id, query_folder, profile)
            if not query.has_marker and query_id != id_of_folder(query_folder.name):
                query.document["legacy_id"] = escape_surrogates(query_folder.name)
            queries.append(query)
        if wanted is None:
            make_names_unique(queries, "query", self.findings)
        return queries

    def _query(self, query_id: str, folder: Path, profile: Document) -> LegacyQuery:
        path = folder / QUERY_FILE
        written = read_object(path, self.findings)
        if written is None:
            document = self._query_of_other_files(query_id, folder, profile)
            return LegacyQuery(folder.name, folder, document)
        document, has_marker = remove_marker(written, query_id)
        report = self.findings.reporter(path)
        if has_marker:
            document = convert(Query, document, report)
        else:
            document = query_document(query_id, document, "", modified_at(path), report)
        return LegacyQuery(folder.name, folder, document, has_marker)

    def _query_of_other_files(self, query_id: str, folder: Path, profile: Document) -> Document:
        path = folder / QUERY_FILE
        if not lexists(path):
            path = folder
            self.findings.add_converted(folder, f"no {QUERY_FILE}; taken from the other files")
        jql = self._cached_jql(folder) or profile.get("jql_query")
        if not (isinstance(jql, str) and is_line(jql)):
            jql = ""
        return query_document(query_id, {}, jql, modified_at(path), self.findings.reporter(path))

    def _cached_jql(self, folder: Path) -> Any:
        """Return the JQL of the last sync; problems are reported when the file's data is read."""
        try:
            cache = read_json(folder / DATA_FILES[JiraCache], Findings(self.findings.root))
        except UnreadableError:
            return None
        return cache.get("jql_query") if isinstance(cache, dict) else None

    # --- ids ---------------------------------------------------------------------------------

    def _expect_folders(self, parent: Path, names: Iterable[Any], label: str) -> None:
        """Report other files in the place of folders; links are reported as leftovers."""
        for name in names:
            if isinstance(name, str) and is_identifier(name):
                path = parent / folder_name(name)
                if lexists(path) and not path.is_dir() and not path.is_symlink():
                    what = "a file" if path.is_file() else "a device"
                    self.findings.add_problem(path, f"{what}, not the folder of the {label}")

    def _identifier(self, key: str, path: Path, ids: UniqueIds) -> str:
        """Return an id that is valid and not taken.

        Args:
            key: the id that the old dashboard uses.
            path: the path for reports.
            ids: those of the others.
        """
        written = id_of_folder(key)
        identifier = ids.add(written)
        if identifier != written:
            report_id(key, identifier, self.findings.reporter(path))
        return identifier
