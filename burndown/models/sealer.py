"""Sealing the secrets of one entity: in the columns of a row, and in a document."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from burndown.models.documents import Document
from burndown.models.entity import Entity
from burndown.models.json_codec import decode
from burndown.models.json_columns import JsonColumn
from burndown.models.sealing import (
    Resealing,
    SecretState,
    opened,
    refuse_envelopes,
    resealed,
    sealed,
    seals,
    secret_states,
)
from burndown.secrets import MARK

__all__ = ["Sealer", "sealer_of"]

_Row = dict[str, Any]


class Sealer:
    """Seals and opens the secrets of an entity that has unknown keys; others have none.

    Args:
        entity: the class of the entity.
    """

    def __init__(self, entity: type[Entity]) -> None:
        self._name = entity.__name__
        self._table = str(entity.__tablename__)
        self._key = [column.name for column in entity.__table__.primary_key]
        self.columns: dict[str, tuple[str, ...]] = {
            column.name: () if column.name == entity.UNKNOWN_KEYS else (column.name,)
            for column in entity.__table__.c
            if entity.UNKNOWN_KEYS and isinstance(column.type, JsonColumn)
        }
        """The columns that can hold secrets, with the path to their content in documents."""

    def seals(self) -> bool:
        """Return whether the entity can have secrets, and they are sealed that are saved now."""
        return bool(self.columns) and seals()

    def sealed_row(self, row: _Row) -> _Row:
        """Return a row, whose JSON is not encoded yet, with its secrets sealed.

        Raises:
            PydanticCustomError: a secret cannot be stored exactly.
            StorageError: the keys cannot be read.
        """
        place = self._place(row)
        columns = self.columns.items()
        return {**row, **{name: sealed(row[name], place, path) for name, path in columns}}

    def opened_value(self, name: str, value: Any, row: Mapping[str, Any]) -> Any:
        """Return the decoded value of a column with its secrets opened, or masked.

        Args:
            name: the column.
            value: the value.
            row: the row, or at least its key.
        """
        path = self.columns.get(name)
        return value if path is None else opened(value, self._place(row), path)

    def refuse_envelopes(self, row: Mapping[str, Any]) -> None:
        """Refuse an encoded row with an envelope that the caller gave in the place of a secret.

        Raises:
            ValidationError: it has one.
        """
        for name, path in self.columns.items():
            if row[name] is not None and MARK in row[name]:
                refuse_envelopes(decode(row[name]), self._subject(row), path)

    def sealed(self, document: Document) -> Document:
        """Return a complete document as files store it, with its secrets sealed.

        Raises:
            ValidationError: it has an envelope in the place of a secret.
            StorageError: the keys cannot be read.
        """
        if not self.columns:
            return document
        if not seals():
            refuse_envelopes(document, self._subject(document))
            return document
        stored: Document = sealed(document, self._place(document))
        return stored

    def opened(self, document: Document) -> Document:
        """Return a document as files store it with its secrets opened, or masked."""
        if not self.columns:
            return document
        found: Document = opened(document, self._place(document))
        return found

    def resealed(self, document: Document, change: Resealing) -> Document:
        """Return a document as stored with its secrets sealed or unsealed; itself if none is.

        Raises:
            StorageError: the keys cannot be read.
        """
        return resealed(document, self._place(document), change) if self.columns else document

    def states(self, document: Document) -> dict[str, SecretState]:
        """Return the state of each secret of a document as stored, by its path."""
        return secret_states(document, self._place(document))

    def _place(self, document: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the table and key of a document or row."""
        return self._table, *[document[name] for name in self._key]

    def _subject(self, document: Mapping[str, Any]) -> str:
        return f"{self._name} {document[self._key[-1]]!r}"


@cache
def sealer_of(entity: type[Entity]) -> Sealer:
    """Return the sealer of an entity."""
    return Sealer(entity)
