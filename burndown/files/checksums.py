"""The checksums of a copy, in a file next to it, which ``sha256sum --check`` reads as well."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from burndown.files.reading import open_below

__all__ = ["changed_files", "checksums_of", "checksums_path"]

_BLOCK = 2**20


def checksums_path(copy: Path) -> Path:
    """Return the path of the file with the checksums of a copy."""
    return copy.with_name(f"{copy.name}.sha256")


def checksums_of(copy: Path) -> bytes:
    """Return the checksums of a file, or of all files in a folder, in the format of ``sha256sum``.

    Raises:
        OSError: a file cannot be read.
    """
    return "".join(f"{line}\n" for line in _lines(copy)).encode("utf-8", "replace")


def changed_files(copy: Path) -> list[str]:
    """Return the names of the files that differ from their checksums, are missing or new.

    There are none if the copy has no checksums. It may have been renamed together with them.

    Raises:
        OSError: a file cannot be read.
    """
    try:
        expected = checksums_path(copy).read_text("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return []
    changed = set(map(_below_copy, expected)).symmetric_difference(map(_below_copy, _lines(copy)))
    return sorted({name for _, name in changed})


def _below_copy(line: str) -> tuple[str, str]:
    """Return a checksum and the name of its file without that of the copy."""
    checksum, _, name = line.partition("  ")
    return checksum.removeprefix("\\"), name.partition("/")[2]


def _lines(copy: Path) -> Iterator[str]:
    files = sorted(copy.rglob("*")) if copy.is_dir() else [copy]
    for path in files:
        if not path.is_dir():
            checksum = hashlib.sha256()
            with open_below(copy.parent, path) as file:
                while block := file.read(_BLOCK):
                    checksum.update(block)
            name = path.relative_to(copy.parent).as_posix()
            # As `sha256sum` writes a name with a line break.
            escaped = name.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
            yield f"{chr(92) if escaped != name else ''}{checksum.hexdigest()}  {escaped}"
