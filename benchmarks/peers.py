"""The operations that other libraries have as well, in the same run.

These libraries are not installed with the package; the extra ``peers`` names them.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import sample, tables
from benchmarks.issues import Json
from benchmarks.measuring import Row, medians, ratio
from benchmarks.naive import AppState, JiraCache, Profile, Query, Table
from benchmarks.operations import OPERATIONS, fill, times_of
from benchmarks.options import Options
from benchmarks.sides import Side, open_sides, temporary

__all__ = ["measure", "table"]


class _DiskCache:
    """A cache with any keys and pickled values; large ones are in files of their own."""

    def __init__(self, folder: Path) -> None:
        from diskcache import Cache

        self._cache = Cache(str(folder), sqlite_synchronous=1)

    def get_app_state(self, key: str) -> Any:
        return self._cache.get(key)

    def set_app_state(self, key: str, value: str) -> None:
        self._cache.set(key, value)

    def get_jira_cache(self, *key: str) -> Any:
        return self._cache.get(key)

    def save_jira_cache(
        self, profile_id: str, query_id: str, key: str, response: Json, expires_at: datetime
    ) -> None:
        seconds = (expires_at - datetime.now(UTC)).total_seconds()
        self._cache.set((profile_id, query_id, key), response, expire=seconds)

    def close(self) -> None:
        self._cache.close()


class _RequestsCache:
    """The storage of responses of `requests`, whose content the caller encodes and parses."""

    def __init__(self, folder: Path) -> None:
        from requests_cache.backends.sqlite import SQLiteDict

        self._responses = SQLiteDict(folder / "responses.db", wal=True)

    def get_jira_cache(self, *key: str) -> Any:
        found = self._responses.get("/".join(key))
        return None if found is None or found.is_expired else found.json()

    def save_jira_cache(
        self, profile_id: str, query_id: str, key: str, response: Json, expires_at: datetime
    ) -> None:
        from requests_cache.models import CachedResponse

        received = CachedResponse(content=json.dumps(response).encode(), expires=expires_at)
        self._responses[f"{profile_id}/{query_id}/{key}"] = received

    def close(self) -> None:
        self._responses.close()


class _Hishel:
    """The storage of responses of `httpx`: their bytes, which the caller encodes and parses."""

    def __init__(self, folder: Path) -> None:
        from hishel import SqliteStorage

        self._storage = SqliteStorage(database_path=folder / "responses.db")

    def get_jira_cache(self, *key: str) -> Any:
        for entry in self._storage.get_entries("/".join(key)):
            return json.loads(b"".join(entry.response.stream))
        return None

    def save_jira_cache(
        self, profile_id: str, query_id: str, key: str, response: Json, expires_at: datetime
    ) -> None:
        from hishel import Request, Response

        key = f"{profile_id}/{query_id}/{key}"
        for entry in self._storage.get_entries(key):
            self._storage.remove_entry(entry.id)
        received = Response(200, stream=iter([json.dumps(response).encode()]))
        request = Request("GET", "https://jira.example.com")
        seconds = (expires_at - datetime.now(UTC)).total_seconds()
        created = self._storage.create_entry(request, received, key, ttl=seconds)
        for _ in created.response.stream:  # what is read of it is stored
            pass

    def close(self) -> None:
        self._storage.close()


class _AdvancedAlchemy:
    """Repositories on the tables of the naive side, with a session for each call."""

    def __init__(self, folder: Path) -> None:
        from advanced_alchemy.repository import SQLAlchemySyncRepository
        from sqlalchemy import create_engine, event
        from sqlmodel import Session

        self._engine = create_engine(f"sqlite:///{folder / 'rows.db'}")

        @event.listens_for(self._engine, "connect")
        def _(connection: Any, _: Any) -> None:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")

        Table.metadata.create_all(self._engine)
        self._session: Callable[[], Session] = partial(Session, self._engine)
        self._repositories = {
            model: type(
                model.__name__,
                (SQLAlchemySyncRepository,),
                {"model_type": model, "id_attribute": next(iter(model.model_fields))},
            )
            for model in (Profile, Query, JiraCache, AppState)
        }

    @contextmanager
    def _repository(self, model: Any) -> Iterator[Any]:
        with self._session() as session:
            yield self._repositories[model](session=session)
            session.commit()

    def _get(self, model: Any, **key: str) -> Json | None:
        with self._repository(model) as repository:
            found = repository.get_one_or_none(**key)
            return None if found is None else found.model_dump()

    def _save(self, model: Any, values: Json, *key: str) -> None:
        with self._repository(model) as repository:
            repository.upsert(model(**values), match_fields=list(key), load=[])

    def get_profile(self, profile_id: str) -> Json | None:
        return self._get(Profile, id=profile_id)

    def save_profile(self, profile: Json) -> None:
        self._save(Profile, profile, "id")

    def save_query(self, profile_id: str, query: Json) -> None:
        self._save(Query, {"profile_id": profile_id, **query}, "profile_id", "id")

    def list_queries(self, profile_id: str) -> list[Json]:
        with self._repository(Query) as repository:
            return [each.model_dump() for each in repository.list(profile_id=profile_id)]

    def get_app_state(self, key: str) -> str | None:
        found = self._get(AppState, key=key)
        return None if found is None else found["value"]

    def set_app_state(self, key: str, value: str) -> None:
        self._save(AppState, {"key": key, "value": value}, "key")

    def close(self) -> None:
        self._engine.dispose()


_PEERS: dict[str, Callable[[Path], Any]] = {
    "diskcache": _DiskCache,
    "requests-cache": _RequestsCache,
    "hishel": _Hishel,
    "advanced-alchemy": _AdvancedAlchemy,
}


def _fill(peer: Any, options: Options) -> None:
    """Save what the operations read, as far as the library has a place for it."""
    if hasattr(peer, "save_profile"):
        peer.save_profile(sample.profile())
        for number in range(options.queries):
            peer.save_query("profile-0", sample.query(number))
    if hasattr(peer, "save_jira_cache"):
        response = sample.response(options)
        peer.save_jira_cache("profile-0", "query-0", "live", response, sample.LATER)
        peer.save_jira_cache("profile-0", "query-0", "expired", response, sample.EARLIER)
    if hasattr(peer, "set_app_state"):
        peer.set_app_state("theme", "dark")


def measure(options: Options) -> list[Row]:
    """Measure the operations that a peer has, on all sides that have them."""
    kept = sample.heap(options)
    rows: list[Row] = []
    with ExitStack() as stack:
        folder = stack.enter_context(temporary(options.folder))
        sides: dict[str, Side] = stack.enter_context(open_sides(folder, "NORMAL"))
        for side in sides.values():
            fill(side, options)
        for name, library in _PEERS.items():
            (folder / name).mkdir()
            sides[name] = stack.enter_context(closing(library(folder / name)))
            _fill(sides[name], options)
        for operation in OPERATIONS:
            label = operation.name.format(options)
            method = label.partition(",")[0]
            with_it = {name: side for name, side in sides.items() if hasattr(side, method)}
            if options.operation in label and with_it.keys() & _PEERS.keys():
                times = times_of(operation, with_it, options, options.few_rounds)
                ratios = {name: ratio(times, name, "floor") for name in times}
                rows.append(
                    {"operation": label, "floor_us": medians(times)["floor"] * 1e6, **ratios}
                )
    del kept
    return rows


def table(rows: list[Row]) -> str:
    """Return a table of the ratios to the floor; empty where a library has no such operation."""
    names = ["burndown", "naive", *_PEERS]
    lines = [
        [
            row["operation"],
            f"{row['floor_us']:,.1f} µs",
            *(f"{row[name]['ratio']:.2f}" if name in row else "" for name in names),
        ]
        for row in rows
    ]
    return tables.markdown(
        "Peers, as a multiple of the floor's time", ["operation", "floor", *names], lines
    )
