"""No token is exported unless the option is given, and none is printed."""

import json
import shutil
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burndown import (
    ImportExportError,
    SQLiteBackend,
    set_backend,
)
from burndown.import_export import (
    export_profile,
    export_workspace,
    import_profile,
    read_manifest,
    run_import,
)
from burndown.testing.contract.drawn import json_objects, json_values
from tests.import_export.exports import (
    CANARY,
    FORMS,
    SECRET_WORDS,
    files_of,
    manifest_of,
    pack,
    records_of,
    refused,
    tree,
    without_revision,
    without_secrets,
    write,
)

secret_keys = st.builds(
    lambda before, word, after: before + word + after,
    st.sampled_from(["", "jira_", "old ", "X-"]),
    st.sampled_from([*SECRET_WORDS, *(word.upper() for word in SECRET_WORDS), "Authorization"]),
    st.sampled_from(["", "s", "_2"]),
)


@st.composite
def with_canary(draw: st.DrawFn) -> dict[str, Any]:
    """Draw an object with a secret somewhere in it, and other values."""
    inner: Any = draw(st.sampled_from([CANARY, [CANARY], {"k": CANARY}]))
    value: dict[str, Any] = {**draw(json_objects), draw(secret_keys): inner}
    for _ in range(draw(st.integers(0, 3))):
        value = {"nested": draw(st.sampled_from([value, [value], [[1, value]]]))}
    return value


@given(value=with_canary(), other=json_values)
def test_no_secret_of_a_profile_is_in_any_file(
    shared: SQLiteBackend, tmp_path_factory: pytest.TempPathFactory, value: Any, other: Any
) -> None:
    """All other values are exported."""
    set_backend(shared)
    profile = {
        "id": "p",
        "jira_token": CANARY,
        "jira_config": {"token": CANARY, "unknown": value},
        "field_mappings": {"dora": {"severity_level": value}},
        "unknown": [value],
        "other": other,
    }
    shared.save_profile(profile)
    folder = export_profile("p", tmp_path_factory.mktemp("export") / "p")
    for path in folder.rglob("*.json"):
        assert CANARY not in path.read_text("utf-8")
    written = json.loads((folder / "profile.json").read_text("utf-8"))
    assert written == without_secrets(without_revision(shared.get_profile("p")))
    shutil.rmtree(folder.parent)


SECRETS_OF_A_QUERY: dict[str, Callable[[SQLiteBackend, dict[str, Any]], object]] = {
    "query": lambda backend, secret: backend.save_query("kafka", {"id": "12w", **secret}),
    "within a query": lambda backend, secret: backend.save_query(
        "kafka", {"id": "12w", "unknown": [secret]}
    ),
    "sealed in a query": lambda backend, _: backend.save_query(
        "kafka", {"id": "12w", "pwd": CANARY, "x-cookie": {"value": [CANARY]}}
    ),
    "sealed in a budget": lambda backend, _: backend.save_budget(
        "kafka", "12w", {"budget_total": 3.0, "auth": CANARY}
    ),
    "project data": lambda backend, secret: backend.save_project_data("kafka", "12w", secret),
    "metrics": lambda backend, secret: backend.save_metrics_snapshot(
        "kafka", "12w", "2025-W12", "other", {"settings": secret}
    ),
}


@pytest.mark.parametrize("put", SECRETS_OF_A_QUERY.values(), ids=SECRETS_OF_A_QUERY)
def test_no_secret_next_to_a_query_is_in_any_file(
    kafka: SQLiteBackend, tmp_path: Path, put: Callable[[SQLiteBackend, dict[str, Any]], object]
) -> None:
    put(kafka, {"jira_token": CANARY})
    folder = export_profile("kafka", tmp_path / "export")
    found = [path.name for path in folder.rglob("*.json") if CANARY in path.read_text("utf-8")]
    assert found == []


def test_an_imported_profile_has_no_token(kafka: SQLiteBackend, tmp_path: Path) -> None:
    folder = export_profile("kafka", tmp_path / "export")
    found = kafka.get_profile(import_profile(folder, "New"))
    assert found is not None
    assert found["jira_config"] == {"base_url": "https://jira.example.com"}


# --- tokens in unexpected fields -----------------------------------------------------------------

Put = Callable[[SQLiteBackend, str], None]


def put_into_profile(**more: Any) -> Put:
    def put(backend: SQLiteBackend, token: str) -> None:
        profile = backend.get_profile("kafka")
        assert profile is not None
        backend.save_profile({**profile, **json.loads(json.dumps(more).replace("TOKEN", token))})

    return put


PLACES: dict[str, tuple[Put, str]] = {
    "the name": (put_into_profile(name="Kafka TOKEN"), "profile.json"),
    "the description": (put_into_profile(description="Bearer TOKEN"), "profile.json"),
    "an unknown key": (put_into_profile(TOKEN=1), "profile.json"),
    "a header": (put_into_profile(headers=["Basic TOKEN"]), "profile.json"),
    "the JQL": (
        lambda backend, token: backend.save_query("kafka", {"id": "12w", "jql": f"a = {token}"}),
        "queries/12w.json",
    ),
    "the id of a query": (
        lambda backend, token: backend.save_query("kafka", {"id": token, "name": "q"}),
        "queries/*****.json",
    ),
    "project data": (
        lambda backend, token: backend.save_project_data("kafka", "12w", {"url": f"?t={token}"}),
        "project_data/12w.json",
    ),
    "metrics": (
        lambda backend, token: backend.save_metrics_snapshot(
            "kafka", "12w", "2025-W12", "dora", {"source": token}
        ),
        "metrics/snapshots.json",
    ),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("put", "place"), PLACES.values(), ids=PLACES)
def test_a_token_in_an_unexpected_field_is_not_exported(
    kafka: SQLiteBackend,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    form: str,
    put: Put,
    place: str,
) -> None:
    """The error names the field and not the token; with secrets it is exported and comes back."""
    caplog.set_level("DEBUG")
    kafka.save_jira_cache("kafka", "12w", "k", {}, datetime.now(UTC))
    kafka.save_jira_changelog("kafka", "12w", "K-1", {})
    put(kafka, CANARY)
    target = tmp_path / "folder" / form
    with pytest.raises(ImportExportError, match="Jira token of profile 'kafka'") as caught:
        export_profile("kafka", target)
    assert f"would be in {place}; remove it there" in str(caught.value)
    assert CANARY not in "".join(traceback.format_exception(caught.value))
    assert CANARY not in caplog.text
    assert tree(tmp_path / "folder") == {}
    with pytest.raises(ImportExportError, match="Jira token of profile 'kafka'") as caught:
        export_workspace(tmp_path / "old")
    assert not (tmp_path / "old").exists()
    before = records_of(kafka, "kafka")
    export_profile("kafka", target, include_secrets=True, include_cache=True)
    import_profile(target, replace=True)
    assert records_of(kafka, "kafka") == before


@pytest.mark.parametrize("kind", ["cached response", "changelog"])
def test_a_token_in_a_cached_response_is_not_exported(
    kafka: SQLiteBackend, tmp_path: Path, kind: str
) -> None:
    """As in the comment of an issue; omitted data are not searched."""
    if kind == "changelog":
        kafka.save_jira_cache("kafka", "12w", "k", {}, datetime.now(UTC))
    export_profile("kafka", tmp_path / "without")
    place = "cache" if kind == "cached response" else "changelogs"
    with pytest.raises(ImportExportError, match=f"would be in {place}/12w.json"):
        export_profile("kafka", tmp_path / "export", include_cache=True)
    assert not (tmp_path / "export").exists()


@pytest.mark.parametrize("token", ['quo"ted\\ \n\t', "ключ-от-🚀", "x" * 8, "</script>\u2028"])
def test_a_token_is_found_in_every_json_spelling(
    kafka: SQLiteBackend, tmp_path: Path, token: str
) -> None:
    kafka.save_profile({"id": "kafka", "name": "Kafka", "jira_config": {"token": token}})
    kafka.save_query("kafka", {"id": "12w", "description": f"({token})"})
    for call in (partial(export_profile, "kafka"), export_workspace):
        with pytest.raises(ImportExportError, match="Jira token"):
            call(tmp_path / "export")


def test_a_token_that_is_the_id_of_its_profile_is_not_printed(
    kafka: SQLiteBackend, tmp_path: Path
) -> None:
    """Nor is it exported."""
    kafka.save_profile({"id": CANARY, "name": "New", "jira_config": {"token": CANARY}})
    for call in (partial(export_profile, CANARY), export_workspace):
        with pytest.raises(ImportExportError, match="Jira token") as caught:
            call(tmp_path / "export")
        assert CANARY not in str(caught.value)


def test_a_token_of_a_few_letters_may_be_anywhere(kafka: SQLiteBackend, tmp_path: Path) -> None:
    """As in examples, where it is not a secret."""
    kafka.save_profile({"id": "kafka", "name": "Kafka", "jira_config": {"token": "project"}})
    path = export_profile("kafka", tmp_path / "export")
    assert b"project = KAFKA" in files_of(path)["queries/12w.json"]
    assert "token" not in json.loads(files_of(path)["profile.json"])["jira_config"]


def test_the_token_of_another_profile_is_not_exported(kafka: SQLiteBackend, tmp_path: Path) -> None:
    """Both may well use the same server."""
    kafka.save_profile({"id": "other", "description": f"uses {CANARY}"})
    with pytest.raises(ImportExportError, match=r"token of profile 'kafka' .* in profile\.json"):
        export_profile("other", tmp_path / "export")
    assert export_profile("other", tmp_path / "export", include_secrets=True).exists()


# --- tokens in output ----------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS)
def test_a_token_is_exported_with_the_option(
    kafka: SQLiteBackend, tmp_path: Path, form: str
) -> None:
    """And comes back with the profile."""
    path = export_profile("kafka", tmp_path / form, include_secrets=True)
    assert CANARY.encode() in files_of(path)["profile.json"]
    assert manifest_of(path)["left_out"]["secrets"] == []
    kafka.delete_profile("kafka")
    report = run_import(path)
    found = kafka.get_profile("kafka")
    assert found is not None
    assert found["jira_config"]["token"] == CANARY
    assert report.missing_secrets == []
    assert CANARY not in f"{report!r} {report.warnings} {read_manifest(path)!r}"


BROKEN: dict[str, Callable[[Any], Any]] = {
    "another value": lambda jira: {**jira, "api_version": "v9"},
    "a list": lambda jira: {**jira, "token": [CANARY]},
    "an object": lambda jira: {**jira, "token": {"value": CANARY}},
    "half a surrogate pair": lambda jira: {**jira, "token": CANARY + "\ud800"},
    "a URL": lambda jira: {**jira, "base_url": f"https://user:{CANARY}@jira.example.com"},
    "a section": lambda jira: [jira],
    "a timestamp": lambda jira: {**jira, "last_test_timestamp": "yesterday"},
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("change", BROKEN.values(), ids=BROKEN)
def test_the_error_of_an_import_contains_no_token(
    kafka: SQLiteBackend,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    form: str,
    change: Callable[[Any], Any],
) -> None:
    """Not even if the token is the invalid value, nor in the traceback or the log."""
    caplog.set_level("DEBUG")
    files = files_of(export_profile("kafka", tmp_path / "first", include_secrets=True))
    profile = json.loads(files["profile.json"])
    profile["jira_config"] = change(profile["jira_config"])
    files["profile.json"] = json.dumps(profile).encode()
    path = pack(files, tmp_path / form) if form != "export" else write(files, tmp_path / form)
    error = refused(kafka, path, "New")
    assert "profile.json" in str(error)
    assert CANARY not in "".join(traceback.format_exception(error))
    assert CANARY not in repr(error)
    assert CANARY not in caplog.text


def test_a_file_that_is_truncated_after_the_token_shows_nothing_of_it(
    kafka: SQLiteBackend, tmp_path: Path
) -> None:
    path = export_profile("kafka", tmp_path / "export", include_secrets=True)
    text = (path / "profile.json").read_bytes()
    (path / "profile.json").write_bytes(text[: text.index(CANARY.encode()) + len(CANARY)])
    error = refused(kafka, path, "New")
    assert CANARY not in "".join(traceback.format_exception(error))


def test_a_successful_import_prints_no_token(
    kafka: SQLiteBackend, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither the log, nor the report, nor any file has it."""
    caplog.set_level("DEBUG")
    told = ""
    for form in FORMS:
        path = export_profile("kafka", tmp_path / form)
        for name, data in files_of(path).items():
            assert CANARY.encode() not in data, name
        told += f"{run_import(path, replace=True)!r}{read_manifest(path)!r}"
    kafka.delete_query("kafka", "12w")
    for file in export_workspace(tmp_path / "old").rglob("*"):
        assert not file.is_file() or CANARY.encode() not in file.read_bytes()
    assert CANARY not in told + caplog.text
