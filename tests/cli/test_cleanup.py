"""The command cleanup."""

from pathlib import Path

import pytest

from burndown import SQLiteBackend
from burndown.cli import run
from burndown.models import JiraCache, JiraChangelog
from burndown.persistence.caching import is_expired
from tests.support.command_line import Capture, files_below, in_json, printed, refused


def cached(workspace: Path, *, expired: bool | None = None) -> int:
    """Return the number of cached responses and changelogs, of all or of the expired ones."""
    with SQLiteBackend(workspace / "profiles/burndown.db") as backend:
        now = backend.now()
        return sum(
            expired in (None, is_expired(each, now))
            for entity in (JiraCache, JiraChangelog)
            for each in backend.records(entity)
        )


def test_cleanup_keeps_what_is_within_the_limit_of_each_profile(
    capsys: Capture, workspace: Path
) -> None:
    before = cached(workspace)
    assert printed(capsys, "cleanup") == "Deleted 0 cached responses and changelogs\n"
    assert cached(workspace) == before > 0


def test_cleanup_deletes_what_is_above_another_limit(capsys: Capture, workspace: Path) -> None:
    before = cached(workspace)
    assert in_json(capsys, "cleanup", "--max-mb", "0") == {"deleted": before}
    assert cached(workspace) == 0


def test_cleanup_deletes_what_expired_long_ago(capsys: Capture, workspace: Path) -> None:
    valid, expired = cached(workspace, expired=False), cached(workspace, expired=True)
    assert in_json(capsys, "cleanup", "--max-stale", "36500") == {"deleted": 0}
    assert in_json(capsys, "cleanup", "--max-stale", "0") == {"deleted": expired}
    assert cached(workspace) == valid
    assert expired > 0


@pytest.mark.parametrize("days", ["1e12", "inf", "nan", "-1"])
def test_a_number_of_days_that_is_no_time_is_refused(
    capsys: Capture, workspace: Path, days: str
) -> None:
    before = cached(workspace)
    assert run(["cleanup", "--max-stale", days]) == 2
    assert "Invalid value for '--max-stale'" in capsys.readouterr().err
    assert cached(workspace) == before


def test_cleanup_of_a_missing_store_creates_nothing(capsys: Capture, tmp_path: Path) -> None:
    assert str(tmp_path / "profiles") in refused(capsys, "cleanup")
    assert not files_below(tmp_path)
