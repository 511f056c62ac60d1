"""The formats of a query and its data that the old dashboard has written over the years.

Each function takes parsed JSON and returns documents of the models, without the ids of profile and
query for the data of a query. An unknown format raises :class:`FormatError`.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from burndown.conversion import FormatError, Report, convert, is_timestamp, json_type, keep_storable
from burndown.errors import format_value
from burndown.models import Document, Query, jira_cache_key
from burndown.models.timestamps import to_utc

__all__ = [
    "CACHE_LIFETIME",
    "changelog_documents",
    "jira_cache_document",
    "project_data_document",
    "query_document",
]

CACHE_LIFETIME = timedelta(hours=24)
"""The time for which the old dashboard uses a cached response."""

_LATEST = datetime.max.replace(tzinfo=UTC) - CACHE_LIFETIME

_ENVELOPE_KEYS = (
    "cache_version",
    "timestamp",
    "jql_query",
    "fields_requested",
    "issues",
    "total_issues",
)


def query_document(
    query_id: str, written: dict[str, Any], fallback_jql: str, written_at: datetime, report: Report
) -> Document:
    """Return the document of a query.

    Args:
        query_id: its id, which is the name of its folder.
        written: the content of ``query.json``, empty if there is none.
        fallback_jql: the JQL from other files of the query.
        written_at: the time of the file, used without ``created_at``.
        report: takes a sentence on each value that is converted.
    """
    document = dict(written)
    if document.get("id", query_id) != query_id:
        document["legacy_id"] = document["id"]
    document["id"] = query_id
    if "profile_id" in document:  # the folder decides which profile it belongs to
        document["legacy_profile_id"] = document.pop("profile_id")
    # The model requires strings, and the old dashboard wrote null for what was not entered.
    fallbacks = {"name": query_id, "jql": fallback_jql, "description": ""}
    for key in fallbacks:
        if document.get(key, "") is None:
            del document[key]
    document = convert(Query, document, report)
    for key, fallback in fallbacks.items():
        if key not in document or (key == "name" and document[key] == ""):
            document[key] = fallback
            if key != "description":
                report(f"{key}: missing; taken as {format_value(fallback)}")
    if "created_at" not in document:
        document["created_at"] = written_at
        report("created_at: missing; taken from the time of the file")
    return document


def jira_cache_document(written: Any, jql: str, written_at: datetime, report: Report) -> Document:
    """Return the cached response in ``jira_cache.json``, with its cache key and expiry.

    Args:
        written: the envelope with ``issues``, or the bare list of issues.
        jql: the JQL of the query, used if the envelope has none.
        written_at: the time of the file, used without a timestamp.
        report: takes a sentence on each value that is converted.

    Raises:
        FormatError: there is no list of issues.
    """
    if isinstance(written, list):
        report("a list of issues without its envelope; taken as its issues")
        written = {"issues": written}
    if not isinstance(written, dict) or not isinstance(written.get("issues"), list):
        raise FormatError("input should be an object with a list of issues")
    written_jql = written.get("jql_query")
    fields = written.get("fields_requested")
    created_at = _cached_at(written.get("timestamp"))
    if created_at is None:
        created_at = min(written_at, _LATEST)
        report("timestamp: taken from the time of the file")
    return {
        "cache_key": jira_cache_key(
            written_jql if isinstance(written_jql, str) else jql,
            fields if isinstance(fields, str) else "",
        ),
        "created_at": created_at,
        "expires_at": created_at + CACHE_LIFETIME,
        "response": written,
    }


def _cached_at(written: Any) -> datetime | None:
    """Return the time of a cached response; without an offset the old dashboard means UTC."""
    if not is_timestamp(written):
        return None
    timestamp = datetime.fromisoformat(written)
    timestamp = timestamp.astimezone(UTC) if timestamp.tzinfo else timestamp.replace(tzinfo=UTC)
    return timestamp if timestamp <= _LATEST else None  # its expiry would be out of range


def changelog_documents(written: Any, report: Report, skip: Report) -> list[Document]:
    """Return the changelogs in ``jira_changelog_cache.json``, one for each issue.

    Reads the object by issue key, the older envelope with a list of issues, and files with newer
    entries next to that envelope.

    Args:
        written: the content of the file.
        report: takes a sentence on each value that is converted.
        skip: takes a sentence on each entry that is not a changelog.

    Raises:
        FormatError: it is not an object.
    """
    if not isinstance(written, dict):
        raise FormatError(f"input should be an object by issue key, got {json_type(written)}")
    changelogs: dict[str, Any] = {}
    enveloped = written.get("issues")
    in_envelope = isinstance(enveloped, list)
    if isinstance(enveloped, list):
        for issue in enveloped:
            key = issue.get("key") if isinstance(issue, dict) else None
            if isinstance(key, str):
                changelogs[key] = issue
            else:
                skip("an issue without a key in the older envelope")
        report(f"changelogs taken from the older envelope, without its own keys: {len(changelogs)}")
    for key, changelog in written.items():
        if in_envelope and key in _ENVELOPE_KEYS:
            continue
        if isinstance(changelog, dict):
            changelogs[key] = changelog
        else:
            skip(f"{format_value(key)}: input should be an object, got {json_type(changelog)}")
    # The old dashboard keeps changelogs until it fetches them again.
    return [
        {"issue_key": key, "expires_at": None, "changelog": changelog}
        for key, changelog in changelogs.items()
    ]


def project_data_document(written: Any, written_at: datetime, report: Report) -> Document:
    """Return the project data in ``project_data.json``, complete.

    Args:
        written: the content of the file.
        written_at: the time of the file, used if the data has no timestamp.
        report: takes a sentence on each value that is kept aside.

    Raises:
        FormatError: it is not an object.
    """
    if not isinstance(written, dict):
        raise FormatError(f"input should be an object, got {json_type(written)}")
    metadata = written.get("metadata")
    updated_at = metadata.get("last_updated") if isinstance(metadata, dict) else None
    updated_at = updated_at or written.get("last_updated")
    return {
        "updated_at": to_utc(updated_at) if is_timestamp(updated_at) else written_at,
        "data": keep_storable(written, report),
    }
