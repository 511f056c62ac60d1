"""Exports and imports work on the backend they are given, and leave the current one alone."""

from pathlib import Path

import pytest

from burndown import ProfileNotFoundError, SQLiteBackend, set_backend
from burndown.import_export import export_profile, export_workspace, import_profile, run_import
from burndown.persistence.json_backend import JSONBackend
from tests.import_export.exports import FORMS, nothing_imported, whole


@pytest.fixture
def current(kafka: SQLiteBackend, tmp_path: Path) -> SQLiteBackend:
    """The current backend: another profile has the id of the one in ``kafka``."""
    other = SQLiteBackend(tmp_path / "current.db")
    other.save_profile({"id": "kafka", "name": "Another"})
    set_backend(other)
    return other


@pytest.mark.parametrize("form", FORMS)
def test_a_profile_moves_between_two_given_backends(
    kafka: SQLiteBackend, current: SQLiteBackend, tmp_path: Path, form: str
) -> None:
    path = export_profile("kafka", tmp_path / form, backend=kafka)
    with nothing_imported(current), SQLiteBackend(tmp_path / "target.db") as target:
        assert run_import(path, dry_run=True, backend=target).profile_name == "Kafka"
        assert not target.exists()
        assert import_profile(path, backend=target) == "kafka"
        assert whole(target, "kafka") == whole(kafka, "kafka")
        assert import_profile(path, replace=True, backend=target) == "kafka"


def test_a_profile_of_the_current_backend_is_not_exported_from_another_one(
    kafka: SQLiteBackend, current: SQLiteBackend, tmp_path: Path
) -> None:
    current.save_profile({"id": "only-here"})
    with pytest.raises(ProfileNotFoundError):
        export_profile("only-here", tmp_path / "export", backend=kafka)


def test_the_given_backend_is_exported_as_a_workspace(
    kafka: SQLiteBackend, current: SQLiteBackend, tmp_path: Path
) -> None:
    folder = export_workspace(tmp_path / "old", include_secrets=True, backend=kafka)
    with JSONBackend(folder / "profiles") as files:
        assert whole(files, "kafka") == whole(kafka, "kafka")
