"""An export in one ``.zip`` file, read with limits, since its origin may be unknown.

Nothing is unpacked to the disk.
"""

import os
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from burndown.errors import ImportExportError
from burndown.import_export.file_names import fold, is_system_file
from burndown.import_export.layout import MANIFEST
from burndown.import_export.limits import check_content, check_size

__all__ = ["Archive", "ArchiveWriter", "is_archive_name"]

_MB = 1024**2
MAX_ENTRIES = 10_000
"""The largest number of files; a profile with 100 queries has about 400."""
MAX_BYTES = 512 * _MB
"""The largest size of all files together, unpacked."""
MAX_RATIO = 200
"""The largest ratio of unpacked to packed bytes, for files of more than a megabyte unpacked."""
_ENTRY_SIGNATURE = b"PK\x01\x02"
_UTF_8_FLAG = 0x800
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_HEADER = re.compile("header .* differ", re.DOTALL)
"""What zipfile says of a name that a damaged header makes as long as the content after it."""
_DAMAGES = (
    zipfile.BadZipFile,
    zlib.error,
    NotImplementedError,
    RuntimeError,  # it is encrypted
    EOFError,
    OSError,
    ValueError,
)


def is_archive_name(path: Path) -> bool:
    """Return whether an export to this path is one file."""
    return path.suffix.lower() == ".zip"


class ArchiveWriter:
    """A writer of an export as one file, which only its owner can read.

    Args:
        path: where nothing is yet.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600), "w+b")
        self._zip = zipfile.ZipFile(self._file, "w", zipfile.ZIP_DEFLATED)

    def write(self, name: str, data: bytes) -> None:
        """Add a file.

        Raises:
            ImportExportError: it is larger than the caps.
        """
        with _suggesting_folder():
            check_content(name, data)
        # Without the current time, so that equal data make equal files.
        entry = zipfile.ZipInfo(name)
        entry.external_attr = 0o600 << 16
        self._zip.writestr(entry, data, zipfile.ZIP_DEFLATED)

    def close(self) -> None:
        """Write the directory of the archive, and close it.

        Raises:
            ImportExportError: all files together are larger than the caps.
        """
        with self._file:
            self._zip.close()
        with _suggesting_folder():
            _check_caps(self._zip.infolist())


class Archive:
    """An export that is one file; nothing is unpacked to the disk.

    Names are read as other programs write them: with backslashes, as UTF-8 without its flag, with a
    folder around all of them, next to files of the system.

    Args:
        path: the file.

    Raises:
        ImportExportError: it is not a ``.zip`` file, is damaged, or is larger than the caps.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with _explained():
            _check_number_of_entries(path)
            self._zip = zipfile.ZipFile(path)
            try:
                self._entries = _at_top(_checked(self._zip.infolist()))
            except BaseException:
                self._zip.close()
                raise

    def names(self) -> list[str]:
        """Return the names of the files in it."""
        return sorted(self._entries)

    def read(self, name: str) -> bytes:
        """Return the content of a file.

        Raises:
            ImportExportError: it is damaged, or takes too much memory.
        """
        entry = self._entries[name]
        with _explained(), self._zip.open(entry) as file:
            # Without a size, read() unpacks more than the archive declares.
            data = file.read(entry.file_size)
            if len(data) < entry.file_size:
                raise EOFError("it is shorter than the archive declares")
        check_content(name, data)
        return data

    def close(self) -> None:
        """Close the file."""
        self._zip.close()


def _checked(entries: list[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
    _check_caps(entries)
    files: dict[str, zipfile.ZipInfo] = {}
    for entry in entries:
        name = _name_of(entry)
        if name.endswith("/"):
            continue
        if _leads_out(name):
            raise ImportExportError(f"{entry.filename!r} is not the name of a file in the archive")
        if is_system_file(name):
            continue
        name = "/".join(part for part in name.split("/") if part not in ("", "."))
        if name in files:
            raise ImportExportError(f"{name!r} is in the archive twice")
        if entry.compress_type not in _METHODS:
            raise ImportExportError(f"{name!r} is packed with a method that is not supported")
        files[name] = entry
    return files


def _name_of(entry: zipfile.ZipInfo) -> str:
    """Return the name with slashes, decoded as UTF-8 if that is possible."""
    name = entry.filename
    if not entry.flag_bits & _UTF_8_FLAG:
        with suppress(UnicodeError):
            name = name.encode("cp437").decode()  # as zipfile decoded it
    return name.replace("\\", "/")


def _at_top(files: dict[str, zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
    """Return the files by name, without the folders that people pack around them."""
    manifests = [name for name in files if fold(name).rpartition("/")[2] == MANIFEST]
    # The outermost one, since the file of a query may have the same name.
    depth = min((name.count("/") for name in manifests), default=0)
    tops = [name[: -len(MANIFEST)] for name in manifests if name.count("/") == depth]
    top = tops[0] if len(tops) == 1 else ""
    return {name.removeprefix(top): entry for name, entry in files.items()}


def _leads_out(name: str) -> bool:
    return re.match(r"/|[A-Za-z]:", name) is not None or ".." in name.split("/")


def _check_caps(entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > MAX_ENTRIES:
        raise ImportExportError(f"it has more than {MAX_ENTRIES:,} files")
    for entry in entries:
        check_size(entry.filename, entry.file_size)
        if entry.file_size > max(_MB, MAX_RATIO * entry.compress_size):
            raise ImportExportError(
                f"{entry.filename!r} unpacks to more than {MAX_RATIO} times its size"
            )
    if sum(entry.file_size for entry in entries) > MAX_BYTES:
        raise ImportExportError(f"it has more than {MAX_BYTES // _MB} MB unpacked")


def _check_number_of_entries(path: Path) -> None:
    """Refuse too many entries before zipfile reads all of them into memory."""
    found = 0
    with path.open("rb") as file:
        while chunk := file.read(_MB):
            found += chunk.count(_ENTRY_SIGNATURE)
            if found > MAX_ENTRIES:
                raise ImportExportError(f"it has more than {MAX_ENTRIES:,} files")


@contextmanager
def _suggesting_folder() -> Iterator[None]:
    """Add to an error that an export to a folder has no caps."""
    try:
        yield
    except ImportExportError as error:
        raise ImportExportError(f"{error}; export to a folder instead") from None


@contextmanager
def _explained() -> Iterator[None]:
    """Turn the errors of a damaged archive into one that gives the reason."""
    try:
        yield
    except _DAMAGES as error:
        reason = error.strerror if isinstance(error, OSError) else None
        described = reason or _HEADER.sub("header differ", str(error))
        raise ImportExportError(f"it cannot be unpacked: {described}") from None
