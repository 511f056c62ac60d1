"""Files opened below a folder, without following links."""

import os
from pathlib import Path

import pytest

from burndown.files import reading
from burndown.files.reading import read_below


@pytest.fixture(params=[True, False], ids=["each part", "compared"])
def root(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a file, read in both ways that systems allow."""
    if request.param and not reading._HAS_DIR_FD:
        pytest.skip("the system cannot open relative to a folder")
    monkeypatch.setattr(reading, "_HAS_DIR_FD", request.param)
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    (root / "sub/file").write_bytes(b"data")
    return root


def test_a_file_is_read(root: Path) -> None:
    assert read_below(root, root / "sub/file") == b"data"


def test_a_link_above_the_root_is_followed(root: Path) -> None:
    link = root.parent / "link"
    link.symlink_to(root)
    assert read_below(link, link / "sub/file") == b"data"


def test_a_link_in_place_of_the_file_is_refused(root: Path) -> None:
    (root / "link").symlink_to(root / "sub/file")
    with pytest.raises(OSError, match="links are not followed"):
        read_below(root, root / "link")


def test_a_link_in_place_of_a_folder_is_refused(root: Path) -> None:
    if not reading._HAS_DIR_FD:
        pytest.skip("only the file itself is compared")
    (root / "link").symlink_to(root / "sub")
    with pytest.raises(OSError, match="links are not followed"):
        read_below(root, root / "link/file")


def test_a_missing_file_is_an_error_that_names_it(root: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        read_below(root, root / "missing")
    assert caught.value.filename == str(root / "missing")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_refused_without_waiting_for_a_writer(root: Path) -> None:
    if not reading._HAS_DIR_FD:
        pytest.skip("only Windows opens so, and has no named pipes in folders")
    os.mkfifo(root / "pipe")
    with pytest.raises(OSError, match="not a regular file"):
        read_below(root, root / "pipe")
