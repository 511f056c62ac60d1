"""How much many processes get done on one store at once, and whether any of it is lost.

Each process reads and writes for some seconds: seven of ten calls read. Every write within a
transaction adds one to a counter that all of them share; what the counter says in the end is
compared with how often it was added to.

    python -m benchmarks.concurrency --processes 8 --seconds 10
    python -m benchmarks.concurrency postgresql+psycopg://user:password@host/name
"""

import argparse
import json
import multiprocessing
import random
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from burndown import PersistenceBackend, PersistenceError
from burndown.persistence import open_backend

ISSUES = [{"key": f"K-{number}", "fields": {"summary": "x" * 200}} for number in range(50)]
READS = 0.7


class Work(NamedTuple):
    """What one process did."""

    reads: list[float]
    writes: list[float]
    added: int
    errors: list[str]


def work(where: str, seconds: float, number: int, results: Any) -> None:
    """Read and write until the time is over."""
    done = Work([], [], 0, [])
    rng = random.Random(number)
    added = 0
    with open_backend(where) as backend:
        end = time.perf_counter() + seconds
        while (start := time.perf_counter()) < end:
            is_read = rng.random() < READS
            try:
                if is_read:
                    read(backend, rng)
                else:
                    added += write(backend, rng)
            except PersistenceError as error:
                done.errors.append(str(error))
            (done.reads if is_read else done.writes).append(time.perf_counter() - start)
    results.put(done._replace(added=added))


def read(backend: PersistenceBackend, rng: random.Random) -> None:
    """One of the calls that a dashboard makes all the time."""
    kind = rng.randrange(4)
    if kind == 0:
        backend.get_profile("p")
    elif kind == 1:
        backend.list_queries("p")
    elif kind == 2:
        backend.get_jira_cache("p", "q", "key")
    else:
        backend.get_metrics_snapshots("p", "q", "dora", limit=12)


def write(backend: PersistenceBackend, rng: random.Random) -> int:
    """A write; returns what it added to the counter."""
    kind = rng.randrange(4)
    if kind == 0:
        expires_at = datetime.now(UTC) + timedelta(hours=rng.randrange(1, 9))
        backend.save_jira_cache("p", "q", "key", {"issues": ISSUES, "n": rng.random()}, expires_at)
    elif kind == 1:
        week = f"2025-W{rng.randrange(1, 53):02}"
        backend.save_metrics_snapshot("p", "q", week, "dora", {"n": rng.random()})
    elif kind == 2:
        backend.save_task_progress("fetch", rng.uniform(0, 100), "running")
    else:
        with backend.transaction():
            backend.set_app_state("counter", str(int(backend.get_app_state("counter") or 0) + 1))
        return 1
    return 0


def measure(where: str, processes: int, seconds: float) -> dict[str, Any]:
    """Run the processes on a store and sum up what they did."""
    with open_backend(where) as backend:
        backend.save_profile({"id": "p"})
        backend.save_query("p", {"id": "q"})
        before = int(backend.get_app_state("counter") or 0)
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    workers = [
        context.Process(target=work, args=(where, seconds, number, results))
        for number in range(processes)
    ]
    for worker in workers:
        worker.start()
    done = [results.get() for _ in workers]
    for worker in workers:
        worker.join()
    with open_backend(where) as backend:
        counted = int(backend.get_app_state("counter") or 0) - before
        is_whole, _ = backend.check_integrity()
    reads = sorted(took for each in done for took in each.reads)
    writes = sorted(took for each in done for took in each.writes)
    errors = [error for each in done for error in each.errors]
    return {
        "processes": processes,
        "seconds": seconds,
        "reads_per_second": len(reads) / seconds,
        "writes_per_second": len(writes) / seconds,
        "p99_read_ms": 1000 * statistics.quantiles(reads, n=100)[98],
        "p99_write_ms": 1000 * statistics.quantiles(writes, n=100)[98],
        "errors": len(errors),
        "first_errors": errors[:3],
        "added": sum(each.added for each in done),
        "lost_updates": sum(each.added for each in done) - counted,
        "whole": is_whole,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("where", nargs="?", help="path or URL; a new SQLite file if not given")
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=10)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        where = options.where or str(Path(folder) / "burndown.db")
        print(json.dumps(measure(where, options.processes, options.seconds), indent=2))


if __name__ == "__main__":
    main()
