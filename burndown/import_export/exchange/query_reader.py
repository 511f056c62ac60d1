"""The data of a query in an exchange file, as documents.

A part of the query holds rows of the tables of the published dashboard, or a data file of the old
dashboard.
"""

from collections import Counter
from collections.abc import Container, Iterator, Sequence
from functools import partial
from itertools import chain
from typing import Any

from burndown import legacy, published
from burndown.conversion import Findings, FormatError, Report, first_few, json_type
from burndown.errors import ValidationError
from burndown.import_export.exchange.content import (
    METADATA,
    OLD_PARTS,
    ExchangeContent,
    ExchangeQuery,
)
from burndown.import_export.open_export import Content
from burndown.models import (
    Budget,
    Document,
    JiraCache,
    JiraChangelog,
    MetricsSnapshot,
    ProjectData,
    QueryData,
)
from burndown.models.codec import codec_of
from burndown.published import Row

__all__ = ["QueryReader"]

_ISSUES = "jira_cache"
"""The part with the issues: rows, or the file of the old dashboard."""
_CHANGELOGS, _STATISTICS, _SCOPE = "changelog_entries", "statistics", "project_scope"
_METRICS, _SETTINGS, _REVISIONS = "metrics", "budget_settings", "budget_revisions"
_TABLES = {
    _ISSUES: "jira_issues",
    _CHANGELOGS: "jira_changelog_entries",
    _METRICS: "metrics_data_points",
}
"""The tables of which not every column is read, by the part that has their rows."""
_Found = tuple[str, type[QueryData], Sequence[Document | None]]
"""A part, and the documents of an entity in it; ``None`` for no document."""


class QueryReader:
    """A reader of the data of one query.

    Args:
        query: the query in the file.
        document: its document.
        profile: the document of its profile.
        content: the file.
        findings: takes reports of what is converted or skipped.
    """

    def __init__(
        self,
        query: ExchangeQuery,
        document: Document,
        profile: Document,
        content: ExchangeContent,
        findings: Findings,
    ) -> None:
        self._query = query
        self._document = document
        self._profile = profile
        self._content = content
        self._written_at = content.written_at
        self._findings = findings
        self._unread = set(query.parts) - {METADATA}

    def data(self) -> Iterator[Content]:
        """Read all parts, one entity after the other.

        Yields:
            The documents of the entities that it has any of.

        Raises:
            ImportExportError: the file of a part is damaged.
        """
        found: set[type[QueryData]] = set()
        for part, entity, documents in chain(self._of_rows(), self._of_old_files(found)):
            stored = self._storable(part, entity, documents)
            if stored:
                found.add(entity)
                yield Content(self._query.place_of(part), entity, stored)
        unread = [part for part in sorted(self._unread) if self._query.parts[part] is not None]
        if unread:
            self._findings.add_skipped(
                self._content.path, f"{self._query.place}: {first_few(unread)}: no place here"
            )

    # --- entities -----------------------------------------------------------------------------

    def _of_rows(self) -> Iterator[_Found]:
        """Read the parts with rows of the published dashboard, and the issues in either form."""
        yield _ISSUES, JiraCache, [self._response()]
        rows = self._rows(_CHANGELOGS)
        changelogs = published.changelog_documents(rows, self._report(_CHANGELOGS))
        yield _CHANGELOGS, JiraChangelog, changelogs
        metrics, written_at = self._rows(_METRICS), self._written_at
        project_data = published.project_data_document(
            self._rows(_STATISTICS), self._scope(), metrics, written_at, self._report(_STATISTICS)
        )
        yield _STATISTICS, ProjectData, [project_data]
        snapshots = published.snapshot_documents(metrics, written_at, self._report(_METRICS))
        yield _METRICS, MetricsSnapshot, snapshots
        yield _SETTINGS, Budget, [self._budget()]

    def _response(self) -> Document | None:
        written = self._take(_ISSUES)
        report, jql = self._report(_ISSUES), self._document["jql"]
        issues = written.get("issues") if isinstance(written, dict) else None
        if isinstance(issues, list) and any(map(_is_row_of_issue, issues)):
            rows = self._rows_in(_ISSUES, list(map(_without_double, issues)))
            return published.response_document(
                rows, self._profile, jql, None, self._written_at, report
            )
        if written is None:
            return None
        try:
            return legacy.jira_cache_document(written, jql, self._written_at, report)
        except FormatError as error:
            self._skip(_ISSUES, str(error))
            return None

    def _scope(self) -> Row | None:
        """Return the row of the scope, whose columns are one object in the file."""
        written = self._take(_SCOPE)
        if not isinstance(written, dict):
            return None if written is None else {"scope_data": written}
        scope = {key: value for key, value in written.items() if key != "updated_at"}
        return published.flat_row({"scope_data": scope, "updated_at": written.get("updated_at")})

    def _budget(self) -> Document | None:
        """Return the budget of the query, or else that of the profile."""
        budget = self._budget_of(self._take(_SETTINGS), self._take(_REVISIONS))
        of_profile = self._content.budget
        if budget is not None or of_profile is None:
            return budget
        budget = self._budget_of(of_profile.get(_SETTINGS), of_profile.get(_REVISIONS))
        if budget is not None:
            self._report(_SETTINGS)("the budget of the profile, given to each of its queries")
            budget[published.OF_PROFILE] = True
        return budget

    def _budget_of(self, settings: Any, revisions: Any) -> Document | None:
        if settings is not None and not isinstance(settings, dict):
            self._skip(_SETTINGS, f"input should be an object, got {json_type(settings)}")
            settings = None
        return published.budget_document(
            None if settings is None else published.flat_row(settings),
            self._rows_in(_REVISIONS, revisions),
            self._written_at,
            self._report(_SETTINGS),
        )

    def _of_old_files(self, found: Container[type[QueryData]]) -> Iterator[_Found]:
        """Read the parts that are data files of the old dashboard, except the issues.

        Args:
            found: entities that are found already, which are not read.
        """
        for part, entity in OLD_PARTS.items():
            if part in self._unread and entity not in found:
                written = self._take(part)
                if written is not None:
                    try:
                        yield part, entity, self._of_old_file(part, entity, written)
                    except FormatError as error:
                        self._skip(part, str(error))

    def _of_old_file(self, part: str, entity: type[QueryData], written: Any) -> list[Document]:
        report, skip, written_at = self._report(part), partial(self._skip, part), self._written_at
        if entity is JiraChangelog:
            return legacy.changelog_documents(written, report, skip)
        if entity is MetricsSnapshot:
            return legacy.snapshot_documents(written, written_at, report, skip)
        return [legacy.project_data_document(written, written_at, report)]

    # --- parts --------------------------------------------------------------------------------

    def _take(self, part: str) -> Any:
        """Return the value of a part; ``None`` without it."""
        self._unread.discard(part)
        return self._query.parts.get(part)

    def _rows(self, part: str) -> list[Row]:
        return self._rows_in(part, self._take(part))

    def _rows_in(self, part: str, written: Any) -> list[Row]:
        """Return the rows in a list; whatever else is in it is skipped."""
        if written is None:
            return []
        if not isinstance(written, list):
            self._skip(part, f"input should be a list, got {json_type(written)}")
            return []
        odd = [f"[{i}]" for i, each in enumerate(written) if not isinstance(each, dict)]
        if odd:
            self._skip(part, f"input should be objects: {first_few(odd)}")
        rows = [published.flat_row(each) for each in written if isinstance(each, dict)]
        self._report_columns(part, rows)
        return rows

    def _report_columns(self, part: str, rows: Sequence[Row]) -> None:
        """Report the columns that are not read."""
        if part in _TABLES:
            columns = Counter(
                column for row in rows for column, value in row.items() if value is not None
            )
            others = published.columns_without_place(_TABLES[part], columns)
            if others:
                counts = [f"{columns[column]} values of {column}" for column in others]
                self._skip(part, f"columns that are not known: {first_few(counts)}")

    def _storable(
        self, part: str, entity: type[QueryData], documents: Sequence[Document | None]
    ) -> list[Document]:
        """Return the documents that can be stored, with the id of the query; report the others."""
        query_id = self._document["id"]
        found = [{**document, "query_id": query_id} for document in documents if document]
        try:
            self._check(entity, found)
        except ValidationError:
            # One invalid document refuses all of them. Checked one by one, only that one is lost.
            return [each for each in found if self._is_storable(part, entity, each)]
        return found

    def _is_storable(self, part: str, entity: type[QueryData], document: Document) -> bool:
        try:
            self._check(entity, [document])
        except ValidationError as error:
            self._skip(part, "; ".join(map(str, error.problems)))
            return False
        return True

    def _check(self, entity: type[QueryData], documents: Sequence[Document]) -> None:
        profile_id = self._profile["id"]
        codec_of(entity).complete({**each, "profile_id": profile_id} for each in documents)

    def _report(self, part: str) -> Report:
        return self._findings.reporter(self._content.path, f"{self._query.place_of(part)}: ")

    def _skip(self, part: str, why: str) -> None:
        self._findings.add_skipped(self._content.path, f"{self._query.place_of(part)}: {why}")


def _is_row_of_issue(value: Any) -> bool:
    return isinstance(value, dict) and "issue_key" in value


def _without_double(issue: Any) -> Any:
    """Return an issue without the column that it has a second time, under its name in Jira."""
    if not isinstance(issue, dict) or "fixVersions" not in issue:
        return issue
    others = {key: value for key, value in issue.items() if key != "fixVersions"}
    others.setdefault("fix_versions", issue["fixVersions"])
    return others if others["fix_versions"] == issue["fixVersions"] else issue
