"""Rows and documents that have masks in the place of stored secrets, which are kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from burndown.models.codec import Row, codec_of
from burndown.models.documents import Document
from burndown.models.json_codec import encode
from burndown.models.public_documents import may_have_masks, with_stored_secrets
from burndown.models.sealer import sealer_of
from burndown.models.sealing import secrets_as_stored
from burndown.models.submodel import to_documents

if TYPE_CHECKING:
    from burndown.models.unknown_keys import OpenEntity

__all__ = ["document_with_kept_secrets", "row_with_kept_secrets"]

FindStored = Callable[[], Mapping[str, Any] | None]
"""Returns the stored document with its envelopes, or ``None``; called only if there are masks."""


def document_with_kept_secrets(document: Document, find_stored: FindStored) -> Document:
    """Return a document, with its secrets sealed, with the stored ones that it masks."""
    if not may_have_masks(document, [encode(document).decode()]):
        return document
    return with_stored_secrets(document, find_stored() or {})


def row_with_kept_secrets(
    entity: type[OpenEntity], document: Mapping[str, Any], row: Row, find_stored: FindStored
) -> Row:
    """Return the row of a document with the stored secrets that it masks.

    A secret that no key opens is kept as it is stored.

    Args:
        entity: the entity of the document.
        document: the document.
        row: its row, with the masks; returned itself if there are none.
        find_stored: returns the stored document.
    """
    if not may_have_masks(document, [each for each in row.values() if type(each) is str]):
        return row
    codec = codec_of(entity)
    key = {column.name: row[column.name] for column in entity.__table__.primary_key}
    given = sealer_of(entity).sealed({**to_documents(document), **key})
    with secrets_as_stored():
        kept = with_stored_secrets(given, find_stored() or {})
        [complete] = codec.rows([{"created_at": row["created_at"], **kept}])
    return complete
