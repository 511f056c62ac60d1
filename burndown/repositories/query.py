"""Queries of a profile, most recently used first."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, delete, select

from burndown.errors import QueryNotFoundError
from burndown.models import Query
from burndown.repositories.base import Repository
from burndown.repositories.profile import refuse_without_profile
from burndown.repositories.statements import (
    Documents,
    Statement,
    columns_of,
    documents,
    key_of,
)

__all__ = ["QueryRepository"]

_C = columns_of(Query)
_KEY = key_of(Query)
_OF_PROFILE = _C.profile_id == bindparam("profile_id")
_GET = Statement(documents(Query).where(*_KEY))
_LIST = Statement(documents(Query).where(_OF_PROFILE).order_by(_C.last_used.desc(), _C.id))
_DELETE = Statement(delete(_C.id.table).where(*_KEY))
_HOLDERS = Statement(select(_C.id).where(_OF_PROFILE, _C.name == bindparam("name")))


class QueryRepository(Repository[Query]):
    """Queries."""

    model = Query
    kept_if_unset = frozenset({"created_at", "last_used", "updated_at"})

    def get(self, profile_id: str, query_id: str) -> Query | None:
        """The query, or ``None``."""
        return self._entity(self.get_document(profile_id, query_id))

    def get_document(self, profile_id: str, query_id: str) -> dict[str, Any] | None:
        """The query as a dict, unknown keys beside the known ones, or ``None``."""
        return self._document(_GET, profile_id=profile_id, id=query_id)

    def list(self, profile_id: str) -> Sequence[Query]:
        """The profile's queries, most recently used first; empty if there is no such profile."""
        return self._entities(self.list_documents(profile_id))

    def list_documents(self, profile_id: str) -> Documents:
        """The profile's queries as dicts, most recently used first."""
        return self._documents(_LIST, profile_id=profile_id)

    def delete(self, profile_id: str, query_id: str) -> None:
        """Delete the query with all that belongs to it.

        Raises:
            QueryNotFoundError: the profile has none of this id.
        """
        if not _DELETE.count(self._connection, profile_id=profile_id, id=query_id):
            raise QueryNotFoundError(profile_id, query_id)

    def _explain(self, row: dict[str, Any]) -> None:
        refuse_without_profile(self._connection, row["profile_id"])
        self._refuse_taken_name(row, _HOLDERS)
