"""What the dashboard has written for a query over the years, brought into today's form.

Each function takes parsed JSON and gives documents for the models of what hangs on a query. What
cannot be taken raises :class:`FormatError`.
"""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

from burndown.errors import format_value
from burndown.legacy.conversion import LEGACY_VALUES, convert, keep_storable
from burndown.legacy.files import kind_of
from burndown.legacy.findings import Say
from burndown.legacy.profile_formats import is_timestamp
from burndown.models import Query, jira_cache_key
from burndown.models.values import to_iso_week, to_utc

__all__ = [
    "CACHE_LIFETIME",
    "FormatError",
    "changelog_documents",
    "jira_cache_document",
    "project_data_document",
    "query_document",
    "snapshot_documents",
]

CACHE_LIFETIME = timedelta(hours=24)
"""How long the dashboard trusts a cached answer."""

_ONE_DIGIT = re.compile(r"[0-9]{4}-W[1-9]").fullmatch
_MONDAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}").fullmatch
_LATEST = datetime.max.replace(tzinfo=UTC) - CACHE_LIFETIME

_ENVELOPE_KEYS = (
    "cache_version",
    "timestamp",
    "jql_query",
    "fields_requested",
    "issues",
    "total_issues",
)


class FormatError(Exception):
    """The value has none of the forms that the dashboard has written."""


def query_document(
    query_id: str, written: dict[str, Any], fallback_jql: str, written_at: datetime, say: Say
) -> dict[str, Any]:
    """The document of a query.

    Args:
        query_id: its id, which is the name of its folder.
        written: what ``query.json`` holds, empty if there is none.
        fallback_jql: the JQL that other files of the query tell.
        written_at: the time of the file, for want of ``created_at``.
        say: takes what was converted.
    """
    document = dict(written)
    if document.get("id", query_id) != query_id:
        document["legacy_id"] = document["id"]
    document["id"] = query_id
    if "profile_id" in document:  # the folder says whose it is
        document["legacy_profile_id"] = document.pop("profile_id")
    fallbacks = {"name": query_id, "jql": fallback_jql, "description": ""}
    for key in fallbacks:
        if document.get(key, "") is None:
            del document[key]
    document = convert(Query, document, say)
    for key, fallback in fallbacks.items():
        if key not in document or (key == "name" and document[key] == ""):
            document[key] = fallback
            if key != "description":
                say(f"{key}: there is none; taken as {format_value(fallback)}")
    if "created_at" not in document:
        document["created_at"] = written_at
        say("created_at: there is none; taken from the time of the file")
    return document


def jira_cache_document(written: Any, jql: str, written_at: datetime, say: Say) -> dict[str, Any]:
    """The answer of Jira that ``jira_cache.json`` holds, whole, with its key and its expiry.

    Args:
        written: the envelope with ``issues``, or the bare list of issues.
        jql: the JQL of the query, for want of one in the envelope.
        written_at: the time of the file, for want of a timestamp.
        say: takes what was converted.

    Raises:
        FormatError: there is no list of issues.
    """
    if isinstance(written, list):
        say("a list of issues without its envelope; taken as its issues")
        written = {"issues": written}
    if not isinstance(written, dict) or not isinstance(written.get("issues"), list):
        raise FormatError("there is no list of issues in it")
    asked = written.get("jql_query")
    fields = written.get("fields_requested")
    created_at = _timestamp(written.get("timestamp"))
    if created_at is None:
        created_at = min(written_at, _LATEST)
        say("timestamp: taken from the time of the file")
    return {
        "cache_key": jira_cache_key(
            asked if isinstance(asked, str) else jql, fields if isinstance(fields, str) else ""
        ),
        "created_at": created_at,
        "expires_at": created_at + CACHE_LIFETIME,
        "response": written,
    }


def _timestamp(text: Any) -> datetime | None:
    """The time of a cached response; the dashboard means UTC where it writes no offset."""
    if not is_timestamp(text):
        return None
    moment = datetime.fromisoformat(text)
    moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment if moment <= _LATEST else None


def changelog_documents(written: Any, say: Say, refuse: Say) -> list[dict[str, Any]]:
    """The histories that ``jira_changelog_cache.json`` holds, one for each issue.

    Reads the object by issue key, the older envelope with a list of issues, and files in which
    newer entries stand beside that envelope.

    Args:
        written: what the file holds.
        say: takes what was converted.
        refuse: takes what of it is no history.

    Raises:
        FormatError: it is no object.
    """
    if not isinstance(written, dict):
        raise FormatError(f"an object by issue key was expected, not {kind_of(written)}")
    histories: dict[str, Any] = {}
    enveloped = written.get("issues")
    in_envelope = isinstance(enveloped, list)
    if isinstance(enveloped, list):
        for issue in enveloped:
            key = issue.get("key") if isinstance(issue, dict) else None
            if isinstance(key, str):
                histories[key] = issue
            else:
                refuse("an issue without a key in the older envelope")
        say(f"histories taken from the older envelope, without its own keys: {len(histories)}")
    for key, history in written.items():
        if in_envelope and key in _ENVELOPE_KEYS:
            continue
        if isinstance(history, dict):
            histories[key] = history
        else:
            refuse(f"{format_value(key)}: an object was expected, not {kind_of(history)}")
    return [
        {"issue_key": key, "expires_at": None, "changelog": history}
        for key, history in histories.items()
    ]


def project_data_document(written: Any, written_at: datetime, say: Say) -> dict[str, Any]:
    """The project data that ``project_data.json`` holds, whole.

    Raises:
        FormatError: it is no object.
    """
    if not isinstance(written, dict):
        raise FormatError(f"an object was expected, not {kind_of(written)}")
    metadata = written.get("metadata")
    told = metadata.get("last_updated") if isinstance(metadata, dict) else None
    told = told or written.get("last_updated")
    return {
        "updated_at": to_utc(told) if is_timestamp(told) else written_at,
        "data": keep_storable(written, say),
    }


def snapshot_documents(
    written: Any, written_at: datetime, say: Say, refuse: Say
) -> list[dict[str, Any]]:
    """The weekly metrics that ``metrics_snapshots.json`` holds: one for each week and type.

    Args:
        written: what the file holds.
        written_at: the time of the file, for want of another.
        say: takes what was converted.
        refuse: takes what is no week, for which there is no place.

    Raises:
        FormatError: it is no object of weeks.
    """
    if not isinstance(written, dict):
        raise FormatError(f"an object of weeks was expected, not {kind_of(written)}")
    found: dict[tuple[str, str], dict[str, Any]] = {}
    other_spellings: list[str] = []
    for spelling, metrics in written.items():
        week = _week(spelling)
        if week is None:
            refuse(f"{format_value(spelling)}: an ISO week such as 2025-W12 was expected")
            continue
        if week != spelling:
            other_spellings.append(spelling)
        metrics = _metrics(metrics, spelling, say)
        if not metrics:
            found.setdefault((week, "other"), {})
        for name, metric in metrics.items():
            kind = found.setdefault((week, _metric_type(name)), {})
            if name in kind and kind[name] != metric:
                kind, name = _keep_both(found, week, name, metric, spelling, say)
            kind[name] = metric
    if other_spellings:
        told = ", ".join(f"{each} is now {_week(each)}" for each in other_spellings[:3])
        more = f" and {len(other_spellings) - 3} more" if len(other_spellings) > 3 else ""
        say(f"weeks in another spelling: {told}{more}")
    return [
        {
            "snapshot_date": week,
            "metric_type": metric_type,
            "created_at": _newest_timestamp(metrics) or written_at,
            "metrics": metrics,
            "forecast": None,
        }
        for (week, metric_type), metrics in found.items()
    ]


def _week(spelling: str) -> str | None:
    """The week, written also with one digit (``2025-W7``) or as its Monday (``2025-02-10``)."""
    if _ONE_DIGIT(spelling):
        spelling = f"{spelling[:-1]}0{spelling[-1]}"
    elif _MONDAY(spelling):
        try:
            year, week, weekday = date.fromisoformat(spelling).isocalendar()
        except ValueError:
            return None
        return f"{year:04}-W{week:02}" if weekday == 1 else None
    return to_iso_week(spelling)


def _metrics(written: Any, week: str, say: Say) -> dict[str, Any]:
    """The metrics of a week; what is no object is kept as one."""
    if isinstance(written, dict):
        return keep_storable(written, lambda what: say(f"{week}: {what}"))
    if written is None:
        say(f"{week}: null read as no metrics")
        return {}
    expected = f"an object of metrics was expected, got {kind_of(written)}"
    say(f"{week}: {expected}; kept under {LEGACY_VALUES}")
    return keep_storable({LEGACY_VALUES: written}, say)


def _metric_type(name: str) -> str:
    prefix = name.partition("_")[0]
    return prefix if prefix in ("dora", "flow") and "_" in name else "other"


def _keep_both(
    found: dict[tuple[str, str], dict[str, Any]],
    week: str,
    name: str,
    metric: Any,
    spelling: str,
    say: Say,
) -> tuple[dict[str, Any], str]:
    """Where two spellings of one week both have a metric, keep the newer under its name."""
    kind = found[week, _metric_type(name)]
    others = found.setdefault((week, "other"), {})
    aside = f"{name} (double)"
    say(f"week {spelling}: {name} is there twice; the older one is kept as {aside!r}")
    if (_newest_timestamp({name: metric}) or datetime.min.replace(tzinfo=UTC)) >= (
        _newest_timestamp({name: kind[name]}) or datetime.min.replace(tzinfo=UTC)
    ):
        others[aside] = kind[name]
        return kind, name
    return others, aside


def _newest_timestamp(metrics: dict[str, Any]) -> datetime | None:
    told = [metric.get("timestamp") for metric in metrics.values() if isinstance(metric, dict)]
    return max((to_utc(moment) for moment in told if is_timestamp(moment)), default=None)
