"""A workspace of the old dashboard as a store of JSON files is equal to its migration."""

import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import strategies as st

from burndown import MigrationError
from burndown.models import JiraChangelog, MetricsSnapshot, TaskProgress
from burndown.persistence.json_backend import JSONBackend
from burndown.testing.contract.examples import given
from burndown.testing.controlled_store import KEYS, stored_records
from burndown.testing.strategies import legacy_workspaces
from burndown.testing.strategies.workspaces import Files
from tests.support.legacy_workspaces import (
    migrated_records,
    unexpected_workspaces,
    write,
)

LONG_AGO = datetime(2024, 1, 1, tzinfo=UTC)


@contextmanager
def folder_of(files: Files) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as root:
        yield write(files, Path(root))


@given(files=legacy_workspaces() | unexpected_workspaces(), divisor=2, large=True)
def test_a_workspace_has_the_data_of_its_migration(files: Files) -> None:
    with folder_of(files) as folder:
        backend = JSONBackend(folder)
        try:
            expected = migrated_records(folder)
        except MigrationError:
            whole, damages = backend.check_integrity()
            assert not whole
            assert damages
            return
        assert stored_records(backend) == expected


Change = Callable[[JSONBackend], object]


def save_again(backend: JSONBackend) -> None:
    for profile in backend.list_profiles():
        backend.save_profile(profile)
        for query in backend.list_queries(profile["id"]):
            backend.save_query(profile["id"], query)


def save_all_records(backend: JSONBackend) -> None:
    with backend.transaction():
        for model in KEYS:
            backend.save_records(model, list(backend.records(model)))


def save_and_forget(backend: JSONBackend) -> None:
    backend.save_profile({"id": "another", "name": "Nobody has this name"})
    backend.save_query("another", {"id": "q"})
    backend.save_project_data("another", "q", {})
    backend.delete_profile("another")


def remember(backend: JSONBackend) -> None:
    backend.set_app_state("key", "value")
    backend.set_app_state("key", None)


def change_and_undo(backend: JSONBackend) -> None:
    try:
        with backend.transaction():
            save_again(backend)
            for profile in backend.list_profiles():
                backend.delete_profile(profile["id"])
            raise LookupError
    except LookupError:
        pass


CHANGES: list[Change] = [save_again, save_all_records, save_and_forget, remember, change_and_undo]


@given(
    files=legacy_workspaces() | unexpected_workspaces(),
    changes=st.lists(st.sampled_from(CHANGES), min_size=1, max_size=3),
    divisor=2,
    large=True,
)
def test_unchanged_data_stay_as_they_were(files: Files, changes: list[Change]) -> None:
    """A migration of the changed files gives the same data as one of the old files."""
    with folder_of(files) as folder:
        backend = JSONBackend(folder)
        if not backend.check_integrity()[0]:
            return
        before = stored_records(backend)
        for change in changes:
            change(backend)
            assert stored_records(backend) == before
        assert backend.check_integrity() == (True, [])
        assert migrated_records(folder) == before


def test_a_profile_that_only_the_registry_has_keeps_its_time(tmp_path: Path) -> None:
    """The time of the file dates it, which each change of another profile writes again."""
    registry = tmp_path / "profiles.json"
    registry.write_text('{"version": "3.0", "profiles": {"kafka": {"name": "Kafka"}}}')
    os.utime(registry, (LONG_AGO.timestamp(), LONG_AGO.timestamp()))
    backend = JSONBackend(tmp_path)
    before = backend.get_profile("kafka")
    assert before is not None
    assert before["created_at"] == LONG_AGO.isoformat()
    backend.set_app_state("key", "value")
    assert JSONBackend(tmp_path).get_profile("kafka") == before


def test_what_a_release_before_leases_wrote_is_read(tmp_path: Path) -> None:
    """Its sidecars have no leases, times of changelogs and forecasts by metric."""
    backend = JSONBackend(tmp_path, clock=lambda: LONG_AGO)
    backend.save_profile({"id": "p"})
    backend.save_query("p", {"id": "q"})
    backend.save_jira_changelog("p", "q", "K-1", {}, LONG_AGO)
    backend.save_metrics_snapshot("p", "q", "2025-W12", "dora", {"k": 1}, {"k": 2}, {"k": {}})
    backend.save_task_progress("fetch", 30, "running", "page 3")
    before = stored_records(backend)
    for path in (tmp_path / "burndown.json", tmp_path / "p/queries/q/burndown.json"):
        written = json.loads(path.read_text())
        written.pop("changelogs_created", None)
        for snapshot in written.get("snapshots", []):
            del snapshot["forecasts"]
        for task in written.get("tasks", {}).values():
            for name in TaskProgress.LEASE_FIELDS:
                del task[name]
        path.write_text(json.dumps(written))
    after = stored_records(JSONBackend(tmp_path))
    assert after.pop(TaskProgress) == before.pop(TaskProgress)
    [changelog], [snapshot] = after.pop(JiraChangelog), after.pop(MetricsSnapshot)
    at = json.dumps(LONG_AGO.isoformat())
    [expected] = before.pop(JiraChangelog)
    assert changelog == expected.replace(f'"created_at": {at}', '"created_at": null')
    [expected] = before.pop(MetricsSnapshot)
    assert snapshot == expected.replace('"forecasts": {"k": {}}', '"forecasts": null')
    assert after == before
