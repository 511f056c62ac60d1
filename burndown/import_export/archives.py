"""One ``.zip`` file in place of a folder, read with caps, since it may come from anywhere."""

import json
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

__all__ = ["Archive", "ArchiveWriter", "is_archive_name"]

_MB = 1024**2
MAX_ENTRIES = 10_000
MAX_FILE_BYTES = 100 * _MB
"""Of a file in ASCII; Python takes as much for each character of a text as for its widest one."""
MAX_BYTES = 512 * _MB
"""Of all files together, unpacked."""
MAX_VALUES = 3_000_000
"""In one file; those of some 20,000 issues. The smallest ones take a hundred times their text."""
MAX_RATIO = 200
"""Of unpacked to packed bytes, for what unpacks to more than a megabyte."""
_WIDTHS = {
    4: re.compile(rb"[\xf0-\xff]|\\u[dD][89abAB]"),
    2: re.compile(rb"[\xc4-\xef]|\\u(?!00)"),
}
"""What stands in UTF-8 for a character that takes so many bytes in memory."""
_ENTRY = b"PK\x01\x02"
_UTF_8 = 0x800
"""The flag of an entry whose name is UTF-8."""
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
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
    """Whether an export to this path is to be one file."""
    return path.suffix.lower() == ".zip"


class ArchiveWriter:
    """Writes the files of an export into one, which only its owner can read."""

    def __init__(self, path: Path) -> None:
        self._file = os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600), "w+b")
        self._zip = zipfile.ZipFile(self._file, "w", zipfile.ZIP_DEFLATED)

    def write(self, name: str, data: bytes) -> None:
        """Add a file.

        Raises:
            ImportExportError: it is more than can be read again.
        """
        with _advised():
            _check_memory(name, data)
        entry = zipfile.ZipInfo(name)  # without the time, so that equal exports are equal files
        entry.external_attr = 0o600 << 16
        self._zip.writestr(entry, data, zipfile.ZIP_DEFLATED)

    def close(self) -> None:
        """Write the end.

        Raises:
            ImportExportError: it is more than can be read again.
        """
        with self._file:
            self._zip.close()
        with _advised():
            _check_caps(self._zip.infolist())


class Archive:
    """Reads an export that is one file; nothing is unpacked to the disk.

    Names are read as other programs write them: with backslashes, as UTF-8 without the flag that
    says so, with a folder around all of them, beside files of the system.

    Raises:
        ImportExportError: it is no such file, is damaged, or has more, larger or more tightly
            packed files than an export can have.
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
        """The files in it."""
        return sorted(self._entries)

    def read(self, name: str) -> bytes:
        """What is in a file.

        Raises:
            ImportExportError: it is damaged, or takes too much memory.
        """
        entry = self._entries[name]
        with _explained(), self._zip.open(entry) as file:
            data = file.read(entry.file_size)  # without a number, more than that is unpacked
            if len(data) < entry.file_size:
                raise EOFError("it is shorter than it claims")
        _check_memory(name, data)
        return data

    def close(self) -> None:
        """Let go of the file."""
        self._zip.close()


def _checked(entries: list[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
    _check_caps(entries)
    files: dict[str, zipfile.ZipInfo] = {}
    for entry in entries:
        name = _name_of(entry)
        if name.endswith("/"):
            continue
        if _leads_out(name):
            raise ImportExportError(f"{entry.filename!r} is no name of a file below it")
        if is_system_file(name):
            continue
        name = "/".join(part for part in name.split("/") if part not in ("", "."))
        if name in files:
            raise ImportExportError(f"{name!r} is in it twice")
        if entry.compress_type not in _METHODS:
            raise ImportExportError(f"{name!r} is packed in a way that is not read")
        files[name] = entry
    return files


def _name_of(entry: zipfile.ZipInfo) -> str:
    """Return the name with slashes, read as UTF-8 if it can be."""
    name = entry.filename
    if not entry.flag_bits & _UTF_8:
        with suppress(UnicodeError):
            name = name.encode("cp437").decode()  # as zipfile decoded it
    return name.replace("\\", "/")


def _at_top(files: dict[str, zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
    """Return the files by name, without the folders that people pack around them."""
    manifests = [name for name in files if fold(name).rpartition("/")[2] == MANIFEST]
    depth = min((name.count("/") for name in manifests), default=0)  # a query may have its name
    tops = [name[: -len(MANIFEST)] for name in manifests if name.count("/") == depth]
    top = tops[0] if len(tops) == 1 else ""
    return {name.removeprefix(top): entry for name, entry in files.items()}


def _leads_out(name: str) -> bool:
    return re.match(r"/|[A-Za-z]:", name) is not None or ".." in name.split("/")


def _check_caps(entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > MAX_ENTRIES:
        raise ImportExportError(f"it has more than {MAX_ENTRIES:,} files")
    for entry in entries:
        if entry.file_size > MAX_FILE_BYTES:
            raise ImportExportError(
                f"{entry.filename!r} has more than {MAX_FILE_BYTES // _MB} MB unpacked"
            )
        if entry.file_size > max(_MB, MAX_RATIO * entry.compress_size):
            raise ImportExportError(
                f"{entry.filename!r} unpacks to more than {MAX_RATIO} times its size"
            )
    if sum(entry.file_size for entry in entries) > MAX_BYTES:
        raise ImportExportError(f"it has more than {MAX_BYTES // _MB} MB unpacked")


def _check_memory(name: str, data: bytes) -> None:
    width = _width(data)
    limit = MAX_FILE_BYTES // width
    if width > 1 and len(data) > limit:
        raise ImportExportError(
            f"{name!r} has more than {limit // _MB} MB, and characters that take {width} bytes each"
        )
    if sum(map(data.count, (b"[", b"{", b","))) > MAX_VALUES:
        raise ImportExportError(f"{name!r} holds more than {MAX_VALUES:,} values")


def _width(data: bytes) -> int:
    """How many bytes of memory a character of its texts can take."""
    if len(data) <= MAX_FILE_BYTES // max(_WIDTHS):
        return 1
    if json.detect_encoding(data) not in ("utf-8", "utf-8-sig"):
        return max(_WIDTHS)
    return next((width for width, wide in _WIDTHS.items() if wide.search(data)), 1)


def _check_number_of_entries(path: Path) -> None:
    """Count them before they are all read into memory."""
    found = 0
    with path.open("rb") as file:
        while chunk := file.read(_MB):
            found += chunk.count(_ENTRY)
            if found > MAX_ENTRIES:
                raise ImportExportError(f"it has more than {MAX_ENTRIES:,} files")


@contextmanager
def _advised() -> Iterator[None]:
    """What cannot be one file can be a folder."""
    try:
        yield
    except ImportExportError as error:
        raise ImportExportError(f"{error}; export to a folder instead") from None


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except _DAMAGES as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise ImportExportError(f"it cannot be unpacked: {reason or error}") from None
