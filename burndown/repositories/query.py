"""The queries of a profile, most recently used first."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy import bindparam

from burndown.errors import QueryNotFoundError
from burndown.models import Query
from burndown.models.query import QueryDocument
from burndown.models.sealer import sealer_of
from burndown.repositories.deletion import delete_keys
from burndown.repositories.revisions import (
    Change,
    RevisedRepository,
    change_revised,
    save_revised,
)
from burndown.sql import Executor, Statement, key_conditions, select_documents

__all__ = ["QueryRepository", "change_query", "get_query", "list_queries"]

_TABLE = Query.__table__
_C = _TABLE.c
_KEY = key_conditions(_TABLE)
_ALL = select_documents(_TABLE)
_OPEN = sealer_of(Query).opened_value
_GET: Statement[QueryDocument] = Statement(_ALL.where(*_KEY), Query.UNKNOWN_KEYS, _OPEN)
_LIST: Statement[QueryDocument] = Statement(
    _ALL.where(_C.profile_id == bindparam("profile_id")).order_by(_C.last_used.desc(), _C.id),
    Query.UNKNOWN_KEYS,
    _OPEN,
)


def get_query(executor: Executor, profile_id: str, query_id: str) -> QueryDocument | None:
    """Return the query, unknown keys next to the known ones, or ``None``."""
    return _GET.first(executor, profile_id=profile_id, id=query_id)


def list_queries(executor: Executor, profile_id: str) -> list[QueryDocument]:
    """Return the profile's queries, most recently used first; empty if there is no such profile."""
    return _LIST.documents(executor, profile_id=profile_id)


def change_query(
    executor: Executor, profile_id: str, query_id: str, change: Change
) -> QueryDocument:
    """Save what a function makes of the stored query; return that as it is stored then.

    Raises:
        QueryNotFoundError: there is none.
        RevisionConflictError, ValidationError: as of :func:`save_revised`.
    """

    def save(executor: Executor, given: Mapping[str, Any], row: dict[str, Any]) -> None:
        save_revised(executor, Query, given, row)

    read = partial(get_query, executor, profile_id, query_id)
    saved = change_revised(executor, Query, read, change, save)
    if saved is None:
        raise QueryNotFoundError(profile_id, query_id)
    return saved


class QueryRepository(RevisedRepository[Query]):
    """Queries."""

    entity = Query

    def get(self, profile_id: str, query_id: str) -> Query | None:
        """Return the query, or ``None``."""
        return self._typed(get_query(self._executor, profile_id, query_id))

    def list(self, profile_id: str) -> Sequence[Query]:
        """Return the profile's queries, most recently used first; empty without such a profile."""
        return self._all_typed(list_queries(self._executor, profile_id))

    def delete(self, profile_id: str, query_id: str) -> None:
        """Delete the query with everything that belongs to it.

        Raises:
            QueryNotFoundError: the profile has none with this id.
        """
        if not delete_keys(self._executor, Query, [(profile_id, query_id)]):
            raise QueryNotFoundError(profile_id, query_id)
