"""Which records are in which file of an export, and how they are written.

A record is in a file without the ids that follow from the name of the file.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from burndown.errors import ImportExportError, format_value
from burndown.models import (
    Entity,
    JiraCache,
    JiraChangelog,
    MetricsSnapshot,
    Profile,
    ProjectData,
    Query,
)
from burndown.models.json_codec import FILE_LAYERS, check_storable, decode, encode
from burndown.models.values import is_identifier
from burndown.persistence import Document

__all__ = [
    "FOLDERS",
    "MANIFEST",
    "PROFILE",
    "QUERIES",
    "SNAPSHOTS",
    "Place",
    "encoded",
    "file_name",
    "kind_of",
    "parsed",
    "records_in",
    "without_ids",
]

MANIFEST = "manifest.json"
PROFILE = "profile.json"
SNAPSHOTS = "metrics/snapshots.json"
QUERIES = "queries"

FOLDERS: dict[str, type[Entity]] = {
    QUERIES: Query,
    "project_data": ProjectData,
    "cache": JiraCache,
    "changelogs": JiraChangelog,
}
"""The folders with a file for each query, and what that holds."""

_OF_A_QUERY = re.compile(rf"({'|'.join(FOLDERS)})/(.*)\.json", re.DOTALL)


class Place(NamedTuple):
    """What a file holds."""

    model: type[Entity]
    query_id: str | None
    """The query that all of it belongs to, or that it is; ``None`` if it is of several or none."""


def kind_of(name: str, query_ids: Mapping[str, str]) -> Place | None:
    """Return what the file of this name below the export holds.

    Args:
        name: the name, with slashes.
        query_ids: the ids of queries whose files are named otherwise, by that name.

    Returns:
        ``None`` if it is no file of an export.

    Raises:
        ImportExportError: it is named after a query, but that is not the id of one.
    """
    if name == PROFILE:
        return Place(Profile, None)
    if name == SNAPSHOTS:
        return Place(MetricsSnapshot, None)
    found = _OF_A_QUERY.fullmatch(name)
    if found is None:
        return None
    folder, stem = found.groups()
    query_id = query_ids.get(stem, stem)
    if not is_identifier(query_id):
        raise ImportExportError(f"{format_value(query_id)} is no id of a query")
    return Place(FOLDERS[folder], query_id)


def file_name(model: type[Entity], stem: str) -> str:
    """Return the name of the file that holds what a query has of this kind.

    Args:
        model: the kind.
        stem: what the files of the query are called; see :mod:`.file_names`.
    """
    folder = next(name for name, kind in FOLDERS.items() if kind is model)
    return f"{folder}/{stem}.json"


def records_in(place: Place, content: Any) -> Iterator[Document]:
    """The records that a file holds, but for the id of the profile.

    Raises:
        ImportExportError: the file holds something else; the message says what was expected.
    """
    if place.model is MetricsSnapshot:
        for query_id, snapshots in _object(content).items():
            for snapshot in _list(snapshots):
                yield {**_object(snapshot), "query_id": query_id}
    elif place.query_id is None:
        yield _object(content)
    elif place.model is Query:
        yield {**_object(content), "id": place.query_id}
    elif place.model is ProjectData:
        yield {"query_id": place.query_id, "data": _object(content)}
    else:
        for record in _list(content):
            yield {**_object(record), "query_id": place.query_id}


def without_ids(record: Document) -> Document:
    """The record of a query, or of what belongs to one, without what says where it belongs."""
    ids = ("profile_id",) if "id" in record else ("profile_id", "query_id")
    return {key: item for key, item in record.items() if key not in ids}


def encoded(content: Any) -> bytes:
    """What stands in a file: UTF-8 with sorted keys, indented by two spaces."""
    return encode(_sorted(content), indent=2) + b"\n"


def parsed(data: bytes) -> Any:
    """The value of a file, which may have been edited.

    Raises:
        ImportExportError: it is not JSON, or says what cannot be stored.
    """
    try:
        return decode(data)
    except ValueError as strict:
        try:  # what nests as deep as can be stored, or has a byte order mark
            return check_storable(json.loads(data), -FILE_LAYERS)
        except (ValueError, RecursionError):
            raise ImportExportError(f"not valid JSON: {strict}") from None


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return [_sorted(item) for item in value]
    return value


def _object(value: Any) -> Document:
    if not isinstance(value, dict):
        raise ImportExportError(f"an object was expected, not {type(value).__name__}")
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ImportExportError(f"a list was expected, not {type(value).__name__}")
    return value
