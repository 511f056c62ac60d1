"""Any sequence of calls answers as a model of plain dicts does, whatever it is interrupted by."""

import copy
import json
import math
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from burndown import (
    PersistenceBackend,
    ProfileNotFoundError,
    QueryNotFoundError,
    SQLiteBackend,
    ValidationError,
)

START = datetime(2025, 12, 23, 10, tzinfo=UTC)

Document = dict[str, Any]
Ids = tuple[str, str]

PROFILE_IDS = ["p", "P", "ü 1"]
QUERY_IDS = ["q", "Q"]
PAIRS = [(profile_id, query_id) for profile_id in PROFILE_IDS for query_id in QUERY_IDS]
NAMES = ["p", "q", "Kafka", "kafka"]
ISSUE_KEYS = ["K-1", "K-10", "K-2"]
STATE_KEYS = ["active_profile_id", "active_query_id"]
TASKS = ["fetch", "Fetch"]
WEEKS = ["2025-W01", "2025-W52", "2026-W01"]
METRIC_TYPES = ["dora", "flow"]


class Clock:
    """A clock that the machine moves."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


# --- the model -------------------------------------------------------------------------------


class RefusedError(Exception):
    """What the model says where a ``ValidationError`` is due.

    Attributes:
        paths: the path of each problem.
        mentioned: what the message must name.
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
        "last_used": ("yesterday", "last_used"),  # what it is not given, it has from created_at
        "jira_config": ({"base_url": "jira"}, "jira_config.base_url"),
        "forecast_settings": ({"pert_factor": 0}, "forecast_settings.pert_factor"),
        "unknown": ({"k": [0, math.nan]}, "unknown.k[1]"),
    },
    "query": {
        "id": ("", "id"),
        "name": ("a\0b", "name"),
        "jql": (None, "jql"),
        "last_used": (3, "last_used"),
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
        "unknown": (1, "unknown"),
    },
    "task": {
        "task_name": ("../up", "task_name"),
        "progress_percent": (100.5, "progress_percent"),
        "status": ("Running", "status"),
    },
    "state": {"value": ("\ud800", "value")},
}
"""For each kind and key a value that is refused, and the path that the refusal names."""


def check(kind: str, document: Mapping[str, Any]) -> None:
    """Refuse the document if it holds one of the bad values."""
    if "created_at" in document:
        document = {"last_used": document["created_at"], **document}
    paths = [
        path for key, (bad, path) in BAD[kind].items() if repr(document.get(key, "")) == repr(bad)
    ]
    if paths:
        raise RefusedError(*paths)


def in_utc(moment: datetime | str) -> datetime:
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    return moment.astimezone(UTC)


def newest_first(moment: Any) -> float:
    return -in_utc(moment).timestamp()


class Model(PersistenceBackend):
    """The interface over plain dicts."""

    PROFILE_DEFAULTS: Document = {
        "description": "",
        "jira_config": {},
        "field_mappings": {},
        "forecast_settings": {},
        "project_classification": {},
        "flow_type_mappings": {},
        "show_milestone": False,
        "show_points": False,
    }
    QUERY_DEFAULTS: Document = {"description": "", "jql": ""}

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.kept: dict[str, dict[Any, Any]] = {
            "profiles": {},
            "queries": {},
            "caches": {},
            "changelogs": {},
            "data": {},
            "snapshots": {},
            "states": {},
            "tasks": {},
        }
        self.undone_to: list[dict[str, dict[Any, Any]]] = []

    def committed(self) -> "Model":
        """What others see: nothing of a transaction that has not ended."""
        seen = Model(self.clock)
        seen.kept = copy.deepcopy(self.undone_to[0] if self.undone_to else self.kept)
        return seen

    # profiles and queries

    def get_profile(self, profile_id: str) -> Document | None:
        return self.kept["profiles"].get(profile_id)

    def save_profile(self, profile: Mapping[str, Any]) -> None:
        check("profile", profile)
        self._save_named("profiles", (profile["id"],), profile, self.PROFILE_DEFAULTS)

    def list_profiles(self) -> list[Document]:
        return self._most_recently_used(self.kept["profiles"].values())

    def delete_profile(self, profile_id: str) -> None:
        if self.kept["profiles"].pop(profile_id, None) is None:
            raise ProfileNotFoundError(profile_id)
        self._delete_below((profile_id,))

    def get_query(self, profile_id: str, query_id: str) -> Document | None:
        return self.kept["queries"].get((profile_id, query_id))

    def save_query(self, profile_id: str, query: Mapping[str, Any]) -> None:
        if query.get("profile_id", profile_id) != profile_id:
            raise RefusedError("profile_id")
        check("query", query)
        if profile_id not in self.kept["profiles"]:
            raise ProfileNotFoundError(profile_id)
        query = {**query, "profile_id": profile_id}
        self._save_named("queries", (profile_id, query["id"]), query, self.QUERY_DEFAULTS)

    def list_queries(self, profile_id: str) -> list[Document]:
        return self._most_recently_used(self._below("queries", (profile_id,)).values())

    def delete_query(self, profile_id: str, query_id: str) -> None:
        if (profile_id, query_id) not in self.kept["queries"]:
            raise QueryNotFoundError(profile_id, query_id)
        self._delete_below((profile_id, query_id))

    def _save_named(
        self, table: str, key: tuple[str, ...], given: Mapping[str, Any], defaults: Document
    ) -> None:
        place: Any = key if len(key) > 1 else key[0]
        document = {**defaults, "name": given["id"], **given}
        for other, found in self._below(table, key[:-1]).items():
            if other != place and found["name"] == document["name"]:
                raise RefusedError("name", mentioned=found["id"])
        before = self.kept[table].get(place) or {
            "created_at": (created_at := document.get("created_at", self.clock())),
            "last_used": created_at,
        }
        for moment in ("created_at", "last_used"):
            document[moment] = in_utc(document.get(moment, before[moment])).isoformat()
        self.kept[table][place] = document

    @staticmethod
    def _most_recently_used(found: Iterable[Document]) -> list[Document]:
        return sorted(found, key=lambda each: (newest_first(each["last_used"]), each["id"]))

    def _below(self, table: str, ids: tuple[str, ...]) -> dict[Any, Any]:
        found = self.kept[table].items()
        return {key: value for key, value in found if not ids or key[: len(ids)] == ids}

    def _delete_below(self, ids: tuple[str, ...]) -> None:
        for table in ("queries", "caches", "changelogs", "data", "snapshots"):
            for key in self._below(table, ids):
                del self.kept[table][key]

    def _require(self, profile_id: str, query_id: str) -> None:
        if profile_id not in self.kept["profiles"]:
            raise ProfileNotFoundError(profile_id)
        if (profile_id, query_id) not in self.kept["queries"]:
            raise QueryNotFoundError(profile_id, query_id)

    def exists(self) -> bool:
        return True

    def check_integrity(self) -> tuple[bool, list[str]]:
        return True, []

    def records(self, model: Any) -> Iterator[Document]:
        raise NotImplementedError

    def save_records(self, model: Any, records: Iterable[Mapping[str, Any]]) -> None:
        raise NotImplementedError

    # app state

    def get_app_state(self, key: str) -> str | None:
        return self.kept["states"].get(key)

    def set_app_state(self, key: str, value: str | None) -> None:
        check("state", {"value": value})
        if value is None:
            self.kept["states"].pop(key, None)
        else:
            self.kept["states"][key] = value

    # answers of Jira

    def _has_expired(self, entry: Document) -> bool:
        return entry["expires_at"] is not None and entry["expires_at"] <= self.clock()

    def get_jira_cache(self, profile_id: str, query_id: str, cache_key: str) -> Document | None:
        found = self.kept["caches"].get((profile_id, query_id, cache_key))
        return None if found is None or self._has_expired(found) else found["response"]

    def save_jira_cache(
        self,
        profile_id: str,
        query_id: str,
        cache_key: str,
        response: Mapping[str, Any],
        expires_at: datetime,
    ) -> None:
        entry = {"cache_key": cache_key, "response": response, "expires_at": expires_at}
        check("cache", entry)
        self._require(profile_id, query_id)
        entry |= {"expires_at": in_utc(expires_at), "created_at": self.clock()}
        self.kept["caches"][profile_id, query_id, cache_key] = entry

    def list_jira_caches(self, profile_id: str, query_id: str) -> list[Document]:
        found = self._below("caches", (profile_id, query_id)).values()
        return [
            {
                "cache_key": entry["cache_key"],
                "created_at": entry["created_at"].isoformat(),
                "expires_at": entry["expires_at"].isoformat(),
                "expired": self._has_expired(entry),
                "issue_count": len(entry["response"].get("issues", [])),
            }
            for entry in sorted(
                found, key=lambda entry: (newest_first(entry["created_at"]), entry["cache_key"])
            )
        ]

    def cleanup_expired_cache(self) -> int:
        dead = [
            (table, key)
            for table in ("caches", "changelogs")
            for key, entry in self.kept[table].items()
            if self._has_expired(entry)
        ]
        for table, key in dead:
            del self.kept[table][key]
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
        expires_at: datetime | None = None,
    ) -> None:
        self.save_jira_changelogs(profile_id, query_id, {issue_key: changelog}, expires_at)

    def get_jira_changelogs(
        self, profile_id: str, query_id: str, issue_keys: Iterable[str] | None = None
    ) -> dict[str, Document]:
        return {
            key[-1]: entry["changelog"]
            for key, entry in sorted(self._below("changelogs", (profile_id, query_id)).items())
            if not self._has_expired(entry) and (issue_keys is None or key[-1] in issue_keys)
        }

    def save_jira_changelogs(
        self,
        profile_id: str,
        query_id: str,
        changelogs: Mapping[str, Mapping[str, Any]],
        expires_at: datetime | None = None,
    ) -> None:
        for issue_key, changelog in changelogs.items():
            check("changelog", {"issue_key": issue_key, "changelog": changelog})
        if changelogs:
            self._require(profile_id, query_id)
        for issue_key, changelog in changelogs.items():
            self.kept["changelogs"][profile_id, query_id, issue_key] = {
                "changelog": changelog,
                "expires_at": None if expires_at is None else in_utc(expires_at),
            }

    def list_jira_changelogs(self, profile_id: str, query_id: str) -> list[Document]:
        return [
            {
                "issue_key": key[-1],
                "expires_at": entry["expires_at"] and entry["expires_at"].isoformat(),
                "expired": self._has_expired(entry),
            }
            for key, entry in sorted(self._below("changelogs", (profile_id, query_id)).items())
        ]

    # project data and metrics

    def get_project_data(self, profile_id: str, query_id: str) -> Document | None:
        return self.kept["data"].get((profile_id, query_id))

    def save_project_data(self, profile_id: str, query_id: str, data: Mapping[str, Any]) -> None:
        check("data", {"data": data})
        self._require(profile_id, query_id)
        self.kept["data"][profile_id, query_id] = data

    def get_metrics_snapshots(
        self,
        profile_id: str,
        query_id: str,
        metric_type: str | None = None,
        limit: int | None = 52,
    ) -> list[Document]:
        if limit is not None and limit < 1:
            raise RefusedError("limit")
        found = sorted(
            self._below("snapshots", (profile_id, query_id)).values(),
            key=lambda each: each["metric_type"],
        )
        found.sort(key=lambda each: each["snapshot_date"], reverse=True)
        return [each for each in found if metric_type in (None, each["metric_type"])][:limit]

    def save_metrics_snapshot(
        self,
        profile_id: str,
        query_id: str,
        snapshot_date: str,
        metric_type: str,
        metrics: Mapping[str, Any],
        forecast: Mapping[str, Any] | None = None,
    ) -> None:
        snapshot = {
            "snapshot_date": snapshot_date,
            "metric_type": metric_type,
            "metrics": metrics,
            "forecast": forecast,
        }
        self.save_metrics_snapshots(profile_id, query_id, [snapshot])

    def save_metrics_snapshots(
        self, profile_id: str, query_id: str, snapshots: Iterable[Mapping[str, Any]]
    ) -> None:
        many = list(snapshots)
        for snapshot in many:
            check("snapshot", snapshot)
        if many:
            self._require(profile_id, query_id)
        for snapshot in many:
            key = profile_id, query_id, snapshot["snapshot_date"], snapshot["metric_type"]
            self.kept["snapshots"][key] = {
                "forecast": None,
                **snapshot,
                "profile_id": profile_id,
                "query_id": query_id,
                "created_at": self.clock().isoformat(),
            }

    # tasks

    def get_task_progress(self, task_name: str) -> Document | None:
        return self.kept["tasks"].get(task_name)

    def save_task_progress(
        self, task_name: str, progress_percent: float, status: str, message: str = ""
    ) -> None:
        task = {"task_name": task_name, "progress_percent": progress_percent, "status": status}
        check("task", task)
        self.kept["tasks"][task_name] = {
            **task,
            "progress_percent": float(progress_percent),
            "message": message,
            "updated_at": self.clock().isoformat(),
        }

    def list_task_progress(self) -> list[Document]:
        return [task for _, task in sorted(self.kept["tasks"].items())]

    def clear_task_progress(self, task_name: str) -> None:
        self.kept["tasks"].pop(task_name, None)

    # the whole

    def describe(self) -> Document:
        raise NotImplementedError  # each backend lies elsewhere

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


# --- what is saved ---------------------------------------------------------------------------

moments = st.builds(
    lambda hours, offset, form: form(
        (START + timedelta(hours=hours)).astimezone(timezone(timedelta(hours=offset)))
    ),
    st.integers(-3, 30),
    st.sampled_from([0, -8, 5.5]),
    st.sampled_from(
        [
            lambda moment: moment,
            lambda moment: moment.isoformat(),
            lambda moment: moment.astimezone().replace(tzinfo=None),  # local time
        ]
    ),
)
leaves = st.sampled_from([None, True, 1, 1.0, -0.0, 10**30, "", "ü", "\0", [], {}])
objects = st.dictionaries(st.sampled_from(["k", "a", ""]), leaves, max_size=2)
responses = objects | st.builds(
    lambda issues, more: {"issues": issues, **more}, st.lists(objects, max_size=2), objects
)
profile_ids = st.sampled_from(PROFILE_IDS)
query_ids = st.sampled_from(QUERY_IDS)
pairs = st.sampled_from(PAIRS)
issue_keys = st.sampled_from(ISSUE_KEYS)
names = st.sampled_from(NAMES)


@st.composite
def at_times_bad(draw: st.DrawFn, kind: str, good: st.SearchStrategy[Document]) -> Document:
    """Mostly good documents, and some with one or two of the values that are refused."""
    document = draw(good)
    if draw(st.integers(0, 7)) == 7:
        for key in draw(st.lists(st.sampled_from(list(BAD[kind])), min_size=1, max_size=2)):
            document[key] = BAD[kind][key][0]
    return document


some_profiles = st.fixed_dictionaries(
    {"id": profile_ids},
    optional={
        "name": names,
        "description": st.sampled_from(["", "again"]),
        "created_at": moments,
        "last_used": moments,
        "jira_config": st.sampled_from([{}, {"token": "canary"}, {"k": 1, "base_url": ""}]),
        "forecast_settings": st.sampled_from([{"pert_factor": 3}, {"pert_factor": 3.0}]),
        "show_points": st.sampled_from([True, ["show"], []]),
        "unknown": leaves,
    },
)
some_queries = st.fixed_dictionaries(
    {"id": query_ids},
    optional={
        "name": names,
        "jql": st.sampled_from(["", "project = K"]),
        "created_at": moments,
        "last_used": moments,
        "unknown": leaves,
        "profile_id": profile_ids,
    },
)
some_caches = st.fixed_dictionaries(
    {"cache_key": st.sampled_from(["a", "b"]), "response": responses, "expires_at": moments}
)
some_changelogs = at_times_bad(
    "changelog", st.fixed_dictionaries({"issue_key": issue_keys, "changelog": objects})
)
expiries = st.none() | moments
single_snapshots = st.fixed_dictionaries(
    {
        "snapshot_date": st.sampled_from(WEEKS),
        "metric_type": st.sampled_from(METRIC_TYPES),
        "metrics": objects,
    },
    optional={"forecast": st.none() | objects},
)
some_tasks = st.fixed_dictionaries(
    {
        "task_name": st.sampled_from(TASKS),
        "progress_percent": st.sampled_from([0, 33.3, 100]),
        "status": st.sampled_from(["running", "failed"]),
    },
    optional={"message": st.sampled_from(["", "ü"])},
)

# --- the machine -----------------------------------------------------------------------------


def outcome(call: Callable[[], Any]) -> Any:
    """What a call answers, or the error that it ends with."""
    try:
        return call()
    except (RefusedError, ValidationError, ProfileNotFoundError, QueryNotFoundError) as error:
        return error


def as_json(answer: Any) -> str:
    """The answer as text, the order of lists and the kinds of numbers included."""
    return json.dumps(answer, sort_keys=True)


def spoil(answer: Any) -> None:
    """Change what was given out, which must not reach what is stored."""
    if isinstance(answer, dict | list):
        for inner in list(answer.values() if isinstance(answer, dict) else answer):
            spoil(inner)
        answer.clear()


class BackendMachine(RuleBasedStateMachine):
    """Drives a SQLite file and the model through the same calls.

    For another backend, override :meth:`new_backend`.
    """

    existing_profiles: Bundle[str] = Bundle("existing_profiles")
    existing_queries: Bundle[Ids] = Bundle("existing_queries")
    of_query = existing_queries | pairs
    of_profile = existing_profiles | profile_ids

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.clock = Clock()
        self.model = Model(self.clock)
        self.backend = self.new_backend()
        self.open: list[tuple[AbstractContextManager[None], AbstractContextManager[None]]] = []

    def new_backend(self) -> PersistenceBackend:
        """A backend on the storage of this run, which begins empty."""
        return SQLiteBackend(self.folder / "burndown.db", clock=self.clock)

    def teardown(self) -> None:
        while self.open:
            self._end(LookupError())
        self.backend.close()
        shutil.rmtree(self.folder)

    def ask(self, method: str, *arguments: Any, **options: Any) -> bool:
        """Make the call on both and compare; returns whether it was accepted."""
        expected = outcome(
            lambda: getattr(self.model, method)(*copy.deepcopy(arguments), **copy.deepcopy(options))
        )
        given, given_options = copy.deepcopy((arguments, options))
        found = outcome(lambda: getattr(self.backend, method)(*given, **given_options))
        assert repr((given, given_options)) == repr((arguments, options))
        spoil(list(given))
        spoil(given_options)
        if isinstance(expected, RefusedError):
            assert isinstance(found, ValidationError), found
            assert sorted(problem.path for problem in found.problems) == expected.paths
            assert expected.mentioned in str(found)
        elif isinstance(expected, Exception):
            assert type(found) is type(expected), found
            assert str(found) == str(expected)
            assert vars(found) == vars(expected)
        else:
            assert not isinstance(found, Exception), found
            assert as_json(found) == as_json(expected)
        accepted = not isinstance(expected, Exception)
        spoil(found)
        return accepted

    # profiles

    @initialize(target=existing_profiles)
    def begin_with_a_profile(self) -> str:
        assert self.ask("save_profile", {"id": "p", "name": "Kafka"})
        return "p"

    @initialize(target=existing_queries)
    def begin_with_a_query(self) -> Ids:
        self.ask("save_profile", {"id": "p", "name": "Kafka"})
        assert self.ask("save_query", "p", {"id": "q"})
        return "p", "q"

    @rule(profile_id=of_profile)
    def get_profile(self, profile_id: str) -> None:
        self.ask("get_profile", profile_id)

    @rule(target=existing_profiles, profile=at_times_bad("profile", some_profiles))
    def save_profile(self, profile: Document) -> Any:
        return profile["id"] if self.ask("save_profile", profile) else multiple()

    @rule(unknown=leaves)
    def save_profile_without_an_id(self, unknown: Any) -> None:
        found = outcome(lambda: self.backend.save_profile({"unknown": unknown}))
        assert isinstance(found, ValidationError)
        assert "id" in {problem.path for problem in found.problems}

    @rule()
    def list_profiles(self) -> None:
        self.ask("list_profiles")

    @rule(profile_id=of_profile)
    def delete_profile(self, profile_id: str) -> None:
        self.ask("delete_profile", profile_id)

    # queries

    @rule(ids=of_query)
    def get_query(self, ids: Ids) -> None:
        self.ask("get_query", *ids)

    @rule(
        target=existing_queries,
        profile_id=of_profile,
        query=at_times_bad("query", some_queries),
    )
    def save_query(self, profile_id: str, query: Document) -> Any:
        accepted = self.ask("save_query", profile_id, query)
        return (profile_id, query["id"]) if accepted else multiple()

    @rule(profile_id=of_profile)
    def list_queries(self, profile_id: str) -> None:
        self.ask("list_queries", profile_id)

    @rule(ids=of_query)
    def delete_query(self, ids: Ids) -> None:
        self.ask("delete_query", *ids)

    @rule(target=existing_queries, ids=existing_queries, last_used=moments)
    def save_what_was_given_out(self, ids: Ids, last_used: Any) -> Any:
        """What business logic does: read, change, save."""
        found = self.backend.get_query(*ids)
        if found is None:
            return multiple()
        assert self.ask("save_query", ids[0], {**found, "last_used": last_used})
        return ids

    # app state

    @rule(key=st.sampled_from(STATE_KEYS))
    def get_app_state(self, key: str) -> None:
        self.ask("get_app_state", key)

    @rule(key=st.sampled_from(STATE_KEYS), value=st.sampled_from(["p", "", None, "\ud800"]))
    def set_app_state(self, key: str, value: str | None) -> None:
        self.ask("set_app_state", key, value)

    # answers of Jira

    @rule(ids=of_query, key=st.sampled_from(["a", "b"]))
    def get_jira_cache(self, ids: Ids, key: str) -> None:
        self.ask("get_jira_cache", *ids, key)

    @rule(ids=of_query, cache=at_times_bad("cache", some_caches))
    def save_jira_cache(self, ids: Ids, cache: Document) -> None:
        self.ask("save_jira_cache", *ids, **cache)

    @rule(ids=of_query)
    def list_jira_caches(self, ids: Ids) -> None:
        self.ask("list_jira_caches", *ids)

    @rule()
    def cleanup_expired_cache(self) -> None:
        self.ask("cleanup_expired_cache")

    # changelogs

    @rule(ids=of_query, key=issue_keys)
    def get_jira_changelog(self, ids: Ids, key: str) -> None:
        self.ask("get_jira_changelog", *ids, key)

    @rule(ids=of_query, entry=some_changelogs, expires_at=expiries)
    def save_jira_changelog(self, ids: Ids, entry: Document, expires_at: Any) -> None:
        self.ask("save_jira_changelog", *ids, **entry, expires_at=expires_at)

    @rule(ids=of_query, keys=st.none() | st.lists(issue_keys, max_size=4))
    def get_jira_changelogs(self, ids: Ids, keys: list[str] | None) -> None:
        self.ask("get_jira_changelogs", *ids, keys)

    @rule(ids=of_query, entries=st.lists(some_changelogs, max_size=3), expires_at=expiries)
    def save_jira_changelogs(self, ids: Ids, entries: list[Document], expires_at: Any) -> None:
        changelogs = {entry["issue_key"]: entry["changelog"] for entry in entries}
        self.ask("save_jira_changelogs", *ids, changelogs, expires_at)

    @rule(ids=of_query)
    def list_jira_changelogs(self, ids: Ids) -> None:
        self.ask("list_jira_changelogs", *ids)

    # project data

    @rule(ids=of_query)
    def get_project_data(self, ids: Ids) -> None:
        self.ask("get_project_data", *ids)

    @rule(ids=of_query, data=objects | st.just([]))
    def save_project_data(self, ids: Ids, data: Any) -> None:
        self.ask("save_project_data", *ids, data)

    # metrics

    @rule(
        ids=of_query,
        metric_type=st.none() | st.sampled_from([*METRIC_TYPES, "other"]),
        limit=st.sampled_from([1, 2, None, 10**30, 0, -1]),
    )
    def get_metrics_snapshots(self, ids: Ids, metric_type: str | None, limit: int | None) -> None:
        self.ask("get_metrics_snapshots", *ids, metric_type, limit=limit)

    @rule(ids=of_query, snapshot=at_times_bad("snapshot", single_snapshots))
    def save_metrics_snapshot(self, ids: Ids, snapshot: Document) -> None:
        snapshot.pop("unknown", None)
        self.ask("save_metrics_snapshot", *ids, **snapshot)

    @rule(ids=of_query, snapshots=st.lists(at_times_bad("snapshot", single_snapshots), max_size=4))
    def save_metrics_snapshots(self, ids: Ids, snapshots: list[Document]) -> None:
        self.ask("save_metrics_snapshots", *ids, snapshots)

    # tasks

    @rule(name=st.sampled_from(TASKS))
    def get_task_progress(self, name: str) -> None:
        self.ask("get_task_progress", name)

    @rule(task=at_times_bad("task", some_tasks))
    def save_task_progress(self, task: Document) -> None:
        self.ask("save_task_progress", **task)

    @rule()
    def list_task_progress(self) -> None:
        self.ask("list_task_progress")

    @rule(name=st.sampled_from(TASKS))
    def clear_task_progress(self, name: str) -> None:
        self.ask("clear_task_progress", name)

    # the whole

    @rule()
    def describe(self) -> None:
        found = self.backend.describe()
        assert found.keys() == {"location", "size_bytes", "schema_version"}
        assert found["schema_version"] == self.backend.get_app_state("schema_version") is not None

    @rule(hours=st.sampled_from([0, 1, 5]), microseconds=st.sampled_from([-1, 0, 1]))
    def time_passes(self, hours: int, microseconds: int) -> None:
        self.clock.now += timedelta(hours=hours, microseconds=max(microseconds, -hours))

    @precondition(lambda self: len(self.open) < 3)
    @rule()
    def transaction(self) -> None:
        both = self.backend.transaction(), self.model.transaction()
        for each in both:
            each.__enter__()
        self.open.append(both)

    @precondition(lambda self: self.open)
    @rule()
    def transaction_succeeds(self) -> None:
        self._end(None)

    @precondition(lambda self: self.open)
    @rule(kind=st.sampled_from([LookupError, KeyboardInterrupt]))
    def transaction_fails(self, kind: type[BaseException]) -> None:
        self._end(kind())

    def _end(self, error: BaseException | None) -> None:
        for each in self.open.pop():
            assert not each.__exit__(error and type(error), error, None)

    @precondition(lambda self: not self.open)
    @rule(again=st.booleans())
    def close(self, again: bool) -> None:
        """The same backend opens again, or one in the next process does."""
        self.backend.close()
        if again:
            self.backend = self.new_backend()

    @rule()
    def others_look(self) -> None:
        """Another process sees all that has ended, and nothing of a transaction that has not."""
        with self.new_backend() as other:
            assert everything(other) == everything(self.model.committed())

    @invariant()
    def all_listings_are_equal(self) -> None:
        assert everything(self.backend) == everything(self.model)


def everything(backend: PersistenceBackend) -> dict[str, str]:
    """All that a backend lists, of what exists and of what does not."""
    found: dict[str, Any] = {
        "profiles": backend.list_profiles(),
        "tasks": backend.list_task_progress(),
        "states": [backend.get_app_state(key) for key in STATE_KEYS],
    }
    for profile_id in PROFILE_IDS:
        found[f"queries of {profile_id}"] = backend.list_queries(profile_id)
    for ids in PAIRS:
        found[f"caches of {ids}"] = backend.list_jira_caches(*ids)
        found[f"changelogs of {ids}"] = [
            backend.list_jira_changelogs(*ids),
            list(backend.get_jira_changelogs(*ids).items()),
        ]
        found[f"data of {ids}"] = backend.get_project_data(*ids)
        found[f"snapshots of {ids}"] = backend.get_metrics_snapshots(*ids, limit=None)
    return {what: as_json(listing) for what, listing in found.items()}


MACHINES: dict[str, type[BackendMachine]] = {"sqlite": BackendMachine}


def test_the_machine_knows_every_method() -> None:
    """A method that is added to the interface has to be driven too."""
    assert vars(BackendMachine).keys() >= PersistenceBackend.__abstractmethods__


@pytest.mark.parametrize("machine", MACHINES.values(), ids=MACHINES)
def test_a_backend_answers_as_plain_dicts_do(machine: type[BackendMachine]) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=25,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )


@pytest.mark.soak
@pytest.mark.parametrize("machine", MACHINES.values(), ids=MACHINES)
def test_a_backend_answers_as_plain_dicts_do_for_long(machine: type[BackendMachine]) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=300,
            stateful_step_count=50,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )
