"""The command import."""

import json
import re
from pathlib import Path

import pytest

from burndown import SQLiteBackend
from burndown.cli import run
from tests.support.command_line import (
    CANARY,
    ODD_NAME,
    Capture,
    files_below,
    in_json,
    printed,
    refused,
)
from tests.support.database_rows import everything
from tests.support.exchange_files import CANARY as TOKEN
from tests.support.exchange_files import sample_file, write_exchange


@pytest.fixture
def exported(workspace: Path, capsys: Capture) -> Path:
    """Export ``kafka`` to an archive in the current folder."""
    assert run(["export", "kafka", "kafka.zip", "--json"]) == 0
    capsys.readouterr()
    return workspace / "kafka.zip"


def names(workspace: Path) -> dict[str, str]:
    """Return the names of all profiles by id."""
    with SQLiteBackend(workspace / "profiles/burndown.db") as backend:
        return {profile["id"]: profile["name"] for profile in backend.list_profiles()}


def test_import_reports_what_it_stored_and_what_to_do_next(
    capsys: Capture, workspace: Path, exported: Path
) -> None:
    """The token has to be entered again."""
    counts = in_json(capsys, "export", "kafka", "again")["counts"]
    output = printed(capsys, "import", "kafka.zip", "--name", "Kafka 2")
    assert output.startswith("Imported Kafka 2 (kafka-2)\nContents")
    told = dict(re.findall(r"^[│|] ([a-z ]+?) +[│|] +(\d+) [│|]$", output, re.MULTILINE))
    assert {what: int(number) for what, number in told.items()} == {
        what: number for what, number in counts.items() if number
    }
    assert output.endswith("enter them again: profile.json: jira_config.token\n")
    assert names(workspace)["kafka-2"] == "Kafka 2"


def test_import_of_a_taken_name_names_the_options(
    capsys: Capture, workspace: Path, exported: Path
) -> None:
    """It changes nothing."""
    before = everything(workspace / "profiles/burndown.db")
    for options in ([], ["--dry-run"], ["--json"]):
        said = refused(capsys, "import", "kafka.zip", *options)
        assert "`--name`" in said
        assert "`--replace`" in said
    assert everything(workspace / "profiles/burndown.db") == before


def test_import_that_replaces_a_profile_reports_what_is_deleted(
    capsys: Capture, workspace: Path, exported: Path
) -> None:
    """The token of the same server is kept, so there is nothing to enter."""
    with SQLiteBackend(workspace / "profiles/burndown.db") as backend:
        backend.save_query("kafka", {"id": "gone"})
        backend.save_query("kafka", {"id": "also-gone"})
    output = printed(capsys, "import", "kafka.zip", "--replace")
    assert "Replaced the profile Kafka, which had 4 queries" in output
    for query_id in ("also-gone", "gone"):
        assert f"Deleted the query {query_id}, which is not in the export\n" in output
    assert "Warning" not in output
    with SQLiteBackend(workspace / "profiles/burndown.db") as backend:
        assert backend.get_query("kafka", "gone") is None
        profile = backend.get_profile("kafka")
    assert profile is not None
    assert profile["jira_config"]["token"] == CANARY


def test_import_prints_its_report_as_json(capsys: Capture, workspace: Path, exported: Path) -> None:
    """A dry run prints the same."""
    planned = in_json(capsys, "import", "kafka.zip", "--name", "New", "--dry-run")
    found = in_json(capsys, "import", "kafka.zip", "--name", "New")
    assert (planned.pop("dry_run"), found.pop("dry_run")) == (True, False)
    assert planned == found
    assert found.pop("imported")["queries"] == 2
    assert found == {
        "profile_id": "new",
        "profile_name": "New",
        "replaced": None,
        "removed": {},
        "removed_queries": [],
        "converted": [],
        "skipped": [],
        "edited": [],
        "added": [],
        "missing_secrets": ["profile.json: jira_config.token"],
        "warnings": ["the export omits secrets; enter them again: profile.json: jira_config.token"],
    }


def test_a_dry_run_of_an_import_changes_nothing(
    capsys: Capture, workspace: Path, exported: Path
) -> None:
    before = everything(workspace / "profiles/burndown.db")
    output = printed(capsys, "import", "kafka.zip", "--replace", "--dry-run")
    assert output.startswith("Would import Kafka (kafka)\nContents")
    assert "Would replace the profile Kafka, which had 2 queries" in output
    assert not re.search(r"^(Imported|Replaced|Deleted)", output, re.MULTILINE)
    assert everything(workspace / "profiles/burndown.db") == before


def test_import_without_a_database_creates_one(
    capsys: Capture, workspace: Path, exported: Path
) -> None:
    """A dry run does not."""
    printed(capsys, "import", "kafka.zip", "--profiles", "new/profiles", "--dry-run")
    assert not (workspace / "new").exists()
    printed(capsys, "import", "kafka.zip", "--profiles", "new/profiles")
    with SQLiteBackend(workspace / "new/profiles/burndown.db") as backend:
        assert [profile["id"] for profile in backend.list_profiles()] == ["kafka"]


def test_import_next_to_unmigrated_files_is_refused(
    capsys: Capture, workspace: Path, exported: Path
) -> None:
    """After it, they could not be migrated any more."""
    (workspace / "profiles/burndown.db").unlink()
    before = files_below(workspace)
    for options in ([], ["--dry-run"]):
        said = refused(capsys, "import", "kafka.zip", *options)
        assert "`burndown migrate`" in said
    assert files_below(workspace) == before
    printed(capsys, "migrate", "--json")
    printed(capsys, "import", "kafka.zip", "--replace")


def test_import_reports_files_that_were_edited_or_added(
    capsys: Capture, workspace: Path, exported: Path
) -> None:
    printed(capsys, "export", "kafka", "out")
    path = workspace / "out/queries/12w.json"
    query = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps({**query, "jql": "a = b"}))
    (workspace / "out/queries/new.json").write_text("{}")
    output = printed(capsys, "import", "out", "--replace")
    assert "Warning: queries/12w.json was edited after the export\n" in output
    assert "Warning: queries/new.json was added after the export\n" in output
    query = in_json(capsys, "show", "kafka", "12w")
    assert query["jql"] == "a = b"


def test_import_of_a_damaged_export_names_the_file(
    capsys: Capture, workspace: Path, exported: Path
) -> None:
    data = exported.read_bytes()
    exported.write_bytes(data[: len(data) // 2])
    before = everything(workspace / "profiles/burndown.db")
    assert refused(capsys, "import", "kafka.zip").startswith("kafka.zip: it cannot be unpacked: ")
    assert everything(workspace / "profiles/burndown.db") == before


def test_import_of_an_exchange_file_reports_what_was_converted_and_skipped(
    capsys: Capture, workspace: Path
) -> None:
    """In tables, or as JSON like that of a migration; the token is nowhere in it."""
    content = {**sample_file(), "more": 1}
    content["profile_data"]["id"] = ".team"
    (workspace / "below").mkdir()
    write_exchange(content, workspace / "below/file.json")
    planned = in_json(capsys, "import", "below/file.json", "--dry-run")
    assert planned["skipped"] == [{"path": "below/file.json", "why": "more: not known"}]
    [converted] = [each for each in planned["converted"] if "valid id" in each["what"]]
    assert converted == {
        "path": "below/file.json",
        "what": "profile_data: '.team' is not a valid id; now 'team'",
    }
    output = printed(capsys, "import", "below/file.json")
    assert output.startswith("Imported Team A (team)\nContents")
    converted, _, skipped = output.partition("\nConverted")[2].partition("\nSkipped")
    assert "│ file.json │ profile_data: '.team' is not a valid id; now 'team'" in converted
    assert "│ file.json │ more: not known │" in skipped
    assert TOKEN not in output + json.dumps(planned)
    assert in_json(capsys, "show", "team")["name"] == "Team A"


@pytest.mark.parametrize("options", [[], ["--dry-run"]])
def test_import_from_outside_cannot_control_the_terminal(
    capsys: Capture, workspace: Path, exported: Path, options: list[str]
) -> None:
    """All its strings are printed, and none of them moves the cursor."""
    printed(capsys, "export", "kafka", "out")
    power = "\x1b[2J\x1b]0;title\x07\x9b1A\r"
    for name, change in (
        ("profile.json", {"name": f"name {power}"}),
        ("manifest.json", {"left_out": {"secrets": [f"secret {power}"]}}),
    ):
        path = workspace / "out" / name
        path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **change}))
    output = printed(capsys, "import", "out", "--replace", *options)
    shown = "\\x1b[2J\\x1b]0;title\\x07\\x9b1A\\r"
    assert f"name {shown} (kafka)\n" in output
    assert f"enter them again: secret {shown}\n" in output
    manifest = workspace / "out/manifest.json"
    manifest.write_text(json.dumps({"format": "burndown export", "format_version": power}))
    assert "\x1b" not in refused(capsys, "import", "out")
    (workspace / f"file{power}").write_text("{}")
    assert shown in refused(capsys, "import", f"file{power}")


def test_import_prints_unusual_names_unchanged(
    capsys: Capture, workspace: Path, exported: Path
) -> None:
    """No part of them is interpreted as markup."""
    output = printed(capsys, "import", "kafka.zip", "--name", ODD_NAME)
    assert output.startswith(f"Imported {ODD_NAME} (")
    profile_id = in_json(capsys, "import", "kafka.zip", "--name", f"{ODD_NAME} 2")["profile_id"]
    printed(capsys, "export", profile_id, "odd.zip")
    output = printed(capsys, "import", "odd.zip", "--replace")
    assert f"Replaced the profile {ODD_NAME} 2, which had" in output
