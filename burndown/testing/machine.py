"""A state machine that makes the same calls on all backends and the model, in any order."""

import copy
import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from datetime import date, datetime, timedelta, timezone
from typing import Any
from unittest.mock import patch

from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
)

from burndown import (
    BudgetNotFoundError,
    PersistenceBackend,
    PersistenceError,
    ProfileNotFoundError,
    QueryNotFoundError,
    RevisionConflictError,
    Task,
    TaskCancelledError,
    ValidationError,
    Week,
)
from burndown.models import ENTITIES, AppState, Entity, QueryData
from burndown.testing.clocks import Clock
from burndown.testing.controlled_store import KEYS, START, Document, Open, in_order
from burndown.testing.model import BAD, Model, RefusedError

Ids = tuple[str, str]
Kept = tuple[type[Entity], list[Document]]
NewBackend = Callable[[], AbstractContextManager[Open]]

PROFILE_IDS = ["p", "P", "ü 1"]
QUERY_IDS = ["q", "Q"]
PAIRS = [(profile_id, query_id) for profile_id in PROFILE_IDS for query_id in QUERY_IDS]
NAMES = ["p", "q", "Kafka", "kafka"]
ISSUE_KEYS = ["K-1", "K-10", "K-2"]
STATE_KEYS = ["active_profile_id", "active_query_id"]
TASKS = ["fetch", "Fetch"]
LEASES = [timedelta(microseconds=1), timedelta(hours=1), timedelta(hours=6)]
WEEKS = ["2025-W01", "2025-W52", "2026-W01"]
OF_A_QUERY = [each for each in ENTITIES if issubclass(each, QueryData)]
METRIC_TYPES = ["dora", "flow"]

# --- saved values ----------------------------------------------------------------------------

timestamps = st.builds(
    lambda hours, offset, form: form(
        (START + timedelta(hours=hours)).astimezone(timezone(timedelta(hours=offset)))
    ),
    st.integers(-3, 30),
    st.sampled_from([0, -8, 5.5]),
    st.sampled_from(
        [
            lambda timestamp: timestamp,
            lambda timestamp: timestamp.isoformat(),
            lambda timestamp: timestamp.astimezone().replace(tzinfo=None),  # local time
        ]
    ),
)
leaves: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, 1, 1.0, -0.0, 10**30, "", "ü", "\0", [], {}]
)
objects = st.dictionaries(st.sampled_from(["k", "a", ""]), leaves, max_size=2)
issues = st.builds(
    lambda names, fields: {**names, **fields},
    st.sampled_from(
        [{"id": "1", "key": "K-1"}, {"id": "2", "key": "K-1"}, {"key": "K-2", "id": "1"}]
    )
    | st.sampled_from([{"key": "K-2"}, {"self": "ü", "id": "3", "key": "K-3"}]),
    objects,
)
responses = objects | st.builds(
    lambda issues, error_text, more: {"issues": issues, **error_text, **more},
    st.lists(objects | issues, max_size=3),
    st.sampled_from([{}, {"total": 1}, {"isLast": False}, {"total": 9, "isLast": True}]),
    objects,
)
profile_ids = st.sampled_from(PROFILE_IDS)
query_ids = st.sampled_from(QUERY_IDS)
pairs = st.sampled_from(PAIRS)
issue_keys = st.sampled_from(ISSUE_KEYS)
names = st.sampled_from(NAMES)
models = st.sampled_from(list(KEYS))


@st.composite
def sometimes_invalid(draw: st.DrawFn, kind: str, good: st.SearchStrategy[Document]) -> Document:
    """Return mostly valid documents, and some with one or two invalid values."""
    document = draw(good)
    if draw(st.integers(0, 7)) == 7:
        for key in draw(st.lists(st.sampled_from(list(BAD[kind])), min_size=1, max_size=2)):
            document[key] = BAD[kind][key][0]
    return document


revisions = st.sampled_from([None, 1, 2, 3])
tokens = st.sampled_from(["canary", "", None, "***", {"is_set": True}]).map(
    lambda token: {"token": token}
)
some_profiles = st.fixed_dictionaries(
    {"id": profile_ids},
    optional={
        "name": names,
        "description": st.sampled_from(["", "again"]),
        "created_at": timestamps,
        "last_used": timestamps,
        "revision": revisions,
        "jira_config": st.sampled_from([{}, {"k": 1, "base_url": ""}]) | tokens,
        "forecast_settings": st.sampled_from([{"pert_factor": 3}, {"pert_factor": 3.0}]),
        "show_points": st.sampled_from([True, ["show"], []]),
        "unknown": leaves,
        "password": st.sampled_from(["canary", {"is_set": True}]),
    },
)
some_queries = st.fixed_dictionaries(
    {"id": query_ids},
    optional={
        "name": names,
        "jql": st.sampled_from(["", "project = K"]),
        "created_at": timestamps,
        "last_used": timestamps,
        "updated_at": st.none() | timestamps,
        "unknown": leaves,
        "profile_id": profile_ids,
        "revision": revisions,
    },
)
changes_of_profiles = st.fixed_dictionaries(
    {},
    optional={
        "id": profile_ids,
        "name": st.none() | names,
        "description": st.sampled_from(["", "again", None]),
        "created_at": st.none() | timestamps,
        "last_used": st.none() | timestamps,
        "jira_config": st.sampled_from([None, {}, {"k": None}, {"k": {"a": None, "b": 1}}])
        | tokens,
        "forecast_settings": st.sampled_from([{"pert_factor": None}, {"pert_factor": 3}]),
        "show_points": st.sampled_from([None, True, ["show"]]),
        "unknown": leaves | st.sampled_from([{"k": {"a": 1}}, {"k": {"a": None}}]),
        "password": st.sampled_from([None, {"is_set": True}]),
        "revision": revisions,
    },
)
changes_of_queries = st.fixed_dictionaries(
    {},
    optional={
        "profile_id": profile_ids,
        "id": query_ids,
        "name": st.none() | names,
        "jql": st.sampled_from([None, "project = K"]),
        "updated_at": st.none() | timestamps,
        "unknown": leaves,
        "revision": revisions,
    },
)
staleness = st.sampled_from(
    [
        *(None, timedelta(), timedelta(hours=1), timedelta(days=1), timedelta.max),
        timedelta(microseconds=-1),
    ]
)
lifetimes = timestamps | st.timedeltas(timedelta(days=-2), timedelta(days=2))
some_caches = st.fixed_dictionaries(
    {"cache_key": st.sampled_from(["a", "b"]), "response": responses, "expires_at": lifetimes}
)
some_changelogs = sometimes_invalid(
    "changelog", st.fixed_dictionaries({"issue_key": issue_keys, "changelog": objects})
)
expiries = st.none() | lifetimes
single_snapshots = st.fixed_dictionaries(
    {
        "snapshot_date": st.sampled_from(WEEKS),
        "metric_type": st.sampled_from(METRIC_TYPES),
        "metrics": objects,
    },
    optional={
        "forecast": st.none() | objects,
        "forecasts": st.none() | objects,
        "created_at": timestamps,
    },
)
bounds = st.none() | st.sampled_from(
    [
        *(*WEEKS, Week(2025, 1), Week(2026, 1), date(2025, 12, 25)),
        *(datetime(2025, 1, 2, 23), "soon"),  # noqa: DTZ001 - local time
    ]
)
some_revisions = st.fixed_dictionaries(
    {},
    optional={
        "revision_date": st.none() | timestamps,
        "created_at": timestamps,
        "week_label": st.sampled_from(WEEKS),
        "team_cost_delta": st.sampled_from([250, -0.5]),
        "metadata": st.none() | objects,
        "unknown": leaves,
    },
)
some_budgets = st.fixed_dictionaries(
    {},
    optional={
        "time_allocated_weeks": st.sampled_from([None, 0, 12, 0.1]),
        "budget_total": st.sampled_from([None, 48_000, -0.0]),
        "currency_symbol": st.just("CHF"),
        "effective_from": st.sampled_from([None, "2026-01-05"]),
        "created_at": timestamps,
        "updated_at": timestamps,
        "revisions": st.lists(some_revisions, max_size=2),
        "unknown": leaves,
    },
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


REFUSALS = (
    LookupError,
    RefusedError,
    ValidationError,
    RevisionConflictError,
    ProfileNotFoundError,
    QueryNotFoundError,
    BudgetNotFoundError,
)


def outcome(call: Callable[[], Any]) -> Any:
    """Return the result of a call, or the error that it raises."""
    try:
        return call()
    except REFUSALS as error:
        return error


def as_json(answer: Any) -> str:
    """Return the result as a string, in which the order of lists and the types of numbers count."""
    return json.dumps(answer, sort_keys=True)


def spoil(answer: Any) -> None:
    """Change a returned value in place, which must not change what is stored."""
    if isinstance(answer, dict | list):
        for inner in list(answer.values() if isinstance(answer, dict) else answer):
            spoil(inner)
        answer.clear()


def error_text(error: Exception) -> tuple[Any, ...]:
    """Return all that a caller sees of an error."""
    return type(error), str(error), vars(error)


def records_of(backend: PersistenceBackend, model: type[Entity]) -> list[Document]:
    """Return all records of the model by key, without the backend's own state."""
    found = in_order(model, backend.records(model))
    return [each for each in found if model is not AppState or each["key"] != "schema_version"]


class BackendMachine(RuleBasedStateMachine):
    """A machine that makes each call on all backends and on the model, and compares the results.

    Args:
        storages: a function for each backend, by name, that creates a storage for this run.
    """

    existing_profiles: Bundle[str] = Bundle("existing_profiles")
    existing_queries: Bundle[Ids] = Bundle("existing_queries")
    read_records: Bundle[Kept] = Bundle("read_records")
    of_query = existing_queries | pairs
    of_profile = existing_profiles | profile_ids

    def __init__(self, storages: Mapping[str, NewBackend]) -> None:
        super().__init__()
        self.clock = Clock(START)
        self.model = Model(self.clock)
        PersistenceBackend.__init__(self.model, self.clock)  # for its tasks
        self.open: list[list[AbstractContextManager[None]]] = []
        self.tasks: list[dict[str, Task]] = []
        self.begun = 0
        self.removed = ExitStack()
        self.openers = {
            name: self.removed.enter_context(storage()) for name, storage in storages.items()
        }
        self.backends = self.open_backends()
        self.looked_at = False

    def open_backends(self) -> dict[str, PersistenceBackend]:
        """Open further backends on the stores of this run, which are empty at first."""
        return {name: open_backend(self.clock) for name, open_backend in self.openers.items()}

    def teardown(self) -> None:
        with self.removed:
            while self.open:
                self._end(LookupError())
            for backend in self.backends.values():
                backend.close()

    def ask(self, method: str, *arguments: Any, **options: Any) -> bool:
        """Make the call on all and compare the results; return whether it was accepted."""
        expected = outcome(
            lambda: getattr(self.model, method)(*copy.deepcopy(arguments), **copy.deepcopy(options))
        )
        errors = []
        for name, backend in self.backends.items():
            given, given_options = copy.deepcopy((arguments, options))
            call = getattr(backend, method)
            found = outcome(lambda: call(*given, **given_options))  # noqa: B023 - called immediately
            assert repr((given, given_options)) == repr((arguments, options)), name
            spoil(list(given))
            spoil(given_options)
            if isinstance(expected, RefusedError):
                assert isinstance(found, ValidationError), (name, found)
                paths = sorted(problem.path for problem in found.problems)
                assert paths == expected.paths, name
                assert expected.mentioned in str(found), name
                errors.append(error_text(found))
            elif isinstance(expected, Exception):
                assert isinstance(found, Exception), (name, found)
                assert error_text(found) == error_text(expected), name
            else:
                assert not isinstance(found, Exception), (name, found)
                assert as_json(found) == as_json(expected), name
            spoil(found)
        assert all(error == errors[0] for error in errors)
        self.looked_at &= method.startswith(
            ("get_", "find_", "list_", "query_status", "exists", "check_")
        )
        return not isinstance(expected, Exception)

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

    @rule(target=existing_profiles, profile=sometimes_invalid("profile", some_profiles))
    def save_profile(self, profile: Document) -> Any:
        return profile["id"] if self.ask("save_profile", profile) else multiple()

    @rule(
        profile_id=of_profile,
        changes=sometimes_invalid("profile", changes_of_profiles),
        if_revision=revisions,
    )
    def patch_profile(self, profile_id: str, changes: Document, if_revision: int | None) -> None:
        self.ask("patch_profile", profile_id, changes, if_revision)

    @rule(unknown=leaves)
    def save_profile_without_an_id(self, unknown: Any) -> None:
        errors = [
            outcome(lambda: backend.save_profile({"unknown": unknown}))  # noqa: B023
            for backend in self.backends.values()
        ]
        for error in errors:
            assert isinstance(error, ValidationError)
            assert "id" in {problem.path for problem in error.problems}
            assert error_text(error) == error_text(errors[0])

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
        query=sometimes_invalid("query", some_queries),
    )
    def save_query(self, profile_id: str, query: Document) -> Any:
        accepted = self.ask("save_query", profile_id, query)
        return (profile_id, query["id"]) if accepted else multiple()

    @rule(
        ids=of_query,
        changes=sometimes_invalid("query", changes_of_queries),
        if_revision=revisions,
    )
    def patch_query(self, ids: Ids, changes: Document, if_revision: int | None) -> None:
        self.ask("patch_query", *ids, changes, if_revision)

    @rule(profile_id=of_profile)
    def list_queries(self, profile_id: str) -> None:
        self.ask("list_queries", profile_id)

    @rule(ids=of_query)
    def delete_query(self, ids: Ids) -> None:
        self.ask("delete_query", *ids)

    @rule(target=existing_queries, ids=existing_queries, last_used=timestamps)
    def save_returned_document(self, ids: Ids, last_used: Any) -> Any:
        """Read, change and save, as business logic does."""
        found = [backend.get_query(*ids) for backend in self.backends.values()]
        assert len({as_json(each) for each in found}) == 1
        if found[0] is None:
            return multiple()
        assert self.ask("save_query", ids[0], {**found[0], "last_used": last_used})
        return ids

    # app state

    @rule(key=st.sampled_from(STATE_KEYS))
    def get_app_state(self, key: str) -> None:
        self.ask("get_app_state", key)

    @rule(key=st.sampled_from(STATE_KEYS), value=st.sampled_from(["p", "", None, "\ud800"]))
    def set_app_state(self, key: str, value: str | None) -> None:
        self.ask("set_app_state", key, value)

    # cached responses

    @rule(ids=of_query, key=st.sampled_from(["a", "b"]))
    def get_jira_cache(self, ids: Ids, key: str) -> None:
        self.ask("get_jira_cache", *ids, key)

    @rule(ids=of_query, cache=sometimes_invalid("cache", some_caches))
    def save_jira_cache(self, ids: Ids, cache: Document) -> None:
        self.ask("save_jira_cache", *ids, **cache)

    @rule(
        ids=of_query,
        key=st.sampled_from(["a", "b"]),
        changed=st.lists(issues, max_size=3),
        removed=st.lists(st.sampled_from(["K-1", "K-2", "3"]), max_size=2),
        expires_at=lifetimes,
    )
    def merge_jira_cache(
        self, ids: Ids, key: str, changed: list[Document], removed: list[str], expires_at: Any
    ) -> None:
        self.ask("merge_jira_cache", *ids, key, changed, removed, expires_at)

    @rule(ids=of_query)
    def list_jira_caches(self, ids: Ids) -> None:
        self.ask("list_jira_caches", *ids)

    @rule(ids=of_query, key=st.sampled_from(["a", "b"]), max_stale=staleness)
    def find_jira_cache(self, ids: Ids, key: str, max_stale: timedelta | None) -> None:
        self.ask("find_jira_cache", *ids, key, max_stale)

    @precondition(lambda self: not self.open)
    @rule(
        ids=of_query,
        key=st.sampled_from(["a", "b"]),
        response=st.none() | responses,
        ttl=st.timedeltas(timedelta(), timedelta(days=1)),
        allowed=staleness,
    )
    def cached(
        self, ids: Ids, key: str, response: Document | None, ttl: timedelta, allowed: Any
    ) -> None:
        """Fetch what is not cached; ``None`` is an error, whose task is then cleared."""

        def fetch() -> Document:
            if response is None:
                raise LookupError
            return copy.deepcopy(response)

        self.ask("cached", *ids, key, fetch, ttl, stale_if_error=allowed)
        for backend in self.backends.values():
            for task in backend.list_task_progress():
                if task["task_name"] not in TASKS:
                    backend.clear_task_progress(task["task_name"])

    @rule(profile_id=of_profile)
    def query_status(self, profile_id: str) -> None:
        self.ask("query_status", profile_id)

    @rule(
        ids=of_query,
        is_of_query=st.booleans(),
        key=st.none() | st.sampled_from(["a", "b", "none"]),
    )
    def delete_jira_caches(self, ids: Ids, is_of_query: bool, key: str | None) -> None:
        self.ask("delete_jira_caches", *(ids if is_of_query else (ids[0], None)), key)

    @rule()
    def cleanup_expired_cache(self) -> None:
        self.ask("cleanup_expired_cache")

    @rule(max_stale=staleness)
    def cleanup_stale_cache(self, max_stale: timedelta | None) -> None:
        self.ask("cleanup_expired_cache", max_stale)

    @rule(
        max_bytes=st.sampled_from([None, 0, 2**40, -1]),
        profile_id=st.none() | of_profile,
    )
    def cleanup(self, max_bytes: int | None, profile_id: str | None) -> None:
        """Delete all or none; stores differ in the bytes that they take for the same data."""
        self.ask("cleanup", max_bytes, profile_id)

    # changelogs

    @rule(ids=of_query, key=issue_keys)
    def get_jira_changelog(self, ids: Ids, key: str) -> None:
        self.ask("get_jira_changelog", *ids, key)

    @rule(ids=of_query, key=issue_keys, max_stale=staleness)
    def find_jira_changelog(self, ids: Ids, key: str, max_stale: timedelta | None) -> None:
        self.ask("find_jira_changelog", *ids, key, max_stale)

    @rule(ids=of_query, keys=st.none() | st.lists(issue_keys, max_size=4), max_stale=staleness)
    def find_jira_changelogs(
        self, ids: Ids, keys: list[str] | None, max_stale: timedelta | None
    ) -> None:
        self.ask("find_jira_changelogs", *ids, keys, max_stale)

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

    @rule(
        ids=of_query,
        is_of_query=st.booleans(),
        keys=st.none() | st.lists(issue_keys, max_size=4),
    )
    def delete_jira_changelogs(self, ids: Ids, is_of_query: bool, keys: list[str] | None) -> None:
        self.ask("delete_jira_changelogs", *(ids if is_of_query else (ids[0], None)), keys)

    # project data

    @rule(ids=of_query, is_of_query=st.booleans())
    def delete_project_data(self, ids: Ids, is_of_query: bool) -> None:
        self.ask("delete_project_data", *(ids if is_of_query else ids[:1]))

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
        since=bounds,
        until=bounds,
    )
    def get_metrics_snapshots(
        self, ids: Ids, metric_type: str | None, limit: int | None, since: Any, until: Any
    ) -> None:
        self.ask("get_metrics_snapshots", *ids, metric_type, limit, since, until)

    @rule(
        ids=of_query,
        is_of_query=st.booleans(),
        metric_type=st.none() | st.sampled_from([*METRIC_TYPES, "other"]),
        since=bounds,
        until=bounds,
    )
    def delete_metrics_snapshots(
        self, ids: Ids, is_of_query: bool, metric_type: str | None, since: Any, until: Any
    ) -> None:
        owners = ids if is_of_query else (ids[0], None)
        self.ask("delete_metrics_snapshots", *owners, metric_type, since=since, until=until)

    @rule(
        ids=of_query,
        metric=st.sampled_from(["dora.k", "other.k", "dora", ["dora.k", "flow.k.k"], []]),
        since=bounds,
        until=bounds,
    )
    def get_series(self, ids: Ids, metric: Any, since: Any, until: Any) -> None:
        self.ask("get_series", *ids, metric, since, until)

    @rule(ids=of_query, snapshot=sometimes_invalid("snapshot", single_snapshots))
    def patch_metrics(self, ids: Ids, snapshot: Document) -> None:
        given = ("snapshot_date", "metric_type", "metrics", "forecasts")
        self.ask("patch_metrics", *ids, **{key: snapshot[key] for key in given if key in snapshot})

    @rule(ids=of_query, snapshot=sometimes_invalid("snapshot", single_snapshots))
    def save_metrics_snapshot(self, ids: Ids, snapshot: Document) -> None:
        given = {key: snapshot[key] for key in snapshot if key not in ("unknown", "created_at")}
        self.ask("save_metrics_snapshot", *ids, **given)

    @rule(
        ids=of_query,
        snapshots=st.lists(sometimes_invalid("snapshot", single_snapshots), max_size=4),
    )
    def save_metrics_snapshots(self, ids: Ids, snapshots: list[Document]) -> None:
        self.ask("save_metrics_snapshots", *ids, snapshots)

    # budgets

    @rule(ids=of_query)
    def get_budget(self, ids: Ids) -> None:
        self.ask("get_budget", *ids)

    @rule(ids=of_query, budget=sometimes_invalid("budget", some_budgets))
    def save_budget(self, ids: Ids, budget: Document) -> None:
        self.ask("save_budget", *ids, budget)

    @rule(ids=of_query)
    def delete_budget(self, ids: Ids) -> None:
        self.ask("delete_budget", *ids)

    @rule(ids=of_query, revision=sometimes_invalid("revision", some_revisions))
    def add_budget_revision(self, ids: Ids, revision: Document) -> None:
        self.ask("add_budget_revision", *ids, revision)

    # tasks

    @rule(name=st.sampled_from(TASKS))
    def get_task_progress(self, name: str) -> None:
        self.ask("get_task_progress", name)

    @rule(task=sometimes_invalid("task", some_tasks))
    def save_task_progress(self, task: Document) -> None:
        self.ask("save_task_progress", **task)

    @rule()
    def list_task_progress(self) -> None:
        self.ask("list_task_progress")

    @rule(name=st.sampled_from(TASKS))
    def clear_task_progress(self, name: str) -> None:
        self.ask("clear_task_progress", name)

    @rule(name=st.sampled_from(TASKS))
    def cancel_task(self, name: str) -> None:
        self.ask("cancel_task", name)

    @rule(name=st.sampled_from(TASKS), lease=st.sampled_from(LEASES))
    def begin_task(self, name: str, lease: timedelta) -> None:
        """Begin it on all backends, with the same owner."""
        self.begun += 1
        tasks = {
            key: each.task(name, lease, f"message {self.begun}")
            for key, each in (*self.backends.items(), ("model", self.model))
        }
        with patch("burndown.persistence.task.secrets.token_hex", return_value=str(self.begun)):
            if self.ask_tasks(tasks, lambda task: task.__enter__().owner):
                self.tasks.append(tasks)

    @precondition(lambda self: self.tasks)
    @rule(data=st.data(), percent=st.sampled_from([0, 30, 30.5, 100, 101]))
    def report_progress(self, data: st.DataObject, percent: float) -> None:
        tasks = data.draw(st.sampled_from(self.tasks))
        self.ask_tasks(tasks, lambda task: task.progress(percent))

    @precondition(lambda self: self.tasks)
    @rule(data=st.data())
    def renew_task(self, data: st.DataObject) -> None:
        self.ask_tasks(data.draw(st.sampled_from(self.tasks)), lambda task: task.renew())

    @precondition(lambda self: self.tasks)
    @rule(data=st.data(), kind=st.sampled_from([None, LookupError, TaskCancelledError]))
    def end_task(self, data: st.DataObject, kind: type[Exception] | None) -> None:
        tasks = data.draw(st.sampled_from(self.tasks))
        error = None if kind is None else kind("k")
        self.ask_tasks(tasks, lambda task: task.__exit__(kind, error, None))
        self.tasks.remove(tasks)

    def ask_tasks(self, tasks: Mapping[str, Task], call: Callable[[Task], object]) -> bool:
        """Call a task on all backends and the model; return whether it was accepted."""
        found = []
        for task in tasks.values():
            try:
                found.append(call(task))
            except PersistenceError as error:
                found.append(error_text(error))
        assert all(each == found[-1] for each in found)
        self.looked_at = False
        return not isinstance(found[-1], tuple)

    # the complete store

    @rule()
    def describe(self) -> None:
        for backend in self.backends.values():
            found = backend.describe()
            assert found.keys() == {"location", "size_bytes", "free_bytes", "schema_version"}
            assert found["schema_version"] == backend.get_app_state("schema_version") is not None

    @precondition(lambda self: not self.open)
    @rule()
    def compact(self) -> None:
        for backend in self.backends.values():
            assert backend.compact() >= 0

    @rule()
    def exists(self) -> None:
        self.ask("exists")

    @rule()
    def check_integrity(self) -> None:
        self.ask("check_integrity")

    @rule(target=read_records, model=models)
    def records(self, model: type[Entity]) -> Kept:
        found = [records_of(backend, model) for backend in self.backends.values()]
        expected = records_of(self.model, model)
        assert {as_json(each) for each in found} == {as_json(expected)}
        return model, copy.deepcopy(expected)

    @rule(ids=of_query, model=st.sampled_from(OF_A_QUERY), is_of_query=st.booleans())
    def delete_records(self, ids: Ids, model: type[QueryData], is_of_query: bool) -> None:
        self.ask("delete_records", model, *(ids if is_of_query else ids[:1]))

    @rule(kept=read_records)
    def save_records(self, kept: Kept) -> None:
        """Save records read earlier; it fails if a parent was deleted or a name is taken."""
        self.ask("save_records", *kept)

    @rule()
    def save_back_all_records(self) -> None:
        """Save the current records again, which changes nothing."""
        for model in KEYS:
            assert self.ask("save_records", model, records_of(self.model, model))

    @rule(hours=st.sampled_from([0, 1, 5]), microseconds=st.sampled_from([-1, 0, 1]))
    def time_passes(self, hours: int, microseconds: int) -> None:
        self.clock.now += timedelta(hours=hours, microseconds=max(microseconds, -hours))

    @rule()
    def in_transaction(self) -> None:
        self.ask("in_transaction")

    @precondition(lambda self: len(self.open) < 3)
    @rule()
    def transaction(self) -> None:
        begun = [each.transaction() for each in (*self.backends.values(), self.model)]
        for each in begun:
            each.__enter__()
        self.open.append(begun)

    @precondition(lambda self: self.open)
    @rule()
    def transaction_succeeds(self) -> None:
        self._end(None)

    @precondition(lambda self: self.open)
    @rule(kind=st.sampled_from([LookupError, KeyboardInterrupt]))
    def transaction_fails(self, kind: type[BaseException]) -> None:
        self._end(kind())

    def _end(self, error: BaseException | None) -> None:
        kind = None if error is None else type(error)
        for each in self.open.pop():
            assert not each.__exit__(kind, error, None)
        self.looked_at = False

    @precondition(lambda self: not self.open)
    @rule(again=st.booleans())
    def close(self, again: bool) -> None:
        """Close all; the next call opens them, or backends as of another process are opened."""
        for backend in self.backends.values():
            backend.close()
        self.looked_at = False
        if again:
            self.backends = self.open_backends()
            self.tasks = []  # as those of a process that was killed

    @rule()
    def others_look(self) -> None:
        """Another process sees all committed changes, and none of an open transaction."""
        others = self.open_backends()
        listings_are_equal(others, self.model.committed())
        for other in others.values():
            other.close()

    @rule()
    def mark_as_listed(self) -> None:
        listings_are_equal(self.backends, self.model)

    @invariant()
    def all_records_are_equal(self) -> None:
        """Compare all records after each call that can change something."""
        if self.looked_at:
            return
        self.looked_at = True
        expected = {model: as_json(records_of(self.model, model)) for model in KEYS}
        for name, backend in self.backends.items():
            with backend.transaction():  # one comparison is faster than eight
                found = {model: as_json(records_of(backend, model)) for model in KEYS}
            assert found == expected, name


def listings_are_equal(backends: Mapping[str, PersistenceBackend], model: Model) -> None:
    """Compare all lists with those of the model."""
    expected = everything(model)
    for name, backend in backends.items():
        assert everything(backend) == expected, name


def everything(backend: PersistenceBackend) -> dict[str, str]:
    """Return all that a backend lists, for ids that exist and ids that do not."""
    found: dict[str, Any] = {
        "profiles": backend.list_profiles(),
        "tasks": backend.list_task_progress(),
        "states": [backend.get_app_state(key) for key in STATE_KEYS],
    }
    for profile_id in PROFILE_IDS:
        found[f"queries of {profile_id}"] = backend.list_queries(profile_id)
        found[f"status of {profile_id}"] = backend.query_status(profile_id)
    for ids in PAIRS:
        found[f"caches of {ids}"] = backend.list_jira_caches(*ids)
        found[f"changelogs of {ids}"] = [
            backend.list_jira_changelogs(*ids),
            list(backend.get_jira_changelogs(*ids).items()),
            list(backend.find_jira_changelogs(*ids).items()),
        ]
        found[f"data of {ids}"] = backend.get_project_data(*ids)
        found[f"budget of {ids}"] = backend.get_budget(*ids)
        found[f"snapshots of {ids}"] = backend.get_metrics_snapshots(*ids, limit=None)
    return {what: as_json(listing) for what, listing in found.items()}
