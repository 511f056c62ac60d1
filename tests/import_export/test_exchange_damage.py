"""A damaged exchange file is refused, or imported without what is odd in it; nothing in between."""

import json
import os
import random
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burndown import ImportExportError, PersistenceError, SQLiteBackend, set_backend
from burndown.import_export import (
    ImportReport,
    import_profile,
    limits,
    read_manifest,
    run_import,
)
from burndown.models import ENTITIES, JiraCache
from tests.fuzz.damage import damaged_bytes, damaged_json
from tests.import_export.exports import refused
from tests.support.exchange_files import (
    CANARY,
    exchange_file,
    sample_budget,
    sample_file,
    sample_issue,
    sample_profile,
    sample_query,
    write_exchange,
)

Document = dict[str, Any]
MB = 1024**2


def text(content: Any) -> bytes:
    return json.dumps(content, indent=2, ensure_ascii=False).encode()


def without(key: str) -> bytes:
    return text({name: value for name, value in sample_file().items() if name != key})


NOT_EXCHANGE_FILES: dict[str, tuple[bytes, str]] = {
    "an object": (b"{}", "manifest: input should be an object, got null"),
    "of another program": (b'{"version": 2, "items": []}', "manifest: input should be an object"),
    "a manifest of ours": (b'{"format": "burndown export"}', "manifest: input should be an object"),
    "without a manifest": (without("manifest"), "manifest: input should be an object, got null"),
    "without a profile": (without("profile_data"), "profile_data: input should be an object"),
    "a profile that is a list": (
        text({**sample_file(), "profile_data": []}),
        "profile_data: input should be an object, got a list",
    ),
    "a manifest that is text": (
        text({**sample_file(), "manifest": CANARY}),
        "manifest: input should be an object, got a string",
    ),
    "two files": (text(sample_file()) * 2, "not valid JSON: trailing characters"),
    "a comment": (text(sample_file()) + b"// end", "not valid JSON: "),
    "no UTF-8": (text(sample_file()).replace(b"Gr", b"\xff"), "not valid JSON: "),
    "zeros at the end": (text(sample_file())[:-200] + bytes(200), "not valid JSON: "),
    "too deep": (b'{"manifest":' * 5000 + b"1" + b"}" * 5000, "not valid JSON: "),
    "a number of 5,000 digits": (b'{"manifest":' + b"9" * 5000 + b"}", "not valid JSON: "),
}


@pytest.mark.parametrize(("data", "told"), NOT_EXCHANGE_FILES.values(), ids=NOT_EXCHANGE_FILES)
def test_what_is_no_exchange_file_is_refused(
    store: SQLiteBackend, file: Path, data: bytes, told: str
) -> None:
    """The error says what it could have been."""
    file.write_bytes(data)
    error = refused(store, file)
    assert isinstance(error, ImportExportError)
    assert str(error).startswith(f"{file}: it is no exchange file of the published dashboard: ")
    assert told in str(error)
    assert CANARY not in str(error)


@pytest.mark.parametrize("percent", [1, 10, 50, 90, 99])
def test_a_truncated_file_is_refused(store: SQLiteBackend, file: Path, percent: int) -> None:
    data = text(sample_file())
    file.write_bytes(data[: len(data) * percent // 100])
    assert f"{file}: " in str(refused(store, file))
    assert "not valid JSON: EOF" in str(refused(store, file))


def test_an_exchange_file_has_no_manifest_of_ours(store: SQLiteBackend, file: Path) -> None:
    write_exchange(sample_file(), file)
    with pytest.raises(ImportExportError, match="not a zip file"):
        read_manifest(file)


@pytest.mark.parametrize("queries", [[], "x", 3, True])
def test_queries_in_another_form_are_refused(
    store: SQLiteBackend, file: Path, queries: Any
) -> None:
    """Nothing of them could be taken."""
    error = refused(store, write_exchange(exchange_file(sample_profile(), queries), file))
    assert str(error).startswith(f"{file}: query_data: input should be an object, got ")


# --- what is odd loses no neighbour ------------------------------------------------------------

ODD: dict[str, Any] = {
    "null": None,
    "true": True,
    "a number": 7,
    "a huge number": 10**4000,
    "beyond any float": float("inf"),
    "text": "odd",
    "a list": [],
    "a list of odd values": [None, True, 7, "odd", [[]], {"odd": 1}],
    "an object": {},
    "an odd object": {"odd": [1], "issues": 3, "": None},
    "a lone surrogate": "\ud800",
    "deep": json.loads("[" * 190 + "]" * 190),
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
@pytest.mark.parametrize("part", [*sample_query(), "unknown"])
def test_an_odd_part_loses_no_other(store: SQLiteBackend, file: Path, part: str, odd: Any) -> None:
    """Those of the query with it, and the other queries."""
    query = sample_query(**{part: odd})
    content = exchange_file(sample_profile(), {"q_1": query, "q_2": sample_query()})
    file.write_bytes(json.dumps(content).encode())
    imported = run_import(file).imported
    whole = {
        "queries": 2,
        "cached responses": 2,
        "changelogs": 2,
        "project data": 2,
        "metrics snapshots": 2,
        "budgets": 2,
    }
    of_part = {
        "jira_cache": "cached responses",
        "changelog_entries": "changelogs",
        "metrics": "metrics snapshots",
        "budget_settings": "budgets",
    }
    lost = {label for label in whole if imported.get(label, 0) < whole[label]}
    assert lost <= {of_part.get(part)}
    assert store.get_query("p_1", "q_1") is not None


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
@pytest.mark.parametrize("key", [*sample_profile(), "unknown"])
def test_an_odd_value_of_the_profile_loses_no_other(
    store: SQLiteBackend, file: Path, key: str, odd: Any
) -> None:
    content = exchange_file(sample_profile(**{key: odd}), {"q_1": sample_query()})
    file.write_bytes(json.dumps(content).encode())
    report = run_import(file)
    assert set(report.imported.values()) == {1}
    profile: Document = dict(store.get_profile(report.profile_id) or {})
    whole = sample_profile()
    for other in ("description", "project_classification", "flow_type_mappings"):
        assert key == other or profile[other] == whole[other]


@pytest.mark.parametrize("odd", [value for name, value in ODD.items() if name != "an odd object"])
@pytest.mark.parametrize("part", ["statistics", "metrics", "changelog_entries", "budget_revisions"])
def test_an_odd_row_loses_no_other(store: SQLiteBackend, file: Path, part: str, odd: Any) -> None:
    """Rows of the wrong type are reported by their place."""
    rows = [*sample_query()[part], odd]
    content = exchange_file(sample_profile(), {"q_1": sample_query(**{part: rows})})
    file.write_bytes(json.dumps(content).encode())
    report = run_import(file)
    assert set(report.imported.values()) == {1}
    if not isinstance(odd, dict):
        told = f"query_data.q_1.{part}: input should be objects: [2]"
        assert told in [each.what for each in report.skipped]


@pytest.mark.parametrize("column", [*sample_issue("A-1"), "unknown"])
@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_an_odd_value_of_an_issue_loses_no_other(
    store: SQLiteBackend, file: Path, column: str, odd: Any
) -> None:
    issues = [{**sample_issue("A-1"), column: odd}, sample_issue("A-2")]
    content = exchange_file(sample_profile(), {"q_1": sample_query(jira_cache={"issues": issues})})
    file.write_bytes(json.dumps(content).encode())
    assert set(run_import(file).imported.values()) == {1}
    [cache] = store.records(JiraCache, "p_1", "q_1")
    odd_issue, whole = cache["response"]["issues"]
    assert whole["key"] == "A-2"
    assert whole["fields"]["labels"] == ["x"]
    for field in ("summary", "updated"):
        assert column == field or odd_issue["fields"][field] == f"the {field}"


@pytest.mark.parametrize(
    "secret", [{"token": CANARY}, f"api_token={CANARY}", f"https://user:{CANARY}@example.com"]
)
def test_a_secret_in_a_value_is_in_no_report(store: SQLiteBackend, file: Path, secret: Any) -> None:
    """Each column of each part is odd in a query of its own."""
    parts = {**sample_query(), "jira_cache": [sample_issue("A-1")]}
    odd = [
        (part, [{**rows[0], column: secret}])
        if isinstance(rows, list)
        else (part, {**rows, column: secret})
        for part, rows in parts.items()
        for column in (rows[0] if isinstance(rows, list) else rows)
    ]
    queries = {
        f"q_{number}": sample_query(**{part: {"issues": rows} if part == "jira_cache" else rows})
        for number, (part, rows) in enumerate(odd)
    }
    report = run_import(write_exchange(exchange_file(sample_profile(), queries), file))
    assert report.imported["queries"] == len(odd)
    assert sum("what may be a secret" in each.what for each in report.converted) > 5
    assert CANARY not in json.dumps(report.to_document())


def test_a_secret_in_the_version_is_not_in_the_error(store: SQLiteBackend, file: Path) -> None:
    content = exchange_file(sample_profile(), {}, version=f"api_token={CANARY}")
    error = refused(store, write_exchange(content, file))
    assert "version: input should be 1.x or 2.x, got what may be a secret" in str(error)


@pytest.mark.parametrize("parts", [None, [], "x", 3])
def test_a_query_in_another_form_is_skipped(store: SQLiteBackend, file: Path, parts: Any) -> None:
    content = exchange_file(sample_profile(), {"q_1": sample_query(), "q_2": parts})
    report = run_import(write_exchange(content, file))
    assert [query["id"] for query in store.list_queries("p_1")] == ["q_1"]
    [skipped] = report.skipped
    assert skipped.path == file
    assert skipped.what == "query_data: input should be objects: q_2"


@pytest.mark.parametrize(
    ("budget", "queries", "told"),
    [
        ([], {"q_1": {}}, "budget_data: input should be an object, got a list"),
        ({"budget_settings": sample_budget()}, None, "budget_data: there is no query"),
    ],
)
def test_a_budget_of_the_profile_without_a_place_is_reported(
    store: SQLiteBackend, file: Path, budget: Any, queries: Any, told: str
) -> None:
    content = {**exchange_file(sample_profile(), queries), "budget_data": budget}
    report = run_import(write_exchange(content, file))
    assert [each.what for each in report.skipped] == [told]
    assert store.get_budget("p_1", "q_1") is None


def test_the_report_of_many_odd_values_is_short(store: SQLiteBackend, file: Path) -> None:
    """One line for all items of a list, all columns, parts or queries."""
    many = {f"key_{number}": number for number in range(500)}
    query = sample_query(
        statistics=list(range(500)),
        jira_cache={"issues": [{**sample_issue("A-1"), **many}]},
        **many,
    )
    content = {**exchange_file(sample_profile(), {"q_1": query, **many}), **many}
    report = run_import(write_exchange(content, file))
    assert len(report.skipped) == 5
    assert all("and 497 more" in each.what for each in report.skipped)


def test_what_was_skipped_is_logged(
    store: SQLiteBackend, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A caller of ``import_profile`` gets no report."""
    import_profile(write_exchange({**sample_file(), "more\n": 1}, file))
    assert caplog.messages == ["Profile 'p_1': skipped: more\\n: not known"]


def test_what_is_not_known_is_reported(store: SQLiteBackend, file: Path) -> None:
    """Keys of the file, parts of a query and columns of rows; null is nothing."""
    issues = [{**sample_issue("A-1"), "story": 3, "void": None}]
    query = sample_query(jira_cache={"issues": issues}, more=[1], none=None)
    content = {**exchange_file(sample_profile(), {"q_1": query}), "extra": 1}
    report = run_import(write_exchange(content, file))
    assert sorted(each.what for each in report.skipped) == [
        "extra: not known",
        "query_data.q_1.jira_cache: columns that are not known: 1 values of story",
        "query_data.q_1: more: no place here",
    ]


def test_rows_win_over_a_file_of_the_old_dashboard(store: SQLiteBackend, file: Path) -> None:
    """No release wrote both."""
    query = sample_query(project_data={"statistics": []})
    report = run_import(write_exchange(exchange_file(sample_profile(), {"q_1": query}), file))
    assert len((store.get_project_data("p_1", "q_1") or {})["statistics"]) == 2
    assert [each.what for each in report.skipped] == ["query_data.q_1: project_data: no place here"]


# --- any damage --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def occupied(shared: SQLiteBackend) -> SQLiteBackend:
    """Return one backend for all examples, which has another profile."""
    shared.save_profile({"id": "other", "name": "Other"})
    return shared


def attempt(path: Path) -> tuple[ImportReport | None, str]:
    """Return the report of an import, or the message of its error."""
    try:
        return run_import(path), ""
    except PersistenceError as error:
        return None, str(error)


@given(seed=st.integers(0, 2**64), kind=st.sampled_from(["bytes", "one value", "some values"]))
def test_any_damage_is_refused_or_imported_completely(
    occupied: SQLiteBackend, seed: int, kind: str
) -> None:
    """A refusal changes nothing and tells no token; what was imported can be read."""
    set_backend(occupied)
    rng = random.Random(seed)
    data = text(sample_file())
    if kind == "bytes":
        data, _ = damaged_bytes(rng, data)
    else:
        data, _ = damaged_json(rng, data, 1 if kind == "one value" else 5)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file.json"
        path.write_bytes(data)
        report, refusal = attempt(path)
    if report is None:
        assert CANARY not in refusal
        assert str(path) in refusal
        assert [profile["id"] for profile in occupied.list_profiles()] == ["other"]
        return
    assert CANARY not in json.dumps(report.to_document())
    for entity in ENTITIES:
        list(occupied.records(entity))
    assert len(occupied.list_queries(report.profile_id)) == report.imported["queries"]
    occupied.delete_profile(report.profile_id)


# --- limits, links and devices -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("cap", "value", "told"),
    [
        ("MAX_FILE_BYTES", 5000, "'file.json' has more than 0 MB"),
        ("MAX_VALUES", 50, "'file.json' holds more than 50 values"),
    ],
)
def test_a_file_that_would_fill_the_memory_is_refused(
    store: SQLiteBackend,
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
    cap: str,
    value: int,
    told: str,
) -> None:
    """Before it is parsed; the error says what has no limit."""
    monkeypatch.setattr(limits, cap, value)
    error = refused(store, write_exchange(sample_file(), file))
    assert str(error).startswith(f"{file}: {told}; ")
    assert "`burndown migrate`" in str(error)


def test_wide_characters_are_accepted_in_smaller_files_only(
    store: SQLiteBackend, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They take more memory."""
    monkeypatch.setattr(limits, "MAX_FILE_BYTES", MB)
    content = exchange_file(sample_profile(description="a" * (MB // 2)), None)
    run_import(write_exchange(content, file))
    content["profile_data"]["description"] += "🚀"
    error = refused(store, write_exchange(content, file), replace=True)
    assert "'file.json' has more than 0 MB, and characters that take 4 bytes each" in str(error)


def test_more_queries_than_allowed_are_refused(
    store: SQLiteBackend, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BURNDOWN_MAX_QUERIES", "2")
    queries: Document = {f"q_{number}": {} for number in range(3)}
    error = refused(store, write_exchange(exchange_file(sample_profile(), queries), file))
    assert f"{file}: query_data: Profile is not valid: queries: input should be at most 2" in str(
        error
    )


def test_a_link_to_a_file_is_followed_and_a_pipe_refused(
    store: SQLiteBackend, folder: Path, file: Path
) -> None:
    """As for archives."""
    (folder / "link.json").symlink_to(write_exchange(sample_file(), file))
    assert run_import(folder / "link.json").profile_id == "p_1"
    os.mkfifo(folder / "pipe.json")
    assert "there is no such folder or .zip file" in str(refused(store, folder / "pipe.json"))


def test_a_file_in_another_encoding_is_read(store: SQLiteBackend, file: Path) -> None:
    """As editors save it; the report says so."""
    for encoding in ("utf-8-sig", "utf-16", "utf-32"):
        file.write_bytes(text(sample_file()).decode().encode(encoding))
        report = run_import(file, replace=True)
        assert report.converted[0].what.startswith("read as UTF-")
        assert (store.get_profile("p_1") or {})["description"] == "Größe"
