"""What all that hangs on a query has in common."""

from functools import cache
from typing import Any, TypeVar

from sqlalchemy import bindparam, select, type_coerce

from burndown.errors import QueryNotFoundError
from burndown.models import Query
from burndown.models.columns import CompressedJson, JsonText
from burndown.models.query_data import QueryData
from burndown.repositories.base import Repository
from burndown.repositories.profile import refuse_without_profile
from burndown.repositories.statements import Documents, Statement, columns_of, key_of

__all__ = ["QueryDataRepository", "of_query"]

D = TypeVar("D", bound=QueryData)

_C = columns_of(Query)
_QUERY = Statement(
    select(_C.id).where(_C.profile_id == bindparam("profile_id"), _C.id == bindparam("query_id"))
)


def of_query(model: type[QueryData]) -> Any:
    """The conditions that all rows of one query meet."""
    return [key for key in key_of(model) if key.left.name in ("profile_id", "query_id")]


@cache
def _encoded_rows(model: type[QueryData]) -> Statement:
    columns = [
        type_coerce(column, type(column.type)(raw=True)).label(column.name)
        if isinstance(column.type, JsonText | CompressedJson)
        else column
        for column in columns_of(model)
    ]
    return Statement(select(*columns).where(*of_query(model)))


class QueryDataRepository(Repository[D]):
    """Rows that belong to a query."""

    def list_encoded(self, profile_id: str, query_id: str) -> Documents:
        """All rows of the query, expired ones included, their JSON as the bytes that are stored."""
        rows = _encoded_rows(self.model)
        return rows.documents(self._connection, profile_id=profile_id, query_id=query_id)

    def _explain(self, row: dict[str, Any]) -> None:
        refuse_without_profile(self._connection, row["profile_id"])
        if not _QUERY.values(self._connection, **row):
            raise QueryNotFoundError(row["profile_id"], row["query_id"]) from None
