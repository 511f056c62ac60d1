"""Faults of ``.zip`` files."""

import functools
import io
import random
import struct
import unicodedata
import warnings
import zipfile
from collections.abc import Callable

from tests.fuzz.damage import damaged_bytes
from tests.fuzz.trees import Tree

_MB = 1024**2
_LOCAL, _CENTRAL, _END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
_METHODS = (
    *(zipfile.ZIP_DEFLATED,) * 150,
    *(zipfile.ZIP_STORED,) * 45,
    zipfile.ZIP_BZIP2,
    zipfile.ZIP_LZMA,
)
_BOMBS = (
    (1, zipfile.ZIP_DEFLATED),
    (120, zipfile.ZIP_DEFLATED),
    (129, zipfile.ZIP_DEFLATED),
    (20, zipfile.ZIP_STORED),
)
"""Megabytes of blanks, and how they are compressed."""
_RENAMED: dict[str, Callable[[str], str]] = {
    "backslashes": lambda name: name.replace("/", "\\"),
    "decomposed": lambda name: unicodedata.normalize("NFD", name),
    "upper case": str.upper,
    "a dot in front": lambda name: f"./{name}",
    "a folder around": lambda name: f"gr\u00f6\u00dfe/{name}",
}
"""Variants that other systems and programs make of file names."""
_FIELDS = {  # of an entry of the directory: offset and format
    "flags": (8, "<H"),
    "method": (10, "<H"),
    "checksum": (16, "<L"),
    "packed size": (20, "<L"),
    "size": (24, "<L"),
    "length of the name": (28, "<H"),
    "length of the extra": (30, "<H"),
    "attributes": (38, "<L"),
    "offset": (42, "<L"),
}
_VALUES = {
    "<H": (0, 1, 8, 9, 0x41, 0x800, 0xFFFF),
    "<L": (0, 1, 1000, 2**27, 2**27 + 1, 2**31, 2**32 - 2, 2**32 - 1),
}


def damaged_archive(rng: random.Random, tree: Tree, outside: str) -> tuple[bytes, list[str]]:
    """Return an archive of the tree, mostly with a fault that only archives can have.

    Args:
        rng: the random numbers of the case.
        tree: its content.
        outside: a folder that nothing may be unpacked to.

    Returns:
        Its bytes, and a description of the fault.
    """
    told = []
    entries = [(name, data) for name, data in tree.items() if isinstance(data, bytes)]
    for name, odd in tree.items():
        if not isinstance(odd, bytes):
            entries.append((f"{name}/" if odd.kind == "folder" else name, odd.target.encode()))
    if rng.random() < 0.3:
        entries.append(_unexpected_entry(rng, entries, outside))
        told.append(f"entry {entries[-1][0][:60]!r}")
    if rng.random() < 0.2:
        told.append(rng.choice(sorted(_RENAMED)))
        entries = [(_RENAMED[told[-1]](name), data) for name, data in entries]
    bomb = rng.choice(_BOMBS) if rng.random() < 0.03 else None
    if bomb is not None:
        told.append(f"bomb {bomb}")
    data = _packed(rng, entries, bomb)
    for _ in range(rng.choice((0, 0, 0, 0, 1, 1, 2))):
        data, what = _damaged(rng, data)
        told.append(what)
    return data, told


def _packed(
    rng: random.Random, entries: list[tuple[str, bytes]], bomb: tuple[int, int] | None
) -> bytes:
    file = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(file, "w") as archive:
        warnings.simplefilter("ignore")  # that names are there twice
        for name, data in entries:
            entry = zipfile.ZipInfo(name.encode(errors="replace").decode()[:60_000])
            entry.external_attr = rng.choice((0o600, 0o120777, 0o10644)) << 16
            archive.writestr(entry, data, rng.choice(_METHODS))
        if bomb is not None:
            _pack_bomb(archive, rng.choice(entries)[0], *bomb)
    return file.getvalue()


def _pack_bomb(archive: zipfile.ZipFile, name: str, megabytes: int, method: int) -> None:
    """Pack it in place of a file; it is never completely in memory."""
    entry = zipfile.ZipInfo(name)
    entry.compress_type = method
    with archive.open(entry, "w") as file:
        file.write(b"{")
        for _ in range(megabytes):
            file.write(b" " * _MB)
        file.write(b"}")


def _unexpected_entry(
    rng: random.Random, entries: list[tuple[str, bytes]], outside: str
) -> tuple[str, bytes]:
    name, data = rng.choice(entries)
    names = (
        f"../outside/{name}",
        f"{outside}/evil.json",
        f"queries/../../outside/{name}",
        f"queries/..\\..\\outside\\{name}",
        f"C:\\{name}",
        f"./{name}",
        f"/{name}",
        f"{name}/",
        name.upper(),
        name.replace("/", "\\"),
        f"\\{name}",
        f"\\\\server\\share\\{name}",
        f"queries\\..\\{name}",
        f"..\\outside\\{name}",
        f"__MACOSX/._{name}",
        f"inner/{name}",
        f"gr\u00f6\u00dfe/{name}",
        f"queries//{name}",
        "queries/../profile.json",
        "queries/.json",
        "queries/..json",
        f"queries/{'a' * 250}.json",
        f"queries/{'a' * 60_000}.json",
        "queries/a\0b.json",
        "queries/\u202e.json",
        " profile.json",
        "__MACOSX/._profile.json",
        "metrics/more.json",
    )
    if rng.random() < 0.3:
        return name, rng.choice((data, b"{}", b""))
    return rng.choice(names), data


@functools.cache
def _crowd() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for number in range(10_001):
            archive.writestr(f"queries/{number}.json", b"")
    return file.getvalue()


def _damaged(rng: random.Random, data: bytes) -> tuple[bytes, str]:
    kind = rng.choice(
        ("field",) * 6 + ("header",) * 3 + ("bytes", "end", "before", "after", "crowd")
    )
    if kind == "field":
        return _with_field(rng, data)
    if kind == "header":
        return _with_flipped_header(rng, data)
    if kind == "end":
        return _with_other_end(rng, data)
    if kind == "bytes":
        return damaged_bytes(rng, data)
    if kind == "crowd" and rng.random() < 0.2:
        return _crowd(), "a crowd of entries"
    if kind == "before":
        return rng.randbytes(rng.choice((1, 30, 5000))) + data, kind
    return data + rng.choice((b"\0", rng.randbytes(100), data[-22:], data)), "after"


def _places(data: bytes, mark: bytes) -> list[int]:
    found, at = [], data.find(mark)
    while at >= 0:
        found.append(at)
        at = data.find(mark, at + 1)
    return found


def _with_field(rng: random.Random, data: bytes) -> tuple[bytes, str]:
    places = _places(data, _CENTRAL)
    name = rng.choice(sorted(_FIELDS))
    offset, form = _FIELDS[name]
    if not places:
        return data, "nothing"
    at, value = rng.choice(places) + offset, rng.choice(_VALUES[form])
    changed = bytearray(data)
    if at + struct.calcsize(form) <= len(data):
        struct.pack_into(form, changed, at, value)
    return bytes(changed), f"{name} {value}"


def _with_flipped_header(rng: random.Random, data: bytes) -> tuple[bytes, str]:
    places = _places(data, rng.choice((_LOCAL, _CENTRAL, _END)))
    if not places:
        return data, "nothing"
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 3))):
        at = rng.choice(places) + rng.randrange(46)
        if at < len(changed):
            changed[at] ^= 1 << rng.randrange(8)
    return bytes(changed), "flipped header"


def _with_other_end(rng: random.Random, data: bytes) -> tuple[bytes, str]:
    at = data.rfind(_END)
    if at < 0 or at + 22 > len(data):
        return data, "nothing"
    changed = bytearray(data)
    offset, form = rng.choice(
        ((4, "<H"), (8, "<H"), (10, "<H"), (12, "<L"), (16, "<L"), (20, "<H"))
    )
    value = rng.choice(_VALUES[form])
    struct.pack_into(form, changed, at + offset, value)
    return bytes(changed), f"end {offset}: {value}"
