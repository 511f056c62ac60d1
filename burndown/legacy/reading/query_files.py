"""The data files of a query, as documents without the ids of profile and query.

What such a file cannot hold is taken from the sidecar, as long as the file is as it was written.
Everything else is read as one of the old formats.
"""

from collections.abc import Callable, Container, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from burndown.conversion import (
    Findings,
    FormatError,
    SourceData,
    UnreadableError,
    json_type,
    parse_json,
    replace_non_finite,
)
from burndown.files.paths import is_folder, lexists, modified_at
from burndown.files.reading import digest
from burndown.legacy.contents import LegacyQuery
from burndown.legacy.layout import DATA_FILES, RESPONSES, response_file
from burndown.legacy.reading.json_files import read_bytes, read_json
from burndown.legacy.reading.query_formats import (
    changelog_documents,
    jira_cache_document,
    project_data_document,
)
from burndown.legacy.reading.sidecar_files import read_sidecar
from burndown.legacy.reading.snapshot_formats import described_snapshots
from burndown.legacy.sidecar import JiraCacheInfo, QuerySidecar, ResponseInfo
from burndown.models import (
    Document,
    JiraCache,
    JiraChangelog,
    MetricsSnapshot,
    ProjectData,
    QueryData,
)

__all__ = ["read_query_files"]


def read_query_files(
    query: LegacyQuery, findings: Findings, models: Container[type[QueryData]] = DATA_FILES
) -> Iterator[SourceData]:
    """Read the data files of a query, one after the other: some do not fit in memory together.

    A file that cannot be read is skipped if Jira has its data, and else a problem.

    Args:
        query: the query.
        findings: takes reports of what was converted, skipped, or cannot be read.
        models: which files to read.

    Yields:
        The files that exist.
    """
    sidecar = read_sidecar(QuerySidecar, query.sidecar_path, findings)
    jql = str(query.document["jql"])
    for model, name in DATA_FILES.items():
        path = query.folder / name
        if model in models and (lexists(path) or is_folder(query.folder / RESPONSES)):
            documents = _read_documents(path, model, jql, sidecar, findings)
            if documents or lexists(path):
                yield SourceData(path, model, documents)


def _read_documents(
    path: Path, model: type[QueryData], jql: str, sidecar: QuerySidecar, findings: Findings
) -> list[Document]:
    irreplaceable = model.IRREPLACEABLE
    responses = _read_responses(path.parent, sidecar, findings) if model is JiraCache else []
    if not lexists(path):
        return responses
    try:
        report = findings.reporter(path)
        data = read_bytes(path, findings.root)
        value = parse_json(data, report)
        if irreplaceable:  # the rest is fetched again sooner than anybody misses such a number
            value = replace_non_finite(value, report)
        skip = partial(findings.add_damaged, path, irreplaceable=irreplaceable)
        if model is JiraChangelog:
            return [
                {
                    **found,
                    "expires_at": sidecar.changelogs.get(found["issue_key"]),
                    "created_at": sidecar.changelogs_created.get(found["issue_key"]),
                }
                for found in changelog_documents(value, report, skip)
            ]
        if model is MetricsSnapshot:
            return described_snapshots(value, sidecar.snapshots, modified_at(path), report, skip)
        if model is ProjectData:
            document = project_data_document(value, modified_at(path), report)
            if sidecar.project_data and sidecar.project_data.digest == digest(data):
                document["updated_at"] = sidecar.project_data.updated_at
            return [document]
        if model is JiraCache:
            latest = _described_cache(data, value, sidecar.jira_cache) or jira_cache_document(
                value, jql, modified_at(path), report
            )
            # The file wins over a response of the same key: the old dashboard wrote it later.
            return [*(each for each in responses if not _same_key(each, latest)), latest]
        return _documents_in(value, skip)
    except (UnreadableError, FormatError) as error:
        findings.add_damaged(path, str(error), irreplaceable=irreplaceable)
        return responses


def _documents_in(value: Any, skip: Callable[[str], None]) -> list[Document]:
    """Return the documents of an entity that the old dashboard does not know.

    Raises:
        FormatError: the file does not hold a list.
    """
    if not isinstance(value, list):
        raise FormatError(f"input should be a list, got {json_type(value)}")
    documents = []
    for number, each in enumerate(value):
        if isinstance(each, dict):
            documents.append(each)
        else:
            skip(f"[{number}]: input should be an object, got {json_type(each)}")
    return documents


# --- cached Jira responses -------------------------------------------------------------------


def _read_responses(folder: Path, sidecar: QuerySidecar, findings: Findings) -> list[Document]:
    documents: list[Document] = []
    for cache_key, info in sidecar.responses.items():
        path = folder / response_file(cache_key)
        if not lexists(path):
            continue
        try:
            response = read_json(path, findings)
        except UnreadableError as error:
            findings.add_damaged(path, str(error), irreplaceable=False)
            continue
        documents.append(_cache_document(cache_key, info, response))
    return documents


def _described_cache(data: bytes, value: Any, info: JiraCacheInfo | None) -> Document | None:
    """Return the response in ``jira_cache.json``, if the file is unchanged."""
    if info is None or info.digest != digest(data):
        return None
    response = {key: item for key, item in value.items() if key not in info.added}
    return _cache_document(info.cache_key, info, response)


def _cache_document(cache_key: str, info: ResponseInfo, response: Any) -> Document:
    return {
        "cache_key": cache_key,
        "created_at": info.created_at,
        "expires_at": info.expires_at,
        "response": response,
    }


def _same_key(one: Document, other: Document) -> bool:
    return bool(one["cache_key"] == other["cache_key"])
