"""Documents as a storage holds them, and the checks that a database makes itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from burndown import models
from burndown.errors import ProfileNotFoundError, QueryNotFoundError
from burndown.models import Document
from burndown.models.codec import codec_of
from burndown.models.documents import QUERY_IDS
from burndown.models.kept_secrets import document_with_kept_secrets
from burndown.models.sealer import sealer_of
from burndown.models.sealing import secrets_as_stored

__all__ = ["check_name", "check_owners_and_names", "keep_stored_secrets", "to_store"]

_Records = Callable[..., Iterator[Document]]
"""Returns the records of an entity, a profile and a query, as ``records`` of a backend does."""


def to_store(entity: type[models.Entity], documents: Iterable[Mapping[str, Any]]) -> list[Document]:
    """Return complete documents with their secrets sealed.

    Raises:
        ValidationError: for the first document that is not valid.
    """
    return list(map(sealer_of(entity).sealed, codec_of(entity).complete(documents)))


def keep_stored_secrets(
    entity: type[models.Entity], documents: list[Document], records: _Records
) -> list[Document]:
    """Return documents, with their secrets sealed, with the stored ones that they mask."""
    if not issubclass(entity, models.OpenEntity):
        return documents

    def kept(document: Document) -> Document:
        key = codec_of(entity).key(document)
        return document_with_kept_secrets(document, lambda: next(records(entity, *key), None))

    with secrets_as_stored():
        return list(map(kept, documents))


def check_owners_and_names(
    entity: type[models.Entity], documents: Iterable[Document], records: _Records
) -> None:
    """Check that what documents belong to exists, and that no other has the name of one.

    Raises:
        ProfileNotFoundError, QueryNotFoundError: what a document belongs to does not exist.
        ValidationError: a name is taken.
    """
    names: dict[tuple[str, ...], dict[str, str]] = {}
    for document in documents:
        owner = _owner(entity, document)
        if owner not in names:
            _check_owner(owner, records)
            siblings = records(entity, *owner) if issubclass(entity, models.NamedEntity) else ()
            names[owner] = {each["id"]: each["name"] for each in siblings}
        if issubclass(entity, models.NamedEntity):
            check_name(entity, document, names[owner])
            names[owner][document["id"]] = document["name"]


def check_name(
    entity: type[models.NamedEntity], document: Mapping[str, Any], names: Mapping[str, str]
) -> None:
    """Check that no other entity of the same scope has the name of a document.

    Args:
        entity: the entity.
        document: the document.
        names: the names in its scope, by id.

    Raises:
        ValidationError: another one has it.
    """
    for other, name in names.items():
        if name == document["name"] and other != document["id"]:
            raise models.named_entity.name_taken(entity, document, other)


def _owner(entity: type[models.Entity], document: Document) -> tuple[str, ...]:
    """Return the ids of the profile, or of the profile and query, that a document belongs to."""
    if issubclass(entity, models.QueryData):
        return tuple(document[name] for name in QUERY_IDS)
    return (document["profile_id"],) if issubclass(entity, models.Query) else ()


def _check_owner(owner: tuple[str, ...], records: _Records) -> None:
    if owner and not any(records(models.Profile, owner[0])):
        raise ProfileNotFoundError(owner[0])
    if len(owner) == len(QUERY_IDS) and not any(records(models.Query, *owner)):
        raise QueryNotFoundError(*owner)
