"""Secrets in the JSON files of a workspace."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from burndown.models import Document, Entity
from burndown.models.codec import codec_of
from burndown.models.json_codec import encode
from burndown.models.public_document import may_have_masks, with_stored_secrets
from burndown.models.sealer import sealer_of
from burndown.models.unknown_keys import OpenEntity

__all__ = ["to_store", "with_kept_secrets"]


def to_store(entity: type[Entity], documents: Iterable[Mapping[str, Any]]) -> list[Document]:
    """Return complete documents with their secrets sealed."""
    return list(map(sealer_of(entity).sealed, codec_of(entity).complete(documents)))


def with_kept_secrets(
    entity: type[OpenEntity], document: Document, records: Callable[..., Iterator[Document]]
) -> Document:
    """Return a document with the stored secrets that it masks.

    Args:
        entity: the entity of the document.
        document: the document.
        records: returns the records of an entity, a profile and a query, as they are stored.
    """
    if not may_have_masks(document, [encode(document).decode()]):
        return document
    owners = (document.get(str(name)) for name in (entity.PROFILE_COLUMN, entity.QUERY_COLUMN))
    return with_stored_secrets(document, next(records(entity, *owners), {}))
