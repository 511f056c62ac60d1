"""The part of a backend that fetches what is not cached, once for all callers.

The steps of a call are a generator, so that threads and coroutines wait and fetch in their own way.
"""

from __future__ import annotations

import hashlib
import random
import threading
import time
from abc import ABC
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeAlias, cast

from burndown import models
from burndown.errors import (
    FetchFailedError,
    PersistenceError,
    ProfileNotFoundError,
    QueryNotFoundError,
    StorageError,
    TaskCancelledError,
    TaskLostError,
    TaskRunningError,
    ValidationError,
)
from burndown.models.codec import codec_of
from burndown.models.json_codec import encode
from burndown.models.timestamps import to_utc
from burndown.persistence.caching import stale_limit
from burndown.persistence.fetch_calls import fetched, is_within_fetch, within_fetch
from burndown.persistence.freshness_store import FreshnessStore
from burndown.persistence.task import Task
from burndown.persistence.task_store import TaskStore

__all__ = ["FetchingStore", "Outcome", "Step", "Steps", "advance", "fetch_steps"]

LEASE = timedelta(seconds=15)
"""The time after which a fetch of a process that was killed is begun again by another caller."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.01, 0.5
"""Seconds between two looks at the fetch of another caller; each pause is 1.5 times the last."""

Outcome = Mapping[str, Any] | Exception | None
"""What a fetch returned or raised; ``None`` after a pause."""
Step: TypeAlias = "float | str | models.FoundResponse"
"""The seconds to pause; for a fetch the owner of its task; the response at the end."""
Steps: TypeAlias = "Generator[float | str, Outcome, models.FoundResponse]"


class FetchingStore(FreshnessStore, TaskStore, ABC):
    """A store of cached responses that are fetched when they are needed."""

    def cached(
        self,
        profile_id: str,
        query_id: str,
        cache_key: str,
        fetch: Callable[[], Mapping[str, Any]],
        ttl: timedelta,
        stale_if_error: timedelta | None = timedelta(),
        stale_while_revalidate: timedelta | None = timedelta(),
    ) -> models.FoundResponse:
        """Return a fresh cached response, or else fetch one and store it.

        If several callers need it, in any number of threads and processes, one of them fetches it,
        and the others wait for it. If its process is killed, another one fetches 15 seconds later.
        Meanwhile there is a task, which is cleared if the fetch succeeds. The fetch itself has to
        end: give it a timeout.

        Args:
            profile_id: the profile of the query.
            query_id: the query.
            cache_key: as for :meth:`save_jira_cache`.
            fetch: requests the response from Jira and returns it.
            ttl: the time from its saving to its expiry.
            stale_if_error: if the fetch fails, return a response that expired less than this ago;
                by default none, and any for ``None``.
            stale_while_revalidate: while another caller fetches, do not wait, but return a response
                that expired less than this ago; likewise.

        Returns:
            The response as :meth:`find_jira_cache` returns it.

        Raises:
            FetchFailedError: the fetch of another caller failed, for which this one waited.
            StorageError: the caller is within a transaction, in which others could not see it; or
                within the fetch of the same response.
            ValidationError: an argument or the response is not valid.
            ProfileNotFoundError, QueryNotFoundError: as :meth:`save_jira_cache`.
            Exception: what ``fetch`` raised, if this caller fetched.
        """
        key = profile_id, query_id, cache_key
        steps = fetch_steps(self, key, ttl, stale_if_error, stale_while_revalidate)
        outcome: Outcome = None
        with closing(steps):
            while True:
                step = advance(steps, outcome)
                if not isinstance(step, float | str):
                    return step
                outcome = _outcome(step, fetch)


def advance(steps: Steps, outcome: Outcome = None) -> Step:
    """Return the next step, after the outcome of the last one.

    Raises:
        Exception: what :meth:`FetchingStore.cached` raises.
    """
    try:
        return steps.throw(outcome) if isinstance(outcome, Exception) else steps.send(outcome)
    except StopIteration as end:
        found: models.FoundResponse = end.value
        return found


def _outcome(step: float | str, fetch: Callable[[], Mapping[str, Any]]) -> Outcome:
    if isinstance(step, float):
        time.sleep(step)
        return None
    try:
        with within_fetch(step):
            response: Mapping[str, Any] = fetched(fetch)
            return response
    except Exception as error:  # noqa: BLE001 - raised where the steps go on
        return error


def fetch_steps(
    store: FetchingStore,
    key: tuple[str, str, str],
    ttl: timedelta,
    stale_if_error: timedelta | None,
    stale_while_revalidate: timedelta | None,
) -> Steps:
    """Return the steps of :meth:`FetchingStore.cached`.

    A generator that is closed at a step leaves the fetch to the next caller.
    """
    if store.in_transaction():
        raise StorageError(
            "A response cannot be fetched within a transaction, which would hide it from others; "
            "call `cached` before the transaction"
        )
    called_at = store.now()
    stale_limit(called_at, stale_if_error, "stale_if_error")
    stale_limit(called_at, stale_while_revalidate, "stale_while_revalidate")
    if not isinstance(ttl, timedelta):
        raise ValidationError.of("Lifetime", "ttl", "input should be a timedelta", ttl)
    found = store.find_jira_cache(*key, timedelta())
    if found is not None:
        return found
    _check(store, key, called_at)  # before a fetch that could not be stored
    fetch = _Fetch(store, key, ttl)
    while found is None:
        try:
            found = yield from fetch.steps()
        except Exception as error:
            if error is fetch.failure:
                found = fetch.find(stale_if_error)
            if found is None and not fetch.is_lost(error):
                raise
        if found is None:
            found = fetch.find(stale_while_revalidate)
        if found is None:
            failure = yield from fetch.wait()
            found = fetch.find_since(called_at) if failure is None else fetch.find(stale_if_error)
            if found is None and failure is not None:
                raise FetchFailedError(failure)
    return found


def _check(store: FetchingStore, key: tuple[str, str, str], now: datetime) -> None:
    """Check that a response can be stored under the key.

    Raises:
        ValidationError: the key is not valid.
        ProfileNotFoundError, QueryNotFoundError: what it belongs to does not exist.
    """
    record = dict(zip(("profile_id", "query_id", "cache_key"), key, strict=True))
    codec_of(models.JiraCache).rows([{**record, "expires_at": now, "response": {}}])
    profile_id, query_id, _ = key
    if next(store.records(models.Profile, profile_id), None) is None:
        raise ProfileNotFoundError(profile_id)
    if next(store.records(models.Query, profile_id, query_id), None) is None:
        raise QueryNotFoundError(profile_id, query_id)


@dataclass
class _Fetch:
    """A fetch of one response, by this caller or by another one."""

    store: FetchingStore
    key: tuple[str, str, str]
    ttl: timedelta
    failure: Exception | None = None
    """The error of the fetch of this caller."""

    def __post_init__(self) -> None:
        self.name = f"fetch-{hashlib.sha256(encode(list(self.key))).hexdigest()[:32]}"

    def find(self, max_stale: timedelta | None) -> models.FoundResponse | None:
        return self.store.find_jira_cache(*self.key, max_stale)

    def find_since(self, called_at: datetime) -> models.FoundResponse | None:
        """Return a response that is fresh, or was stored since then, however soon it expired."""
        found = self.find(None)
        if found is None or found["state"] == "fresh" or to_utc(found["created_at"]) >= called_at:
            return found
        return None

    def steps(self) -> Generator[float | str, Outcome, models.FoundResponse | None]:
        """Fetch the response and store it, or return ``None`` if another caller fetches it."""
        profile_id, query_id, _ = self.key
        with ExitStack() as held:
            try:
                message = f"response for {query_id} of {profile_id}"
                task = held.enter_context(self.store.task(self.name, LEASE, message))
            except TaskRunningError:
                return None
            try:
                found = self.find(timedelta())  # another caller may just have stored it
                if found is not None:
                    self._end(task)
                    return found
                with _renewed(task):
                    response = yield from self._fetched(task)
                # Encoded before the lock is taken, and undone if the lease was lost meanwhile.
                with self.store.transaction():
                    self.store.save_jira_cache(*self.key, response, self.ttl)
                    self._end(task)
                    return self.find(None)
            except Exception:
                raise
            except BaseException:  # it was interrupted, which says nothing about the next fetch
                with suppress(PersistenceError):
                    self._end(task)
                raise

    def _fetched(self, task: Task) -> Generator[str, Outcome, Mapping[str, Any]]:
        try:
            return cast("Mapping[str, Any]", (yield task.owner))
        except Exception as error:
            self.failure = error
            raise

    def _end(self, task: Task) -> None:
        """Clear the task, if it is still that of this caller."""
        with self.store.transaction():
            task.renew()
            self.store.clear_task_progress(self.name)

    def is_lost(self, error: Exception) -> bool:
        """Return whether another caller has begun the fetch again, since the lease had run out."""
        return isinstance(error, TaskLostError) and error.task_name == self.name

    def wait(self) -> Generator[float | str, Outcome, str | None]:
        """Wait for the end of the fetch of another caller; return the class name of its error.

        Raises:
            StorageError: it cannot end before this call does, which is within it.
        """
        pause = _FIRST_PAUSE
        while True:
            yield random.uniform(pause / 2, pause)  # noqa: S311 - not all callers look together
            task = self.store.get_task_progress(self.name)
            if task is not None and task["status"] == "failed":
                return task["message"]
            if task is not None and task["status"] == "cancelled":
                return TaskCancelledError.__name__
            if task is None or task["status"] != "running":
                return None
            if is_within_fetch(task["owner"]):
                raise StorageError(
                    "The fetch of a response needs this response itself, and would wait for its "
                    "own end; save what both need under another key"
                )
            pause = min(1.5 * pause, _LONGEST_PAUSE)


@contextmanager
def _renewed(task: Task) -> Iterator[None]:
    """Renew the lease of a task until the end of the block; a forked child does not."""
    has_ended = threading.Event()

    def renew() -> None:
        while not has_ended.wait(LEASE.total_seconds() / 3):
            try:
                task.renew()
            except TaskCancelledError:  # reported when the fetch has ended
                return
            except StorageError:
                pass  # such as locked for too long; the lease lasts for another attempt

    thread = threading.Thread(target=renew, name="burndown-lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        has_ended.set()
        thread.join()
