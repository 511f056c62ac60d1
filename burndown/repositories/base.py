"""Reading and writing rows, for every entity in the same way.

A repository works in the session that it is given and never commits. It reads *documents*, plain
dicts of JSON values, straight from the row; the typed face makes models of them. Models that a
repository returns are values of their own: change one, then :meth:`Repository.save` it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import nullcontext
from functools import cache, partial
from typing import Any, ClassVar, Generic, TypeVar

from sqlalchemy import Table, bindparam, tuple_
from sqlmodel import Session

from burndown.errors import ValidationError
from burndown.models import Entity
from burndown.models.columns import damaged
from burndown.repositories.connections import DriverConnection
from burndown.repositories.statements import Documents, Statement, Upsert, documents

__all__ = ["Repository", "records"]

E = TypeVar("E", bound=Entity)

_PAGE = 100
"""How many rows :func:`records` reads at once; they stay encoded until they are asked for."""


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
    read: Callable[[Callable[[DriverConnection], Iterator[dict[str, Any]]]], Any],
    repository: type[Repository[Any]],
    profile_id: str | None = None,
) -> Iterator[dict[str, Any]]:
    """Yield all that is stored of a kind, or what is of one profile, by key.

    The rows are read a hundred at a time, each time by a statement of its own: while the caller
    works on them, no connection is in use.

    Args:
        read: does some work on a connection, such as :meth:`burndown.database.Database.read`.
        repository: the kind.
        profile_id: the profile; ``None`` for all of them.
    """
    model: type[Entity] = repository.model
    table: Table = model.__table__  # type: ignore[attr-defined]
    parameters = dict.fromkeys((column.name for column in table.primary_key), "")
    statement = _page(model, None)
    if profile_id is not None:
        if repository.of_profile is None:
            return
        statement = _page(model, repository.of_profile)
        parameters["of_profile"] = profile_id
    is_at_end = False
    while not is_at_end:
        is_at_end = True
        for document in read(partial(statement.lazily, **parameters)):
            is_at_end = False
            parameters.update((column.name, document[column.name]) for column in table.primary_key)
            yield model.with_unknown_keys(document)


@cache
def _page(model: type[Entity], of_profile: str | None) -> Statement:
    """The rows after one, by key; no key is as small as an empty string."""
    table: Table = model.__table__  # type: ignore[attr-defined]
    key = list(table.primary_key)
    last = [bindparam(column.name, type_=column.type) for column in key]
    page = documents(model).where(tuple_(*key) > tuple_(*last)).order_by(*key).limit(_PAGE)
    if of_profile is not None:
        page = page.where(table.c[of_profile] == bindparam("of_profile"))
    return Statement(page)


@cache
def _upsert(model: type[Entity], kept: frozenset[str]) -> Upsert:
    return Upsert(model, kept)
