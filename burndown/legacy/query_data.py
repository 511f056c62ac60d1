"""The large files of a query, read into documents and written from them.

What a file cannot say is taken from the notes beside it, as far as the file is still as it was
written; all else is read as one of the old formats. Each function that reads gives documents
without the ids of profile and query; each that writes gives files by name below the folder of the
query, ``None`` for one that must not be there, and puts into the notes what these do not say.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from burndown.files.paths import lexists
from burndown.files.reading import digest
from burndown.legacy.files import (
    UnreadableFileError,
    finite,
    json_file,
    modified_at,
    parse_json,
    read_bytes,
    read_json,
)
from burndown.legacy.findings import Findings
from burndown.legacy.layout import RESPONSES
from burndown.legacy.notes import (
    JiraCacheNote,
    ProjectDataNote,
    QueryNotes,
    ResponseNote,
)
from burndown.legacy.query_formats import (
    FormatError,
    changelog_documents,
    jira_cache_document,
    project_data_document,
)
from burndown.legacy.snapshots import read_snapshots, write_snapshots
from burndown.models import JiraCache, JiraChangelog, MetricsSnapshot, ProjectData
from burndown.models.query_data import QueryData
from burndown.models.values import to_utc

__all__ = ["DATA_FILES", "DataFile", "read_documents", "write_documents"]

Document = dict[str, Any]
Files = dict[str, bytes | None]


@dataclass(frozen=True)
class DataFile:
    """One of the large files of a query."""

    name: str
    model: type[QueryData]
    """What its entries are."""
    irreplaceable: bool
    """Whether it exists only here; the rest can be fetched from Jira again."""


DATA_FILES = {
    file.model: file
    for file in (
        DataFile("jira_cache.json", JiraCache, irreplaceable=False),
        DataFile("jira_changelog_cache.json", JiraChangelog, irreplaceable=False),
        DataFile("project_data.json", ProjectData, irreplaceable=True),
        DataFile("metrics_snapshots.json", MetricsSnapshot, irreplaceable=True),
    )
}


def read_documents(
    folder: Path, model: type[QueryData], jql: str, notes: QueryNotes, findings: Findings
) -> list[Document]:
    """What the folder of a query holds of one kind.

    What cannot be read is skipped if Jira can be asked again, and else a problem.

    Args:
        folder: the folder of the query.
        model: the kind.
        jql: the JQL of the query, for want of one beside the answers.
        notes: what stands beside the files.
        findings: takes what was converted, skipped, or cannot be read.
    """
    file = DATA_FILES[model]
    path = folder / file.name
    documents = _read_responses(folder, notes, findings) if model is JiraCache else []
    if not lexists(path):
        return documents
    try:
        data = read_bytes(path, findings.root)
        value = parse_json(data, path, findings)
        if file.irreplaceable:
            value = finite(value, path, findings)
        say = findings.about(path)
        refuse = partial(findings.refuse, path, irreplaceable=file.irreplaceable)
        if model is JiraChangelog:
            return [
                {**found, "expires_at": notes.changelogs.get(found["issue_key"])}
                for found in changelog_documents(value, say, refuse)
            ]
        if model is MetricsSnapshot:
            return read_snapshots(value, notes.snapshots, modified_at(path), say, refuse)
        if model is ProjectData:
            document = project_data_document(value, modified_at(path), say)
            if notes.project_data and notes.project_data.digest == digest(data):
                document["updated_at"] = notes.project_data.updated_at
            return [document]
        latest = _noted_cache(data, value, notes.jira_cache) or jira_cache_document(
            value, jql, modified_at(path), say
        )
        return [*(each for each in documents if not _same_key(each, latest)), latest]
    except (UnreadableFileError, FormatError) as error:
        findings.refuse(path, str(error), irreplaceable=file.irreplaceable)
        return documents


def write_documents(
    model: type[QueryData], documents: Iterable[Document], jql: str, notes: QueryNotes
) -> Files:
    """The files that hold these documents in place of all earlier ones of their kind."""
    found = list(documents)
    if model is JiraCache:
        return _write_responses(found, jql, notes)
    name = DATA_FILES[model].name
    if not found:
        return {name: None}
    if model is MetricsSnapshot:
        weeks, notes.snapshots = write_snapshots(found)
        return {name: json_file(weeks)}
    if model is JiraChangelog:
        notes.changelogs = {
            each["issue_key"]: to_utc(each["expires_at"])
            for each in found
            if each["expires_at"] is not None
        }
        return {name: json_file({each["issue_key"]: each["changelog"] for each in found})}
    data = json_file(found[-1]["data"])
    notes.project_data = ProjectDataNote(updated_at=found[-1]["updated_at"], digest=digest(data))
    return {name: data}


# --- answers of Jira -------------------------------------------------------------------------


def _read_responses(folder: Path, notes: QueryNotes, findings: Findings) -> list[Document]:
    documents: list[Document] = []
    for cache_key, note in notes.responses.items():
        path = folder / _response_file(cache_key)
        if not lexists(path):
            continue
        try:
            response = read_json(path, findings)
        except UnreadableFileError as error:
            findings.refuse(path, str(error), irreplaceable=False)
            continue
        documents.append(_cache_document(cache_key, note, response))
    return documents


def _noted_cache(data: bytes, value: Any, note: JiraCacheNote | None) -> Document | None:
    """The answer in ``jira_cache.json``, if that is as it was written."""
    if note is None or note.digest != digest(data):
        return None
    response = {key: item for key, item in value.items() if key not in note.added}
    return _cache_document(note.cache_key, note, response)


def _cache_document(cache_key: str, note: ResponseNote, response: Any) -> Document:
    return {
        "cache_key": cache_key,
        "created_at": note.created_at,
        "expires_at": note.expires_at,
        "response": response,
    }


def _write_responses(documents: list[Document], jql: str, notes: QueryNotes) -> Files:
    """The last answer with issues stands where the old dashboard finds it."""
    files: Files = {"jira_cache.json": None}
    files.update({_response_file(cache_key): None for cache_key in notes.responses})
    notes.jira_cache, notes.responses = None, {}
    for document in reversed(documents):
        cache_key, response = document["cache_key"], document["response"]
        moments = {name: document[name] for name in ("created_at", "expires_at")}
        if notes.jira_cache is None and isinstance(response.get("issues"), list):
            added = _missing_envelope(document, jql)
            data = files["jira_cache.json"] = json_file({**response, **added})
            notes.jira_cache = JiraCacheNote(
                **moments, cache_key=cache_key, digest=digest(data), added=list(added)
            )
        else:
            files[_response_file(cache_key)] = json_file(response)
            notes.responses = {cache_key: ResponseNote(**moments), **notes.responses}
    return files


def _missing_envelope(document: Document, jql: str) -> Document:
    """What the dashboard expects around the issues, if the answer does not come from itself."""
    if "timestamp" in document["response"]:
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


def _response_file(cache_key: str) -> str:
    return f"{RESPONSES}/{hashlib.sha256(cache_key.encode()).hexdigest()}.json"


def _same_key(one: Document, other: Document) -> bool:
    return bool(one["cache_key"] == other["cache_key"])
