"""PostgreSQL beyond the contract: locks, conflicts, errors, checks."""

import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from benchmarks.workers import measure_store
from burndown import (
    ProfileNotFoundError,
    StorageError,
    TransactionConflictError,
    get_backend,
    set_backend,
)
from burndown.cli import run
from burndown.cli.exit_codes import ExitCode
from burndown.database import (
    PostgreSQLDatabase,
    get_db_connection,
    open_database,
    postgresql,
)
from burndown.demo import write_demo_workspace
from burndown.migration import run_migration_if_needed
from burndown.models import Profile
from burndown.persistence import open_backend
from burndown.persistence.sql_backend import SQLBackend
from burndown.repositories import ProfileRepository
from burndown.repositories.base import save_documents
from burndown.sql import Executor
from tests.support.postgres import PostgresServer, execute_on
from tests.support.processes import FRESH

CANARY = "c4n4ry-p4ssw0rd"
NO_ORDER = "DO $$ BEGIN RAISE EXCEPTION 'no order' USING ERRCODE = '40001'; END $$"


@pytest.fixture
def backend(postgres_url: str) -> Iterator[SQLBackend]:
    """Open a backend on an empty database of the server."""
    with SQLBackend(open_database(postgres_url)) as new:
        yield new


def test_the_settings_choose_a_server(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Backend and typed sessions use the database of the URL."""
    monkeypatch.setenv("BURNDOWN_DATABASE_URL", postgres_url)
    get_backend().save_profile({"id": "p", "forecast_settings": {"pert_factor": 1.5}})
    database = PostgreSQLDatabase(make_url(postgres_url))
    with database.session() as session:
        profiles = ProfileRepository(session)
        found = profiles.get("p")
        assert found is not None
        assert found.forecast_settings.pert_factor == 1.5
        profiles.save(Profile(name="Other"))
    database.close()
    assert {profile["id"] for profile in get_backend().list_profiles()} == {"p", "other"}


def test_a_server_has_no_sqlite_connection(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names the alternative, and contains no password."""
    monkeypatch.setenv("BURNDOWN_DATABASE_URL", postgres_url)
    with pytest.raises(StorageError, match=r"burndown\.database\.session"):
        get_db_connection()


def test_reading_creates_no_tables(backend: SQLBackend) -> None:
    """Neither does asking whether the store exists."""
    assert not backend.exists()
    assert backend.describe()["size_bytes"] == 0
    assert not backend.exists()
    backend.set_app_state("key", "value")
    assert backend.exists()
    assert backend.describe()["size_bytes"] > 0


def test_an_unreachable_server_is_reported_without_the_password() -> None:
    """The error names the host, and is the same for every call."""
    backend = open_backend(f"postgresql+psycopg://user:{CANARY}@127.0.0.1:1/db")
    for call in (backend.list_profiles, backend.exists, lambda: backend.save_profile({"id": "p"})):
        with pytest.raises(StorageError, match=r"server 127\.0\.0\.1 is out of reach") as away:
            call()
        assert CANARY not in f"{away.value} {away.value!r} {away.value.__cause__} {backend!r}"
    is_whole, [problem] = backend.check_integrity()
    assert not is_whole
    assert "out of reach" in problem
    assert CANARY not in str(backend.describe.__self__)  # type: ignore[attr-defined]


def test_a_broken_connection_is_replaced(
    backend: SQLBackend, postgres_server: PostgresServer, postgres_url: str
) -> None:
    """After a restart of the server, the next call succeeds."""
    backend.set_app_state("key", "value")
    postgres_server.run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        f"WHERE datname = '{make_url(postgres_url).database}'"
    )
    assert backend.get_app_state("key") == "value"


def test_a_write_timeout_is_reported_as_a_lock(
    backend: SQLBackend, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Readers do not wait in the meantime."""
    backend.set_app_state("key", "value")
    monkeypatch.setenv("BURNDOWN_BUSY_TIMEOUT", "0.2")
    with open_backend(postgres_url) as other, backend.transaction():
        backend.set_app_state("key", "other")
        assert other.get_app_state("key") == "value"
        with pytest.raises(StorageError, match="locked"):
            other.set_app_state("key", "late")
    assert backend.get_app_state("key") == "other"


def test_serialization_conflicts_are_retried(backend: SQLBackend) -> None:
    """A single call is retried a few times; in a transaction, the caller has to retry."""
    tries = 0

    def conflict(connection: Executor) -> int:
        nonlocal tries
        tries += 1
        if tries < 4:
            connection.execute(
                "DO $$ BEGIN RAISE EXCEPTION 'no order' USING ERRCODE = '40001'; END $$"
            )
        return tries

    assert backend.database.write(conflict) == 4
    tries = -100
    with pytest.raises(TransactionConflictError, match="try it again"):
        backend.database.read(conflict)
    assert tries == -100 + postgresql.ATTEMPTS
    tries = 0
    with pytest.raises(TransactionConflictError), backend.transaction():
        backend.database.write(conflict)
    assert tries == 1


def test_a_deadlock_is_retried(backend: SQLBackend, postgres_url: str) -> None:
    """A program that locks rows in another order, manually, causes a retry and no error."""
    backend.save_profile({"id": "a"})
    backend.save_profile({"id": "b"})
    plain = make_url(postgres_url).set(drivername="postgresql")
    first_locked, may_go_on = threading.Event(), threading.Event()

    def lock_rows() -> None:
        url = plain.render_as_string(hide_password=False)
        with psycopg.connect(url) as connection:
            connection.execute("SET deadlock_timeout = '1h'")  # the other one is to be aborted
            connection.execute("UPDATE profiles SET description = 'x' WHERE id = 'b'")
            first_locked.set()
            may_go_on.wait()
            connection.execute("UPDATE profiles SET description = 'x' WHERE id = 'a'")

    def save_both(connection: Executor) -> None:
        connection.execute("SET LOCAL deadlock_timeout = '10ms'")
        for profile_id in ("a", "b"):
            save_documents(connection, Profile, [{"id": profile_id, "description": "ours"}])
            may_go_on.set()

    somebody = threading.Thread(target=lock_rows)
    somebody.start()
    first_locked.wait()
    backend.database.write(save_both)
    somebody.join()
    assert [profile["description"] for profile in backend.list_profiles()] == ["ours", "ours"]


def test_rows_without_their_owner_are_reported(backend: SQLBackend, postgres_url: str) -> None:
    """So are a constraint that was never validated and an invalid index."""
    backend.save_profile({"id": "p"})
    assert backend.check_integrity() == (True, [])
    execute_on(
        postgres_url,
        "SET session_replication_role = replica; "
        "INSERT INTO queries (profile_id, id) VALUES ('gone', 'q')",
        "ALTER TABLE profiles ADD CONSTRAINT short CHECK (length(name) < 0) NOT VALID",
    )
    is_whole, problems = backend.check_integrity()
    assert not is_whole
    assert "1 rows of queries belong to rows of profiles that do not exist" in problems
    assert any("short" in problem for problem in problems)


def test_a_legacy_workspace_can_be_migrated(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As into a file: atomically, once, and not over existing profiles."""
    write_demo_workspace(tmp_path, issues=5)
    with open_backend(tmp_path / "file.db") as file:
        run_migration_if_needed(database=file.database)  # type: ignore[attr-defined]
        expected = list(file.records(Profile))
    monkeypatch.setenv("BURNDOWN_DATABASE_URL", postgres_url)
    assert run_migration_if_needed(dry_run=True).outcome == "dry run"
    assert not get_backend().exists()
    report = run_migration_if_needed()
    assert report.outcome == "migrated"
    assert list(get_backend().records(Profile)) == expected
    assert get_backend().get_app_state("active_query_id") == "12w"
    assert run_migration_if_needed().outcome == "already migrated"
    assert not list((tmp_path / "profiles").glob("*.migrating*"))


def test_the_commands_work_on_a_server(
    postgres_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """They take its URL from the settings."""
    write_demo_workspace(tmp_path, issues=5)
    monkeypatch.setenv("BURNDOWN_DATABASE_URL", postgres_url)
    assert run(["show"]) == ExitCode.NOT_FOUND
    assert "There is no database at postgresql+psycopg://" in capsys.readouterr().err
    for arguments in (
        ["migrate"],
        ["show"],
        ["show", "kafka"],
        ["show", "kafka", "12w"],
        ["check"],
    ):
        assert run(arguments) == 0
    assert "The database is intact" in capsys.readouterr().out


def test_processes_that_start_together_create_one_schema(postgres_url: str) -> None:
    """Each of them finds the tables, whichever created them."""
    with FRESH.Pool(4) as pool:
        pool.starmap(save_a_profile, [(postgres_url, number) for number in range(8)])
    with open_backend(postgres_url) as backend:
        assert len(backend.list_profiles()) == 8


def save_a_profile(url: str, number: int) -> None:
    with open_backend(url) as backend:
        backend.save_profile({"id": f"p{number}"})


def test_processes_lose_no_update(postgres_url: str) -> None:
    """The total is the sum of what each of them counted."""
    result = measure_store(postgres_url, workers=3, seconds=1)
    assert result["errors"] == 0
    assert result["added"] > 0
    assert result["lost_updates"] == 0


def test_closing_releases_the_connections(backend: SQLBackend) -> None:
    """The next call connects again."""
    set_backend(backend)
    set_backend(None)
    with pytest.raises(ProfileNotFoundError):
        backend.delete_profile("p")


def test_a_server_without_checksums_is_noted(postgres_url: str) -> None:
    with SQLBackend(open_database(postgres_url)) as backend:
        with backend.database.read_session() as session:
            setting = session.connection().exec_driver_sql("SHOW data_checksums").scalar_one()
        notes = backend.integrity_notes()
        assert backend.accept_edits() == 0
    assert [note for note in notes if "pg_checksums --enable" in note] == notes
    assert bool(notes) == (setting == "off")
