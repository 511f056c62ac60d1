"""Cached changelogs of issues, each until its expiry."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from burndown.models import JiraChangelog
from burndown.models.documents import Document
from burndown.models.field_types import is_line
from burndown.models.jira_changelog import JiraChangelogDocument
from burndown.repositories.base import (
    Repository,
    UntilExpiry,
    delete_expired,
    query_conditions,
)
from burndown.sql import Executor, Statement, key_conditions, one_of, select_documents

__all__ = [
    "JiraChangelogRepository",
    "get_jira_changelog",
    "get_jira_changelogs",
    "list_jira_changelogs",
]

_TABLE = JiraChangelog.__table__
_C = _TABLE.c
_OF_QUERY = query_conditions(JiraChangelog)
_GET: UntilExpiry[JiraChangelogDocument] = UntilExpiry(
    JiraChangelog, select_documents(_TABLE).where(*key_conditions(_TABLE))
)
_ALL = select_documents(_TABLE).where(*_OF_QUERY).order_by(_C.issue_key)
_GET_ALL: UntilExpiry[JiraChangelogDocument] = UntilExpiry(JiraChangelog, _ALL)
_GET_SOME: UntilExpiry[JiraChangelogDocument] = UntilExpiry(
    JiraChangelog, _ALL.where(one_of(_C.issue_key, "issue_keys"))
)
_LIST = Statement(
    select_documents(_TABLE, "profile_id", "query_id", "changelog")
    .where(*_OF_QUERY)
    .order_by(_C.issue_key)
)


def get_jira_changelog(
    executor: Executor, profile_id: str, query_id: str, issue_key: str, now: datetime | None
) -> JiraChangelogDocument | None:
    """Return the changelog, or ``None`` if there is none or it has expired at ``now``.

    ``None`` for ``now`` returns an expired one as well.
    """
    return _GET.at(now).first(
        executor, profile_id=profile_id, query_id=query_id, issue_key=issue_key, now=now
    )


def get_jira_changelogs(
    executor: Executor,
    profile_id: str,
    query_id: str,
    now: datetime | None,
    issue_keys: Iterable[str] | None = None,
) -> list[JiraChangelogDocument]:
    """Return the changelogs of these issues, or of all, that are valid at ``now``, by issue key.

    ``None`` for ``now`` returns expired ones as well.
    """
    parameters: dict[str, Any] = {"profile_id": profile_id, "query_id": query_id, "now": now}
    if issue_keys is None:
        return _GET_ALL.at(now).documents(executor, **parameters)
    parameters["issue_keys"] = list(filter(is_line, set(issue_keys)))
    return _GET_SOME.at(now).documents(executor, **parameters)


def list_jira_changelogs(executor: Executor, profile_id: str, query_id: str) -> list[Document]:
    """Return all changelogs of a query without their content, by issue key.

    Expired ones are included.
    """
    return _LIST.documents(executor, profile_id=profile_id, query_id=query_id)


class JiraChangelogRepository(Repository[JiraChangelog]):
    """Cached changelogs of issues."""

    entity = JiraChangelog

    def get(
        self, profile_id: str, query_id: str, issue_key: str, now: datetime | None
    ) -> JiraChangelog | None:
        """Return the changelog, or ``None`` if there is none or it has expired at ``now``.

        ``None`` for ``now`` returns an expired one as well.
        """
        return self._typed(get_jira_changelog(self._executor, profile_id, query_id, issue_key, now))

    def list(
        self,
        profile_id: str,
        query_id: str,
        now: datetime | None,
        issue_keys: Iterable[str] | None = None,
    ) -> Sequence[JiraChangelog]:
        """Return the changelogs of these issues, or of all, that are valid at ``now``, by key.

        ``None`` for ``now`` returns expired ones as well.
        """
        return self._all_typed(
            get_jira_changelogs(self._executor, profile_id, query_id, now, issue_keys)
        )

    def delete_expired(self, now: datetime) -> int:
        """Delete what has expired at ``now``; return the number of deleted rows."""
        deleted, _ = delete_expired(self._executor, [JiraChangelog], now=now)
        return deleted
