"""Changes to a workspace, written as the old dashboard writes its files."""

from pathlib import Path

from burndown.conversion import Findings
from burndown.files.changes import Changes
from burndown.files.paths import is_file
from burndown.legacy.contents import LegacyProfile, LegacyQuery
from burndown.legacy.layout import (
    DATA_FILES,
    PROFILE_FILE,
    PROFILE_FILES,
    QUERIES,
    REGISTRY,
    STATE,
    folder_name,
)
from burndown.legacy.marker import add_marker
from burndown.legacy.reading.sidecar_files import read_sidecar
from burndown.legacy.reading.workspace_reader import WorkspaceReader
from burndown.legacy.sidecar import ActiveInfo, QuerySidecar
from burndown.legacy.signature import sign
from burndown.legacy.writing.json_files import encode_file
from burndown.legacy.writing.query_files import query_files
from burndown.legacy.writing.registry_entry import registry_entry
from burndown.models import Document, QueryData

__all__ = ["WorkspaceWriter"]

_ACTIVE = ("active_profile_id", "active_query_id")


class WorkspaceWriter:
    """A writer of complete documents to a workspace.

    The reader has each change immediately. Methods that delete return whether there was something
    to delete. A profile or query in an old format gets a file of its own before anything below it
    is written, since its files may be elsewhere until then.

    Args:
        reader: the workspace before the changes.
        changes: takes the files.

    Raises:
        DatabaseCorruptionError: the registry or the sidecar of the workspace is damaged.
    """

    def __init__(self, reader: WorkspaceReader, changes: Changes) -> None:
        reader.refuse_damaged_root_files()
        self.reader = reader
        self._workspace = reader.workspace
        self._changes = changes
        self._root = changes.root
        self._registry_changed = False
        self._sidecars: dict[Path, QuerySidecar] = {}
        if self._workspace.predates_profiles:
            self._move_from_root(self._workspace.profiles[0])

    def save_profile(self, document: Document) -> None:
        """Add the profile, or replace the one of its id."""
        profile = self.reader.find(document["id"])
        if profile is None:
            folder = self._root / folder_name(document["id"])
            profile = LegacyProfile(folder.name, folder, folder, document)
            self._workspace.profiles.append(profile)
        elif profile.path == self._root / REGISTRY:  # it had no folder
            entries = self._workspace.entries
            entries[profile.folder.name] = entries.pop(profile.key)
            profile.key = profile.folder.name
        profile.document, profile.has_marker = document, True
        profile.path = profile.folder / PROFILE_FILE
        self._write(profile.path, encode_file(add_marker(document)))
        self._register(profile)

    def delete_profile(self, profile_id: str) -> bool:
        """Delete the profile with its folder, except other profiles in that, if there is one."""
        profile = self.reader.find(profile_id)
        if profile is None:
            return False
        # An id with a slash puts another profile below the folder of this one.
        others = [each for each in self._workspace.profiles if each is not profile]
        if any(profile.folder in each.folder.parents for each in others):
            for name in (*PROFILE_FILES, QUERIES):
                self._changes.remove(profile.folder / name)
        else:
            self._changes.remove(profile.folder)
        self._workspace.profiles.remove(profile)
        self._workspace.entries.pop(profile.key, None)
        self._registry_changed = True
        return True

    def save_query(self, profile: LegacyProfile, document: Document) -> None:
        """Add the query, or replace the one of its id."""
        self._ensure_profile_file(profile)
        document = {key: item for key, item in document.items() if key != "profile_id"}
        if document["updated_at"] is None:  # the old dashboard expects a string or no key
            del document["updated_at"]
        query = self.reader.find_query(profile.document["id"], document["id"])
        if query is None:
            folder = profile.folder / QUERIES / folder_name(document["id"])
            query = LegacyQuery(folder.name, folder, document)
            profile.queries.append(query)
        query.document, query.has_marker = document, True
        self._write(query.path, encode_file(add_marker(document)))
        self._register(profile)

    def delete_query(self, profile_id: str, query_id: str) -> bool:
        """Delete the query with all its data, if there is one."""
        profile = self.reader.find(profile_id)
        query = self.reader.find_query(profile_id, query_id)
        if profile is None or query is None:
            return False
        self._ensure_profile_file(profile)
        self._changes.remove(query.folder)
        profile.queries.remove(query)
        self._register(profile)
        return True

    def save_data(
        self,
        model: type[QueryData],
        profile: LegacyProfile,
        query: LegacyQuery,
        documents: list[Document],
    ) -> None:
        """Replace all of a query's documents of one entity type."""
        self._ensure_profile_file(profile)
        if not query.has_marker and not is_file(query.path):
            self.save_query(profile, self.reader.query(profile.document["id"], query))
        # Read once: the file on disk does not have what was saved before in the same call.
        if query.folder not in self._sidecars:
            self._sidecars[query.folder] = read_sidecar(
                QuerySidecar, query.sidecar_path, Findings(self._root)
            )
        sidecar = self._sidecars[query.folder]
        for name, data in query_files(model, documents, query.document["jql"], sidecar).items():
            path = query.folder / name
            if data is not None:
                self._write(path, data)
            elif path.exists():
                self._changes.remove(path)
        self._write(query.sidecar_path, encode_file(sidecar.model_dump()))

    def set_app_state(self, key: str, value: str) -> None:
        """Set the value of a key."""
        for state in (self._workspace.app_state, self._workspace.sidecar.app_state):
            state.pop(key, None)
            state[key] = value
        self._registry_changed = True

    def delete_app_state(self, key: str) -> bool:
        """Delete the key, if there is one."""
        states = (self._workspace.app_state, self._workspace.sidecar.app_state)
        holding = [state for state in states if key in state]
        for state in holding:
            del state[key]
        self._registry_changed |= bool(holding)
        return bool(holding)

    def save_task(self, document: Document) -> None:
        """Save the progress of a task."""
        self._workspace.sidecar.tasks[document["task_name"]] = document
        self._registry_changed = True

    def delete_task(self, name: str) -> bool:
        """Delete the progress of a task, if there is any."""
        is_deleted = self._workspace.sidecar.tasks.pop(name, None) is not None
        self._registry_changed |= is_deleted
        return is_deleted

    def finish(self) -> None:
        """Write the registry and the sidecar of the workspace, if they have changed."""
        if not self._registry_changed:
            return
        for each in self._workspace.profiles:
            if each.path == self._root / REGISTRY:  # dated by this file, if its entry has no times
                self._ensure_profile_file(each)
        sidecar, registry = self._workspace.sidecar, self._workspace.registry
        active = {key: self._workspace.app_state.get(key) for key in _ACTIVE}
        profile_id, query_id = active.values()
        profile = self.reader.find(profile_id) if profile_id is not None else None
        query = None
        if profile_id is not None and query_id is not None:
            query = self.reader.find_query(profile_id, query_id)
        # The registry has the keys of the old dashboard, which are not always valid ids.
        keys = {
            "active_profile_id": profile.key if profile is not None else profile_id,
            "active_query_id": query.key if query is not None else query_id,
        }
        for key in _ACTIVE:
            sidecar.app_state.pop(key, None)
            sidecar.active[key] = ActiveInfo(value=active[key], registry=keys[key])
        # The version that the old dashboard writes and expects.
        registry = {**registry, "version": "3.0", **keys, "profiles": self._workspace.entries}
        self._write(self._root / REGISTRY, encode_file(registry))
        self._write(self._root / STATE, encode_file(sidecar.model_dump()))

    def _write(self, path: Path, content: bytes) -> None:
        self._changes.write(path, sign(content))

    # --- profiles without a file of their own ------------------------------------------------

    def _ensure_profile_file(self, profile: LegacyProfile) -> None:
        if profile.path != profile.folder / PROFILE_FILE:
            self.save_profile(self.reader.profile(profile))

    def _register(self, profile: LegacyProfile) -> None:
        entries = self._workspace.entries
        entries[profile.key] = registry_entry(profile, entries.get(profile.key, {}))
        self._registry_changed = True

    def _move_from_root(self, profile: LegacyProfile) -> None:
        """Write files from before there were profiles as a profile and a query."""
        profile_id, [query] = profile.document["id"], profile.queries
        document = self.reader.profile(profile)
        query_document = self.reader.query(profile_id, query)
        data = {model: self.reader.data(model, profile_id, query) for model in DATA_FILES}
        # Only now: what was read above is next to the folder of profiles.
        profile.folder = self._root / profile.key
        query.folder = profile.folder / QUERIES / query.key
        self.save_profile(document)
        self.save_query(profile, query_document)
        for model, documents in data.items():
            if documents:
                self.save_data(model, profile, query, documents)
