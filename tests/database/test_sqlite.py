"""A SQLite database: file modes, connections, transactions, integrity, locks, logs and errors."""

import json
import logging
import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, NoReturn
from unittest.mock import Mock

import pytest

import burndown
from burndown import (
    DatabaseCorruptionError,
    PersistenceBackend,
    PersistenceError,
    Profile,
    SQLiteBackend,
    StorageError,
    ValidationError,
    database,
    get_backend,
    repositories,
    set_backend,
)
from burndown.database import (
    check_database_integrity,
    get_db_connection,
    open_database,
)
from burndown.database.sqlite_connections import SessionConnection
from burndown.models.codec import codec_of
from burndown.repositories import MetricsSnapshotRepository, ProfileRepository
from burndown.testing.controlled_store import GOOD

CANARY = "c4n4ry-t0k3n"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def current(backend: SQLiteBackend) -> SQLiteBackend:
    """Return the backend, set as the current one."""
    set_backend(backend)
    return backend


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no call wait for a lock."""
    monkeypatch.setenv("BURNDOWN_BUSY_TIMEOUT", "0.01")


@pytest.fixture
def locked(tmp_path: Path, impatient: None) -> Iterator[Path]:
    """Create a database in which another connection is writing."""
    path = tmp_path / "locked.db"
    with SQLiteBackend(path) as backend:
        backend.save_profile({"id": "p"})
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield path


# --- the file --------------------------------------------------------------------------------


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_only_the_owner_can_read_the_database(tmp_path: Path, umask: int) -> None:
    path = tmp_path / "profiles" / "burndown.db"
    before = os.umask(umask)
    try:
        with SQLiteBackend(path) as backend:
            backend.save_profile({"id": "p", "jira_config": {"token": CANARY}})
            files = {file.name: mode(file) for file in path.parent.iterdir()}
    finally:
        os.umask(before)
    assert files.keys() == {"burndown.db", "burndown.db-wal", "burndown.db-shm"}
    assert set(files.values()) == {0o600}
    assert mode(path.parent) == 0o700


@pytest.mark.parametrize("padding", [0, 50_000], ids=["within a page", "over many pages"])
def test_a_token_that_is_deleted_or_replaced_is_overwritten(tmp_path: Path, padding: int) -> None:
    """Cleaning leaves no token in free pages."""
    path = tmp_path / "burndown.db"
    config = {"token": CANARY, "note": "x" * padding, "second_token": CANARY}
    with SQLiteBackend(path) as backend:
        for profile_id in ("deleted", "replaced"):
            backend.save_profile({"id": profile_id, "jira_config": config})
        backend.cleanup_expired_cache()
        backend.delete_profile("deleted")
        backend.save_profile({"id": "replaced", "jira_config": {"token": "another"}})
    assert CANARY.encode() not in path.read_bytes()


def test_an_integrity_check_on_first_use_leaves_the_database_private(tmp_path: Path) -> None:
    with SQLiteBackend(tmp_path / "burndown.db") as backend:
        backend.database.check_integrity()
        backend.save_profile({"id": "p", "jira_config": {"token": CANARY}})
        assert {mode(file) for file in tmp_path.glob("burndown.db*")} == {0o600}


def test_a_missing_database_is_intact(tmp_path: Path) -> None:
    set_backend(SQLiteBackend(tmp_path / "not" / "there" / "burndown.db"))
    assert check_database_integrity() == (True, [])


def test_creating_a_backend_creates_no_file(tmp_path: Path) -> None:
    with SQLiteBackend(tmp_path / "profiles" / "burndown.db"):
        assert list(tmp_path.iterdir()) == []


def test_an_empty_file_becomes_a_database(tmp_path: Path) -> None:
    path = tmp_path / "burndown.db"
    sqlite3.connect(path).close()
    path.touch()
    with SQLiteBackend(path) as backend:
        assert backend.list_profiles() == []
        backend.save_profile({"id": "p"})
        assert backend.get_app_state("schema_version") == database.SCHEMA_VERSION


@pytest.mark.parametrize("content", [b"no database" * 1000, b"{}\n" + bytes(5000)])
def test_a_file_that_is_not_a_database_is_reported_as_damaged(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "burndown.db"
    path.write_bytes(content)
    with SQLiteBackend(path) as backend:
        for call in (backend.list_profiles, lambda: backend.save_profile({"id": "p"})):
            with pytest.raises(DatabaseCorruptionError):
                call()
        with pytest.raises(DatabaseCorruptionError), backend.database.connection():  # type: ignore[attr-defined]
            pass
        whole, problems = backend.database.check_integrity()
        assert not whole
        assert problems
    assert path.read_bytes() == content


@pytest.mark.parametrize("where", ["file/a.db", "file/deeper/a.db", "folder", "n" * 300])
def test_an_impossible_location_is_a_storage_error(tmp_path: Path, where: str) -> None:
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "folder").mkdir()
    with SQLiteBackend(tmp_path / where) as backend:
        for call in (backend.list_profiles, lambda: backend.save_profile({"id": "p"})):
            with pytest.raises(StorageError) as refused:
                call()
            assert isinstance(refused.value, OSError)
        with pytest.raises(StorageError), backend.database.connection():  # type: ignore[attr-defined]
            pass


def test_a_path_with_a_nul_is_a_storage_error() -> None:
    with pytest.raises(PersistenceError):
        SQLiteBackend("a\0b.db").list_profiles()


# --- connections -----------------------------------------------------------------------------


def test_every_connection_has_the_required_pragmas(current: SQLiteBackend) -> None:
    def pragmas(run: Any) -> list[Any]:
        names = ("journal_mode", "foreign_keys", "synchronous")
        return [run(f"PRAGMA {name}").fetchone()[0] for name in names]

    with get_db_connection() as connection:
        assert pragmas(connection.execute) == ["wal", 1, 2]
    with database.session() as session:
        assert pragmas(session.connection().exec_driver_sql) == ["wal", 1, 2]
    with database.read_session() as session:
        assert pragmas(session.connection().exec_driver_sql) == ["wal", 1, 2]


def test_durability_can_be_relaxed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BURNDOWN_SQLITE_SYNCHRONOUS", "NORMAL")
    with SQLiteBackend(tmp_path / "a.db") as backend, backend.database.connection() as connection:  # type: ignore[attr-defined]
        assert connection.execute("PRAGMA synchronous").fetchone()[0] == 1


def test_a_connection_commits_at_the_end_of_its_own_block(current: SQLiteBackend) -> None:
    insert = "INSERT INTO app_state (key, value) VALUES (?, '1')"
    with get_db_connection() as connection:
        with connection:
            connection.execute(insert, ("a",))
        connection.execute(insert, ("b",))
        with suppress(RuntimeError), connection:
            connection.execute("BEGIN")
            connection.execute(insert, ("c",))
            raise RuntimeError
    assert [current.get_app_state(key) for key in "abc"] == ["1", "1", None]


def test_the_schema_is_created_on_first_use(tmp_path: Path) -> None:
    set_backend(SQLiteBackend(tmp_path / "burndown.db"))
    with get_db_connection() as connection:
        assert isinstance(connection, sqlite3.Connection)
        row = connection.execute(
            "SELECT value FROM app_state WHERE key = 'schema_version'"
        ).fetchone()
        assert isinstance(row, sqlite3.Row)
        assert row["value"] == row[0] == database.SCHEMA_VERSION
        for table in ("profiles", "queries", "jira_cache", "jira_changelog_cache"):
            assert connection.execute(f"SELECT * FROM {table}").fetchall() == []
        for table in ("project_data", "metrics_snapshots", "task_progress"):
            assert connection.execute(f"SELECT * FROM {table}").fetchall() == []


def test_a_connection_commits_at_the_end(current: SQLiteBackend) -> None:
    with get_db_connection() as connection:
        connection.execute("INSERT INTO app_state (key, value) VALUES ('k', 'v')")
    assert current.get_app_state("k") == "v"
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connection.execute("SELECT 1")


def test_a_connection_can_be_to_another_file(current: SQLiteBackend, tmp_path: Path) -> None:
    """It has the tables, and nothing of it remains open."""
    path = tmp_path / "folder" / "other.db"
    for where in (path, str(path)):
        with get_db_connection(where) as connection:
            connection.execute(
                "INSERT OR REPLACE INTO app_state (key, value) VALUES ('k', ?)", (str(where),)
            )
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            connection.execute("SELECT 1")
    assert current.get_app_state("k") is None
    assert [each.name for each in path.parent.iterdir()] == ["other.db"]  # no log of a connection
    with SQLiteBackend(path) as other:
        assert other.get_app_state("k") == str(path)
    with pytest.raises(StorageError, match="no sqlite3 connection"):
        get_db_connection("postgres://host/db")


def test_an_interrupted_statement_undoes_the_transaction(
    backend: SQLiteBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The interrupt passes through, and the next call has another connection."""

    def interrupted(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    def interrupt() -> None:
        with backend.database.session() as session:
            backend.set_app_state("k", "after")
            with monkeypatch.context() as patched:
                patched.setattr(SessionConnection, "run", interrupted)
                session.connection().exec_driver_sql("SELECT 1")

    backend.set_app_state("k", "before")
    with pytest.raises(KeyboardInterrupt):
        interrupt()
    assert backend.get_app_state("k") == "before"


def test_a_connection_rolls_back_on_an_error(current: SQLiteBackend) -> None:
    def fail(error: BaseException) -> None:
        with get_db_connection() as connection:
            connection.execute("INSERT INTO app_state (key, value) VALUES ('k', 'v')")
            raise error

    for error in (ValueError("stop"), KeyboardInterrupt()):
        with pytest.raises(type(error)):
            fail(error)
        assert current.get_app_state("k") is None
    current.set_app_state("k", "w")


def test_rows_can_be_inserted_with_two_columns(current: SQLiteBackend) -> None:
    config = {"base_url": "https://jira.example.com"}
    for key in ("test", "other"):
        with get_db_connection() as connection:
            connection.execute(
                "INSERT INTO profiles (id, jira_config) VALUES (?, ?)", (key, json.dumps(config))
            )
            connection.execute("INSERT INTO queries (profile_id, id) VALUES (?, 'q')", (key,))
            connection.execute("INSERT INTO queries (profile_id, id) VALUES (?, 'r')", (key,))
    for key in ("test", "other"):
        found = current.get_profile(key)
        assert found is not None
        assert found["jira_config"] == config
        assert found["field_mappings"] == {}
        assert found["show_points"] is False
        current.save_profile(found)
        # The text of the JSON is another one, without blanks, which counts as a change.
        assert current.get_profile(key) == {**found, "revision": 2}
        codec_of(Profile).entity(found)
        assert {query["id"] for query in current.list_queries(key)} == {"q", "r"}
    assert len(current.list_profiles()) == 2


def test_columns_and_indexes_of_others_are_accepted(current: SQLiteBackend) -> None:
    current.save_profile({"id": "p"})
    with get_db_connection() as connection:
        connection.execute("ALTER TABLE profiles ADD COLUMN new_field TEXT DEFAULT ''")
        connection.execute("CREATE INDEX IF NOT EXISTS idx_custom ON profiles(description)")
        connection.execute("UPDATE app_state SET value = '1.1' WHERE key = 'schema_version'")
    current.save_profile({"id": "p", "description": "again"})
    assert current.get_profile("p")["description"] == "again"  # type: ignore[index]
    assert current.get_app_state("schema_version") == "1.1"


def test_the_shell_can_read_all_but_compressed_values(current: SQLiteBackend) -> None:
    current.save_profile({"id": "p", "jira_config": {"base_url": "https://j.example.com"}})
    with get_db_connection() as connection:
        [url] = connection.execute(
            "SELECT json_extract(jira_config, '$.base_url') FROM profiles"
        ).fetchone()
        assert url == "https://j.example.com"
        [size] = connection.execute(
            "SELECT SUM(LENGTH(jira_config) + LENGTH(field_mappings)) FROM profiles"
        ).fetchone()
        assert size > 0


def test_constraints_apply_to_manual_sql(current: SQLiteBackend) -> None:
    def orphan() -> None:
        with get_db_connection() as connection:
            connection.execute("INSERT INTO queries (profile_id, id) VALUES ('nope', 'q')")

    with pytest.raises(sqlite3.IntegrityError):
        orphan()
    assert check_database_integrity() == (True, [])


# --- the typed face --------------------------------------------------------------------------


def test_a_change_in_place_is_saved(current: SQLiteBackend) -> None:
    current.save_profile({"id": "p", "list": [1], "jira_config": {"unknown": {"k": 1}}})
    with database.session() as session:
        profile = ProfileRepository(session).get("p")
        assert profile is not None
        profile.extra["list"].append(2)
        profile.jira_config.base_url = "https://jira.example.com"
        assert profile.jira_config.model_extra is not None
        profile.jira_config.model_extra["unknown"]["k"] = 2
        ProfileRepository(session).save(profile)
    found: Any = current.get_profile("p")
    assert found["list"] == [1, 2]
    assert found["jira_config"] == {
        "unknown": {"k": 2},
        "base_url": "https://jira.example.com",
    }


def test_a_change_in_place_into_something_invalid_is_refused(current: SQLiteBackend) -> None:
    current.save_profile({"id": "p", "list": [1]})
    before = current.get_profile("p")
    with database.session() as session:
        profile = ProfileRepository(session).get("p")
        assert profile is not None
        profile.extra["list"].append(float("nan"))
        with pytest.raises(ValidationError, match=r"list\[1\]"):
            ProfileRepository(session).save(profile)
    assert current.get_profile("p") == before


def test_a_model_can_be_used_after_its_session(current: SQLiteBackend) -> None:
    current.save_profile({"id": "p", "jira_config": {"token": CANARY}})
    with database.read_session() as session:
        [profile] = ProfileRepository(session).list()
    assert profile.jira_config.token.get_secret_value() == CANARY
    assert profile.to_document() == current.get_profile("p")


def test_an_error_in_a_session_rolls_it_back(current: SQLiteBackend) -> None:
    def fail() -> None:
        with database.session() as session:
            ProfileRepository(session).save(Profile(id="p"))
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert current.get_profile("p") is None


# --- integrity -------------------------------------------------------------------------------


def test_an_intact_database_is_reported_as_intact(current: SQLiteBackend) -> None:
    assert check_database_integrity() == (True, [])
    current.save_profile({"id": "p"})
    assert check_database_integrity() == (True, [])


def test_a_database_is_intact_within_a_transaction(impatient: None, current: SQLiteBackend) -> None:
    with current.transaction():
        current.save_profile({"id": "q"})
        assert check_database_integrity() == (True, [])


def test_a_row_without_its_parent_is_reported(current: SQLiteBackend, tmp_path: Path) -> None:
    current.save_profile({"id": "p"})
    with closing(sqlite3.connect(tmp_path / "burndown.db")) as connection:
        connection.execute("PRAGMA foreign_keys=OFF")
        connection.execute("INSERT INTO queries (profile_id, id) VALUES ('nope', 'q')")
        connection.commit()
    whole, problems = check_database_integrity()
    assert not whole
    assert len(problems) == 1
    assert "queries" in problems[0]
    assert "profiles" in problems[0]


@pytest.mark.parametrize("table", ["profiles", "queries", "jira_changelog_cache", "app_state"])
def test_a_damaged_page_is_reported(tmp_path: Path, table: str) -> None:
    path = tmp_path / "burndown.db"
    with SQLiteBackend(path) as backend:
        backend.save_profile({"id": "p"})
        for number in range(50):
            backend.save_query("p", {"id": f"q{number}", "jql": "x" * 500})
        backend.save_jira_changelogs("p", "q1", {f"K-{number}": {} for number in range(200)})
    with closing(sqlite3.connect(path)) as connection:
        [size] = connection.execute("PRAGMA page_size").fetchone()
        [page] = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)
        ).fetchone()
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xa5" * size)
    set_backend(SQLiteBackend(path))
    whole, problems = check_database_integrity()
    assert not whole
    assert problems
    set_backend(None)


def test_a_truncated_database_is_reported_as_damaged(tmp_path: Path) -> None:
    path = tmp_path / "burndown.db"
    with SQLiteBackend(path) as backend:
        for number in range(50):
            backend.save_profile({"id": f"p{number}", "description": "x" * 2000})
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)
    with SQLiteBackend(path) as backend:
        with pytest.raises(DatabaseCorruptionError):
            backend.list_profiles()
        assert not backend.database.check_integrity()[0]


# --- locks -----------------------------------------------------------------------------------


def test_a_write_timeout_is_a_storage_error(locked: Path) -> None:
    with SQLiteBackend(locked) as backend:
        for call in (
            lambda: backend.save_profile({"id": "new"}),
            lambda: backend.delete_profile("p"),
            backend.cleanup_expired_cache,
        ):
            with pytest.raises(StorageError, match="locked"):
                call()
        with pytest.raises(StorageError, match="locked"), backend.database.connection():  # type: ignore[attr-defined]
            pass


def test_a_read_waits_for_no_lock_even_on_first_use(locked: Path) -> None:
    with SQLiteBackend(locked) as backend:
        assert backend.get_profile("p") is not None
        assert len(backend.list_profiles()) == 1


def test_a_database_is_not_damaged_by_a_lock(locked: Path) -> None:
    with SQLiteBackend(locked) as backend:
        assert backend.database.check_integrity() == (True, [])


def test_a_released_lock_has_no_effect(tmp_path: Path, impatient: None) -> None:
    path = tmp_path / "burndown.db"
    with SQLiteBackend(path) as backend:
        backend.save_profile({"id": "p"})
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StorageError, match="locked"):
                backend.save_profile({"id": "new"})
            assert backend.get_profile("new") is None
        backend.save_profile({"id": "new"})
        assert backend.get_profile("new") is not None


# --- the log ---------------------------------------------------------------------------------


def test_the_log_has_the_statements_and_not_their_values(
    backend: SQLiteBackend, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        backend.save_profile({"id": "p", "name": CANARY, "jira_config": {"token": CANARY}})
        backend.save_query("p", {"id": "q", "jql": CANARY})
        backend.save_project_data("p", "q", {CANARY: CANARY})
        backend.save_jira_changelogs("p", "q", {CANARY: {}, "other": {}})
        backend.get_jira_changelogs("p", "q", [CANARY])
        backend.set_app_state("k", CANARY)
        backend.list_profiles()
        with pytest.raises(ValidationError):
            backend.save_profile({"id": "new", "name": CANARY, "jira_config": {"token": CANARY}})
        with pytest.raises(ValueError, match="not found"):
            backend.save_project_data("p", "nope", {CANARY: CANARY})
    ours = "\n".join(r.getMessage() for r in caplog.records if r.name == "burndown.database")
    for piece in ("INSERT INTO profiles", "INSERT INTO queries", "SELECT profiles.id", "BEGIN"):
        assert piece in ours
    assert CANARY not in caplog.text
    assert "https://" not in caplog.text


def test_the_error_of_a_statement_does_not_contain_its_values(tmp_path: Path) -> None:
    path = tmp_path / "burndown.db"
    with SQLiteBackend(path) as backend:
        backend.save_profile({"id": "p"})
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("DROP TABLE app_state")
            connection.commit()
        with pytest.raises(StorageError) as refused:
            backend.set_app_state("k", CANARY)
        error: BaseException | None = refused.value
        while error is not None:
            assert CANARY not in f"{error} {error!r}"
            error = error.__cause__ or error.__context__


# --- the current backend ---------------------------------------------------------------------


def test_the_backend_in_use_is_the_one_that_was_set(backend: SQLiteBackend) -> None:
    set_backend(backend)
    assert get_backend() is backend
    assert get_backend() is backend


def test_a_mock_of_the_interface_is_a_backend() -> None:
    mock = Mock(spec=PersistenceBackend)
    mock.get_profile.return_value = None
    set_backend(mock)
    assert get_backend().get_profile("xyz") is None
    mock.get_profile.assert_called_once_with("xyz")
    set_backend(None)
    assert isinstance(get_backend(), PersistenceBackend)
    assert get_backend() is not mock


@pytest.mark.parametrize("other", ["burndown.db", 3, object(), SQLiteBackend])
def test_an_object_of_another_type_cannot_be_set_as_backend(
    backend: SQLiteBackend, other: Any
) -> None:
    set_backend(backend)
    with pytest.raises(TypeError, match="PersistenceBackend"):
        set_backend(other)
    assert get_backend() is backend


def test_the_settings_choose_the_default_backend(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lies_at(path: Path) -> bool:
        set_backend(None)
        get_backend().set_app_state("here", str(path))
        with get_db_connection() as connection:
            [here] = connection.execute("SELECT value FROM app_state WHERE key = 'here'").fetchone()
        return here == str(path) and path.exists()

    assert lies_at(tmp_path / "profiles" / "burndown.db")
    monkeypatch.setenv("BURNDOWN_PROFILES_DIR", "elsewhere")
    assert lies_at(tmp_path / "elsewhere" / "burndown.db")
    monkeypatch.setenv("BURNDOWN_DATABASE_URL", f"sqlite:///{tmp_path / 'url.db'}")
    assert lies_at(tmp_path / "url.db")
    monkeypatch.setenv("BURNDOWN_DATABASE_URL", str(tmp_path / "path.db"))
    assert lies_at(tmp_path / "path.db")


def test_unsetting_the_backend_closes_it(tmp_path: Path) -> None:
    backend = SQLiteBackend(tmp_path / "burndown.db")
    set_backend(backend)
    backend.save_profile({"id": "p"})
    set_backend(None)
    assert [file.name for file in tmp_path.glob("burndown.db*")] == ["burndown.db"]
    assert get_backend() is not backend


def test_connections_follow_the_backend(tmp_path: Path) -> None:
    for name in ("one", "two"):
        backend = SQLiteBackend(tmp_path / f"{name}.db")
        set_backend(backend)
        backend.set_app_state("name", name)
        with get_db_connection() as connection:
            [found] = connection.execute(
                "SELECT value FROM app_state WHERE key = 'name'"
            ).fetchone()
            assert found == name
        with database.read_session() as session:
            assert repositories.AppStateRepository(session).get("name") == name


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://user:{CANARY}@host:port/database",
        f"mysql+pymysql://user:{CANARY}@host/database",
        f"nonsense://user:{CANARY}@host/database",
        f"://user:{CANARY}@host",
        "sqlite://",
        "sqlite:///:memory:",
        ":memory:",
    ],
)
def test_an_unsupported_url_is_refused_without_its_secrets(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(StorageError) as refused:
        SQLiteBackend(url)
    assert CANARY not in f"{refused.value} {refused.value!r} {refused.value.__cause__}"
    monkeypatch.setenv("BURNDOWN_DATABASE_URL", url)
    with pytest.raises(StorageError) as refused:
        get_backend()
    assert CANARY not in f"{refused.value} {refused.value!r} {refused.value.__cause__}"


def test_an_invalid_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BURNDOWN_SQLITE_SYNCHRONOUS", "OFF")
    monkeypatch.setenv("BURNDOWN_DATABASE_URL", f"sqlite:///{CANARY}.db")
    with pytest.raises(ValidationError, match="sqlite_synchronous") as refused:
        get_backend()
    assert "'FULL' or 'NORMAL'" in str(refused.value)
    assert CANARY not in f"{refused.value} {refused.value!r}"


def test_a_database_prints_its_location_and_no_password(tmp_path: Path) -> None:
    assert str(tmp_path / "a.db") in repr(SQLiteBackend(tmp_path / "a.db"))
    assert CANARY not in repr(open_database(f"sqlite://user:{CANARY}@host/{tmp_path / 'a.db'}"))


def test_every_public_name_exists() -> None:
    for name in burndown.__all__:
        assert getattr(burndown, name) is not None
        assert name in dir(burndown)
    with pytest.raises(AttributeError):
        burndown.nothing  # noqa: B018


def test_a_repository_lists_the_same_weeks(backend: SQLiteBackend) -> None:
    """As entities, within a session."""
    backend.save_profile({"id": "p"})
    backend.save_query("p", {"id": "q"})
    weeks = [{**GOOD, "snapshot_date": f"2025-W{number}"} for number in range(10, 20)]
    backend.save_metrics_snapshots("p", "q", weeks)
    with backend.database.read_session() as session:
        found = MetricsSnapshotRepository(session).list(
            "p", "q", "dora", since="2025-W12", until="2025-W14"
        )
    assert [each.snapshot_date for each in found] == ["2025-W14", "2025-W13", "2025-W12"]
    assert all(each.metrics == GOOD["metrics"] for each in found)
