"""Time of calls with results of constant size, as the amount of data grows.

A store of size N has N profiles. One of them has N queries, and one of these has N cached responses
and N weeks of metrics, but at least the 12 that are read. There is also a small profile of ten
queries. Each call reads or writes another one of the N records.
"""

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

from benchmarks import sample, tables
from benchmarks.measuring import Call, Row, interleaved, medians, ratio
from benchmarks.options import Options
from benchmarks.sides import Side, settings, temporary
from burndown.persistence import open_backend

__all__ = ["measure", "table"]

_MOST = 2
_WEEKS = 12
_SMALL = "small"
_BIG = "profile-0"
_STEP = 7919
"""A prime, so that consecutive calls do not use neighbouring records, which share pages."""


def _fill(side: Side, size: int) -> None:
    weeks = max(size, _WEEKS)
    with side.transaction():
        side.save_profile({**sample.profile(), "id": _SMALL, "name": _SMALL})
        for number in range(10):
            side.save_query(_SMALL, sample.query(number))
        for number in range(size):
            side.save_profile(sample.profile(number))
        for number in range(size):
            side.save_query(_BIG, sample.query(number))
        for number in range(size):
            _save_response(side, number, number)
        side.save_metrics_snapshots(
            _BIG,
            "query-0",
            [
                {"snapshot_date": week, "metric_type": "flow", "metrics": sample.metrics(number)}
                for number, week in enumerate(sample.weeks(weeks))
            ],
        )
        side.set_app_state("theme", "dark")
        side.save_task_progress("fetch", 0, "running", "")


def _save_response(side: Side, which: int, number: int) -> None:
    response = sample.small_response(number)
    side.save_jira_cache(_BIG, "query-0", f"key-{which}", response, sample.LATER)


def _save_profile(side: Side, which: int, number: int) -> None:
    side.save_profile({**sample.profile(which), "description": f"Edited {number} times"})


def _save_query(side: Side, which: int, number: int) -> None:
    side.save_query(_BIG, {**sample.query(which), "description": f"Edited {number} times"})


def _save_week(side: Side, weeks: list[str], which: int, number: int) -> None:
    side.save_metrics_snapshot(_BIG, "query-0", weeks[which], "flow", sample.metrics(number))


def _calls(side: Side, size: int) -> dict[str, tuple[str, Call]]:
    """Return, by name, ``read`` or ``write``, and the call."""
    weeks = sample.weeks(max(size, _WEEKS))

    def some(call: Callable[[int, int], object]) -> Call:
        return lambda number: call(number * _STEP % size, number)

    reads: dict[str, Call] = {
        "get_profile": some(lambda which, _: side.get_profile(f"profile-{which}")),
        "get_query": some(lambda which, _: side.get_query(_BIG, f"query-{which}")),
        "list_queries, 10": lambda _: side.list_queries(_SMALL),
        "get_jira_cache, small": some(
            lambda which, _: side.get_jira_cache(_BIG, "query-0", f"key-{which}")
        ),
        "get_jira_cache, absent": lambda _: side.get_jira_cache(_BIG, "query-0", "absent"),
        "get_metrics_snapshots, 12": lambda _: side.get_metrics_snapshots(
            _BIG, "query-0", "flow", _WEEKS
        ),
        "get_app_state": lambda _: side.get_app_state("theme"),
        "get_task_progress": lambda _: side.get_task_progress("fetch"),
    }
    writes: dict[str, Call] = {
        "save_profile": some(partial(_save_profile, side)),
        "save_query": some(partial(_save_query, side)),
        "save_jira_cache, small": some(partial(_save_response, side)),
        "save_metrics_snapshot": some(partial(_save_week, side, weeks)),
        "set_app_state": lambda number: side.set_app_state("theme", f"dark {number}"),
        "save_task_progress": lambda number: side.save_task_progress(
            "fetch", number % 100, "running", f"page {number}"
        ),
        "cleanup_expired_cache, none": lambda _: side.cleanup_expired_cache(),
    }
    return {
        **{name: ("read", call) for name, call in reads.items()},
        **{name: ("write", call) for name, call in writes.items()},
    }


def measure(options: Options) -> list[Row]:
    """Measure all sizes in turns, at ``synchronous=NORMAL``."""
    with (
        temporary(options.folder) as folder,
        settings(sqlite_synchronous="NORMAL"),
        ExitStack() as stack,
    ):
        calls = {}
        for size in options.sizes:
            side = stack.enter_context(open_backend(str(folder / f"{size}.db")))
            _fill(side, size)
            calls[size] = _calls(side, size)
        return [
            _row(name, kind, calls, options.rounds)
            for name, (kind, _) in calls[options.sizes[0]].items()
        ]


def _row(name: str, kind: str, calls: dict[int, dict[str, tuple[str, Call]]], rounds: int) -> Row:
    of_sizes = {str(size): found[name][1] for size, found in calls.items()}
    smallest, *_, largest = of_sizes
    times = interleaved(of_sizes, rounds)
    return {
        "operation": name,
        "kind": kind,
        "sizes": list(calls),
        "us": [1e6 * each for each in medians(times).values()],
        **ratio(times, largest, smallest),
    }


def table(rows: list[Row]) -> str:
    """Return a table of microseconds for each size, and ratios of the largest to the smallest."""
    sizes = [f"{size:,}" for size in rows[0]["sizes"]]
    lines = [
        [
            row["operation"],
            *(f"{each:,.0f} µs" for each in row["us"]),
            tables.spread(row),
            "must" if row["ratio"] <= _MOST else "MISSED",
        ]
        for row in rows
    ]
    headings = ["operation", *sizes, "ratio", f"meets ({_MOST})"]
    return tables.markdown("Growth: profiles, queries, cached responses and weeks", headings, lines)
