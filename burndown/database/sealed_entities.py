"""Sealing the secrets of entities that SQLModel's sessions read and write."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import event
from sqlmodel import Session

from burndown.models import Document
from burndown.models.codec import Row, codec_of
from burndown.models.kept_secrets import row_with_kept_secrets
from burndown.models.sealer import sealer_of
from burndown.models.sealing import seals
from burndown.models.submodel import Submodel, to_documents
from burndown.models.unknown_keys import OpenEntity
from burndown.sql import Executor, document_by_key

__all__ = ["stored_row"]


def stored_row(session: Session, entity: OpenEntity) -> Row | None:
    """Return the row of an entity with its secrets as they are stored.

    ``None`` if they are stored as they are in the entity.
    """
    document, table = entity.to_document(), type(entity).__table__
    [row] = codec_of(type(entity)).rows([document])

    def find_stored() -> Document | None:
        connection = session.connection()
        # Not that of the session, which would flush it.
        executor = Executor(connection.dialect, connection.connection.cursor)
        key = {column.name: row[column.name] for column in table.primary_key}
        return document_by_key(table, entity.UNKNOWN_KEYS).first(executor, **key)

    kept = row_with_kept_secrets(type(entity), document, row, find_stored)
    return kept if kept is not row or seals() else None


@event.listens_for(OpenEntity, "load", propagate=True)
def _open_loaded(entity: OpenEntity, _context: Any) -> None:
    _open(entity, entity.__dict__)


@event.listens_for(OpenEntity, "refresh", propagate=True)
def _open_refreshed(entity: OpenEntity, _context: Any, names: Iterable[str] | None) -> None:
    _open(entity, entity.__dict__ if names is None else names)


def _open(entity: OpenEntity, names: Iterable[str]) -> None:
    """Open the secrets of values that were loaded."""
    sealer, values = sealer_of(type(entity)), entity.__dict__
    loaded = sealer.columns.keys() & set(names)
    for name in loaded:
        stored = to_documents(values[name])
        found = sealer.opened_value(name, stored, values)
        if found is not stored:
            section = type(values[name])
            is_section = issubclass(section, Submodel)
            values[name] = section.model_validate(found) if is_section else found
