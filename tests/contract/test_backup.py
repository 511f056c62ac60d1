"""A store in use can be backed up, and the backup is complete or absent."""

import os
import shlex
import stat
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from burndown import DatabaseCorruptionError, StorageError
from burndown.backups import drill
from burndown.files.checksums import checksums_path
from burndown.persistence import open_backend
from burndown.testing.contract.examples import given
from burndown.testing.contract.records import everything_storable
from burndown.testing.controlled_store import Document, Store, everything, fill
from tests.support.backends import COPYING, open_copy
from tests.support.command_line import files_below
from tests.support.store import one_store_on

shared = one_store_on(COPYING)


def records_in(copy: Path, store: Store) -> Any:
    with open_copy(copy, store.clock) as opened:
        assert opened.check_integrity() == (True, [])
        return everything(opened)


@given(content=everything_storable, divisor=5, large=True)
def test_a_backup_has_the_same_records(shared: Store, content: dict[Any, list[Document]]) -> None:
    """Every value is equal, in a store of the same backend that can be used as any other."""
    store = shared.empty()
    for model, documents in content.items():
        store.save_records(model, documents)
    with TemporaryDirectory() as folder:
        copy = store.backup(Path(folder, "copy"))
        assert records_in(copy, store) == store.everything()
        with open_copy(copy, store.clock) as opened:
            opened.save_profile({"id": "of the copy"})
    assert store.get_profile("of the copy") is None


def test_a_backup_is_private_and_complete_by_itself(store: Store, tmp_path: Path) -> None:
    """It is one file or folder with its checksums; missing folders above it are made."""
    fill(store, "new", "q")
    target = tmp_path / "not" / "there" / "copy"
    assert store.backup(os.path.relpath(target)) == target
    assert set(target.parent.iterdir()) == {target, checksums_path(target)}
    for path in (*target.parents[:2], *target.parent.rglob("*")):
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), path
    assert not [path for path in target.rglob("*") if "lock" in path.name or "work" in path.name]


def test_a_backup_has_committed_changes_only(store: Store, tmp_path: Path) -> None:
    """It has nothing of an open transaction, whether of the caller or of another thread."""
    before = store.everything()
    with store.another() as other, other.transaction():
        other.save_profile({"id": "open"})
        assert records_in(store.backup(tmp_path / "beside"), store) == before
        assert records_in(other.backup(tmp_path / "within"), store) == before
    assert records_in(store.backup(tmp_path / "after"), store) == store.everything() != before


@pytest.mark.parametrize("kind", ["file", "folder", "link", "link to nothing", "hard link"])
def test_a_backup_overwrites_nothing(store: Store, tmp_path: Path, kind: str) -> None:
    """The error names the path, and nothing changes."""
    target = tmp_path / "target"
    location = Path(store.describe()["location"])
    if kind == "file":
        target.write_text("mine")
    elif kind == "folder":
        target.mkdir()
    elif kind == "hard link":
        if location.is_dir():
            pytest.skip("a folder has no second name")
        target.hardlink_to(store.backup(tmp_path / "copy"))
    else:
        target.symlink_to(location if kind == "link" else "nothing")
    before = files_below(tmp_path), store.everything()
    with pytest.raises(StorageError, match=rf"{target} is an existing f"):
        store.backup(target)
    with pytest.raises(StorageError, match=rf"{location} is an existing f"):
        store.backup(location)
    assert (files_below(tmp_path), store.everything()) == before


def test_a_backup_of_a_missing_store_creates_nothing(another_store: Store, tmp_path: Path) -> None:
    """There is neither a copy nor a store afterwards."""
    with pytest.raises(StorageError, match="There is no"):
        another_store.backup(tmp_path / "new" / "copy")
    assert not another_store.exists()
    assert not files_below(tmp_path)


def test_a_server_names_its_program_to_restore(tmp_path: Path) -> None:
    """The command is complete except for the password."""
    with (
        open_backend("postgresql+psycopg://me:canary@db.example.com:6543/team a") as backend,
        pytest.raises(StorageError, match="run: pg_restore ") as refused,
    ):
        backend.restore(tmp_path / "my dump")
    assert shlex.split(str(refused.value).partition("run: ")[2]) == [
        *("pg_restore", "--host=db.example.com", "--port=6543", "--username=me"),
        *("--dbname=team a", "--clean", "--if-exists", "--single-transaction"),
        str(tmp_path / "my dump"),
    ]


def test_a_server_names_its_backup_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it is not installed, the command is complete except for the password."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with (
        open_backend("postgresql+psycopg://me:canary@db.example.com:6543/team a") as backend,
        pytest.raises(StorageError, match="run: pg_dump ") as refused,
    ):
        backend.backup(tmp_path / "my dump")
    assert shlex.split(str(refused.value).partition("run: ")[2]) == [
        *("pg_dump", "--host=db.example.com", "--port=6543", "--username=me"),
        *("--format=custom", f"--file={tmp_path / 'my dump'}", "team a"),
    ]
    assert not files_below(tmp_path)


# --- restored ------------------------------------------------------------------------------------


def test_a_restored_store_has_the_records_of_the_backup(store: Store, tmp_path: Path) -> None:
    """Every value is equal, and what was stored before is kept next to the store."""
    fill(store, "new", "q")
    expected = store.everything()
    copy = store.backup(tmp_path / "copy")
    fill(store.empty(), "other", "q")
    store.set_app_state("key", "other")
    before = store.everything()
    kept = store.restore(copy)
    assert store.everything() == expected
    assert records_in(kept, store) == before
    store.restore(kept)
    assert store.everything() == before


def test_a_flipped_bit_in_a_backup_is_found(store: Store, tmp_path: Path) -> None:
    """By a drill and by a restore, which leaves the store as it is."""
    fill(store, "new", "q")
    copy = store.backup(tmp_path / "copy")
    file = copy if copy.is_file() else max(copy.rglob("*.json"))
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    before = store.everything()
    for call in (lambda: drill(copy), lambda: store.restore(copy)):
        with pytest.raises(DatabaseCorruptionError, match=str(copy)):
            call()
    assert store.everything() == before


def test_a_renamed_backup_is_restored(store: Store, tmp_path: Path) -> None:
    """With its checksums, which are under its earlier name."""
    store.set_app_state("k", "v")
    copy = store.backup(tmp_path / "copy")
    renamed = copy.rename(tmp_path / "renamed")
    checksums_path(copy).rename(checksums_path(renamed))
    store.set_app_state("k", "changed")
    store.restore(renamed)
    assert store.get_app_state("k") == "v"


def test_a_drill_compares_a_restored_copy(store: Store, tmp_path: Path) -> None:
    """It says how much it compared, and leaves nothing behind."""
    fill(store, "new", "q")
    before = files_below(tmp_path)
    counts = drill(backend=store.backend)
    assert counts["profiles"] == len(store.list_profiles())
    assert files_below(tmp_path) == before
    copy = store.backup(tmp_path / "copies" / "copy")
    before = files_below(tmp_path)
    assert counts == drill(copy)
    assert files_below(tmp_path) == before


@pytest.mark.parametrize("keep", [1, 3])
def test_the_newest_backups_are_kept(store: Store, tmp_path: Path, keep: int) -> None:
    """They are named after the time, and other files stay."""
    folder = tmp_path / "backups"
    folder.mkdir()
    (folder / "mine.db").touch()
    made = []
    for number in range(5):
        store.set_app_state("number", str(number))
        store.clock.now += timedelta(seconds=1)
        made.append(store.backup(folder, keep=keep))
        left = made[-keep:]
        assert set(folder.iterdir()) == {folder / "mine.db", *left, *map(checksums_path, left)}
    with open_copy(made[-1], store.clock) as opened:
        assert opened.get_app_state("number") == "4"
    assert made == sorted(made)


@pytest.mark.parametrize("has_checksums", [False, True])
def test_what_only_has_the_name_of_an_old_backup_stays(
    store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture, *, has_checksums: bool
) -> None:
    """A warning names what has the name that a backup of this store would have."""
    store.set_app_state("k", "v")
    folder = tmp_path / "backups"
    suffixes = ["", ".db", ".dump"]
    strangers = [folder / f"burndown-20010101T000000.000000Z{suffix}" for suffix in suffixes]
    strangers[0].mkdir(parents=True)
    for path in (strangers[0] / "notes.json", *strangers[1:]):
        path.write_text("mine")
    if has_checksums:
        for path in strangers:
            checksums_path(path).write_text(f"{'0' * 64}  {path.name}\n")
    before = files_below(folder)
    new = store.backup(folder, keep=1)
    assert files_below(folder).items() >= before.items()
    same_suffix = folder / f"burndown-20010101T000000.000000Z{new.name.partition('Z')[2]}"
    assert [path for path in strangers if f"{path} stays" in caplog.text] == [same_suffix]


def test_an_old_backup_that_was_changed_stays(
    store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Others are deleted as before."""
    made = []
    for number in range(4):
        store.set_app_state("number", str(number))
        store.clock.now += timedelta(seconds=1)
        made.append(store.backup(tmp_path, keep=4))
    changed, old, *kept = made
    with open_copy(changed, store.clock) as opened:
        opened.set_app_state("number", "mine")
    store.clock.now += timedelta(seconds=1)
    kept.append(store.backup(tmp_path, keep=3))
    assert changed.exists()
    assert f"{changed} stays" in caplog.text
    assert not old.exists()
    assert all(path.exists() for path in kept)


def test_a_newer_backup_of_another_process_is_kept(store: Store, tmp_path: Path) -> None:
    """Of two that rotate at the same time, each would delete that of the other one."""
    store.set_app_state("k", "v")
    newer = store.backup(tmp_path / "backups", keep=1)
    store.clock.now -= timedelta(seconds=1)
    assert store.backup(tmp_path / "backups", keep=1).exists()
    assert newer.exists()


def test_at_least_one_backup_is_kept(store: Store, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least 1, got 0"):
        store.backup(tmp_path / "backups", keep=0)
    assert not files_below(tmp_path)


def test_a_failed_backup_deletes_no_earlier_one(
    store: Store, another_store: Store, tmp_path: Path
) -> None:
    folder = tmp_path / "backups"
    store.backup(folder, keep=1)
    before = files_below(folder)
    with pytest.raises(StorageError):
        another_store.backup(folder, keep=1)
    assert files_below(folder) == before
