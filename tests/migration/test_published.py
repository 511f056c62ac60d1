"""A database of the published dashboard is moved completely, and replaced in one step."""

import json
import os
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from burndown.cli import run
from burndown.database import SQLiteDatabase
from burndown.database.database_file import DatabaseFile
from burndown.errors import (
    ForeignDatabaseError,
    MigrationError,
    PublishedDatabaseError,
    StorageError,
)
from burndown.files.reading import digest
from burndown.migration import MigrationReport, run_migration_if_needed
from burndown.models import ENTITIES, JiraCache
from burndown.persistence import open_backend
from tests.support.database_rows import everything
from tests.support.processes import count_calls, killed_at, needs_fork
from tests.support.published_databases import SAMPLE, SHAPES, Content, write_database

KILLS = [5, pytest.param(100, marks=pytest.mark.soak)]
LAST_CALLS = range(-45, 0, 3)
"""The last function calls of a migration, within which the file is replaced."""
TOKEN = "not-a-real-token"
WITH_TOKEN: Content = {
    **SAMPLE,
    "profiles": [
        {
            **next(iter(SAMPLE["profiles"])),
            "jira_config": json.dumps({"base_url": "https://jira.example.com", "token": TOKEN}),
        },
        *list(SAMPLE["profiles"])[1:],
    ],
    "app_state": [*SAMPLE["app_state"], {"key": "profiles", "value": f"{{'token': '{TOKEN}'}}"}],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a new folder of profiles."""
    folder = tmp_path / "profiles"
    folder.mkdir()
    return folder


@pytest.fixture
def path(folder: Path) -> Path:
    """Write a database of the dashboard."""
    path = folder / "burndown.db"
    write_database(path)
    return path


def migrate(path: Path, **options: Any) -> MigrationReport:
    """Migrate into the database at the path, with a database object of its own."""
    with closing(SQLiteDatabase(path)) as database:
        return run_migration_if_needed(path.parent, database, **options)


def files_below(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("shape", SHAPES)
def test_each_shape_is_replaced_and_kept_to_the_byte(folder: Path, shape: str) -> None:
    path = folder / "burndown.db"
    write_database(path, shape=shape)
    before = digest(path.read_bytes())
    report = migrate(path)
    assert report.outcome == "migrated"
    assert report.kept == folder / "burndown.db.published"
    assert digest(report.kept.read_bytes()) == before
    assert report.backup is not None
    with closing(sqlite3.connect(report.backup / "profiles" / "burndown.db")) as connection:
        assert connection.execute("SELECT count(*) FROM jira_issues").fetchone() == (3,)
    assert report.moved["profiles"] == 2
    assert report.moved["queries"] == 3
    assert report.moved["issues"] == 3
    assert migrate(path).outcome == "already migrated"


def test_a_response_of_rows_is_never_taken_for_a_complete_one(path: Path) -> None:
    migrate(path)
    with open_backend(path) as backend:
        [found] = backend.list_jira_caches("p_111111111111", "q_111111111111")
        [record] = backend.records(JiraCache)
    assert (found["issue_count"], found["is_complete"]) == (3, None)
    assert record["response"]["rebuilt"]["fetched_at"]["newest"] == record["created_at"]


def test_a_dry_run_reports_the_same_and_changes_nothing(path: Path) -> None:
    before = {each: each.read_bytes() for each in files_below(path.parent.parent)}
    report = migrate(path, dry_run=True)
    assert report.outcome == "dry run"
    assert {each: each.read_bytes() for each in files_below(path.parent.parent)} == before
    assert migrate(path).moved == report.moved


@pytest.mark.parametrize("on_server", [False, True])
def test_a_file_elsewhere_is_only_read(
    path: Path, tmp_path: Path, on_server: bool, request: pytest.FixtureRequest
) -> None:
    """Into a file and a server; nothing but the backup is made."""
    url = request.getfixturevalue("postgres_url") if on_server else str(tmp_path / "new.db")
    before, entries = path.read_bytes(), sorted(path.parent.iterdir())
    elsewhere = tmp_path / "elsewhere" / "profiles"
    with open_backend(url) as backend:
        report = run_migration_if_needed(elsewhere, backend=backend, published=path)
        assert len(backend.list_profiles()) == 2
    assert report.outcome == "migrated"
    assert report.kept is None
    assert path.read_bytes() == before
    assert sorted(path.parent.iterdir()) == entries
    with pytest.raises(MigrationError, match="is not a database of the published dashboard"):
        run_migration_if_needed(
            elsewhere, SQLiteDatabase(tmp_path / "other.db"), published=tmp_path / "none.db"
        )


def test_the_token_is_in_the_private_files_only(
    folder: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Not the one in the app state: it is in no file but the old database and its backup."""
    path = folder / "burndown.db"
    write_database(path, {**WITH_TOKEN, "profiles": SAMPLE["profiles"]})
    assert run(["migrate", "--profiles", str(folder), "--json"]) == 0
    printed = capsys.readouterr()
    assert TOKEN not in printed.out + printed.err + caplog.text
    holders = [each for each in files_below(folder.parent) if TOKEN.encode() in each.read_bytes()]
    assert sorted(each.name for each in holders) == ["burndown.db", "burndown.db.published"]
    assert all(each.stat().st_mode & 0o077 == 0 for each in holders)
    assert path not in holders


def test_the_report_is_printed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_database(folder / "burndown.db", WITH_TOKEN)
    assert run(["migrate", "--profiles", str(folder)]) == 0
    printed = capsys.readouterr().out
    assert "The old database is kept as" in printed
    assert "'profiles': the old list of profiles, which can hold tokens" in printed
    assert TOKEN not in printed


def test_other_calls_name_the_command(path: Path) -> None:
    before = path.read_bytes()
    with (
        open_backend(path) as backend,
        pytest.raises(PublishedDatabaseError, match=r"published dashboard.*burndown migrate"),
    ):
        backend.list_profiles()
    assert path.read_bytes() == before


def test_a_file_that_cannot_be_opened_is_not_taken_for_none(path: Path, tmp_path: Path) -> None:
    """The target would be marked as migrated, and the data never moved."""
    os.link(path, tmp_path / "second-name.db")
    target = SQLiteDatabase(tmp_path / "new.db")
    for published in (None, path):
        with pytest.raises(StorageError, match="second name"):
            run_migration_if_needed(path.parent, target, published=published)
    assert not target.exists()
    (tmp_path / "second-name.db").unlink()
    assert run_migration_if_needed(path.parent, target).moved["issues"] == 3


def test_a_file_that_cannot_be_written_is_not_replaced(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It can be read: a dry run works."""
    # Simulated, since the superuser can write to any file.
    monkeypatch.setattr(DatabaseFile, "read_only_reason", lambda self: "it is a test")
    assert migrate(path, dry_run=True).moved["issues"] == 3
    with pytest.raises(StorageError, match="was not replaced: it is a test"):
        migrate(path)


def test_the_file_behind_a_link_is_replaced(path: Path, tmp_path: Path) -> None:
    """What opened it before cannot write to it afterwards."""
    path.symlink_to(path.rename(tmp_path / "elsewhere.db"))
    with closing(sqlite3.connect(path)) as dashboard:
        migrate(path)
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            dashboard.execute("INSERT INTO app_state VALUES ('while', 'moved')")
    assert path.is_symlink()
    assert migrate(path).outcome == "already migrated"
    assert sorted(each.name for each in tmp_path.glob("elsewhere*")) == ["elsewhere.db"]


@pytest.mark.parametrize("table", ["profiles", "queries"])
def test_without_profiles_or_queries_nothing_is_replaced(path: Path, table: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(f"ALTER TABLE {table} RENAME TO other")
    before = path.read_bytes()
    with pytest.raises(ForeignDatabaseError):
        migrate(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("dry_run", [False, True])
def test_while_the_dashboard_writes_nothing_is_moved(
    path: Path, dry_run: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real migration cannot lock the file; a dry run finds that it changed."""
    monkeypatch.setenv("BURNDOWN_BUSY_TIMEOUT", "0.1")
    with closing(sqlite3.connect(path, isolation_level=None)) as dashboard:
        dashboard.execute("BEGIN IMMEDIATE")
        dashboard.execute("INSERT INTO app_state VALUES ('while', 'read')")

        def write(done: int, of: int) -> None:
            if dashboard.in_transaction:
                dashboard.commit()

        with pytest.raises((MigrationError, StorageError), match=r"chang|writing"):
            migrate(path, dry_run=dry_run, progress=write)
    assert sorted(each.name for each in path.parent.glob("*.published*")) == []
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM jira_issues").fetchone() == (3,)


def test_a_failed_migration_is_tried_again_with_one_backup(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = path.read_bytes()

    def fail(done: int, of: int) -> None:
        raise KeyboardInterrupt

    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            migrate(path, progress=fail)
    assert path.read_bytes() == before
    assert migrate(path).outcome == "migrated"
    [backup] = (path.parent.parent / "backups").iterdir()
    assert (backup / "profiles" / "burndown.db").stat().st_mode & 0o777 == 0o600


@needs_fork
@pytest.mark.skipif(
    sys.version_info >= (3, 13), reason="the number of calls is not the same in two migrations"
)
@pytest.mark.parametrize("kills", KILLS)
def test_a_kill_leaves_the_old_or_the_new_database(path: Path, tmp_path: Path, kills: int) -> None:
    """The next start continues, and the old database is kept."""

    def copy(name: str) -> Path:
        shutil.copytree(path.parent, tmp_path / name / "profiles")
        return tmp_path / name / "profiles" / "burndown.db"

    migrate(copy("warm"))
    whole = copy("whole")
    calls = count_calls(partial(migrate, whole))
    expected, original = everything(whole), path.read_bytes()
    outcomes = set()
    points = [calls * number // (kills + 1) for number in range(1, kills)]
    points += [calls + number for number in LAST_CALLS]
    for point in points:
        killed = copy("killed")
        killed_at(partial(migrate, killed), point)
        with closing(sqlite3.connect(killed)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        outcomes.add(migrate(killed).outcome)
        assert everything(killed) == expected
        # A kill can leave a second copy, with the same records in other bytes.
        kept = list(killed.parent.glob("*.published"))
        assert 1 <= len(kept) <= 2
        assert all(everything(each) == everything(path) for each in kept)
        assert not list(killed.parent.glob("*.migrating*"))
        assert len(list((tmp_path / "killed" / "backups").iterdir())) == len(kept)
        shutil.rmtree(tmp_path / "killed")
    assert outcomes == {"migrated", "already migrated"}
    assert path.read_bytes() == original


def test_every_entity_is_read_back(path: Path) -> None:
    """What the report counts is stored."""
    report = migrate(path)
    with open_backend(path) as backend:
        stored = {entity.LABEL: len(list(backend.records(entity))) for entity in ENTITIES}
    counted = {label: count for label, count in report.moved.items() if label != "issues"}
    assert {label: stored[label] for label in counted} == counted
    assert path.stat().st_mode & 0o777 == 0o600
