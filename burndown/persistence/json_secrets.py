"""Secrets in the JSON files of a workspace."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from burndown.models import Document, Entity
from burndown.models.codec import codec_of
from burndown.models.kept_secrets import document_with_kept_secrets
from burndown.models.sealer import sealer_of

__all__ = ["keep_stored_secrets", "to_store"]


def to_store(entity: type[Entity], documents: Iterable[Mapping[str, Any]]) -> list[Document]:
    """Return complete documents with their secrets sealed."""
    return list(map(sealer_of(entity).sealed, codec_of(entity).complete(documents)))


def keep_stored_secrets(
    entity: type[Entity], document: Document, records: Callable[..., Iterator[Document]]
) -> Document:
    """Return a document with the stored secrets that it masks.

    Args:
        entity: the entity of the document.
        document: the document.
        records: returns the records of an entity, a profile and a query, as they are stored.
    """
    owners = (document.get(str(name)) for name in (entity.PROFILE_COLUMN, entity.QUERY_COLUMN))
    return document_with_kept_secrets(document, lambda: next(records(entity, *owners), None))
