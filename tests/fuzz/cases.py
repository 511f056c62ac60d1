"""The cases: the input of the package, and the rules for the outcome."""

import contextlib
import json
import os
import random
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from burndown import SQLiteBackend, set_backend
from burndown.database import SQLiteDatabase
from burndown.import_export import (
    export_profile,
    export_workspace,
    import_profile,
    read_manifest,
    run_import,
)
from burndown.legacy import is_temporary
from burndown.migration import MigrationReport, run_migration_if_needed
from burndown.models import ENTITIES
from burndown.persistence.json_backend import JSONBackend
from tests.fuzz.archives import damaged_archive
from tests.fuzz.box import Box
from tests.fuzz.damage import (
    HOSTILE_TEXTS,
    damaged_bytes,
    damaged_json,
    damaged_tree,
    random_bytes,
    with_right_digests,
)
from tests.fuzz.material import CANARY, Material
from tests.fuzz.trees import Special, Tree, write_tree

Case = Callable[[random.Random, Material, Box], str]
"""Run one case in a box, and return how it ended."""

_UNDECODABLE = os.fsdecode(b"\xff\xfe")
_IN_EXPORTS = (
    "queries/new.json",
    "queries/con.json",
    "queries/.hidden.json",
    "queries/.json",
    "queries/ a .json",
    "queries/a\n.json",
    "queries/\u202e.json",
    "queries/a\u2028\x1b[2J.json",
    "queries/12W.json",
    "queries/12w.JSON",
    "QUERIES/12w.json",
    "queries/._12w.json",
    ".DS_Store",
    "queries/Thumbs.db",
    "PROFILE.json",
    "inner/manifest.json",
    f"queries/{'ä' * 110}.json",
    f"queries/{_UNDECODABLE}.json",
    "queries/x/y.json",
    "queries/README.md",
    "cache/none.json",
    "changelogs/none.json",
    "project_data/none.json",
    "budgets/none.json",
    "metrics/more.json",
    "manifest.json/x",
    "more/more.json",
    "profile.json.tmp",
)
_IN_WORKSPACES = (
    "profiles/more/profile.json",
    "profiles/more/queries/q/query.json",
    "profiles/a/b/c/d/e/f/g/profile.json",
    "profiles/a/b/queries/q/query.json",
    "profiles/queries/queries/queries/query.json",
    "profiles/%con%/profile.json",
    "profiles/con/profile.json",
    "profiles/KAFKA/profile.json",
    "profiles/ä ö/profile.json",
    f"profiles/{'ä' * 120}/profile.json",
    f"profiles/{_UNDECODABLE}/profile.json",
    f"profiles/kafka/queries/{_UNDECODABLE}/query.json",
    "profiles/kafka/queries/a\nb/query.json",
    "profiles/kafka/queries/\u202e/jira_cache.json",
    "profiles/kafka/queries/12w/burndown.json",
    "profiles/kafka/queries/12w/responses/x.json",
    "profiles/kafka/queries/empty/none.txt",
    "profiles/kafka/app_settings.json",
    "profiles/kafka/profile.json",
    "profiles/profiles.json.tmp",
    "profiles/burndown.json",
    "app_settings.json",
    "jira_cache.json",
    "project_data.json",
    "budget.json",
    "metrics_snapshots.json",
    "task_progress.json",
)
_COMPANIONS = (
    "backups",
    "profiles/burndown.db",
    "profiles/burndown.db.lock",
    "profiles/burndown.db.migrating",
    "profiles/burndown.db-wal",
    "profiles/burndown.json.lock",
    "profiles/burndown.json.writing.lock",
    "profiles/.burndown-work",
    "profiles/.burndown-work/journal.json",
)
_PATHS = (
    *HOSTILE_TEXTS,
    "../outside",
    "../outside/bait.json",
    "../outside/new",
    "../outside/new.zip",
    "../here",
    "../here/new",
    "../input",
    "../input/profile.json",
    "../input/profile.json/x",
    "../input/queries",
    "../store",
    "../store/burndown.db",
    "../store/burndown.db/x",
    "../store/new",
    "pipe",
    "pipe/x",
    "pipe.zip",
    "loop",
    "loop.zip",
    "loop/x",
    "to-outside",
    "to-outside/new",
    "to-bait.zip",
    "folder.zip",
    "empty.zip",
    "new/new/new",
    "new.ZIP",
    ".zip",
    "x" * 255,
    "x" * 250 + ".zip",
    "x/" * 300,
    "x/" * 3000,
    "a\0b",
    _UNDECODABLE,
    "\ud800",
    "/dev/null",
    "/dev/null/x",
    "/dev/zero",
    "/proc/self/mem",
    "/nowhere-at-all/\0",
)


@contextlib.contextmanager
def _in_use(box: Box, store: bytes) -> Iterator[SQLiteBackend]:
    box.database.write_bytes(store)
    with SQLiteBackend(box.database) as backend:
        set_backend(backend)
        try:
            yield backend
        finally:
            set_backend(None)


# --- imports ---------------------------------------------------------------------------------


def import_folder(rng: random.Random, material: Material, box: Box) -> str:
    tree = _damaged_export(rng, material, box)
    write_tree(tree, box.input)
    return _import(rng, material, box, box.input)


def import_archive(rng: random.Random, material: Material, box: Box) -> str:
    tree = _damaged_export(rng, material, box)
    data, told = damaged_archive(rng, tree, str(box.outside))
    box.told += told
    archive = box.root / "export.zip"
    archive.write_bytes(data)
    return _import(rng, material, box, archive)


def import_noise(rng: random.Random, material: Material, box: Box) -> str:
    """Import random bytes as an archive, or as one of the files of an export."""
    archive = box.root / "export.zip"
    box.told.append("noise")
    archive.write_bytes(rng.choice((b"", b"PK", b"PK\x03\x04", b"PK\x05\x06")) + random_bytes(rng))
    return _import(rng, material, box, archive)


def import_exchange_file(rng: random.Random, material: Material, box: Box) -> str:
    """Import a damaged exchange file of the published dashboard, in one of its forms."""
    path = box.root / rng.choice(("file.json", "file.json", "file", "file.zip"))
    if rng.random() < 0.3:
        tree: Tree = dict(rng.choice(material.exchange_archives))
        box.told += damaged_tree(rng, tree, _IN_EXPORTS, box.links)
        data, told = damaged_archive(rng, tree, str(box.outside))
        box.told += told
    else:
        data = rng.choice(material.exchange_files)
        if rng.random() < 0.2:
            data, what = damaged_bytes(rng, data)
        else:
            data, what = damaged_json(rng, data, rng.choice((1, 1, 1, 2, 4, 10)))
        box.told.append(what)
    path.write_bytes(data)
    return _import(rng, material, box, path)


def _damaged_export(rng: random.Random, material: Material, box: Box) -> Tree:
    tree: Tree = dict(rng.choice(material.exports))
    if rng.random() < 0.95:
        box.told += damaged_tree(rng, tree, _IN_EXPORTS, box.links)
    if rng.random() < 0.5:
        with_right_digests(tree)
        box.told.append("right digests")
    return tree


def _import(rng: random.Random, material: Material, box: Box, path: Path) -> str:
    is_empty = rng.random() < 0.7
    options: dict[str, Any] = {"replace": rng.random() < (0.1 if is_empty else 0.8)}
    if rng.random() < 0.2:
        options["profile_name"] = rng.choice(
            (*("New",) * 20, *HOSTILE_TEXTS, "a\0b", "\ud800", 5, [], b"x")
        )
    kind = rng.choice(("run", "run", "run", "run", "profile", "profile", "dry", "dry", "manifest"))
    box.told.append(f"{kind} {options}")
    calls: dict[str, Callable[[], Any]] = {
        "run": lambda: run_import(path, **options),
        "profile": lambda: import_profile(path, **options),
        "dry": lambda: run_import(path, **options, dry_run=True),
        "manifest": lambda: read_manifest(path),
    }
    with _in_use(box, material.stores[0 if is_empty else 1]) as backend:
        rows, files = box.rows(), box.files()
        report, error = box.attempt(calls[kind])
        box.check_files(files)
        if error is not None or kind in ("dry", "manifest"):
            box.check_rows(rows)
            told = "read" if kind == "manifest" else "could be imported"
            return f"refused: {type(error).__name__}" if error is not None else told
        box.check_store(backend)
        profile_id = report if kind == "profile" else report.profile_id
        box.check(backend.get_profile(profile_id) is not None, "the new profile is not there")
        if rng.random() < 0.3:
            _export_again(box, profile_id)
    return "imported"


def _export_again(box: Box, profile_id: str) -> None:
    """Export what was imported, and import it again."""
    path = box.root / "again"
    _, error = box.attempt(lambda: export_profile(profile_id, path, include_secrets=True))
    box.check(error is None, f"cannot be exported again: {error}")
    if error is None:
        _, error = box.attempt(lambda: run_import(path, replace=True))
        box.check(error is None, f"cannot be imported again: {error}")


# --- migrations ------------------------------------------------------------------------------


def migrate(rng: random.Random, material: Material, box: Box) -> str:
    tree = _damaged_workspace(rng, material, box)
    if rng.random() < 0.05:
        box.told.append(_add_companion(rng, tree, box))
    write_tree(tree, box.input)
    (box.input / "profiles").mkdir(exist_ok=True)
    skip_damaged, rehearsed = rng.random() < 0.4, rng.random() < 0.5
    box.told.append(f"skip_damaged={skip_damaged} rehearsed={rehearsed}")
    before = box.files()
    has_journal = _has_journal(before)
    expected = None
    if rehearsed:
        _, expected = _migrated(box, skip_damaged=skip_damaged, dry_run=True)
        box.check_files(before, _journal_rule(before, lambda name: False))
    report, error = _migrated(box, skip_damaged=skip_damaged)
    if error is not None:
        box.check_files(before, _journal_rule(before, _may_failure_change))
        outcome = f"stopped: {type(error).__name__}"
    else:
        box.check_files(before, _journal_rule(before, _may_success_change))
        with SQLiteBackend(box.input / "profiles" / "burndown.db") as backend:
            box.check_store(backend)
        outcome = report.outcome
    if rehearsed and not has_journal and "companion" not in " ".join(box.told):
        box.check(
            type(expected) is type(error), f"a rehearsal gave {expected!r}, and then came {error!r}"
        )
    return outcome


def _damaged_workspace(rng: random.Random, material: Material, box: Box) -> Tree:
    tree: Tree = dict(rng.choice(material.workspaces))
    if rng.random() < 0.97:
        box.told += damaged_tree(rng, tree, _IN_WORKSPACES, box.links)
    return tree


def _add_companion(rng: random.Random, tree: Tree, box: Box) -> str:
    """Add a file that this package keeps next to the old files, written by another program."""
    name = rng.choice(_COMPANIONS)
    for each in [each for each in tree if each.startswith(f"{name}/")]:
        del tree[each]
    if name.endswith("journal.json"):
        names = [
            "../../outside/bait.json",
            "kafka",
            "/x",
            "kafka/../../../outside/bait.json",
            "",
            5,
        ]
        entry: Any = {
            "stage": rng.choice(("0", "..", "../../../outside", 7)),
            "removed": rng.choices(names, k=rng.randrange(3)),
            "written": rng.choices(["bait.json", *names], k=rng.randrange(3)),
        }
        if rng.random() < 0.3:
            entry = rng.choice(([], {}, {**entry, "more": 1}, {**entry, "removed": None}))
        tree[name] = json.dumps(entry).encode() if rng.random() < 0.9 else random_bytes(rng)
    elif name.endswith("burndown.db"):
        tree[name] = rng.choice((b"no database" * 100, Special("folder")))
    else:
        target = rng.choice(box.links[:5]) if name != "backups" else "nowhere"
        tree[name] = rng.choice(
            (b"text", Special("folder"), Special("pipe"), Special("link", target))
        )
    return f"companion {name} {tree[name]!r}"


def _migrated(box: Box, **options: Any) -> tuple[MigrationReport, Exception | None]:
    database = SQLiteDatabase(box.input / "profiles" / "burndown.db")
    try:
        report, error = box.attempt(
            lambda: run_migration_if_needed(box.input / "profiles", database, **options)
        )
    finally:
        database.close()
    if report is not None:
        box.check_messages(json.dumps(report.to_document()))
    return report, error


def _has_journal(files: Iterable[str]) -> bool:
    return any(name.endswith("/journal.json") for name in files)


def _journal_rule(files: Iterable[str], rule: Callable[[str], bool]) -> Callable[[str], bool]:
    """Return the rule, unless there is a journal: that is applied, but only in its folder."""
    if not _has_journal(files):
        return rule
    return lambda name: _may_success_change(name) or name.startswith("input/profiles/")


def _may_failure_change(name: str) -> bool:
    folder, _, below = name.removeprefix("input/").partition("/")
    return folder == "backups" or (
        folder == "profiles"
        and (below in ("burndown.db.lock", "burndown.db.migrating") or is_temporary(below))
    )


def _may_success_change(name: str) -> bool:
    return _may_failure_change(name) or name in {
        f"input/profiles/burndown.db{suffix}" for suffix in ("", "-wal", "-shm", ".orphaned-wal")
    }


# --- as files ------------------------------------------------------------------------------


def open_files(rng: random.Random, material: Material, box: Box) -> str:
    """Open a damaged workspace as a store of JSON files, without migrating it, and change it."""
    tree = _damaged_workspace(rng, material, box)
    if rng.random() < 0.05:
        box.told.append(_add_companion(rng, tree, box))
    write_tree(tree, box.input)
    (box.input / "profiles").mkdir(exist_ok=True)
    before = box.files()
    may_change = _journal_rule(before, _may_failure_change)
    with JSONBackend(box.input / "profiles") as backend:
        for model in ENTITIES:
            box.attempt(partial(box.check_records, backend, model))
        box.attempt(backend.check_integrity)
        box.attempt(backend.describe)
        box.check_files(before, may_change)
        before = box.files()
        _, error = box.attempt(_change(rng, backend))
    if error is not None:
        box.check_files(before, may_change)
        return f"not changed: {type(error).__name__}"
    box.check_files(before, lambda name: name.partition("/")[0] == "input")
    return "changed"


def _change(rng: random.Random, backend: JSONBackend) -> Callable[[], object]:
    ids = rng.choice((("kafka", "12w"), ("kafka", "bugs"), ("default", "main")))
    later = datetime(2100, 1, 1, tzinfo=UTC)
    changes: tuple[Callable[[], object], ...] = (
        lambda: backend.save_profile({"id": ids[0]}),
        lambda: backend.save_query(ids[0], {"id": ids[1]}),
        lambda: backend.save_project_data(*ids, {"k": 1}),
        lambda: backend.save_jira_cache(*ids, "k", {"issues": []}, later),
        lambda: backend.save_jira_changelog(*ids, "K-1", {}),
        lambda: backend.save_metrics_snapshot(*ids, "2025-W12", "dora", {"k": 1}),
        lambda: backend.save_budget(*ids, {"budget_total": 1}),
        lambda: backend.add_budget_revision(*ids, {"reason": "scope"}),
        lambda: backend.set_app_state("active_profile_id", ids[0]),
        lambda: backend.save_task_progress("task", 1, "running"),
        lambda: backend.delete_query(*ids),
        lambda: backend.delete_profile(ids[0]),
    )
    return rng.choice(changes)


# --- paths -----------------------------------------------------------------------------------


def hostile_path(rng: random.Random, material: Material, box: Box) -> str:
    path = rng.choice(_PATHS)
    kind = rng.choice(("import", "import", "export", "export", "export all", "migrate", "id"))
    box.told.append(f"{kind} {path[:100]!r}")
    write_tree(dict(rng.choice(material.exports)), box.input)
    here = box.root / "here"
    here.mkdir()
    links: Tree = {
        "pipe": Special("pipe"),
        "pipe.zip": Special("pipe"),
        "loop": Special("link", "loop"),
        "loop.zip": Special("link", "loop.zip"),
        "to-outside": Special("link", "../outside"),
        "to-bait.zip": Special("link", "../outside/bait.json"),
        "folder.zip": Special("folder"),
        "empty.zip": b"",
    }
    if rng.random() < 0.7:
        write_tree(links, here)
    with _in_use(box, material.stores[1]), _current_folder(here):
        return _tried_path(rng, material, box, kind, path)


def _tried_path(rng: random.Random, material: Material, box: Box, kind: str, path: str) -> str:
    secrets = rng.random() < 0.3
    profile_id = rng.choice(material.profile_ids)
    rows, files = box.rows(), box.files()
    calls: dict[str, Callable[[], Any]] = {
        "import": lambda: run_import(path, replace=True),
        "export": lambda: export_profile(profile_id, path, include_secrets=secrets),
        "export all": lambda: export_workspace(path, include_secrets=secrets),
        "migrate": lambda: run_migration_if_needed(path, SQLiteDatabase("../store/other.db")),
        "id": lambda: export_profile(path, "../new"),
    }
    found, error = box.attempt(calls[kind])
    box.check(Path.cwd() == box.root / "here", "the current folder is another one")
    if kind == "import" and error is None:
        return "imported"
    box.check_rows(rows)
    if kind == "migrate":
        box.check_files(files, lambda name: "backups" in name or name.endswith("burndown.db.lock"))
        return f"stopped: {type(error).__name__}" if error is not None else found.outcome
    if error is not None:
        box.check_files(files, lambda name: name not in files and (box.root / name).is_dir())
        return f"refused: {type(error).__name__}"
    target = Path(path).resolve()
    box.check_files(files, lambda name: _is_of(target, box.root / name, name in files))
    if not secrets:
        for name, data in box.files().items():
            if files.get(name) != data and isinstance(data, bytes):
                box.check(CANARY.encode() not in data, f"the token is exported in {name!r}")
    return "exported"


def _is_of(target: Path, path: Path, was_there: bool) -> bool:
    """Return whether an export may change the path: its target, its content, new folders."""
    path = path.resolve()
    return path.is_relative_to(target) or (not was_there and target.is_relative_to(path))


@contextlib.contextmanager
def _current_folder(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


CASES: tuple[tuple[Case, int], ...] = (
    (import_folder, 27),
    (import_archive, 20),
    (import_noise, 2),
    (import_exchange_file, 15),
    (migrate, 24),
    (open_files, 4),
    (hostile_path, 8),
)
"""The cases, each with its share in percent."""
