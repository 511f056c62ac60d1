"""What all that hangs on a query has in common."""

from typing import Any, TypeVar

from sqlalchemy import bindparam, select

from burndown.errors import ProfileNotFoundError, QueryNotFoundError
from burndown.models import Profile, Query
from burndown.models.query_data import QueryData
from burndown.repositories.base import Repository, columns_of, key_of

__all__ = ["QueryDataRepository", "of_query"]

D = TypeVar("D", bound=QueryData)

_PROFILE = select(columns_of(Profile).id).where(columns_of(Profile).id == bindparam("profile_id"))
_QUERY = select(columns_of(Query).id).where(
    columns_of(Query).profile_id == bindparam("profile_id"),
    columns_of(Query).id == bindparam("query_id"),
)


def of_query(model: type[QueryData]) -> Any:
    """The conditions that all rows of one query meet."""
    return [key for key in key_of(model) if key.left.name in ("profile_id", "query_id")]


class QueryDataRepository(Repository[D]):
    """Rows that belong to a query."""

    def _explain(self, row: dict[str, Any]) -> None:
        if self._run(_PROFILE, row).first() is None:
            raise ProfileNotFoundError(row["profile_id"]) from None
        if self._run(_QUERY, row).first() is None:
            raise QueryNotFoundError(row["profile_id"], row["query_id"]) from None
