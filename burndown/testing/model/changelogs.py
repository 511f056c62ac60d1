"""The model of changelogs."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from burndown.models import JiraChangelog
from burndown.testing.controlled_store import Document
from burndown.testing.model.expiry import ExpiryModel, check_staleness
from burndown.testing.model.refusals import check

__all__ = ["ChangelogModel"]


class ChangelogModel(ExpiryModel):
    """Changelogs, some of which never expire."""

    def get_jira_changelog(self, profile_id: str, query_id: str, issue_key: str) -> Document | None:
        return self.get_jira_changelogs(profile_id, query_id).get(issue_key)

    def save_jira_changelog(
        self,
        profile_id: str,
        query_id: str,
        issue_key: str,
        changelog: Mapping[str, Any],
        expires_at: datetime | timedelta | None = None,
    ) -> None:
        self.save_jira_changelogs(profile_id, query_id, {issue_key: changelog}, expires_at)

    def get_jira_changelogs(
        self, profile_id: str, query_id: str, issue_keys: Iterable[str] | None = None
    ) -> dict[str, Document]:
        return {
            entry["issue_key"]: entry["changelog"]
            for entry in self._below(JiraChangelog, profile_id, query_id)
            if not self._has_expired(entry)
            and (issue_keys is None or entry["issue_key"] in issue_keys)
        }

    def save_jira_changelogs(
        self,
        profile_id: str,
        query_id: str,
        changelogs: Mapping[str, Mapping[str, Any]],
        expires_at: datetime | timedelta | None = None,
    ) -> None:
        entries = [
            {
                "profile_id": profile_id,
                "query_id": query_id,
                "issue_key": issue_key,
                "expires_at": None if expires_at is None else self._expiry(expires_at),
                "created_at": self._now(),
                **changelog_counts(changelog),
                "changelog": changelog,
            }
            for issue_key, changelog in changelogs.items()
        ]
        for entry in entries:
            check("changelog", entry)
        for entry in entries:
            self._require(profile_id, query_id)
            self._keep(JiraChangelog, entry)

    def find_jira_changelog(
        self,
        profile_id: str,
        query_id: str,
        issue_key: str,
        max_stale: timedelta | None = None,
    ) -> Any:
        return self.find_jira_changelogs(profile_id, query_id, None, max_stale).get(issue_key)

    def find_jira_changelogs(
        self,
        profile_id: str,
        query_id: str,
        issue_keys: Iterable[str] | None = None,
        max_stale: timedelta | None = None,
    ) -> Any:
        check_staleness(max_stale)
        return {
            entry["issue_key"]: self._found(
                entry, "changelog", "created_at", "expires_at", "is_complete"
            )
            for entry in self._below(JiraChangelog, profile_id, query_id)
            if not self._is_too_stale(entry, max_stale)
            and (issue_keys is None or entry["issue_key"] in issue_keys)
        }

    def list_jira_changelogs(self, profile_id: str, query_id: str) -> Any:
        return [
            {
                "issue_key": entry["issue_key"],
                "expires_at": entry["expires_at"],
                "is_complete": entry["is_complete"],
                "expired": self._has_expired(entry),
            }
            for entry in self._below(JiraChangelog, profile_id, query_id)
        ]

    def delete_jira_changelogs(
        self,
        profile_id: str,
        query_id: str | None = None,
        issue_keys: Iterable[str] | None = None,
    ) -> int:
        return self._forget(
            JiraChangelog,
            profile_id,
            query_id,
            lambda entry: issue_keys is None or entry["issue_key"] in issue_keys,
        )


def changelog_counts(changelog: Any) -> Document:
    """Return what a list reports of a changelog; the samples may have a total."""
    page = changelog.get("changelog", changelog) if isinstance(changelog, dict) else None
    is_complete = None
    if isinstance(page, dict) and isinstance(page.get("histories"), list):
        total = page.get("total")
        if type(total) is int:
            is_complete = not page.get("startAt") and len(page["histories"]) >= total
    return {"is_complete": is_complete}
