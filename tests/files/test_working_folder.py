"""Private folders for temporary files, which the next process removes after a kill."""

import os
import tempfile
from pathlib import Path

import pytest

from burndown import StorageError
from burndown.files.working_folder import scratch_folder

needs_users = pytest.mark.skipif(not hasattr(os, "getuid"), reason="this system has no user ids")


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Use a folder of the test for temporary files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_a_scratch_folder_is_private_and_removed(temporary: Path) -> None:
    """Several can be in use, and the last one leaves nothing behind."""
    with scratch_folder() as one, scratch_folder() as other:
        assert one != other
        for folder in (one, one.parent):
            assert folder.stat().st_mode & 0o777 == 0o700
        (one / "file").touch()
    assert not list(temporary.iterdir())


def test_what_a_killed_process_left_is_removed(temporary: Path) -> None:
    """With the files that it was writing, which may hold a token."""
    with scratch_folder() as folder:
        parent = folder.parent
    left = parent / ".burndown-0123abcd.unfinished"
    left.mkdir(parents=True)
    parent.chmod(0o700)
    (left / "burndown.db").write_text("token")
    with scratch_folder():
        assert not left.exists()
    assert not list(temporary.iterdir())


@needs_users
@pytest.mark.parametrize("kind", ["link", "open to all"])
def test_a_folder_of_others_is_refused(temporary: Path, kind: str) -> None:
    """Another user could read what is written there, or choose where it is written."""
    parent = temporary / f"burndown-{os.getuid()}"
    if kind == "link":
        (temporary / "elsewhere").mkdir(mode=0o700)
        parent.symlink_to("elsewhere")
    else:
        parent.mkdir()
        parent.chmod(0o777)
    with pytest.raises(StorageError, match=str(parent)), scratch_folder():
        pass
