"""A profile to export, on SQLite; and a store of every backend."""

import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from burndown import SQLiteBackend, set_backend
from tests.import_export.exports import CANARY, SNAPSHOT
from tests.support.backends import BACKENDS
from tests.support.store import one_store_on


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Create the database that :func:`kafka` copies."""
    path = tmp_path_factory.mktemp("template") / "burndown.db"
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    with SQLiteBackend(path) as backend, backend.transaction():
        backend.save_profile(
            {
                "id": "kafka",
                "name": "Kafka",
                "jira_config": {"base_url": "https://jira.example.com", "token": CANARY},
                "forecast_settings": {"pert_factor": 1.5},
                "unknown": {"Größe": [1, 2.0, None]},
            }
        )
        for query_id in ("12w", "bugs"):
            backend.save_query("kafka", {"id": query_id, "jql": "project = KAFKA"})
            backend.save_metrics_snapshots(
                "kafka", query_id, [SNAPSHOT, {**SNAPSHOT, "metric_type": "flow", "forecast": {}}]
            )
        backend.save_project_data("kafka", "12w", {"statistics": [{"week": "2025-W12"}]})
        backend.save_budget("kafka", "12w", {"budget_total": 48_000, "revisions": [{"own": 1}]})
        backend.save_jira_cache("kafka", "12w", "k", {"issues": [CANARY]}, tomorrow)
        backend.save_jira_changelog("kafka", "12w", "K-1", {"histories": [CANARY]})
    return path


@pytest.fixture
def kafka(template: Path, backend: SQLiteBackend) -> SQLiteBackend:
    """Return the current backend, with the profile ``kafka`` and its queries ``12w`` and ``bugs``.

    Its token is in cached responses, too.
    """
    shutil.copy(template, backend.database.path)
    set_backend(backend)
    return backend


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SQLiteBackend]:
    """Open one backend for all examples of a module."""
    with SQLiteBackend(tmp_path_factory.mktemp("shared") / "burndown.db") as backend:
        yield backend


any_store = one_store_on(BACKENDS)


@pytest.fixture
def folder() -> Iterator[Path]:
    """Create an empty folder, for the examples of a property too."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@pytest.fixture
def file(folder: Path) -> Path:
    """Return the path of an exchange file to import."""
    return folder / "file.json"


@pytest.fixture
def store(backend: SQLiteBackend) -> SQLiteBackend:
    """Return the current backend, which has another profile."""
    set_backend(backend)
    backend.save_profile({"id": "other", "name": "Other"})
    return backend
