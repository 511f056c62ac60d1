"""The database of the published dashboard, as the reader of any old store returns it."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from burndown.conversion import (
    Findings,
    Report,
    SourceData,
    UniqueIds,
    first_few,
    make_names_unique,
    report_id,
)
from burndown.errors import format_value
from burndown.files.paths import modified_at
from burndown.models import (
    Budget,
    Document,
    JiraCache,
    JiraChangelog,
    MetricsSnapshot,
    ProjectData,
    QueryData,
)
from burndown.models.field_types import is_identifier
from burndown.published.app_state import (
    ACTIVE_PROFILE,
    ACTIVE_QUERY,
    fetched_at,
    kept_state,
    migrated_at,
)
from burndown.published.budgets import OF_PROFILE, budget_document
from burndown.published.changelogs import changelog_documents
from burndown.published.issues import response_document
from burndown.published.metrics import snapshot_documents
from burndown.published.profiles import profile_document, query_document
from burndown.published.project_data import project_data_document
from burndown.published.rows import Row
from burndown.published.tables import DATA_TABLES, Numbered, Tables

__all__ = ["PublishedProfile", "PublishedQuery", "PublishedStore"]

_EMPTY = {
    "jira_cache": "when issues were fetched, which is in the issues themselves",
    "task_progress": "the progress of tasks, which ended with the dashboard",
}
"""Tables that hold nothing to keep."""
_KNOWN_TABLES = {"profiles", "queries", "app_state", *DATA_TABLES, *_EMPTY}


@dataclass
class PublishedQuery:
    """A query, and the row that it was read from."""

    key: str
    """The id that the dashboard uses."""
    profile: "PublishedProfile" = field(repr=False)
    document: Document
    number: int
    """The number of its row."""
    path: Path
    has_marker: ClassVar[bool] = False

    @property
    def profile_key(self) -> str:
        """Return the id of its profile that the dashboard uses."""
        return self.profile.key

    @property
    def where(self) -> str:
        """Return its place in the database."""
        return f"queries {self.ids}: "

    @property
    def ids(self) -> str:
        """Return the ids of its profile and itself, as they are here."""
        return f"{self.profile.document['id']}/{self.document['id']}"


@dataclass
class PublishedProfile:
    """A profile with its queries, and the row that it was read from."""

    key: str
    """The id that the dashboard uses."""
    document: Document
    path: Path
    queries: list[PublishedQuery] = field(default_factory=list)
    has_marker: ClassVar[bool] = False

    @property
    def where(self) -> str:
        """Return its place in the database."""
        return f"profiles {self.document['id']}: "


class PublishedStore:
    """The content of a database of the published dashboard; the data of queries is read on demand.

    Args:
        connection: an open connection, in one transaction as long as the store is used.
        path: the file of the database, for reports.
        findings: takes reports of what is converted or skipped; none contains a token.

    Attributes:
        profiles: the profiles with their queries; their names and ids are valid and unique.
        app_state: the app state to keep.
        tasks: none, since tasks ended with the dashboard.
        migrated_at: when the dashboard moved its own JSON files into this database, UTC; ``None``
            if it did not.

    Raises:
        sqlite3.DatabaseError: the file is damaged; so does :meth:`data`.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path, findings: Findings) -> None:
        self.path = path
        self._findings = findings
        self._tables = Tables(connection)
        self._written_at = modified_at(path)
        self._state = self._tables.app_state(findings.reporter(path, "app_state: "))
        self.profiles = list(self._read_profiles())
        make_names_unique(self.profiles, "profile", findings)
        for profile in self.profiles:
            make_names_unique(profile.queries, "query", findings)
        self.app_state = {**kept_state(self._state, self._skip), **self._active()}
        self.tasks: dict[str, Document] = {}
        self.migrated_at = migrated_at(self._state)
        self._report_skipped()

    def fetched_at(self, query: PublishedQuery) -> datetime | None:
        """Return when Jira was last asked for the issues of a query, UTC, if that is known."""
        return fetched_at(self._state, query.profile_key, query.key)

    def data(self, query: PublishedQuery) -> Iterator[SourceData]:
        """Read the data of a query, one entity after the other.

        Args:
            query: the query.

        Yields:
            The documents of the entities that it has any of.
        """
        tables, reporter = partial(self._rows, query), partial(self._reporter, query)
        written_at = self._written_at
        response = response_document(
            tables("jira_issues"),
            query.profile.document,
            query.document["jql"],
            self.fetched_at(query),
            written_at,
            reporter("jira_issues"),
        )
        yield from self._found(query, "jira_issues", JiraCache, response)
        changelogs = changelog_documents(
            tables("jira_changelog_entries"), reporter("jira_changelog_entries")
        )
        yield from self._found(query, "jira_changelog_entries", JiraChangelog, *changelogs)
        metrics = tables("metrics_data_points")
        project_data = project_data_document(
            tables("project_statistics"),
            next(iter(tables("project_scope")), None),
            metrics,
            written_at,
            reporter("project_statistics"),
        )
        yield from self._found(query, "project_statistics", ProjectData, project_data)
        snapshots = snapshot_documents(metrics, written_at, reporter("metrics_data_points"))
        yield from self._found(query, "metrics_data_points", MetricsSnapshot, *snapshots)
        budget = self._budget(query)
        yield from self._found(query, "budget_settings", Budget, budget)

    def _budget(self, query: PublishedQuery) -> Document | None:
        """Return the budget of a query; in an early shape, that of its profile."""
        report = self._reporter(query, "budget_settings")
        settings = self._rows(query, "budget_settings")
        revisions = self._rows(query, "budget_revisions")
        budget = budget_document(next(iter(settings), None), revisions, self._written_at, report)
        if budget is not None and not self._tables.has_column("budget_settings", "query_id"):
            report("the budget of the profile, given to each of its queries")
            budget[OF_PROFILE] = True
        return budget

    def _rows(self, query: PublishedQuery, table: str) -> list[dict[str, Any]]:
        return self._tables.data(table, query.number, self._reporter(query, table))

    def _reporter(self, query: PublishedQuery, table: str) -> Report:
        return self._findings.reporter(self.path, f"{table} {query.ids}: ")

    def _found(
        self, query: PublishedQuery, table: str, model: type[QueryData], *documents: Document | None
    ) -> Iterator[SourceData]:
        found = [document for document in documents if document is not None]
        if found:
            yield SourceData(self.path, model, found, f"{table} {query.ids}: ")

    # --- profiles and queries -----------------------------------------------------------------

    def _read_profiles(self) -> Iterator[PublishedProfile]:
        ids = UniqueIds("profile")
        rows = self._tables.profiles(self._findings.reporter(self.path, "profiles: "))
        for number, row in _valid_ids_first(rows):
            key = _key(row)
            profile_id = ids.add(key)
            report = self._findings.reporter(self.path, f"profiles {profile_id}: ")
            document = profile_document(row, profile_id, self._written_at, report)
            report_id(key, profile_id, report)
            profile = PublishedProfile(key, document, self.path)
            profile.queries += self._read_queries(profile, number)
            yield profile

    def _read_queries(self, profile: PublishedProfile, number: int) -> Iterator[PublishedQuery]:
        ids = UniqueIds("query")
        profile_id = profile.document["id"]
        rows = self._tables.queries(
            number, self._findings.reporter(self.path, f"queries {profile_id}: ")
        )
        for number, row in _valid_ids_first(rows):
            key = _key(row)
            query_id = ids.add(key)
            report = self._findings.reporter(self.path, f"queries {profile_id}/{query_id}: ")
            document = query_document(row, query_id, self._written_at, report)
            report_id(key, query_id, report)
            yield PublishedQuery(key, profile, document, number, self.path)

    def _active(self) -> dict[str, str]:
        """Return the active profile and query by their ids here, as far as they exist."""
        active = {}
        written = self._state.get(ACTIVE_PROFILE)
        profile = next((each for each in self.profiles if each.key == written), None)
        if profile is not None:
            active[ACTIVE_PROFILE] = profile.document["id"]
        elif written:
            self._skip(f"app_state: {ACTIVE_PROFILE}: there is no profile {format_value(written)}")
        written = self._state.get(ACTIVE_QUERY)
        queries = [] if profile is None else profile.queries
        query = next((each for each in queries if each.key == written), None)
        if query is not None:
            active[ACTIVE_QUERY] = query.document["id"]
        elif written:
            why = f"the active profile has no query {format_value(written)}"
            self._skip(f"app_state: {ACTIVE_QUERY}: {why}")
        return active

    # --- what is skipped ----------------------------------------------------------------------

    def _skip(self, why: str) -> None:
        self._findings.add_skipped(self.path, why)

    def _report_skipped(self) -> None:
        tables = self._tables
        for table in ("queries", *DATA_TABLES):
            orphans = tables.orphans(table)
            if orphans:
                owners = first_few([f"{each.owner}: {each.number} rows" for each in orphans])
                self._skip(f"{table}: of a profile or query that does not exist: {owners}")
            for column, count in tables.values_without_place(table).items():
                self._skip(f"{table}: {count} values of {column}, which this release does not know")
        for table, what in _EMPTY.items():
            if count := tables.count(table):
                self._skip(f"{table}: {count} rows: {what}")
        for table in tables:
            if table not in _KNOWN_TABLES and (count := tables.count(table)):
                self._skip(f"{table}: {count} rows of a table that this release does not know")


def _valid_ids_first(rows: list[Numbered]) -> list[Numbered]:
    """Return the rows in the order in which :class:`UniqueIds` needs them."""
    return sorted(rows, key=lambda each: not is_identifier(_key(each.row)))


def _key(row: Row) -> str:
    written = row.get("id")
    return "" if written is None else str(written)
