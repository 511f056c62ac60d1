"""A process that is killed leaves a complete export or import, or nothing of it."""

import json
import os
import shutil
import signal
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from burndown import SQLiteBackend, set_backend
from burndown.import_export import export_profile, run_import
from burndown.testing.controlled_store import Store, everything
from tests.import_export.exports import FORMS, files_of, manifest_of, records_of, sha256
from tests.support.processes import count_calls, killed_at

KILLS = [4, pytest.param(40, marks=pytest.mark.soak)]

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def kill_points(calls: int, kills: int) -> list[int]:
    """Choose when to kill: not at the very end, since two runs differ slightly in their calls."""
    return [1 + calls * 95 * number // (100 * (kills - 1)) for number in range(kills)]


def is_whole(path: Path) -> bool:
    """Return whether the files of an export are those that its manifest lists."""
    files, manifest = files_of(path), manifest_of(path)
    return {name: sha256(data) for name, data in files.items() if name != "manifest.json"} == {
        name: entry["sha256"] for name, entry in manifest["files"].items()
    }


def export_to(target: Path, database: Path) -> None:
    """Export as a process of its own does."""
    with SQLiteBackend(database) as backend:
        set_backend(backend)
        export_profile("kafka", target)


def prepare(first: Path | None, target: Path) -> None:
    """Remove everything in the folder of the target except an earlier export, if there is one."""
    shutil.rmtree(target.parent, ignore_errors=True)
    target.parent.mkdir()
    if first is not None:
        copy = shutil.copytree if first.is_dir() else shutil.copy
        copy(first, target)


def kept(target: Path) -> list[int]:
    """Return the number of queries in each export at the target or next to it; all are complete."""
    found = [target] if target.exists() else list(target.parent.glob("*.earlier"))
    assert all(is_whole(path) for path in found)
    return [manifest_of(path)["counts"]["queries"] for path in found]


@pytest.fixture(params=[False, True], ids=["new", "again"])
def first(request: pytest.FixtureRequest, kafka: SQLiteBackend, tmp_path: Path, form: str) -> Any:
    """Return an earlier export with two queries, or none; the third query is added later."""
    path = export_profile("kafka", tmp_path / "first" / form) if request.param else None
    kafka.save_query("kafka", {"id": "new"})
    return path


@pytest.mark.parametrize("kills", KILLS)
@pytest.mark.parametrize("form", FORMS)
def test_after_a_kill_an_export_is_complete_or_absent(
    kafka: SQLiteBackend, tmp_path: Path, form: str, first: Path | None, kills: int
) -> None:
    """The earlier one stays, and the next export succeeds."""
    target, database = tmp_path / "folder" / form, kafka.database.path
    prepare(first, target)
    export_to(target, database)  # fills caches, which costs calls once
    prepare(first, target)
    for number in kill_points(count_calls(partial(export_to, target, database)), kills):
        prepare(first, target)
        killed_at(partial(export_to, target, database), number)
        assert kept(target) in ([3], [] if first is None else [2])
        export_to(target, database)
        assert kept(target) == [3]
        assert not list(target.parent.glob("*.unfinished"))


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("form", FORMS)
def test_an_export_replaces_another_in_one_step(
    kafka: SQLiteBackend, tmp_path: Path, form: str, first: Path | None, after: bool
) -> None:
    """Killed right before it, the earlier archive is in place, an earlier folder next to it."""
    target = tmp_path / "folder" / form
    prepare(first, target)

    def export_and_die() -> None:
        replace = os.replace

        def die(source: Path, other: Path) -> None:
            if Path(other) == target and not after:
                os.kill(os.getpid(), signal.SIGKILL)
            replace(source, other)
            if Path(other) == target:
                os.kill(os.getpid(), signal.SIGKILL)

        os.replace = die  # type: ignore[assignment]
        export_to(target, kafka.database.path)

    killed_at(export_and_die, -1)
    if after:
        assert kept(target) == [3]
    else:
        assert kept(target) == ([] if first is None else [2])
        assert target.exists() == (first is not None and form == "export.zip")


@pytest.mark.parametrize("kills", KILLS)
@pytest.mark.parametrize("replace", [False, True], ids=["new", "replaced"])
def test_after_a_kill_an_import_is_stored_completely_or_not_at_all(
    any_store: Store, kafka: SQLiteBackend, tmp_path: Path, replace: bool, kills: int
) -> None:
    """On every backend; the replaced profile is intact or gone."""
    path = export_profile("kafka", tmp_path / "export", include_cache=True, include_secrets=True)
    any_store.empty()
    if replace:
        any_store.save_profile({"id": "kafka", "name": "the old one"})
        any_store.save_query("kafka", {"id": "old"})
    before = everything(any_store.backend)

    def import_it() -> None:
        with any_store.another() as other:
            set_backend(other)
            run_import(path, replace=replace)

    def restore() -> None:
        if any_store.get_profile("kafka") is not None:
            any_store.delete_profile("kafka")
        if replace:
            for model, records in before.items():
                any_store.save_records(model, json.loads(records))

    import_it()
    after = everything(any_store.backend)
    assert after != before
    restore()
    calls = count_calls(import_it)
    for number in kill_points(calls, kills):
        restore()
        assert everything(any_store.backend) == before
        killed_at(import_it, number)
        assert everything(any_store.backend) in (before, after)


def test_an_import_that_has_returned_survives_a_kill(
    any_store: Store, kafka: SQLiteBackend, tmp_path: Path
) -> None:
    """On every backend."""
    path = export_profile("kafka", tmp_path / "export", include_cache=True, include_secrets=True)
    any_store.clear()

    def import_and_die() -> None:
        set_backend(any_store.another())
        run_import(path)
        os.kill(os.getpid(), signal.SIGKILL)

    killed_at(import_and_die, -1)
    assert records_of(any_store.backend, "kafka") == records_of(kafka, "kafka")
