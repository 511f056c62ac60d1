"""Each backup of a database that is written without a pause restores to an acknowledged state."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from burndown import SQLiteBackend
from tests.support.processes import FRESH, PATIENCE

SECONDS_BETWEEN = 0.05


def count_up(path: Path, acknowledged: Any, has_begun: Any, has_ended: Any) -> None:
    """Store numbers one after the other, and note each that is stored."""
    with SQLiteBackend(path) as backend:
        while not has_ended.is_set():
            number = acknowledged.value + 1
            with backend.transaction():
                backend.set_app_state("number", str(number))
                backend.save_project_data("p", "q", {"rows": [number] * 5000})
                backend.set_app_state("same", str(number))
            acknowledged.value = number
            has_begun.set()


@pytest.mark.parametrize("writer", [FRESH.Process, threading.Thread], ids=["process", "thread"])
@pytest.mark.parametrize("count", [5, pytest.param(200, marks=pytest.mark.soak)])
def test_each_backup_under_load_restores_to_an_acknowledged_state(
    tmp_path: Path, writer: Callable[..., Any], count: int
) -> None:
    """One is made every 50 ms, while another process or another thread of this one writes."""
    path, acknowledged = tmp_path / "burndown.db", FRESH.Value("q", 0)
    has_begun, has_ended = FRESH.Event(), FRESH.Event()
    copies: list[tuple[Path, int, int]] = []
    with SQLiteBackend(path) as backend:
        backend.save_profile({"id": "p"})
        backend.save_query("p", {"id": "q"})
        writing = writer(target=count_up, args=(path, acknowledged, has_begun, has_ended))
        writing.start()
        try:
            assert has_begun.wait(PATIENCE)
            for _ in range(count):
                begun, before = time.monotonic(), acknowledged.value
                copy = backend.backup(tmp_path / "copies", keep=count)
                copies.append((copy, before, acknowledged.value + 1))
                time.sleep(max(begun + SECONDS_BETWEEN - time.monotonic(), 0))
        finally:
            has_ended.set()
            writing.join(PATIENCE)
        assert backend.get_app_state("number") == str(acknowledged.value)
    with SQLiteBackend(tmp_path / "restored.db") as restored:
        for copy, before, after in copies:
            restored.restore(copy)
            assert restored.check_integrity() == (True, [])
            number = int(restored.get_app_state("number") or 0)
            assert before <= number <= after
            assert restored.get_app_state("same") == str(number)
            assert restored.get_project_data("p", "q") == {"rows": [number] * 5000}
