"""What all that hangs on a query has in common."""

from functools import cache
from typing import Any, TypeVar

from sqlalchemy import Select, bindparam, select, type_coerce

from burndown.errors import ProfileNotFoundError, QueryNotFoundError
from burndown.models import Profile, Query
from burndown.models.columns import CompressedJson, JsonText
from burndown.models.query_data import QueryData
from burndown.repositories.base import Documents, Repository, columns_of, key_of

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


@cache
def _encoded_rows(model: type[QueryData]) -> Select[Any]:
    columns = [
        type_coerce(column, type(column.type)(raw=True)).label(column.name)
        if isinstance(column.type, JsonText | CompressedJson)
        else column
        for column in columns_of(model)
    ]
    return select(*columns).where(*of_query(model))


class QueryDataRepository(Repository[D]):
    """Rows that belong to a query."""

    def list_encoded(self, profile_id: str, query_id: str) -> Documents:
        """All rows of the query, expired ones included, their JSON as the bytes that are stored."""
        key = {"profile_id": profile_id, "query_id": query_id}
        return [row._asdict() for row in self._rows(_encoded_rows(self.model), key)]

    def _explain(self, row: dict[str, Any]) -> None:
        if self._run(_PROFILE, row).first() is None:
            raise ProfileNotFoundError(row["profile_id"]) from None
        if self._run(_QUERY, row).first() is None:
            raise QueryNotFoundError(row["profile_id"], row["query_id"]) from None
