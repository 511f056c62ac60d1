"""Old files are read in any encoding, and backed up completely or not at all."""

import codecs
import json
import math
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from burndown.files.sqlite_files import SQLiteFiles
from burndown.legacy.backup import back_up as back_up_all_but
from burndown.legacy.findings import Findings
from burndown.legacy.reading.json_files import (
    FormatError,
    UnreadableFileError,
    modified_at,
    read_json,
)
from burndown.legacy.reading.query_formats import (
    changelog_documents,
    jira_cache_document,
    project_data_document,
    query_document,
)
from burndown.legacy.reading.snapshot_formats import snapshot_documents
from burndown.models.json_codec import check_storable
from tests.support.full_disk import files_no_larger_than
from tests.support.strategies import iso_weeks, json_objects, json_values

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
    with pytest.raises(UnreadableFileError) as caught:
        read_json(path, findings)
    assert findings == Findings()
    return str(caught.value)


# --- one file --------------------------------------------------------------------------------


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
    assert why_unreadable(tmp_path / "file.json") == "the file is empty"


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
    with pytest.raises(UnreadableFileError, match=where) as caught:
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
    with suppress(UnreadableFileError):
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


# --- formats ---------------------------------------------------------------------------------

FORMATS: dict[str, Callable[[Any], object]] = {
    "cache": lambda written: jira_cache_document(written, "a = b", NOW, [].append),
    "changelog": lambda written: changelog_documents(written, [].append, [].append),
    "project data": lambda written: project_data_document(written, NOW, [].append),
    "snapshots": lambda written: snapshot_documents(written, NOW, [].append, [].append),
}


@pytest.mark.parametrize("format_", FORMATS.values(), ids=FORMATS)
@given(written=json_values)
def test_any_json_has_a_known_format_or_is_refused(
    format_: Callable[[Any], object], written: Any
) -> None:
    before = json.dumps(written)
    with suppress(FormatError):
        format_(written)
    assert json.dumps(written) == before


@given(
    written=st.fixed_dictionaries(
        {"issues": st.lists(json_values, max_size=3)},
        optional={
            "timestamp": json_values
            | st.sampled_from(
                ["0001-01-01T00:00:00", "9999-12-31T23:59:59", "2025-11-01T10:00:00"]
            ),
            "jql_query": json_values,
            "fields_requested": json_values,
            "cache_version": json_values,
        },
    )
)
def test_a_cached_response_is_read_completely_from_any_envelope(written: dict[str, Any]) -> None:
    document = jira_cache_document(written, "a = b", NOW, lambda what: None)
    assert document["response"] == written
    assert document["expires_at"] == document["created_at"] + timedelta(hours=24)
    assert document["created_at"].tzinfo is UTC
    bare = jira_cache_document(written["issues"], "a = b", NOW, lambda what: None)
    assert bare["response"] == {"issues": written["issues"]}
    assert bare["created_at"] == NOW


@given(histories=st.dictionaries(st.from_regex(r"K-[1-9]{1,3}", fullmatch=True), json_objects))
def test_both_formats_of_changelogs_have_the_same_histories(histories: dict[str, Any]) -> None:
    """These are an object by issue key, the older envelope, and one within the other."""
    told: list[str] = []
    expected = [
        {"issue_key": key, "expires_at": None, "changelog": histories[key]} for key in histories
    ]
    assert changelog_documents(histories, told.append, told.append) == expected
    assert told == []
    issues = [{**history, "key": key} for key, history in histories.items()]
    envelope = {"cache_version": "2.0", "issues": issues, "total_issues": len(issues)}
    found = changelog_documents(envelope, told.append, told.append)
    assert [each["issue_key"] for each in found] == list(histories)
    assert [each["changelog"] for each in found] == issues
    mixed = changelog_documents({**envelope, **histories}, told.append, told.append)
    assert mixed == expected
    assert len(told) == 2


@given(
    weeks=st.dictionaries(
        iso_weeks,
        st.dictionaries(
            st.sampled_from(["flow_time", "dora_mttr", "trends", "flow"]), json_objects
        ),
        max_size=4,
    )
)
def test_each_metric_of_each_week_is_in_one_snapshot(weeks: dict[str, Any]) -> None:
    """The week may have either of its two formats."""
    old = {week.replace("W", ""): metrics for week, metrics in weeks.items()}
    for written in (weeks, old, {**old, **weeks}):
        found = snapshot_documents(written, NOW, lambda what: None, pytest.fail)
        again: dict[str, dict[str, Any]] = {}
        for snapshot in found:
            for name, metric in snapshot["metrics"].items():
                metrics = again.setdefault(snapshot["snapshot_date"], {})
                assert name not in metrics
                metrics[name] = metric
                prefix = name.split("_")[0]
                expected = prefix if "_" in name else "other"
                assert snapshot["metric_type"] == expected
        assert again == {week: metrics for week, metrics in weeks.items() if metrics}


@pytest.mark.parametrize("written", [{}, {"id": "12w"}, {"id": "other", "name": None, "jql": None}])
def test_a_query_without_values_gets_what_is_known(written: dict[str, Any]) -> None:
    told: list[str] = []
    document = query_document("12w", written, "a = b", NOW, told.append)
    assert document.pop("legacy_id", "12w") == written.get("id", "12w")
    assert document == {
        "id": "12w",
        "name": "12w",
        "jql": "a = b",
        "description": "",
        "created_at": NOW,
    }
    assert [what.split(":")[0] for what in told] == ["name", "jql", "created_at"]


# --- backup ----------------------------------------------------------------------------------


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """Create a folder of profiles, with files from before profiles next to it."""
    profiles = tmp_path / "root" / "profiles"
    query = profiles / "kafka" / "queries" / "12w"
    query.mkdir(parents=True)
    (profiles / "empty").mkdir()
    (profiles / "profiles.json").write_text("{}")
    (profiles / "kafka" / "profile.json").write_bytes(b"\xff not even JSON")
    (query / ".hidden").write_text("")
    (query / "jira_cache.json").write_text("[" * 1000)
    for name in ("app_settings.json", "project_data.json", "unrelated.json", "app.py"):
        (profiles.parent / name).write_text(name)
    for path in profiles.parent.rglob("*"):
        os.utime(path, ns=(0, 1_700_000_000_123_456_789))
    return profiles


def back_up(profiles: Path, now: datetime, database: str = "burndown.db") -> Path:
    """Back up a workspace with a database in its folder."""
    return back_up_all_but(profiles, now, SQLiteFiles((profiles / database,)))


def tree(folder: Path) -> dict[str, object]:
    """Return everything below a folder: the bytes of files, the targets of links, and folders."""
    found: dict[str, object] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            found[name] = ("link", str(path.readlink()))
        elif path.is_file():
            found[name] = (path.read_bytes(), path.stat().st_mtime_ns)
        else:
            found[name] = "folder" if path.is_dir() else "neither"
    return found


def later(days: int) -> datetime:
    return NOW + timedelta(days=days)


def test_a_backup_has_every_file_with_its_time(workspace: Path) -> None:
    before = tree(workspace.parent)
    backup = back_up(workspace, NOW)
    assert backup.parent == workspace.parent / "backups"
    assert tree(backup) == {
        name: content
        for name, content in before.items()
        if name.startswith("profiles") or name in ("app_settings.json", "project_data.json")
    }
    shutil.rmtree(backup.parent)
    assert tree(workspace.parent) == before


def test_only_the_owner_can_read_the_backups(workspace: Path) -> None:
    """They contain the token."""
    backup = back_up(workspace, NOW)
    assert backup.stat().st_mode & 0o77 == backup.parent.stat().st_mode & 0o77 == 0


def test_without_profiles_the_files_next_to_them_are_backed_up(workspace: Path) -> None:
    shutil.rmtree(workspace)
    assert set(tree(back_up(workspace, NOW))) == {"app_settings.json", "project_data.json"}
    assert not workspace.exists()


@pytest.mark.parametrize("name", ["profiles", "workspace", "profiles.old"])
def test_the_latest_backup_is_reused_while_the_files_are_equal(workspace: Path, name: str) -> None:
    """Whatever the name of the folder of profiles is."""
    profiles = workspace.rename(workspace.with_name(name))
    backup = back_up(profiles, NOW)
    assert set(tree(backup / name)) == set(tree(profiles))
    before = tree(backup)
    assert back_up(profiles, later(1)) == backup
    assert [path.name for path in backup.parent.iterdir()] == [backup.name]
    assert tree(backup) == before


CHANGES: dict[str, Callable[[Path], object]] = {
    "longer": lambda profiles: (profiles / "profiles.json").write_text("{  }"),
    "as long": lambda profiles: (profiles / "profiles.json").write_text("[]"),
    "touched": lambda profiles: (profiles / "profiles.json").touch(),
    "deleted": lambda profiles: (profiles / "profiles.json").unlink(),
    "new": lambda profiles: (profiles / "new.json").touch(),
    "renamed": lambda profiles: (profiles / "kafka").rename(profiles / "other"),
    "a link": lambda profiles: (profiles / "link").symlink_to("profiles.json"),
    "a link to a folder": lambda profiles: (profiles / "link").symlink_to("kafka"),
    "a link in place of a folder": lambda profiles: (
        (profiles / "empty").rmdir(),
        (profiles / "empty").symlink_to("kafka"),
    ),
    "beside": lambda profiles: (profiles.parent / "app_settings.json").write_text("other"),
    "deleted beside": lambda profiles: (profiles.parent / "app_settings.json").unlink(),
    "new beside": lambda profiles: (profiles.parent / "jira_cache.json").touch(),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_creates_a_new_backup_and_keeps_the_earlier_one(
    workspace: Path, change: Callable[[Path], object]
) -> None:
    first = back_up(workspace, NOW)
    before = tree(first)
    change(workspace)
    second = back_up(workspace, later(1))
    assert second != first
    assert tree(first) == before
    assert tree(second / "profiles") == tree(workspace)
    assert back_up(workspace, later(2)) == second


def test_foreign_files_cause_no_new_backup(workspace: Path) -> None:
    first = back_up(workspace, NOW)
    (workspace / "burndown.db").write_text("changed")
    (workspace.parent / "unrelated.json").write_text("changed")
    (first.parent / "notes.txt").write_text("mine")
    os.mkfifo(workspace / "pipe")
    assert back_up(workspace, later(1)) == first


def test_only_the_latest_backup_is_reused(workspace: Path) -> None:
    """After a change and its reversal, an earlier backup is equal to the files."""
    first = back_up(workspace, NOW)
    content, times = (workspace / "profiles.json").read_bytes(), 1_700_000_000_123_456_789
    (workspace / "profiles.json").write_text("changed")
    second = back_up(workspace, later(1))
    (workspace / "profiles.json").write_bytes(content)
    os.utime(workspace / "profiles.json", ns=(0, times))
    third = back_up(workspace, later(2))
    assert len({first, second, third}) == 3
    assert tree(third / "profiles") == tree(first / "profiles")
    assert sorted(first.parent.iterdir()) == [first, second, third]


def test_links_are_kept_as_links(workspace: Path, tmp_path: Path) -> None:
    """To a file, a folder, nothing, themselves or outside; none is followed."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("secret")
    links = {
        "file": "profiles.json",
        "folder": "kafka",
        "up": "..",
        "gone": "nowhere",
        "loop": "loop",
        "outside": str(outside),
        "secret": str(outside / "secret"),
    }
    for name, target in links.items():
        (workspace / "kafka" / name).symlink_to(target)
    (workspace.parent / "jira_cache.json").symlink_to(outside / "secret")
    backup = back_up(workspace, NOW)
    found = tree(backup)
    assert {name: found[f"profiles/kafka/{name}"] for name in links} == {
        name: ("link", target) for name, target in links.items()
    }
    assert "jira_cache.json" not in found
    assert tree(outside) == {"secret": tree(outside)["secret"]}
    assert back_up(workspace, later(1)) == backup


def test_a_pipe_is_not_copied(workspace: Path) -> None:
    """Reading it would never end."""
    before = tree(workspace)
    os.mkfifo(workspace / "pipe")
    os.mkfifo(workspace / "kafka" / "queries" / "12w" / "query.json")
    os.mkfifo(workspace.parent / "jira_cache.json")
    backup = back_up(workspace, NOW)
    assert tree(backup / "profiles") == before
    assert "jira_cache.json" not in tree(backup)
    assert back_up(workspace, later(1)) == backup


OF_DATABASE = [
    *("", "-wal", "-shm", "-journal", ".lock", ".migrating", ".migrating-wal", ".migrating-shm"),
    *(".1.0.backup", ".1.0.2.backup", ".1.1.unfinished", ".1.1.unfinished-journal", ".published"),
]


@pytest.mark.parametrize(
    "name",
    ["burndown.db", "team.db", "x.json", "team", "kafka/team.db", "kafka/queries/12w/(a+).sqlite"],
)
def test_the_database_is_not_copied_whatever_its_name(workspace: Path, name: str) -> None:
    before = tree(workspace)
    for suffix in OF_DATABASE:
        (workspace / f"{name}{suffix}").write_text("data")
    found = back_up(workspace, NOW, name)
    os.utime(workspace / name, ns=(0, 0))
    assert set(tree(found / "profiles")) == set(before)
    assert back_up(workspace, later(1), name) == found


@pytest.mark.parametrize("other", ["team.db.json", "team.dbx", "team.db.backup.json", "xteam.db"])
def test_a_file_with_a_similar_name_is_copied(workspace: Path, other: str) -> None:
    """And so is a file with the name of the database in another folder."""
    for name in (other, "kafka/team.db"):
        (workspace / name).write_text("mine")
    found = tree(back_up(workspace, NOW, "team.db") / "profiles")
    assert found == tree(workspace)


def test_a_profile_with_the_name_of_the_database_is_backed_up(workspace: Path) -> None:
    """A migration reads its folder."""
    (workspace / "kafka").rename(workspace / "burndown.db-team")
    backup = back_up(workspace, NOW)
    assert "profiles/burndown.db-team/profile.json" in tree(backup)


def test_a_copy_that_fails_leaves_no_backup(workspace: Path) -> None:
    """And the next one starts again."""
    first = back_up(workspace, NOW)
    before = tree(first)
    (workspace / "kafka" / "queries" / "12w" / "large.json").write_text("x" * 200_000)
    for day in (1, 2):
        with files_no_larger_than(100_000), pytest.raises(OSError, match="large"):
            back_up(workspace, later(day))
        assert list(first.parent.glob("migration-*[0-9]")) == [first]
        assert tree(first) == before
    second = back_up(workspace, later(3))
    assert tree(second / "profiles") == tree(workspace)
    assert sorted(first.parent.iterdir()) == [first, second]


@pytest.mark.parametrize("left_over", ["whole", "empty", "half"])
def test_a_partial_backup_is_removed_and_never_reused(workspace: Path, left_over: str) -> None:
    unfinished = back_up(workspace, NOW)
    unfinished = unfinished.rename(unfinished.with_suffix(".unfinished"))
    if left_over == "half":
        (unfinished / "profiles" / "profiles.json").unlink()
    elif left_over == "empty":
        shutil.rmtree(unfinished)
        unfinished.mkdir()
    for timestamp in (NOW, later(1)):
        backup = back_up(workspace, timestamp)
        assert tree(backup / "profiles") == tree(workspace)
        assert list(backup.parent.iterdir()) == [backup]


def test_a_file_in_place_of_the_backup_folder_is_an_error(workspace: Path) -> None:
    (workspace.parent / "backups").write_text("mine")
    before = tree(workspace.parent)
    with pytest.raises(OSError, match="backups"):
        back_up(workspace, NOW)
    assert tree(workspace.parent) == before


@given(st.lists(st.sampled_from(["write", "delete", "touch", "back up"]), max_size=8))
def test_the_latest_backup_is_always_equal_to_the_files(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str]
) -> None:
    profiles = tmp_path_factory.mktemp("root") / "profiles"
    profiles.mkdir()
    file = profiles / "profiles.json"
    for day, step in enumerate(steps):
        if step == "write":
            file.write_text(f"{day}")
        elif step == "touch":
            file.touch()
        elif step == "delete":
            file.unlink(missing_ok=True)
        else:
            assert tree(back_up(profiles, later(day)) / "profiles") == tree(profiles)
    backups = len(list(profiles.parent.glob("backups/*")))
    assert backups <= steps.count("back up")
    shutil.rmtree(profiles.parent)
