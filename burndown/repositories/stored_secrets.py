"""Stored secrets, which are kept where a document to save has masks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from burndown import models
from burndown.models import Document
from burndown.models.kept_secrets import row_with_kept_secrets
from burndown.sql import Executor, document_by_key

__all__ = ["keep_stored_secrets", "row_key"]


def keep_stored_secrets(
    executor: Executor,
    entity: type[models.OpenEntity],
    document: Mapping[str, Any],
    row: dict[str, Any],
) -> dict[str, Any]:
    """Return the row of a document with the stored secrets that it masks."""

    def find_stored() -> Document | None:
        found = document_by_key(entity.__table__, entity.UNKNOWN_KEYS)
        return found.first(executor, **row_key(entity, row))

    return row_with_kept_secrets(entity, document, row, find_stored)


def row_key(entity: type[models.Entity], row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of the primary key of a row, with their values."""
    return {column.name: row[column.name] for column in entity.__table__.primary_key}
