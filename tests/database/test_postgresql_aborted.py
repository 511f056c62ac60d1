"""A transaction that a PostgreSQL server aborted stores nothing and ends with an error."""

from collections.abc import Callable, Iterator

import psycopg
import pytest
from sqlalchemy import exc, make_url, text
from sqlmodel import Session, select

from burndown import Profile, StorageError, TransactionAbortedError
from burndown.database import open_database
from burndown.persistence.sql_backend import SQLBackend
from burndown.repositories import ProfileRepository


@pytest.fixture
def backend(postgres_url: str) -> Iterator[SQLBackend]:
    with SQLBackend(open_database(postgres_url)) as new:
        new.save_profile({"id": "p"})
        yield new


Call = Callable[[SQLBackend, Session], object]

LATER: dict[str, Call] = {
    "a read": lambda backend, session: backend.get_profile("p"),
    "a write": lambda backend, session: backend.set_app_state("later", "x"),
    "a part": lambda backend, session: read_in_part(backend),
    "a repository": lambda backend, session: ProfileRepository(session).list(),
    "SQL": lambda backend, session: session.connection().execute(text("SELECT 1")),
    "the ORM": lambda backend, session: session.exec(select(Profile)).all(),
}


def read_in_part(backend: SQLBackend) -> None:
    with backend.transaction():
        backend.get_profile("p")


def fail(backend: SQLBackend, session: Session) -> None:
    with pytest.raises(exc.ProgrammingError):
        session.connection().execute(text("SELECT * FROM nowhere"))


def lose_connection(backend: SQLBackend, session: Session) -> None:
    own = session.connection().execute(text("SELECT pg_backend_pid()")).scalar_one()
    url = make_url(backend.database.url.render_as_string(hide_password=False))
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 10000)", [own])
    with pytest.raises(StorageError):
        backend.get_profile("p")


@pytest.mark.parametrize("later", LATER.values(), ids=LATER)
@pytest.mark.parametrize("lose", [fail, lose_connection])
def test_an_error_that_ends_a_transaction_ends_its_block(
    backend: SQLBackend, lose: Callable[[SQLBackend, Session], None], later: Call
) -> None:
    def run() -> None:
        with backend.database.session() as session:
            backend.set_app_state("first", "x")
            lose(backend, session)
            with pytest.raises((TransactionAbortedError, exc.SQLAlchemyError)):
                later(backend, session)

    with pytest.raises(TransactionAbortedError):
        run()
    assert backend.get_app_state("first") is None
    assert backend.get_app_state("later") is None
    backend.set_app_state("first", "again")
    assert backend.get_app_state("first") == "again"


def test_a_block_raises_even_if_nothing_follows_the_error(backend: SQLBackend) -> None:
    """The server itself would reply to the commit with a rollback, and no error."""

    def run() -> None:
        with backend.database.session() as session:
            backend.set_app_state("first", "x")
            fail(backend, session)

    with pytest.raises(TransactionAbortedError):
        run()
    assert backend.get_app_state("first") is None
