"""A value that is not as it was saved is never returned, and rows that others edited are."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import select

from burndown import DatabaseCorruptionError, JiraCache, Profile, SQLiteBackend
from burndown.models import SCHEMA_VERSION, AppState, Budget, Entity, JiraChangelog
from burndown.models.digests import content_column, covered_columns, data_columns, row_digest
from burndown.schema.digests import SUMS, triggers
from burndown.schema.guard import GUARDS
from burndown.testing.controlled_store import KEYS, START
from tests.support.kept_databases import copy_of

IDS = ("p", "q")
COLUMNS = [
    pytest.param(entity, column.name, id=f"{entity.__name__}-{column.name}")
    for entity in KEYS
    for column in data_columns(entity.__table__)
]


def fill(backend: SQLiteBackend) -> None:
    """Save one record of each entity."""
    backend.save_profile({"id": "p", "name": "P", "jira_config": {"token": "secret"}})
    backend.save_query("p", {"id": "q", "name": "Q", "jql": "project = Q"})
    backend.save_jira_cache(*IDS, "k", {"issues": [{"key": "K-1"}], "total": 1}, START)
    backend.save_jira_changelog(*IDS, "K-1", {"changelog": {"histories": []}})
    backend.save_project_data(*IDS, {"statistics": []})
    backend.save_metrics_snapshot(*IDS, "2025-W12", "dora", {"lead_time_days": 2.5})
    backend.save_budget(*IDS, {"time_allocated_weeks": 10})
    backend.set_app_state("theme", "dark")
    backend.save_task_progress("fetch", 5, "running")


@pytest.fixture
def backend(tmp_path: Path) -> Iterator[SQLiteBackend]:
    with SQLiteBackend(tmp_path / "burndown.db") as new:
        fill(new)
        yield new


def execute(backend: SQLiteBackend, *statements: str) -> None:
    """Run SQL as another program does."""
    backend.close()
    assert backend.database.path is not None
    with closing(sqlite3.connect(backend.database.path, isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys=OFF")
        for statement in statements:
            connection.execute(statement)


def damage(backend: SQLiteBackend, *statements: str) -> None:
    """Change rows without their triggers, as a changed bit does."""
    backend.close()
    assert backend.database.path is not None
    with closing(sqlite3.connect(backend.database.path)) as connection:
        triggers = connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall()
    execute(
        backend,
        *(f"DROP TRIGGER {name}" for name, _ in triggers),
        *statements,
        *(sql for _, sql in triggers),
    )


def digest_of(entity: type[Entity]) -> Callable[[Sequence[Any]], int]:
    return row_digest(entity.__table__, covered_columns(entity.__table__))


def test_the_digests_of_values_never_change() -> None:
    """They are stored, and compared by later releases of this package, Python and orjson."""
    state, budget = digest_of(AppState), digest_of(Budget)
    assert state(("k", 'é"\\\n\t\x1f')) == 0x236AF3545B4072AD
    numbers = [1, 0.1, 1e300, *["x"] * 8, None, -0.0, None]
    assert budget(numbers) == 0x103B1FB62D610C12


@pytest.mark.parametrize(("entity", "column"), COLUMNS)
def test_a_damaged_value_of_any_column_is_reported(
    backend: SQLiteBackend, entity: type[Entity], column: str
) -> None:
    """The call that would return it raises an error, all others go on, and the check names it."""
    table = entity.__tablename__
    value = (
        "X'00'" if column == content_column(entity.__table__) else f"coalesce({column}, '') || 7"
    )
    damage(backend, f'UPDATE {table} SET "{column}" = {value}')
    with pytest.raises(DatabaseCorruptionError, match="is damaged: it is not as it was saved"):
        list(backend.records(entity))
    is_intact, problems = backend.check_integrity()
    assert not is_intact
    assert any("is not as it was saved" in problem for problem in problems)
    for other in KEYS.keys() - {entity}:
        assert list(backend.records(other))


READS: dict[type[Entity], list[Callable[[SQLiteBackend], object]]] = {
    Profile: [lambda b: b.get_profile("p"), lambda b: b.list_profiles()],
    JiraCache: [
        lambda b: b.find_jira_cache(*IDS, "k"),
        lambda b: b.list_jira_caches(*IDS),
        lambda b: b.query_status("p"),
        lambda b: b.merge_jira_cache(*IDS, "k", [{"key": "K-2"}], [], START),
    ],
    JiraChangelog: [lambda b: b.get_jira_changelogs(*IDS), lambda b: b.list_jira_changelogs(*IDS)],
}


@pytest.mark.parametrize(
    ("read", "table", "column"),
    [
        *((read, "profiles", "description") for read in READS[Profile]),
        *((read, "jira_cache", "created_at") for read in READS[JiraCache]),
        *((read, "jira_changelog_cache", "created_at") for read in READS[JiraChangelog]),
    ],
)
def test_each_read_verifies_what_it_returns(
    backend: SQLiteBackend, read: Callable[[SQLiteBackend], object], table: str, column: str
) -> None:
    assert read(backend)
    damage(backend, f"UPDATE {table} SET {column} = '2025-01-01 00:00:00.000000'")
    with pytest.raises(DatabaseCorruptionError, match="is not as it was saved"):
        read(backend)


def test_the_error_names_the_record(backend: SQLiteBackend) -> None:
    damage(backend, "UPDATE jira_cache SET response = X'00'")
    with pytest.raises(DatabaseCorruptionError) as caught:
        backend.find_jira_cache(*IDS, "k")
    assert str(caught.value).startswith(
        "cached response 'k' of query 'q' in profile 'p' is damaged: it is not as it was saved"
    )


def test_saving_what_keeps_a_damaged_value_does_not_hide_it(backend: SQLiteBackend) -> None:
    """The time of creation is not given, so that the stored one stays."""
    damage(backend, "UPDATE queries SET created_at = '2020-01-01 00:00:00.000000'")
    backend.save_query("p", {"id": "q", "name": "Q", "jql": "project = R"})
    with pytest.raises(DatabaseCorruptionError):
        backend.get_query("p", "q")
    backend.save_query("p", {**QUERY, "created_at": START.isoformat()})
    with pytest.raises(DatabaseCorruptionError):
        backend.get_query("p", "q")
    backend.delete_query("p", "q")
    backend.save_query("p", QUERY)
    assert backend.get_query("p", "q") is not None


QUERY = {"id": "q", "name": "Q"}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE profiles SET description = 'edited'",
        "UPDATE OR REPLACE profiles SET name = 'edited'",
        "INSERT OR REPLACE INTO profiles (id) VALUES ('p')",
        "INSERT INTO profiles (id) VALUES ('new')",
        "UPDATE jira_cache SET issue_count = 7",
    ],
)
def test_rows_that_another_program_writes_are_no_damage(
    backend: SQLiteBackend, statement: str
) -> None:
    execute(backend, statement)
    assert backend.list_profiles()
    assert backend.find_jira_cache(*IDS, "k") is not None
    assert backend.check_integrity() == (True, [])
    assert any("edited by another program" in note for note in backend.integrity_notes())
    assert backend.accept_edits() == 1
    assert backend.integrity_notes() == []
    damage(backend, "UPDATE profiles SET show_points = 'true'")
    assert not backend.check_integrity()[0]


@pytest.mark.parametrize(
    "statements",
    [
        ["ALTER TABLE profiles RENAME TO other", "ALTER TABLE other RENAME TO profiles"],
        [f"DROP TRIGGER {name}" for name in (*triggers(SCHEMA_VERSION), *GUARDS)],
        [f"DROP TABLE {SUMS}"],
    ],
    ids=["renamed table", "no triggers", "no sums"],
)
def test_changed_triggers_are_created_anew_once_edits_are_accepted(
    backend: SQLiteBackend, statements: list[str]
) -> None:
    """Edits are noticed again afterwards."""
    execute(backend, *statements)
    is_intact, problems = backend.check_integrity()
    assert not is_intact
    assert any("`burndown check --accept` creates it" in problem for problem in problems)
    assert backend.accept_edits() == 0
    assert backend.check_integrity() == (True, [])
    assert backend.integrity_notes() == []
    execute(backend, "UPDATE profiles SET description = 'edited'")
    assert backend.integrity_notes() == ["profile 'p' was edited by another program"]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE budgets SET budget_total = '12,5'",
        "UPDATE jira_cache SET response = 'text'",
    ],
)
def test_a_value_of_another_type_does_not_prevent_an_upgrade(
    tmp_path: Path, statement: str
) -> None:
    """Its row has no digest, since this package does not write it."""
    path = copy_of("1.6", tmp_path / "old.db")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(statement)
    with SQLiteBackend(path) as upgraded:
        assert upgraded.list_profiles()
        assert upgraded.check_integrity() == (True, [])
        assert upgraded.integrity_notes() != []
        upgraded.accept_edits()
        assert upgraded.check_integrity() == (True, [])


def test_a_string_that_is_not_utf8_is_named_as_damage(backend: SQLiteBackend) -> None:
    execute(backend, "UPDATE profiles SET description = CAST(X'FF' AS TEXT)")
    with pytest.raises(DatabaseCorruptionError, match="a string is not UTF-8"):
        backend.accept_edits()


def test_rows_that_another_program_deletes_are_no_damage(backend: SQLiteBackend) -> None:
    execute(backend, "DELETE FROM task_progress")
    assert backend.check_integrity() == (True, [])
    assert backend.integrity_notes() == []


def test_a_replaced_row_that_is_saved_again_is_no_damage(backend: SQLiteBackend) -> None:
    """Until the edits are accepted, rows that vanish are not noticed."""
    execute(backend, "INSERT OR REPLACE INTO app_state (key, value) VALUES ('theme', 'light')")
    backend.set_app_state("theme", "dark")
    assert backend.check_integrity() == (True, [])
    assert backend.integrity_notes() == [
        "the rows of app_state are not counted, since another program has inserted some"
    ]
    backend.accept_edits()
    assert backend.integrity_notes() == []
    damage(backend, "DELETE FROM app_state WHERE key = 'theme'")
    assert not backend.check_integrity()[0]


def test_an_edited_row_that_is_saved_again_has_a_digest(backend: SQLiteBackend) -> None:
    execute(backend, "UPDATE profiles SET description = 'edited'")
    backend.save_profile({"id": "p", "name": "P"})
    assert backend.integrity_notes() == []


def test_rows_that_vanish_are_reported(backend: SQLiteBackend) -> None:
    damage(backend, "DELETE FROM task_progress")
    is_intact, [problem] = backend.check_integrity()
    assert not is_intact
    assert problem.startswith("the table task_progress has 0 rows instead of 1; if another program")


def test_a_row_that_was_reverted_is_reported(backend: SQLiteBackend) -> None:
    """As by a disk that did not write a page: the row is as it was saved, but not the last one."""
    assert backend.database.path is not None
    with closing(sqlite3.connect(backend.database.path)) as connection:
        old = connection.execute("SELECT digest FROM app_state WHERE key = 'theme'").fetchone()
    backend.set_app_state("theme", "light")
    damage(
        backend,
        f"UPDATE app_state SET value = 'dark', digest = {old[0]} WHERE key = 'theme'",
    )
    assert backend.get_app_state("theme") == "dark"
    is_intact, [problem] = backend.check_integrity()
    assert not is_intact
    assert problem.startswith(
        "the rows of the table app_state are not those that were written last"
    )


def test_rows_that_are_written_during_a_check_are_no_damage(backend: SQLiteBackend) -> None:
    done = Event()

    def write() -> None:
        number = 0
        while not done.is_set():
            number += 1
            backend.set_app_state(f"key-{number}", "x")
            backend.set_app_state(f"key-{number - 1}", None)

    with ThreadPoolExecutor() as pool:
        writing = pool.submit(write)
        try:
            found = [backend.check_integrity() for _ in range(10)]
        finally:
            done.set()
        writing.result()
    assert found == [(True, [])] * 10


def test_deleting_a_profile_counts_the_rows_that_are_deleted_with_it(
    backend: SQLiteBackend,
) -> None:
    backend.delete_profile("p")
    assert backend.check_integrity() == (True, [])


def test_the_rows_of_entities_in_a_session_have_digests(backend: SQLiteBackend) -> None:
    with backend.database.session() as session:
        session.add(Profile(name="Team A"))
    with backend.database.session() as session:
        profile = session.exec(select(Profile).where(Profile.id == "team-a")).one()
        profile.jira_config.base_url = "https://jira.example.com"
    assert backend.integrity_notes() == []
    assert backend.check_integrity() == (True, [])


@pytest.mark.parametrize("kind", ["session", "read_session"])
def test_a_damaged_row_is_no_entity(backend: SQLiteBackend, kind: str) -> None:
    damage(backend, "UPDATE profiles SET description = 'damaged'")
    with (
        getattr(backend.database, kind)() as session,
        pytest.raises(DatabaseCorruptionError, match="profile 'p' is damaged"),
    ):
        session.get(Profile, "p")


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("DROP INDEX ix_profiles_last_used", "the index ix_profiles_last_used is missing"),
        (
            "DROP TRIGGER note_edited_queries",
            "the trigger note_edited_queries is missing; `burndown check --accept` creates it anew",
        ),
        (
            "UPDATE sqlite_master SET sql = replace(sql, 'CASCADE', 'NO ACTION') "
            "WHERE name = 'queries'",
            "the references of queries is not as it was created",
        ),
        (
            "UPDATE sqlite_master SET sql = replace(sql, 'revision BIGINT', 'revision INT') "
            "WHERE name = 'queries'",
            "the column revision of queries is not as it was created",
        ),
    ],
)
def test_a_changed_schema_is_reported(backend: SQLiteBackend, statement: str, problem: str) -> None:
    execute(backend, "PRAGMA writable_schema=ON", statement)
    assert backend.check_integrity() == (False, [problem])


def test_objects_of_others_are_no_change_of_the_schema(backend: SQLiteBackend) -> None:
    execute(
        backend,
        "ALTER TABLE profiles ADD COLUMN team TEXT",
        "CREATE INDEX theirs ON profiles (team)",
        "CREATE TABLE others (id INTEGER)",
        "UPDATE profiles SET team = 'A'",
    )
    assert backend.check_integrity() == (True, [])
    assert backend.integrity_notes() == []


def test_a_damaged_database_stays_in_its_version(backend: SQLiteBackend) -> None:
    """A change of the version would sign the damaged row."""
    damage(backend, "UPDATE profiles SET description = 'damaged'")
    with pytest.raises(DatabaseCorruptionError, match="profile 'p' is not as it was saved"):
        backend.database.change_version("1.6")
    assert backend.database.schema_version() == SCHEMA_VERSION


def test_a_recorded_version_that_is_too_old_is_reported(backend: SQLiteBackend) -> None:
    """A changed bit in it does not lead to another upgrade, which would replace the digests."""
    execute(backend, "UPDATE burndown_version SET version_num = '1.5'")
    with pytest.raises(DatabaseCorruptionError, match="records an earlier schema version"):
        backend.list_profiles()


@given(value=st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53))
def test_a_number_has_the_digest_of_what_is_stored_for_it(value: float) -> None:
    """SQLite stores an integer in a column of floats as a float."""
    digest = digest_of(Budget)
    values: list[Any] = [None] * 14
    assert digest([*values[:2], value, *values[3:]]) == digest(
        [*values[:2], float(value), *values[3:]]
    )


def test_a_version_with_fewer_columns_has_the_same_numbers() -> None:
    columns = ["budget_total", "currency_symbol"]
    digest = row_digest(Budget.__table__, columns)
    assert digest([7, "€"]) == digest([7.0, "€"])
