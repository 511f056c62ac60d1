"""A drill finds each damage of a backup that changes what is restored."""

import random
from contextlib import suppress
from pathlib import Path

import pytest

from burndown import DatabaseCorruptionError, PersistenceError, SQLiteBackend
from burndown.backups import drill
from burndown.files.checksums import checksums_path
from burndown.persistence.json_backend import JSONBackend
from burndown.testing.controlled_store import HOUR
from tests.support.damage import changed_bit
from tests.support.database_rows import unindexed_rows

COUNTS = [10, pytest.param(100, marks=pytest.mark.soak)]


def backup_of(backend: SQLiteBackend | JSONBackend, target: Path) -> Path:
    backend.save_profile({"id": "p", "name": "P", "jira_config": {"token": "a token"}})
    backend.save_query("p", {"id": "q", "name": "Q"})
    backend.save_jira_cache("p", "q", "k", {"issues": [{"key": f"K-{n}"} for n in range(99)]}, HOUR)
    backend.save_project_data("p", "q", {"statistics": [{"date": "2025-01-06"}] * 99})
    return backend.backup(target)


@pytest.mark.parametrize("kind", [SQLiteBackend, JSONBackend])
@pytest.mark.parametrize("count", COUNTS)
def test_each_changed_bit_of_a_backup_is_found(
    tmp_path: Path, kind: type[SQLiteBackend | JSONBackend], count: int
) -> None:
    """Wherever it is, and the intact backup is accepted again."""
    with kind(tmp_path / "store") as backend:
        copy = backup_of(backend, tmp_path / "copy")
    files = [copy] if copy.is_file() else sorted(copy.rglob("*.json"))
    rng, counts = random.Random(0), drill(copy)
    for _ in range(count):
        path = rng.choice(files)
        content = path.read_bytes()
        changed = bytearray(content)
        changed_bit(changed, rng)
        path.write_bytes(changed)
        with pytest.raises(DatabaseCorruptionError, match=str(copy)):
            drill(copy)
        path.write_bytes(content)
    assert drill(copy) == counts


@pytest.mark.parametrize("count", COUNTS)
def test_a_changed_bit_of_a_backup_without_its_checksum_is_found_or_has_no_effect(
    tmp_path: Path, count: int
) -> None:
    with SQLiteBackend(tmp_path / "store") as backend:
        copy = backup_of(backend, tmp_path / "copy")
    checksums_path(copy).unlink()
    content, expected = copy.read_bytes(), unindexed_rows(copy)
    rng, outcomes = random.Random(0), set()
    for _ in range(count):
        changed = bytearray(content)
        changed_bit(changed, rng)
        copy.write_bytes(changed)
        is_found = True
        with suppress(PersistenceError):
            drill(copy)
            is_found = False
            assert unindexed_rows(copy) == expected
        outcomes.add(is_found)
    assert True in outcomes
