"""Each changed bit and each lost page of a database is reported, or changes nothing."""

import json
import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from burndown import PersistenceError, SQLiteBackend
from burndown.copying import copy_store
from burndown.demo import write_demo_workspace
from burndown.models import ENTITIES
from burndown.persistence import open_backend
from burndown.testing.controlled_store import START
from tests.support.damage import Damage, changed_bit, lost_page
from tests.support.database_rows import unindexed_rows

SEEDS = range(1, 11)
"""Of the long runs, which can be repeated one by one."""


@pytest.fixture(scope="module")
def intact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Migrate a sample workspace."""
    folder = tmp_path_factory.mktemp("flips")
    write_demo_workspace(folder, issues=20, now=START)
    path = folder / "intact.db"
    files = open_backend(f"json:{folder / 'profiles'}", read_only=True)
    with files as source, SQLiteBackend(path, lambda: START) as target:
        copy_store(source, target)
        target.save_budget("kafka", "12w", {"budget_total": 10.5})
        target.save_task_progress("fetch", 5, "running")
    return path


def reads(backend: SQLiteBackend, known: SQLiteBackend) -> Iterator[Callable[[], Any]]:
    """Yield calls that return all that is stored."""
    for entity in ENTITIES:
        yield partial(backend.records, entity)
    yield backend.list_profiles
    for profile in known.list_profiles():
        yield partial(backend.get_profile, profile["id"])
        yield partial(backend.list_queries, profile["id"])
        for query in known.list_queries(profile["id"]):
            ids = profile["id"], query["id"]
            yield partial(backend.get_query, *ids)
            yield partial(backend.get_project_data, *ids)
            yield partial(backend.get_budget, *ids)
            yield partial(backend.get_metrics_snapshots, *ids, limit=None)
            yield partial(backend.list_jira_caches, *ids)
            yield partial(backend.list_jira_changelogs, *ids)
            for cache in known.list_jira_caches(*ids):
                yield partial(backend.find_jira_cache, *ids, cache["cache_key"])


def returned(read: Callable[[], Any]) -> set[str]:
    """Return the records that a call returns, as JSON."""
    found = read()
    records = [found] if isinstance(found, dict) else found or []
    return {json.dumps(each) for each in records}


@pytest.mark.parametrize(
    ("damage", "count", "seed"),
    [
        (changed_bit, 25, 0),
        (lost_page, 10, 0),
        *(pytest.param(changed_bit, 200, seed, marks=pytest.mark.soak) for seed in SEEDS),
        *(pytest.param(lost_page, 20, seed, marks=pytest.mark.soak) for seed in SEEDS),
    ],
)
def test_damage_is_reported_and_never_returned(
    intact: Path, tmp_path: Path, damage: Damage, count: int, seed: int
) -> None:
    """A read returns what was saved or less of it, or raises an error of the package."""
    content, stored = intact.read_bytes(), unindexed_rows(intact)
    damaged = tmp_path / "damaged.db"
    rng = random.Random(seed)
    with SQLiteBackend(intact, lambda: START) as known:
        expected = [returned(read) for read in reads(known, known)]
        for number in range(count):
            changed = bytearray(content)
            damage(changed, rng)
            damaged.write_bytes(changed)
            with SQLiteBackend(damaged, lambda: START) as backend:
                for read, records in zip(reads(backend, known), expected, strict=True):
                    with suppress(PersistenceError):
                        assert returned(read) <= records, number
                is_intact, _ = backend.check_integrity()
            if is_intact:
                damaged.write_bytes(changed)
                assert unindexed_rows(damaged) == stored, number
