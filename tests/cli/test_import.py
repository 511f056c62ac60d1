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


@pytest.fixture
def exported(workspace: Path, capsys: Capture) -> Path:
    """An export of ``kafka``, as one file in the current folder."""
    assert run(["export", "kafka", "kafka.zip", "--json"]) == 0
    capsys.readouterr()
    return workspace / "kafka.zip"


def names(workspace: Path) -> dict[str, str]:
    """The names of all profiles by id."""
    with SQLiteBackend(workspace / "profiles/burndown.db") as backend:
        return {profile["id"]: profile["name"] for profile in backend.list_profiles()}


def test_import_tells_what_came_in_and_what_is_to_be_done(
    capsys: Capture, workspace: Path, exported: Path
) -> None:
    """The token has to be entered again."""
    counts = in_json(capsys, "export", "kafka", "again")["counts"]
    output = printed(capsys, "import", "kafka.zip", "--name", "Kafka 2")
    assert output.startswith("Imported Kafka 2 (kafka-2)\nContents")
    told = dict(re.findall(r"^[│|] ([a-z ]+?) +[│|] +(\d+) [│|]$", output, re.MULTILINE))
    assert {what: int(number) for what, number in told.items()} == counts
    assert output.endswith("enter them again: profile.json: jira_config.token\n")
    assert names(workspace)["kafka-2"] == "Kafka 2"


def test_import_of_a_taken_name_says_the_ways_out(
    capsys: Capture, workspace: Path, exported: Path
) -> None:
    """And changes nothing."""
    before = everything(workspace / "profiles/burndown.db")
    for options in ([], ["--dry-run"], ["--json"]):
        said = refused(capsys, "import", "kafka.zip", *options)
        assert "`--name`" in said
        assert "`--replace`" in said
    assert everything(workspace / "profiles/burndown.db") == before


def test_import_in_place_of_a_profile_tells_what_is_gone(
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


def test_import_for_programs_gives_all_that_is_told(
    capsys: Capture, workspace: Path, exported: Path
) -> None:
    """A dry run gives the same."""
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
        "edited": [],
        "added": [],
        "missing_secrets": ["profile.json: jira_config.token"],
        "warnings": [
            "the export holds no secrets; enter them again: profile.json: jira_config.token"
        ],
    }


def test_import_that_is_only_planned_says_so_and_does_nothing(
    capsys: Capture, workspace: Path, exported: Path
) -> None:
    before = everything(workspace / "profiles/burndown.db")
    output = printed(capsys, "import", "kafka.zip", "--replace", "--dry-run")
    assert output.startswith("Would import Kafka (kafka)\nContents")
    assert "Would replace the profile Kafka, which had 2 queries" in output
    assert not re.search(r"^(Imported|Replaced|Deleted)", output, re.MULTILINE)
    assert everything(workspace / "profiles/burndown.db") == before


def test_import_into_nothing_makes_a_database(
    capsys: Capture, workspace: Path, exported: Path
) -> None:
    """But not if it is only planned."""
    printed(capsys, "import", "kafka.zip", "--profiles", "new/profiles", "--dry-run")
    assert not (workspace / "new").exists()
    printed(capsys, "import", "kafka.zip", "--profiles", "new/profiles")
    with SQLiteBackend(workspace / "new/profiles/burndown.db") as backend:
        assert [profile["id"] for profile in backend.list_profiles()] == ["kafka"]


def test_import_beside_old_files_that_were_not_moved_in_is_refused(
    capsys: Capture, workspace: Path, exported: Path
) -> None:
    """Since they could not be moved in any more."""
    (workspace / "profiles/burndown.db").unlink()
    before = files_below(workspace)
    for options in ([], ["--dry-run"]):
        said = refused(capsys, "import", "kafka.zip", *options)
        assert "`burndown migrate`" in said
    assert files_below(workspace) == before
    printed(capsys, "migrate", "--json")
    printed(capsys, "import", "kafka.zip", "--replace")


def test_import_tells_which_files_were_edited_or_added(
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


def test_import_that_is_damaged_names_the_file(
    capsys: Capture, workspace: Path, exported: Path
) -> None:
    data = exported.read_bytes()
    exported.write_bytes(data[: len(data) // 2])
    before = everything(workspace / "profiles/burndown.db")
    assert refused(capsys, "import", "kafka.zip").startswith("kafka.zip: it cannot be unpacked: ")
    assert everything(workspace / "profiles/burndown.db") == before


@pytest.mark.parametrize("options", [[], ["--dry-run"]])
def test_import_from_a_stranger_has_no_power_over_the_terminal(
    capsys: Capture, workspace: Path, exported: Path, options: list[str]
) -> None:
    """Whatever it says is shown, and moves no cursor."""
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


def test_import_shows_odd_names_as_they_are(
    capsys: Capture, workspace: Path, exported: Path
) -> None:
    """Nothing in them is taken for a colour or a link."""
    output = printed(capsys, "import", "kafka.zip", "--name", ODD_NAME)
    assert output.startswith(f"Imported {ODD_NAME} (")
    profile_id = in_json(capsys, "import", "kafka.zip", "--name", f"{ODD_NAME} 2")["profile_id"]
    printed(capsys, "export", profile_id, "odd.zip")
    output = printed(capsys, "import", "odd.zip", "--replace")
    assert f"Replaced the profile {ODD_NAME} 2, which had" in output
