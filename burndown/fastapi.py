"""Dependencies, bodies and error responses for services that use FastAPI.

    from fastapi import FastAPI

    from burndown import ProfileNotFoundError
    from burndown.fastapi import Backend, PublicProfile, install_error_handlers

    app = FastAPI()
    install_error_handlers(app)

    @app.get("/profiles/{profile_id}")
    def get_profile(profile_id: str, backend: Backend) -> PublicProfile:
        profile = backend.get_profile(profile_id)
        if profile is None:
            raise ProfileNotFoundError(profile_id)
        return profile

Models such as :class:`~burndown.Query` are bodies without further help.
"""

import logging
import math
import re
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Annotated, Any, TypeAlias

from anyio.to_thread import current_default_thread_limiter
from fastapi import Depends, FastAPI, Request
from fastapi.concurrency import contextmanager_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, GetPydanticSchema
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticKnownError, core_schema
from sqlmodel import Session

from burndown import database
from burndown.errors import (
    BudgetNotFoundError,
    DatabaseCorruptionError,
    FetchFailedError,
    ForeignDatabaseError,
    MissingExtraError,
    ProfileNotFoundError,
    QueryNotFoundError,
    RevisionConflictError,
    SchemaTooNewError,
    SecretKeyError,
    StorageError,
    StoreLocationError,
    TaskCancelledError,
    TaskRunningError,
    ValidationError,
)
from burndown.models import ENTITIES, Profile, ProfileDocument, Submodel, public_document
from burndown.persistence import PersistenceBackend, get_backend

__all__ = ["Backend", "PublicProfile", "ReadSession", "WriteSession", "install_error_handlers"]

RETRY_AFTER_SECONDS = 5
"""When a client may repeat a request that failed because the storage was not available."""

_log = logging.getLogger(__name__)


# --- dependencies ----------------------------------------------------------------------------


async def _backend() -> PersistenceBackend:  # a coroutine, since that needs no thread
    return get_backend()


def _read_session() -> Iterator[Session]:
    with database.read_session() as session:
        yield session


async def _write_session() -> AsyncIterator[Session]:
    # Before the session ends, FastAPI validates the response in a thread. All of its threads may be
    # waiting for the lock of this session, so their number is not limited meanwhile.
    limiter = current_default_thread_limiter()
    limit = limiter.total_tokens
    async with contextmanager_in_threadpool(database.session()) as session:
        limiter.total_tokens = math.inf
        try:
            yield session
        finally:
            limiter.total_tokens = limit


Backend: TypeAlias = Annotated[PersistenceBackend, Depends(_backend)]
"""The backend in use, for ``def`` endpoints: each call is a transaction of its own."""

ReadSession: TypeAlias = Annotated[Session, Depends(_read_session, scope="function")]
"""A session that reads one state of the data."""

# Sessions that write run one after the other, and wait for their turn without a thread.
WriteSession: TypeAlias = Annotated[
    Session, Depends(_write_session, scope="function", max_concurrency=1)
]
"""A session that writes. It is committed before the response is sent, so that a client learns of a
commit that fails; an error in the endpoint rolls it back."""


# --- bodies ----------------------------------------------------------------------------------

# Other programs use few models, and build their schemas late. FastAPI expects them to be built when
# a route is declared; later, pydantic would warn of what FastAPI has added to a type.
for _model in (*ENTITIES, *Submodel.__subclasses__()):
    _model.model_config["defer_build"] = False

_MASK = {
    "type": "object",
    "description": "Whether there is a token. In a request, it keeps the stored one.",
    "properties": {"is_set": {"type": "boolean"}},
    "required": ["is_set"],
    "additionalProperties": False,
}


def _unchanged(value: Any, _: Callable[[Any], Any]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise PydanticKnownError("dict_type")
    return value


class _ProfileBody:
    """The schemas of documents of profiles: those of the model, with a mask for the token."""

    @classmethod
    def __get_pydantic_core_schema__(cls, _: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_wrap_validator_function(
            _unchanged,
            handler.generate_schema(Profile),
            serialization=core_schema.plain_serializer_function_ser_schema(public_document),
            ref=f"{__name__}.PublicProfile",  # a definition of its own
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, _: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        # Made apart from that of the model, which an application may have as a body, too.
        profile = Profile.model_json_schema(mode=handler.mode)
        made: JsonSchemaValue = _inlined(profile, profile.pop("$defs", {}))
        jira = made["properties"]["jira_config"]["properties"]
        if handler.mode == "serialization":
            jira["token"] = _MASK
        else:
            jira["token"]["anyOf"].append(_MASK)
        return {**made, "title": "PublicProfile"}


def _inlined(schema: Any, definitions: dict[str, Any]) -> Any:
    """Return a copy of a schema with its definitions in place of their references."""
    if isinstance(schema, list):
        return [_inlined(each, definitions) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        schema = definitions[schema["$ref"].rpartition("/")[2]] | schema
    return {key: _inlined(each, definitions) for key, each in schema.items() if key != "$ref"}


PublicProfile: TypeAlias = Annotated[
    ProfileDocument, GetPydanticSchema(lambda _, handler: handler.generate_schema(_ProfileBody))
]
"""A profile's document as the body of requests and responses.

A response holds its :func:`~burndown.public_document`, without the token. In a request it is passed
on as it is, and checked by the call that saves it: a masked token keeps the stored one, so a client
can change what it got and return it.
"""


# --- errors ----------------------------------------------------------------------------------


def install_error_handlers(app: FastAPI) -> None:
    """Respond to errors of this package, and to invalid requests, without secrets and paths.

    ==============================================  ======  ======================================
    error                                           status  body
    ==============================================  ======  ======================================
    ``ProfileNotFoundError, QueryNotFoundError``,   404     ``{"detail": "Profile 'x' not found"}``
    ``BudgetNotFoundError``
    ``RevisionConflictError``                       409     ``{"detail": …, "given": 1, "current":
                                                            2}``
    ``TaskRunningError``                            409     ``{"detail": …, "started_at": …}``,
                                                            without the owner
    ``TaskCancelledError``, ``TaskLostError``       409     ``{"detail": …}``
    ``ValidationError, RequestValidationError``     422     ``{"detail": [{"loc": ["body",
                                                            "jira_config", "base_url"], "msg": …,
                                                            "type": …}]}``, without the input
    ``FetchFailedError``                            502     ``{"detail": …}``
    ``StorageError``                                503     ``{"detail": …}``, with ``Retry-After``
    ``DatabaseCorruptionError``,                    500     ``{"detail": …}``: trying again does
    ``ForeignDatabaseError``,                               not help
    ``SchemaTooNewError``,
    ``StoreLocationError``,
    ``SecretKeyError``, ``MissingExtraError``
    ==============================================  ======  ======================================

    The log of ``burndown.fastapi`` has the reason of the last two.

    Args:
        app: the application.
    """
    for error, handler in _HANDLERS.items():
        app.add_exception_handler(error, handler)


async def _not_found(_: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, 404)


async def _conflict(_: Request, error: RevisionConflictError) -> JSONResponse:
    body = {"detail": str(error), "given": error.given, "current": error.current}
    return JSONResponse(body, 409)


async def _running(_: Request, error: TaskRunningError) -> JSONResponse:
    # The owner is the name of a host, and a process on it.
    detail = f"Task '{error.task_name}' has been running since {error.started_at}"
    return JSONResponse({"detail": detail, "started_at": error.started_at}, 409)


async def _cancelled(_: Request, error: TaskCancelledError) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, 409)


async def _invalid(_: Request, error: ValidationError) -> JSONResponse:
    found = [
        {"loc": ["body", *_parts(each.path)], "msg": each.expected, "type": "value_error"}
        for each in error.problems
    ]
    return JSONResponse({"detail": found}, 422)


async def _invalid_request(_: Request, error: RequestValidationError) -> JSONResponse:
    # FastAPI's own handler repeats the input, which may be a token.
    found = [{key: each[key] for key in ("loc", "msg", "type")} for each in error.errors()]
    return JSONResponse({"detail": found}, 422)


async def _bad_gateway(_: Request, error: FetchFailedError) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, 502)


async def _unavailable(request: Request, error: StorageError) -> JSONResponse:
    _log.error("%s %s failed: %s", request.method, request.url.path, error)
    detail = "The storage is not available; try again later"
    return JSONResponse({"detail": detail}, 503, {"Retry-After": str(RETRY_AFTER_SECONDS)})


async def _unusable(request: Request, error: StorageError) -> JSONResponse:
    _log.error("%s %s failed: %s", request.method, request.url.path, error)
    return JSONResponse({"detail": "The storage cannot be used; the log has the reason"}, 500)


_HANDLERS: dict[type[Exception], Callable[[Request, Any], Coroutine[Any, Any, JSONResponse]]] = {
    ProfileNotFoundError: _not_found,
    QueryNotFoundError: _not_found,
    BudgetNotFoundError: _not_found,
    RevisionConflictError: _conflict,
    TaskRunningError: _running,
    TaskCancelledError: _cancelled,
    ValidationError: _invalid,
    RequestValidationError: _invalid_request,
    FetchFailedError: _bad_gateway,
    StorageError: _unavailable,
    DatabaseCorruptionError: _unusable,
    ForeignDatabaseError: _unusable,
    SchemaTooNewError: _unusable,
    StoreLocationError: _unusable,
    SecretKeyError: _unusable,
    MissingExtraError: _unusable,
}


def _parts(path: str) -> list[str | int]:
    """Return the keys and indexes of a path such as ``weeks[2].value``."""
    found = re.findall(r"\[(\d+)\]|([^.\[\]]+)", path)
    return [int(index) if index else key for index, key in found]
