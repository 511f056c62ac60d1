"""A workspace of the old dashboard, opened and changed as JSON files, is what a migration moves."""

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from burndown import MigrationError, PersistenceBackend, SQLiteBackend
from burndown.database import SQLiteDatabase
from burndown.migration import run_migration_if_needed
from burndown.models import AppState, Entity
from burndown.persistence.json_backend import JSONBackend
from tests.support.legacy_workspaces import Files, odd_workspaces, workspaces, write
from tests.support.store import KEYS

NOW = datetime(2025, 12, 23, 10, tzinfo=UTC)
LATER = datetime(2100, 1, 1, tzinfo=UTC)
OF_THE_STORE_ITSELF = ("schema_version", "migration_complete")

slow = settings(suppress_health_check=list(HealthCheck), max_examples=25)


@contextmanager
def folder_of(files: Files) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as root:
        yield write(files, Path(root))


def stored(backend: PersistenceBackend) -> dict[type[Entity], list[str]]:
    """All records as text, but what a store remembers of itself."""
    return {
        model: [
            json.dumps(record)
            for record in backend.records(model)
            if model is not AppState or record["key"] not in OF_THE_STORE_ITSELF
        ]
        for model in KEYS
    }


def migrated(profiles_dir: Path) -> dict[type[Entity], list[str]]:
    """What a migration makes of the folder."""
    with tempfile.TemporaryDirectory() as elsewhere:
        path = Path(elsewhere) / "burndown.db"
        database = SQLiteDatabase(path)
        try:
            run_migration_if_needed(profiles_dir, database)
        finally:
            database.close()
            shutil.rmtree(profiles_dir.parent / "backups", ignore_errors=True)
        with SQLiteBackend(path) as backend:
            return stored(backend)


@slow
@given(files=workspaces() | odd_workspaces())
def test_it_shows_what_a_migration_moves(files: Files) -> None:
    with folder_of(files) as folder:
        backend = JSONBackend(folder)
        try:
            expected = migrated(folder)
        except MigrationError:
            whole, damages = backend.check_integrity()
            assert not whole
            assert damages
            return
        assert stored(backend) == expected


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


@slow
@given(
    files=workspaces() | odd_workspaces(),
    changes=st.lists(st.sampled_from(CHANGES), min_size=1, max_size=3),
)
def test_what_is_not_changed_stays_as_it_was(files: Files, changes: list[Change]) -> None:
    """And so a migration of the changed files moves what one of the old files would have moved."""
    with folder_of(files) as folder:
        backend = JSONBackend(folder)
        if not backend.check_integrity()[0]:
            return
        before = stored(backend)
        for change in changes:
            change(backend)
            assert stored(backend) == before
        assert backend.check_integrity() == (True, [])
        assert migrated(folder) == before
