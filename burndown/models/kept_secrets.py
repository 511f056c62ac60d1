"""Rows of documents that have masks in the place of stored secrets."""

from collections.abc import Mapping
from typing import Any

from burndown.models.codec import Row, codec_of
from burndown.models.public_document import may_have_masks, with_stored_secrets
from burndown.models.sealer import sealer_of
from burndown.models.sealing import secrets_as_stored
from burndown.models.submodel import to_documents
from burndown.models.unknown_keys import OpenEntity

__all__ = ["has_masks", "with_kept_secrets"]


def has_masks(document: Mapping[str, Any], row: Row) -> bool:
    """Return whether a document, whose row is given, may have the mask of a secret."""
    return may_have_masks(document, [each for each in row.values() if type(each) is str])


def with_kept_secrets(
    entity: type[OpenEntity], document: Mapping[str, Any], row: Row, stored: Mapping[str, Any]
) -> Row:
    """Return the row of a document with the stored secrets that it masks.

    A secret that no key opens is kept as it is stored.

    Args:
        entity: the entity of the document.
        document: the document.
        row: its row, with the masks.
        stored: the stored document, with its envelopes; empty if there is none.
    """
    codec = codec_of(entity)
    key = {column.name: row[column.name] for column in entity.__table__.primary_key}
    given = sealer_of(entity).sealed({**to_documents(document), **key})
    with secrets_as_stored():
        kept = with_stored_secrets(given, stored)
        [complete] = codec.rows([{"created_at": row["created_at"], **kept}])
    return complete
