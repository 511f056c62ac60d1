"""A service that uses the store in every way that FastAPI offers."""

from collections.abc import AsyncIterator

from fastapi import Depends, FastAPI

from burndown import (
    FetchFailedError,
    Profile,
    ProfileNotFoundError,
    Query,
    QueryNotFoundError,
    aio,
    get_backend,
)
from burndown.fastapi import Backend, ReadSession, WriteSession, install_error_handlers
from burndown.repositories import ProfileRepository, QueryRepository
from examples import fastapi_service

app = FastAPI()
install_error_handlers(app)


async def async_transaction() -> AsyncIterator[None]:
    """Begin a transaction in the event loop."""
    with get_backend().transaction():
        yield


# --- ways to write ---------------------------------------------------------------------------


@app.post("/session/{key}")
def by_session(key: str, session: WriteSession) -> Profile:
    """Save through a typed repository."""
    profile = Profile(id=key)
    ProfileRepository(session).save(profile)
    return profile


@app.post("/failing/{key}")
def failing(key: str, session: WriteSession) -> str:
    """Save, and fail."""
    ProfileRepository(session).save(Profile(id=key))
    raise LookupError(key)


@app.post("/fetch/{key}")
def by_fetch(key: str) -> str:
    """Wait for a fetch that fails."""
    raise FetchFailedError("ConnectionError")


@app.post("/call/{key}")
def by_call(key: str, backend: Backend) -> str:
    """Save through the backend, in a thread."""
    backend.save_profile({"id": key})
    return key


@app.post("/transaction/{key}")
def by_transaction(key: str, backend: Backend) -> str:
    """Save in a transaction of the endpoint."""
    with backend.transaction():
        backend.save_profile({"id": key})
        backend.save_query(key, {"id": "query"})
    return key


@app.post("/aio/{key}")
async def by_aio(key: str) -> str:
    """Save in a coroutine."""
    backend = aio.get_backend()
    async with backend.transaction():
        await backend.save_profile({"id": key})
        await backend.save_query(key, {"id": "query"})
    return key


@app.post("/loop/{key}")
async def by_loop(key: str) -> str:
    """Save in the event loop, which waits meanwhile."""
    with get_backend().transaction():
        get_backend().save_profile({"id": key})
    return key


@app.post("/loop-transaction/{key}", dependencies=[Depends(async_transaction, scope="function")])
async def by_async_transaction(key: str) -> str:
    """Save in a transaction of the event loop."""
    get_backend().save_profile({"id": key})
    return key


@app.post("/pending/{key}")
def pending(key: str, session: WriteSession) -> str:
    """Add what the database refuses when it is committed, since its profile does not exist."""
    session.add(Query(profile_id=key, id=key, name=key))
    return key


@app.post("/tasks/{name}")
def by_task(name: str, backend: Backend, cancel: bool = False) -> str:
    """Run a task, which is cancelled if that is requested."""
    with backend.task(name) as task:
        if cancel:
            backend.cancel_task(name)
        task.renew()
    return name


# --- bodies ----------------------------------------------------------------------------------


app.include_router(fastapi_service.app.router)  # the documents of profiles


@app.get("/typed/{profile_id}")
def get_typed(profile_id: str, session: ReadSession) -> Profile:
    """Return a profile as an entity."""
    profile = ProfileRepository(session).get(profile_id)
    if profile is None:
        raise ProfileNotFoundError(profile_id)
    return profile


@app.put("/typed/{profile_id}")
def put_typed(profile_id: str, profile: Profile, session: WriteSession) -> Profile:
    """Add or replace a profile from an entity."""
    ProfileRepository(session).save(profile)
    return profile


@app.get("/profiles/{profile_id}/queries/{query_id}")
def get_query(profile_id: str, query_id: str, session: ReadSession) -> Query:
    """Return a query."""
    query = QueryRepository(session).get(profile_id, query_id)
    if query is None:
        raise QueryNotFoundError(profile_id, query_id)
    return query


@app.put("/profiles/{profile_id}/queries/{query_id}")
def put_query(profile_id: str, query_id: str, query: Query, backend: Backend) -> Query:
    """Add or replace a query."""
    backend.save_query(profile_id, query)
    return query
