"""A model of a backend: the interface over plain dicts, by key, all of it records."""

import copy
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

from burndown import (
    Budget,
    BudgetNotFoundError,
    BudgetRevision,
    PersistenceBackend,
    ProfileNotFoundError,
    QueryNotFoundError,
    RevisionConflictError,
)
from burndown.models import (
    AppState,
    Entity,
    JiraCache,
    JiraChangelog,
    MetricsSnapshot,
    Profile,
    ProjectData,
    Query,
    QueryData,
    TaskProgress,
    Week,
)
from burndown.persistence.task import TaskChange
from burndown.testing.clocks import Clock
from burndown.testing.controlled_store import KEYS, Document, in_order, in_utc

Key = tuple[str, ...]


class RefusedError(Exception):
    """The model's counterpart of a ``ValidationError``.

    Attributes:
        paths: the path of each problem.
        mentioned: strings that the message must contain.
    """

    def __init__(self, *paths: str, mentioned: str = "") -> None:
        super().__init__(paths)
        self.paths = sorted(paths)
        self.mentioned = mentioned


BAD: dict[str, dict[str, tuple[Any, str]]] = {
    "profile": {
        "id": ("../up", "id"),
        "name": (" ", "name"),
        "created_at": ("yesterday", "created_at"),
        "last_used": ("yesterday", "last_used"),  # without last_used, it is created_at
        "jira_config": ({"base_url": "jira"}, "jira_config.base_url"),
        "forecast_settings": ({"pert_factor": 0}, "forecast_settings.pert_factor"),
        "revision": (0, "revision"),
        "unknown": ({"k": [0, math.nan]}, "unknown.k[1]"),
    },
    "query": {
        "id": ("a/b", "id"),
        "name": ("a\0b", "name"),
        "jql": (None, "jql"),
        "last_used": (3, "last_used"),
        "revision": ("1", "revision"),
        "unknown": ([{"k": math.inf}], "unknown[0].k"),
    },
    "cache": {
        "cache_key": ("", "cache_key"),
        "response": ({"issues": [math.nan]}, "response.issues[0]"),
        "expires_at": ("soon", "expires_at"),
    },
    "changelog": {
        "issue_key": ("", "issue_key"),
        "changelog": ({"k": "\ud800"}, "changelog.k"),
    },
    "data": {"data": ([], "data")},
    "snapshot": {
        "snapshot_date": ("2025-W53", "snapshot_date"),
        "metric_type": ("DORA", "metric_type"),
        "metrics": (None, "metrics"),
        "forecast": ({"k": -math.inf}, "forecast.k"),
        "forecasts": ([], "forecasts"),
        "unknown": (1, "unknown"),
    },
    "budget": {
        "time_allocated_weeks": (-1, "time_allocated_weeks"),
        "effective_from": ("5.1.2026", "effective_from"),
        "currency_symbol": (" ", "currency_symbol"),
        "revisions": ([{}, {"week_label": "2025-W53"}], "revisions[1].week_label"),
        "unknown": (math.nan, "unknown"),
    },
    "revision": {
        "team_cost_delta": ("250", "team_cost_delta"),
        "revision_date": ("yesterday", "revision_date"),
        "unknown": ({"k": math.inf}, "unknown.k"),
    },
    "task": {
        "task_name": ("../up", "task_name"),
        "progress_percent": (100.5, "progress_percent"),
        "status": ("Running", "status"),
    },
    "state": {"value": ("\ud800", "value")},
}
"""For each entity and key an invalid value, and the path that the error names."""


def check(kind: str, document: Mapping[str, Any]) -> None:
    """Raise an error if the document has one of the invalid values."""
    if "created_at" in document:
        document = {"last_used": document["created_at"], **document}
    paths = [
        path for key, (bad, path) in BAD[kind].items() if repr(document.get(key, "")) == repr(bad)
    ]
    if kind == "revision" and len(paths) > 1:
        # Unknown keys of a section are checked when its fields are valid.
        paths = [path for path in paths if path != "unknown.k"]
    if paths:
        raise RefusedError(*paths)


def merged(stored: Any, changes: Any) -> Any:
    """Return what a merge patch makes of a value."""
    if not isinstance(changes, dict):
        return changes
    kept = dict(stored) if isinstance(stored, dict) else {}
    for key, change in changes.items():
        kept[key] = merged(kept.get(key), change)
        if change is None:
            del kept[key]
    return kept


def if_given(**values: Any) -> Document:
    return {key: value for key, value in values.items() if value is not None}


MASK = {"is_set": True}


def with_secrets(document: Document, before: Mapping[str, Any]) -> Document:
    """Return a profile with the secrets that it keeps; the samples have two keys of secrets."""
    jira, earlier = dict(document["jira_config"]), before.get("jira_config", {})
    if jira.get("token", MASK) in ("***", MASK):
        if "token" in earlier:
            jira["token"] = earlier["token"]
        else:
            jira.pop("token", None)
    elif jira["token"] is None:
        jira["token"] = ""
    document = {**document, "jira_config": jira}
    if document.get("password") == MASK:
        del document["password"]
        if "password" in before:
            document["password"] = before["password"]
    return document


def newest_first(timestamp: str) -> float:
    """Return a sort key by which newer timestamps come first."""
    return -datetime.fromisoformat(timestamp).timestamp()


TIMESTAMPS: dict[type[Entity], tuple[str, ...]] = {
    Profile: ("created_at", "last_used"),
    Query: ("created_at", "last_used", "updated_at"),
}


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
    total = if_given(total=response.get("total"))
    for name in total:
        total[name] = max(0, total[name] + distinct(issues) - distinct(before))
    return {**response, **total, "issues": issues}


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


def changelog_counts(changelog: Any) -> Document:
    """Return what a list reports of a changelog; the samples may have a total."""
    page = changelog.get("changelog", changelog) if isinstance(changelog, dict) else None
    is_complete = None
    if isinstance(page, dict) and isinstance(page.get("histories"), list):
        total = page.get("total")
        if type(total) is int:
            is_complete = not page.get("startAt") and len(page["histories"]) >= total
    return {"is_complete": is_complete}


def in_weeks(since: Any, until: Any) -> Callable[[Document], bool]:
    """Return whether a snapshot is in a range; the samples are weeks, Thursdays and no weeks."""
    first, last = (None if week is None else as_week(week) for week in (since, until))
    paths = [name for name, week in (("since", first), ("until", last)) if week == ""]
    if paths:
        raise RefusedError(paths[0])
    return lambda each: (first or "") <= each["snapshot_date"] <= (last or "9")


def as_week(sample: Week | date | str) -> str:
    """Return the week of a sample as documents have it; an empty string for ``soon``."""
    if isinstance(sample, date):
        return sample.strftime("%G-W%V")
    return "" if sample == "soon" else str(sample)


class Model(PersistenceBackend):
    """The interface over plain dicts."""

    DEFAULTS: Mapping[type[Entity], Document] = {
        Profile: {
            "description": "",
            "jira_config": {},
            "field_mappings": {},
            "forecast_settings": {},
            "project_classification": {},
            "flow_type_mappings": {},
            "show_milestone": False,
            "show_points": False,
        },
        Query: {"description": "", "jql": "", "updated_at": None},
    }

    BUDGET: Mapping[str, Any] = {
        **dict.fromkeys(("time_allocated_weeks", "team_cost_per_week", "budget_total")),
        **dict.fromkeys(("baseline_velocity_items", "baseline_velocity_points")),
        "cost_rate_type": "weekly",
        "currency_symbol": "€",
        "effective_from": None,
    }
    """The defaults of a budget."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.kept: dict[type[Entity], dict[Key, Document]] = {model: {} for model in KEYS}
        self.undone_to: list[dict[type[Entity], dict[Key, Document]]] = []

    def committed(self) -> "Model":
        """Return what other processes see: nothing of an open transaction."""
        seen = Model(self.clock)
        seen.kept = copy.deepcopy(self.undone_to[0] if self.undone_to else self.kept)
        return seen

    def _now(self) -> str:
        return in_utc(self.clock())

    def _find(self, model: type[Entity], *key: str) -> Document | None:
        return self.kept[model].get(key)

    def _keep(self, model: type[Entity], document: Document) -> None:
        self.kept[model][tuple(document[name] for name in KEYS[model])] = document

    def _below(self, model: type[Entity], *ids: str) -> list[Document]:
        """Return all documents of the model whose key begins with these values, by key."""
        found = self.kept[model].items()
        return in_order(model, (each for key, each in found if key[: len(ids)] == ids))

    def _delete(self, model: type[Entity], *key: str) -> None:
        """Delete the document with all that belongs to it."""
        del self.kept[model][key]
        for other, names in KEYS.items():
            if "profile_id" in names and other is not model:
                for found in [each for each in self.kept[other] if each[: len(key)] == key]:
                    del self.kept[other][found]

    def _require(self, profile_id: str, query_id: str | None = None) -> None:
        if (profile_id,) not in self.kept[Profile]:
            raise ProfileNotFoundError(profile_id)
        if query_id is not None and (profile_id, query_id) not in self.kept[Query]:
            raise QueryNotFoundError(profile_id, query_id)

    def _refuse_taken_name(self, model: type[Entity], document: Document) -> None:
        for other in self._below(model, *(document[name] for name in KEYS[model][:-1])):
            if other["id"] != document["id"] and other["name"] == document["name"]:
                raise RefusedError("name", mentioned=other["id"])

    # profiles and queries

    def get_profile(self, profile_id: str) -> Any:
        return self._find(Profile, profile_id)

    def save_profile(self, profile: Mapping[str, Any] | Profile) -> None:
        assert isinstance(profile, Mapping)
        check("profile", profile)
        self._save_named(Profile, profile)

    def patch_profile(
        self, profile_id: str, changes: Mapping[str, Any], if_revision: int | None = None
    ) -> Any:
        self._require(profile_id)
        stored = self.kept[Profile][profile_id,]
        document = self._patched(stored, dict(changes), if_revision, "id")
        if "token" in stored["jira_config"]:
            document.setdefault("jira_config", {}).setdefault("token", "")
        self.save_profile(document)
        return self.get_profile(profile_id)

    @staticmethod
    def _patched(
        stored: Document, changes: Document, if_revision: int | None, *key: str
    ) -> Document:
        for name in key:
            if changes.get(name, stored[name]) != stored[name]:
                raise RefusedError(name)
        document: Document = merged(copy.deepcopy(stored), changes)
        return {"revision": stored["revision"], **document, **if_given(revision=if_revision)}

    def list_profiles(self) -> Any:
        return self._most_recently_used(self._below(Profile))

    def delete_profile(self, profile_id: str) -> None:
        self._require(profile_id)
        self._delete(Profile, profile_id)

    def get_query(self, profile_id: str, query_id: str) -> Any:
        return self._find(Query, profile_id, query_id)

    def save_query(self, profile_id: str, query: Mapping[str, Any] | Query) -> None:
        assert isinstance(query, Mapping)
        if query.get("profile_id", profile_id) != profile_id:
            raise RefusedError("profile_id")
        check("query", query)
        self._require(profile_id)
        self._save_named(Query, {**query, "profile_id": profile_id})

    def patch_query(
        self,
        profile_id: str,
        query_id: str,
        changes: Mapping[str, Any],
        if_revision: int | None = None,
    ) -> Any:
        stored = self.get_query(profile_id, query_id)
        if stored is None:
            raise QueryNotFoundError(profile_id, query_id)
        document = self._patched(stored, dict(changes), if_revision, "profile_id", "id")
        self.save_query(profile_id, document)
        return self.get_query(profile_id, query_id)

    def list_queries(self, profile_id: str) -> Any:
        return self._most_recently_used(self._below(Query, profile_id))

    def delete_query(self, profile_id: str, query_id: str) -> None:
        if self.get_query(profile_id, query_id) is None:
            raise QueryNotFoundError(profile_id, query_id)
        self._delete(Query, profile_id, query_id)

    def _save_named(self, model: type[Entity], given: Mapping[str, Any]) -> None:
        document = {**self.DEFAULTS[model], "name": given["id"], **given}
        before = self._find(model, *(document[name] for name in KEYS[model])) or {}
        expected = document.pop("revision", None)
        if before and expected not in (None, before["revision"]):
            subject = f"{model.__name__} {document['id']!r}"
            raise RevisionConflictError(subject, expected, before["revision"])
        self._refuse_taken_name(model, document)
        times = before or {
            "created_at": (created_at := document.get("created_at", self._now())),
            "last_used": created_at,
            "updated_at": None,
        }
        document.update({name: times[name] for name in TIMESTAMPS[model] if name not in given})
        for name in TIMESTAMPS[model]:
            document[name] = document[name] and in_utc(document[name])
        if model is Profile:
            document = with_secrets(document, before)
        if before:
            is_changed = self._content(model, document) != self._content(model, before)
            document["revision"] = before["revision"] + is_changed
        else:
            document["revision"] = expected or 1
        self._keep(model, document)

    def _content(self, model: type[Entity], document: Document) -> list[str]:
        """Return what the revision counts: the order of keys counts, but not that of fields."""
        fields = {"name", *self.DEFAULTS[model]} - {*TIMESTAMPS[model]}
        others = {*fields, *TIMESTAMPS[model], *KEYS[model], "revision"}
        unknown = {key: item for key, item in document.items() if key not in others}
        return [json.dumps(each) for each in (*(document[f] for f in sorted(fields)), unknown)]

    @staticmethod
    def _most_recently_used(found: Iterable[Document]) -> list[Document]:
        return sorted(found, key=lambda each: (newest_first(each["last_used"]), each["id"]))

    # app state

    def get_app_state(self, key: str) -> str | None:
        found = self._find(AppState, key)
        return None if found is None else found["value"]

    def set_app_state(self, key: str, value: str | None) -> None:
        check("state", {"value": value})
        if value is None:
            self.kept[AppState].pop((key,), None)
        else:
            self._keep(AppState, {"key": key, "value": value})

    # cached responses

    def _expiry(self, expires_at: datetime | timedelta) -> str:
        if isinstance(expires_at, timedelta):
            expires_at = self.clock() + expires_at
        return in_utc(expires_at)

    def _has_expired(self, entry: Document) -> bool:
        expires_at = entry["expires_at"]
        return expires_at is not None and datetime.fromisoformat(expires_at) <= self.clock()

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

    def _is_too_stale(
        self, entry: Document, max_stale: timedelta | None, argument: str = "max_stale"
    ) -> bool:
        if max_stale is not None and max_stale < timedelta():
            raise RefusedError(argument)
        if max_stale is None or entry["expires_at"] is None:
            return False
        return self.clock() - datetime.fromisoformat(entry["expires_at"]) >= max_stale

    def _found(self, entry: Document, *names: str) -> Document:
        age = None
        if entry["created_at"] is not None:
            age = (self.clock() - datetime.fromisoformat(entry["created_at"])).total_seconds()
        state = "stale" if self._has_expired(entry) else "fresh"
        return {**{name: entry[name] for name in names}, "age": age, "state": state}

    def find_jira_cache(
        self,
        profile_id: str,
        query_id: str,
        cache_key: str,
        max_stale: timedelta | None = None,
    ) -> Any:
        self._is_too_stale({"expires_at": None}, max_stale)
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
        self._is_too_stale({"expires_at": None}, stale_if_error, "stale_if_error")
        stale = self.find_jira_cache(*key, stale_if_error)
        fresh = self.find_jira_cache(*key, timedelta())
        if fresh is not None:
            return fresh
        self._require(profile_id, query_id)
        try:
            self.save_jira_cache(*key, fetch(), ttl)
        except LookupError:
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

    def cleanup_expired_cache(self, max_stale: timedelta | None = timedelta()) -> int:
        self._is_too_stale({"expires_at": None}, max_stale)
        return self._delete_cached(lambda entry: self._is_too_stale(entry, max_stale))

    def cleanup(self, max_bytes: int | None = None, profile_id: str | None = None) -> int:
        if max_bytes is not None and max_bytes < 0:
            raise RefusedError("max_bytes")
        return self._delete_cached(
            lambda entry: max_bytes == 0 and profile_id in (None, entry["profile_id"])
        )

    def _delete_cached(self, is_deleted: Callable[[Document], bool]) -> int:
        dead = [
            (model, key)
            for model in (JiraCache, JiraChangelog)
            for key, entry in self.kept[model].items()
            if is_deleted(entry)
        ]
        for model, key in dead:
            del self.kept[model][key]
        return len(dead)

    # changelogs

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
        self._is_too_stale({"expires_at": None}, max_stale)
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

    # project data and metrics

    def get_project_data(self, profile_id: str, query_id: str) -> Document | None:
        found = self._find(ProjectData, profile_id, query_id)
        return None if found is None else found["data"]

    def save_project_data(self, profile_id: str, query_id: str, data: Mapping[str, Any]) -> None:
        check("data", {"data": data})
        self._require(profile_id, query_id)
        of_query = {"profile_id": profile_id, "query_id": query_id}
        self._keep(ProjectData, {**of_query, "updated_at": self._now(), "data": data})

    def delete_project_data(self, profile_id: str, query_id: str | None = None) -> int:
        return self._forget(ProjectData, profile_id, query_id, lambda _: True)

    def get_metrics_snapshots(
        self,
        profile_id: str,
        query_id: str,
        metric_type: str | None = None,
        limit: int | None = 52,
        since: Week | date | str | None = None,
        until: Week | date | str | None = None,
    ) -> Any:
        if limit is not None and limit < 1:
            raise RefusedError("limit")
        is_in = in_weeks(since, until)
        found = self._below(MetricsSnapshot, profile_id, query_id)
        found.sort(key=lambda each: each["snapshot_date"], reverse=True)
        return [
            each for each in found if metric_type in (None, each["metric_type"]) and is_in(each)
        ][:limit]

    def delete_metrics_snapshots(
        self,
        profile_id: str,
        query_id: str | None = None,
        metric_type: str | None = None,
        since: Week | date | str | None = None,
        until: Week | date | str | None = None,
    ) -> int:
        is_in = in_weeks(since, until)
        return self._forget(
            MetricsSnapshot,
            profile_id,
            query_id,
            lambda each: metric_type in (None, each["metric_type"]) and is_in(each),
        )

    def save_metrics_snapshot(
        self,
        profile_id: str,
        query_id: str,
        snapshot_date: Week | date | str,
        metric_type: str,
        metrics: Mapping[str, Any],
        forecast: Mapping[str, Any] | None = None,
        forecasts: Mapping[str, Any] | None = None,
    ) -> None:
        snapshot = {
            "snapshot_date": snapshot_date,
            "metric_type": metric_type,
            "metrics": metrics,
            "forecast": forecast,
            "forecasts": forecasts,
        }
        self.save_metrics_snapshots(profile_id, query_id, [snapshot])

    def patch_metrics(
        self,
        profile_id: str,
        query_id: str,
        snapshot_date: Week | date | str,
        metric_type: str,
        metrics: Mapping[str, Any],
        forecasts: Mapping[str, Any] | None = None,
    ) -> None:
        key = {"snapshot_date": snapshot_date, "metric_type": metric_type}
        given = {"metrics": metrics, "forecasts": forecasts}
        check("snapshot", {**key, **given})
        self._require(profile_id, query_id)
        found = self._find(
            MetricsSnapshot, profile_id, query_id, metric_type, str(snapshot_date)
        ) or {"forecast": None, "forecasts": None, "metrics": {}}
        snapshot = {**copy.deepcopy(found), **key}
        for name, changes in given.items():
            if changes is not None:
                snapshot[name] = snapshot[name] or {}
                for each, change in changes.items():
                    snapshot[name].pop(each, None)
                    if change is not None:
                        snapshot[name][each] = change
        self.save_metrics_snapshots(profile_id, query_id, [{**snapshot, "created_at": self._now()}])

    def save_metrics_snapshots(
        self,
        profile_id: str,
        query_id: str,
        snapshots: Iterable[Mapping[str, Any] | MetricsSnapshot],
    ) -> None:
        many = [each for each in snapshots if isinstance(each, Mapping)]
        for snapshot in many:
            check("snapshot", snapshot)
        for snapshot in many:
            self._require(profile_id, query_id)
            given = {
                **snapshot,
                "created_at": in_utc(snapshot.get("created_at", self.clock())),
                "profile_id": profile_id,
                "query_id": query_id,
            }
            self._keep(MetricsSnapshot, {"forecast": None, "forecasts": None, **given})

    # budgets

    def get_budget(self, profile_id: str, query_id: str) -> Any:
        return self._find(Budget, profile_id, query_id)

    def save_budget(
        self, profile_id: str, query_id: str, budget: Mapping[str, Any] | Budget
    ) -> None:
        assert isinstance(budget, Mapping)
        check("budget", budget)
        self._require(profile_id, query_id)
        before = self.get_budget(profile_id, query_id) or {}
        document = {
            **self.BUDGET,
            "created_at": before.get("created_at", self._now()),
            "revisions": before.get("revisions", []),
            **budget,
            "profile_id": profile_id,
            "query_id": query_id,
            "updated_at": self._now(),
        }
        document["created_at"] = in_utc(document["created_at"])
        document["revisions"] = list(map(self._revision, document["revisions"]))
        for amount in ("time_allocated_weeks", "budget_total"):
            document[amount] = None if document[amount] is None else abs(float(document[amount]))
        self._keep(Budget, document)

    def delete_budget(self, profile_id: str, query_id: str) -> None:
        if self.kept[Budget].pop((profile_id, query_id), None) is None:
            raise BudgetNotFoundError(profile_id, query_id)

    def add_budget_revision(
        self, profile_id: str, query_id: str, revision: Mapping[str, Any] | BudgetRevision
    ) -> None:
        assert isinstance(revision, Mapping)
        check("revision", revision)
        stored = self.get_budget(profile_id, query_id)
        if stored is None:
            raise BudgetNotFoundError(profile_id, query_id)
        now = {"revision_date": self._now(), "created_at": self._now()}
        revisions = [*stored["revisions"], self._revision({**now, **revision})]
        self._keep(Budget, {**stored, "revisions": revisions, "updated_at": self._now()})

    @staticmethod
    def _revision(document: Mapping[str, Any]) -> Document:
        """Return a revision with its times in UTC."""
        times = {key: document.get(key) for key in ("revision_date", "created_at")}
        return {**document, **{key: in_utc(time) for key, time in times.items() if time}}

    # tasks

    UNLEASED: Mapping[str, Any] = {
        "owner": None,
        "started_at": None,
        "heartbeat_at": None,
        "lease_until": None,
        "cancel_requested": False,
    }

    def get_task_progress(self, task_name: str) -> Any:
        found = self._find(TaskProgress, task_name)
        return found if found is None or self._is_alive(found) else {**found, "status": "dead"}

    def save_task_progress(
        self, task_name: str, progress_percent: float, status: str, message: str = ""
    ) -> None:
        task = {"task_name": task_name, "progress_percent": progress_percent, "status": status}
        check("task", task)
        before = self._find(TaskProgress, task_name)
        is_kept = before is not None and before["lease_until"] and self._is_alive(before)
        lease = {key: before[key] for key in self.UNLEASED} if before and is_kept else self.UNLEASED
        progress = {"progress_percent": float(progress_percent), "message": message}
        self._keep(TaskProgress, {**task, **progress, "updated_at": self._now(), **lease})

    def list_task_progress(self) -> Any:
        names = [each["task_name"] for each in self._below(TaskProgress)]
        return [self.get_task_progress(name) for name in names]

    def cancel_task(self, task_name: str) -> bool:
        found = self._find(TaskProgress, task_name)
        if found is None or not found["lease_until"] or not self._is_alive(found):
            return False
        self._keep(TaskProgress, {**found, "cancel_requested": True})
        return True

    def _change_task(self, task_name: str, change: TaskChange) -> Mapping[str, Any] | None:
        stored = self._find(TaskProgress, task_name)
        changed = change(copy.deepcopy(stored))
        if changed is None:
            return stored
        document = {
            **self.UNLEASED,
            **{key: in_utc(at) if isinstance(at, datetime) else at for key, at in changed.items()},
            "progress_percent": float(changed["progress_percent"]),
        }
        self._keep(TaskProgress, document)
        return document

    def _is_alive(self, task: Document) -> bool:
        if task["lease_until"] is None:
            return True
        if task["heartbeat_at"] is None:
            return False
        until, renewed_at, now = (
            datetime.fromisoformat(each)
            for each in (task["lease_until"], task["heartbeat_at"], self._now())
        )
        return now < until and renewed_at - now < until - renewed_at

    def clear_task_progress(self, task_name: str) -> None:
        self.kept[TaskProgress].pop((task_name,), None)

    # the complete store

    def describe(self) -> Document:
        raise NotImplementedError  # each backend has its own location

    def exists(self) -> bool:
        return True

    def check_integrity(self) -> tuple[bool, list[str]]:
        return True, []

    def _back_up(self, target: Path) -> None:
        raise NotImplementedError  # a copy has what is committed

    def restore(self, path: str | Path) -> Path | None:
        raise NotImplementedError  # there is no backup of it

    def records(
        self, model: type[Entity], profile_id: str | None = None, query_id: str | None = None
    ) -> Iterator[Document]:
        yield from self._below(
            model, *(each for each in (profile_id, query_id) if each is not None)
        )

    def save_records(
        self, model: type[Entity], records: Iterable[Mapping[str, Any] | Entity]
    ) -> None:
        with self.transaction():
            for record in (dict(each) for each in records if isinstance(each, Mapping)):
                if "profile_id" in KEYS[model]:
                    self._require(record["profile_id"], record.get("query_id"))
                if model in self.DEFAULTS:
                    self._refuse_taken_name(model, record)
                self._keep(model, record)

    def _delete_keys(self, model: type[Entity], keys: Iterable[Key]) -> int:
        raise NotImplementedError  # no call needs it

    def in_transaction(self) -> bool:
        return bool(self.undone_to)

    def delete_records(
        self,
        model: type[QueryData],
        profile_id: str,
        query_id: str | None = None,
        *,
        one_of: Mapping[str, Iterable[str]] = MappingProxyType({}),
        between: Mapping[str, tuple[str, str]] = MappingProxyType({}),
    ) -> int:
        return self._forget(
            model,
            profile_id,
            query_id,
            lambda record: (
                all(record[name] in strings for name, strings in one_of.items())
                and all(low <= record[name] <= high for name, (low, high) in between.items())
            ),
        )

    def _forget(
        self,
        model: type[Entity],
        profile_id: str,
        query_id: str | None,
        is_forgotten: Callable[[Document], bool],
    ) -> int:
        ids = (profile_id,) if query_id is None else (profile_id, query_id)
        forgotten = [each for each in self._below(model, *ids) if is_forgotten(each)]
        for each in forgotten:
            del self.kept[model][tuple(each[name] for name in KEYS[model])]
        return len(forgotten)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self.undone_to.append(copy.deepcopy(self.kept))
        try:
            yield
        except BaseException:
            self.kept = self.undone_to[-1]
            raise
        finally:
            self.undone_to.pop()

    def close(self) -> None:
        pass
