"""A process that is killed leaves all of an export or import, or nothing of it."""

import json
import os
import shutil
import signal
from functools import partial
from pathlib import Path

import pytest

from burndown import SQLiteBackend, set_backend
from burndown.import_export import export_profile, run_import
from tests.contract.store import Store, everything
from tests.import_export.exports import FORMS, files_of, manifest_of, records_of, sha256
from tests.kills import count_calls, killed_at

KILLS = 10

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def moments(calls: int) -> list[int]:
    """When to kill: at the first call, at the last ones, and between."""
    return [*(1 + calls * number // KILLS for number in range(KILLS)), calls - 10, calls - 1]


def is_whole(path: Path) -> bool:
    """Whether the files of an export are those that its manifest lists."""
    files, manifest = files_of(path), manifest_of(path)
    return {name: sha256(data) for name, data in files.items() if name != "manifest.json"} == {
        name: entry["sha256"] for name, entry in manifest["files"].items()
    }


def export_to(target: Path, database: Path) -> None:
    """As a process of its own does it."""
    with SQLiteBackend(database) as backend:
        set_backend(backend)
        export_profile("kafka", target)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("earlier", [False, True], ids=["new", "again"])
def test_after_a_kill_an_export_is_there_as_a_whole_or_not_at_all(
    kafka: SQLiteBackend, tmp_path: Path, form: str, earlier: bool
) -> None:
    """What was there before stays, in its place or, at one moment of a folder, beside it."""
    database = kafka.database.path
    first = export_profile("kafka", tmp_path / "first" / form)
    kafka.save_query("kafka", {"id": "new"})
    target = tmp_path / "folder" / form

    def prepare() -> None:
        shutil.rmtree(target.parent, ignore_errors=True)
        target.parent.mkdir()
        if earlier:
            copy = shutil.copytree if first.is_dir() else shutil.copy
            copy(first, target)

    prepare()
    export_to(target, database)  # fills caches, which costs calls once
    prepare()
    calls = count_calls(partial(export_to, target, database))
    queries = []
    for number in moments(calls):
        prepare()
        killed_at(partial(export_to, target, database), number)
        found = [target] if target.exists() else list(target.parent.glob("*.earlier"))
        assert len(found) == 1 or not earlier
        for path in found:
            assert is_whole(path)
            queries.append(manifest_of(path)["counts"]["queries"])
        export_to(target, database)
        assert manifest_of(target)["counts"]["queries"] == 3
    assert set(queries) == ({2, 3} if earlier else {3})


@pytest.mark.parametrize("replace", [False, True], ids=["new", "replaced"])
def test_after_a_kill_all_of_an_import_is_stored_or_nothing(
    any_store: Store, kafka: SQLiteBackend, tmp_path: Path, replace: bool
) -> None:
    """On every backend; what it was to replace is there as a whole or gone."""
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

    def put_back() -> None:
        if any_store.get_profile("kafka") is not None:
            any_store.delete_profile("kafka")
        if replace:
            for model, records in before.items():
                any_store.save_records(model, json.loads(records))

    import_it()
    after = everything(any_store.backend)
    assert after != before
    put_back()
    calls = count_calls(import_it)
    for number in moments(calls):
        put_back()
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
