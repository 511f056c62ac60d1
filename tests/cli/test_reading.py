"""Commands that only read change no byte of any file and create none, whatever they find."""

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from burndown.cli import run
from burndown.cli.exit_codes import ExitCode
from tests.support.database_files import (
    KINDS,
    READABLE,
    Place,
    contents,
    damaged,
    empty,
    folder,
    foreign,
    foreign_with_log,
    hot_journal,
    in_use,
    killed_without_index,
    log_alone,
    no_database,
    not_there,
    published,
    single_byte,
    with_second_name,
)
from tests.support.kept_databases import KEPT, copy_of

COMMANDS = {
    "show": ["show"],
    "show a profile": ["show", "kafka"],
    "show a query": ["show", "kafka", "12w"],
    "check": ["check"],
    "tasks": ["tasks"],
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
"""These report what would be done, even where there is no database yet."""
STORE = "in/profiles/burndown.db"


def arguments_of(command: str, store: str = STORE) -> list[str]:
    return [each.format(store=store, export="kafka.zip") for each in COMMANDS[command]]


@pytest.fixture(scope="module")
def export(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Export a profile."""
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
        yield Place(Path(STORE).absolute(), migrated / "profiles" / "burndown.db", stack)


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
        assert code in set(ExitCode) - {ExitCode.FAILED, ExitCode.USAGE}
        assert "burndown.db" in errors
        assert not Path("out/copy.db").exists()


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("version", KEPT)
def test_a_database_of_any_version_stays_in_it(
    version: str, command: str, place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    """Version 1.1 is read without an upgrade; for 1.0 an error says what to do."""
    copy_of(version, place.path)
    before = contents(Path("in"))
    code = run(arguments_of(command))
    assert contents(Path("in")) == before
    errors = capsys.readouterr().err
    if version == "1.0" and command not in ("check", "upgrade --dry-run"):
        is_wrong = command.startswith("downgrade")  # from 1.0, to what is newer
        assert code == (ExitCode.NOT_VALID if is_wrong else ExitCode.UNAVAILABLE)
        assert "upgrade`" in errors
    else:
        assert (code, errors) == (0, "")


@pytest.mark.parametrize("command", ["show", "check", "export", "export --legacy", "copy"])
def test_a_folder_of_json_files_is_not_locked(
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
    """Data in a log is read whether its writer runs or was killed."""
    for kind in (in_use, killed_without_index):
        kind(place)
        assert run(["show", "kafka", "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["description"] == "in the log"
        for path in place.path.parent.iterdir():
            path.unlink()


def test_foreign_files_are_described(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    expected = {
        foreign: "another program, with the tables bookmarks",
        foreign_with_log: "with the tables app_state; some have names",
        published: "that of the published dashboard. It was not changed; `burndown migrate`",
        no_database: "is not a SQLite database: it is damaged, encrypted or a file of another",
        single_byte: "holds a single byte",
        log_alone: "burndown.db-wal holds changes of a database that does not exist",
        with_second_name: "second name (hard link) (second.db)",
        hot_journal: "burndown.db-journal would undo a transaction",
        folder: f"json:{place.path}",
    }
    for kind, said in expected.items():
        kind(place)
        for command in (["show"], ["check"], ["upgrade"]):
            code = run(command)
            assert code in ({ExitCode.NOT_VALID} if kind in (foreign, published) else set(ExitCode))
            assert said in capsys.readouterr().err.replace(f"json:{STORE}", f"json:{place.path}")
        shutil.rmtree(place.path.parent)
        place.path.parent.mkdir()


@pytest.mark.skipif(sys.platform == "win32", reason="needs permissions of POSIX")
def test_the_second_name_of_a_database_that_is_being_migrated_is_accepted(place: Place) -> None:
    """A new database has two names for a short time."""
    place.copy()
    os.link(place.path, f"{place.path}.migrating")
    assert run(["show"]) == 0
