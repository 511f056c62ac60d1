"""Workers that use one store concurrently, and count what they do.

Workers are threads or processes. Each reads and writes for some seconds: seven of ten calls read.
Every fourth write increments a counter that all of them share; at the end, its value is compared
with the number of increments.
"""

import multiprocessing
import queue
import random
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

from sqlalchemy.exc import SQLAlchemyError

from benchmarks import sample
from benchmarks.measuring import Row
from benchmarks.naive import Naive
from benchmarks.options import Options
from benchmarks.sides import Side
from burndown import PersistenceError
from burndown.database.sqlite_connections import SessionConnection, TrackedConnection
from burndown.database.write_turns import BEGIN
from burndown.persistence import open_backend

__all__ = ["KINDS", "SQLITE_PAUSES", "measure_store"]

SQLITE_PAUSES = "SQLite's pauses"
"""The side on which SQLite lets writers of this package wait, with growing pauses."""

_READS = 0.7
_ISSUES = 50
_PATIENCE_SECONDS = 60


class _Work(NamedTuple):
    """The calls of one worker."""

    reads: list[float]
    writes: list[float]
    added: int
    errors: list[str]


def _open(side: str, where: str) -> AbstractContextManager[Side]:
    match side:
        case "naive":
            return closing(Naive(Path(where), "NORMAL"))
        case "burndown":
            return open_backend(where)
        case _:
            return _open_with_pauses(where)


@contextmanager
def _open_with_pauses(where: str) -> Iterator[Side]:
    def begin(connection: TrackedConnection) -> None:
        connection.execute(BEGIN)

    with (
        patch.object(TrackedConnection, "begin_to_write", begin),
        patch.object(SessionConnection, "begin_to_write", begin),
        open_backend(where) as backend,
    ):
        yield backend


def _work(opened: Side, seconds: float, number: int, start: Any) -> _Work:
    """Read and write for some seconds, as soon as all workers are ready."""
    rng = random.Random(number)
    response = sample.response(Options(issues=_ISSUES))
    reads: list[float] = []
    writes: list[float] = []
    errors: list[str] = []
    added = 0
    opened.get_app_state("counter")
    start.wait(_PATIENCE_SECONDS)
    end = time.perf_counter() + seconds
    while (begun := time.perf_counter()) < end:
        is_read = rng.random() < _READS
        try:
            if is_read:
                _read(opened, rng)
            else:
                added += _write(opened, response, rng)
        except (PersistenceError, SQLAlchemyError) as error:
            errors.append(str(error))
        (reads if is_read else writes).append(time.perf_counter() - begun)
    return _Work(reads, writes, added, errors)


def _read(opened: Side, rng: random.Random) -> None:
    """Make one of the frequent calls of a dashboard."""
    match rng.randrange(4):
        case 0:
            opened.get_profile("profile-0")
        case 1:
            opened.list_queries("profile-0")
        case 2:
            opened.get_jira_cache("profile-0", "query-0", "key")
        case _:
            opened.get_metrics_snapshots("profile-0", "query-0", "flow", 12)


def _write(opened: Side, response: dict[str, Any], rng: random.Random) -> int:
    """Make a write, and return by how much it incremented the counter."""
    match rng.randrange(4):
        case 0:
            changed = {**response, "startAt": rng.getrandbits(32)}
            opened.save_jira_cache("profile-0", "query-0", "key", changed, sample.LATER)
        case 1:
            week = f"2025-W{rng.randrange(1, 53):02}"
            metrics = sample.metrics(rng.getrandbits(32))
            opened.save_metrics_snapshot("profile-0", "query-0", week, "flow", metrics)
        case 2:
            opened.save_task_progress("fetch", rng.uniform(0, 100), "running", "")
        case _:
            _add_one(opened)
            return 1
    return 0


def _add_one(opened: Side) -> None:
    if isinstance(opened, Naive):
        opened.add_one("counter")
        return
    with opened.transaction():
        opened.set_app_state("counter", str(int(opened.get_app_state("counter") or 0) + 1))


def _fill(opened: Side) -> None:
    opened.save_profile(sample.profile())
    for number in range(10):
        opened.save_query("profile-0", sample.query(number))
    response = sample.response(Options(issues=_ISSUES))
    opened.save_jira_cache("profile-0", "query-0", "key", response, sample.LATER)
    for number, week in enumerate(sample.weeks(52)):
        opened.save_metrics_snapshot("profile-0", "query-0", week, "flow", sample.metrics(number))
    opened.set_app_state("counter", "0")


def _in_a_process(
    side: str, where: str, seconds: float, number: int, start: Any, done: Any
) -> None:
    with _open(side, where) as opened:
        done.put(_work(opened, seconds, number, start))


def _processes(side: str, where: str, workers: int, seconds: float) -> list[_Work]:
    context = multiprocessing.get_context("spawn")
    start, done = context.Barrier(workers), context.Queue()
    all_of_them = [
        context.Process(target=_in_a_process, args=(side, where, seconds, number, start, done))
        for number in range(workers)
    ]
    for process in all_of_them:
        process.start()
    found = [done.get(timeout=seconds + _PATIENCE_SECONDS) for _ in all_of_them]
    for process in all_of_them:
        process.join()
    return found


def _threads(side: str, where: str, workers: int, seconds: float) -> list[_Work]:
    start, done = threading.Barrier(workers), queue.Queue[_Work]()
    with _open(side, where) as opened:

        def work(number: int) -> None:
            done.put(_work(opened, seconds, number, start))

        all_of_them = [threading.Thread(target=work, args=(number,)) for number in range(workers)]
        for thread in all_of_them:
            thread.start()
        for thread in all_of_them:
            thread.join()
    return [done.get_nowait() for _ in all_of_them]


KINDS: dict[str, Callable[[str, str, int, float], list[_Work]]] = {
    "threads": _threads,
    "processes": _processes,
}


def measure_store(
    where: str, workers: int, seconds: float, kind: str = "processes", side: str = "burndown"
) -> Row:
    """Run the workers on a store, and return the sums of what they did."""
    with _open(side, where) as opened:
        _fill(opened)
    done = KINDS[kind](side, where, workers, seconds)
    with _open(side, where) as opened:
        counted = int(opened.get_app_state("counter") or 0)
    reads = [took for each in done for took in each.reads]
    writes = [took for each in done for took in each.writes]
    errors = [error for each in done for error in each.errors]
    added = sum(each.added for each in done)
    return {
        "calls_per_second": (len(reads) + len(writes) - len(errors)) / seconds,
        "p99_read_ms": _percentile(reads, 99),
        "p50_write_ms": _percentile(writes, 50),
        "p99_write_ms": _percentile(writes, 99),
        "worst_write_ms": 1000 * max(writes, default=0),
        "errors": len(errors),
        "first_errors": errors[:3],
        "added": added,
        "lost_updates": added - counted,
    }


def _percentile(seconds: list[float], percent: int) -> float | None:
    """Return a percentile in milliseconds; ``None`` if there are too few values."""
    if len(seconds) < 2:
        return None
    return 1000 * statistics.quantiles(seconds, n=100)[percent - 1]
