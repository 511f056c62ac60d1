"""An archive may come from anywhere: faults are reported, and nothing is unpacked."""

import io
import json
import random
import struct
import tracemalloc
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from burndown import ImportExportError, SQLiteBackend
from burndown.import_export import archives, export_profile, import_profile, limits, read_manifest
from tests.import_export.exports import CANARY, Files, files_of, refused, tree, whole

MB = 1024**2
LOCAL, CENTRAL, END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
FLAGS = {LOCAL: 6, CENTRAL: 8}
METHOD, CHECKSUM, PACKED_SIZE, SIZE = 10, 16, 20, 24
"""Its offset in an entry of the directory."""

Pack = Callable[[Files], bytes]


@pytest.fixture
def files(kafka: SQLiteBackend) -> Files:
    """Return the files of an export, the profile last."""
    found = files_of(export_profile("kafka", "original"))
    profile = found.pop("profile.json")
    return {**found, "profile.json": profile}


def packed(
    files: Files, *more: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED
) -> bytes:
    """Return an archive of the files, followed by more entries."""
    file = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(file, "w", method) as archive:
        warnings.simplefilter("ignore")  # that a name is there twice
        for name, data in (*files.items(), *more):
            archive.writestr(name, data, method)
    return file.getvalue()


def with_entry(name: str, data: bytes = b"{}") -> Pack:
    return lambda files: packed(files, (name, data))


def with_profile(data: bytes) -> Pack:
    return lambda files: packed({**files, "profile.json": data})


def with_field(offset: int, form: str, value: int) -> Pack:
    """Return an archive with another value in the directory's entry of the profile."""

    def pack(files: Files) -> bytes:
        data = bytearray(packed(files))
        struct.pack_into(form, data, data.rindex(CENTRAL) + offset, value)
        return bytes(data)

    return pack


def encrypted(files: Files) -> bytes:
    data = bytearray(packed(files))
    for mark, offset in FLAGS.items():
        data[data.rindex(mark) + offset] |= 1
    return bytes(data)


def link(files: Files) -> bytes:
    entry = zipfile.ZipInfo("profile.json")
    entry.create_system = 3
    entry.external_attr = 0o120777 << 16
    rest = {name: data for name, data in files.items() if name != entry.filename}
    return packed(rest, (entry, b"/etc/passwd"))


def huge_in_64_bits(files: Files) -> bytes:
    """Return an archive with sizes of four exabytes, in the extra field for such sizes."""
    data = packed(files)
    at, end = data.rindex(CENTRAL), data.rindex(END)
    entry, name = bytearray(data[at : at + 46]), data[at + 46 : end]
    extra = struct.pack("<HHQQ", 1, 16, 2**62, 2**62)
    struct.pack_into("<LL", entry, PACKED_SIZE, 2**32 - 1, 2**32 - 1)
    struct.pack_into("<H", entry, 30, len(extra))
    tail = bytearray(data[end:])
    (length,) = struct.unpack_from("<L", tail, 12)
    struct.pack_into("<L", tail, 12, length + len(extra))
    return data[:at] + bytes(entry) + name + extra + bytes(tail)


def damaged_data(files: Files) -> bytes:
    data = bytearray(packed(files, method=zipfile.ZIP_STORED))
    data[data.index(files["profile.json"]) + 5] ^= 1
    return bytes(data)


HOSTILE: dict[str, tuple[Pack, str]] = {
    "nothing": (lambda files: b"", "not a zip file"),
    "JSON text": (lambda files: b'{"format": "burndown export"}', "no exchange file"),
    "noise": (lambda files: random.Random(0).randbytes(10_000), "not a zip file"),
    "cut off": (lambda files: packed(files)[:-30], "cannot be unpacked"),
    "half of it": (lambda files: packed(files)[: len(packed(files)) // 2], "not a zip file"),
    "its second half": (lambda files: packed(files)[300:], "cannot be unpacked"),
    "only an end": (lambda files: packed({}), "manifest.json: missing"),
    "an archive within": (lambda files: packed({"export.zip": packed(files)}), "manifest.json"),
    "a way up": (with_entry("../evil.json"), "'../evil.json'"),
    "a way up from within": (with_entry("queries/../../evil.json"), "'queries/../../evil.json'"),
    "a way up and back": (with_entry("queries/../evil.json"), "'queries/../evil.json'"),
    "a whole path": (with_entry("/tmp/evil.json"), "'/tmp/evil.json'"),
    "a way up on Windows": (with_entry("..\\evil.json"), "evil.json'"),
    "a way up on Windows from within": (with_entry("queries\\..\\..\\evil.json"), "evil.json'"),
    "a way up of both kinds": (with_entry("queries/..\\../evil.json"), "evil.json'"),
    "a way up in a folder around": (
        lambda files: packed(
            {f"kafka\\{name}": data for name, data in files.items()},
            ("kafka\\..\\..\\evil.json", b"{}"),
        ),
        "evil.json'",
    ),
    "a whole path on Windows": (with_entry("C:\\evil.json"), "evil.json'"),
    "a way up of a file of the system": (with_entry("../._evil.json"), "'../._evil.json'"),
    "a path from the root on Windows": (with_entry("\\evil.json"), "evil.json'"),
    "a path to a server": (with_entry("\\\\server\\share\\evil.json"), "evil.json'"),
    "a path on another drive": (with_entry("d:evil.json"), "'d:evil.json'"),
    "a device path": (with_entry("\\\\?\\C:\\evil.json"), "evil.json'"),
    "a file twice with backslashes": (
        with_entry("queries\\12w.json"),
        "'queries/12w.json' is in the archive twice",
    ),
    "a file twice with a dot": (
        with_entry("./profile.json"),
        "'profile.json' is in the archive twice",
    ),
    "a query above": (with_entry("queries/...json"), "queries/...json"),
    "a hidden query": (with_entry("queries/.evil.json"), "queries/.evil.json"),
    "a name of 60,000 letters": (
        with_entry(f"queries/{'a' * 60_000}.json"),
        "not a valid id of a query",
    ),
    "a file twice": (with_entry("profile.json"), "'profile.json' is in the archive twice"),
    "a file twice for some": (
        with_entry("profile.json\0.txt"),
        "'profile.json' is in the archive twice",
    ),
    "a file that is encrypted": (encrypted, "profile.json: it cannot be unpacked: "),
    "a link": (link, "profile.json: not valid JSON"),
    "a wrong checksum": (with_field(CHECKSUM, "<L", 1), "profile.json: it cannot be unpacked: "),
    "other data": (damaged_data, "profile.json: it cannot be unpacked: "),
    "a smaller size": (with_field(SIZE, "<L", 10), "profile.json: it cannot be unpacked: "),
    "a larger size": (with_field(SIZE, "<L", 100_000), "profile.json: it cannot be unpacked: "),
    "less data": (with_field(PACKED_SIZE, "<L", 20), "profile.json: it cannot be unpacked: "),
    "bzip2": (
        lambda files: packed(files, method=zipfile.ZIP_BZIP2),
        "with a method that is not supported",
    ),
    "lzma": (
        lambda files: packed(files, method=zipfile.ZIP_LZMA),
        "with a method that is not supported",
    ),
    "an unknown method": (with_field(METHOD, "<H", 99), "'profile.json' is packed with a method"),
    "an unknown version": (with_field(6, "<H", 0xFF), "cannot be unpacked: "),
    "data elsewhere": (with_field(42, "<L", 1), "profile.json: it cannot be unpacked: "),
    "data beyond": (with_field(42, "<L", 2**31), "it cannot be unpacked: "),
}


@pytest.mark.parametrize(("pack", "told"), HOSTILE.values(), ids=HOSTILE)
def test_an_archive_with_a_fault_imports_nothing(
    kafka: SQLiteBackend, folder: Path, files: Files, pack: Pack, told: str
) -> None:
    """The error names the archive and the fault, and no file is written anywhere."""
    path = folder / "within" / "export.zip"
    path.parent.mkdir()
    path.write_bytes(pack(files))
    before = tree(folder), tree(Path.cwd() / "original")
    error = refused(kafka, path, "New")
    assert isinstance(error, ImportExportError)
    assert str(path) in str(error)
    assert told in str(error)
    assert (tree(folder), tree(Path.cwd() / "original")) == before
    found = {each.name for each in (*Path.cwd().iterdir(), *Path.cwd().parent.iterdir())}
    assert "evil.json" not in found


def test_the_error_of_a_damaged_name_quotes_no_content(
    kafka: SQLiteBackend, folder: Path, files: Files
) -> None:
    """A header can declare a name that goes on into the content, with the token."""
    profile = json.dumps({"id": "p", "jira_config": {"token": CANARY}}).encode()
    data = bytearray(packed({**files, "profile.json": profile}, method=zipfile.ZIP_STORED))
    struct.pack_into("<H", data, data.rindex(LOCAL) + 26, len("profile.json") + len(profile))
    path = folder / "export.zip"
    path.write_bytes(data)
    error = refused(kafka, path, "New")
    assert "profile.json: it cannot be unpacked: File name in directory" in str(error)
    assert CANARY not in str(error)


CAPPED: dict[str, tuple[Pack, str]] = {
    "a bomb": (with_profile(b" " * 30 * MB), "'profile.json' unpacks to more than 200 times"),
    "a bomb beside": (
        with_entry("notes.txt", b" " * 30 * MB),
        "'notes.txt' unpacks to more than 200 times",
    ),
    "a huge size": (with_field(SIZE, "<L", 2**32 - 2), "'profile.json' has more than "),
    "a huge size in 64 bits": (huge_in_64_bits, "'profile.json' has more than "),
    "a crowd": (
        lambda files: packed({str(number): b"" for number in range(10_001)}),
        "it has more than 10,000 files",
    ),
}


@pytest.mark.parametrize(("pack", "told"), CAPPED.values(), ids=CAPPED)
def test_an_archive_that_would_fill_the_memory_is_refused_before_it_is_read(
    kafka: SQLiteBackend,
    folder: Path,
    files: Files,
    monkeypatch: pytest.MonkeyPatch,
    pack: Pack,
    told: str,
) -> None:
    """Whatever sizes it declares."""
    path = folder / "export.zip"
    path.write_bytes(pack(files))
    monkeypatch.setattr(zipfile.ZipFile, "open", None)
    for call in (import_profile, read_manifest):
        with pytest.raises(ImportExportError) as caught:
            call(path)
        assert str(caught.value).startswith(f"{path}: {told}")


def test_data_that_unpack_to_more_than_declared_fill_no_memory(
    kafka: SQLiteBackend, folder: Path, files: Files
) -> None:
    """Only as much is unpacked as was declared."""
    path = folder / "export.zip"
    data = bytearray(packed({**files, "profile.json": b" " * 30 * MB}))
    struct.pack_into("<L", data, data.rindex(CENTRAL) + SIZE, 1000)
    path.write_bytes(data)
    del data
    tracemalloc.start()
    try:
        with pytest.raises(ImportExportError, match=r"profile\.json: it cannot be unpacked"):
            import_profile(path, "New")
        assert tracemalloc.get_traced_memory()[1] < 10 * MB
    finally:
        tracemalloc.stop()


def test_files_whose_total_size_is_too_large_are_refused(
    kafka: SQLiteBackend, folder: Path, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even if each of them is small enough."""
    monkeypatch.setattr(archives, "MAX_BYTES", sum(map(len, files.values())))
    path = folder / "export.zip"
    path.write_bytes(packed(files))
    assert read_manifest(path).profile_id == "kafka"
    path.write_bytes(packed(files, ("notes.txt", b"1")))
    with pytest.raises(ImportExportError, match="it has more than 0 MB unpacked"):
        read_manifest(path)


def test_a_file_with_too_many_values_is_refused(
    kafka: SQLiteBackend, folder: Path, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before they are parsed, since the smallest take a hundred times their size in memory."""
    monkeypatch.setattr(limits, "MAX_VALUES", 1000)
    path = folder / "export.zip"
    for value in (b"[1" + b",1" * 1000 + b"]", b"[" * 1001, b"{" * 1001):
        path.write_bytes(packed({**files, "profile.json": value}))
        with pytest.raises(ImportExportError, match=r"profile\.json.* more than 1,000 values"):
            import_profile(path, "New")


GOOD: dict[str, Pack] = {
    "not packed": lambda files: packed(files, method=zipfile.ZIP_STORED),
    "with folders": lambda files: packed({"queries/": b"", "metrics/": b""} | files),
    "in another order": lambda files: packed(dict(reversed(files.items()))),
    "behind something else": lambda files: b"#!/bin/sh\n" + packed(files),
}


@pytest.mark.parametrize("pack", GOOD.values(), ids=GOOD)
def test_an_archive_of_another_program_can_be_imported(
    kafka: SQLiteBackend, folder: Path, files: Files, pack: Pack
) -> None:
    """As one that was packed again after an edit."""
    before = whole(kafka, "kafka")
    path = folder / "export.zip"
    path.write_bytes(pack(files))
    assert import_profile(path, replace=True) == "kafka"
    assert whole(kafka, "kafka") == before


def test_an_archive_with_sizes_in_64_bits_can_be_imported(
    kafka: SQLiteBackend, folder: Path, files: Files
) -> None:
    """Some programs write them for the smallest file."""
    path = folder / "export.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            with archive.open(zipfile.ZipInfo(name), "w", force_zip64=True) as file:
                file.write(data)
    assert import_profile(path, "New") == "new"


@pytest.mark.parametrize(
    ("module", "cap", "value", "told"),
    [
        (limits, "MAX_VALUES", 100, "more than 100 values"),
        (archives, "MAX_ENTRIES", 4, "it has more than 4 files"),
        (limits, "MAX_FILE_BYTES", 900, "has more than 0 MB"),
        (archives, "MAX_BYTES", 1000, "it has more than 0 MB"),
        (archives, "MAX_RATIO", 1, "times its size"),
    ],
)
def test_an_archive_that_could_not_be_imported_is_not_written(
    kafka: SQLiteBackend,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    module: ModuleType,
    cap: str,
    value: int,
    told: str,
) -> None:
    """The error suggests a folder, and a folder can hold the data."""
    kafka.save_project_data("kafka", "12w", {"k": list(range(150_000))})
    monkeypatch.setattr(module, cap, value)
    with pytest.raises(ImportExportError, match="export to a folder instead") as caught:
        export_profile("kafka", tmp_path / "folder" / "export.zip")
    assert told in str(caught.value)
    assert not list((tmp_path / "folder").iterdir())
    before = whole(kafka, "kafka")
    export_profile("kafka", tmp_path / "export")
    import_profile(tmp_path / "export", replace=True)
    assert whole(kafka, "kafka") == before


def test_a_folder_that_was_packed_manually_is_found(kafka: SQLiteBackend) -> None:
    """With the folder itself around its files, and files that some systems add."""
    folder = export_profile("kafka", "original")
    before = whole(kafka, "kafka")
    with zipfile.ZipFile("by-hand.zip", "w") as archive:
        for name, data in files_of(folder).items():
            archive.writestr(f"kafka/{name}", data)
        archive.writestr("__MACOSX/kafka/._manifest.json", b"x")
    kafka.delete_profile("kafka")
    assert import_profile("by-hand.zip") == "kafka"
    assert whole(kafka, "kafka") == before


def test_two_exports_in_one_archive_are_refused(kafka: SQLiteBackend) -> None:
    files = files_of(export_profile("kafka", "original"))
    with zipfile.ZipFile("two.zip", "w") as archive:
        for name, data in files.items():
            archive.writestr(f"one/{name}", data)
            archive.writestr(f"other/{name}", data)
    with pytest.raises(ImportExportError, match="no export of a profile"):
        import_profile("two.zip", "New")
