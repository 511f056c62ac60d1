"""A published database, completed from the JSON files that it was made of.

When the published dashboard moved its JSON files into that database, it lost whole caches, all
changelogs, some project data and all trends. It kept a copy of the files in ``backups/``.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from burndown.conversion import Findings, SourceData, UniqueIds, make_names_unique, report_id
from burndown.legacy import LegacyProfile, LegacyQuery, Workspace, read_query_files
from burndown.models import (
    Document,
    JiraCache,
    JiraChangelog,
    MetricsSnapshot,
    ProjectData,
    QueryData,
)
from burndown.models.timestamps import to_utc
from burndown.published import PublishedProfile, PublishedQuery, PublishedStore

__all__ = ["RecoveredStore"]

Restored = Counter[str]
"""The number of issues, changelogs, … that only the files have."""


class RecoveredStore:
    """The content of a published database, with what its own migration lost.

    The database wins wherever it has something newer than its migration. Profiles that only the
    files have are added if it was never filled from files, as the dashboard itself would do.

    Args:
        store: the content of the database.
        folder: the folder of the database, which can hold JSON files as well; ``None`` if it is no
            folder of profiles.
        backups: the folders with copies of JSON files, newest first.
        findings: takes reports of what was converted, skipped, or cannot be read.

    Attributes:
        restored: the number of issues, changelogs, … that were taken from files, and of the files.
    """

    def __init__(
        self,
        store: PublishedStore,
        folder: Path | None,
        backups: Iterable[Path],
        findings: Findings,
    ) -> None:
        self._store = store
        self._findings = findings
        self._originals: dict[tuple[str, str], list[LegacyQuery]] = {}
        self.restored: Restored = Counter()
        self._added: list[LegacyProfile] = []
        workspaces = [Workspace.read(each, Findings(each)) for each in backups]
        if folder is not None:
            next_to_it = Findings(folder)
            workspaces.append(Workspace.read(folder, next_to_it))
            self._added = self._profiles_to_add(workspaces[-1], next_to_it)
        for profile in (profile for workspace in workspaces for profile in workspace.profiles):
            for original in profile.queries:
                self._originals.setdefault((profile.key, original.key), []).append(original)
        for query in (query for profile in store.profiles for query in profile.queries):
            self._restore_description(query)

    @property
    def path(self) -> Path:
        """Return the file of the database."""
        return self._store.path

    @property
    def profiles(self) -> list[PublishedProfile | LegacyProfile]:
        """Return the profiles."""
        return [*self._store.profiles, *self._added]

    @property
    def app_state(self) -> Mapping[str, str]:
        """Return the app state of the database."""
        return self._store.app_state

    @property
    def tasks(self) -> Mapping[str, Document]:
        """Return the progress of tasks."""
        return self._store.tasks

    def data(self, query: PublishedQuery | LegacyQuery) -> Iterator[SourceData]:
        """Read the data of a query."""
        if isinstance(query, LegacyQuery):
            yield from read_query_files(query, self._findings)
            return
        found = {data.model: data for data in self._store.data(query)}
        fetched_at = self._store.fetched_at(query)
        was_fetched = fetched_at is not None and self._is_newer(fetched_at)
        for file in self._files_of(query):
            if file.model is JiraCache and JiraCache not in found and was_fetched:
                continue  # Jira was asked after the migration, and found no issue
            found[file.model] = self._merged(found.get(file.model), file)
        yield from found.values()

    def _profiles_to_add(self, workspace: Workspace, findings: Findings) -> list[LegacyProfile]:
        """Return the profiles in JSON files next to the database that it does not have."""
        known = {profile.key for profile in self._store.profiles}
        added = [profile for profile in workspace.profiles if profile.key not in known]
        if self._store.migrated_at is not None:
            for profile in added:
                self._findings.add_skipped(profile.path, "the database has no such profile")
            return []
        paths = {profile.path for profile in added}
        paths |= {query.path for profile in added for query in profile.queries}
        self._take_reports(findings, lambda path: path in paths)
        ids = UniqueIds("profile")
        for stored in self._store.profiles:
            ids.add(stored.document["id"])
        for profile in added:
            written = profile.document["id"]
            profile.document["id"] = ids.add(written)
            if profile.document["id"] != written:
                profile.document.setdefault("legacy_id", written)
            report_id(written, profile.document["id"], self._findings.reporter(profile.path))
        make_names_unique([*self._store.profiles, *added], "profile", self._findings)
        return added

    def _files_of(self, query: PublishedQuery) -> Iterator[SourceData]:
        """Yield the newest file of each entity that can be read."""
        done: set[type[QueryData]] = set()
        for original in self._originals.get((query.profile_key, query.key), []):
            findings = Findings(original.folder)
            for file in read_query_files(original, findings):
                if file.documents and file.model not in done:
                    done.add(file.model)
                    yield file
            self._take_reports(findings, lambda path: True)

    def _take_reports(self, findings: Findings, wanted: Callable[[Path], bool]) -> None:
        findings.skip_problems()
        self._findings.converted += [each for each in findings.converted if wanted(each.path)]
        self._findings.skipped += [each for each in findings.skipped if wanted(each.path)]

    def _restore_description(self, query: PublishedQuery) -> None:
        """Take the description of a query, for which the database has no column."""
        for original in self._originals.get((query.profile_key, query.key), []):
            description = original.document.get("description")
            if description:
                query.document["description"] = description
                self.restored["descriptions"] += 1
                return

    # --- merging -------------------------------------------------------------------------------

    def _merged(self, ours: SourceData | None, file: SourceData) -> SourceData:
        """Return the documents of the database and those of a file as one."""
        documents = [] if ours is None else ours.documents
        restored: Restored = Counter()
        merged = _MERGES[file.model](documents, file.documents, self._is_newer, restored)
        if not any(restored.values()):
            return file if ours is None else ours
        self.restored += restored
        self.restored["files"] += 1
        return SourceData(file.path, file.model, merged)

    def _is_newer(self, timestamp: datetime | str) -> bool:
        """Return whether something in the database was written after its migration."""
        migrated_at = self._store.migrated_at
        return migrated_at is None or to_utc(timestamp) > migrated_at


_IsNewer = Callable[[datetime | str], bool]
_Merge = Callable[[list[Document], list[Document], _IsNewer, Restored], list[Document]]


def _merged_responses(
    ours: list[Document], original: list[Document], is_newer: _IsNewer, restored: Restored
) -> list[Document]:
    """Return the original responses, unless the database has newer issues."""
    if any(is_newer(each["created_at"]) for each in ours):
        return ours
    restored["issues"] = max(_issue_count(original) - _issue_count(ours), 0)
    restored["cached responses"] = len(original)
    return original


def _merged_changelogs(
    ours: list[Document], original: list[Document], is_newer: _IsNewer, restored: Restored
) -> list[Document]:
    """Return the changelogs of the database, and those of other issues; its migration kept none."""
    known = {each["issue_key"] for each in ours}
    others = [each for each in original if each["issue_key"] not in known]
    restored["changelogs"] = len(others)
    restored["histories"] = sum(_history_count(each["changelog"]) for each in others)
    return [*ours, *others]


def _merged_project_data(
    ours: list[Document], original: list[Document], is_newer: _IsNewer, restored: Restored
) -> list[Document]:
    """Return the original data, with what the database has newer, or alone."""
    [file] = original
    if not ours:
        restored["project data"] = 1
        return original
    [stored] = ours
    if is_newer(stored["updated_at"]):
        restored["fields of project data"] = len(file["data"].keys() - stored["data"].keys())
        return [{**stored, "data": {**file["data"], **stored["data"]}}]
    weeks = [len(_list(each["data"].get("statistics"))) for each in (file, stored)]
    restored["weeks of statistics"] = max(weeks[0] - weeks[1], 0)
    restored["fields of project data"] = len(file["data"].keys() - stored["data"].keys())
    return [{**file, "data": {**stored["data"], **file["data"]}}]


def _merged_snapshots(
    ours: list[Document], original: list[Document], is_newer: _IsNewer, restored: Restored
) -> list[Document]:
    """Return the snapshots of both; a metric of both is that of the file unless it is older."""
    merged = {(each["snapshot_date"], each["metric_type"]): each for each in ours}
    for each in original:
        key = each["snapshot_date"], each["metric_type"]
        stored = merged.get(key, {**each, "metrics": {}})
        restored["metrics"] += len(each["metrics"].keys() - stored["metrics"].keys())
        if key in merged and is_newer(stored["created_at"]):
            metrics = {**each["metrics"], **stored["metrics"]}
        else:
            metrics = {**stored["metrics"], **each["metrics"]}
        merged[key] = {**stored, "metrics": metrics}
    return list(merged.values())


_MERGES: dict[type[QueryData], _Merge] = {
    JiraCache: _merged_responses,
    JiraChangelog: _merged_changelogs,
    ProjectData: _merged_project_data,
    MetricsSnapshot: _merged_snapshots,
}


def _issue_count(responses: list[Document]) -> int:
    return sum(len(_list(each["response"].get("issues"))) for each in responses)


def _history_count(changelog: Document) -> int:
    """Return the number of changes of fields in a changelog of the JSON files."""
    page = changelog.get("changelog")
    return len(_list(page.get("histories"))) if isinstance(page, dict) else 0


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
