"""Time of each operation, compared with hand-written sqlite3 and with naive SQLModel code."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any, NamedTuple

from benchmarks import sample, tables
from benchmarks.issues import Json
from benchmarks.measuring import Call, Row, Times, interleaved, medians, ratio
from benchmarks.options import Options
from benchmarks.sides import Side, open_sides, temporary

__all__ = ["OPERATIONS", "Operation", "Turn", "fill", "measure", "table", "times_of"]


class Operation(NamedTuple):
    """A measured operation."""

    name: str
    must: float
    """The largest acceptable ratio to the floor."""
    aim: float
    """The desired ratio."""
    prepare: Callable[[Side, Options], "Call | Turn"]
    """Returns the call that is timed."""


class Turn(NamedTuple):
    """A call that is timed, and one that runs before each turn and is not."""

    call: Call
    before: Callable[[], object]


def _save_profile(side: Side, options: Options) -> Call:
    profile = sample.profile()
    settings = profile["forecast_settings"]
    return lambda number: side.save_profile(
        {**profile, "forecast_settings": {**settings, "pert_factor": number}}
    )


def _patch_profile(side: Side, options: Options) -> Call:
    return lambda number: side.patch_profile(
        "profile-0", {"forecast_settings": {"pert_factor": number}}
    )


def _save_response(side: Side, options: Options) -> Turn:
    received: Json = {}

    def save(number: int) -> None:
        received["startAt"] = number
        side.save_jira_cache("profile-0", "query-0", "written", received, sample.LATER)

    return Turn(save, lambda: received.update(sample.response(options)))


def _merge_response(side: Side, options: Options) -> Call:
    changed = sample.response(options)["issues"][5 :: options.issues // 2]
    return lambda number: side.merge_jira_cache(
        "profile-0",
        "query-0",
        "merged",
        [{**issue, "fields": {**issue["fields"], "timespent": number}} for issue in changed],
        [],
        sample.LATER,
    )


def _get_response(key: str, side: Side, options: Options) -> Call:
    return lambda _: side.get_jira_cache("profile-0", "query-0", key)


def _find_response(key: str, side: Side, options: Options) -> Call:
    return lambda _: side.find_jira_cache("profile-0", "query-0", key)


def _cached(side: Side, options: Options) -> Call:
    def fetch() -> Json:
        raise NotImplementedError  # there is a fresh response

    return lambda _: side.cached("profile-0", "query-0", "live", fetch, timedelta(hours=1))


def _clean_up(side: Side, options: Options) -> Turn:
    def add_expired() -> None:
        with side.transaction():
            for number in range(options.responses // 2):
                _save_small(side, "query-2", f"expired-{number}", number, sample.EARLIER)

    return Turn(lambda _: side.cleanup_expired_cache(), add_expired)


def _delete_responses(side: Side, options: Options) -> Turn:
    def add() -> None:
        with side.transaction():
            for number in range(options.responses // 20):
                _save_small(side, "query-3", f"valid-{number}", number, sample.LATER)

    return Turn(lambda _: side.delete_jira_caches("profile-0", "query-3"), add)


def _save_small(side: Side, query_id: str, key: str, number: int, expires_at: Any) -> None:
    response = sample.small_response(number)
    side.save_jira_cache("profile-0", query_id, key, response, expires_at)


def _get_series(side: Side, options: Options) -> Call:
    since = sample.weeks(52)[-1]
    return lambda _: side.get_series("profile-0", "query-0", "flow.flow_time", since)


def _patch_metrics(side: Side, options: Options) -> Call:
    return lambda number: side.patch_metrics(
        "profile-0", "query-1", "2026-W01", "flow", {"flow_load": {"wip_count": number}}
    )


def _run_task(side: Side, _: Options) -> Call:
    def run(number: int) -> None:
        with side.task("work"):
            pass

    return run


def _report(percent: float, side: Side, _: Options) -> Call:
    task = side.task(f"report {percent}", timedelta(hours=1)).__enter__()
    return lambda number: task.progress(percent, f"page {number}")


OPERATIONS = [
    Operation("get_profile", 2, 1.1, lambda s, _: lambda _: s.get_profile("profile-0")),
    Operation("save_profile", 4, 1.4, _save_profile),
    Operation("patch_profile", 6, 4, _patch_profile),
    Operation(
        "list_queries, {0.queries:,}", 2, 1.3, lambda s, _: lambda _: s.list_queries("profile-0")
    ),
    Operation(
        "query_status, {0.queries:,}", 2, 1.2, lambda s, _: lambda _: s.query_status("profile-0")
    ),
    Operation("save_jira_cache, {0.issues:,} issues", 0.4, 0.3, _save_response),
    Operation("merge_jira_cache, 2 of {0.issues:,} issues", 0.2, 0.1, _merge_response),
    Operation("get_jira_cache, {0.issues:,} issues", 0.85, 0.6, partial(_get_response, "live")),
    Operation("find_jira_cache, {0.issues:,} issues", 0.85, 0.6, partial(_find_response, "live")),
    Operation("cached, {0.issues:,} issues", 0.85, 0.6, _cached),
    Operation("find_jira_cache, absent", 4, 2, partial(_find_response, "absent")),
    Operation("get_jira_cache, absent", 4, 2, partial(_get_response, "absent")),
    Operation("get_jira_cache, expired", 4, 2, partial(_get_response, "expired")),
    Operation("cleanup_expired_cache, half of {0.responses:,}", 1.1, 0.5, _clean_up),
    Operation(
        "cleanup, nothing of {0.responses:,}",
        1.5,
        1,
        lambda s, _: lambda _: s.cleanup(2**40),
    ),
    Operation(
        "save_metrics_snapshot",
        4,
        1.5,
        lambda s, _: (
            lambda n: s.save_metrics_snapshot(
                "profile-0", "query-1", "2026-W01", "flow", sample.metrics(n)
            )
        ),
    ),
    Operation(
        "get_metrics_snapshots, 12 of {0.weeks:,}",
        1.3,
        0.8,
        lambda s, _: lambda _: s.get_metrics_snapshots("profile-0", "query-0", "flow", 12),
    ),
    Operation("get_series, 52 of {0.weeks:,}", 2, 1.2, _get_series),
    Operation("patch_metrics", 4, 2, _patch_metrics),
    Operation("delete_jira_caches, a twentieth of {0.responses:,}", 1.1, 0.5, _delete_responses),
    Operation("get_app_state", 4, 2, lambda s, _: lambda _: s.get_app_state("theme")),
    Operation(
        "set_app_state", 6, 1.5, lambda s, _: lambda n: s.set_app_state("theme", f"dark {n}")
    ),
    Operation("get_task_progress", 4, 2, lambda s, _: lambda _: s.get_task_progress("fetch")),
    Operation(
        "save_task_progress",
        6,
        1.5,
        lambda s, _: lambda n: s.save_task_progress("fetch", n % 100, "running", f"page {n}"),
    ),
    Operation("task, begin and end", 4, 2, _run_task),
    Operation("task, report stored", 6, 2, partial(_report, 100)),
    Operation("task, report not stored", 0.5, 0.3, partial(_report, 50)),
]


def fill(side: Side, options: Options) -> None:
    """Fill a store with the data that the operations use."""
    response = sample.response(options)
    with side.transaction():
        side.save_profile(sample.profile())
        for number in range(options.queries):
            side.save_query("profile-0", sample.query(number))
        for number, week in enumerate(sample.weeks(options.weeks)):
            side.save_metrics_snapshot("profile-0", "query-0", week, "flow", sample.metrics(number))
        side.save_metrics_snapshot("profile-0", "query-1", "2026-W01", "flow", sample.metrics(0))
        for number in range(options.responses // 2):
            _save_small(side, "query-2", f"live-{number}", number, sample.LATER)
    side.save_jira_cache("profile-0", "query-0", "live", response, sample.LATER)
    side.save_jira_cache("profile-0", "query-0", "expired", response, sample.EARLIER)
    side.save_jira_cache("profile-0", "query-0", "merged", response, sample.LATER)
    side.set_app_state("theme", "dark")
    side.save_task_progress("fetch", 0, "running", "")


def measure(options: Options) -> list[Row]:
    """Measure all operations, with and without waiting for the disk."""
    kept = sample.heap(options)  # the garbage collector visits it, and it displaces caches
    at_normal = _times("NORMAL", options, options.rounds)
    at_full = _times("FULL", options, options.few_rounds)
    del kept
    return [
        {
            "operation": operation.name.format(options),
            "must": operation.must,
            "aim": operation.aim,
            "floor_us": medians(times)["floor"] * 1e6,
            "normal": ratio(times, "burndown", "floor"),
            "full": ratio(at_full[operation.name], "burndown", "floor"),
            "naive": ratio(times, "naive", "floor"),
        }
        for operation in OPERATIONS
        if (times := at_normal.get(operation.name))
    ]


def _times(synchronous: str, options: Options, rounds: int) -> dict[str, Times]:
    with temporary(options.folder) as folder, open_sides(folder, synchronous) as sides:
        for side in sides.values():
            fill(side, options)
        return {
            operation.name: times_of(operation, sides, options, rounds)
            for operation in OPERATIONS
            if options.operation in operation.name.format(options)
        }


def times_of(operation: Operation, sides: dict[str, Side], options: Options, rounds: int) -> Times:
    turns = {name: operation.prepare(side, options) for name, side in sides.items()}
    return interleaved(
        {name: turn.call if isinstance(turn, Turn) else turn for name, turn in turns.items()},
        rounds,
        {name: turn.before for name, turn in turns.items() if isinstance(turn, Turn)},
    )


def table(rows: list[Row]) -> str:
    """Return a table of the ratios, and the targets that they meet."""
    headings = ["operation", "floor", "burndown", "at FULL", "naive", "must", "aim", "meets"]
    lines = [
        [
            row["operation"],
            f"{row['floor_us']:,.1f} µs",
            tables.spread(row["normal"]),
            tables.spread(row["full"]),
            f"{row['naive']['ratio']:.1f}",
            row["must"],
            row["aim"],
            _verdict(row),
        ]
        for row in rows
    ]
    return tables.markdown("Operations, as a multiple of the floor's time", headings, lines)


def _verdict(row: Row) -> str:
    value: float = row["normal"]["ratio"]
    if value >= row["naive"]["ratio"]:
        return "BEHIND NAIVE"
    return tables.verdict(value, row["must"], row["aim"])
