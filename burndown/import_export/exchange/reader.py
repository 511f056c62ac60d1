"""An exchange file as an export that is open for reading."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from burndown import legacy, published
from burndown.conversion import (
    Finding,
    Findings,
    Report,
    UniqueIds,
    json_type,
    make_names_unique,
    report_id,
)
from burndown.import_export.exchange.content import METADATA, ExchangeContent, ExchangeQuery
from burndown.import_export.exchange.query_reader import QueryReader
from burndown.import_export.open_export import Content, locating_errors_at
from burndown.import_export.secrets import TOKEN
from burndown.models import Document, Query
from burndown.models.field_types import is_identifier

__all__ = ["ExchangeReader"]

_REDACTED = "<REDACTED_FOR_EXPORT>"
"""What the first version has in place of the token."""
_NOT_OF_PROFILE = "setup_status"
"""A key of the first version: the steps that a person had completed in the other application."""


@dataclass
class _Source:
    """A profile or query, as the conversion of names takes it."""

    document: Document
    path: Path
    where: str
    has_marker: ClassVar[bool] = False


@dataclass
class _Query(_Source):
    """A query, and what the file has of it."""

    written: ExchangeQuery


class ExchangeReader:
    """A reader of an exchange file.

    Values that have another form here are converted one by one, and reported.

    Args:
        content: the content of the file.
        findings: takes reports of what is converted or skipped; none contains a token.
    """

    edited: ClassVar[tuple[str, ...]] = ()
    """Always empty, as is ``added``: nothing in the file tells what was changed later."""
    added: ClassVar[tuple[str, ...]] = ()

    def __init__(self, content: ExchangeContent, findings: Findings) -> None:
        self._content = content
        self._findings = findings
        self.profile_place = content.profile_place
        self.queries_place = content.queries_place
        self.omitted_secrets: list[str] = []
        self._profile = self._read_profile()

    @property
    def query_count(self) -> int:
        """Return the number of queries."""
        return len(self._content.queries)

    @property
    def converted(self) -> list[Finding]:
        """Return what, of all that was read so far, is taken in another form."""
        return self._findings.converted

    @property
    def skipped(self) -> list[Finding]:
        """Return what, of all that was read so far, is not taken."""
        return self._findings.skipped

    def locating_errors(self, place: str) -> AbstractContextManager[None]:
        """Add the path to this place to errors within the block."""
        return locating_errors_at(f"{self._content.path}: {place}")

    def profile(self) -> Document:
        """Return the profile, without an id if the file has none."""
        profile = dict(self._profile)
        if self._content.profile_key is None:
            del profile["id"]
        return profile

    def contents(self) -> Iterator[Content]:
        """Read everything but the profile, the queries first."""
        queries = list(self._read_queries())
        make_names_unique(queries, "query", self._findings)
        yield Content(self.queries_place, Query, [query.document for query in queries])
        for query in queries:
            reader = QueryReader(
                query.written, query.document, self._profile, self._content, self._findings
            )
            yield from reader.data()

    # --- profile and queries ------------------------------------------------------------------

    def _read_profile(self) -> Document:
        content, where = self._content, f"{self.profile_place}: "
        report = self._findings.reporter(content.path, where)
        row = dict(content.profile)
        if row.pop(_NOT_OF_PROFILE, None) is not None:
            why = "the progress of its setup, which is over"
            self._findings.add_skipped(content.path, f"{where}{_NOT_OF_PROFILE}: {why}")
        row["jira_config"] = self._without_redacted_token(row.get("jira_config"))
        key = content.profile_key
        profile_id = UniqueIds("profile").add(key or "")
        document = published.profile_document(row, profile_id, content.written_at, report)
        # In the first files, a profile can have the flat format of the old dashboard.
        document = legacy.profile_document(profile_id, document, {}, report)
        source = _Source(document, content.path, where)
        if key is not None:
            report_id(key, profile_id, report)
        make_names_unique([source], "profile", self._findings)
        return source.document

    def _without_redacted_token(self, jira: Any) -> Any:
        """Return the Jira connection, and note whether its token was omitted."""
        if not isinstance(jira, dict) or not jira:
            return jira
        if jira.get("token") == _REDACTED:
            jira = {key: value for key, value in jira.items() if key != "token"}
        if "token" not in jira:
            self.omitted_secrets.append(f"{self.profile_place}: {TOKEN}")
        return jira

    def _read_queries(self) -> Iterator[_Query]:
        ids = UniqueIds("query")
        for query in sorted(self._content.queries, key=lambda each: not is_identifier(each.key)):
            query_id = ids.add(query.key)
            place = query.place_of(METADATA)
            report = self._findings.reporter(self._content.path, f"{place}: ")
            row = {"id": query.key, **self._metadata(query, report)}
            document = published.query_document(row, query_id, self._content.written_at, report)
            source = _Query(document, self._content.path, f"{place}: ", query)
            report_id(query.key, query_id, report)
            yield source

    def _metadata(self, query: ExchangeQuery, report: Report) -> Mapping[str, Any]:
        """Return what describes a query, as far as the file has it."""
        found = query.parts.get(METADATA)
        if found is not None and not isinstance(found, dict):
            report(f"input should be an object, got {json_type(found)}")
            found = None
        if found is not None and found.get("jql") is not None:
            return found
        response = query.parts.get("jira_cache")
        jql = response.get("jql_query") if isinstance(response, dict) else None
        return {**(found or {}), "jql": jql}
