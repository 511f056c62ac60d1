"""The model of cached responses."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from burndown.models import JiraCache
from burndown.testing.controlled_store import Document
from burndown.testing.model.expiry import ExpiryModel, check_staleness
from burndown.testing.model.records import newest_first
from burndown.testing.model.refusals import FetchError, RefusedError, check

__all__ = ["ResponseModel"]


class ResponseModel(ExpiryModel):
    """Cached responses, which are listed with what is known of them."""

    def get_jira_cache(self, profile_id: str, query_id: str, cache_key: str) -> Document | None:
        found = self._find(JiraCache, profile_id, query_id, cache_key)
        return None if found is None or self._has_expired(found) else found["response"]

    def save_jira_cache(
        self,
        profile_id: str,
        query_id: str,
        cache_key: str,
        response: Mapping[str, Any],
        expires_at: datetime | timedelta,
    ) -> None:
        entry = {"cache_key": cache_key, "response": response, "expires_at": expires_at}
        check("cache", entry)
        self._require(profile_id, query_id)
        timestamps = {"expires_at": self._expiry(expires_at), "created_at": self._now()}
        of_query = {"profile_id": profile_id, "query_id": query_id}
        self._keep(JiraCache, {**entry, **of_query, **timestamps, **counts(response)})

    def merge_jira_cache(
        self,
        profile_id: str,
        query_id: str,
        cache_key: str,
        changed: Any,
        removed: Any,
        expires_at: Any,
    ) -> Any:
        found = self._find(JiraCache, profile_id, query_id, cache_key)
        if found is None:
            return None
        if "issues" not in found["response"]:
            raise RefusedError("issues")
        response = with_merged_issues(found["response"], changed, removed)
        self.save_jira_cache(profile_id, query_id, cache_key, response, expires_at)
        entries = self.list_jira_caches(profile_id, query_id)
        return next(each for each in entries if each["cache_key"] == cache_key)

    def list_jira_caches(self, profile_id: str, query_id: str) -> Any:
        found = self._below(JiraCache, profile_id, query_id)
        return [
            {
                "cache_key": entry["cache_key"],
                "created_at": entry["created_at"],
                "expires_at": entry["expires_at"],
                "expired": self._has_expired(entry),
                "issue_count": entry["issue_count"],
                "is_complete": entry["is_complete"],
            }
            for entry in sorted(found, key=lambda entry: newest_first(entry["created_at"]))
        ]

    def delete_jira_caches(
        self, profile_id: str, query_id: str | None = None, cache_key: str | None = None
    ) -> int:
        return self._forget(
            JiraCache,
            profile_id,
            query_id,
            lambda entry: cache_key in (None, entry["cache_key"]),
        )

    def find_jira_cache(
        self,
        profile_id: str,
        query_id: str,
        cache_key: str,
        max_stale: timedelta | None = None,
    ) -> Any:
        check_staleness(max_stale)
        found = self._find(JiraCache, profile_id, query_id, cache_key)
        if found is None or self._is_too_stale(found, max_stale):
            return None
        names = ("response", "created_at", "expires_at", "issue_count", "is_complete")
        return self._found(found, *names)

    def cached(
        self,
        profile_id: str,
        query_id: str,
        cache_key: str,
        fetch: Callable[[], Mapping[str, Any]],
        ttl: timedelta,
        stale_if_error: timedelta | None = timedelta(),
        stale_while_revalidate: timedelta | None = timedelta(),
    ) -> Any:
        key = profile_id, query_id, cache_key
        check_staleness(stale_if_error, "stale_if_error")
        stale = self.find_jira_cache(*key, stale_if_error)
        fresh = self.find_jira_cache(*key, timedelta())
        if fresh is not None:
            return fresh
        self._require(profile_id, query_id)
        try:
            self.save_jira_cache(*key, fetch(), ttl)
        except FetchError:
            if stale is None:
                raise
            return stale
        return self.find_jira_cache(*key)

    def query_status(self, profile_id: str) -> Any:
        unknown = dict.fromkeys(("created_at", "expires_at", "state", "issue_count", "is_complete"))
        found = []
        for query in self.list_queries(profile_id):
            entries = self.list_jira_caches(profile_id, query["id"])
            status = {"query_id": query["id"], "name": query["name"], "has_data": bool(entries)}
            newest = {}
            if entries:
                newest = {name: entries[0][name] for name in unknown if name != "state"}
                newest["state"] = "stale" if entries[0]["expired"] else "fresh"
            found.append({**status, **unknown, **newest})
        return found


def distinct(issues: list[Document]) -> int:
    """Return the number of issues, those with the same key once; samples have a key or no id."""
    return len({issue.get("key", at) for at, issue in enumerate(issues)})


def with_merged_issues(
    response: Mapping[str, Any], changed: list[Document], removed: list[str]
) -> Document:
    """Return a response with the changed issues in place of those with the same key or id."""
    before = response["issues"]
    issues = [each for each in before if not {each.get("key"), each.get("id")} & {*removed}]
    for issue in changed:
        same = [
            at
            for at, each in enumerate(issues)
            if issue["key"] == each.get("key") or issue.get("id", "") == each.get("id")
        ]
        if same:
            issues[same[0]] = issue
            issues = [each for at, each in enumerate(issues) if at not in same[1:]]
        else:
            issues = [*issues, issue]
    if "total" in response:
        total = response["total"] + distinct(issues) - distinct(before)
        response = {**response, "total": max(0, total)}
    return {**response, "issues": issues}


def counts(response: Mapping[str, Any]) -> Document:
    """Return what a list reports of a response; samples may have a total or ``isLast``."""
    found = distinct(response.get("issues", []))
    verdicts = [response["isLast"]] if "isLast" in response else []
    if "total" in response:
        verdicts.append(found == response["total"] if found <= response["total"] else None)
    is_complete: bool | None = bool(verdicts) or None
    for each in (None, False):
        is_complete = each if each in verdicts else is_complete
    return {"issue_count": found, "is_complete": is_complete}
