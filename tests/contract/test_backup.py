"""A store can be backed up while it is in use, complete or not at all."""

import os
import shlex
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from burndown import StorageError
from burndown.persistence import open_backend
from tests.contract.test_records import everything_storable
from tests.support.backends import COPYING, open_copy
from tests.support.command_line import files_below
from tests.support.store import Document, Store, everything, fill, new_store


@pytest.fixture(scope="module", params=COPYING)
def shared(request: pytest.FixtureRequest) -> Iterator[Store]:
    """A storage of those that make backups themselves."""
    with new_store(request.param, request) as new:
        yield new


def held_by(copy: Path, store: Store) -> Any:
    with open_copy(copy, store.clock) as opened:
        assert opened.check_integrity() == (True, [])
        return everything(opened)


@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=everything_storable)
def test_a_backup_holds_the_same(
    shared: Store, tmp_path: Path, content: dict[Any, list[Document]]
) -> None:
    """Every value of every record, in a store of the same kind that is used as any other."""
    store = shared.empty()
    for model, documents in content.items():
        store.save_records(model, documents)
    copy = store.backup(tmp_path / "copy")
    assert held_by(copy, store) == store.everything()
    with open_copy(copy, store.clock) as opened:
        opened.save_profile({"id": "of the copy"})
    assert store.get_profile("of the copy") is None
    shutil.rmtree(copy) if copy.is_dir() else copy.unlink()


def test_a_backup_is_private_and_needs_nothing_beside_it(store: Store, tmp_path: Path) -> None:
    """It is one file or one folder, in folders that are made; its path is given back."""
    fill(store, "new", "q")
    target = tmp_path / "not" / "there" / "copy"
    assert store.backup(os.path.relpath(target)) == target
    assert list(target.parent.iterdir()) == [target]
    for path in (*target.parents[:2], target, *target.rglob("*")):
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), path
    assert not [path for path in target.rglob("*") if "lock" in path.name or "work" in path.name]


def test_a_backup_holds_what_is_committed(store: Store, tmp_path: Path) -> None:
    """Not what an open transaction has written, be it that of the caller or of another."""
    before = store.everything()
    with store.another() as other, other.transaction():
        other.save_profile({"id": "open"})
        assert held_by(store.backup(tmp_path / "beside"), store) == before
        assert held_by(other.backup(tmp_path / "within"), store) == before
    assert held_by(store.backup(tmp_path / "after"), store) == store.everything() != before


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


def test_a_backup_of_nothing_makes_nothing(another_store: Store, tmp_path: Path) -> None:
    """There is neither a copy nor a store afterwards."""
    with pytest.raises(StorageError, match="There is no"):
        another_store.backup(tmp_path / "new" / "copy")
    assert not another_store.exists()
    assert not files_below(tmp_path)


def test_a_server_names_its_own_program(tmp_path: Path) -> None:
    """With all that it needs but the password."""
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
