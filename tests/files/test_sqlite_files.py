"""Files that belong to a SQLite database, by their names."""

from pathlib import Path

import pytest

from burndown.database.database_file import DatabaseFile
from burndown.files.sqlite_files import BUILT_SUFFIX, SIDECARS, SQLiteFiles


@pytest.fixture
def files(tmp_path: Path) -> SQLiteFiles:
    return SQLiteFiles((tmp_path / "d" / "b.db",))


@pytest.mark.parametrize(
    "suffix",
    [
        "",
        *SIDECARS,
        *(BUILT_SUFFIX + each for each in ("", *SIDECARS)),
        *(".lock", ".2.backup", ".2.10.backup", ".published", ".unfinished-journal"),
    ],
)
def test_a_database_and_what_is_next_to_it_belong_to_it(files: SQLiteFiles, suffix: str) -> None:
    assert files.databases[0].with_name("b.db" + suffix) in files


@pytest.mark.parametrize("name", ["b.dbx", "b.db.json", "b", "B.db", "x.b.db", "b.db-wal-wal"])
def test_other_names_do_not(files: SQLiteFiles, name: str) -> None:
    assert files.databases[0].with_name(name) not in files


def test_the_same_name_elsewhere_does_not(files: SQLiteFiles, tmp_path: Path) -> None:
    assert tmp_path / "b.db" not in files


def test_a_folder_never_does(files: SQLiteFiles) -> None:
    (files.databases[0].parent / "b.db-wal").mkdir(parents=True)
    assert files.databases[0].parent / "b.db-wal" not in files


def test_all_sidecars_of_a_database_file_belong_to_it(files: SQLiteFiles) -> None:
    path = files.databases[0].resolve()
    assert all(sidecar in files for sidecar in DatabaseFile(path).sidecars)


def test_a_folder_is_known_by_the_databases_in_it(files: SQLiteFiles, tmp_path: Path) -> None:
    assert files.are_in(tmp_path / "d")
    assert not files.are_in(tmp_path)
    assert files.are_below(tmp_path)
    assert not files.are_below(tmp_path / "other")
