"""Commands that only read change no byte of any file and leave none behind, whatever they find."""

import json
import os
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from burndown.cli import run
from tests.schema.conftest import KEPT, copy_of

COMMANDS = {
    "show": ["show"],
    "show a profile": ["show", "kafka"],
    "show a query": ["show", "kafka", "12w"],
    "check": ["check"],
    "export": ["export", "kafka", "out/kafka"],
    "export to an archive": ["export", "kafka", "out/kafka.zip", "--include-cache"],
    "export --legacy": ["export", "--legacy", "out/legacy"],
    "upgrade --dry-run": ["upgrade", "--dry-run"],
    "downgrade --dry-run": ["downgrade", "--to", "1.0", "--dry-run"],
    "migrate --dry-run": ["migrate", "--dry-run"],
    "import --dry-run": ["import", "{export}", "--replace", "--dry-run"],
    "copy": ["copy", "{store}", "out/copy.db"],
}
FROM_NOTHING = {"migrate --dry-run", "import --dry-run"}
"""These tell what would be done, also where there is no database yet."""
STORE = "in/profiles/burndown.db"


def arguments_of(command: str, store: str = STORE) -> list[str]:
    return [each.format(store=store, export="kafka.zip") for each in COMMANDS[command]]


class Place:
    """The path of a store, below the current folder, and what it is made of."""

    def __init__(self, migrated: Path, stack: ExitStack) -> None:
        self.migrated = migrated
        self.stack = stack
        self.path = Path(STORE).absolute()
        self.path.parent.mkdir(parents=True)

    def copy(self) -> None:
        """Put a database of ours there, closed cleanly."""
        shutil.copy(self.migrated / "profiles" / "burndown.db", self.path)

    def connect(self, path: Path | None = None) -> sqlite3.Connection:
        """Open a connection that stays open until the command has run."""
        connection = sqlite3.connect(path or self.path, isolation_level=None)
        return self.stack.enter_context(closing(connection))

    def make(self, *statements: str) -> None:
        with closing(sqlite3.connect(self.path, isolation_level=None)) as connection:
            for statement in statements:
                connection.execute(statement)

    def in_use(self, path: Path) -> sqlite3.Connection:
        """Have somebody use the database, who has just written to it."""
        connection = self.connect(path)
        connection.execute("PRAGMA wal_autocheckpoint=0")
        connection.execute("UPDATE profiles SET description = 'in the log'")
        return connection

    def copy_killed(self, *suffixes: str) -> None:
        """Put there what a killed process leaves."""
        other = self.path.with_name("other.db")
        shutil.copy(self.migrated / "profiles" / "burndown.db", other)
        with closing(self.in_use(other)):
            for suffix in suffixes:
                shutil.copy(f"{other}{suffix}", f"{self.path}{suffix}")
        other.unlink()


def closed(place: Place) -> None:
    place.copy()


def in_use(place: Place) -> None:
    place.copy()
    place.in_use(place.path)


def being_written(place: Place) -> None:
    place.copy()
    place.in_use(place.path).execute("BEGIN IMMEDIATE")


def open_and_idle(place: Place) -> None:
    place.copy()
    place.connect().execute("SELECT * FROM profiles").fetchall()


def killed(place: Place) -> None:
    place.copy_killed("", "-wal", "-shm")


def killed_without_index(place: Place) -> None:
    place.copy_killed("", "-wal")


def log_alone(place: Place) -> None:
    place.copy_killed("-wal")


def without_log(place: Place) -> None:
    place.copy()
    place.make("PRAGMA journal_mode=DELETE")


def linked(place: Place) -> None:
    other = place.path.with_name("real.db")
    shutil.copy(place.migrated / "profiles" / "burndown.db", other)
    place.path.symlink_to(other)


def with_second_name(place: Place) -> None:
    place.copy()
    os.link(place.path, place.path.with_name("second.db"))


def foreign(place: Place) -> None:
    place.make("CREATE TABLE bookmarks (url TEXT)", "INSERT INTO bookmarks VALUES ('x')")


def foreign_with_log(place: Place) -> None:
    place.make("PRAGMA journal_mode=WAL", "CREATE TABLE app_state (name TEXT, blob TEXT)")


def foreign_in_use(place: Place) -> None:
    connection = place.connect()
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE profiles (uid INTEGER PRIMARY KEY, email TEXT)")


def published(place: Place) -> None:
    place.make(
        "PRAGMA journal_mode=WAL",
        "CREATE TABLE app_state (key TEXT PRIMARY KEY, value TEXT)",
        "CREATE TABLE jira_issues (id INTEGER PRIMARY KEY, issue_key TEXT)",
        "INSERT INTO app_state VALUES ('schema_version', '1.0')",
    )


def too_new(place: Place) -> None:
    place.copy()
    place.make("UPDATE burndown_version SET version_num = '7.3'")


def damaged(place: Place) -> None:
    place.copy()
    content = place.path.read_bytes()
    place.path.write_bytes(content[:8192] + b"\xa5" * 40960 + content[49152:])


def no_database(place: Place) -> None:
    place.path.write_bytes(b"no database at all" * 1000)


def empty(place: Place) -> None:
    place.path.touch()


def without_tables(place: Place) -> None:
    place.make("PRAGMA journal_mode=WAL", "VACUUM")


def not_there(place: Place) -> None:
    pass


def folder(place: Place) -> None:
    place.path.mkdir()


def hot_journal(place: Place) -> None:
    place.copy()
    foreign_journal(place.path)


def foreign_journal(path: Path) -> None:
    """Leave the journal of another database beside this one."""
    other = path.with_name("other.db")
    with closing(sqlite3.connect(other, isolation_level=None)) as connection:
        connection.execute("PRAGMA cache_size=1")
        connection.execute("CREATE TABLE t (x)")
        connection.execute("INSERT INTO t VALUES (randomblob(100000))")
        connection.execute("BEGIN")
        connection.execute("UPDATE t SET x = randomblob(100000)")
        shutil.copy(f"{other}-journal", f"{path}-journal")
    other.unlink()


KINDS: list[Callable[[Place], None]] = [
    *(closed, in_use, being_written, open_and_idle, killed, killed_without_index, log_alone),
    *(without_log, linked, with_second_name, foreign, foreign_with_log, foreign_in_use, published),
    *(too_new, damaged, no_database, empty, without_tables, not_there, folder, hot_journal),
]
READABLE = {closed, in_use, being_written, open_and_idle, killed, killed_without_index} | {
    without_log,
    linked,
}


def contents(folder: Path) -> dict[str, tuple[int, bytes | None]]:
    """All files with their content, but that of the index of a log.

    SQLite keeps its locks in there, and makes it anew after a process was killed.
    """
    return {
        str(path): (
            path.lstat().st_mode,
            path.read_bytes() if path.is_file() and path.suffix != ".db-shm" else None,
        )
        for path in sorted(folder.rglob("*"))
    }


@pytest.fixture(scope="module")
def export(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export of a profile."""
    path = tmp_path_factory.mktemp("export") / "kafka.zip"
    profiles = ["--profiles", str(migrated / "profiles")]
    assert run(["export", "kafka", str(path), *profiles]) == 0
    return path


@pytest.fixture
def place(
    migrated: Path, export: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Place]:
    shutil.copy(export, tmp_path)
    monkeypatch.setenv("BURNDOWN_DATABASE_URL", STORE)
    with ExitStack() as stack:
        yield Place(migrated, stack)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_reading_command_changes_nothing(
    kind: Callable[[Place], None], command: str, place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    kind(place)
    before = contents(Path("in"))
    code = run(arguments_of(command))
    errors = capsys.readouterr().err
    after = contents(Path("in"))
    if kind is killed_without_index:
        after.pop(f"{STORE}-shm", None)
    assert after == before
    assert "Traceback" not in errors
    if kind in READABLE:
        assert (code, errors) == (0, "")
    elif kind in (empty, not_there, log_alone) and command in FROM_NOTHING:
        assert code == 0
    elif kind is not damaged:
        assert code == 1
        assert "burndown.db" in errors
        assert not Path("out/copy.db").exists()


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("version", KEPT)
def test_a_database_of_any_version_stays_in_it(
    version: str, command: str, place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    """Version 1.1 can be read as it is; of 1.0 an error says what to do."""
    copy_of(version, place.path)
    before = contents(Path("in"))
    code = run(arguments_of(command))
    assert contents(Path("in")) == before
    errors = capsys.readouterr().err
    if version == "1.0" and command not in ("check", "upgrade --dry-run"):
        assert code == 1
        assert "upgrade`" in errors
    else:
        assert (code, errors) == (0, "")


@pytest.mark.parametrize("command", ["show", "check", "export", "export --legacy", "copy"])
def test_a_folder_of_json_files_gets_no_lock(
    command: str, legacy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(legacy / "profiles", tmp_path / "in")
    before = contents(tmp_path / "in")
    arguments = arguments_of(command, "json:in")
    if command != "copy":
        arguments += ["--database", "json:in"]
    assert (run(arguments), capsys.readouterr().err) == (0, "")
    assert contents(tmp_path / "in") == before


def test_a_command_sees_what_others_have_committed(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is in a log counts, whether its writer is alive or not."""
    for kind in (in_use, killed_without_index):
        kind(place)
        assert run(["show", "kafka", "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["description"] == "in the log"
        for path in place.path.parent.iterdir():
            path.unlink()


def test_what_it_looks_like_is_said(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    expected = {
        foreign: "another program, with the tables bookmarks",
        foreign_with_log: "with the tables app_state (some have names",
        published: "the published dashboard's database, which this release cannot read",
        no_database: "damaged (file is not a database)",
        log_alone: "burndown.db-wal holds changes of a database that is not there",
        with_second_name: "second name (hard link) (second.db)",
        hot_journal: "burndown.db-journal would undo a transaction",
        folder: f"json:{place.path}",
    }
    for kind, said in expected.items():
        kind(place)
        for command in (["show"], ["check"], ["upgrade"]):
            assert run(command) == 1
            assert said in capsys.readouterr().err.replace(f"json:{STORE}", f"json:{place.path}")
        shutil.rmtree(place.path.parent)
        place.path.parent.mkdir()


@pytest.mark.skipif(sys.platform == "win32", reason="needs permissions of POSIX")
def test_a_new_database_of_a_process_that_migrates_is_no_second_name(place: Place) -> None:
    """It has two names for a moment."""
    place.copy()
    os.link(place.path, f"{place.path}.migrating")
    assert run(["show"]) == 0
