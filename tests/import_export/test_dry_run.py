"""A dry run reports what the import would do, and changes nothing."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from burndown import PersistenceBackend, SQLiteBackend, set_backend
from burndown.import_export import export_profile, run_import
from burndown.persistence.json_backend import JSONBackend
from burndown.testing.controlled_store import Store, everything
from tests.import_export.exports import FORMS, tree

PLANS: dict[str, tuple[Callable[[Store, Path], object], dict[str, Any]]] = {
    "as it is": (lambda store, path: store.delete_profile("kafka"), {}),
    "under another name": (lambda store, path: None, {"profile_name": "New"}),
    "in place of one": (lambda store, path: None, {"replace": True}),
    "in place of one with more": (
        lambda store, path: store.save_query("kafka", {"id": "gone"}),
        {"replace": True},
    ),
    "in place of one of that name": (
        lambda store, path: (
            store.delete_profile("kafka"),
            store.save_profile({"id": "new", "name": "KAFKA"}),
        ),
        {"replace": True},
    ),
    "with an edited file": (
        lambda store, path: (path / "queries/12w.json").write_text('{"jql": "c = d"}'),
        {"profile_name": "New"},
    ),
    "with an added file": (
        lambda store, path: (path / "queries/new.json").write_text("{}"),
        {"replace": True},
    ),
}


@pytest.mark.parametrize(("prepare", "arguments"), PLANS.values(), ids=PLANS)
def test_a_dry_run_reports_the_same_as_the_import(
    any_store: Store,
    kafka: SQLiteBackend,
    tmp_path: Path,
    prepare: Callable[[Store, Path], object],
    arguments: dict[str, Any],
) -> None:
    """On every backend, and it changes nothing."""
    path = export_profile("kafka", tmp_path / "export")
    any_store.empty()
    set_backend(any_store.backend)
    any_store.save_profile({"id": "kafka", "name": "Kafka"})
    prepare(any_store, path)
    before, files = everything(any_store.backend), tree(path)
    planned = run_import(path, dry_run=True, **arguments)
    assert (everything(any_store.backend), tree(path)) == (before, files)
    assert run_import(path, **arguments) == planned
    assert everything(any_store.backend) != before


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("new_backend", [SQLiteBackend, JSONBackend])
def test_a_dry_run_creates_no_database(
    kafka: SQLiteBackend,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    form: str,
    new_backend: Callable[[Path], PersistenceBackend],
) -> None:
    """It leaves no other file either, not even a temporary one."""
    path = export_profile("kafka", tmp_path / form)
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    with new_backend(tmp_path / "new" / "store") as backend:
        set_backend(backend)
        assert run_import(path, dry_run=True).profile_id == "kafka"
    set_backend(None)
    assert not (tmp_path / "new").exists()
    assert tree(tmp_path / "temporary") == {}


def test_a_dry_run_blocks_no_other(kafka: SQLiteBackend, tmp_path: Path) -> None:
    """Others can write while it reads, and it can run while others write."""
    path = export_profile("kafka", tmp_path / "export")
    with SQLiteBackend(kafka.database.path) as other, other.transaction():
        other.save_profile({"id": "other"})
        assert run_import(path, "Other", dry_run=True).profile_id == "other"
