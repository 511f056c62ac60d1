"""Tables are written completely, and then only as far as they have changed."""

import sqlite3
import sys
from contextlib import closing
from errno import ENOSPC
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from burndown import (
    MissingExtraError,
    PersistenceBackend,
    SQLiteBackend,
    StorageError,
    ValidationError,
    open_backend,
)
from burndown.files.working_folder import scratch_folder
from burndown.tables import TABLES, Table
from burndown.tables.files import CsvFiles
from burndown.tables.writing import write_tables
from burndown.testing.contract.examples import given
from tests.support.command_line import files_below
from tests.tables.contents import cells_in, contents, has_changed, replace_content, rows_in

Rows = list[tuple[Any, ...]]


def by_key(table: Table, rows: Rows) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    positions = [n for n, column in enumerate(table.columns) if column.described.is_key]
    return {tuple(row[n] for n in positions): row for row in rows}


@given(contents(), contents())
def test_a_second_run_writes_what_a_first_one_would(
    content: dict[str, Any], changed: dict[str, Any]
) -> None:
    """It reports each row that differs; and a third one, of an unchanged store, writes nothing."""
    with scratch_folder() as folder, open_backend("memory:") as backend:
        replace_content(backend, content)
        write_tables(folder / "out.db", backend=backend)
        before = rows_in(folder / "out.db")
        replace_content(backend, changed)
        changes = write_tables(folder / "out.db", backend=backend)
        write_tables(folder / "new.db", backend=backend)
        after = rows_in(folder / "out.db")
        assert after == rows_in(folder / "new.db")
        for table in TABLES:
            old, new = (by_key(table, each[table.name]) for each in (before, after))
            assert changes[table.name] == {
                "rows": len(new),
                "added": len(new.keys() - old.keys()),
                "changed": sum(row != old.get(name, row) for name, row in new.items()),
                "removed": len(old.keys() - new.keys()),
            }
        files = files_below(folder)
        assert not has_changed(write_tables(folder / "out.db", backend=backend))
        assert files_below(folder) == files


def as_cells(rows: Rows) -> Rows:
    """Return rows as CSV has them."""
    return [tuple("" if value is None else str(value) for value in row) for row in rows]


@given(contents(), contents(), divisor=3)
def test_csv_files_have_the_rows_of_the_database(
    content: dict[str, Any], changed: dict[str, Any]
) -> None:
    """Also after a second run, which reports the same changes."""
    with scratch_folder() as folder, open_backend("memory:") as backend:
        for each in (content, changed):
            replace_content(backend, each)
            changes = write_tables(folder / "out.db", backend=backend)
            assert write_tables(folder / "out.csv", backend=backend) == changes
            for name, rows in rows_in(folder / "out.db").items():
                assert sorted(cells_in(folder / "out.csv")[name]) == sorted(as_cells(rows)), name
        files = files_below(folder)
        assert not has_changed(write_tables(folder / "out.csv", backend=backend))
        assert files_below(folder) == files


@given(contents(), contents(), divisor=3)
def test_parquet_files_have_the_rows_of_the_database(
    content: dict[str, Any], changed: dict[str, Any]
) -> None:
    """With timestamps, dates and booleans as such; also after a second run."""
    parquet = pytest.importorskip("pyarrow.parquet")
    with scratch_folder() as folder, open_backend("memory:") as backend:
        for each in (content, changed):
            replace_content(backend, each)
            changes = write_tables(folder / "out.db", backend=backend)
            assert write_tables(folder / "out.parquet", backend=backend) == changes
            for table in TABLES:
                found = parquet.read_table(folder / f"out.parquet/{table.name}.parquet").to_pylist()
                for row in found:
                    for column in table.columns:
                        value = row[column.name]
                        assert value is None or type(value) is column.type
                encoded = [tuple(table.encoded(tuple(row.values()))) for row in found]
                rows = rows_in(folder / "out.db")[table.name]
                assert by_key(table, encoded) == by_key(table, rows)
        assert not has_changed(write_tables(folder / "out.parquet", backend=backend))


def test_parquet_needs_an_extra(
    backend: SQLiteBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"burndown-store\[parquet\]"):
        write_tables(tmp_path / "out.parquet", backend=backend)
    assert not (tmp_path / "out.parquet").exists()


@pytest.mark.parametrize("name", ["out", "out.json", "out.db.gz", ".db"])
def test_another_ending_is_refused(backend: SQLiteBackend, tmp_path: Path, name: str) -> None:
    with pytest.raises(ValidationError, match=r"\.db or \.sqlite"):
        write_tables(tmp_path / name, backend=backend)
    assert not (tmp_path / name).exists()


def test_what_belongs_to_others_is_refused(sample: SQLiteBackend, tmp_path: Path) -> None:
    """The store itself, a database of another program, a file of another format, and a folder."""
    other, text, folder = tmp_path / "other.db", tmp_path / "text.db", tmp_path / "folder.csv"
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE issues (id)")
    text.write_text("issues" * 200)
    folder.mkdir()
    (folder / "issues.csv").write_text("id\n1\n")
    files = files_below(tmp_path)
    (tmp_path / "folder.db").mkdir()
    for path in (tmp_path / "sample.db", other, text, folder, tmp_path / "folder.db"):
        with pytest.raises(ValidationError, match="a new path, or that of an earlier run"):
            write_tables(path, backend=sample)
    found = files_below(tmp_path)
    assert {path for path in files if found[path] != files[path]} <= {tmp_path / "sample.db-shm"}


def test_only_the_owner_can_read_new_files(sample: SQLiteBackend, tmp_path: Path) -> None:
    for name in ("new/out.db", "out.csv"):
        write_tables(tmp_path / name, backend=sample)
    for path in [*(tmp_path / "new").rglob("*"), *(tmp_path / "out.csv").rglob("*")]:
        assert path.stat().st_mode & 0o077 == 0, path


def test_views_of_others_are_kept_and_old_columns_replaced(
    sample: SQLiteBackend, tmp_path: Path
) -> None:
    path = tmp_path / "out.db"
    write_tables(path, backend=sample)
    expected = rows_in(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE VIEW done AS SELECT * FROM issues WHERE finished_at NOT NULL")
        connection.execute("ALTER TABLE weeks DROP COLUMN created_items")
    changes = write_tables(path, backend=sample)
    assert changes["weeks"]["added"] == changes["weeks"]["rows"] > 0
    assert not changes["issues"]["added"]
    assert rows_in(path) == expected
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM done").fetchone() > (0,)


@pytest.mark.parametrize("content", [b"", b"profile_id\nx\n", b"\xff", None])
def test_a_changed_file_of_a_folder_is_written_anew(
    sample: SQLiteBackend, tmp_path: Path, content: bytes | None
) -> None:
    """One that is empty, has other columns or another format, or is absent."""
    write_tables(tmp_path / "out.csv", backend=sample)
    files = files_below(tmp_path / "out.csv")
    for name in ("weeks.csv", "sprints.csv"):
        (tmp_path / "out.csv" / name).unlink()
        if content is not None:
            (tmp_path / "out.csv" / name).write_bytes(content)
    write_tables(tmp_path / "out.csv", backend=sample)
    assert files_below(tmp_path / "out.csv") == files


class Failing:
    """A store in which the second profile cannot be read."""

    def __init__(self, backend: PersistenceBackend) -> None:
        self._backend = backend

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)

    def list_queries(self, profile_id: str) -> Any:
        if profile_id != self._backend.list_profiles()[0]["id"]:
            raise StorageError("the disk is gone")
        return self._backend.list_queries(profile_id)


def test_an_error_leaves_the_tables_as_they_were(sample: SQLiteBackend, tmp_path: Path) -> None:
    for name in ("out.db", "out.csv"):
        write_tables(tmp_path / name, backend=sample)
    files = files_below(tmp_path)
    sample.delete_budget("kafka", "12w")
    failing: Any = Failing(sample)
    for name in ("out.db", "out.csv"):
        with pytest.raises(StorageError, match="gone"):
            write_tables(tmp_path / name, backend=failing)
        assert all(
            files_below(tmp_path)[path] == content
            for path, content in files.items()
            if not path.name.startswith("sample")
        )
        with pytest.raises(StorageError, match="gone"):
            write_tables(tmp_path / "new" / name, backend=failing)
    assert not (tmp_path / "new").exists()


def test_a_reader_sees_the_old_rows_until_all_are_new(
    sample: SQLiteBackend, tmp_path: Path
) -> None:
    """Those that it reads while the store is read, and those after it has ended."""
    path = tmp_path / "out.db"
    write_tables(path, backend=sample)
    sample.delete_profile("kafka")
    seen: list[int] = []

    class Watched(Failing):
        def list_queries(self, profile_id: str) -> Any:
            seen.append(len(rows_in(path)["profiles"]))
            return self._backend.list_queries(profile_id)

    watched: Any = Watched(sample)
    write_tables(path, backend=watched)
    assert seen == [2]
    assert len(rows_in(path)["profiles"]) == 1


@pytest.mark.parametrize("name", ["out.db", "out.csv"])
def test_two_first_runs_are_one_after_the_other(
    sample: SQLiteBackend, tmp_path: Path, name: str
) -> None:
    """The second one writes into what the first one has made meanwhile."""
    path = tmp_path / name

    class Overtaken(Failing):
        def list_queries(self, profile_id: str) -> Any:
            if not path.exists():
                write_tables(path, backend=sample)
            return self._backend.list_queries(profile_id)

    overtaken: Any = Overtaken(sample)
    changes = write_tables(path, backend=overtaken)
    assert changes["profiles"] == {"rows": 2, "added": 0, "changed": 0, "removed": 0}


def test_a_full_disk_is_an_error_that_names_the_file(
    sample: SQLiteBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(ENOSPC, "No space left on device", "issues.csv")

    monkeypatch.setattr(CsvFiles, "write", full)
    with pytest.raises(StorageError, match=r"No space left on device \(issues.csv\)"):
        write_tables(tmp_path / "out.csv", backend=sample)
    assert not list(tmp_path.glob("out.csv*"))


def test_a_locked_file_is_an_error(
    sample: SQLiteBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "out.db"
    write_tables(path, backend=sample)
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", partial(connect, timeout=0))
    with closing(connect(path)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StorageError, match="locked"):
            write_tables(path, backend=sample)
