"""The memory limit for the strings of an archive, whatever characters they have."""

import random
import string
from pathlib import Path

import pytest

from burndown import ImportExportError, SQLiteBackend, set_backend
from burndown.import_export import export_profile, import_profile, limits
from burndown.import_export.archives import Archive, ArchiveWriter

MB = 1024**2
BLOCK = "".join(random.Random(1).choices(string.ascii_letters, k=MB))


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_FILE_BYTES", 4 * MB)


def archive(path: Path, data: bytes) -> Path:
    path.unlink(missing_ok=True)
    writer = ArchiveWriter(path)
    writer._zip.writestr("file", data)
    writer.close()
    return path


@pytest.mark.parametrize(
    ("character", "megabytes"),
    [("a", 4), ("\xe9", 4), ("€", 2), ("\\u20ac", 2), ("🚀", 1), ("\\uD83D", 1)],
)
def test_wide_characters_are_accepted_in_smaller_files_only(
    character: str, megabytes: int, tmp_path: Path
) -> None:
    end = character.encode()
    largest = BLOCK.encode() * megabytes
    fitting = archive(tmp_path / "fits.zip", largest[: -len(end)] + end)
    assert len(Archive(fitting).read("file")) == megabytes * MB
    with pytest.raises(ImportExportError, match=f"more than {megabytes} MB"):
        Archive(archive(tmp_path / "large.zip", largest + end)).read("file")


def test_an_archive_that_could_not_be_read_is_not_written(
    backend: SQLiteBackend, tmp_path: Path
) -> None:
    set_backend(backend)
    backend.save_profile({"id": "kafka"})
    backend.save_query("kafka", {"id": "12w"})
    backend.save_project_data("kafka", "12w", {"text": f"{BLOCK}🚀"})
    with pytest.raises(ImportExportError, match=r"more than 1 MB.*export to a folder instead"):
        export_profile("kafka", tmp_path / "kafka.zip")
    assert not (tmp_path / "kafka.zip").exists()
    folder = export_profile("kafka", tmp_path / "kafka")
    assert import_profile(folder, "Again") == "again"
