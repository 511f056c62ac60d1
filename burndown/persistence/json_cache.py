"""Deletion of cached responses and changelogs from JSON files."""

from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import accumulate
from typing import Any

from burndown.legacy import LegacyProfile, LegacyQuery, WorkspaceWriter
from burndown.legacy.writing.json_files import encode_file
from burndown.models import EXPIRING_ENTITIES, Document, QueryData
from burndown.models.codec import codec_of
from burndown.persistence.caching import keeping_order

__all__ = ["delete_above", "delete_cached"]

_Cached = tuple[type[QueryData], LegacyProfile, LegacyQuery, list[Document]]


def _cached(writer: WorkspaceWriter, profile_id: str | None = None) -> Iterator[_Cached]:
    """Yield the documents that expire, all of one entity and query together."""
    for profile in list(writer.reader.workspace.profiles):
        if profile_id in (None, profile.document["id"]):
            for query in list(profile.queries):
                for entity in EXPIRING_ENTITIES:
                    found = writer.reader.data(entity, profile.document["id"], query)
                    yield entity, profile, query, found


def delete_cached(
    writer: WorkspaceWriter, is_deleted: Callable[[type[QueryData], Document], bool]
) -> int:
    """Delete documents that expire; return how many were deleted."""
    deleted = 0
    for entity, profile, query, found in _cached(writer):
        kept = [each for each in found if not is_deleted(entity, each)]
        if len(kept) < len(found):
            writer.save_data(entity, profile, query, kept)
            deleted += len(found) - len(kept)
    return deleted


def delete_above(
    writer: WorkspaceWriter, max_bytes: int, now: datetime, profile_id: str | None
) -> int:
    """Delete documents that expire until the others have at most ``max_bytes``."""

    def rank(entity: type[QueryData], document: Document) -> tuple[Any, ...]:
        number = EXPIRING_ENTITIES.index(entity)
        return (*keeping_order(document, now), number, *codec_of(entity).key(document))

    sizes = {
        rank(entity, each): len(encode_file(each[entity.CONTENT_FIELD]))
        for entity, _, _, found in _cached(writer, profile_id)
        for each in found
    }
    last_first = sorted(sizes, reverse=True)
    running = accumulate(sizes[each] for each in last_first)
    deleted = {each for each, kept in zip(last_first, running, strict=True) if kept > max_bytes}
    return delete_cached(writer, lambda entity, each: rank(entity, each) in deleted)
