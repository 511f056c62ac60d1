"""A service that uses the store as FastAPI's documentation uses a database."""

from collections.abc import AsyncIterator, Iterator
from typing import Annotated

from fastapi import Depends, FastAPI
from sqlmodel import Session

from burndown import Profile, database, get_backend
from burndown.repositories import ProfileRepository

app = FastAPI()


def session() -> Iterator[Session]:
    """Begin a session; FastAPI enters and leaves it in different threads."""
    with database.session() as new:
        yield new


def transaction() -> Iterator[None]:
    """Begin a transaction, likewise."""
    with get_backend().transaction():
        yield


async def async_transaction() -> AsyncIterator[None]:
    """Begin a transaction in the event loop."""
    with get_backend().transaction():
        yield


# A dependency of this scope ends before the response is sent, so that an error is answered.
# Its endpoints have no return type: FastAPI would validate what they return in a further thread,
# and all of its threads may be waiting for the transaction that is open until then.
OpenedSession = Annotated[Session, Depends(session, scope="function")]


@app.post("/session/{key}")
def by_session(key: str, opened: OpenedSession):
    """Save through a typed repository."""
    ProfileRepository(opened).save(Profile(id=key))
    return key


@app.post("/transaction/{key}", dependencies=[Depends(transaction, scope="function")])
def by_transaction(key: str):
    """Save through the backend, together with a transaction of a dependency."""
    get_backend().save_profile({"id": key})
    return key


@app.post("/call/{key}")
def by_call(key: str):
    """Save through the backend, in a thread."""
    get_backend().save_profile({"id": key})
    return key


@app.post("/async/{key}")
async def by_coroutine(key: str):
    """Save through the backend, in the event loop."""
    with get_backend().transaction():
        get_backend().save_profile({"id": key})
    return key


@app.post("/async-transaction/{key}", dependencies=[Depends(async_transaction, scope="function")])
async def by_async_transaction(key: str):
    """Save through the backend, in a transaction of the event loop."""
    get_backend().save_profile({"id": key})
    return key


@app.post("/failing/{key}")
def failing(key: str, opened: OpenedSession):
    """Save, and fail."""
    ProfileRepository(opened).save(Profile(id=key))
    raise LookupError(key)
