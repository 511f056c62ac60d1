"""A REST service: ``python -m uvicorn --app-dir examples fastapi_service:app``."""

from typing import Any

from fastapi import FastAPI

from burndown import ProfileNotFoundError, Query, aio
from burndown.fastapi import Backend, PublicProfile, WriteSession, install_error_handlers
from burndown.repositories import QueryRepository

app = FastAPI(title="Burndown")
install_error_handlers(app)


@app.get("/profiles")
def list_profiles(backend: Backend) -> list[PublicProfile]:
    """Return all profiles, most recently used first."""
    return backend.list_profiles()


@app.get("/profiles/{profile_id}")
def get_profile(profile_id: str, backend: Backend) -> PublicProfile:
    """Return a profile, without its token."""
    profile = backend.get_profile(profile_id)
    if profile is None:
        raise ProfileNotFoundError(profile_id)
    return profile


@app.put("/profiles/{profile_id}")
def put_profile(profile_id: str, profile: PublicProfile, backend: Backend) -> PublicProfile:
    """Add or replace a profile; a stale revision is a conflict."""
    backend.save_profile({**profile, "id": profile_id})
    return get_profile(profile_id, backend)


@app.patch("/profiles/{profile_id}")
def patch_profile(profile_id: str, changes: dict[str, Any], backend: Backend) -> PublicProfile:
    """Change what is given (RFC 7396), and keep the rest."""
    return backend.patch_profile(profile_id, changes)


@app.post("/queries", status_code=201)
def add_query(query: Query, session: WriteSession) -> Query:
    """Add a query, in a session with typed entities."""
    QueryRepository(session).save(query)
    return query


@app.post("/active/{profile_id}/{query_id}")
async def activate(profile_id: str, query_id: str) -> None:
    """Make a profile and a query the active ones, in a coroutine."""
    backend = aio.get_backend()
    async with backend.transaction():
        await backend.set_app_state("active_profile_id", profile_id)
        await backend.set_app_state("active_query_id", query_id)
