"""Old files are read in any encoding, and errors name their position."""

import codecs
import json
import math
import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from burndown.conversion import Findings, UnreadableError
from burndown.files.paths import modified_at
from burndown.legacy.reading.json_files import read_json
from burndown.models.json_codec import check_storable
from burndown.testing.contract.drawn import json_values

NOW = datetime(2025, 12, 23, 10, tzinfo=UTC)
ENCODINGS = {
    "utf-8": b"",
    "utf-8-sig": b"",
    "utf-16-le": codecs.BOM_UTF16_LE,
    "utf-16-be": codecs.BOM_UTF16_BE,
    "utf-32-le": codecs.BOM_UTF32_LE,
    "utf-32-be": codecs.BOM_UTF32_BE,
}


def read(path: Path, data: bytes) -> tuple[Any, list[str]]:
    """Return the value of a file with these bytes, and the conversions."""
    path.write_bytes(data)
    findings = Findings()
    value = read_json(path, findings)
    assert all(found.path == path for found in findings.converted)
    assert findings.skipped == findings.problems == []
    return value, [found.what for found in findings.converted]


def why_unreadable(path: Path) -> str:
    """Return the error of a file; no conversion in it is reported."""
    findings = Findings()
    with pytest.raises(UnreadableError) as caught:
        read_json(path, findings)
    assert findings == Findings()
    return str(caught.value)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("marked", [False, True])
@pytest.mark.parametrize("text", ['{"k": "Größe 🚀", "n": [1, 2.5]}', "[]", "3", '"ä"', "null"])
def test_every_unicode_encoding_is_read(
    tmp_path: Path, encoding: str, marked: bool, text: str
) -> None:
    """With a byte order mark or without; all but plain UTF-8 are reported."""
    data = (ENCODINGS[encoding] if marked else b"") + text.encode(encoding)
    value, told = read(tmp_path / "file.json", data)
    assert value == json.loads(text)
    if encoding == "utf-8":
        assert told == []
    else:
        [what] = told
        assert what.startswith(f"read as {encoding.upper()[:5]}")


@given(
    value=json_values, encoding=st.sampled_from(list(ENCODINGS)), indent=st.sampled_from([None, 2])
)
def test_json_written_by_python_is_read_unchanged(
    tmp_path_factory: pytest.TempPathFactory, value: Any, encoding: str, indent: int | None
) -> None:
    path = tmp_path_factory.getbasetemp() / "generated.json"
    for ascii_only in (True, False):
        text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
        found, _ = read(path, ENCODINGS[encoding] + text.encode(encoding))
        assert json.dumps(found) == json.dumps(value)


NON_FINITE = [
    ('{"k": NaN}', {"k": None}, "k"),
    ('{"a": {"b": [1, Infinity]}}', {"a": {"b": [1, None]}}, "a.b[1]"),
    ("[[-Infinity], 2.5]", [[None], 2.5], "[0][0]"),
    ('{"k": NaN, "l": "NaN", "m": [NaN]}', {"k": None, "l": "NaN", "m": [None]}, "k, m[0]"),
    (json.dumps([math.inf] * 7), [None] * 7, "[0], [1], [2], [3], [4] and 2 more places"),
]


@pytest.mark.parametrize(("text", "value", "paths"), NON_FINITE)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_nan_and_infinity_become_null_and_their_paths_are_reported(
    tmp_path: Path, text: str, value: Any, paths: str, encoding: str
) -> None:
    found, told = read(tmp_path / "file.json", text.encode(encoding))
    assert found == value
    assert told[-1] == f"null in place of NaN or infinity at {paths}"
    assert len(told) == (1 if encoding == "utf-8" else 2)


@given(value=json_values, steps=st.lists(st.sampled_from(["k", "Größe", 0, 2]), max_size=5))
def test_the_path_of_a_nan_leads_to_it(
    tmp_path_factory: pytest.TempPathFactory, value: Any, steps: list[str | int]
) -> None:
    """All other values are read unchanged."""
    expected, hidden, place = None, math.nan, ""
    for step in reversed(steps):
        if isinstance(step, int):
            expected, hidden = [value] * step + [expected], [value] * step + [hidden]  # type: ignore[assignment]
            place = f"[{step}]{place}"
        else:
            expected, hidden = {step: expected, "o": value}, {step: hidden, "o": value}  # type: ignore[assignment]
            place = f".{step}{place}"
    path = tmp_path_factory.getbasetemp() / "generated.json"
    found, told = read(path, json.dumps({"root": hidden}).encode())
    assert json.dumps(found) == json.dumps({"root": expected})
    assert told == [f"null in place of NaN or infinity at root{place}"]


@pytest.mark.parametrize("text", ["1e400", "[-1e999]", '{"k": 1e400}'])
def test_a_number_beyond_any_float_is_never_stored_as_infinity(tmp_path: Path, text: str) -> None:
    """The parser reads it as infinity, which no row can hold."""
    path = tmp_path / "file.json"
    path.write_text(text)
    with pytest.raises(PydanticCustomError, match="input should be a finite number"):
        check_storable(read_json(path, Findings()))


@pytest.mark.parametrize("data", [b"", b" ", b"\r\n\t \n"])
def test_an_empty_file_is_reported_as_empty(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "file.json").write_bytes(data)
    assert why_unreadable(tmp_path / "file.json") == "it is empty"


TEXT = '{\n  "a": [1, 2],\n  "b": {"c": "Größe"}\n}'


@pytest.mark.parametrize("length", range(1, len(TEXT)))
def test_a_truncated_file_is_reported_with_line_and_column(tmp_path: Path, length: int) -> None:
    text = TEXT[:length]
    (tmp_path / "file.json").write_text(text, "utf-8")
    told = why_unreadable(tmp_path / "file.json")
    assert told.startswith("not valid JSON: ")
    assert f"line {text.count(chr(10)) + 1} column " in told


UNREADABLE = {
    "a comma too many": (b'{"a": 1,\n}', "line 2 column 1"),
    "two values": (b"{}\n{}", "line 2 column 1"),
    "single quotes": (b"{'a': 1}", "line 1 column 2"),
    "Windows-1252": ('{"a": "Größe"}'.encode("cp1252"), "line 1 column"),
    "a conflict of git": (b'{\n<<<<<<< HEAD\n"a": 1\n}', "line 2 column 1"),
    "too deep": (b"[" * 300 + b"]" * 300, "line 1 column"),
    "zeros, as after a power cut": (bytes(64), "nothing but zeros"),
    "an odd number of zeros": (bytes(63), "nothing but zeros"),
    "half a character of UTF-16": (codecs.BOM_UTF16_LE + b"{\0}", "not valid UTF-16"),
    "half a pair of UTF-16": (codecs.BOM_UTF16_LE + '"'.encode("utf-16-le") + b"\0\xd8", "UTF-16"),
    "half a character of UTF-32": (codecs.BOM_UTF32_LE + b"{\0\0", "not valid UTF-32"),
    "only a byte order mark": (codecs.BOM_UTF8, "EOF"),
    "truncated UTF-16": (codecs.BOM_UTF16_LE + '{"a"'.encode("utf-16-le"), "line 1 column 4"),
    "no JSON": (b"\x89PNG\r\n\x1a\n", "line 1 column 1"),
}


@pytest.mark.parametrize(("data", "where"), UNREADABLE.values(), ids=UNREADABLE)
def test_invalid_json_is_an_error_with_the_position(
    tmp_path: Path, data: bytes, where: str
) -> None:
    path = tmp_path / "file.json"
    path.write_bytes(data)
    with pytest.raises(UnreadableError, match=where) as caught:
        read_json(path, Findings())
    assert "not" in str(caught.value)


@pytest.mark.parametrize("name", ["truncated UTF-16", "only a byte order mark"])
def test_an_unreadable_file_is_not_reported_as_converted(tmp_path: Path, name: str) -> None:
    (tmp_path / "file.json").write_bytes(UNREADABLE[name][0])
    assert why_unreadable(tmp_path / "file.json")


@given(data=st.binary(max_size=30))
def test_any_bytes_are_read_or_raise_an_error(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "generated.json"
    path.write_bytes(data)
    with suppress(UnreadableError):
        json.dumps(read_json(path, Findings()), allow_nan=False)
    assert path.read_bytes() == data


def test_something_other_than_a_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for name in ("missing", "folder", "loop"):
        assert why_unreadable(tmp_path / name)


def test_the_modification_time_is_that_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    os.utime(tmp_path / "file", (0, NOW.timestamp()))
    assert modified_at(tmp_path / "file") == NOW
