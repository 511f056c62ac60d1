"""Times and memory of calls on a store of many cached responses, and what follows for more of them.

A store of size N has N cached responses of about 10 KB, a hundred for each query, and a hundred
queries in each profile. They are saved in the order in which teams fetch them: one for each query,
and again. A tenth has expired. Each operation runs in a process of its own, in which the peak of
memory is measured. While a long one runs, another writer saves a value again and again.
"""

import hashlib
import math
import resource
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path
from typing import Literal, NamedTuple

from sqlalchemy import create_engine, event

from benchmarks import sample, tables
from benchmarks.issues import Json, random_issues
from benchmarks.measuring import Row
from benchmarks.options import Options
from benchmarks.sides import settings, temporary
from burndown import JiraCache
from burndown.models.digest_functions import add_digest_functions
from burndown.persistence import PersistenceBackend, open_backend
from burndown.schema import VERSIONS, change_version

__all__ = ["measure", "table"]

_PER_QUERY = _PER_PROFILE = 100
_ISSUES = 16
"""Issues in a response, which takes 10 KB with them."""
_BATCH = 500
_CALLS = 200
_PAUSE_SECONDS = 0.01
_BEYOND = 10
"""How many times more responses the times are extrapolated to, by the slope between the two largest
stores, both as logarithms: 1 is linear."""
_UNITS = ((60, "min"), (1, "s"), (1e-3, "ms"), (1e-6, "µs"))


class _Store(NamedTuple):
    """The file of a store, and the number of its responses."""

    path: Path
    size: int

    @property
    def queries(self) -> int:
        return math.ceil(self.size / _PER_QUERY)

    def ids(self, number: int) -> tuple[str, str]:
        """Return the ids of the profile and the query of a response."""
        query = number % self.queries
        return f"profile-{query // _PER_PROFILE}", f"query-{query}"

    def key(self, number: int) -> tuple[str, str, str]:
        return (*self.ids(number), hashlib.sha256(str(number).encode()).hexdigest())

    def is_expired(self, number: int) -> bool:
        """Return whether a response has expired: every tenth one of each query."""
        return number // self.queries % 10 == 0

    def some(self, call: int) -> tuple[str, str, str]:
        """Return the key of a response that has not expired, another one for each call."""
        number = 7919 * call % self.size
        return self.key((number + self.queries) % self.size if self.is_expired(number) else number)


class _Found(NamedTuple):
    """The measurements of an operation."""

    seconds: float
    memory: int
    """The bytes by which the peak of the memory grew."""
    wait: float | None = None
    """The longest call of another writer, in seconds."""


class _Operation(NamedTuple):
    """A call of a backend for a store, with the number of its repetition."""

    run: Callable[[PersistenceBackend, _Store, int], object]
    kind: Literal["short", "long", "first"] = "short"
    """Short ones are repeated; the first call of a process opens the store."""
    before: Callable[[_Store], object] = lambda _: None


def _fill(backend: PersistenceBackend, store: _Store, _: int) -> None:
    for number in range(math.ceil(store.queries / _PER_PROFILE)):
        backend.save_profile(sample.profile(number))
    for number in range(store.queries):
        backend.save_query(store.ids(number)[0], sample.query(number))
    for first in range(0, store.size, _BATCH):
        numbers = range(first, min(first + _BATCH, store.size))
        backend.save_records(JiraCache, [_record(store, each) for each in numbers])


def _record(store: _Store, number: int) -> Json:
    ids = dict(zip(("profile_id", "query_id", "cache_key"), store.key(number), strict=True))
    expiry = sample.EARLIER if store.is_expired(number) else sample.LATER
    return {**ids, "expires_at": expiry, "response": _response(number)}


def _response(number: int) -> Json:
    found = _responses()
    return found[number % len(found)]


@cache
def _responses() -> list[Json]:
    issues = random_issues(50 * _ISSUES)
    starts = range(0, len(issues), _ISSUES)
    return [{"total": _ISSUES, "issues": issues[at : at + _ISSUES]} for at in starts]


def _check(backend: PersistenceBackend, _: _Store, __: int) -> None:
    assert backend.check_integrity() == (True, [])


def _downgrade(store: _Store) -> None:
    """Make the tables those of the previous version."""
    engine = create_engine(f"sqlite:///{store.path}")
    event.listen(engine, "connect", lambda raw, _: add_digest_functions(raw))
    with engine.begin() as connection:
        change_version(connection, list(VERSIONS)[-2])
    engine.dispose()


_OPERATIONS = {
    "filling": _Operation(_fill, "first"),
    "opening": _Operation(lambda b, _, __: b.get_app_state("theme"), "first"),
    "get_jira_cache": _Operation(lambda b, store, number: b.get_jira_cache(*store.some(number))),
    "get_jira_cache, absent": _Operation(
        lambda b, store, number: b.get_jira_cache(*store.ids(number), "absent")
    ),
    "save_jira_cache": _Operation(
        lambda b, store, n: b.save_jira_cache(*store.some(n), _response(n), sample.LATER)
    ),
    "list_queries": _Operation(lambda b, _, __: b.list_queries("profile-0")),
    "query_status": _Operation(lambda b, _, __: b.query_status("profile-0")),
    "check_integrity": _Operation(_check, "long"),
    "backup": _Operation(lambda b, store, _: b.backup(store.path.with_name("copy.db")), "long"),
    "cleanup, nothing": _Operation(lambda b, _, __: b.cleanup(2**62), "long"),
    "cleanup_expired_cache, a tenth": _Operation(
        lambda b, _, __: b.cleanup_expired_cache(), "long"
    ),
    "compact, a tenth": _Operation(lambda b, _, __: b.compact(), "long"),
    "delete_query, 90 responses": _Operation(lambda b, s, _: b.delete_query(*s.ids(0)), "long"),
    "schema upgrade": _Operation(lambda b, _, __: b.get_app_state("theme"), "first", _downgrade),
}


def _run(name: str, store: _Store) -> _Found:
    """Measure an operation in this process, which has opened no store yet."""
    run, kind, _ = _OPERATIONS[name]
    with settings(sqlite_synchronous="NORMAL"), open_backend(str(store.path)) as backend:
        if kind == "first":
            return _measured(partial(run, backend, store, 0))
        if kind == "long":
            with _other_writer(store) as waits:
                found = _measured(partial(run, backend, store, 0))
            return found._replace(wait=max(waits))
        run(backend, store, _CALLS)  # opens the store
        calls = [_measured(partial(run, backend, store, number)) for number in range(_CALLS)]
        memory = sum(each.memory for each in calls)
        return _Found(statistics.median(each.seconds for each in calls), memory)


def _measured(call: Callable[[], object]) -> _Found:
    memory, begun = _peak(), time.perf_counter()
    call()
    return _Found(time.perf_counter() - begun, _peak() - memory)


def _peak() -> int:
    """Return the largest number of bytes of memory that this process had so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


@contextmanager
def _other_writer(store: _Store) -> Iterator[list[float]]:
    """Save a value again and again; yield the list of the seconds that each call took."""
    waits: list[float] = []
    done = threading.Event()

    def write() -> None:
        while not (waits and done.wait(_PAUSE_SECONDS)):
            waits.append(_measured(partial(other.set_app_state, "n", str(len(waits)))).seconds)

    with settings(busy_timeout="600"), open_backend(str(store.path)) as other:
        other.get_app_state("n")
        thread = threading.Thread(target=write)
        thread.start()
        try:
            yield waits
        finally:
            done.set()
            thread.join()


def measure(options: Options) -> list[Row]:
    """Measure all operations on stores of each size, one after the other."""
    rows: dict[str, Row] = {name: {"operation": name, "stores": []} for name in _OPERATIONS}
    with temporary(options.folder) as folder:
        for size in options.large:
            store = _Store(folder / f"{size}" / "store.db", size)
            for name, operation in _OPERATIONS.items():
                operation.before(store)
                found = _alone(name, store)._asdict()
                sizes = {"responses": size, "bytes": store.path.stat().st_size}
                rows[name]["stores"].append({**sizes, **found})
                for each in store.path.parent.iterdir():
                    if each != store.path:  # a copy
                        each.unlink()
            store.path.unlink()
    return list(rows.values())


def _alone(name: str, store: _Store) -> _Found:
    """Measure an operation in a new process, which has only imported the package."""
    context = get_context("forkserver")
    context.set_forkserver_preload([__name__])
    with ProcessPoolExecutor(1, context) as pool:
        return pool.submit(_run, name, store).result()


def table(rows: list[Row]) -> str:
    """Return a table of times for each size, and what they would be for more responses."""
    stores = rows[0]["stores"]
    headings = ["operation", *(f"{each['responses']:,}" for each in stores), "exponent"]
    headings += [f"{_BEYOND * stores[-1]['responses']:,}", "memory", "others wait"]
    return tables.markdown("Large stores", headings, (_line(**row) for row in rows))


def _line(operation: str, stores: list[Row]) -> list[str]:
    *smaller, last = stores
    exponent = 0.0
    for other in smaller[-1:]:
        times = last["seconds"] / other["seconds"]
        exponent = math.log(times) / math.log(last["responses"] / other["responses"])
    return [
        operation,
        *(_time(each["seconds"]) for each in stores),
        f"{exponent:.2f}",
        _time(last["seconds"] * _BEYOND ** max(exponent, 0)),
        f"{stores[0]['memory'] / 1e6:.0f} to {last['memory'] / 1e6:.0f} MB",
        "" if last["wait"] is None else _time(last["wait"]),
    ]


def _time(seconds: float) -> str:
    size, unit = next(each for each in _UNITS if seconds >= each[0] or each is _UNITS[-1])
    return f"{seconds / size:,.{1 if seconds < 10 * size else 0}f} {unit}"
