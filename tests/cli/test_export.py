"""The command export."""

import json
import re
import zipfile
from pathlib import Path

import pytest

from tests.support.command_line import (
    CANARY,
    Capture,
    files_below,
    in_json,
    on_a_terminal,
    printed,
    refused,
)
from tests.support.database_rows import everything, rows


@pytest.mark.parametrize("name", ["out", "out.zip"])
def test_export_reports_what_it_wrote_and_omitted(
    capsys: Capture, workspace: Path, name: str
) -> None:
    """The numbers are those of the database."""
    output = printed(capsys, "export", "kafka", name)
    assert output.startswith(f"Exported Kafka (kafka) to {name}\n")
    told = dict(re.findall(r"^[│|] ([a-z ]+?) +[│|] +(\d+) [│|]$", output, re.MULTILINE))
    database = workspace / "profiles/burndown.db"
    assert {what: int(number) for what, number in told.items()} == {
        what: sum(row["profile_id"] == "kafka" for row in rows(database, table))
        for what, table in {
            "queries": "queries",
            "project data": "project_data",
            "metrics snapshots": "metrics_snapshots",
            "budgets": "budgets",
        }.items()
    }
    assert "Omitted: cached responses, changelogs (--include-cache adds them)" in output
    assert "Omitted secrets: profile.json: jira_config.token (--include-secrets adds" in output
    assert (workspace / name).exists()


def test_export_includes_data_by_options(capsys: Capture, workspace: Path) -> None:
    """With all options, nothing is omitted."""
    options = ["--include-cache", "--include-secrets"]
    output = printed(capsys, "export", "kafka", "out.zip", *options)
    assert "Omitted" not in output
    with zipfile.ZipFile("out.zip") as archive:
        assert "cache/12w.json" in archive.namelist()
        assert "changelogs/bugs.json" in archive.namelist()
        profile = json.loads(archive.read("profile.json"))
    assert profile["jira_config"]["token"] == CANARY


def test_export_prints_the_manifest_as_json(capsys: Capture, workspace: Path) -> None:
    """The path is part of it."""
    found = in_json(capsys, "export", "kafka", "backups/kafka")
    assert found.pop("path") == "backups/kafka"
    assert found == json.loads((workspace / "backups/kafka/manifest.json").read_text("utf-8"))


def test_export_changes_no_stored_data(capsys: Capture, workspace: Path) -> None:
    """It changes no other file either."""
    before, files = everything(workspace / "profiles/burndown.db"), files_below(workspace)
    printed(capsys, "export", "kafka", "out")
    printed(capsys, "export", "kafka", "out.zip")
    printed(capsys, "export", "--legacy", "old")
    assert everything(workspace / "profiles/burndown.db") == before
    assert {path: files_below(workspace)[path] for path in files if path.suffix != ".db"} == {
        path: data for path, data in files.items() if path.suffix != ".db"
    }


def test_a_second_export_replaces_the_first(capsys: Capture, workspace: Path) -> None:
    """It replaces nothing else."""
    for name in ("out", "out.zip"):
        for _ in range(2):
            printed(capsys, "export", "kafka", name)
    (workspace / "out/notes.txt").write_text("mine")
    said = refused(capsys, "export", "kafka", "out")
    assert "'notes.txt'" in said
    assert (workspace / "out/notes.txt").read_text() == "mine"


def test_export_for_the_old_dashboard_reports_how_to_start_it(
    capsys: Capture, workspace: Path
) -> None:
    """All profiles are exported, and the tokens only with the option."""
    output = printed(capsys, "export", "--legacy", "old")
    assert "start the old dashboard in old" in output
    assert "the Jira tokens (--include-secrets adds them)" in output
    written = [workspace / f"old/profiles/{name}/profile.json" for name in ("kafka", "zh")]
    assert all(path.exists() for path in written)
    assert CANARY not in written[0].read_text("utf-8")
    found = in_json(capsys, "export", "--legacy", "secret", "--include-secrets")
    assert found == {"path": "secret", "includes_secrets": True, "locked": []}
    assert CANARY in (workspace / "secret/profiles/kafka/profile.json").read_text("utf-8")
    assert "exists already" in refused(capsys, "export", "--legacy", "old")


def test_a_legacy_export_can_be_migrated_again(capsys: Capture, workspace: Path) -> None:
    """Exporting and migrating ends with the same numbers."""
    printed(capsys, "export", "--legacy", "old")
    before = in_json(capsys, "show")
    printed(capsys, "migrate", "--profiles", "old/profiles")
    after = in_json(capsys, "show", "--profiles", "old/profiles")
    for found in (before, after):
        del found["database"]
        for profile in found["profiles"]:
            for query in profile["queries"]:
                for cache in query["cached_responses"]:
                    del cache["age_seconds"]
    assert after == before


def test_export_from_another_folder(capsys: Capture, workspace: Path) -> None:
    (workspace / "profiles").rename(workspace / "elsewhere")
    printed(capsys, "export", "zh", "out", "--profiles", "elsewhere")
    assert json.loads((workspace / "out/profile.json").read_text("utf-8"))["name"] == "Zürich ✓ 中"


def test_export_fits_on_a_narrow_terminal(workspace: Path) -> None:
    shown = on_a_terminal("export", "kafka", "out", columns=40)
    assert shown.code == 0
    assert shown.screen[0] == "Exported Kafka (kafka) to out"
