"""Calls on a PostgreSQL server that many clients share, compared with psycopg written manually."""

import multiprocessing
import random
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from multiprocessing.context import BaseContext
from typing import Any, NamedTuple
from urllib.parse import quote

import psycopg
from sqlalchemy import make_url

from benchmarks import sample, tables
from benchmarks.measuring import Call, Row, interleaved, medians, ratio
from benchmarks.options import Options
from benchmarks.server_floor import ServerFloor, create_tables
from benchmarks.sides import Side
from burndown import PersistenceError
from burndown.persistence import open_backend
from tests.support.postgres import running_server
from tests.support.round_trips import running_proxy

__all__ = ["measure", "table"]

_SIDES = ("burndown", "floor")
_PROFILES = 8
_READS = 0.7
_PROCESSES = 4
_PATIENCE_SECONDS = 60
_WARM_UP_SECONDS = 0.5
"""The time in which clients connect, and prepare their statements."""
_MUST, _AIM = 2, 1.5


class _Work(NamedTuple):
    """The calls of one client."""

    times: list[float]
    errors: list[str]
    added: int
    saved: int


def _open(side: str, url: str, schema: str) -> Any:
    if side == "floor":
        return ServerFloor(_plain(url), schema)
    separator = "&" if "?" in url else "?"
    return open_backend(f"{url}{separator}options={quote(f'-csearch_path={schema}')}")


def _plain(url: str) -> str:
    """Return the URL as libpq takes it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


# --- single calls -------------------------------------------------------------------------------


def _save_profile(side: Side) -> Call:
    profile = sample.profile()
    settings = profile["forecast_settings"]
    return lambda number: side.save_profile(
        {**profile, "forecast_settings": {**settings, "pert_factor": number}}
    )


def _save_response(side: Side) -> Call:
    return lambda number: side.save_jira_cache(
        "profile-0", "query-0", "written", sample.small_response(number), sample.LATER
    )


def _patch_metrics(side: Side) -> Call:
    return lambda number: side.patch_metrics(
        "profile-0", "query-0", "2026-W01", "flow", {"flow_load": number}
    )


def _add_one(side: Side) -> None:
    if isinstance(side, ServerFloor):
        side.add_one("counter")
        return
    with side.transaction():
        side.set_app_state("counter", str(int(side.get_app_state("counter") or 0) + 1))


CALLS: dict[str, Callable[[Side], Call]] = {
    "get_app_state": lambda side: lambda _: side.get_app_state("counter"),
    "get_profile": lambda side: lambda _: side.get_profile("profile-0"),
    "get_jira_cache, small": lambda side: (
        lambda _: side.get_jira_cache("profile-0", "query-0", "key")
    ),
    "set_app_state": lambda side: lambda number: side.set_app_state("theme", f"dark {number}"),
    "save_profile": _save_profile,
    "save_jira_cache, small": _save_response,
    "patch_metrics": _patch_metrics,
    "transaction, a value read and set": lambda side: lambda _: _add_one(side),
}


def _single_calls(url: str, schema: str, delay_ms: float, options: Options) -> list[Row]:
    with ExitStack() as stack:
        sides = {side: stack.enter_context(closing(_open(side, url, schema))) for side in _SIDES}
        for each in sides.values():  # a first call that connects would look like a slow one
            each.get_app_state("counter")
        rows = []
        for name, prepare in CALLS.items():
            if options.operation in name:
                times = interleaved(
                    {each: prepare(side) for each, side in sides.items()}, options.rounds
                )
                row = {"operation": name, "delay_ms": delay_ms, **ratio(times, *_SIDES)}
                rows.append({**row, "floor_us": medians(times)["floor"] * 1e6})
    return rows


# --- many clients -------------------------------------------------------------------------------


def _call(side: Side, rng: random.Random) -> tuple[int, int]:
    """Make one of the frequent calls; return by how much it raised the counter and a revision."""
    profile_id = f"profile-{rng.randrange(_PROFILES)}"
    if rng.random() < _READS:
        match rng.randrange(3):
            case 0:
                side.get_app_state("counter")
            case 1:
                side.get_profile(profile_id)
            case _:
                side.get_jira_cache(profile_id, "query-0", "key")
        return 0, 0
    number = time.perf_counter_ns()  # so that each write changes something
    match rng.randrange(8):
        case 0:
            _add_one(side)
            return 1, 0
        case 1 | 2:
            profile = sample.profile(int(profile_id[-1]))
            side.save_profile({**profile, "description": str(number)})
            return 0, 1
        case 3 | 4:
            side.set_app_state(f"key {rng.randrange(100)}", str(number))
        case _:
            response = sample.small_response(number)
            side.save_jira_cache(profile_id, "query-0", "key", response, sample.LATER)
    return 0, 0


def _work(stores: list[Side], seconds: float, number: int, start: Any) -> _Work:
    """Make calls for some seconds, as soon as all clients are ready."""
    rng = random.Random(number)
    for store in stores:
        store.get_app_state("counter")
    start.wait(_PATIENCE_SECONDS)
    times: list[float] = []
    errors: list[str] = []
    added = saved = 0
    counted_from = time.perf_counter() + _WARM_UP_SECONDS
    end = counted_from + seconds
    while (begun := time.perf_counter()) < end:
        try:
            raised = _call(rng.choice(stores), rng)
            added, saved = added + raised[0], saved + raised[1]
        except (PersistenceError, psycopg.Error) as error:
            errors.append(str(error))
        if begun >= counted_from:
            times.append(time.perf_counter() - begun)
    return _Work(times, errors, added, saved)


def _run_clients(
    side: str,
    url: str,
    schemas: list[list[str]],
    seconds: float,
    numbers: list[int],
    start: Any,
    done: Any,
) -> None:
    """Run the clients of a process, each in a thread, and send what they did."""
    with ExitStack() as stack:

        def opened(schema: str) -> Any:
            return stack.enter_context(closing(_open(side, url, schema)))

        # As in a web server, the threads of a process share the store of a team.
        shared = {
            schema: opened(schema)
            for schema in sorted({name for each in schemas for name in each})
            if side == "burndown"
        }
        stores = [[shared.get(name) or opened(name) for name in each] for each in schemas]

        def work(at: int) -> None:
            done.put(_work(stores[at], seconds, numbers[at], start))

        threads = [threading.Thread(target=work, args=(at,)) for at in range(len(numbers))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def _many_clients(
    context: BaseContext, side: str, url: str, schemas: list[str], clients: int, seconds: float
) -> list[_Work]:
    start, done = context.Barrier(clients), context.Queue()
    # Each client works for the teams of every so many schemas, or all for the same.
    own = [
        schemas[number::clients] or [schemas[number % len(schemas)]] for number in range(clients)
    ]
    processes = []
    for first in range(min(clients, _PROCESSES)):
        numbers = list(range(first, clients, _PROCESSES))
        arguments = (side, url, [own[each] for each in numbers], seconds, numbers, start, done)
        processes.append(context.Process(target=_run_clients, args=arguments))  # type: ignore[attr-defined]
    for process in processes:
        process.start()
    found = [done.get(timeout=seconds + _PATIENCE_SECONDS) for _ in range(clients)]
    for process in processes:
        process.join()
    return found


def _counts(side: str, url: str, schemas: list[str]) -> tuple[int, int]:
    """Return the sum of the counters, and of the revisions of all profiles."""
    counted = revisions = 0
    for schema in schemas:
        with closing(_open(side, url, schema)) as store:
            counted += int(store.get_app_state("counter") or 0)
            found = [store.get_profile(f"profile-{number}") for number in range(_PROFILES)]
            revisions += sum(each["revision"] for each in found)
    return counted, revisions


def _clients_row(
    context: BaseContext, urls: tuple[str, str], schemas: list[str], clients: int, seconds: float
) -> Row:
    """Measure both sides, through the second URL."""
    direct, url = urls
    row: Row = {"clients": clients, "schemas": len(schemas)}
    for side in _SIDES:
        before = _counts(side, direct, schemas)
        done = _many_clients(context, side, url, schemas, clients, seconds)
        after = _counts(side, direct, schemas)
        times = [each for work in done for each in work.times]
        errors = [each for work in done for each in work.errors]
        acknowledged = sum(work.added + work.saved for work in done)
        row[side] = {
            "calls_per_second": (len(times) - len(errors)) / seconds,
            "p99_ms": 1000 * statistics.quantiles(times, n=100)[98],
            "errors": len(errors),
            "first_errors": errors[:3],
            "added": acknowledged,
            "lost_updates": acknowledged - (sum(after) - sum(before)),
        }
    row["times_floor"] = row["burndown"]["calls_per_second"] / row["floor"]["calls_per_second"]
    return row


# --- the part -----------------------------------------------------------------------------------


def _create(url: str, schemas: list[str]) -> None:
    """Create the schemas, with the same data in the tables of both sides."""
    with psycopg.connect(_plain(url), autocommit=True) as connection:
        for schema in schemas:
            connection.execute(f"CREATE SCHEMA {schema}")
            connection.execute(f"SET search_path = {schema}")
            create_tables(connection)
    for schema in schemas:
        with closing(_open("burndown", url, schema)) as store, store.transaction():
            for number in range(_PROFILES):
                store.save_profile(sample.profile(number))
                store.save_query(f"profile-{number}", sample.query(0))
                _fill(store, number)
        with closing(ServerFloor(_plain(url), schema)) as floor:
            for number in range(_PROFILES):
                floor.save_profile(sample.profile(number))
                _fill(floor, number)


def _fill(side: Side, number: int) -> None:
    response = sample.small_response(number)
    side.save_jira_cache(f"profile-{number}", "query-0", "key", response, sample.LATER)
    side.set_app_state("counter", "0")


def _run_proxy(url: str, delay: float, pipe: Any) -> None:
    with running_proxy(url, delay) as proxy:
        pipe.send(proxy.url_of(url))
        pipe.recv()


@contextmanager
def _delayed(context: BaseContext, url: str, delay_ms: float) -> Iterator[str]:
    """Run a proxy in a process of its own, and yield the URL through it."""
    if not delay_ms:
        yield url
        return
    ours, theirs = context.Pipe()
    process = context.Process(target=_run_proxy, args=(url, delay_ms / 1000, theirs))  # type: ignore[attr-defined]
    process.start()
    yield ours.recv()
    ours.send("end")
    process.join()


@contextmanager
def _database(options: Options) -> Iterator[str]:
    if options.at is not None:
        yield options.at
        return
    with running_server(None) as server, server.database() as url:
        yield url


def measure(options: Options) -> list[Row]:
    """Measure single calls, and clients that call at the same time, on a server without fsync."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["benchmarks.server"])
    schemas = [f"team_{number}" for number in range(max(options.schemas))]
    rows: list[Row] = []
    with _database(options) as url:
        _create(url, schemas)
        for delay_ms in options.delays_ms:
            with _delayed(context, url, delay_ms) as delayed:
                rows += _single_calls(delayed, schemas[0], delay_ms, options)
        for delay_ms in options.delays_ms:
            with _delayed(context, url, delay_ms) as delayed:
                run = partial(_clients_row, context, (url, delayed), seconds=options.seconds)
                rows += [
                    {"delay_ms": delay_ms, **run(schemas[:count], clients)}
                    for count in options.schemas
                    for clients in options.clients
                    if not options.operation
                ]
    return rows


def table(rows: list[Row]) -> str:
    """Return a table of the single calls, and one of the clients."""
    single = [row for row in rows if "operation" in row]
    headings = ["operation", "delay", "floor", "burndown", "must", "aim", "meets"]
    lines = [
        [
            row["operation"],
            f"{row['delay_ms']:g} ms",
            f"{row['floor_us']:,.0f} µs",
            tables.spread(row),
            _MUST,
            _AIM,
            tables.verdict(row["ratio"], _MUST, _AIM),
        ]
        for row in single
    ]
    calls = tables.markdown("Calls on a server, as a multiple of the floor's time", headings, lines)
    headings = ["clients", "schemas", "delay", "side", "calls/s", "times floor", "p99"]
    headings += ["errors", "lost"]
    clients = tables.markdown(
        "Clients of one server, 70 % reads",
        headings,
        [_line(row, side) for row in rows if "clients" in row for side in _SIDES],
    )
    return f"{calls}\n{clients}"


def _line(row: Row, side: str) -> list[object]:
    found = row[side]
    return [
        row["clients"],
        row["schemas"],
        f"{row['delay_ms']:g} ms",
        side,
        f"{found['calls_per_second']:,.0f}",
        f"{row['times_floor']:.2f}" if side == "burndown" else "",
        f"{found['p99_ms']:.1f} ms",
        found["errors"],
        found["lost_updates"],
    ]
