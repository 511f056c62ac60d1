"""A link that replaces a file or folder during a migration.

It can do so before each call that opens a file or lists a folder, and be removed before the next
one. Its target is never read, and no file is omitted without an error.
"""

import os
import shutil
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from burndown import MigrationError, StorageError
from burndown.conversion import UnreadableError
from burndown.database import SQLiteDatabase
from burndown.files.sqlite_files import SQLiteFiles
from burndown.legacy import back_up
from burndown.legacy.reading.json_files import read_bytes
from burndown.migration import run_migration_if_needed
from tests.legacy.damaged_workspace import FILES
from tests.support.database_rows import everything
from tests.support.legacy_workspaces import write

OUTSIDE = "outside-5e1c"
QUERY = "profiles/a/queries/q1"
NAMES = ["query.json", "project_data.json", "jira_cache.json"]
PLACES = ["profiles/a", QUERY, *(f"{QUERY}/{name}" for name in NAMES)]

Action = Callable[[], object]


LISTING = ("scandir", "listdir")


def at_steps(call: Action, actions: dict[int, Action]) -> list[str]:
    """Call a function before these calls that open or list; return the names of all those calls.

    These are calls of Python, so those of SQLite are not counted.
    """
    steps: list[str] = []

    def count(_: object, event: str, function: object) -> None:
        name = getattr(function, "__name__", "")
        if event == "c_call" and name in ("open", *LISTING):
            steps.append(name)
            if action := actions.get(len(steps)):
                sys.setprofile(None)
                action()
                sys.setprofile(count)

    sys.setprofile(count)
    try:
        call()
    finally:
        sys.setprofile(None)
    return steps


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Create a profile with one query, and outside the same with other values."""
    files = {"profiles/a/profile.json": {"name": "A", "created_at": "2025-01-01"}}
    files.update({f"{QUERY}/{name}": FILES[f"{QUERY}/{name}"] for name in NAMES})
    write(files, tmp_path / "root")
    other = {path: {**value, "more": OUTSIDE} for path, value in files.items()}
    write(other, tmp_path / "outside")
    return tmp_path / "root"


def migrate(root: Path) -> dict[str, list[dict[str, object]]] | None:
    """Return what is stored; ``None`` if the migration is refused and leaves no database."""
    path = root.with_name("new") / "burndown.db"
    database = SQLiteDatabase(path)
    try:
        run_migration_if_needed(root / "profiles", database)
    except (MigrationError, StorageError):
        assert not path.exists()
        return None
    finally:
        database.close()
    return everything(path)


def wait_for_the_next_tick(folder: Path) -> None:
    """Return when a change gets another modification time than the last one."""
    probe = folder / "probe"
    probe.touch()
    first = probe.stat().st_ctime_ns
    while probe.stat().st_ctime_ns == first:
        probe.touch()
    probe.unlink()


def swapped(
    root: Path, place: str, step: int, lasts: int, call: Callable[[Path], object]
) -> object:
    """Yield the results of a call on copies in which a link replaces the path at a step."""
    copy, aside = root.with_name("copy"), root.with_name("aside")
    for path in (copy, aside, root.with_name("new")):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    shutil.copytree(root, copy, copy_function=shutil.copy2)
    wait_for_the_next_tick(copy)

    def swap() -> None:
        (copy / place).rename(aside)
        (copy / place).symlink_to(root.with_name("outside") / place)

    def undo() -> None:
        (copy / place).unlink()
        aside.rename(copy / place)

    found: list[object] = []
    at_steps(lambda: found.append(call(copy)), {step: swap, step + lasts: undo})
    for parent, _, names in os.walk(copy / "backups"):  # follows no links
        for path in (Path(parent, name) for name in names):
            assert path.is_symlink() or OUTSIDE not in path.read_text("utf-8"), (place, step)
    return found[0]


def read_all(root: Path) -> str:
    """Return the content of the query's files, or the reason why they cannot be read."""
    found = []
    for name in NAMES:
        try:
            found.append(read_bytes(root / QUERY / name, root / "profiles").decode())
        except UnreadableError as error:
            found.append(str(error))
    return "".join(found)


def copy_all(root: Path) -> str:
    try:
        back_up(root / "profiles", datetime.now(UTC), SQLiteFiles(()))
    except OSError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("call", [read_all, copy_all])
def test_nothing_behind_a_link_is_read_or_copied(
    root: Path, place: str, call: Callable[[Path], str]
) -> None:
    """At any step, for one step or to the end; a link in place of a folder is an error."""
    steps = len(at_steps(lambda: call(root), {}))
    shutil.rmtree(root / "backups", ignore_errors=True)
    found = [
        swapped(root, place, step, lasts, call)
        for step in range(1, steps + 1)
        for lasts in (1, steps)
    ]
    assert OUTSIDE not in str(found)
    assert "links are not followed" in str(found)


@pytest.mark.parametrize("is_thorough", [False, pytest.param(True, marks=pytest.mark.soak)])
@pytest.mark.parametrize("place", PLACES)
def test_a_migration_is_complete_or_refused(root: Path, place: str, is_thorough: bool) -> None:
    """Only some steps are tried, unless in the thorough profile: for a folder, those that list."""
    whole = migrate(shutil.copytree(root, root.with_name("whole"), copy_function=shutil.copy2))
    assert whole is not None
    shutil.rmtree(root.with_name("new"))
    steps = at_steps(lambda: migrate(root.with_name("whole")), {})
    without_cache = {**whole, "jira_cache": []}  # which may be missing: Jira has it
    is_folder = (root / place).is_dir()
    numbers = [n for n, name in enumerate(steps, 1) if (name in LISTING) == is_folder]
    refused = 0
    for step in range(1, len(steps) + 1) if is_thorough else numbers[:: 2 if is_folder else 8]:
        for lasts in (1, len(steps))[: 1 + (step % 8 == 0)]:
            found = swapped(root, place, step, lasts, migrate)
            assert OUTSIDE not in str(found), step
            assert found in (None, whole, without_cache), step
            refused += found is None
    assert refused


DATA = f"{QUERY}/project_data.json"


@pytest.mark.parametrize("stand_in", [os.mkfifo, Path.mkdir, lambda path: path.symlink_to("/")])
def test_the_replacement_of_a_file_is_not_waited_for(
    root: Path, stand_in: Callable[[Path], object]
) -> None:
    """Even if it is replaced between the check of the file and its opening."""
    path = root / DATA

    def swap() -> None:
        path.unlink()
        stand_in(path)

    def read() -> None:
        with pytest.raises(UnreadableError):
            read_bytes(path, root / "profiles")

    assert at_steps(lambda: read_bytes(path, root / "profiles"), {})
    at_steps(read, {1: swap})


def test_a_workspace_may_consist_of_links_to_other_folders(root: Path) -> None:
    """If it were ignored, its data would be lost."""
    for place in (QUERY, "profiles/a"):
        shutil.rmtree(root / place)
        (root / place).symlink_to(root.with_name("outside") / place)
        with pytest.raises(MigrationError, match=r"a link to .*outside") as caught:
            run_migration_if_needed(root / "profiles", SQLiteDatabase(root.with_name("x.db")))
        assert [path for path, _ in caught.value.problems] == [root / place]
