"""The layout of an export: the file of each record, and its form there.

Each entity with an ``EXPORT_FILE`` has a file for each query if that name contains ``{query}``, or
else one file for all of them. A record is written without the ids that follow from its file, and
without its revision, which belongs to the store.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from burndown.errors import ImportExportError, format_value
from burndown.models import ENTITIES, Entity, Profile, Query
from burndown.models.documents import QUERY_IDS, REVISION
from burndown.models.field_types import is_identifier
from burndown.models.query_data import QueryData
from burndown.persistence import Document

__all__ = [
    "EXPORTED",
    "FOLDERS",
    "MANIFEST",
    "PROFILE",
    "QUERIES",
    "Part",
    "content_of",
    "file_content",
    "file_name",
    "has_file_per_query",
    "is_export_name",
    "part_of",
    "records_of",
]

_QUERY = "{query}"
_OF_THE_STORE = {*QUERY_IDS, REVISION}

EXPORTED = tuple(entity for entity in ENTITIES if entity.EXPORT_FILE)
"""The entities that an export holds, owners before what belongs to them."""
MANIFEST = "manifest.json"
PROFILE = str(Profile.EXPORT_FILE)
QUERIES = str(Query.EXPORT_FILE).partition("/")[0]
"""The folder of the queries."""
FOLDERS = frozenset(
    str(entity.EXPORT_FILE).partition("/")[0] for entity in EXPORTED if entity is not Profile
)
"""All folders of an export."""


class Part(NamedTuple):
    """The part of a profile that a file holds."""

    entity: type[Entity]
    query_id: str | None
    """The query that the file describes or belongs to; ``None`` for a file of all queries."""


def has_file_per_query(entity: type[Entity]) -> bool:
    """Return whether each query has a file of its own for this entity."""
    return _QUERY in str(entity.EXPORT_FILE)


def file_name(entity: type[Entity], stem: str = "") -> str:
    """Return the name of the file that holds an entity.

    Args:
        entity: the entity.
        stem: the file name of the query, if each has its own; see :mod:`.file_names`.
    """
    return str(entity.EXPORT_FILE).replace(_QUERY, stem)


def part_of(name: str, query_ids: Mapping[str, str]) -> Part | None:
    """Return the part of a profile that a file holds.

    Args:
        name: its name below the export, with slashes.
        query_ids: the ids of queries whose files are named otherwise, by that name.

    Returns:
        The part, or ``None`` if no file of an export has this name.

    Raises:
        ImportExportError: the name stands for a query, but not for a valid id.
    """
    for entity in EXPORTED:
        stem = _stem(entity, name)
        if stem is None:
            continue
        if not has_file_per_query(entity):
            return Part(entity, None)
        query_id = query_ids.get(stem, stem)
        if not is_identifier(query_id):
            raise ImportExportError(f"{format_value(query_id)} is not a valid id of a query")
        return Part(entity, query_id)
    return None


def is_export_name(name: str) -> bool:
    """Return whether a file or folder of an export can have this name."""
    if "/" not in name:
        return name in (MANIFEST, PROFILE) or name in FOLDERS
    stems = (_stem(entity, name) for entity in EXPORTED)
    return any(stem is not None and "/" not in stem for stem in stems)


def _stem(entity: type[Entity], name: str) -> str | None:
    """Return what a name has in place of ``{query}``; ``None`` if it is not of this entity."""
    before, _, after = file_name(entity, _QUERY).partition(_QUERY)
    if not has_file_per_query(entity):
        return "" if name == before else None
    is_one = name.startswith(before) and name.endswith(after)
    return name[len(before) : -len(after)] if is_one else None


# --- content -----------------------------------------------------------------------------------


def file_content(entity: type[QueryData], records: Iterable[Document]) -> Any:
    """Return the content of the file that holds the records of one query.

    It is the list of them; or the ``EXPORT_FIELD`` of the only one, if the entity has such a field.
    """
    if entity.EXPORT_FIELD is None:
        return [content_of(record) for record in records]
    [record] = records
    return record[entity.EXPORT_FIELD]


def records_of(part: Part, content: Any) -> Iterator[Document]:
    """Return the records in a file, without the id of the profile.

    Raises:
        ImportExportError: the content has another form.
    """
    entity, query_id = part
    if entity is Profile:
        yield _object(content)
    elif not issubclass(entity, QueryData):
        yield {**_object(content), "id": query_id}
    elif query_id is None:
        for each, records in _object(content).items():
            yield from _records_of_query(each, _list(records))
    elif entity.EXPORT_FIELD is None:
        yield from _records_of_query(query_id, _list(content))
    else:
        yield {entity.EXPORT_FIELD: _object(content), "query_id": query_id}


def content_of(record: Mapping[str, Any]) -> Document:
    """Return a record without what belongs to the store: its revision, and the ids of its query."""
    return {key: item for key, item in record.items() if key not in _OF_THE_STORE}


def _records_of_query(query_id: str, records: list[Any]) -> Iterator[Document]:
    for record in records:
        yield {**_object(record), "query_id": query_id}


def _object(value: Any) -> Document:
    if not isinstance(value, dict):
        raise ImportExportError(f"Input should be an object, got {type(value).__name__}")
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ImportExportError(f"Input should be a list, got {type(value).__name__}")
    return value
