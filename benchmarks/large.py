"""Times and memory of calls on a store of many cached responses, and what follows for more of them.

A store of size N has N cached responses of about 10 KB, a hundred for each query, and a hundred
queries in each profile. They are saved in the order in which teams fetch them: one for each query,
and again. A tenth has expired. Each operation runs in a process of its own, in which the peak of
memory is measured. While one takes long, another writer saves a value again and again.
"""

import hashlib
import math
import resource
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
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
_BEYOND = 10
"""How many times more responses than in the largest store the times are extrapolated to."""
_PAUSE_SECONDS = 0.01
_FILLING = "filling"
_UNITS = ((60, "min"), (1, "s"), (1e-3, "ms"), (1e-6, "µs"))


class _Store(NamedTuple):
    """The file of a store, and the number of its responses."""

    path: Path
    size: int

    @property
    def queries(self) -> int:
        """Return the number of queries."""
        return math.ceil(self.size / _PER_QUERY)

    def ids(self, number: int) -> tuple[str, str]:
        """Return the ids of the profile and the query of a response."""
        query = number % self.queries
        return f"profile-{query // _PER_PROFILE}", f"query-{query}"

    def key(self, number: int) -> tuple[str, str, str]:
        """Return the key of a response."""
        return (*self.ids(number), hashlib.sha256(str(number).encode()).hexdigest())

    def is_expired(self, number: int) -> bool:
        """Return whether a response has expired: every tenth one of each query."""
        return number // self.queries % 10 == 0

    def fresh(self, call: int) -> int:
        """Return the number of a response that has not expired, another one for each call."""
        number = 7919 * call % self.size
        return (number + self.queries) % self.size if self.is_expired(number) else number


class _Found(NamedTuple):
    """What was measured of an operation."""

    seconds: float
    memory: int
    """The bytes by which the peak of the memory grew."""
    wait: float | None = None
    """The longest call of another writer, in seconds."""


class _Operation(NamedTuple):
    """A call, with the number of the repetition; only short ones are repeated."""

    run: Callable[[_Store, PersistenceBackend, int], object]
    kind: Literal["short", "once", "long", "first"] = "short"
    """A long one runs next to another writer; the first call of a process opens the store."""
    before: Callable[[_Store], object] = lambda _: None


def _fill(store: _Store, backend: PersistenceBackend, _: int) -> None:
    for number in range(math.ceil(store.queries / _PER_PROFILE)):
        backend.save_profile(sample.profile(number))
    for number in range(store.queries):
        backend.save_query(store.ids(number)[0], sample.query(number))
    for first in range(0, store.size, _BATCH):
        numbers = range(first, min(first + _BATCH, store.size))
        backend.save_records(JiraCache, [_record(store, each) for each in numbers])


@cache
def _responses() -> list[Json]:
    issues = random_issues(50 * _ISSUES)
    return [
        {"startAt": at, "total": _ISSUES, "issues": issues[at : at + _ISSUES]}
        for at in range(0, len(issues), _ISSUES)
    ]


def _record(store: _Store, number: int) -> Json:
    responses = _responses()
    profile_id, query_id, cache_key = store.key(number)
    return {
        "profile_id": profile_id,
        "query_id": query_id,
        "cache_key": cache_key,
        "created_at": sample.NOW,
        "expires_at": sample.EARLIER if store.is_expired(number) else sample.LATER,
        "response": responses[number % len(responses)],
    }


def _save(store: _Store, backend: PersistenceBackend, number: int) -> None:
    responses = _responses()
    key = store.key(store.fresh(number))
    backend.save_jira_cache(*key, responses[number % len(responses)], sample.LATER)


def _check(_: _Store, backend: PersistenceBackend, __: int) -> None:
    is_intact, problems = backend.check_integrity()
    if not is_intact:
        raise AssertionError(problems)


def _downgrade(store: _Store) -> None:
    """Make the tables those of the previous version."""
    engine = create_engine(f"sqlite:///{store.path}")
    event.listen(engine, "connect", lambda raw, _: add_digest_functions(raw))
    with engine.begin() as connection:
        change_version(connection, list(VERSIONS)[-2])
    engine.dispose()


_OPERATIONS = {
    _FILLING: _Operation(_fill, "once"),
    "opening": _Operation(lambda _, backend, __: backend.get_app_state("theme"), "first"),
    "get_jira_cache": _Operation(
        lambda store, backend, number: backend.get_jira_cache(*store.key(store.fresh(number)))
    ),
    "get_jira_cache, absent": _Operation(
        lambda store, backend, number: backend.get_jira_cache(*store.ids(number), "absent")
    ),
    "save_jira_cache": _Operation(_save),
    "list_queries": _Operation(lambda _, backend, __: backend.list_queries("profile-0")),
    "query_status": _Operation(lambda _, backend, __: backend.query_status("profile-0")),
    "check_integrity": _Operation(_check, "long"),
    "backup": _Operation(
        lambda store, backend, _: backend.backup(store.path.with_name("copy.db")), "long"
    ),
    "cleanup, nothing": _Operation(lambda _, backend, __: backend.cleanup(2**62), "long"),
    "cleanup_expired_cache, a tenth": _Operation(
        lambda _, backend, __: backend.cleanup_expired_cache(), "long"
    ),
    "compact, a tenth": _Operation(lambda _, backend, __: backend.compact(), "long"),
    "delete_query, 90 responses": _Operation(
        lambda store, backend, _: backend.delete_query(*store.ids(0)), "long"
    ),
    "schema upgrade": _Operation(
        lambda _, backend, __: backend.get_app_state("theme"), "first", before=_downgrade
    ),
}


def _run(name: str, store: _Store) -> _Found:
    """Measure an operation in this process, which has not opened a store yet."""
    operation = _OPERATIONS[name]
    with settings(sqlite_synchronous="NORMAL"), open_backend(str(store.path)) as backend:
        if operation.kind == "first":
            return _measured(lambda: operation.run(store, backend, 0))
        if operation.kind == "once":
            return _measured(lambda: operation.run(store, backend, 0))
        if operation.kind == "long":
            backend.get_app_state("theme")
            with _other_writer(store) as waits:
                found = _measured(lambda: operation.run(store, backend, 0))
            return found._replace(wait=max(waits))
        operation.run(store, backend, _CALLS)  # opens the store
        calls = [_measured(partial(operation.run, store, backend, each)) for each in range(_CALLS)]
        return _Found(
            statistics.median(each.seconds for each in calls), sum(each.memory for each in calls)
        )


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
        while not done.wait(_PAUSE_SECONDS if waits else 0):
            begun = time.perf_counter()
            other.set_app_state("theme", str(begun))
            waits.append(time.perf_counter() - begun)

    with settings(busy_timeout="600"), open_backend(str(store.path)) as other:
        other.get_app_state("theme")
        thread = threading.Thread(target=write)
        thread.start()
        try:
            yield waits
        finally:
            done.set()
            thread.join()


def measure(options: Options) -> list[Row]:
    """Measure all operations on stores of each size, one after the other."""
    found: dict[str, list[_Found]] = {name: [] for name in _OPERATIONS}
    sizes = []
    with temporary(options.folder) as folder:
        for size in options.large:
            store = _Store(folder / f"{size}" / "store.db", size)
            for name, operation in _OPERATIONS.items():
                operation.before(store)
                found[name].append(_alone(name, store))
                if name == _FILLING:
                    sizes.append(store.path.stat().st_size)
                for each in store.path.parent.iterdir():
                    if each != store.path:  # a copy
                        each.unlink()
            store.path.unlink()
    return [
        {
            "operation": name,
            "responses": options.large,
            "bytes": sizes,
            **{field: [getattr(each, field) for each in of_sizes] for field in _Found._fields},
            "exponent": _exponent(options.large, [each.seconds for each in of_sizes]),
        }
        for name, of_sizes in found.items()
    ]


def _alone(name: str, store: _Store) -> _Found:
    """Measure an operation in a new process, which has only imported the package."""
    context = get_context("forkserver")
    context.set_forkserver_preload([__name__])
    with ProcessPoolExecutor(1, context) as pool:
        return pool.submit(_run, name, store).result()


def _exponent(sizes: Sequence[int], seconds: list[float]) -> float | None:
    """Return the slope of the times between the two largest stores, both as logarithms."""
    if len(sizes) == 1:
        return None
    return math.log(seconds[-1] / seconds[-2]) / math.log(sizes[-1] / sizes[-2])


def table(rows: list[Row]) -> str:
    """Return a table of times for each size, and what they would be for more responses."""
    sizes, files = rows[0]["responses"], rows[0]["bytes"]
    headings = [
        "operation",
        *(f"{size:,}, {file / 1e6:,.0f} MB" for size, file in zip(sizes, files, strict=True)),
        "exponent",
        f"{_BEYOND * sizes[-1]:,}",
        "memory",
        "others wait",
    ]
    return tables.markdown("Large stores", headings, map(_line, rows))


def _line(row: Row) -> list[str]:
    exponent, wait = row["exponent"], row["wait"][-1]
    beyond = "" if exponent is None else _time(row["seconds"][-1] * _BEYOND ** max(exponent, 0))
    return [
        row["operation"],
        *map(_time, row["seconds"]),
        "" if exponent is None else f"{exponent:.2f}",
        beyond,
        " to ".join(f"{row['memory'][at] / 1e6:.0f}" for at in (0, -1)) + " MB",
        "" if wait is None else _time(wait),
    ]


def _time(seconds: float) -> str:
    size, unit = next(each for each in _UNITS if seconds >= each[0] or each is _UNITS[-1])
    return f"{seconds / size:,.{1 if seconds < 10 * size else 0}f} {unit}"
