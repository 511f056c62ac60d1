"""The data files of a query, written from documents.

Each file has the format of the old dashboard. Fields that it cannot contain are written to the
sidecar.
"""

import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from burndown.files.reading import digest
from burndown.legacy.layout import DATA_FILES, response_file
from burndown.legacy.sidecar import (
    JiraCacheInfo,
    ProjectDataInfo,
    QuerySidecar,
    ResponseInfo,
    SnapshotInfo,
)
from burndown.legacy.writing.json_files import encode_file
from burndown.models import (
    Document,
    JiraCache,
    JiraChangelog,
    MetricsSnapshot,
    ProjectData,
    QueryData,
)
from burndown.models.documents import QUERY_IDS
from burndown.models.json_codec import encode
from burndown.models.timestamps import to_utc

__all__ = ["query_files"]

_Files = dict[str, bytes | None]


def query_files(
    model: type[QueryData], documents: Iterable[Document], jql: str, sidecar: QuerySidecar
) -> _Files:
    """Return the files that hold these documents, in place of all earlier ones.

    Args:
        model: the entity type of the documents.
        documents: all that the query has of that type.
        jql: the JQL of the query.
        sidecar: takes what the files cannot hold.

    Returns:
        The content by path below the folder of the query; ``None`` for a file to be removed.
    """
    found = list(documents)
    if model is JiraCache:
        return _response_files(found, jql, sidecar)
    name = DATA_FILES[model]
    if not found:
        return {name: None}
    if model is MetricsSnapshot:
        weeks, sidecar.snapshots = _weeks(found)
        return {name: encode_file(weeks)}
    if model is JiraChangelog:
        sidecar.changelogs = _times(found, "expires_at")
        sidecar.changelogs_created = _times(found, "created_at")
        return {name: encode_file({each["issue_key"]: each["changelog"] for each in found})}
    if model is ProjectData:
        data = encode_file(found[-1]["data"])  # a query has one, and the last one replaces others
        updated_at = found[-1]["updated_at"]
        sidecar.project_data = ProjectDataInfo(updated_at=updated_at, digest=digest(data))
        return {name: data}
    # An entity that the old dashboard does not know: its documents, without the ids of the query.
    return {
        name: encode_file(
            [{key: each[key] for key in each if key not in QUERY_IDS} for each in found]
        )
    }


def _times(changelogs: Iterable[Document], field: str) -> dict[str, datetime]:
    """Return the timestamps in a field, by issue key."""
    return {each["issue_key"]: to_utc(each[field]) for each in changelogs if each[field]}


def _weeks(documents: Iterable[Document]) -> tuple[dict[str, Any], list[SnapshotInfo]]:
    """Return the metrics by week, and for the sidecar which belong to which snapshot."""
    weeks: dict[str, Document] = {}
    described: list[SnapshotInfo] = []
    for document in sorted(documents, key=lambda each: str(each["snapshot_date"])):
        week = weeks.setdefault(document["snapshot_date"], {})
        metrics = document["metrics"]
        differing = {
            name: value
            for name, value in metrics.items()
            if name in week and encode(week[name]) != encode(value)
        }
        # The old dashboard has one value for each name, that of the first type.
        week.update({name: each for name, each in metrics.items() if name not in week})
        fields = {key: document[key] for key in document if key in SnapshotInfo.model_fields}
        described.append(
            SnapshotInfo.model_validate({**fields, "metrics": list(metrics), "values": differing})
        )
    return weeks, described


def _response_files(documents: list[Document], jql: str, sidecar: QuerySidecar) -> _Files:
    """Put the last response with issues where the old dashboard reads it, others next to it."""
    cache_file = DATA_FILES[JiraCache]
    # Files of responses that are not written below again are removed.
    files: _Files = {cache_file: None}
    files.update({response_file(cache_key): None for cache_key in sidecar.responses})
    sidecar.jira_cache, sidecar.responses = None, {}
    for document in reversed(documents):
        cache_key, response = document["cache_key"], document["response"]
        times = {name: document[name] for name in ("created_at", "expires_at")}
        if sidecar.jira_cache is None and isinstance(response.get("issues"), list):
            added = _missing_envelope(document, jql)
            data = files[cache_file] = encode_file({**response, **added})
            sidecar.jira_cache = JiraCacheInfo(
                **times, cache_key=cache_key, digest=digest(data), added=list(added)
            )
        else:
            files[response_file(cache_key)] = encode_file(response)
            sidecar.responses = {cache_key: ResponseInfo(**times), **sidecar.responses}
    return files


def _missing_envelope(document: Document, jql: str) -> Document:
    """Return the keys that the old dashboard expects next to the issues and the response lacks."""
    if "timestamp" in document["response"]:  # the old dashboard wrote it
        return {}
    issues = document["response"]["issues"]
    envelope = {
        "cache_version": "2.0",
        "timestamp": document["created_at"],
        "jql_query": jql,
        "fields_requested": "",
        "total_issues": len(issues),
        "last_updated": document["created_at"],
        "jql_hash": hashlib.sha256(jql.encode()).hexdigest()[:16],
        "changed_keys": [
            issue["key"]
            for issue in issues
            if isinstance(issue, dict) and isinstance(issue.get("key"), str)
        ],
    }
    return {key: value for key, value in envelope.items() if key not in document["response"]}
