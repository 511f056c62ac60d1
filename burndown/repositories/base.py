"""Reading and writing rows, for every entity in the same way.

A repository works in the session that it is given and never commits. It reads *documents*, plain
dicts of JSON values, straight from the row; the typed face makes models of them. Models that a
repository returns are values of their own: change one, then :meth:`Repository.save` it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from functools import cache
from typing import Any, ClassVar, Generic, TypeVar

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Delete,
    Executable,
    Insert,
    Row,
    Select,
    Table,
    bindparam,
    select,
    type_coerce,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from burndown.errors import ValidationError
from burndown.models import Entity
from burndown.models.columns import JsonText, SubmodelJson
from burndown.models.values import is_line

__all__ = ["Documents", "Repository", "columns_of", "documents", "key_of"]

E = TypeVar("E", bound=Entity)

Documents = list[dict[str, Any]]

_ROWS_AT_ONCE = 100

_INSERTS: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def columns_of(model: type[Entity]) -> Any:
    """The columns of the model's table, by name."""
    table: Table = model.__table__  # type: ignore[attr-defined]
    return table.c


def documents(model: type[Entity], *without: str) -> Select[Any]:
    """A SELECT of whole rows whose nested sections come as plain dicts."""
    return select(
        *(
            type_coerce(column, JsonText).label(column.name)
            if isinstance(column.type, SubmodelJson)
            else column
            for column in columns_of(model)
            if column.name not in without
        )
    )


def key_of(model: type[Entity]) -> list[ColumnElement[bool]]:
    """The conditions that one row meets, with a parameter for each column of the key."""
    return [column == bindparam(column.name) for column in columns_of(model) if column.primary_key]


class Repository(Generic[E]):
    """The rows of one entity."""

    model: type[E]
    """What is stored."""
    of_profile: ClassVar[str | None] = "profile_id"
    """The column that names the profile of a row, if it has one."""
    kept_if_unset: ClassVar[frozenset[str]] = frozenset()
    """Columns that an update leaves alone where the document does not have them."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def save(self, entity: E) -> None:
        """Insert the row, or replace the one that has its key.

        Raises:
            ValidationError: the entity was changed in place into something not valid.
            ProfileNotFoundError, QueryNotFoundError: what it belongs to does not exist.
        """
        rows = self.model.rows_of([entity.to_document()])
        self._write(rows, frozenset(rows[0]))

    def save_document(self, document: Mapping[str, Any], **defaults: Any) -> None:
        """Insert or replace the row that a document describes.

        Args:
            document: what to store.
            defaults: values for a new row, where the document has none.

        Raises:
            ValidationError: the document is not valid.
            ProfileNotFoundError, QueryNotFoundError: what it belongs to does not exist.
        """
        rows = self.model.rows_of([{**defaults, **document}])
        self._write(rows, frozenset(document))

    def save_documents(self, documents: Iterable[Mapping[str, Any]]) -> None:
        """Insert or replace the rows of many documents with one statement.

        Raises:
            ValidationError: a document is not valid; nothing was written.
            ProfileNotFoundError, QueryNotFoundError: what they belong to does not exist.
        """
        rows = self.model.rows_of(list(documents))
        if rows:
            self._write(rows, frozenset(rows[0]))

    def records(self, profile_id: str | None = None) -> Iterator[dict[str, Any]]:
        """All that is stored, or what is of one profile, by key; read as it is asked for."""
        if profile_id is None:
            statement, parameters = _all_rows(self.model), {}
        elif self.of_profile is None or not is_line(profile_id):
            return
        else:
            statement = _rows_of_profile(self.model, self.of_profile)
            parameters = {"profile_id": profile_id}
        with self._run(statement, parameters) as rows:
            for row in rows:
                yield self.model.document_of(row._mapping)

    def _document(self, statement: Select[Any], **parameters: Any) -> dict[str, Any] | None:
        rows = self._rows(statement, parameters)
        return self.model.document_of(rows[0]._mapping) if rows else None

    def _documents(self, statement: Select[Any], **parameters: Any) -> Documents:
        return [self.model.document_of(row._mapping) for row in self._rows(statement, parameters)]

    def _rows(self, statement: Select[Any], parameters: dict[str, Any]) -> Sequence[Row[Any]]:
        return self._run(statement, parameters).all() if _can_be_there(parameters) else []

    def _delete(self, statement: Delete, **parameters: Any) -> int:
        return self._run(statement, parameters).rowcount if _can_be_there(parameters) else 0

    def _entity(self, document: dict[str, Any] | None) -> E | None:
        return None if document is None else self.model.from_document(document)

    def _write(self, rows: list[dict[str, Any]], given: frozenset[str]) -> None:
        dialect = self.session.get_bind().dialect.name
        statement = _upsert(self.model, dialect, self.kept_if_unset - given)
        undoes_itself = dialect == "sqlite" and len(rows) == 1
        try:
            with nullcontext() if undoes_itself else self.session.begin_nested():
                self._run(statement, rows if len(rows) > 1 else rows[0])
        except IntegrityError:
            if len(rows) == 1:
                self._explain(rows[0])
                raise
            with self.session.begin_nested():
                for row in rows:  # the one that is refused says why
                    self._write([row], given)
            raise

    def _explain(self, row: dict[str, Any]) -> None:
        """Raise the error that says which rule of the database the row broke."""

    def _refuse_taken_name(self, row: dict[str, Any], holders: Select[Any]) -> None:
        for holder in self._run(holders, row).scalars():
            if holder != row["id"]:
                kind = self.model.__name__
                raise ValidationError.of(
                    f"{kind} {row['id']!r}",
                    "name",
                    f"a name other than that of {kind.lower()} {holder!r} was expected",
                    row["name"],
                ) from None

    def _run(self, statement: Executable, parameters: Any) -> CursorResult[Any]:
        self.session.flush()
        return self.session.connection().execute(statement, parameters)


def _can_be_there(parameters: dict[str, Any]) -> bool:
    return all(is_line(value) for value in parameters.values() if isinstance(value, str))


@cache
def _all_rows(model: type[Entity]) -> Select[Any]:
    table: Table = model.__table__  # type: ignore[attr-defined]
    in_order = documents(model).order_by(*table.primary_key)
    return in_order.execution_options(yield_per=_ROWS_AT_ONCE)


@cache
def _rows_of_profile(model: type[Entity], column: str) -> Select[Any]:
    return _all_rows(model).where(columns_of(model)[column] == bindparam("profile_id"))


@cache
def _upsert(model: type[Entity], dialect: str, kept: frozenset[str]) -> Insert:
    table: Table = model.__table__  # type: ignore[attr-defined]
    insert = _INSERTS[dialect](table)
    upsert: Insert = insert.on_conflict_do_update(
        index_elements=list(table.primary_key),
        set_={
            column.name: insert.excluded[column.name]
            for column in table.c
            if not column.primary_key and column.name not in kept
        },
    )
    return upsert
