"""Each operation of the backend, next to the same by hand and by SQLModel written naively.

All three run in one process, in turns, on files of their own; the ratio to the floor is that of the
medians. Each write writes something new.

    python -m benchmarks.operations --rounds 9 --issues 1000 --synchronous NORMAL
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import sample
from benchmarks.floor import Floor
from benchmarks.naive import Naive
from burndown import SQLiteBackend

Side = Any
"""The package's backend, the floor or the naive one."""
EXPIRED, LIVE = 10_000, 10_000

Call = Callable[[int], object]
"""Does an operation; takes a number that is another one each time."""


class Operation(NamedTuple):
    """What is measured."""

    name: str
    must: float
    """The largest ratio to the floor that counts as done."""
    aim: float
    calls: int
    """How often it is done in a round."""
    prepare: Callable[[Any], Call]
    """Takes a side; gives what is timed."""
    before: Callable[[Any], object] | None = None
    """Done before each round, untimed."""


def operations(issues: int) -> list[Operation]:
    """All of them."""
    profile, answer = sample.profile(), sample.response(issues)

    def save_profile(side: Any) -> Call:
        return lambda number: side.save_profile(
            {**profile, "forecast_settings": {"pert_factor": number, "data_points_count": 12}}
        )

    def save_cache(side: Any) -> Call:
        return lambda number: side.save_jira_cache(
            "profile-0", "query-0", "written", {**answer, "startAt": number}, sample.LATER
        )

    def save_snapshot(side: Any) -> Call:
        return lambda number: side.save_metrics_snapshot(
            "profile-0", "query-1", "2026-W01", "flow", sample.metrics(number)
        )

    return [
        Operation("get_profile", 4, 1.5, 100, lambda s: lambda _: s.get_profile("profile-0")),
        Operation("save_profile", 4, 1.5, 50, save_profile),
        Operation("list_queries, 100", 2, 1.2, 20, lambda s: lambda _: s.list_queries("profile-0")),
        Operation(f"save_jira_cache, {issues:,} issues", 0.4, 0.25, 2, save_cache),
        Operation(
            f"get_jira_cache, {issues:,} issues",
            0.85,
            0.6,
            2,
            lambda s: lambda _: s.get_jira_cache("profile-0", "query-0", "live"),
        ),
        Operation(
            "get_jira_cache, absent",
            12,
            2,
            200,
            lambda s: lambda _: s.get_jira_cache("profile-0", "query-0", "absent"),
        ),
        Operation(
            "get_jira_cache, expired",
            12,
            2,
            200,
            lambda s: lambda _: s.get_jira_cache("profile-0", "query-0", "expired"),
        ),
        Operation(
            "cleanup_expired_cache, 10k of 20k",
            1.1,
            0.5,
            1,
            lambda s: lambda _: s.cleanup_expired_cache(),
            expire_many,
        ),
        Operation("save_metrics_snapshot", 4, 1.5, 100, save_snapshot),
        Operation(
            "get_metrics_snapshots, 12 of 520",
            1.3,
            0.6,
            50,
            lambda s: lambda _: s.get_metrics_snapshots("profile-0", "query-0", "flow", 12),
        ),
        Operation("get_app_state", 12, 2, 200, lambda s: lambda _: s.get_app_state("theme")),
        Operation(
            "set_app_state", 6, 1.5, 100, lambda s: lambda n: s.set_app_state("theme", f"dark {n}")
        ),
        Operation(
            "get_task_progress", 12, 2, 200, lambda s: lambda _: s.get_task_progress("fetch")
        ),
        Operation(
            "save_task_progress",
            6,
            1.5,
            100,
            lambda s: lambda n: s.save_task_progress("fetch", n % 100, "running", f"page {n}"),
        ),
    ]


def fill(side: Any, issues: int) -> None:
    """What the operations find."""
    side.save_profile(sample.profile())
    for number in range(100):
        side.save_query("profile-0", sample.query(number))
    answer = sample.response(issues)
    side.save_jira_cache("profile-0", "query-0", "live", answer, sample.LATER)
    side.save_jira_cache("profile-0", "query-0", "expired", answer, sample.EARLIER)
    for number, week in enumerate(sample.weeks(520)):
        side.save_metrics_snapshot("profile-0", "query-0", week, "flow", sample.metrics(number))
    side.set_app_state("theme", "dark")
    side.save_task_progress("fetch", 0, "running", "")


def expire_many(side: Side) -> None:
    """Ten thousand small answers that have expired, and as many that have not."""
    answer = {"issues": [{"key": "K-1", "fields": {"summary": "x" * 80}}], "total": 1}
    with side.transaction():
        for number in range(EXPIRED + LIVE):
            moment = sample.EARLIER if number < EXPIRED else sample.LATER
            side.save_jira_cache("profile-0", "query-2", f"key-{number}", answer, moment)


def measured(
    operation: Operation, sides: dict[str, Any], rounds: int, numbers: Iterator[int]
) -> dict[str, list[float]]:
    """Seconds of one call, for each side a value each round; the first round is not counted."""
    calls = {name: operation.prepare(side) for name, side in sides.items()}
    times: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds + 1):
        for name, side in sides.items():
            if operation.before is not None:
                operation.before(side)
            start = time.perf_counter()
            for _ in range(operation.calls):
                calls[name](next(numbers))
            times[name].append((time.perf_counter() - start) / operation.calls)
    return {name: found[1:] for name, found in times.items()}


def result(operation: Operation, times: dict[str, list[float]]) -> dict[str, Any]:
    """Medians, the ratios of this package and of the naive one to the floor, and their spread."""
    medians = {name: statistics.median(found) for name, found in times.items()}
    by_round = [one / floor for one, floor in zip(times["burndown"], times["floor"], strict=True)]
    return {
        "operation": operation.name,
        "must": operation.must,
        "aim": operation.aim,
        "floor_us": medians["floor"] * 1e6,
        "ratio": medians["burndown"] / medians["floor"],
        "spread": [min(by_round), max(by_round)],
        "naive": medians["naive"] / medians["floor"],
    }


def run(issues: int, rounds: int, synchronous: str, only: str) -> list[dict[str, Any]]:
    """All operations, on files that are made for it."""
    os.environ["BURNDOWN_SQLITE_SYNCHRONOUS"] = synchronous
    numbers = count(1)
    with tempfile.TemporaryDirectory() as folder:
        sides: dict[str, Any] = {
            "floor": Floor(Path(folder) / "floor.db", synchronous),
            "burndown": SQLiteBackend(Path(folder) / "burndown.db"),
            "naive": Naive(Path(folder) / "naive.db", synchronous),
        }
        for side in sides.values():
            fill(side, issues)
        found = [
            result(operation, measured(operation, sides, rounds, numbers))
            for operation in operations(issues)
            if only in operation.name
        ]
        for side in sides.values():
            side.close()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--issues", type=int, default=1000, help="issues in an answer")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--synchronous", choices=["NORMAL", "FULL"], default="NORMAL")
    parser.add_argument("--only", default="", help="operations whose names hold this")
    parser.add_argument("--json", action="store_true", help="print JSON, for keeping")
    options = parser.parse_args()
    found = run(options.issues, options.rounds, options.synchronous, options.only)
    if options.json:
        print(json.dumps(found, indent=2))
        return
    print(f"{'operation':36} {'floor':>10} {'burndown':>9} {'spread':>13} {'naive':>7}  must  aim")
    for each in found:
        low, high = each["spread"]
        print(
            f"{each['operation']:36} {each['floor_us']:7.1f} us {each['ratio']:9.2f} "
            f"{low:5.2f} to {high:5.2f} {each['naive']:7.1f} {each['must']:5} {each['aim']:4}"
            f"{'' if each['ratio'] <= each['must'] else '  MISSED'}"
        )


if __name__ == "__main__":
    main()
