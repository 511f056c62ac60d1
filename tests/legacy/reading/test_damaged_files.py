"""Damaged files of an old workspace: each is migrated, skipped, or stops the migration."""

import codecs
import gzip
import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.legacy.damaged_workspace import (
    ANEW,
    CACHE,
    DATA,
    FILES,
    IRREPLACEABLE,
    PROFILE,
    QUERY,
    REGISTRY,
    Stored,
    assert_all_else_is_there,
    assert_skips,
    assert_stops,
    migrate,
)

Damage = Callable[[bytes], bytes]


# --- unreadable files ------------------------------------------------------------------------


def with_value(text: str) -> Damage:
    """Return the file with one more value."""
    return lambda data: data.rstrip()[:-1].rstrip() + f', "more": {text}\n}}'.encode()


def nested(depth: int, opening: str = "[", closing: str = "]") -> Damage:
    return with_value(opening * depth + "1" + closing * depth)


def in_code_page(name: str, more: str) -> Damage:
    """Return the file with one more string, in an encoding other than Unicode."""

    def encoded(data: bytes) -> bytes:
        return json.dumps({**json.loads(data), "more": more}, ensure_ascii=False).encode(name)

    return encoded


def in_unicode(encoding: str, mark: bytes = b"") -> Damage:
    return lambda data: mark + data.decode().encode(encoding)


PLACE = r"line \d+ column \d+"
NO_OBJECT = "input should be an object"
UNREADABLE: dict[str, tuple[Damage, str]] = {
    "empty": (lambda data: b"", "it is empty"),
    "blank": (lambda data: b" \r\n\t\n", "it is empty"),
    "zeros": (lambda data: bytes(len(data)), "nothing but zeros"),
    "an odd number of zeros": (lambda data: bytes(4097), "nothing but zeros"),
    "one byte": (lambda data: data[:1], "line 1 column 1"),
    "cut at a third": (lambda data: data[: len(data) // 3], PLACE),
    "cut at 60 per cent": (lambda data: data[: len(data) * 6 // 10], PLACE),
    "cut before its last byte": (lambda data: data.rstrip()[:-1], PLACE),
    "without its first half": (lambda data: data[len(data) // 2 :], PLACE),
    "zeros at its end": (lambda data: data[:-9] + bytes(9), PLACE),
    "zeros behind it": (lambda data: data + bytes(512), f"trailing characters at {PLACE}"),
    "no text at all": (lambda data: b"\xff" * len(data), "line 1 column 1"),
    "compressed": (gzip.compress, "line 1 column 1"),
    "a block of another file": (lambda data: data[:40] + b"\x89PNG\r\n" + data[46:], PLACE),
    "Latin-1": (in_code_page("latin-1", "naïve"), PLACE),
    "Windows-1252": (in_code_page("cp1252", "“naïve”"), PLACE),
    "from the middle on UTF-16": (
        lambda data: data[:40] + in_unicode("utf-16-le")(data[40:]),
        PLACE,
    ),
    "cut UTF-16": (lambda data: in_unicode("utf-16")(data)[:-7], "not valid UTF-16"),
    "cut UTF-32": (lambda data: in_unicode("utf-32")(data)[:-7], "not valid UTF-32"),
    "UTF-16 cut between two letters": (lambda data: in_unicode("utf-16")(data)[:-8], PLACE),
    "nothing but a byte order mark": (lambda data: codecs.BOM_UTF8, "EOF"),
    "two writers": (lambda data: data + data, f"trailing characters at {PLACE}"),
    "the end of an older one": (lambda data: data + data[-20:], f"trailing characters at {PLACE}"),
    "garbage behind it": (lambda data: data + b"\nx", f"trailing characters at {PLACE}"),
    "a conflict of versions": (lambda data: b"{\n<<<<<<< HEAD\n" + data[2:], "line 2 column 1"),
    "an error page": (lambda data: b"<!DOCTYPE html><title>502</title>", "line 1 column 1"),
    "single quotes": (lambda data: data.replace(b'"', b"'"), PLACE),
    "no JSON value": (with_value("undefined"), PLACE),
    "a comma too many": (with_value("1,"), PLACE),
    "an integer of 4301 digits": (with_value("1" * 4301), "number out of range"),
    "an integer of 100000 digits": (with_value("-" + "9" * 100_000), "number out of range"),
    "lists 5000 deep": (nested(5000), "recursion limit"),
    "lists 100000 deep": (nested(100_000), "recursion limit"),
    "objects 5000 deep": (nested(5000, '{"k":', "}"), "recursion limit"),
    "lists without end": (with_value("[" * 50_000), PLACE),
    "null": (lambda data: b"null", NO_OBJECT),
    "true": (lambda data: b"true", NO_OBJECT),
    "a number": (lambda data: b"12.5", NO_OBJECT),
    "NaN": (lambda data: b"NaN", NO_OBJECT),
    "a text": (lambda data: b'"{}"', NO_OBJECT),
    "JSON within JSON": (lambda data: json.dumps(data.decode()).encode(), NO_OBJECT),
}


ALONE = ["cut at 60 per cent", "null", "lists 5000 deep"]


@pytest.mark.parametrize("kind", UNREADABLE)
def test_irreplaceable_files_stop_the_migration_together(
    root: Path, whole: Stored, kind: str
) -> None:
    """One error names all of them, with their paths and reasons; the others are skipped."""
    damage, reason = UNREADABLE[kind]
    for path in (*IRREPLACEABLE, *ANEW):
        (root / path).write_bytes(damage((root / path).read_bytes()))
    assert_stops(root, whole, IRREPLACEABLE, reason, skipped=ANEW)


@pytest.mark.parametrize("path", ANEW)
@pytest.mark.parametrize("kind", ALONE)
def test_a_file_that_can_be_fetched_again_is_skipped(
    root: Path, whole: Stored, path: str, kind: str
) -> None:
    damage, reason = UNREADABLE[kind]
    (root / path).write_bytes(damage((root / path).read_bytes()))
    assert_skips(root, whole, [path], reason)


@pytest.mark.parametrize("path", IRREPLACEABLE)
@pytest.mark.parametrize("kind", ALONE)
def test_each_other_file_alone_stops_the_migration(
    root: Path, whole: Stored, path: str, kind: str
) -> None:
    damage, reason = UNREADABLE[kind]
    (root / path).write_bytes(damage((root / path).read_bytes()))
    assert_stops(root, whole, [path], reason, rehearse_skipping=True)


def test_a_query_without_settings_has_the_jql_of_its_last_response(root: Path) -> None:
    (root / QUERY).write_bytes(b"{")
    [query] = migrate(root, skip_damaged=True).stored[QUERY]
    assert (query["name"], query["jql"]) == ("q1", "project = Größe")


def test_a_profile_without_settings_has_the_name_in_the_registry(root: Path) -> None:
    (root / PROFILE).write_bytes(b"{")
    [profile] = migrate(root, skip_damaged=True).stored[PROFILE]
    assert profile["name"] == "Größe"


# --- readable files --------------------------------------------------------------------------

READABLE: dict[str, tuple[Damage, str | None]] = {
    "UTF-8 with a mark": (in_unicode("utf-8-sig"), "UTF-8 with a byte order mark"),
    "UTF-16-LE": (in_unicode("utf-16-le"), "UTF-16-LE"),
    "UTF-16-BE": (in_unicode("utf-16-be"), "UTF-16-BE"),
    "UTF-16-LE with a mark": (in_unicode("utf-16-le", codecs.BOM_UTF16_LE), "UTF-16"),
    "UTF-16-BE with a mark": (in_unicode("utf-16-be", codecs.BOM_UTF16_BE), "UTF-16"),
    "UTF-32-LE": (in_unicode("utf-32-le"), "UTF-32-LE"),
    "UTF-32-BE": (in_unicode("utf-32-be"), "UTF-32-BE"),
    "UTF-32-LE with a mark": (in_unicode("utf-32-le", codecs.BOM_UTF32_LE), "UTF-32"),
    "UTF-32-BE with a mark": (in_unicode("utf-32-be", codecs.BOM_UTF32_BE), "UTF-32"),
    "lines of Windows": (lambda data: data.replace(b"\n", b"\r\n"), None),
    "one line": (lambda data: json.dumps(json.loads(data)).encode(), None),
    "blanks around it": (lambda data: b"\r\n\t " + data + b" \r\n" * 9, None),
}


@pytest.mark.parametrize("kind", READABLE)
def test_files_of_any_encoding_and_format_are_migrated_completely(
    root: Path, whole: Stored, kind: str
) -> None:
    change, told = READABLE[kind]
    for path in FILES:
        (root / path).write_bytes(change((root / path).read_bytes()))
    outcome = migrate(root)
    assert outcome.stored == whole
    assert outcome.skipped == []
    assert sorted(outcome.converted) == sorted(
        (path, f"read as {told}") for path in FILES if told is not None
    )


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "[1, [NaN]]", '{"k": NaN}'])
def test_nan_and_infinity_become_null_and_are_reported(root: Path, text: str) -> None:
    paths = (REGISTRY, PROFILE, QUERY, DATA, CACHE)
    for path in paths:
        (root / path).write_bytes(with_value(text)((root / path).read_bytes()))
    outcome = migrate(root)
    place = {"[1, [NaN]]": "more[1][0]", '{"k": NaN}': "more.k"}.get(text, "more")
    assert sorted(outcome.converted) == sorted(
        (path, f"null in place of NaN or infinity at {place}") for path in paths
    )
    null = json.loads(re.sub("-?(NaN|Infinity)", "null", text))
    assert outcome.stored[PROFILE][0]["extra"]["more"] == null
    assert outcome.stored[DATA][0]["data"]["more"] == null


@pytest.mark.parametrize("digits", [20, 400, 4298])
def test_an_integer_of_any_size_that_python_reads_is_migrated(
    root: Path, whole: Stored, digits: int
) -> None:
    number = 10**digits - 1
    for path in (PROFILE, QUERY, DATA, CACHE):
        (root / path).write_bytes(with_value(str(number))((root / path).read_bytes()))
    outcome = migrate(root)
    assert outcome.converted == outcome.skipped == []
    assert outcome.stored[PROFILE][0]["extra"]["more"] == number
    assert outcome.stored[QUERY][0]["extra"]["more"] == number
    assert outcome.stored[DATA][0]["data"]["more"] == number
    assert outcome.stored[CACHE][0]["response"]["more"] == number
    assert_all_else_is_there(outcome.stored, whole, [PROFILE, QUERY, DATA, CACHE])


SURROGATES = {
    "half a surrogate pair": ('"\\ud800"', "\\ud800"),
    "the other half": ('"\\udc00 x"', "\\udc00 x"),
    "both halves in the wrong order": ('"\\udc00\\ud800"', "\\udc00\\ud800"),
    "half a pair in a key": (r'{"\ud83d": 1}', {"\\ud83d": 1}),
    "half a pair in two keys": (
        '{"\\ud83d": 1, "\\\\ud83d": 2}',
        {"\\ud83d_": 1, "\\ud83d": 2},
    ),
    "half a pair in UTF-8": ('"?"', "\\ud800"),
}


@pytest.mark.parametrize("kind", SURROGATES)
def test_a_lone_surrogate_is_escaped_and_reported(root: Path, whole: Stored, kind: str) -> None:
    """The old dashboard reads it, so the values next to it must not be lost."""
    text, expected = SURROGATES[kind]
    paths = (PROFILE, QUERY, DATA, CACHE)
    for path in paths:
        data = with_value(text)((root / path).read_bytes())
        (root / path).write_bytes(data.replace(b'"?"', b'"\xed\xa0\x80"'))
    outcome = migrate(root)
    assert outcome.skipped == []
    assert {path for path, _ in outcome.converted} == set(paths)
    assert all(what.startswith("lone surrogates escaped at more") for _, what in outcome.converted)
    assert outcome.stored[PROFILE][0]["extra"]["more"] == expected
    assert outcome.stored[QUERY][0]["extra"]["more"] == expected
    assert outcome.stored[DATA][0]["data"]["more"] == expected
    assert outcome.stored[CACHE][0]["response"]["more"] == expected
    assert_all_else_is_there(outcome.stored, whole, paths)


@pytest.mark.parametrize("text", ["1e400", "-1e999", "[1e400]", '{"k": [0, 1e400]}'])
def test_a_number_beyond_any_float_becomes_null_and_is_reported(
    root: Path, whole: Stored, text: str
) -> None:
    """In irreplaceable files, and no other value with it; the others are in Jira."""
    paths = (PROFILE, QUERY, DATA)
    for path in (*paths, CACHE):
        (root / path).write_bytes(with_value(text)((root / path).read_bytes()))
    outcome = migrate(root)
    assert {path for path, _ in outcome.converted} == set(paths)
    assert all("null in place of NaN or infinity at more" in what for _, what in outcome.converted)
    assert [path for path, _ in outcome.skipped] == [CACHE]
    expected = json.loads(re.sub("-?1e[0-9]+", "null", text))
    for path, column in ((PROFILE, "extra"), (QUERY, "extra"), (DATA, "data")):
        stored, before = outcome.stored[path][0], whole[path][0]
        assert stored == {**before, column: {**before[column], "more": expected}}
    assert_all_else_is_there(outcome.stored, whole, [*paths, CACHE])


@pytest.mark.parametrize("depth", [200, 205])
def test_values_that_nest_too_deep_are_kept_as_strings(
    root: Path, whole: Stored, depth: int
) -> None:
    """In irreplaceable files, and no other value with them."""
    text = "[" * depth + "]" * depth
    paths = (PROFILE, QUERY, DATA)
    for path in (*paths, CACHE):
        (root / path).write_bytes(with_value(text)((root / path).read_bytes()))
    outcome = migrate(root)
    why = "more: input should nest at most 200 levels, got a list; kept under legacy_values"
    assert sorted(outcome.converted) == sorted((path, why) for path in paths)
    assert [path for path, _ in outcome.skipped] == [CACHE]
    for path, column in ((PROFILE, "extra"), (QUERY, "extra"), (DATA, "data")):
        stored, before = outcome.stored[path][0], whole[path][0]
        kept = {"legacy_values": {"more": text}}
        assert stored == {**before, column: {**before[column], **kept}}
    assert_all_else_is_there(outcome.stored, whole, [*paths, CACHE])


def test_deeper_nesting_makes_a_file_unreadable(root: Path, whole: Stored) -> None:
    hit = (PROFILE, QUERY, DATA)
    for path in (*hit, CACHE):
        (root / path).write_bytes(nested(240, '{"k":', "}")((root / path).read_bytes()))
    assert_stops(root, whole, hit, PLACE, skipped=[CACHE])


# --- special files ---------------------------------------------------------------------------

STAND_INS: dict[str, tuple[Callable[[Path], object], str]] = {
    "a folder": (lambda path: path.mkdir(), "a folder, not a file"),
    "a folder with files": (
        lambda path: (path.mkdir(), (path / "query.json").write_text("{}")),
        "a folder, not a file",
    ),
    "a pipe": (os.mkfifo, "a device, not a file"),
    "a link to itself": (lambda path: path.symlink_to(path.name), "a link to"),
    "a link to nothing": (lambda path: path.symlink_to("/nowhere/at/all"), "a link to /nowhere"),
    "a link to a file elsewhere": (lambda path: path.symlink_to("/etc/hostname"), "a link to /etc"),
    "a link to its twin": (
        lambda path: path.symlink_to(str(path).replace("/a/", "/b/")),
        "a link to",
    ),
    "a link to the folder above": (lambda path: path.symlink_to(".."), r"a link to \.\."),
    "a link to a device": (lambda path: path.symlink_to("/dev/zero"), "a link to /dev/zero"),
}


@pytest.mark.parametrize("kind", STAND_INS)
def test_something_other_than_a_file_is_never_followed_or_waited_for(
    root: Path, whole: Stored, kind: str
) -> None:
    """It stops the migration in place of an irreplaceable file, and is skipped otherwise."""
    put, reason = STAND_INS[kind]
    for path in (*IRREPLACEABLE, *ANEW):
        (root / path).unlink()
        put(root / path)
    assert_stops(root, whole, IRREPLACEABLE, reason, skipped=ANEW)


def test_missing_files_are_replaced_by_defaults_and_reported(root: Path, whole: Stored) -> None:
    """These are a registry, a profile and a query without their files; missing data are no data."""
    for path in (*IRREPLACEABLE, *ANEW):
        (root / path).unlink()
    outcome = migrate(root)
    assert outcome.skipped == [
        ("profiles/a/queries/q1", "an empty folder"),
    ]
    assert ("profiles/a", "no profile.json; taken from profiles.json and defaults") in (
        outcome.converted
    )
    assert_all_else_is_there(outcome.stored, whole, [REGISTRY, PROFILE, "profiles/a/queries/q1"])
