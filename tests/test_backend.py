"""The laws of the backend, through its public interface, on a real SQLite file."""

import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burndown import (
    PersistenceError,
    ProfileNotFoundError,
    QueryNotFoundError,
    SQLiteBackend,
    ValidationError,
)
from tests.strategies import (
    PROFILE_SECTIONS,
    aware_moments,
    field_sources,
    identifiers,
    iso_weeks,
    json_objects,
    keys,
    lines,
    moments,
    names,
    nested,
    profiles,
    queries,
    responses,
    snapshots,
    tasks,
    unstorable_values,
    words,
)

START = datetime(2025, 12, 23, 10, tzinfo=UTC)


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


class Store(SQLiteBackend):
    """A backend with a moved clock, emptied by each example."""

    def __init__(self, path: Path) -> None:
        self.clock = Clock()
        super().__init__(path, clock=self.clock)

    @property
    def path(self) -> Path:
        return self.database.path

    def empty(self) -> "Store":
        """Only the profile ``p`` with the query ``q``."""
        self.clock.now = START
        for profile in self.list_profiles():
            self.delete_profile(profile["id"])
        for task in self.list_task_progress():
            self.clear_task_progress(task["task_name"])
        self.save_profile({"id": "p", "name": "the profile of the query"})
        self.save_query("p", {"id": "q", "name": "the query"})
        return self

    def rows(self) -> dict[str, list[Any]]:
        """Every row of every table, read by hand."""
        with closing(sqlite3.connect(self.path)) as connection:
            tables = connection.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
            ).fetchall()
            return {
                table: sorted(connection.execute(f"SELECT * FROM {table}").fetchall(), key=repr)
                for (table,) in tables
            }


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store(tmp_path_factory.mktemp("shared") / "burndown.db") as store:
        yield store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "burndown.db") as new:
        yield new.empty()


def same(one: Any, other: Any) -> bool:
    """Equal as JSON text, key order and kind of number included."""
    return json.dumps(one) == json.dumps(other)


def in_utc(moment: datetime | str) -> str:
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    return moment.astimezone(UTC).isoformat()


def as_given_out(document: dict[str, Any], now: datetime = START) -> dict[str, Any]:
    """What a saved profile or query is expected to be."""
    created_at = in_utc(document.get("created_at", now))
    return {
        "name": document["id"],
        "description": "",
        **document,
        "created_at": created_at,
        "last_used": in_utc(document.get("last_used", created_at)),
    }


PROFILE_DEFAULTS: dict[str, Any] = {
    **{section: {} for section in PROFILE_SECTIONS},
    "show_milestone": False,
    "show_points": False,
}

# --- what is saved comes back ----------------------------------------------------------------


@given(profiles())
def test_a_profile_comes_back_as_it_was_saved(shared: Store, document: dict[str, Any]) -> None:
    shared.empty().delete_profile("p")
    before = repr(document)
    shared.save_profile(document)
    assert repr(document) == before
    found = shared.get_profile(document["id"])
    expected = {**PROFILE_DEFAULTS, **as_given_out(document)}
    assert json.dumps(found, sort_keys=True) == json.dumps(expected, sort_keys=True)
    assert found is not None
    assert all(same(found[key], expected[key]) for key in expected)
    assert shared.list_profiles() == [found]


@given(queries())
def test_a_query_comes_back_as_it_was_saved(shared: Store, document: dict[str, Any]) -> None:
    shared.empty().delete_query("p", "q")
    shared.save_query("p", document)
    found = shared.get_query("p", document["id"])
    expected = {"jql": "", **as_given_out(document), "profile_id": "p"}
    assert json.dumps(found, sort_keys=True) == json.dumps(expected, sort_keys=True)
    assert found is not None
    assert all(same(found[key], expected[key]) for key in expected)
    assert shared.list_queries("p") == [found]


@pytest.mark.parametrize("section", PROFILE_SECTIONS)
@given(data=st.data())
def test_a_section_keeps_the_order_of_its_keys(
    shared: Store, section: str, data: st.DataObject
) -> None:
    document = data.draw(PROFILE_SECTIONS[section])
    shared.empty().save_profile({"id": "p", section: document})
    found = shared.get_profile("p")
    assert found is not None
    assert same(found[section], document)
    shared.save_profile(found)
    assert shared.get_profile("p") == found
    assert same(shared.get_profile("p")[section], document)  # type: ignore[index]


@given(profiles(), profiles())
def test_saving_replaces_a_profile_as_a_whole(
    shared: Store, one: dict[str, Any], other: dict[str, Any]
) -> None:
    shared.empty().delete_profile("p")
    shared.save_profile(one)
    first = shared.get_profile(one["id"])
    assert first is not None
    shared.save_profile({**other, "id": one["id"]})
    expected = {**PROFILE_DEFAULTS, **as_given_out({**other, "id": one["id"]})}
    if "created_at" not in other:
        expected["created_at"] = first["created_at"]
    if "last_used" not in other:
        expected["last_used"] = first["last_used"]
    found = shared.get_profile(one["id"])
    assert json.dumps(found, sort_keys=True) == json.dumps(expected, sort_keys=True)


@given(keys, responses)
def test_an_answer_of_jira_comes_back_as_it_was_saved(
    shared: Store, key: str, response: dict[str, Any]
) -> None:
    shared.empty().save_jira_cache("p", "q", key, response, START + timedelta(hours=1))
    assert same(shared.get_jira_cache("p", "q", key), response)
    [listed] = shared.list_jira_caches("p", "q")
    issues = response.get("issues")
    assert listed == {
        "cache_key": key,
        "created_at": in_utc(START),
        "expires_at": in_utc(START + timedelta(hours=1)),
        "expired": False,
        "issue_count": len(issues) if isinstance(issues, list) else 0,
    }
    shared.save_jira_cache("p", "q", key, {"other": 1}, START + timedelta(hours=2))
    assert shared.get_jira_cache("p", "q", key) == {"other": 1}


@given(st.dictionaries(keys, json_objects, max_size=4), st.sets(keys, max_size=3))
def test_changelogs_come_back_as_they_were_saved(
    shared: Store, changelogs: dict[str, Any], others: set[str]
) -> None:
    shared.empty().save_jira_changelogs("p", "q", changelogs)
    found = shared.get_jira_changelogs("p", "q")
    assert same(found, dict(sorted(changelogs.items())))
    for key, changelog in changelogs.items():
        assert same(shared.get_jira_changelog("p", "q", key), changelog)
    wanted = others | set(list(changelogs)[::2])
    some = shared.get_jira_changelogs("p", "q", wanted)
    assert same(some, {key: found[key] for key in found if key in wanted})
    assert shared.get_jira_changelogs("p", "q", []) == {}


def test_any_number_of_changelogs_can_be_asked_for_at_once(store: Store) -> None:
    store.save_jira_changelogs("p", "q", {f"K-{number}": {"n": number} for number in range(50)})
    wanted = [f"K-{number}" for number in range(25_000)]
    assert len(store.get_jira_changelogs("p", "q", wanted)) == 50
    assert len(store.get_jira_changelogs("p", "q", iter(wanted))) == 50


@given(keys, json_objects)
def test_one_changelog_is_saved_like_many(
    shared: Store, key: str, changelog: dict[str, Any]
) -> None:
    shared.empty().save_jira_changelog("p", "q", key, changelog)
    assert same(shared.get_jira_changelogs("p", "q"), {key: changelog})


@given(json_objects)
def test_project_data_come_back_as_they_were_saved(shared: Store, data: dict[str, Any]) -> None:
    shared.empty().save_project_data("p", "q", data)
    assert same(shared.get_project_data("p", "q"), data)


@given(snapshots)
def test_a_snapshot_comes_back_as_it_was_saved(shared: Store, snapshot: dict[str, Any]) -> None:
    shared.empty().save_metrics_snapshot("p", "q", **snapshot)
    expected = {
        "forecast": None,
        **snapshot,
        "profile_id": "p",
        "query_id": "q",
        "created_at": in_utc(START),
    }
    [found] = shared.get_metrics_snapshots("p", "q")
    assert found.keys() == expected.keys()
    assert all(same(found[key], expected[key]) for key in expected)
    assert shared.get_metrics_snapshots("p", "q", snapshot["metric_type"]) == [found]
    assert shared.get_metrics_snapshots("p", "q", snapshot["metric_type"] + "x") == []


@given(st.lists(snapshots, max_size=5))
def test_of_snapshots_of_the_same_week_and_type_the_last_counts(
    shared: Store, many: list[dict[str, Any]]
) -> None:
    shared.empty().save_metrics_snapshots("p", "q", many)
    expected = {(each["snapshot_date"], each["metric_type"]): each["metrics"] for each in many}
    found = shared.get_metrics_snapshots("p", "q", limit=None)
    assert {(each["snapshot_date"], each["metric_type"]): each["metrics"] for each in found} == (
        expected
    )


@given(tasks)
def test_the_progress_of_a_task_comes_back_as_it_was_saved(
    shared: Store, task: dict[str, Any]
) -> None:
    shared.empty().save_task_progress(**task)
    expected = {"message": "", **task, "updated_at": in_utc(START)}
    assert shared.get_task_progress(task["task_name"]) == expected
    assert shared.list_task_progress() == [expected]
    shared.clear_task_progress(task["task_name"])
    assert shared.get_task_progress(task["task_name"]) is None


@given(keys, lines, lines)
def test_app_state_comes_back_until_it_is_forgotten(
    shared: Store, key: str, value: str, other: str
) -> None:
    for text in (value, other):
        shared.set_app_state(key, text)
        assert shared.get_app_state(key) == text
    shared.set_app_state(key, None)
    assert shared.get_app_state(key) is None
    shared.set_app_state(key, None)


def test_what_is_given_out_is_a_copy(store: Store) -> None:
    store.save_profile({"id": "p", "jira_config": {"unknown": {"k": [1]}}})
    found = store.get_profile("p")
    assert found is not None
    found["jira_config"]["unknown"]["k"].append(2)
    assert store.get_profile("p")["jira_config"] == {"unknown": {"k": [1]}}  # type: ignore[index]


@pytest.mark.parametrize("key", ["extra", "self", "cls", "document", "profile_id", "session"])
def test_a_profile_may_have_any_unknown_key(store: Store, key: str) -> None:
    store.save_profile({"id": "p", key: {"k": 1}})
    assert store.get_profile("p")[key] == {"k": 1}  # type: ignore[index]
    assert store.list_profiles()[0][key] == {"k": 1}


@pytest.mark.parametrize("depth", range(192, 204))
def test_however_deep_what_is_accepted_can_be_read(store: Store, depth: int) -> None:
    value = nested(depth)
    accepted = []
    for document in (
        {"unknown": value},
        {"jira_config": {"points_field": value}},
        {"jira_config": {"unknown": value}},
        {"field_mappings": {"dora": {"severity_level": value}}},
        {"field_mappings": {"dora": {"unknown": value}}},
        {"flow_type_mappings": {"Feature": {"unknown": value}}},
        {"forecast_settings": {"unknown": value}},
    ):
        try:
            store.save_profile({"id": "p", **document})
        except ValidationError:
            continue
        accepted.append(document)
        found = store.get_profile("p")
        assert found is not None
        assert found == {**found, **document}
        assert store.list_profiles() == [found]
    assert accepted or depth > 196


# --- what is refused leaves nothing behind ---------------------------------------------------

HOUR = START + timedelta(hours=1)
GOOD = {"snapshot_date": "2025-W12", "metric_type": "dora", "metrics": {"k": 1}}
SAVES_OF_A_VALUE: dict[str, Callable[[Store, Any], None]] = {
    "profile": lambda store, value: store.save_profile({"id": "new", "unknown": value}),
    "existing profile": lambda store, value: store.save_profile({"id": "p", "unknown": value}),
    "section": lambda store, value: store.save_profile(
        {"id": "new", "jira_config": {"unknown": value}}
    ),
    "field": lambda store, value: store.save_profile(
        {"id": "new", "field_mappings": {"dora": {"severity_level": {"k": value}}}}
    ),
    "query": lambda store, value: store.save_query("p", {"id": "new", "unknown": value}),
    "answer": lambda store, value: store.save_jira_cache("p", "q", "k", {"k": value}, HOUR),
    "changelog": lambda store, value: store.save_jira_changelog("p", "q", "K-1", {"k": value}),
    "changelogs": lambda store, value: store.save_jira_changelogs(
        "p", "q", {"K-1": {}, "K-2": {"k": value}}
    ),
    "data": lambda store, value: store.save_project_data("p", "q", {"k": value}),
    "metrics": lambda store, value: store.save_metrics_snapshot(
        "p", "q", "2025-W12", "dora", {"k": value}
    ),
    "forecast": lambda store, value: store.save_metrics_snapshot(
        "p", "q", "2025-W12", "dora", {}, {"k": value}
    ),
    "snapshots": lambda store, value: store.save_metrics_snapshots(
        "p", "q", [GOOD, {**GOOD, "metric_type": "flow", "metrics": {"k": value}}]
    ),
}


@pytest.mark.parametrize("save", SAVES_OF_A_VALUE.values(), ids=SAVES_OF_A_VALUE)
@given(value=unstorable_values)
def test_what_json_cannot_say_is_refused_and_nothing_is_written(
    shared: Store, save: Callable[[Store, Any], None], value: Any
) -> None:
    before = shared.empty().rows()
    with pytest.raises(ValidationError):
        save(shared, value)
    assert shared.rows() == before


REFUSED: dict[str, Callable[[Store], None]] = {
    "no id": lambda store: store.save_profile({}),
    "bad id": lambda store: store.save_profile({"id": "../p"}),
    "bad name": lambda store: store.save_profile({"id": "new", "name": " "}),
    "bad section": lambda store: store.save_profile({"id": "new", "jira_config": []}),
    "bad number": lambda store: store.save_profile(
        {"id": "p", "forecast_settings": {"pert_factor": 0}}
    ),
    "surrogate": lambda store: store.save_profile({"id": "new", "name": "\ud800"}),
    "surrogate in token": lambda store: store.save_profile(
        {"id": "new", "jira_config": {"token": "\ud800"}}
    ),
    "surrogate in list": lambda store: store.save_profile(
        {"id": "new", "project_classification": {"bug_types": ["\ud800"]}}
    ),
    "name taken": lambda store: store.save_profile(
        {"id": "new", "name": "the profile of the query"}
    ),
    "query name taken": lambda store: store.save_query("p", {"id": "new", "name": "the query"}),
    "bad query": lambda store: store.save_query("p", {"id": "new", "jql": None}),
    "query of another": lambda store: store.save_query("p", {"id": "new", "profile_id": "x"}),
    "bad week": lambda store: store.save_metrics_snapshot("p", "q", "2025-W60", "dora", {}),
    "bad type": lambda store: store.save_metrics_snapshot("p", "q", "2025-W12", "DORA", {}),
    "second week bad": lambda store: store.save_metrics_snapshots(
        "p", "q", [GOOD, {**GOOD, "snapshot_date": "2025-W53"}]
    ),
    "snapshot without metrics": lambda store: store.save_metrics_snapshots(
        "p", "q", [GOOD, {"snapshot_date": "2025-W12", "metric_type": "flow"}]
    ),
    "snapshot with more": lambda store: store.save_metrics_snapshots(
        "p", "q", [GOOD, {**GOOD, "unknown": 1}]
    ),
    "snapshot with self": lambda store: store.save_metrics_snapshots(
        "p", "q", [GOOD, {**GOOD, "self": 1}]
    ),
    "snapshot with a number as key": lambda store: store.save_metrics_snapshots(
        "p",
        "q",
        [GOOD, {**GOOD, 3: 1}],  # type: ignore[dict-item]
    ),
    "bad answer": lambda store: store.save_jira_cache("p", "q", "k", [], HOUR),  # type: ignore[arg-type]
    "bad expiry": lambda store: store.save_jira_cache("p", "q", "k", {}, "soon"),  # type: ignore[arg-type]
    "bad key": lambda store: store.save_jira_cache("p", "q", "", {}, HOUR),
    "second issue bad": lambda store: store.save_jira_changelogs("p", "q", {"K-1": {}, "": {}}),
    "bad percent": lambda store: store.save_task_progress("task", 101, "running"),
    "bad status": lambda store: store.save_task_progress("task", 1, "Running"),
    "bad state": lambda store: store.set_app_state("key", 3),  # type: ignore[arg-type]
    "NUL in state": lambda store: store.set_app_state("key", "a\0b"),
    "surrogate in state": lambda store: store.set_app_state("key", "\ud800"),
    "no limit": lambda store: store.get_metrics_snapshots("p", "q", limit=0) and None,
    "negative limit": lambda store: store.get_metrics_snapshots("p", "q", limit=-1) and None,
}


@pytest.mark.parametrize("save", REFUSED.values(), ids=REFUSED)
def test_what_is_refused_leaves_nothing_behind(store: Store, save: Callable[[Store], None]) -> None:
    before = store.rows()
    with pytest.raises(ValidationError):
        save(store)
    assert store.rows() == before
    store.save_profile({"id": "p", "name": "still works"})


ORPHANS: dict[str, Callable[[Store, str, str], None]] = {
    "answer": lambda store, p, q: store.save_jira_cache(p, q, "k", {}, HOUR),
    "changelog": lambda store, p, q: store.save_jira_changelog(p, q, "K-1", {}),
    "changelogs": lambda store, p, q: store.save_jira_changelogs(p, q, {"K-1": {}, "K-2": {}}),
    "data": lambda store, p, q: store.save_project_data(p, q, {}),
    "snapshot": lambda store, p, q: store.save_metrics_snapshot(p, q, "2025-W12", "dora", {}),
    "snapshots": lambda store, p, q: store.save_metrics_snapshots(p, q, [GOOD]),
    "delete": lambda store, p, q: store.delete_query(p, q),
}


@pytest.mark.parametrize("save", ORPHANS.values(), ids=ORPHANS)
def test_nothing_is_saved_below_what_does_not_exist(
    store: Store, save: Callable[[Store, str, str], None]
) -> None:
    before = store.rows()
    with pytest.raises(QueryNotFoundError, match="Query 'nope' not found in profile 'p'") as query:
        save(store, "p", "nope")
    assert (query.value.profile_id, query.value.query_id) == ("p", "nope")
    with pytest.raises(ValueError, match="'nope'") as profile:
        save(store, "nope", "q")
    if isinstance(profile.value, ProfileNotFoundError):
        assert profile.value.profile_id == "nope"
    else:
        assert isinstance(profile.value, QueryNotFoundError)
        assert save is ORPHANS["delete"]
    assert store.rows() == before


def test_a_query_is_not_saved_below_a_profile_that_does_not_exist(store: Store) -> None:
    before = store.rows()
    for call in (
        lambda: store.save_query("nope", {"id": "q"}),
        lambda: store.delete_profile("nope"),
    ):
        with pytest.raises(ProfileNotFoundError, match="Profile 'nope' not found") as refused:
            call()
        assert isinstance(refused.value, ValueError | PersistenceError)
        assert refused.value.profile_id == "nope"
    assert store.rows() == before


@given(identifiers.filter(lambda text: text not in ("p", "q")), keys)
def test_what_is_not_there_is_none_or_empty(shared: Store, absent: str, key: str) -> None:
    shared.empty()
    assert shared.get_profile(absent) is None
    assert shared.list_queries(absent) == []
    assert shared.get_task_progress(absent) is None
    assert shared.get_app_state(f"absent {key}") is None
    for of in ((absent, "q"), ("p", absent)):
        assert shared.get_query(*of) is None
        assert shared.get_project_data(*of) is None
        assert shared.get_jira_cache(*of, key) is None
        assert shared.get_jira_changelog(*of, key) is None
        assert shared.get_jira_changelogs(*of) == {}
        assert shared.list_jira_caches(*of) == []
        assert shared.list_jira_changelogs(*of) == []
        assert shared.get_metrics_snapshots(*of) == []
    shared.clear_task_progress(absent)


@pytest.mark.parametrize("text", ["", "\0", "\ud800", "../../etc", "a" * 10_000])
def test_what_cannot_be_there_is_not_there(store: Store, text: str) -> None:
    assert store.get_profile(text) is None
    assert store.get_query("p", text) is None
    assert store.get_app_state(text) is None
    assert store.get_jira_cache("p", "q", text) is None
    assert store.get_jira_changelogs("p", "q", [text]) == {}
    assert store.get_task_progress(text) is None
    with pytest.raises(ProfileNotFoundError):
        store.delete_profile(text)


@given(names, st.sets(identifiers, min_size=2, max_size=2))
def test_a_name_is_given_once(shared: Store, name: str, ids: set[str]) -> None:
    shared.empty().delete_profile("p")
    one, other = ids
    shared.save_profile({"id": one, "name": name})
    shared.save_profile({"id": one, "name": name})
    before = shared.rows()
    with pytest.raises(ValidationError) as refused:
        shared.save_profile({"id": other, "name": name})
    assert [problem.path for problem in refused.value.problems] == ["name"]
    assert repr(one) in refused.value.problems[0].expected
    assert shared.rows() == before

    shared.save_query(one, {"id": one, "name": name})
    with pytest.raises(ValidationError) as refused:
        shared.save_query(one, {"id": other, "name": name})
    assert [problem.path for problem in refused.value.problems] == ["name"]
    shared.save_profile({"id": other, "name": name + "x"[: 200 - len(name)]})
    shared.save_query(other, {"id": one, "name": name})
    assert len(shared.list_profiles()) == 2


# --- what belongs together -------------------------------------------------------------------


def fill(store: Store, profile_id: str, query_id: str) -> None:
    if store.get_profile(profile_id) is None:
        store.save_profile({"id": profile_id})
    store.save_query(profile_id, {"id": query_id})
    store.save_jira_cache(profile_id, query_id, "k", {"issues": []}, HOUR)
    store.save_jira_changelog(profile_id, query_id, "K-1", {})
    store.save_project_data(profile_id, query_id, {})
    store.save_metrics_snapshots(profile_id, query_id, [GOOD])


def of(rows: dict[str, list[Any]], *ids: str) -> dict[str, list[Any]]:
    return {
        table: [row for row in found if all(each in row for each in ids)]
        for table, found in rows.items()
    }


def test_all_data_of_a_query_go_with_it_and_no_other(store: Store) -> None:
    for profile_id in ("one", "two"):
        for query_id in ("a", "b"):
            fill(store, profile_id, query_id)
    before = store.rows()
    store.delete_query("one", "a")
    after = store.rows()
    assert not any(of(after, "one", "a").values())
    assert of(after, "one", "b") == of(before, "one", "b")
    assert of(after, "two") == of(before, "two")


def test_all_queries_and_data_of_a_profile_go_with_it_and_no_other(store: Store) -> None:
    for profile_id in ("one", "two"):
        fill(store, profile_id, "a")
    before = store.rows()
    assert all(len(of(before, "one")[table]) == 1 for table in before if table not in _ALONE)
    store.delete_profile("one")
    after = store.rows()
    assert not any(of(after, "one").values())
    assert of(after, "two") == of(before, "two")
    assert store.database.check_integrity() == (True, [])


_ALONE = {"app_state", "task_progress", "alembic_version"}


def test_saving_a_profile_or_query_again_keeps_what_belongs_to_it(store: Store) -> None:
    fill(store, "one", "a")
    before = of(store.rows(), "one", "a")
    store.save_profile({"id": "one", "description": "again"})
    store.save_query("one", {"id": "a"})
    assert of(store.rows(), "one", "a") == before


# --- time ------------------------------------------------------------------------------------


@given(st.lists(st.integers(-5, 5) | st.none(), max_size=6), st.integers(-5, 5))
def test_what_expires_is_given_out_until_then_and_then_deleted(
    shared: Store, expiries: list[int | None], now: int
) -> None:
    shared.empty()
    microsecond = timedelta(microseconds=1)
    moments_of = {
        f"K-{number}": None if expiry is None else START + expiry * microsecond
        for number, expiry in enumerate(expiries)
    }
    for key, moment in moments_of.items():
        shared.save_jira_changelog("p", "q", key, {"key": key}, moment)
        if moment is not None:
            shared.save_jira_cache("p", "q", key, {"key": key}, moment)
    shared.clock.now = START + now * microsecond
    dead = {key for key, moment in moments_of.items() if moment and moment <= shared.clock.now}
    for key, moment in moments_of.items():
        alive = None if key in dead else {"key": key}
        assert shared.get_jira_changelog("p", "q", key) == alive
        if moment is not None:
            assert shared.get_jira_cache("p", "q", key) == alive
    assert shared.get_jira_changelogs("p", "q").keys() == moments_of.keys() - dead
    assert shared.get_jira_changelogs("p", "q", moments_of).keys() == moments_of.keys() - dead
    listed = {each["cache_key"]: each["expired"] for each in shared.list_jira_caches("p", "q")}
    assert listed == {key: key in dead for key, moment in moments_of.items() if moment}
    assert shared.list_jira_changelogs("p", "q") == [
        {
            "issue_key": key,
            "expires_at": None if moment is None else in_utc(moment),
            "expired": key in dead,
        }
        for key, moment in sorted(moments_of.items())
    ]
    assert shared.cleanup_expired_cache() == 2 * len(dead)
    assert shared.cleanup_expired_cache() == 0
    shared.clock.now = START - timedelta(days=1)
    assert shared.get_jira_changelogs("p", "q").keys() == moments_of.keys() - dead
    assert {each["cache_key"] for each in shared.list_jira_caches("p", "q")} == {
        key for key, moment in moments_of.items() if moment and key not in dead
    }


@given(aware_moments, aware_moments)
def test_an_expiry_holds_whatever_the_offset(
    shared: Store, expires_at: datetime, now: datetime
) -> None:
    shared.empty().clock.now = now
    shared.save_jira_cache("p", "q", "k", {}, expires_at)
    assert (shared.get_jira_cache("p", "q", "k") is not None) is (expires_at > now)
    [listed] = shared.list_jira_caches("p", "q")
    assert listed["expires_at"] == in_utc(expires_at)
    assert listed["expired"] is (expires_at <= now)


@given(aware_moments, aware_moments)
def test_a_stored_moment_compares_with_those_of_sqlite(
    shared: Store, expires_at: datetime, now: datetime
) -> None:
    now = now.replace(microsecond=0)
    shared.empty().save_jira_cache("p", "q", "k", {}, expires_at)
    with closing(sqlite3.connect(shared.path)) as connection:
        [text] = connection.execute(
            "SELECT datetime(?)", (now.astimezone(UTC).isoformat(sep=" "),)
        ).fetchone()
        assert text == now.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ")
        [alive] = connection.execute("SELECT expires_at > ? FROM jira_cache", (text,)).fetchone()
    if expires_at != now:
        assert bool(alive) is (expires_at > now)


@pytest.mark.parametrize(("hours", "alive"), [(-1, 0), (1, 1)])
def test_an_expiry_compares_with_the_present_of_sqlite(
    store: Store, hours: int, alive: int
) -> None:
    expires_at = datetime.now() + timedelta(hours=hours)  # as callers write it
    store.save_jira_cache("p", "q", "k", {}, expires_at)
    store.save_jira_changelog("p", "q", "K-1", {}, expires_at)
    with closing(sqlite3.connect(store.path)) as connection:
        for table in ("jira_cache", "jira_changelog_cache"):
            [found] = connection.execute(
                f"SELECT count(*) FROM {table} WHERE expires_at > datetime('now')"
            ).fetchone()
            assert found == alive


@pytest.mark.parametrize("zone", ["UTC0", "XXX8", "IST-5:30", "CET-1CEST,M3.5.0,M10.5.0/3"])
def test_a_moment_without_an_offset_is_local_time(
    store: Store, zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        naive = datetime(2025, 7, 1, 12)
        utc = datetime.fromtimestamp(naive.timestamp(), UTC)
        store.save_profile({"id": "p", "created_at": naive, "last_used": naive.isoformat()})
        profile = store.get_profile("p")
        assert profile is not None
        assert profile["created_at"] == profile["last_used"] == utc.isoformat()
        store.save_jira_cache("p", "q", "k", {}, naive)
        store.clock.now = utc - timedelta(microseconds=1)
        assert store.get_jira_cache("p", "q", "k") == {}
        store.clock.now = utc
        assert store.get_jira_cache("p", "q", "k") is None
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_clock_without_an_offset_shows_local_time(tmp_path: Path) -> None:
    with SQLiteBackend(tmp_path / "naive.db", clock=lambda: datetime(2025, 7, 1)) as backend:
        backend.save_profile({"id": "p"})
        backend.save_query("p", {"id": "q"})
        backend.save_jira_cache("p", "q", "k", {}, datetime(2025, 7, 1, 0, 0, 1))
        backend.save_jira_cache("p", "q", "l", {}, datetime(2025, 7, 1))
        assert backend.get_jira_cache("p", "q", "k") == {}
        assert backend.get_jira_cache("p", "q", "l") is None
        listed = {each["cache_key"]: each["expired"] for each in backend.list_jira_caches("p", "q")}
        assert listed == {"k": False, "l": True}
        backend.save_jira_changelog("p", "q", "K-1", {}, datetime(2025, 7, 1))
        assert [each["expired"] for each in backend.list_jira_changelogs("p", "q")] == [True]
        assert backend.cleanup_expired_cache() == 2


def test_saving_without_a_moment_keeps_the_one_that_is_there(store: Store) -> None:
    store.clock.now = START + timedelta(days=1)
    for _ in range(2):
        store.save_profile({"id": "p"})
        store.save_query("p", {"id": "q"})
        for found in (store.get_profile("p"), store.get_query("p", "q")):
            assert found is not None
            assert (found["created_at"], found["last_used"]) == (in_utc(START), in_utc(START))
    later = in_utc(START + timedelta(days=2))
    store.save_profile({"id": "p", "last_used": later})
    store.save_query("p", {"id": "q", "last_used": later})
    for found in (store.get_profile("p"), store.get_query("p", "q")):
        assert found is not None
        assert (found["created_at"], found["last_used"]) == (in_utc(START), later)
    store.save_profile({"id": "new"})
    new = store.get_profile("new")
    assert new is not None
    assert new["created_at"] == new["last_used"] == in_utc(store.clock.now)


@given(moments)
def test_every_moment_is_given_out_in_utc(shared: Store, moment: datetime) -> None:
    shared.empty().save_profile({"id": "p", "created_at": moment, "last_used": moment})
    found = shared.get_profile("p")
    assert found is not None
    assert found["created_at"] == found["last_used"] == in_utc(moment)


# --- orders ----------------------------------------------------------------------------------


@given(st.dictionaries(identifiers, st.integers(0, 3), max_size=6))
def test_lists_come_most_recently_used_first(shared: Store, used: dict[str, int]) -> None:
    shared.empty().delete_profile("p")
    for key, days in used.items():
        shared.save_profile({"id": key, "last_used": START + timedelta(days=days)})
    expected = sorted(used, key=lambda key: (-used[key], key))
    assert [profile["id"] for profile in shared.list_profiles()] == expected
    shared.save_profile({"id": "p"})
    for key, days in used.items():
        shared.save_query("p", {"id": key, "last_used": START + timedelta(days=days)})
    assert [query["id"] for query in shared.list_queries("p")] == expected


@given(st.sets(st.tuples(iso_weeks, words), max_size=8), st.integers(1, 8))
def test_snapshots_come_newest_week_first_up_to_the_limit(
    shared: Store, kept: set[tuple[str, str]], limit: int
) -> None:
    shared.empty().save_metrics_snapshots(
        "p",
        "q",
        [{"snapshot_date": week, "metric_type": kind, "metrics": {}} for week, kind in kept],
    )

    def found(**options: Any) -> list[tuple[str, str]]:
        return [
            (each["snapshot_date"], each["metric_type"])
            for each in shared.get_metrics_snapshots("p", "q", **options)
        ]

    expected = sorted(sorted(kept, key=lambda key: key[1]), key=lambda key: key[0], reverse=True)
    assert found() == expected
    assert found(limit=None) == expected
    assert found(limit=limit) == expected[:limit]
    for kind in {kind for _, kind in kept}:
        of_kind = [key for key in expected if key[1] == kind]
        assert found(metric_type=kind, limit=limit) == of_kind[:limit]


@pytest.mark.parametrize("limit", [2**31, 2**63 - 1, 2**63, 10**30])
def test_a_limit_may_be_any_number(store: Store, limit: int) -> None:
    store.save_metrics_snapshots("p", "q", [GOOD])
    assert len(store.get_metrics_snapshots("p", "q", limit=limit)) == 1


def test_a_year_of_weeks_comes_unless_more_are_wanted(store: Store) -> None:
    weeks = [
        "{}-W{:02d}".format(*(START + timedelta(weeks=back)).isocalendar()) for back in range(60)
    ]
    store.save_metrics_snapshots("p", "q", [{**GOOD, "snapshot_date": week} for week in weeks])
    assert len(store.get_metrics_snapshots("p", "q")) == 52
    assert len(store.get_metrics_snapshots("p", "q", limit=None)) == 60


@given(st.dictionaries(keys, st.integers(0, 3), max_size=6))
def test_answers_are_listed_newest_first(shared: Store, made: dict[str, int]) -> None:
    shared.empty()
    for key, days in made.items():
        shared.clock.now = START + timedelta(days=days)
        shared.save_jira_cache("p", "q", key, {}, HOUR)
    found = [each["cache_key"] for each in shared.list_jira_caches("p", "q")]
    assert found == sorted(made, key=lambda key: (-made[key], key))


@given(st.sets(identifiers, max_size=6))
def test_tasks_are_listed_by_name(shared: Store, known: set[str]) -> None:
    shared.empty()
    for name in known:
        shared.save_task_progress(name, 0, "running")
    assert [each["task_name"] for each in shared.list_task_progress()] == sorted(known)


# --- transactions ----------------------------------------------------------------------------


class Stop(BaseException):
    """What a test interrupts with: not even an ``Exception``."""


@pytest.mark.parametrize("error", [ValueError, Stop, KeyboardInterrupt, sqlite3.OperationalError])
def test_a_transaction_that_fails_keeps_nothing(store: Store, error: type[BaseException]) -> None:
    before = store.rows()

    def fail() -> None:
        with store.transaction():
            fill(store, "new", "q")
            store.set_app_state("key", "value")
            store.delete_profile("p")
            assert store.get_profile("p") is None
            assert store.get_app_state("key") == "value"
            raise error

    with pytest.raises((error, PersistenceError)):
        fail()
    assert store.rows() == before
    assert store.get_profile("p") is not None
    store.save_profile({"id": "new"})


def test_a_transaction_that_ends_keeps_all(store: Store) -> None:
    with store.transaction():
        before = store.rows()
        fill(store, "new", "q")
        store.set_app_state("key", "value")
        assert store.rows() == before  # nobody else sees it yet
    assert store.get_app_state("key") == "value"
    assert store.get_query("new", "q") is not None
    assert store.get_project_data("new", "q") == {}


steps = st.recursive(
    st.sampled_from(["write", "fail"]), lambda inner: st.lists(inner, max_size=4), max_leaves=10
)


@given(st.lists(steps, max_size=5))
def test_nested_transactions_undo_just_their_part(shared: Store, plan: list[Any]) -> None:
    shared.empty()
    written = 0

    def run(part: list[Any]) -> list[str]:
        nonlocal written
        kept: list[str] = []
        for step in part:
            if step == "fail":
                raise LookupError
            if step == "write":
                written += 1
                key = f"task-{written}"
                shared.save_task_progress(key, 0, "running")
                kept.append(key)
            else:
                try:
                    with shared.transaction():
                        inner = run(step)
                    kept += inner
                except LookupError:
                    pass
            here = {each["task_name"] for each in shared.list_task_progress()}
            assert set(kept) <= here
        return kept

    try:
        with shared.transaction():
            expected = run(plan)
    except LookupError:
        expected = []
    assert {each["task_name"] for each in shared.list_task_progress()} == set(expected)


def test_what_is_refused_within_a_transaction_can_be_left_aside(store: Store) -> None:
    with store.transaction():
        store.set_app_state("before", "1")
        for save in REFUSED.values():
            with pytest.raises(ValidationError):
                save(store)
        for save in ORPHANS.values():
            with pytest.raises(QueryNotFoundError):
                save(store, "p", "nope")
        store.set_app_state("after", "1")
    assert store.get_app_state("before") == store.get_app_state("after") == "1"
    assert [profile["id"] for profile in store.list_profiles()] == ["p"]


def test_a_backend_says_where_its_data_lie(store: Store) -> None:
    described = store.describe()
    assert described["location"] == str(store.path)
    assert described["size_bytes"] >= store.path.stat().st_size > 0
    assert described["schema_version"] == store.get_app_state("schema_version") is not None


def test_closing_lets_go_and_the_next_call_opens_again(store: Store) -> None:
    store.set_app_state("key", "value")
    store.close()
    assert not store.path.with_name("burndown.db-wal").exists()
    store.close()
    assert store.get_app_state("key") == "value"


def test_what_is_saved_is_there_in_the_next_backend(tmp_path: Path) -> None:
    with SQLiteBackend(tmp_path / "burndown.db") as one:
        one.save_profile({"id": "p", "unknown": [1, 2.0, True]})
    with SQLiteBackend(str(tmp_path / "burndown.db")) as other:
        found = other.get_profile("p")
        assert found is not None
        assert same(found["unknown"], [1, 2.0, True])


@given(field_sources)
def test_a_field_source_comes_back_as_it_was_saved(shared: Store, source: Any) -> None:
    mappings = {"flow": {"status": source}, "dora": {"deployment_date": source}}
    shared.empty().save_profile({"id": "p", "field_mappings": mappings})
    assert same(shared.get_profile("p")["field_mappings"], mappings)  # type: ignore[index]
