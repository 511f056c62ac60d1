"""A salvage keeps what is intact, takes the rest from backups, and reports what is lost."""

import json
import random
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from burndown import (
    ForeignDatabaseError,
    ImportExportError,
    PersistenceBackend,
    SchemaTooNewError,
    SQLiteBackend,
    StorageError,
    StoreNotFoundError,
)
from burndown.cli import run
from burndown.cli.exit_codes import ExitCode
from burndown.import_export import export_profile
from burndown.models import ENTITIES, AppState, Entity, Profile, Query
from burndown.models.codec import codec_of
from burndown.persistence import open_backend
from burndown.persistence.json_backend import JSONBackend
from burndown.salvage import SalvageReport, salvage
from burndown.schema.digests import SUMS
from tests.support.command_line import Capture, files_below, in_json
from tests.support.damage import Damage, changed_bit, lost_page
from tests.support.database_files import contents, foreign_journal
from tests.support.kept_databases import copy_of
from tests.support.processes import count_calls, killed_at, needs_fork, needs_kill

IDS = ("kafka", "12w")
WEEKS = [f"2025-W{number:02}" for number in range(1, 53)]
Records = dict[type[Entity], dict[tuple[object, ...], str]]


def fill(backend: PersistenceBackend) -> None:
    backend.save_profile({"id": "kafka", "name": "Kafka", "description": "x" * 2000})
    backend.save_query("kafka", {"id": "12w", "name": "12 weeks", "jql": "project = KAFKA"})
    backend.save_jira_cache(*IDS, "k", {"issues": [{"key": "K-1"}]}, timedelta(hours=1))
    backend.save_project_data(*IDS, {"statistics": [{"date": "2025-01-06"}]})
    for week in WEEKS:
        backend.save_metrics_snapshot(*IDS, week, "dora", {"name": week * 50})
    backend.save_budget(*IDS, {"time_allocated_weeks": 10})
    backend.set_app_state("theme", "dark")


def records(backend: PersistenceBackend) -> Records:
    return {
        entity: {
            codec_of(entity).key(each): json.dumps(each)
            for each in backend.records(entity)
            if each.get("key") != "schema_version"
        }
        for entity in ENTITIES
    }


@pytest.fixture
def intact(tmp_path: Path) -> Path:
    with SQLiteBackend(tmp_path / "burndown.db") as backend:
        fill(backend)
    return tmp_path / "burndown.db"


@pytest.fixture
def target(tmp_path: Path) -> Iterator[SQLiteBackend]:
    with SQLiteBackend(tmp_path / "salvaged.db") as new:
        yield new


def edit(path: Path, *statements: str) -> None:
    """Change rows without their triggers, as a changed bit does."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        triggers = connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall()
        for statement in (
            *(f"DROP TRIGGER {name}" for name, _ in triggers),
            *statements,
            *(sql for _, sql in triggers),
        ):
            connection.execute(statement)


def backup_of(path: Path) -> Path:
    with SQLiteBackend(path) as backend:
        return backend.backup(path.with_name("kept.db"))


def test_an_intact_store_is_kept_completely(intact: Path, target: SQLiteBackend) -> None:
    report = salvage(intact, target)
    assert report.kept["metrics snapshots"] == len(WEEKS)
    assert (report.restored, report.dropped, report.lost, report.notes) == ([], [], [], [])
    with SQLiteBackend(intact) as source:
        assert records(target) == records(source)


def test_a_damaged_record_is_taken_from_a_backup(intact: Path, target: SQLiteBackend) -> None:
    kept = backup_of(intact)
    with SQLiteBackend(kept) as backend:
        expected = records(backend)
    edit(intact, "UPDATE metrics_snapshots SET metrics = '{}' WHERE snapshot_date = '2025-W12'")
    content = intact.read_bytes()
    report = salvage(intact, target, [kept])
    assert report.restored == [
        "metrics snapshot 'dora', '2025-W12' of query '12w' in profile 'kafka' from " + str(kept)
    ]
    assert report.lost == []
    assert records(target) == expected
    assert intact.read_bytes() == content


def test_each_damaged_record_is_taken_from_the_newest_backup_that_has_it(
    intact: Path, target: SQLiteBackend
) -> None:
    """Each record is reported."""
    backups = [intact.with_name(name) for name in ("newer.db", "older.db")]
    for path, first_absent in zip(backups, ("2025-W02", "2025-W03"), strict=True):
        shutil.copy(intact, path)
        with SQLiteBackend(path) as backend:
            backend.delete_metrics_snapshots(*IDS, since=first_absent)
    edit(intact, "UPDATE metrics_snapshots SET metrics = '{}' WHERE snapshot_date < '2025-W04'")
    report = salvage(intact, target, backups)
    name = "metrics snapshot 'dora', '2025-W0{}' of query '12w' in profile 'kafka'"
    assert report.restored == [
        f"{name.format(week)} from {path}" for week, path in enumerate(backups, 1)
    ]
    assert report.lost == [name.format(3)]
    found = target.get_metrics_snapshots(*IDS)
    assert {each["snapshot_date"] for each in found} == {*WEEKS} - {"2025-W03"}


def test_a_record_without_a_backup_is_lost_and_reported(
    intact: Path, target: SQLiteBackend
) -> None:
    """The data of a lost profile belong to an empty one from then on."""
    edit(intact, "UPDATE profiles SET description = 'damaged'")
    report = salvage(intact, target)
    assert report.lost == ["profile 'kafka'"]
    profile = target.get_profile("kafka")
    assert profile is not None
    assert profile["description"] == ""
    assert len(target.get_metrics_snapshots(*IDS)) == len(WEEKS)


def test_what_jira_has_is_dropped_and_reported(intact: Path, target: SQLiteBackend) -> None:
    kept = backup_of(intact)
    edit(intact, "UPDATE jira_cache SET response = X'00'")
    report = salvage(intact, target, [kept])
    assert report.dropped == ["cached response 'k' of query '12w' in profile 'kafka'"]
    assert target.list_jira_caches(*IDS) == []


def test_a_row_that_was_edited_is_kept(intact: Path, target: SQLiteBackend) -> None:
    with closing(sqlite3.connect(intact, isolation_level=None)) as connection:
        connection.execute("UPDATE profiles SET description = 'edited'")
    assert salvage(intact, target).lost == []
    profile = target.get_profile("kafka")
    assert profile is not None
    assert profile["description"] == "edited"


def test_a_deleted_record_is_not_restored(intact: Path, target: SQLiteBackend) -> None:
    """A backup has it, but nothing of its entity is damaged."""
    kept = backup_of(intact)
    with SQLiteBackend(intact) as backend:
        backend.delete_budget(*IDS)
    assert salvage(intact, target, [kept]).restored == []
    assert target.get_budget(*IDS) is None


def test_an_export_is_a_backup(intact: Path, target: SQLiteBackend, tmp_path: Path) -> None:
    with SQLiteBackend(intact) as backend:
        exported = export_profile("kafka", tmp_path / "kafka.zip", backend=backend)
    edit(intact, "UPDATE project_data SET data = '{}'")
    report = salvage(intact, target, [tmp_path / "kafka.zip"])
    assert exported
    assert target.get_project_data(*IDS) == {"statistics": [{"date": "2025-01-06"}]}
    assert report.lost == []


def test_json_files_are_salvaged(tmp_path: Path, target: SQLiteBackend) -> None:
    with JSONBackend(tmp_path / "profiles") as backend:
        fill(backend)
    path = tmp_path / "profiles/kafka/queries/12w/project_data.json"
    path.write_bytes(path.read_bytes().replace(b"06", b"13"))
    report = salvage(f"json:{tmp_path / 'profiles'}", target)
    assert [lost for lost in report.lost if "project_data.json is damaged" in lost] == report.lost
    assert len(report.lost) == 1
    assert len(target.get_metrics_snapshots(*IDS)) == len(WEEKS)


@pytest.mark.parametrize("damaged", ["profile.json", "queries/12w/query.json"])
def test_a_damaged_file_is_the_only_one_that_is_lost(
    tmp_path: Path, target: SQLiteBackend, damaged: str
) -> None:
    with JSONBackend(tmp_path / "profiles") as backend:
        fill(backend)
        backend.save_profile({"id": "other"})
        backend.save_query("other", {"id": "q"})
        copy = backend.backup(tmp_path / "copy")
        expected = records(backend)
    path = tmp_path / "profiles/kafka" / damaged
    path.write_bytes(path.read_bytes().replace(b"a", b"b", 1))
    report = salvage(f"json:{tmp_path / 'profiles'}", target)
    [lost] = report.lost
    assert f"{damaged} is damaged" in lost
    assert records(target).keys() == expected.keys()
    for entity, found in records(target).items():
        differing = {key for key in expected[entity] if found.get(key) != expected[entity][key]}
        assert differing <= {("kafka",), ("kafka", "12w")}, entity
        assert not differing or entity in (Profile, Query)
    with SQLiteBackend(tmp_path / "restored.db") as restored:
        assert salvage(f"json:{tmp_path / 'profiles'}", restored, [f"json:{copy}"]).lost == []
        assert records(restored) == expected


@pytest.mark.parametrize(
    ("damaged", "lost_state", "labels"),
    [
        ("profiles.json", {"active_profile_id", "active_query_id"}, ["profiles", "app state"]),
        ("burndown.json", {"theme"}, ["app state", "tasks"]),
    ],
)
@pytest.mark.parametrize("is_cut", [True, False])
def test_a_damaged_file_of_the_workspace_loses_only_what_it_holds(
    tmp_path: Path,
    target: SQLiteBackend,
    damaged: str,
    lost_state: set[str],
    labels: list[str],
    *,
    is_cut: bool,
) -> None:
    with JSONBackend(tmp_path / "profiles") as backend:
        fill(backend)
        backend.set_app_state("active_profile_id", "kafka")
        backend.set_app_state("active_query_id", "12w")
        copy = backend.backup(tmp_path / "copy")
        expected = records(backend)
    path = tmp_path / "profiles" / damaged
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2] if is_cut else content.replace(b"a", b"b", 1))
    report = salvage(f"json:{tmp_path / 'profiles'}", target)
    for label, lost in zip(labels, report.lost, strict=True):
        assert lost.startswith(f"{label}: {path} is damaged")
    assert report.dropped == []
    found = records(target)
    assert expected[AppState].keys() - found[AppState].keys() == {(key,) for key in lost_state}
    assert [each for each in ENTITIES if found[each] != expected[each]] == [AppState]
    with SQLiteBackend(tmp_path / "restored.db") as restored:
        report = salvage(f"json:{tmp_path / 'profiles'}", restored, [f"json:{copy}"])
        assert len(report.restored) == len(lost_state)
        assert records(restored) == expected


def test_a_damaged_file_of_what_jira_has_is_dropped_and_reported(
    tmp_path: Path, target: SQLiteBackend
) -> None:
    with JSONBackend(tmp_path / "profiles") as backend:
        fill(backend)
    path = tmp_path / "profiles/kafka/queries/12w/jira_cache.json"
    path.write_bytes(path.read_bytes().replace(b"K-1", b"K-2"))
    report = salvage(f"json:{tmp_path / 'profiles'}", target)
    [dropped] = report.dropped
    assert "jira_cache.json is damaged" in dropped
    assert report.lost == []


def test_a_damaged_row_of_an_earlier_version_is_the_only_one_that_is_lost(
    tmp_path: Path, target: SQLiteBackend
) -> None:
    path = copy_of("1.6", tmp_path / "old.db")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("UPDATE profiles SET name = CAST(X'FF' AS TEXT) WHERE id = 'kafka'")
    report = salvage(path, target)
    assert report.kept["profiles"] == 2
    assert len(report.lost) == 1


@pytest.mark.parametrize("name", ["mistyped.db", "json:mistyped"])
def test_a_missing_store_is_refused(intact: Path, target: SQLiteBackend, name: str) -> None:
    """Also if there is a backup, which could be older than what is meant."""
    for source, backup in ((name, intact), (intact, name)):
        with pytest.raises(StoreNotFoundError, match="There is no store at mistyped"):
            salvage(source, target, [backup])
    assert target.list_profiles() == []


def test_a_server_that_is_out_of_reach_is_no_damage(target: SQLiteBackend) -> None:
    with pytest.raises(StorageError, match="out of reach"):
        salvage("postgresql+psycopg://nobody@127.0.0.1:1/none", target)
    assert target.list_profiles() == []


def test_nothing_is_lost_with_the_numbers_of_rows(
    intact: Path, target: SQLiteBackend, capsys: Capture, tmp_path: Path
) -> None:
    with SQLiteBackend(intact) as backend:
        expected = records(backend)
    with closing(sqlite3.connect(intact)) as connection:
        [(page,)] = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (SUMS,))
        [(size,)] = connection.execute("PRAGMA page_size")
    with intact.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(bytes(size))
    report = salvage(intact, target)
    assert (report.lost, report.dropped) == ([], [])
    assert len(report.notes) == 1
    assert records(target) == expected
    assert run(["salvage", str(intact), str(tmp_path / "new.db")]) == 0
    assert f"Note: {report.notes[0]}" in " ".join(capsys.readouterr().out.split())


def test_an_interrupted_transaction_of_another_program_is_refused(
    intact: Path, target: SQLiteBackend, tmp_path: Path
) -> None:
    """Whether it has to be undone, only that program knows; it could be that of another file."""
    foreign_journal(intact)
    before = contents(tmp_path)
    with pytest.raises(StorageError, match=r"burndown\.db-journal would undo"):
        salvage(intact, target)
    assert contents(tmp_path) == before
    assert target.list_profiles() == []


def test_a_store_of_another_program_or_release_is_refused(
    intact: Path, target: SQLiteBackend, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As the damaged store and as a backup; nothing is made where a new store should be."""
    foreign, newer, new = (tmp_path / name for name in ("foreign.db", "newer.db", "new.db"))
    with closing(sqlite3.connect(foreign)) as connection:
        connection.execute("CREATE TABLE t (a)")
    with SQLiteBackend(newer) as backend:
        backend.set_app_state("schema_version", "7.3")
    edit(newer, "UPDATE burndown_version SET version_num = '7.3'")
    for refused, error in ((foreign, ForeignDatabaseError), (newer, SchemaTooNewError)):
        with pytest.raises(error, match=refused.name):
            salvage(refused, target)
        edit(intact, "UPDATE profiles SET digest = 0")
        with pytest.raises(error, match=refused.name):
            salvage(intact, target, [refused])
        assert target.list_profiles() == []
        assert run(["salvage", str(refused), str(new)]) == ExitCode.NOT_VALID
        assert refused.name in capsys.readouterr().err
        assert not new.exists()


def test_a_locked_store_is_refused(
    intact: Path, target: SQLiteBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BURNDOWN_BUSY_TIMEOUT", "0")
    with closing(sqlite3.connect(intact, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
        connection.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StorageError, match=r"burndown\.db cannot be read: database is locked"):
            salvage(intact, target)
    assert target.list_profiles() == []


def test_a_target_with_content_is_refused(intact: Path, target: SQLiteBackend) -> None:
    target.save_profile({"id": "p"})
    with pytest.raises(ImportExportError, match="is not empty"):
        salvage(intact, target)


@pytest.mark.parametrize("count", [15, pytest.param(300, marks=pytest.mark.soak)])
@pytest.mark.parametrize("damage", [changed_bit, lost_page])
def test_nothing_is_lost_that_a_backup_has(
    intact: Path, tmp_path: Path, count: int, damage: Damage
) -> None:
    """Whatever bit is changed or page is lost; without the backup, each loss is reported."""
    kept = backup_of(intact)
    with SQLiteBackend(kept) as backend:
        expected = records(backend)
    content, rng = kept.read_bytes(), random.Random(count)
    for number in range(count):
        changed = bytearray(content)
        damage(changed, rng)
        damaged = tmp_path / f"damaged-{number}.db"
        damaged.write_bytes(changed)
        for backups in ([kept], []):
            with SQLiteBackend(tmp_path / f"{number}-{len(backups)}.db") as filled:
                report = salvage(damaged, filled, backups)
                found = records(filled)
            check(expected, found, report, has_backup=bool(backups))


def check(expected: Records, found: Records, report: SalvageReport, *, has_backup: bool) -> None:
    for entity, before in expected.items():
        missing = before.keys() - found[entity].keys()
        changed = {key for key, each in found[entity].items() if before.get(key) != each}
        if missing or changed:
            assert report.lost or report.dropped
        if has_backup:
            assert not changed
            assert not missing or entity.__name__ == "JiraCache"


@needs_fork
@needs_kill
@pytest.mark.parametrize("kills", [4, pytest.param(200, marks=pytest.mark.soak)])
@pytest.mark.parametrize("kind", ["sqlite", "json"])
def test_a_killed_salvage_leaves_an_empty_store_or_a_complete_one(
    intact: Path, tmp_path: Path, kind: str, kills: int
) -> None:
    """The next one completes it; the damaged store and its backups are unchanged."""
    backups = [tmp_path / "copies/kafka.zip", backup_of(intact)]
    with SQLiteBackend(intact) as backend:
        export_profile("kafka", backups[0], backend=backend)
    edit(intact, "UPDATE project_data SET data = '{}'", "UPDATE budgets SET budget_total = 7")
    folder = tmp_path / "salvaged"
    location = f"json:{folder}" if kind == "json" else str(folder / "burndown.db")

    def run() -> None:
        with open_backend(location) as target:
            assert salvage(intact, target, backups).lost == []

    def content() -> Records:
        with open_backend(location) as target:
            found = records(target)  # makes the store unless there is one
            assert target.check_integrity() == (True, [])
            return found

    sources = files_below(tmp_path)
    run()
    complete, names = content(), files_below(tmp_path).keys()
    shutil.rmtree(folder)
    calls, outcomes = count_calls(run), set()
    for number in random.Random(0).sample(range(1, calls), kills):
        shutil.rmtree(folder)
        killed_at(run, number)
        outcomes.add(is_complete := content() == complete)
        if not is_complete:
            assert not any(content().values())
            run()
            assert content() == complete
            assert files_below(tmp_path).keys() == names
        assert sources.items() <= files_below(tmp_path).items()
    assert False in outcomes


def test_the_command_reports_each_loss(capsys: Capture, intact: Path, tmp_path: Path) -> None:
    edit(intact, "UPDATE budgets SET budget_total = 7")
    found = in_json(capsys, "salvage", str(intact), str(tmp_path / "new.db"))
    assert found["lost"] == ["budget of query '12w' in profile 'kafka'"]
    assert found["kept"]["metrics snapshots"] == len(WEEKS)
