"""The files that a change touches, written as the old dashboard writes them."""

from pathlib import Path
from typing import Any

from burndown.files.changes import Changes
from burndown.files.paths import is_file
from burndown.legacy.contents import LegacyProfile, LegacyQuery
from burndown.legacy.exact import marked
from burndown.legacy.files import json_file
from burndown.legacy.findings import Findings
from burndown.legacy.layout import PROFILE_FILES, REGISTRY, STATE, folder_name
from burndown.legacy.notes import ActiveNote, QueryNotes
from burndown.legacy.query_data import DATA_FILES, write_documents
from burndown.legacy.records import Records
from burndown.legacy.registry import registry_entry
from burndown.models.query_data import QueryData

__all__ = ["Writer"]

Document = dict[str, Any]

_ACTIVE = ("active_profile_id", "active_query_id")


class Writer:
    """Writes complete documents of the models into a workspace.

    What is written can be found in the records at once. Before anything below a profile or query
    is written, it gets a file of its own with what it was read from.

    Args:
        records: the workspace as it is.
        changes: takes what is written.
    """

    def __init__(self, records: Records, changes: Changes) -> None:
        self.records = records
        self._workspace = records.workspace
        self._changes = changes
        self._root = changes.root
        self._says_more = False
        self._notes: dict[Path, QueryNotes] = {}
        if self._workspace.lies_at_root:
            self._move_from_root(self._workspace.profiles[0])

    def save_profile(self, document: Document) -> None:
        """Add the profile, or replace the one of its id."""
        profile = self.records.find(document["id"])
        if profile is None:
            folder = self._root / folder_name(document["id"])
            profile = LegacyProfile(folder.name, folder, folder, document, [])
            self._workspace.profiles.append(profile)
        elif profile.path == self._root / REGISTRY:  # only that knew of it
            entries = self._workspace.entries
            entries[profile.folder.name] = entries.pop(profile.key)
            profile.key = profile.folder.name
        profile.document, profile.is_exact = document, True
        profile.path = profile.folder / "profile.json"
        self._changes.write(profile.path, json_file(marked(document)))
        self._register(profile)

    def delete_profile(self, profile: LegacyProfile) -> None:
        """Delete the profile with all that is in its folder but other profiles."""
        others = [each for each in self._workspace.profiles if each is not profile]
        if any(profile.folder in each.folder.parents for each in others):
            for name in (*PROFILE_FILES, "queries"):
                self._changes.remove(profile.folder / name)
        else:
            self._changes.remove(profile.folder)
        self._workspace.profiles.remove(profile)
        self._workspace.entries.pop(profile.key, None)
        self._says_more = True

    def save_query(self, profile: LegacyProfile, document: Document) -> None:
        """Add the query, or replace the one of its id."""
        self._settle(profile)
        document = {key: item for key, item in document.items() if key != "profile_id"}
        if document["updated_at"] is None:  # the dashboard reads it as a text, if it is there
            del document["updated_at"]
        query = self.records.find_query(profile.document["id"], document["id"])
        if query is None:
            folder = profile.folder / "queries" / folder_name(document["id"])
            query = LegacyQuery(folder.name, folder, document)
            profile.queries.append(query)
        query.document, query.is_exact = document, True
        self._changes.write(query.path, json_file(marked(document)))
        self._register(profile)

    def delete_query(self, profile: LegacyProfile, query: LegacyQuery) -> None:
        """Delete the query with all its data."""
        self._settle(profile)
        self._changes.remove(query.folder)
        profile.queries.remove(query)
        self._register(profile)

    def save_data(
        self,
        model: type[QueryData],
        profile: LegacyProfile,
        query: LegacyQuery,
        documents: list[Document],
    ) -> None:
        """Have the query hold these documents and no others of their kind."""
        self._settle(profile)
        if not query.is_exact and not is_file(query.path):
            self.save_query(profile, self.records.query(profile.document["id"], query))
        if query.folder not in self._notes:
            self._notes[query.folder] = QueryNotes.read(query.notes_path, Findings(self._root))
        notes = self._notes[query.folder]
        files = write_documents(model, documents, query.document["jql"], notes)
        for name, data in files.items():
            path = query.folder / name
            if data is not None:
                self._changes.write(path, data)
            elif path.exists():
                self._changes.remove(path)
        self._changes.write(query.notes_path, notes.to_file())

    def set_app_state(self, key: str, value: str | None) -> None:
        """Remember the value, or forget the key for ``None``."""
        for place in (self._workspace.app_state, self._workspace.notes.app_state):
            place.pop(key, None)
            if value is not None:
                place[key] = value
        self._says_more = True

    def save_task(self, document: Document) -> None:
        """Say how far a task is."""
        self._workspace.notes.tasks[document["task_name"]] = document
        self._says_more = True

    def clear_task(self, name: str) -> None:
        """Forget the task, if it is known."""
        if self._workspace.notes.tasks.pop(name, None) is not None:
            self._says_more = True

    def finish(self) -> None:
        """Write the registry and what the workspace remembers, if they say something new."""
        if not self._says_more:
            return
        notes, registry = self._workspace.notes, self._workspace.registry
        told = {key: self._workspace.app_state.get(key) for key in _ACTIVE}
        profile_id, query_id = told.values()
        profile = self.records.find(profile_id) if profile_id is not None else None
        query = None
        if profile_id is not None and query_id is not None:
            query = self.records.find_query(profile_id, query_id)
        keys = {
            "active_profile_id": profile.key if profile is not None else profile_id,
            "active_query_id": query.key if query is not None else query_id,
        }
        for key in _ACTIVE:
            notes.app_state.pop(key, None)
            notes.active[key] = ActiveNote(value=told[key], registry=keys[key])
        registry = {**registry, "version": "3.0", **keys, "profiles": self._workspace.entries}
        self._changes.write(self._root / REGISTRY, json_file(registry))
        self._changes.write(self._root / STATE, notes.to_file())

    # --- what has no file of its own ---------------------------------------------------------

    def _settle(self, profile: LegacyProfile) -> None:
        """Have the profile stand in a file of its own."""
        if profile.path != profile.folder / "profile.json":
            self.save_profile(self.records.profile(profile))

    def _register(self, profile: LegacyProfile) -> None:
        entries = self._workspace.entries
        entries[profile.key] = registry_entry(profile, entries.get(profile.key, {}))
        self._says_more = True

    def _move_from_root(self, profile: LegacyProfile) -> None:
        """Give the files of the time before profiles a profile and a query of their own."""
        profile_id, [query] = profile.document["id"], profile.queries
        document, query_document = (
            self.records.profile(profile),
            self.records.query(profile_id, query),
        )
        data = {model: self.records.data(model, profile_id, query) for model in DATA_FILES}
        profile.folder = self._root / profile.key
        query.folder = profile.folder / "queries" / query.key
        self.save_profile(document)
        self.save_query(profile, query_document)
        for model, documents in data.items():
            if documents:
                self.save_data(model, profile, query, documents)
