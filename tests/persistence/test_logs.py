"""What changes a store as a whole is logged, without a secret."""

import logging
from datetime import timedelta
from pathlib import Path

import pytest

from burndown import open_backend
from burndown.demo import write_demo_workspace
from burndown.migration import run_migration_if_needed
from burndown.models import SCHEMA_VERSION
from burndown.testing import Clock, make_profile, make_query, make_response
from tests.support.kept_databases import copy_of


@pytest.fixture(autouse=True)
def _all_levels(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "burndown")


@pytest.mark.parametrize("location", ["store.db", "json:files"])
def test_cleanups_and_backups_are_logged(location: str, caplog: pytest.LogCaptureFixture) -> None:
    """A cleanup that deletes nothing is not."""
    clock = Clock()
    with open_backend(location, clock=clock) as backend:
        backend.save_profile(make_profile(jira_config={"token": "canary"}))
        backend.save_query("kafka", make_query())
        for key in ("a", "b", "c"):
            backend.save_jira_cache("kafka", "12w", key, make_response(3), timedelta(hours=1))
        assert backend.cleanup() == backend.cleanup_expired_cache() == 0
        assert caplog.messages == []
        clock.tick(hours=2)
        backend.save_jira_cache("kafka", "12w", "d", make_response(3), timedelta(hours=1))
        backend.cleanup_expired_cache()
        backend.cleanup(max_bytes=0)
        copy = backend.backup("copy")
    assert caplog.messages == [
        "Deleted 3 cached responses and changelogs",
        "Deleted 1 cached responses and changelogs",
        f"Backed up to {copy}",
    ]
    assert "canary" not in caplog.text


def test_an_upgrade_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Once: the next one that opens the database has nothing to change."""
    path = tmp_path / "old.db"
    copy_of("1.6", path)
    for _ in range(2):
        with open_backend(path) as backend:
            backend.list_profiles()
    assert caplog.messages == [f"Changed the schema of {path} from 1.6 to {SCHEMA_VERSION}"]


def test_a_migration_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Once, with the place of the backup."""
    write_demo_workspace(tmp_path, issues=3)
    with open_backend(tmp_path / "profiles" / "burndown.db") as backend:
        report = run_migration_if_needed(tmp_path / "profiles", backend=backend)
        run_migration_if_needed(tmp_path / "profiles", backend=backend)
    moved = [message for message in caplog.messages if message.startswith("Moved ")]
    assert moved == [
        f"Moved {tmp_path / 'profiles'} to {tmp_path / 'profiles' / 'burndown.db'}; its files are "
        f"backed up to {report.backup}"
    ]
