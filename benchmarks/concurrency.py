"""Throughput of concurrent workers on one store, and the updates that they lose."""

import statistics

from benchmarks import tables
from benchmarks.measuring import Row, ratio
from benchmarks.options import Options
from benchmarks.sides import settings, temporary
from benchmarks.workers import KINDS, SQLITE_PAUSES, measure_store

__all__ = ["measure", "table"]

_MUST, _AIM = 3, 5
_MUST_P99_MS, _MUST_WORST_MS = 20, 200
_SIDES = ("burndown", SQLITE_PAUSES, "naive")
_MEDIANS = ("calls_per_second", "p99_read_ms", "p50_write_ms", "p99_write_ms")
_SUMS = ("errors", "added", "lost_updates")


def measure(options: Options) -> list[Row]:
    """Measure threads and processes on all sides, in turns."""
    sides = _SIDES if options.at is None else _SIDES[:1]
    rows = []
    with settings(sqlite_synchronous="NORMAL"):
        for kind in KINDS:
            for workers in options.workers:
                found: dict[str, list[Row]] = {side: [] for side in sides}
                for number in range(options.few_rounds):
                    for side in sides[:: -1 if number % 2 else 1]:
                        with temporary(options.folder) as folder:
                            where = options.at or str(folder / f"{side}.db")
                            once = measure_store(where, workers, options.seconds, kind, side)
                        found[side].append(once)
                rows.append(_row(kind, workers, found))
    return rows


def _row(kind: str, workers: int, found: dict[str, list[Row]]) -> Row:
    """Return the medians and sums over all rounds, and the longest write."""
    row: Row = {"kind": kind, "workers": workers}
    for side, rounds in found.items():
        row[side] = {
            **{name: _median(rounds, name) for name in _MEDIANS},
            "worst_write_ms": max(each["worst_write_ms"] for each in rounds),
            **{name: sum(each[name] for each in rounds) for name in _SUMS},
            "first_errors": [error for each in rounds for error in each["first_errors"]][:3],
        }
    if "naive" in found:
        speeds = {
            side: [max(each["calls_per_second"], 1e-9) for each in rounds]
            for side, rounds in found.items()
        }
        row["times_naive"] = ratio(speeds, "burndown", "naive")
    return row


def _median(rounds: list[Row], name: str) -> float | None:
    values = [each[name] for each in rounds if each[name] is not None]
    return statistics.median(values) if values else None


def table(rows: list[Row]) -> str:
    """Return a table of calls per second, times of calls, errors and lost updates."""
    headings = ["workers", "side", "calls/s", "times naive", "p99 read", "p50 write", "p99 write"]
    headings += ["worst", "errors", "lost", "must", "aim", "meets"]
    lines = [_line(row, side) for row in rows for side in _SIDES if side in row]
    return tables.markdown("Concurrency, 70 % reads", headings, lines)


def _line(row: Row, side: str) -> list[object]:
    found = row[side]
    return [
        f"{row['workers']} {row['kind']}",
        side,
        f"{found['calls_per_second']:,.0f}",
        tables.spread(row["times_naive"]) if side == "burndown" and "naive" in row else "",
        *(
            "" if each is None else f"{each:.1f} ms"
            for each in map(found.get, (*_MEDIANS[1:], "worst_write_ms"))
        ),
        found["errors"],
        found["lost_updates"],
        *_held(row, side),
    ]


def _held(row: Row, side: str) -> list[object]:
    """Return must, aim and verdict: for 4 and 8 processes, and wherever an update is lost."""
    if side != "burndown":
        return ["", "", ""]
    found = row[side]
    failed = found["errors"] or found["lost_updates"]
    match row["kind"], row["workers"]:
        case "processes", 4 if "naive" in row:
            verdict = tables.verdict(row["times_naive"]["ratio"], _MUST, _AIM)
            return [_MUST, _AIM, "MISSED" if failed else verdict]
        case "processes", 8 if "naive" in row:
            failed = failed or (
                found["p99_write_ms"] > _MUST_P99_MS or found["worst_write_ms"] > _MUST_WORST_MS
            )
            must = f"{_MUST_P99_MS} ms, worst {_MUST_WORST_MS} ms"
            return [must, "", "MISSED" if failed else "must"]
        case _:
            return ["", "", "MISSED" if failed else ""]
