"""Profiles and queries."""

from datetime import datetime
from typing import Any

from burndown.conversion import Report, UnreadableError, convert
from burndown.errors import format_value
from burndown.models import Document, Profile, Query
from burndown.published.rows import Row, parse_column

__all__ = ["profile_document", "query_document"]

_SECTIONS = (
    "jira_config",
    "field_mappings",
    "forecast_settings",
    "project_classification",
    "flow_type_mappings",
)
_FLAGS = ("show_milestone", "show_points")
_SECTION_DEPTH = 1
"""Containers around a section: the document."""


def profile_document(row: Row, profile_id: str, written_at: datetime, report: Report) -> Document:
    """Return the document of a row of ``profiles``.

    Columns that no release until now has are kept as unknown keys.

    Args:
        row: the profile, its sections as JSON text or parsed.
        profile_id: its id, valid and unique.
        written_at: the time of the file, used without ``created_at``.
        report: takes a sentence on each value that is converted or kept aside.
    """
    document = _document(row, profile_id)
    for section in _SECTIONS:
        if section in document:
            document[section] = _section(document[section], section, report)
    for flag in _FLAGS:
        if type(document.get(flag)) is int and document[flag] in (0, 1):
            document[flag] = bool(document[flag])
    return _with_defaults(
        convert(Profile, document, report), {"name": profile_id}, written_at, report
    )


def query_document(row: Row, query_id: str, written_at: datetime, report: Report) -> Document:
    """Return the document of a row of ``queries``, without the id of its profile.

    Columns that no release until now has are kept as unknown keys.

    Args:
        row: the query.
        query_id: its id, valid, and unique within its profile.
        written_at: the time of the file, used without ``created_at``.
        report: takes a sentence on each value that is converted or kept aside.
    """
    document = _document(row, query_id)
    document.pop("profile_id", None)
    document = convert(Query, document, report)
    return _with_defaults(document, {"name": query_id, "jql": ""}, written_at, report)


def _document(row: Row, identifier: str) -> Document:
    """Return the columns that are not NULL, with the id that the entity has here."""
    document = {column: value for column, value in row.items() if value is not None}
    written = document.get("id", identifier)
    document["id"] = identifier
    return document if written == identifier else {**document, "legacy_id": written}


def _section(written: Any, section: str, report: Report) -> Any:
    """Return the value of a section; one that is not JSON stays text, which is kept aside."""
    try:
        return parse_column(written, _SECTION_DEPTH, lambda what: report(f"{section}: {what}"))
    except UnreadableError:
        return written


def _with_defaults(
    document: Document, defaults: Document, written_at: datetime, report: Report
) -> Document:
    for key, default in defaults.items():
        if key not in document:
            document[key] = default
            report(f"{key}: missing; taken as {format_value(default)}")
    if "created_at" not in document:
        document["created_at"] = written_at
        report("created_at: missing; taken from the time of the file")
    return document
