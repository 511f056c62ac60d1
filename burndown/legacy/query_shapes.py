"""What the dashboard has written for a query over the years, brought into today's form.

Each function takes parsed JSON and gives documents for the models of what hangs on a query. What
cannot be taken raises :class:`ShapeError`.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from burndown.errors import shown
from burndown.legacy.files import kind_of
from burndown.legacy.profile_shapes import Say, is_moment
from burndown.models import jira_cache_key
from burndown.models.values import to_iso_week, to_utc

__all__ = [
    "CACHE_LIFETIME",
    "ShapeError",
    "changelog_documents",
    "jira_cache_document",
    "project_data_document",
    "query_document",
    "snapshot_documents",
]

CACHE_LIFETIME = timedelta(hours=24)
"""How long the dashboard trusts a cached answer."""

_LATEST = datetime.max.replace(tzinfo=UTC) - CACHE_LIFETIME

_ENVELOPE_KEYS = (
    "cache_version",
    "timestamp",
    "jql_query",
    "fields_requested",
    "issues",
    "total_issues",
)


class ShapeError(Exception):
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
        say: takes what was put right.
    """
    document = dict(written)
    if document.get("id", query_id) != query_id:
        document["legacy_id"] = document["id"]
    document["id"] = query_id
    for key, fallback in (("name", query_id), ("jql", fallback_jql), ("description", "")):
        if document.get(key) is None or (key == "name" and document[key] == ""):
            document[key] = fallback
            if key != "description":
                say(f"{key}: there is none; taken as {shown(fallback)}")
    for key in ("created_at", "last_used", "updated_at"):
        if key in document and not is_moment(document[key]):
            value = document.pop(key)
            if value not in (None, ""):
                document[f"legacy_{key}"] = value
                say(f"{key}: {shown(value)} is no date and time; kept as legacy_{key}")
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
        say: takes what was put right.

    Raises:
        ShapeError: there is no list of issues.
    """
    if isinstance(written, list):
        say("a list of issues without its envelope; taken as its issues")
        written = {"issues": written}
    if not isinstance(written, dict) or not isinstance(written.get("issues"), list):
        raise ShapeError("there is no list of issues in it")
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
    """The moment of a cached answer; the dashboard means UTC where it writes no offset."""
    if not is_moment(text):
        return None
    moment = datetime.fromisoformat(text)
    moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment if moment <= _LATEST else None


def changelog_documents(written: Any, say: Say, leave_out: Say) -> list[dict[str, Any]]:
    """The histories that ``jira_changelog_cache.json`` holds, one for each issue.

    Reads the object by issue key, the older envelope with a list of issues, and files in which
    newer entries stand beside that envelope.

    Args:
        written: what the file holds.
        say: takes what was put right.
        leave_out: takes what of it is no history.

    Raises:
        ShapeError: it is no object.
    """
    if not isinstance(written, dict):
        raise ShapeError(f"an object by issue key was expected, not {kind_of(written)}")
    histories: dict[str, Any] = {}
    enveloped = written.get("issues")
    in_envelope = isinstance(enveloped, list)
    if isinstance(enveloped, list):
        for issue in enveloped:
            key = issue.get("key") if isinstance(issue, dict) else None
            if isinstance(key, str):
                histories[key] = issue
            else:
                leave_out("an issue without a key in the older envelope")
        say(f"histories taken from the older envelope, without its own keys: {len(histories)}")
    for key, history in written.items():
        if in_envelope and key in _ENVELOPE_KEYS:
            continue
        if isinstance(history, dict):
            histories[key] = history
        else:
            leave_out(f"{shown(key)}: an object was expected, not {kind_of(history)}")
    return [
        {"issue_key": key, "expires_at": None, "changelog": history}
        for key, history in histories.items()
    ]


def project_data_document(written: Any, written_at: datetime) -> dict[str, Any]:
    """The project data that ``project_data.json`` holds, whole.

    Raises:
        ShapeError: it is no object.
    """
    if not isinstance(written, dict):
        raise ShapeError(f"an object was expected, not {kind_of(written)}")
    metadata = written.get("metadata")
    told = metadata.get("last_updated") if isinstance(metadata, dict) else None
    told = told or written.get("last_updated")
    return {"updated_at": to_utc(told) if is_moment(told) else written_at, "data": written}


def snapshot_documents(written: Any, written_at: datetime, say: Say) -> list[dict[str, Any]]:
    """The weekly metrics that ``metrics_snapshots.json`` holds: one for each week and type.

    Raises:
        ShapeError: it is no object of weeks, each an object of metrics.
    """
    if not isinstance(written, dict):
        raise ShapeError(f"an object of weeks was expected, not {kind_of(written)}")
    found: dict[tuple[str, str], dict[str, Any]] = {}
    old_spellings: list[str] = []
    for spelling, metrics in written.items():
        week = to_iso_week(spelling)
        if week is None:
            raise ShapeError(f"{shown(spelling)}: an ISO week such as 2025-W12 was expected")
        if not isinstance(metrics, dict):
            expected = f"an object of metrics was expected, not {kind_of(metrics)}"
            raise ShapeError(f"{spelling}: {expected}")
        if week != spelling:
            old_spellings.append(spelling)
        if not metrics:
            found.setdefault((week, "other"), {})
        for name, metric in metrics.items():
            kind = found.setdefault((week, _metric_type(name)), {})
            if name in kind and kind[name] != metric:
                kind, name = _keep_both(found, week, name, metric, spelling, say)
            kind[name] = metric
    if old_spellings:
        told = ", ".join(f"{each} is now {to_iso_week(each)}" for each in old_spellings[:3])
        more = f" and {len(old_spellings) - 3} more" if len(old_spellings) > 3 else ""
        say(f"weeks in the old spelling: {told}{more}")
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
    return max((to_utc(moment) for moment in told if is_moment(moment)), default=None)
