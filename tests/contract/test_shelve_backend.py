"""The example of a backend passes the contract, with its own test, and is safe from kills."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from burndown import DatabaseCorruptionError, StorageError
from burndown.testing.contract import OpenBackend, SecretContract
from examples.backend.shelve_backend import ShelveBackend
from examples.backend.test_shelve_backend import TestShelveBackend, open_backend
from tests.support.backends import sealing

__all__ = ["TestShelveBackend", "open_backend"]


class TestSealed(SecretContract):
    """It passes with a key as well."""

    @pytest.fixture(scope="class")
    @staticmethod
    def open_backend(open_backend: OpenBackend) -> Iterator[OpenBackend]:
        """Seal the secrets that are saved."""
        with sealing():
            yield open_backend

    def test_a_token_is_not_in_the_files(self, tmp_path: Path) -> None:
        """It is sealed by the defaults of the interface."""
        store = ShelveBackend(tmp_path / "store")
        store.save_profile({"id": "kafka", "jira_config": {"token": "canary"}})
        assert all(b"canary" not in path.read_bytes() for path in store.folder.iterdir())
        found: Any = store.get_profile("kafka")
        assert found["jira_config"]["token"] == "canary"


ROOT = Path(__file__).parent.parent.parent
KILLED = """
import os, signal, sys
from pathlib import Path
from examples.backend.shelve_backend import ShelveBackend

def kill(*_):
    os.kill(os.getpid(), signal.SIGKILL)

store = ShelveBackend(Path(sys.argv[1]))
with store.transaction():
    store.save_profile({"id": "kafka", "name": "new"})
    if sys.argv[2] == "in the block":
        kill()
    Path.replace = kill
"""


@pytest.mark.parametrize("when", ["in the block", "in the commit"])
def test_a_transaction_that_is_killed_has_changed_nothing(tmp_path: Path, when: str) -> None:
    """The next process can write, and leaves no other files than before."""
    store = ShelveBackend(tmp_path / "store")
    store.save_profile({"id": "kafka", "name": "old"})
    files = len(list(store.folder.glob("shelf-*")))
    command = [sys.executable, "-c", KILLED, store.folder, when]
    killed = subprocess.run(command, cwd=ROOT, check=False)
    assert killed.returncode < 0
    assert [each["name"] for each in store.list_profiles()] == ["old"]
    store.set_app_state("key", "value")
    assert len(list(store.folder.glob("shelf-*"))) == files


def test_a_backup_can_be_restored(tmp_path: Path) -> None:
    """What was there before is kept next to the store."""
    store = ShelveBackend(tmp_path / "store")
    store.save_profile({"id": "old"})
    backup = store.backup(tmp_path / "backup")
    store.save_profile({"id": "new"})
    kept = store.restore(backup)
    assert [each["id"] for each in store.list_profiles()] == ["old"]
    assert kept is not None
    assert {each["id"] for each in ShelveBackend(kept).list_profiles()} == {"old", "new"}
    with store.transaction(), pytest.raises(StorageError, match="within a transaction"):
        store.restore(backup)
    with pytest.raises(StorageError, match="no backup"):
        store.restore(tmp_path / "nothing")


def test_damage_is_reported(tmp_path: Path) -> None:
    """It is that of each entity, since all are in one file."""
    store = ShelveBackend(tmp_path / "store")
    store.save_profile({"id": "kafka"})
    assert store.check_integrity() == (True, [])
    for path in store.folder.glob("shelf-*"):
        path.write_bytes(b"damaged")
    is_intact, problems = store.check_integrity()
    assert not is_intact
    assert "damaged" in problems[0]
    with pytest.raises(DatabaseCorruptionError):
        store.list_profiles()
