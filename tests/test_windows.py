"""What differs on Windows, as far as it can be imitated on another system."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from burndown.testing.contract.time_zones import local_time_zone
from tests.support.kept_databases import copy_of
from tests.support.processes import PATIENCE
from tests.support.published_databases import write_database

ROOT = Path(__file__).parent.parent

pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs Linux")


def run_as_on_windows(*arguments: str, fails_with: str | None = None) -> None:
    """Run a function of :mod:`tests.support.windows_programs` in a new process.

    No file may be opened with the encoding of the locale, which is not UTF-8 there.

    Args:
        arguments: the name of the function, and its arguments.
        fails_with: a part of the error that is expected.
    """
    program = [sys.executable, "-X", "warn_default_encoding", "-W", "error::EncodingWarning"]
    ended = subprocess.run(
        [*program, "-m", "tests.support.windows_programs", *arguments],
        env={
            "PATH": "",
            "PYTHONPATH": str(ROOT),
            "LC_ALL": "C.UTF-8",
            "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    if fails_with is None:
        assert (ended.returncode, ended.stderr) == (0, "")
    else:
        assert fails_with in ended.stderr


@pytest.mark.parametrize("location", ["Größe ✓/a b\\c%20#?.db", "json:Größe ✓", "memory:"])
def test_a_store_can_be_used(location: str, tmp_path: Path) -> None:
    run_as_on_windows("use_store", location)
    assert not list(tmp_path.rglob(".burndown-*"))


def test_a_workspace_can_be_migrated_and_written_again() -> None:
    run_as_on_windows("migrate_workspace")


def test_the_published_database_is_only_read(tmp_path: Path) -> None:
    """It cannot be replaced while it is locked; the error says what to do."""
    in_place = tmp_path / "profiles/burndown.db"
    in_place.parent.mkdir()
    write_database(in_place)
    before = in_place.read_bytes()
    run_as_on_windows("migrate_published", fails_with="burndown migrate --from FILE")
    assert in_place.read_bytes() == before
    in_place.rename("old.db")
    run_as_on_windows("migrate_published", "old.db")


def test_a_database_can_be_upgraded(tmp_path: Path) -> None:
    copy_of("1.0", tmp_path / "old.db")
    run_as_on_windows("upgrade", "old.db")
    assert (tmp_path / "old.db.1.0.backup").exists()


def test_a_file_that_another_program_reads_is_not_replaced() -> None:
    """The call fails, and nothing has changed."""
    run_as_on_windows("save_while_read")


def test_the_program_runs(tmp_path: Path) -> None:
    run_as_on_windows("run_commands")
    assert (tmp_path / "kept.db").exists()


def test_unfinished_files_are_removed_unless_they_are_in_use(tmp_path: Path) -> None:
    """A lock on a folder that another process builds something in is an open file."""
    (tmp_path / "left").mkdir()
    for name in ("a", "lock", "z"):
        (tmp_path / "left" / name).touch()
    run_as_on_windows("remove_leftovers")


def test_the_contract_runs_without_other_time_zones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(time, "tzset")
    before = time.localtime().tm_gmtoff
    with local_time_zone("XXX8"):
        assert time.localtime().tm_gmtoff == before
