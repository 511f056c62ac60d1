"""The commands clear and compact."""

from pathlib import Path
from typing import Any

import pytest

from burndown import SQLiteBackend
from burndown.models import ENTITIES
from burndown.persistence.json_backend import JSONBackend
from tests.support.command_line import Capture, in_json, printed

TABLES = {
    "--responses": ("cached responses", "jira_cache"),
    "--changelogs": ("changelogs", "jira_changelog_cache"),
    "--project-data": ("project data", "project_data"),
    "--metrics": ("metrics snapshots", "metrics_snapshots"),
}
"""For each option, what it deletes and its table."""


@pytest.fixture
def path(workspace: Path) -> Path:
    return workspace / "profiles/burndown.db"


def records(path: Path) -> dict[str, list[Any]]:
    """Return all records, by table."""
    with SQLiteBackend(path) as backend:
        return {str(each.__tablename__): list(backend.records(each)) for each in ENTITIES}


@pytest.mark.parametrize("option", TABLES)
@pytest.mark.parametrize("ids", [("kafka", "12w"), ("kafka",)])
def test_clear_deletes_what_is_named(
    capsys: Capture, path: Path, option: str, ids: tuple[str, ...]
) -> None:
    """It reports how many records it deleted, and a second time none."""
    before, (label, table) = records(path), TABLES[option]
    kept = [
        each for each in before[table] if (each["profile_id"], each["query_id"])[: len(ids)] != ids
    ]
    count = len(before[table]) - len(kept)
    assert count
    assert in_json(capsys, "clear", *ids, option) == {"deleted": {label: count}}
    assert records(path) == {**before, table: kept}
    assert f"{label} │      0" in printed(capsys, "clear", *ids, option)


def test_clear_deletes_metrics_of_a_type_and_of_weeks(capsys: Capture, path: Path) -> None:
    before = records(path)["metrics_snapshots"]
    weeks = sorted({each["snapshot_date"] for each in before if each["query_id"] == "12w"})
    first, last = weeks[3], weeks[7]
    deleted = in_json(
        *(capsys, "clear", "kafka", "12w", "--metrics"),
        *("--type", "flow", "--since", first, "--until", last),
    )
    assert deleted == {"deleted": {"metrics snapshots": 5}}
    assert records(path)["metrics_snapshots"] == [
        each
        for each in before
        if each["query_id"] != "12w"
        or each["metric_type"] != "flow"
        or not first <= each["snapshot_date"] <= last
    ]


def test_compact_gives_space_back(capsys: Capture, path: Path) -> None:
    """It reports the size of the file, which is intact."""
    printed(capsys, "clear", "kafka", "--responses", "--changelogs")
    before, size = records(path), path.stat().st_size
    found = in_json(capsys, "compact")
    assert found == {
        "location": str(path),
        "size_bytes": path.stat().st_size,
        "given_back_bytes": size - path.stat().st_size,
    }
    assert found["given_back_bytes"] > 0
    assert records(path) == before
    assert in_json(capsys, "check")["ok"]
    kb = path.stat().st_size // 1024
    assert printed(capsys, "compact") == f"{path}: gave 0 KB back, and has {kb} KB now\n"


def test_both_work_on_a_store_of_json_files(capsys: Capture, path: Path) -> None:
    printed(capsys, "copy", str(path), "json:files")
    options = ("--database", "json:files")
    assert in_json(capsys, "clear", "kafka", "--project-data", *options)["deleted"] == {
        "project data": 2
    }
    assert in_json(capsys, "compact", *options)["given_back_bytes"] == 0
    assert JSONBackend("files").get_project_data("kafka", "12w") is None
