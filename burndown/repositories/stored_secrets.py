"""Stored secrets, which are kept where a document to save has masks."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from burndown.models import Entity
from burndown.models.kept_secrets import has_masks, with_kept_secrets
from burndown.models.unknown_keys import OpenEntity
from burndown.sql import Executor, Statement, key_conditions, select_documents

__all__ = ["keep_stored_secrets", "row_key"]


def keep_stored_secrets(
    executor: Executor, entity: type[OpenEntity], document: Mapping[str, Any], row: dict[str, Any]
) -> dict[str, Any]:
    """Return the row of a document with the stored secrets that it masks."""
    if not has_masks(document, row):
        return row
    stored = _stored(entity).first(executor, **row_key(entity, row))
    return with_kept_secrets(entity, document, row, stored or {})


def row_key(entity: type[Entity], row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of the primary key of a row, with their values."""
    return {column.name: row[column.name] for column in entity.__table__.primary_key}


@cache
def _stored(entity: type[OpenEntity]) -> Statement:
    """Return the SELECT of a document with its secrets as they are stored."""
    table = entity.__table__
    return Statement(select_documents(table).where(*key_conditions(table)), entity.UNKNOWN_KEYS)
