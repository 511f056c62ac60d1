"""Secrets in an export that are sealed with a passphrase are opened elsewhere, and nowhere else."""

import zipfile
from pathlib import Path
from typing import Any

import pytest

from burndown import SQLiteBackend
from burndown.cli import run
from burndown.errors import ImportExportError
from burndown.import_export import export_profile, import_profile, read_manifest, run_import
from tests.support.command_line import Capture
from tests.support.secret_keys import CANARY, KEY, OTHER_KEY, VARIABLE, files_with

PASSPHRASE = "correct horse battery staple"
JIRA = {"base_url": "https://jira.example.com", "token": CANARY, "headers": [{"cookie": CANARY}]}


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SQLiteBackend:
    """Return a store with secrets, itself sealed."""
    monkeypatch.setenv(VARIABLE, KEY)
    backend = SQLiteBackend(tmp_path / "source.db")
    backend.save_profile({"id": "p", "jira_config": JIRA, "legacy_secret": {"k": CANARY}})
    backend.save_query("p", {"id": "q", "api_token": CANARY})
    return backend


def imported(export: Path, backend: SQLiteBackend, passphrase: str | None) -> Any:
    import_profile(export, passphrase=passphrase, replace=True, backend=backend)
    return backend.get_profile("p")


@pytest.mark.parametrize("name", ["export", "export.zip"])
def test_secrets_are_opened_with_the_passphrase(
    source: SQLiteBackend,
    backend: SQLiteBackend,
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    export = export_profile("p", tmp_path / name, passphrase=PASSPHRASE, backend=source)
    if export.suffix == ".zip":
        with zipfile.ZipFile(export) as archive:
            archive.extractall(tmp_path / "extracted")
    assert files_with(tmp_path) == []
    assert read_manifest(export).left_out.secrets == []
    monkeypatch.delenv(VARIABLE)
    found = imported(export, backend, PASSPHRASE)
    assert found["jira_config"] == JIRA
    assert found["legacy_secret"] == {"k": CANARY}
    query: Any = backend.get_query("p", "q")
    assert query["api_token"] == CANARY


def test_without_it_they_are_omitted_and_named(
    source: SQLiteBackend, backend: SQLiteBackend, tmp_path: Path
) -> None:
    export = export_profile("p", tmp_path / "export", passphrase=PASSPHRASE, backend=source)
    report = run_import(export, backend=backend)
    assert report.missing_secrets == [
        "profile.json: jira_config.headers[0].cookie",
        "profile.json: jira_config.token",
        "profile.json: legacy_secret",
        "queries/q.json: api_token",
    ]
    found: Any = backend.get_profile("p")
    assert found["jira_config"] == {"base_url": JIRA["base_url"], "headers": [{}]}


@pytest.mark.parametrize(
    "options", [{}, {"include_secrets": True}, {"passphrase": PASSPHRASE}], ids=str
)
def test_secrets_that_no_key_opens_are_omitted_and_named(
    source: SQLiteBackend,
    backend: SQLiteBackend,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: dict[str, Any],
) -> None:
    """By the export and the import, as for the other secrets; nothing stands in their place."""
    monkeypatch.setenv(VARIABLE, OTHER_KEY)
    source.patch_profile("p", {"pwd": "opened"})
    export = export_profile("p", tmp_path / "export", backend=source, **options)
    locked = {
        "profile.json: jira_config.headers[0].cookie",
        "profile.json: jira_config.token",
        "profile.json: legacy_secret",
        "queries/q.json: api_token",
    }
    missing = locked if options else {*locked, "profile.json: pwd"}
    assert set(read_manifest(export).left_out.secrets) == missing
    report = run_import(export, passphrase=options.get("passphrase"), backend=backend)
    assert set(report.missing_secrets) == missing
    found: Any = backend.get_profile("p")
    assert found["jira_config"] == {"base_url": JIRA["base_url"], "headers": [{}]}
    assert found.get("pwd") == ("opened" if options else None)
    assert "legacy_secret" not in found


def test_another_passphrase_is_refused(
    source: SQLiteBackend, backend: SQLiteBackend, tmp_path: Path
) -> None:
    export = export_profile("p", tmp_path / "export", passphrase=PASSPHRASE, backend=source)
    with pytest.raises(ImportExportError, match="the passphrase does not open it") as caught:
        imported(export, backend, "another one")
    assert CANARY not in str(caught.value)
    assert backend.list_profiles() == []


def test_a_passphrase_is_not_empty(source: SQLiteBackend, tmp_path: Path) -> None:
    with pytest.raises(ImportExportError, match="passphrase: input should not be empty"):
        export_profile("p", tmp_path / "export", passphrase="", backend=source)
    assert not (tmp_path / "export").exists()


def test_a_passphrase_has_any_normalization(
    source: SQLiteBackend, backend: SQLiteBackend, tmp_path: Path
) -> None:
    export = export_profile("p", tmp_path / "export", passphrase="caf\u00e9", backend=source)
    assert imported(export, backend, "cafe\u0301")["jira_config"] == JIRA


def test_a_token_in_an_unexpected_place_is_refused(source: SQLiteBackend, tmp_path: Path) -> None:
    """It would not be sealed there."""
    source.patch_profile("p", {"description": f"Bearer {CANARY}"})
    with pytest.raises(ImportExportError, match="Jira token of profile 'p'"):
        export_profile("p", tmp_path / "export", passphrase=PASSPHRASE, backend=source)


def test_the_commands_take_a_file_with_it(
    source: SQLiteBackend, tmp_path: Path, capsys: Capture
) -> None:
    source.close()
    file = tmp_path / "passphrase"
    file.write_text(f"{PASSPHRASE}\n", "utf-8")
    options = ["--passphrase-file", str(file)]
    store = ["--database", str(tmp_path / "source.db")]
    assert run(["export", "p", "out.zip", *options, *store]) == 0
    assert run(["import", "out.zip", *options]) == 0
    with SQLiteBackend(tmp_path / "profiles/burndown.db") as backend:
        found: Any = backend.get_profile("p")
    assert found["jira_config"] == JIRA
    for content in (b"", b"\n", b"\xff"):
        file.write_bytes(content)
        assert run(["import", "out.zip", *options]) == 2
    file.unlink()
    assert run(["import", "out.zip", *options]) == 2
    output = "".join(capsys.readouterr())
    assert PASSPHRASE not in output
    assert CANARY not in output
