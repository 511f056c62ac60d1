"""Reading and writing rows, for every entity in the same way.

A repository works in the session that it is given and never commits. It reads *documents*, plain
dicts of JSON values, straight from the row; the typed face makes models of them. Models that a
repository returns are values of their own: change one, then :meth:`Repository.save` it.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import nullcontext
from functools import cache
from typing import Any, ClassVar, Generic, TypeVar

from sqlalchemy import Select, Table, bindparam
from sqlmodel import Session

from burndown.errors import ValidationError
from burndown.models import Entity
from burndown.models.columns import damaged
from burndown.models.values import is_line
from burndown.repositories.connections import DriverConnection
from burndown.repositories.statements import Documents, Statement, Upsert, columns_of, documents

__all__ = ["Repository", "records"]

E = TypeVar("E", bound=Entity)


class Repository(Generic[E]):
    """The rows of one entity.

    Args:
        session: the session to work in, or the connection that the backend works on.
    """

    model: type[E]
    """What is stored."""
    of_profile: ClassVar[str | None] = "profile_id"
    """The column that names the profile of a row, if it has one."""
    kept_if_unset: ClassVar[frozenset[str]] = frozenset()
    """Columns that an update leaves alone where the document does not have them."""

    def __init__(self, session: Session | DriverConnection) -> None:
        self._connection: DriverConnection = (
            session if isinstance(session, DriverConnection) else DriverConnection.of(session)
        )

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

    def _document(self, statement: Statement, **parameters: Any) -> dict[str, Any] | None:
        for document in self._documents(statement, **parameters):
            return document
        return None

    def _documents(self, statement: Statement, **parameters: Any) -> Documents:
        found = statement.documents(self._connection, **parameters)
        if self.model.UNKNOWN_KEYS:
            for document in found:
                document.update(document.pop(self.model.UNKNOWN_KEYS))
        return found

    def _entity(self, document: dict[str, Any] | None) -> E | None:
        return None if document is None else self._entities([document])[0]

    def _entities(self, documents: Documents) -> list[E]:
        try:
            return [self.model.from_document(document) for document in documents]
        except ValidationError as error:
            raise damaged(str(self.model.__tablename__), error) from None

    def _write(self, rows: list[dict[str, Any]], given: frozenset[str]) -> None:
        connection = self._connection
        upsert = _upsert(self.model, self.kept_if_unset - given)
        undoes_itself = connection.dialect.name == "sqlite" and len(rows) == 1
        try:
            with nullcontext() if undoes_itself else connection.savepoint():
                upsert.run(connection, rows)
        except connection.dialect.loaded_dbapi.IntegrityError:
            if len(rows) == 1:
                self._explain(rows[0])
                raise
            with connection.savepoint():
                for row in rows:  # the one that is refused says why
                    self._write([row], given)
            raise

    def _explain(self, row: dict[str, Any]) -> None:
        """Raise the error that says which rule of the database the row broke."""

    def _refuse_taken_name(self, row: dict[str, Any], holders: Statement) -> None:
        for holder in holders.values(self._connection, **row):
            if holder != row["id"]:
                kind = self.model.__name__
                raise ValidationError.of(
                    f"{kind} {row['id']!r}",
                    "name",
                    f"a name other than that of {kind.lower()} {holder!r} was expected",
                    row["name"],
                ) from None


def records(
    session: Session, repository: type[Repository[Any]], profile_id: str | None = None
) -> Iterator[dict[str, Any]]:
    """Yield all that is stored of a kind, or what is of one profile, by key.

    The rows are read as they are asked for.
    """
    model: type[Entity] = repository.model
    parameters = {}
    if profile_id is None:
        statement = _all_rows(model)
    elif repository.of_profile is None or not is_line(profile_id):
        return
    else:
        statement = _rows_of_profile(model, repository.of_profile)
        parameters["profile_id"] = profile_id
    for document in statement.stream(session, **parameters):
        yield model.document_of(document)


@cache
def _all_rows(model: type[Entity]) -> Statement:
    return Statement(_rows_by_key(model))


@cache
def _rows_of_profile(model: type[Entity], column: str) -> Statement:
    of_profile = columns_of(model)[column] == bindparam("profile_id")
    return Statement(_rows_by_key(model).where(of_profile))


def _rows_by_key(model: type[Entity]) -> Select[Any]:
    table: Table = model.__table__  # type: ignore[attr-defined]
    return documents(model).order_by(*table.primary_key)


@cache
def _upsert(model: type[Entity], kept: frozenset[str]) -> Upsert:
    return Upsert(model, kept)
