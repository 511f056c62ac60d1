"""A folder whose files change atomically, whatever they hold."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from burndown.errors import StorageError
from burndown.files import transaction
from burndown.files.transaction import TransactionalFolder, is_temporary_folder


def contents(folder: Path) -> dict[str, str]:
    """The content of each file by its path, without locks."""
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix != ".lock"
    }


def is_text(name: str) -> bool:
    return name.endswith(".txt")


@pytest.fixture
def folder(tmp_path: Path) -> TransactionalFolder:
    """A folder with three files, one of which takes no part in transactions."""
    root = tmp_path / "folder"
    (root / "sub").mkdir(parents=True)
    (root / "a.txt").write_text("a")
    (root / "sub/b.txt").write_text("b")
    (root / "data.db").write_text("db")
    return TransactionalFolder(root, "changes", is_text, lock_timeout=10)


BEFORE = {"a.txt": "a", "data.db": "db", "sub/b.txt": "b"}


def change(folder: TransactionalFolder) -> None:
    with folder.writing() as changes:
        changes.write(changes.root / "new/c.txt", b"c")
        changes.write(changes.root / "a.txt", b"again")
        changes.remove(changes.root / "sub")


def change_and_fail(folder: TransactionalFolder) -> None:
    with folder.transaction():
        change(folder)
        raise ZeroDivisionError


AFTER = {"a.txt": "again", "data.db": "db", "new/c.txt": "c"}


def test_a_call_changes_several_files(folder: TransactionalFolder) -> None:
    change(folder)
    assert contents(folder.path) == AFTER


def test_files_change_at_the_end_of_a_transaction(folder: TransactionalFolder) -> None:
    """It reads its own changes; others read what is committed."""
    with folder.transaction():
        change(folder)
        with folder.reading() as root:
            assert contents(root) == {"a.txt": "again", "new/c.txt": "c"}
        with folder.committed() as root:
            assert (root / "a.txt").read_text() == "a"
        assert (folder.path / "sub/b.txt").exists()
    assert contents(folder.path) == AFTER


def test_an_error_undoes_a_transaction(folder: TransactionalFolder) -> None:
    with pytest.raises(ZeroDivisionError):
        change_and_fail(folder)
    assert contents(folder.path) == BEFORE


def test_an_error_undoes_the_inner_transaction_only(folder: TransactionalFolder) -> None:
    with folder.transaction():
        with folder.writing() as changes:
            changes.write(changes.root / "d.txt", b"d")
        with pytest.raises(ZeroDivisionError):
            change_and_fail(folder)
    assert contents(folder.path) == {**BEFORE, "d.txt": "d"}


def refuse_copies(*_: object, **__: object) -> None:
    raise OSError("no copy")


def test_a_transaction_with_one_change_makes_no_copy(
    folder: TransactionalFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither does one within another: the change is staged until something reads it."""
    monkeypatch.setattr(transaction, "link_tree", refuse_copies)
    with folder.transaction():
        with folder.transaction(), folder.reading():
            pass
        with folder.transaction():
            change(folder)
    assert contents(folder.path) == AFTER


def test_a_transaction_goes_on_after_a_copy_that_failed(folder: TransactionalFolder) -> None:
    """The change before it is kept, and can be read as soon as there is space again."""
    with folder.transaction():
        change(folder)
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(transaction, "link_tree", refuse_copies)
            with pytest.raises(StorageError), folder.reading():
                pass
        with folder.reading() as root:
            assert contents(root) == {"a.txt": "again", "new/c.txt": "c"}
    assert contents(folder.path) == AFTER


def test_a_file_that_takes_no_part_keeps_its_inode(folder: TransactionalFolder) -> None:
    """A database that is open must not be replaced, nor get a second name."""
    before = (folder.path / "data.db").stat()
    with folder.transaction():
        change(folder)
        assert (folder.path / "data.db").stat().st_nlink == 1
    assert (folder.path / "data.db").stat().st_ino == before.st_ino


def write_onto_a_folder(root: Path) -> Path:
    return root / "sub"


def write_below_a_file(root: Path) -> Path:
    return root / "a.txt/c.txt"


def write_below_a_link(root: Path) -> Path:
    (root / "link").symlink_to(root.parent)
    return root / "link/c.txt"


@pytest.mark.parametrize("path", [write_onto_a_folder, write_below_a_file, write_below_a_link])
def test_an_impossible_change_makes_none(
    folder: TransactionalFolder, path: Callable[[Path], Path]
) -> None:
    def write(refused: Path) -> None:
        with folder.writing() as changes:
            changes.write(changes.root / "a.txt", b"again")
            changes.write(refused, b"c")

    with pytest.raises(StorageError):
        write(path(folder.path))
    assert contents(folder.path) == BEFORE
    assert not (folder.path.parent / "c.txt").exists()


def test_a_folder_opened_to_be_read_stays_as_it_is(folder: TransactionalFolder) -> None:
    """Not even a lock is made."""
    reader = TransactionalFolder(folder.path, "changes", is_text, lock_timeout=10, read_only=True)
    with reader.reading() as root:
        assert contents(root) == BEFORE
    with pytest.raises(StorageError, match="opened to be read"), reader.writing():
        pass
    assert {path.name for path in folder.path.iterdir()} == {"a.txt", "sub", "data.db"}


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_what_is_written_is_private(folder: TransactionalFolder) -> None:
    change(folder)
    assert (folder.path / "a.txt").stat().st_mode & 0o777 == 0o600
    assert (folder.path / "new").stat().st_mode & 0o777 == 0o700


def test_only_locks_remain(folder: TransactionalFolder) -> None:
    change(folder)
    left = {path.name for path in folder.path.iterdir()} - {"a.txt", "new", "data.db"}
    assert left == {"changes.lock", "changes.writing.lock"}
    assert not any(map(is_temporary_folder, left))
    assert (folder.path / "a.txt").stat().st_mode & 0o777 == (
        0o600 if os.name == "posix" else 0o666
    )
