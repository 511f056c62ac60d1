"""The rules for profiles and queries hold, and a call that raises changes nothing."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burndown import (
    ProfileNotFoundError,
    QueryNotFoundError,
    RevisionConflictError,
    SQLiteBackend,
    ValidationError,
    set_backend,
)
from burndown.escaping import escaped
from burndown.merge_patch import merge_patch
from burndown.overview import profile_overview, query_overview
from burndown.profile_manager import (
    MAX_PROFILES,
    create_profile,
    delete_profile,
    duplicate_profile,
    get_active_profile,
    get_profile,
    list_profiles,
    rename_profile,
    switch_profile,
    update_profile,
)
from burndown.query_manager import (
    MAX_QUERIES,
    create_query,
    delete_query,
    duplicate_query,
    get_active_query,
    get_query,
    list_queries,
    rename_query,
    switch_query,
    update_query,
    validate_query,
)
from burndown.testing import Clock
from burndown.testing.contract.drawn import json_objects, keys, names
from burndown.testing.controlled_store import START
from tests.support.database_rows import everything

NOW = datetime.now(UTC)
LONG_AGO = "2020-01-01T00:00:00+00:00"
DAY = timedelta(days=1)
SETTINGS: dict[str, Any] = {
    "jira_config": {"base_url": "https://jira.example.com", "token": "canary"},
    "field_mappings": {"dora": {"deployment_date": "fixVersions"}},
    "forecast_settings": {"pert_factor": 1.5, "deadline": "2026-01-31"},
    "show_points": ["show"],
    "unknown": {"nested": [1, 2.0, None]},
}


@pytest.fixture
def store(backend: SQLiteBackend) -> SQLiteBackend:
    """Return the current backend, empty."""
    set_backend(backend)
    assert backend.list_profiles() == []
    return backend


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Create the database that :func:`kafka` copies."""
    path = tmp_path_factory.mktemp("template") / "burndown.db"
    with SQLiteBackend(path) as backend:
        set_backend(backend)
        with backend.transaction():
            create_profile("Kafka", SETTINGS, "of the team")
            for name in ("12w", "Bugs"):
                fill(backend, "kafka", create_query("kafka", name, f"project = {name}"))
            create_profile("Other")
        set_backend(None)
    return path


@pytest.fixture
def kafka(template: Path, backend: SQLiteBackend) -> SQLiteBackend:
    """Save ``kafka``, active, with its queries ``12w``, active, and ``bugs``; and ``other``."""
    shutil.copy(template, backend.database.path)
    set_backend(backend)
    return backend


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SQLiteBackend]:
    with SQLiteBackend(tmp_path_factory.mktemp("shared") / "burndown.db") as backend:
        yield backend


def emptied(shared: SQLiteBackend) -> SQLiteBackend:
    """Return the current backend, emptied for one example."""
    set_backend(shared)
    with shared.transaction():
        for profile in shared.list_profiles():
            shared.delete_profile(profile["id"])
        for key in ("active_profile_id", "active_query_id"):
            shared.set_app_state(key, None)
    return shared


def fill(store: SQLiteBackend, profile_id: str, query_id: str) -> None:
    """Save every entity that belongs to a query, expired and not expired."""
    of = (profile_id, query_id)
    store.save_project_data(*of, {"statistics": [query_id, 1.0]})
    for week in range(1, 54):  # more than the default limit returns
        store.save_metrics_snapshot(*of, f"2020-W{week:02d}", "dora", {"n": week}, {"f": week})
    store.save_metrics_snapshot(*of, "2020-W01", "flow", {"k": None})
    for key, expires_at in {"dead": NOW - DAY, "soon": NOW + DAY, "late": NOW + 9 * DAY}.items():
        store.save_jira_cache(*of, key, {"issues": [{"key": key}], "total": 1}, expires_at)
        store.save_jira_changelog(*of, f"{key}-1", {"histories": [key]}, expires_at)
    store.save_jira_changelogs(*of, {"never-1": {"histories": []}, "never-2": {}})


def not_expired(store: SQLiteBackend, profile_id: str, query_id: str) -> dict[str, Any]:
    """Return what belongs to a query and has not expired."""
    of = (profile_id, query_id)
    caches = [cache for cache in store.list_jira_caches(*of) if not cache["expired"]]
    changelogs = [entry for entry in store.list_jira_changelogs(*of) if not entry["expired"]]
    of_week = ("snapshot_date", "metric_type", "metrics", "forecast")
    return {
        "project_data": store.get_project_data(*of),
        "snapshots": [
            {key: value for key, value in snapshot.items() if key in of_week}
            for snapshot in store.get_metrics_snapshots(*of, limit=None)
        ],
        "caches": {
            cache["cache_key"]: (
                cache["expires_at"],
                store.get_jira_cache(*of, cache["cache_key"]),
            )
            for cache in caches
        },
        "changelogs": store.get_jira_changelogs(*of),
        "changelog_expiry": {entry["issue_key"]: entry["expires_at"] for entry in changelogs},
    }


def rows_of(store: SQLiteBackend, profile_id: str) -> dict[str, list[Any]]:
    """Return all rows that belong to a profile, by table."""
    return {
        table: [
            row
            for row in rows
            if (row["id"] if table == "profiles" else row.get("profile_id")) == profile_id
        ]
        for table, rows in everything(store.database.path).items()
    }


def active(store: SQLiteBackend) -> tuple[str | None, str | None]:
    return store.get_app_state("active_profile_id"), store.get_app_state("active_query_id")


def without(document: Mapping[str, Any], *left_out: str) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key not in left_out}


@contextmanager
def unchanged(store: SQLiteBackend) -> Iterator[None]:
    """Assert that the block changes no row of any table."""
    before = everything(store.database.path)
    yield
    assert everything(store.database.path) == before


# --- names and ids ---------------------------------------------------------------------------

MADE_IDS = [
    ("Team A", "team-a"),
    ("  Team A\n", "team-a"),
    ("Ünïcode & more!", "unicode-more"),
    ("../../etc/passwd", "etc-passwd"),
    ("x" * 100, "x" * 60),
]


@pytest.mark.parametrize(("name", "made"), [*MADE_IDS, ("🚀", "profile")])
def test_the_id_of_a_profile_is_made_of_its_name(
    store: SQLiteBackend, name: str, made: str
) -> None:
    assert create_profile(name) == made
    assert get_profile(made)["name"] == name.strip()


@pytest.mark.parametrize(("name", "made"), [*MADE_IDS, ("🚀", "query")])
def test_the_id_of_a_query_is_made_of_its_name(kafka: SQLiteBackend, name: str, made: str) -> None:
    assert create_query("kafka", name, "a = b") == made
    assert get_query("kafka", made)["name"] == name.strip()


def test_an_id_that_is_taken_gets_a_number(kafka: SQLiteBackend) -> None:
    similar = ["Team A", "Team-A", "team_a", "(Team) A", "x" * 60, "x" * 61]
    made = ["team-a", "team-a-2", "team-a-3", "team-a-4", "x" * 60, "x" * 60 + "-2"]
    assert [create_profile(name) for name in similar] == made
    assert [create_query("kafka", name, "a = b") for name in similar] == made
    delete_profile("team-a-2")
    assert create_profile("Team, A") == "team-a-2"


colliding_names = names | st.sampled_from(
    ["Team A", "team a", " TEAM A ", "Team-A", "team-a-2", "Straße", "STRASSE", "ß", "\x1fß\x1f"]
)


@given(st.lists(colliding_names, max_size=8))
def test_profiles_have_unique_names_and_ids(shared: SQLiteBackend, wanted: list[str]) -> None:
    """Names are equal if they differ only in blanks and case."""
    emptied(shared)
    made: dict[str, str] = {}
    for name in wanted:
        if name.strip().casefold() in {taken.casefold() for taken in made.values()}:
            with pytest.raises(ValidationError, match="name other than that of profile"):
                create_profile(name)
        else:
            profile_id = create_profile(name)
            assert profile_id not in made
            made[profile_id] = name.strip()
    assert {profile["id"]: profile["name"] for profile in list_profiles()} == made
    assert active(shared) == (next(iter(made), None), None)


@given(st.lists(colliding_names, max_size=8))
def test_queries_have_unique_names_and_ids_within_their_profile(
    shared: SQLiteBackend, wanted: list[str]
) -> None:
    emptied(shared)
    first, second = create_profile("first"), create_profile("second")
    made: dict[str, str] = {}
    for name in wanted:
        if name.strip().casefold() in {taken.casefold() for taken in made.values()}:
            with pytest.raises(ValidationError, match="name other than that of query"):
                create_query(first, name, "a = b")
        else:
            query_id = create_query(first, name, "a = b")
            assert query_id not in made
            assert create_query(second, name, "c = d") == query_id
            made[query_id] = name.strip()
    assert {query["id"]: query["name"] for query in list_queries(first)} == made
    assert {query["id"]: query["name"] for query in list_queries(second)} == made
    assert active(shared) == (first, next(iter(made), None))


@given(colliding_names, colliding_names)
def test_renaming_keeps_to_the_rule_for_new_names(
    shared: SQLiteBackend, one: str, other: str
) -> None:
    """A profile may keep its own name in another case."""
    emptied(shared)
    profile_id = create_profile(one)
    create_profile("in the way")
    create_query(profile_id, one, "a = b")
    for name in (one.swapcase(), other, one):
        if not 1 <= len(name.strip()) <= 100 or name.strip().casefold() == "in the way":
            continue
        rename_profile(profile_id, name)
        [query] = list_queries(profile_id)
        rename_query(profile_id, query["id"], name)
        assert get_profile(profile_id)["name"] == name.strip()
        [renamed] = list_queries(profile_id)
        changed = {key: renamed[key] for key in ("updated_at", "revision")}
        assert renamed == {**query, "name": name.strip(), **changed}


NAMINGS: dict[str, Callable[[Any], Any]] = {
    "create profile": create_profile,
    "rename profile": lambda name: rename_profile("kafka", name),
    "update profile": lambda name: update_profile("kafka", {"show_points": True, "name": name}),
    "duplicate profile": lambda name: duplicate_profile("kafka", name),
    "create query": lambda name: create_query("kafka", name, "a = b"),
    "rename query": lambda name: rename_query("kafka", "12w", name),
    "update query": lambda name: update_query("kafka", "12w", jql="c = d", name=name),
    "duplicate query": lambda name: duplicate_query("kafka", "12w", name),
}


@pytest.mark.parametrize("give", NAMINGS.values(), ids=NAMINGS)
def test_an_invalid_name_is_refused(kafka: SQLiteBackend, give: Callable[[Any], Any]) -> None:
    for name in ["", " ", "\t\n", "x" * 101, "a\0b", "\ud800", 3, b"Team", ["Team"]]:
        with unchanged(kafka), pytest.raises(ValidationError, match="name: "):
            give(name)


@pytest.mark.parametrize("give", NAMINGS.values(), ids=NAMINGS)
def test_a_name_has_up_to_100_characters_without_the_blanks_around_it(
    kafka: SQLiteBackend, give: Callable[[Any], Any]
) -> None:
    give(" " * 9 + "🚀" * 100 + "\n")
    found = {each["name"] for each in [*list_profiles(), *list_queries("kafka")]}
    assert "🚀" * 100 in found


@pytest.mark.parametrize("give", NAMINGS.values(), ids=NAMINGS)
def test_a_name_that_is_taken_is_refused(kafka: SQLiteBackend, give: Callable[[Any], Any]) -> None:
    create_profile("Bugs")
    create_query("kafka", "Other", "a = b")
    for name in ("Other", "OTHER", " other ", "Bugs", "bUGS\n"):
        with unchanged(kafka), pytest.raises(ValidationError, match="a name other than that of"):
            give(name)


def test_changing_only_the_case_of_a_name_is_allowed(kafka: SQLiteBackend) -> None:
    rename_profile("kafka", "KAFKA")
    rename_query("kafka", "bugs", "BUGS")
    assert get_profile("kafka")["name"] == "KAFKA"
    assert get_query("kafka", "bugs")["name"] == "BUGS"


def test_a_blank_jql_is_refused(kafka: SQLiteBackend) -> None:
    blank: list[Any] = ["", "  ", "\n\t", 3, ["a = b"]]
    for jql in [*blank, None]:
        with unchanged(kafka), pytest.raises(ValidationError, match="jql"):
            create_query("kafka", "New", jql)
    for jql in blank:
        with unchanged(kafka), pytest.raises(ValidationError, match="jql"):
            update_query("kafka", "12w", jql=jql, name="New", description="new")


# --- limits ----------------------------------------------------------------------------------


def test_there_are_at_most_50_profiles(store: SQLiteBackend) -> None:
    assert MAX_PROFILES == 50
    with store.transaction():
        for number in range(MAX_PROFILES):
            create_profile(f"Profile {number}")
    for add in (create_profile, lambda name: duplicate_profile("profile-0", name)):
        with unchanged(store), pytest.raises(ValidationError, match="at most 50"):
            add("One more")
    rename_profile("profile-0", "Renamed")
    delete_profile("profile-7")
    create_profile("One more")
    assert len(list_profiles()) == 50


def test_the_settings_replace_the_limits(
    store: SQLiteBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are read again with each call, so that lower ones refuse only what is new."""
    create_profile("n" * 100)
    monkeypatch.setenv("BURNDOWN_MAX_PROFILES", "2")
    monkeypatch.setenv("BURNDOWN_MAX_QUERIES", "1")
    monkeypatch.setenv("BURNDOWN_MAX_NAME_LENGTH", "101")
    profile_id = create_profile("n" * 101)
    create_query(profile_id, "m" * 101, "a = b")
    with unchanged(store):
        with pytest.raises(ValidationError, match="at most 2 profiles"):
            create_profile("One more")
        with pytest.raises(ValidationError, match="at most 1 queries"):
            create_query(profile_id, "One more", "a = b")
        with pytest.raises(ValidationError, match="1 to 101 characters"):
            rename_profile(profile_id, "n" * 102)
    monkeypatch.setenv("BURNDOWN_MAX_PROFILES", "51")
    monkeypatch.setenv("BURNDOWN_MAX_NAME_LENGTH", "1000")
    for number in range(49):
        create_profile(f"Profile {number}")
    with unchanged(store), pytest.raises(ValidationError, match="1 to 200 characters"):
        rename_profile(profile_id, "n" * 201)


@pytest.mark.parametrize("name", ["MAX_PROFILES", "MAX_QUERIES", "MAX_NAME_LENGTH"])
@pytest.mark.parametrize("value", ["0", "-1", "many", "1.5", ""])
def test_a_limit_is_a_positive_integer(
    store: SQLiteBackend, name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"BURNDOWN_{name}", value)
    with unchanged(store), pytest.raises(ValidationError, match=name.lower()):
        create_query(create_profile("p"), "q", "a = b")


def test_a_profile_has_at_most_100_queries(store: SQLiteBackend) -> None:
    assert MAX_QUERIES == 100
    create_profile("p")
    create_profile("other")
    with store.transaction():
        for number in range(MAX_QUERIES):
            create_query("p", f"Query {number}", "a = b")
    with unchanged(store), pytest.raises(ValidationError, match="at most 100"):
        create_query("p", "One more", "a = b")
    with unchanged(store), pytest.raises(ValidationError, match="at most 100"):
        duplicate_query("p", "query-0", "One more")
    create_query("other", "One more", "a = b")
    rename_query("p", "query-0", "Renamed")
    delete_query("p", "query-7")
    create_query("p", "One more", "a = b")
    assert len(list_queries("p")) == 100


# --- missing values --------------------------------------------------------------------------

OF_A_PROFILE: dict[str, Callable[[str], Any]] = {
    "get": get_profile,
    "update": lambda profile_id: update_profile(profile_id, {"show_points": True}),
    "rename": lambda profile_id: rename_profile(profile_id, "New"),
    "duplicate": lambda profile_id: duplicate_profile(profile_id, "New"),
    "switch": switch_profile,
    "delete": delete_profile,
    "list queries": list_queries,
    "create query": lambda profile_id: create_query(profile_id, "New", "a = b"),
    "validate query": lambda profile_id: validate_query(profile_id, "12w"),
}


@pytest.mark.parametrize("ask", OF_A_PROFILE.values(), ids=OF_A_PROFILE)
def test_a_missing_profile_is_an_error_with_its_id(
    kafka: SQLiteBackend, ask: Callable[[str], Any]
) -> None:
    for profile_id in ("xyz", "KAFKA", "", "\ud800", "a\0b", "%"):
        with unchanged(kafka), pytest.raises(ValueError, match="Profile '") as caught:
            ask(profile_id)
        assert isinstance(caught.value, ProfileNotFoundError)
        assert str(caught.value) == f"Profile '{escaped(profile_id)}' not found"
        assert caught.value.profile_id == profile_id


OF_A_QUERY: dict[str, Callable[[str, str], Any]] = {
    "get": get_query,
    "update": lambda profile_id, query_id: update_query(profile_id, query_id, jql="a = b"),
    "rename": lambda profile_id, query_id: rename_query(profile_id, query_id, "New"),
    "duplicate": lambda profile_id, query_id: duplicate_query(profile_id, query_id, "New"),
    "switch": switch_query,
    "delete": delete_query,
    "validate": validate_query,
}


@pytest.mark.parametrize("ask", OF_A_QUERY.values(), ids=OF_A_QUERY)
def test_a_missing_query_is_an_error_with_its_id(
    kafka: SQLiteBackend, ask: Callable[[str, str], Any]
) -> None:
    """A query of another profile is missing, too."""
    create_query("other", "Of other", "a = b")
    for query_id in ("xyz", "BUGS", "", "of-other", "\ud800"):
        with unchanged(kafka), pytest.raises(ValueError, match="Query '") as caught:
            ask("kafka", query_id)
        assert isinstance(caught.value, QueryNotFoundError)
        assert str(caught.value) == f"Query '{escaped(query_id)}' not found in profile 'kafka'"
        assert (caught.value.profile_id, caught.value.query_id) == ("kafka", query_id)


def test_a_query_belongs_to_its_profile(kafka: SQLiteBackend) -> None:
    with unchanged(kafka):
        validate_query("kafka", "12w")
        with pytest.raises(QueryNotFoundError):
            validate_query("other", "12w")


def test_a_profile_without_queries_has_none(kafka: SQLiteBackend) -> None:
    assert list_queries("other") == []


# --- creating and updating -------------------------------------------------------------------


def test_a_new_profile_has_the_given_settings(store: SQLiteBackend) -> None:
    assert create_profile("Kafka", {**SETTINGS, "id": "x", "name": "y"}, "of the team") == "kafka"
    found = get_profile("kafka")
    assert found == {**found, **SETTINGS, "name": "Kafka", "description": "of the team"}
    assert list_profiles() == [found]


def test_invalid_settings_are_refused(kafka: SQLiteBackend) -> None:
    refused: dict[str, Any] = {
        "jira_config": {"base_url": "jira"},
        "forecast_settings": {"pert_factor": 0},
        "unknown": float("nan"),
        "show_points": 3,
        "description": None,
        "last_used": "yesterday",
    }
    for key, value in refused.items():
        with unchanged(kafka), pytest.raises(ValidationError, match=key):
            create_profile("New", {key: value})
        if value is None:  # in an update, it removes the key
            continue
        with unchanged(kafka), pytest.raises(ValidationError, match=key):
            update_profile("kafka", {"name": "New", key: value})


def test_an_update_changes_what_is_given_and_keeps_the_rest(kafka: SQLiteBackend) -> None:
    before = get_profile("kafka")
    changes = {
        "forecast_settings": {"pert_factor": 2},
        "description": "new",
        "unknown": None,
        "more": [1],
    }
    given = repr(changes)
    assert update_profile("kafka", changes) == get_profile("kafka")
    assert repr(changes) == given
    expected = {**merge_patch(before, changes), "revision": 2}
    assert get_profile("kafka") == expected
    update_profile("kafka", {"name": " New ", "id": "kafka"})
    assert get_profile("kafka") == {**expected, "name": "New", "revision": 3}
    with unchanged(kafka):
        update_profile("kafka", {})


def test_an_update_of_another_revision_is_refused(kafka: SQLiteBackend) -> None:
    revision = update_profile("kafka", {"show_points": True})["revision"]
    query_revision = update_query("kafka", "12w", jql="c = d")["revision"]
    with unchanged(kafka), pytest.raises(RevisionConflictError):
        update_profile("kafka", {"name": "New"}, revision - 1)
    with unchanged(kafka), pytest.raises(RevisionConflictError):
        update_query("kafka", "12w", name="New", if_revision=query_revision - 1)
    assert update_profile("kafka", {"name": "New"}, revision)["revision"] == revision + 1
    new = update_query("kafka", "12w", name="New", if_revision=query_revision)
    assert new["revision"] == query_revision + 1


def test_switching_leaves_revisions(kafka: SQLiteBackend) -> None:
    switch_query("kafka", "bugs")
    before = [get_profile("kafka")["revision"], get_query("kafka", "bugs")["revision"]]
    switch_profile("kafka")
    switch_query("kafka", "bugs")
    assert [get_profile("kafka")["revision"], get_query("kafka", "bugs")["revision"]] == before


def test_copies_begin_with_the_first_revision(kafka: SQLiteBackend) -> None:
    update_profile("kafka", {"description": "changed"})
    update_query("kafka", "12w", description="changed")
    copy_id = duplicate_profile("kafka", "Copy")
    assert get_profile(copy_id)["revision"] == get_query(copy_id, "12w")["revision"] == 1
    assert get_query("kafka", duplicate_query("kafka", "12w", "Copy"))["revision"] == 1


@given(json_objects)
def test_updating_a_profile_is_a_merge_patch(
    shared: SQLiteBackend, changes: dict[str, Any]
) -> None:
    emptied(shared)
    profile_id = create_profile("Kafka", {"unknown": 1, **SETTINGS})
    before = get_profile(profile_id)
    changes = without(changes, *(before.keys() - {"unknown"}))
    update_profile(profile_id, changes)
    merged = merge_patch(before, changes)
    assert get_profile(profile_id) == {**merged, "revision": 1 if merged == before else 2}


def test_the_id_of_a_profile_never_changes(kafka: SQLiteBackend) -> None:
    for other in ("new", "other", "", None, 3):
        with unchanged(kafka), pytest.raises(ValidationError, match="id"):
            update_profile("kafka", {"id": other, "show_points": True})


def test_an_update_of_a_query_changes_the_given_fields(kafka: SQLiteBackend) -> None:
    kafka.save_query("kafka", {**get_query("kafka", "12w"), "unknown": [1]})
    expected: Any = get_query("kafka", "12w")
    for change in ({"name": "New"}, {"jql": "c = d"}, {"description": "new"}, {"description": ""}):
        update_query("kafka", "12w", **change)
        expected |= change
        counted = ("updated_at", "revision")
        assert without(get_query("kafka", "12w"), *counted) == without(expected, *counted)
    with unchanged(kafka), pytest.raises(ValidationError, match="description"):
        update_query("kafka", "12w", name="Newer", description=3)  # type: ignore[arg-type]


def test_an_update_keeps_what_belongs_to_the_profile_or_query(kafka: SQLiteBackend) -> None:
    before = {query_id: not_expired(kafka, "kafka", query_id) for query_id in ("12w", "bugs")}
    rename_profile("kafka", "New")
    rename_query("kafka", "12w", "Newer")
    switch_query("kafka", "bugs")
    switch_profile("kafka")
    assert {query_id: not_expired(kafka, "kafka", query_id) for query_id in before} == before


# --- duplicating -----------------------------------------------------------------------------


def test_a_copy_of_a_profile_has_all_data_of_the_original(kafka: SQLiteBackend) -> None:
    kafka.save_query("kafka", {"id": "Odd Id", "jql": "", "unknown": {"k": 1}})
    original, data = rows_of(kafka, "kafka"), not_expired(kafka, "kafka", "12w")
    assert set(data["caches"]) == {"soon", "late"}
    assert data["caches"]["soon"][0] == (NOW + DAY).isoformat()
    assert set(data["changelogs"]) == {"soon-1", "late-1", "never-1", "never-2"}
    assert data["changelog_expiry"]["never-1"] is None
    assert len(data["snapshots"]) == 54

    copy_id = duplicate_profile("kafka", "Copy")
    assert copy_id == "copy"
    assert rows_of(kafka, "kafka") == original
    times = ("created_at", "last_used")
    assert without(get_profile("copy"), *times) == {
        **without(get_profile("kafka"), *times),
        "id": "copy",
        "name": "Copy",
    }
    assert get_profile("copy")["jira_config"]["token"] == "canary"
    assert get_profile("copy")["created_at"] > get_profile("kafka")["created_at"]
    assert list_queries("copy") == [
        {**query, "profile_id": "copy"} for query in list_queries("kafka")
    ]
    for query in list_queries("kafka"):
        assert not_expired(kafka, "copy", query["id"]) == not_expired(kafka, "kafka", query["id"])
    assert active(kafka) == ("kafka", "12w")


def test_a_copy_of_a_query_has_all_data_of_the_original(kafka: SQLiteBackend) -> None:
    update_query("kafka", "12w", description="of the last weeks")
    original, data = get_query("kafka", "12w"), not_expired(kafka, "kafka", "12w")
    assert duplicate_query("kafka", "12w", "Copy") == "copy"
    assert get_query("kafka", "12w") == original
    assert not_expired(kafka, "kafka", "12w") == not_expired(kafka, "kafka", "copy") == data
    copy = get_query("kafka", "copy")
    assert (copy["name"], copy["jql"], copy["description"]) == (
        "Copy",
        original["jql"],
        "of the last weeks",
    )
    assert active(kafka) == ("kafka", "12w")


def test_a_copy_of_a_query_has_its_unknown_keys(kafka: SQLiteBackend) -> None:
    kafka.save_query("kafka", {**get_query("kafka", "12w"), "unknown": {"k": [1]}})
    copy_id = duplicate_query("kafka", "12w", "Copy")
    assert get_query("kafka", copy_id).get("unknown") == {"k": [1]}


def test_a_query_without_a_jql_can_be_duplicated(kafka: SQLiteBackend) -> None:
    """Such queries come from old workspaces."""
    kafka.save_query("kafka", {"id": "old", "jql": ""})
    copy_id = duplicate_query("kafka", "old", "Copy")
    assert get_query("kafka", copy_id)["jql"] == ""


def test_copy_and_original_are_independent(kafka: SQLiteBackend) -> None:
    duplicate_profile("kafka", "Copy")
    duplicate_query("kafka", "12w", "Copy")
    whole, copied = rows_of(kafka, "copy"), not_expired(kafka, "kafka", "copy")
    delete_query("kafka", "12w")
    assert not_expired(kafka, "kafka", "copy") == copied
    update_profile("kafka", {"jira_config": {}})
    delete_profile("kafka")
    assert rows_of(kafka, "copy") == whole


@given(st.dictionaries(keys, json_objects, max_size=4), st.lists(st.integers(-2, 2), min_size=4))
def test_entries_that_have_not_expired_are_copied_with_their_expiry(
    shared: SQLiteBackend, changelogs: dict[str, Any], days: list[int]
) -> None:
    emptied(shared)
    create_query(create_profile("p"), "q", "a = b")
    for (key, changelog), day in zip(changelogs.items(), days, strict=False):
        expires_at = NOW + day * DAY if day else None
        shared.save_jira_changelog("p", "q", key, changelog, expires_at)
        shared.save_jira_cache("p", "q", key, changelog, NOW + (day or 3) * DAY)
    expected = not_expired(shared, "p", "q")
    assert not_expired(shared, "p", duplicate_query("p", "q", "copy")) == expected
    assert not_expired(shared, duplicate_profile("p", "copy"), "q") == expected


# --- the active profile and query ------------------------------------------------------------


def test_the_first_profile_and_its_first_query_become_active(store: SQLiteBackend) -> None:
    assert get_active_profile() is None
    assert get_active_query() is None
    create_profile("First")
    assert get_active_profile() == get_profile("first")
    assert get_active_query() is None
    create_profile("Second")
    create_query("second", "not of the active one", "a = b")
    assert active(store) == ("first", None)
    create_query("first", "one", "a = b")
    create_query("first", "two", "a = b")
    assert active(store) == ("first", "one")
    assert get_active_query() == get_query("first", "one")


def test_switching_to_a_profile_moves_it_to_the_front(kafka: SQLiteBackend) -> None:
    before = get_profile("other")
    kafka.save_query("other", {"id": "older", "last_used": LONG_AGO})
    kafka.save_query("other", {"id": "newer"})
    switch_profile("other")
    found = get_profile("other")
    assert found == {**before, "last_used": found["last_used"]}
    assert found["last_used"] > before["last_used"]
    assert [profile["id"] for profile in list_profiles()] == ["other", "kafka"]
    assert active(kafka) == ("other", "newer")
    assert get_active_profile() == found
    switch_profile("kafka")
    assert [profile["id"] for profile in list_profiles()] == ["kafka", "other"]


def test_switching_to_a_profile_takes_its_most_recently_used_query(kafka: SQLiteBackend) -> None:
    for query_id in ("bugs", "12w", "bugs"):
        switch_query("kafka", query_id)
    switch_profile("other")
    assert active(kafka) == ("other", None)
    assert get_active_query() is None
    switch_profile("kafka")
    assert active(kafka) == ("kafka", "bugs")


def test_switching_to_a_query_moves_it_to_the_front_and_takes_its_profile(
    kafka: SQLiteBackend,
) -> None:
    switch_profile("other")
    for query_id in ("12w", "bugs", "12w"):
        before = get_query("kafka", query_id)
        switch_query("kafka", query_id)
        found = get_query("kafka", query_id)
        assert found == {**before, "last_used": found["last_used"]}
        assert found["last_used"] > before["last_used"]
        assert list_queries("kafka")[0] == found == get_active_query()
        assert active(kafka) == ("kafka", query_id)


def test_deleting_the_active_profile_makes_the_most_recently_used_one_active(
    kafka: SQLiteBackend,
) -> None:
    kafka.save_profile({"id": "oldest", "last_used": LONG_AGO})
    kafka.save_query("other", {"id": "q", "last_used": LONG_AGO})
    kafka.save_query("other", {"id": "r"})
    switch_profile("other")
    switch_profile("kafka")
    other = rows_of(kafka, "other")
    delete_profile("kafka")
    assert active(kafka) == ("other", "r")
    assert rows_of(kafka, "other") == other
    assert not any(rows_of(kafka, "kafka").values())
    delete_profile("other")
    assert active(kafka) == ("oldest", None)
    delete_profile("oldest")
    assert active(kafka) == (None, None)
    assert get_active_profile() is None
    assert get_active_query() is None
    create_profile("New")
    assert active(kafka) == ("new", None)


def test_deleting_another_profile_keeps_the_active_one(kafka: SQLiteBackend) -> None:
    kept = rows_of(kafka, "kafka")
    create_query("other", "12w", "the same id as the active query's")
    delete_profile("other")
    assert active(kafka) == ("kafka", "12w")
    assert rows_of(kafka, "kafka") == kept


def test_deleting_the_active_query_makes_the_most_recently_used_one_active(
    kafka: SQLiteBackend,
) -> None:
    kafka.save_query("kafka", {"id": "old", "last_used": LONG_AGO})
    bugs = not_expired(kafka, "kafka", "bugs")
    delete_query("kafka", "12w")
    assert active(kafka) == ("kafka", "bugs")
    assert not_expired(kafka, "kafka", "bugs") == bugs
    assert not any(
        row.get("query_id") == "12w"
        for rows in everything(kafka.database.path).values()
        for row in rows
    )
    delete_query("kafka", "bugs")
    assert active(kafka) == ("kafka", "old")
    delete_query("kafka", "old")
    assert active(kafka) == ("kafka", None)
    create_query("kafka", "New", "a = b")
    assert active(kafka) == ("kafka", "new")


def test_deleting_another_query_keeps_the_active_one(kafka: SQLiteBackend) -> None:
    create_query("other", "12w", "the same id as the active query's")
    delete_query("other", "12w")
    delete_query("kafka", "bugs")
    assert active(kafka) == ("kafka", "12w")
    assert get_active_query() == get_query("kafka", "12w")


def test_a_deleted_profile_or_query_is_not_active(kafka: SQLiteBackend) -> None:
    kafka.delete_query("kafka", "12w")
    assert get_active_query() is None
    kafka.delete_profile("kafka")
    assert get_active_profile() is None


def test_a_new_profile_becomes_active_if_the_active_one_was_deleted(kafka: SQLiteBackend) -> None:
    kafka.delete_profile("kafka")
    assert get_active_profile() is None
    create_profile("New")
    assert active(kafka) == ("new", None)


def test_a_new_query_becomes_active_if_no_query_of_its_profile_is(kafka: SQLiteBackend) -> None:
    """Even if the id of a query of another profile is stored, as after the quickstart's switch."""
    kafka.set_app_state("active_profile_id", "other")
    assert get_active_query() is None
    create_query("other", "New", "a = b")
    assert get_active_query() == get_query("other", "new")


def test_a_copy_that_becomes_active_has_an_active_query(kafka: SQLiteBackend) -> None:
    """This happens after an import into a new database, where no profile is active."""
    switch_query("kafka", "bugs")
    for key in ("active_profile_id", "active_query_id"):
        kafka.set_app_state(key, None)
    duplicate_profile("kafka", "Copy")
    assert active(kafka) == ("copy", "bugs")


@given(st.lists(st.tuples(st.sampled_from("csd"), st.integers(0, 3)), max_size=12))
def test_an_existing_profile_and_query_stay_active_after_any_call(
    shared: SQLiteBackend, plan: list[tuple[str, int]]
) -> None:
    """While there is a profile, one is active; while that has a query, one of its queries is."""
    emptied(shared)
    for nth, (step, number) in enumerate(plan):
        present = [profile["id"] for profile in list_profiles()]
        chosen = present[number % len(present)] if present else ""
        if step == "c" and number and chosen:
            create_query(chosen, f"query {nth}", "a = b")
        elif step == "c" and f"p{number}" not in present:
            create_profile(f"p{number}")
        elif step == "s" and chosen:
            switch_profile(chosen)
        elif step == "d" and chosen and number and list_queries(chosen):
            delete_query(chosen, list_queries(chosen)[-1]["id"])
        elif step == "d" and chosen:
            delete_profile(chosen)
        profile_id, query_id = active(shared)
        if profile_id is None:
            assert list_profiles() == []
            assert query_id is None
        else:
            queries = {query["id"] for query in list_queries(profile_id)}
            assert query_id in queries if queries else query_id is None


# --- a backend that is not the one in use ----------------------------------------------------


@pytest.fixture
def clock() -> Clock:
    return Clock(START)


@pytest.fixture
def given_store(tmp_path: Path, clock: Clock) -> Iterator[SQLiteBackend]:
    """Another store than the one in use, with a clock that the test moves."""
    with SQLiteBackend(tmp_path / "given.db", clock) as given_store:
        yield given_store


def test_every_function_works_on_the_backend_it_is_given(
    kafka: SQLiteBackend, given_store: SQLiteBackend
) -> None:
    on: dict[str, Any] = {"backend": given_store}
    with unchanged(kafka):
        assert create_profile("Kafka", {"show_points": True}, **on) == "kafka"
        assert create_query("kafka", "12w", "a = b", **on) == "12w"
        fill(given_store, "kafka", "12w")
        update_profile("kafka", {"show_milestone": True}, **on)
        rename_profile("kafka", "Given", **on)
        update_query("kafka", "12w", jql="c = d", **on)
        rename_query("kafka", "12w", "Given query", **on)
        assert get_profile("kafka", **on) == get_active_profile(**on)
        assert get_query("kafka", "12w", **on) == get_active_query(**on)
        assert duplicate_profile("kafka", "Copy", **on) == "copy"
        assert duplicate_query("copy", "12w", "Copy", **on) == "copy"
        assert not_expired(given_store, "copy", "copy") == not_expired(given_store, "kafka", "12w")
        validate_query("copy", "copy", **on)
        switch_query("copy", "copy", **on)
        switch_profile("kafka", **on)
        assert {each["name"] for each in list_profiles(**on)} == {"Given", "Copy"}
        assert {each["name"] for each in list_queries("copy", **on)} == {"Given query", "Copy"}
        delete_query("copy", "copy", **on)
        delete_profile("copy", **on)
    assert given_store.list_profiles() == [get_profile("kafka", **on)]
    assert get_profile("kafka", **on)["show_milestone"] is True
    assert get_query("kafka", "12w", **on)["jql"] == "c = d"
    assert active(given_store) == ("kafka", "12w")


def test_every_function_takes_the_time_from_the_clock_of_the_backend(
    clock: Clock, given_store: SQLiteBackend
) -> None:
    create_profile("p", backend=given_store)
    create_query("p", "q", "a = b", backend=given_store)
    clock.now += DAY
    update_query("p", "q", description="new", backend=given_store)
    updated_at = clock.now.isoformat()
    clock.now += DAY
    switch_query("p", "q", backend=given_store)
    used_at = clock.now.isoformat()
    query = get_query("p", "q", backend=given_store)
    assert (query["created_at"], query["updated_at"]) == (START.isoformat(), updated_at)
    assert query["last_used"] == get_profile("p", backend=given_store)["last_used"] == used_at
    clock.now += DAY
    switch_profile("p", backend=given_store)
    assert get_profile("p", backend=given_store)["last_used"] == clock.now.isoformat()
    given_store.save_jira_cache("p", "q", "k", {}, DAY)
    clock.now += DAY
    copy_id = duplicate_query("p", "q", "copy", backend=given_store)
    assert given_store.list_jira_caches("p", copy_id) == []


def test_an_overview_is_of_the_backend_it_is_given(
    kafka: SQLiteBackend, clock: Clock, given_store: SQLiteBackend
) -> None:
    given_store.save_profile({"id": "kafka", "name": "of the given store"})
    given_store.save_query("kafka", {"id": "12w", "name": "given", "jql": "c = d"})
    given_store.save_jira_cache("kafka", "12w", "k", {}, DAY)
    clock.now += timedelta(seconds=90)
    assert profile_overview(given_store, "kafka")["name"] == "of the given store"
    found = query_overview(given_store, "kafka", "12w")
    assert (found["name"], found["jql"]) == ("given", "c = d")
    assert [each["age_seconds"] for each in found["cached_responses"]] == [90]
    for overview in (profile_overview, partial(query_overview, query_id="12w")):
        with pytest.raises(ProfileNotFoundError):
            overview(given_store, "other")
