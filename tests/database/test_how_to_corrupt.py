"""Points of SQLite's list of how databases are corrupted that no other module tests."""

import random
import re
from pathlib import Path

import pytest

import burndown
from burndown import SQLiteBackend
from tests.support.processes import exit_code_of, needs_fork

DANGEROUS = re.compile(r"synchronous=OFF|journal_mode=(?:OFF|MEMORY)|writable_schema|\bmmap_size")
NUMBERS = 20
TESTS = Path(__file__).parents[1]


def test_the_tests_that_the_documentation_names_exist() -> None:
    documented = (TESTS.parent / "docs/guarantees.md").read_text("utf-8")
    tests = "".join(path.read_text("utf-8") for path in TESTS.rglob("test_*.py"))
    names = re.findall(r"`(test_\w+)`", documented)
    assert names
    assert [name for name in names if f"def {name}(" not in tests] == []


def test_no_database_in_use_is_written_with_dangerous_settings() -> None:
    """A backup is a new file while it is made, and a damaged database is only read."""
    folder = Path(burndown.__file__).parent
    found = {
        (path.name, setting)
        for path in folder.rglob("*.py")
        for setting in DANGEROUS.findall(path.read_text("utf-8"))
    }
    assert found == {
        ("sqlite_backup.py", "journal_mode=OFF"),
        ("sqlite_salvage.py", "writable_schema"),
    }


@needs_fork
@pytest.mark.parametrize("level", ["FULL", "NORMAL"])
def test_a_log_that_ends_anywhere_is_an_earlier_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, level: str
) -> None:
    """As after a power failure: the last transactions can be lost, and none is there in part."""
    monkeypatch.setenv("BURNDOWN_SQLITE_SYNCHRONOUS", level)
    path, log = tmp_path / "burndown.db", tmp_path / "burndown.db-wal"

    def write() -> None:
        backend = SQLiteBackend(path)
        for number in range(1, NUMBERS + 1):
            with backend.transaction():
                backend.set_app_state("number", str(number))
                backend.save_profile({"id": "p", "description": "x" * 500 * number})
                backend.set_app_state("same", str(number))
        raise SystemExit  # without a chance to close it, as if it were killed

    assert exit_code_of(write) == 0
    content, written, found = path.read_bytes(), log.read_bytes(), set()
    for size in [len(written), *random.Random(0).sample(range(len(written)), 30)]:
        # What was not flushed may be anything.
        for rest in (b"", random.Random(size).randbytes(len(written) - size)):
            for left in path.parent.glob("burndown.db*"):
                left.unlink()
            path.write_bytes(content)
            log.write_bytes(written[:size] + rest)
            with SQLiteBackend(path) as backend:
                number = backend.get_app_state("number")
                assert backend.get_app_state("same") == number
                assert backend.check_integrity() == (True, [])
                assert len(backend.list_profiles()) == (number is not None)
            found.add(number)
    assert str(NUMBERS) in found
    assert len(found) > NUMBERS // 2
