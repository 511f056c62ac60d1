"""Large JSON is encoded, checked and compressed fast, and accepted exactly as by the full check."""

import _thread
import json
import math
import os
import signal
import threading
import uuid
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Any

import pytest
import zstandard
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from burndown import JiraCache, SQLiteBackend, StorageError, ValidationError
from burndown.models import compression, zstd
from burndown.models.codec import codec_of
from burndown.models.compression import compress, decompress
from burndown.models.json_codec import check_encoded, check_storable, decode
from burndown.testing.contract.drawn import json_objects, nested, unstorable_keys, unstorable_values
from tests.support.strategies import hidden

PADDING = "x" * 2**18
"""Makes a string large enough to be compressed by another thread."""
LATER = datetime(2099, 1, 1, tzinfo=UTC)


class Text(str):
    pass


class Whole(int):
    pass


class Broken(float):
    pass


class Sequence(list[Any]):
    pass


class Colour(Enum):
    RED = "red"


class Level(IntEnum):
    LOW = 1


@dataclass
class Point:
    x: int = 1


ODD: dict[str, Any] = {
    "tuple": (1, 2),
    "set": {1},
    "bytes": b"x",
    "bytearray": bytearray(b"x"),
    "decimal": Decimal("1.5"),
    "enum": Colour.RED,
    "int enum": Level.LOW,
    "uuid": uuid.UUID(int=1),
    "datetime": datetime(2025, 1, 1, tzinfo=UTC),
    "date": date(2025, 1, 1),
    "time": time(12),
    "dataclass": Point(),
    "class": Point,
    "function": len,
    "complex": 1j,
    "dict subclass": OrderedDict(b=1, a=2),
    "list subclass": Sequence([1]),
    "text subclass": Text("text"),
    "surrogate in a text subclass": Text("\ud800"),
    "int subclass": Whole(3),
    "float subclass": Broken(1.5),
    "NaN of a subclass": Broken("nan"),
    "ellipsis": ...,
    "NaN": math.nan,
    "infinity": math.inf,
    "minus infinity": -math.inf,
    "surrogate": "a\udc80b",
    "surrogate in a key": {"a\ud800": 1},
    "text subclass as key": {Text("k"): 1},
    "surrogate in a key of a subclass": {Text("\ud800"): 1},
    "enum as key": {Colour.RED: 1},
    "int as key": {1: 1},
    "bool as key": {True: 1},
    "None as key": {None: 1},
    "uuid as key": {uuid.UUID(int=1): 1},
    "date as key": {date(2025, 1, 1): 1},
    "NUL": "\0",
    "NUL as key": {"\0": 1},
    "not ASCII": {"é😀": "é😀"},
    "63 bits": [2**63 - 1, -(2**63)],
    "64 bits": [2**63, 2**64 - 1],
    "65 bits": [2**64, -(2**63) - 1],
    "4,298 digits": 10**4298 - 1,
    "4,299 digits": -(2**14_280 - 1),
    "4,300 digits": -(10**4299),
    "5,000 digits": 10**5000,
    "extreme floats": [0.1, -0.0, 5e-324, 1.7976931348623157e308, 1e16, 1e22, 123456789.123],
    "empty containers": [{}, [], ""],
    **{f"{depth} dicts": nested(depth) for depth in (197, 198, 199, 200, 201, 260, 400)},
}
DEPTHS = (199, 200, 201, 260)


def document(response: Any) -> dict[str, Any]:
    return {
        "profile_id": "p",
        "query_id": "q",
        "cache_key": "k",
        "expires_at": LATER,
        "created_at": LATER,
        "response": response,
    }


def padded(response: dict[str, Any], at_the_end: bool = False) -> dict[str, Any]:
    padding = {"padding": PADDING}
    return {**response, **padding} if at_the_end else {**padding, **response}


def is_storable(value: Any) -> bool:
    try:
        check_storable(value)
    except PydanticCustomError:
        return False
    return True


def same_as_exactly(one: Any, other: Any) -> bool:
    """Return whether both are equal, with their types and the order of their keys."""
    return repr(one) == repr(other)


def check_agreement(response: dict[str, Any]) -> None:
    """Assert that it is accepted as by the full check, refused as by the model, and comes back."""
    if is_storable(response):
        [row] = codec_of(JiraCache).rows([document(response)])
        assert decode(decompress(row["response"])) == plain(response)
    else:
        with pytest.raises(ValidationError) as quickly:
            codec_of(JiraCache).rows([document(response)])
        with pytest.raises(ValidationError) as carefully:
            codec_of(JiraCache).entity(document(response))
        assert str(quickly.value) == str(carefully.value)


def plain(value: Any) -> Any:
    """Return the JSON that is stored for it."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return list(map(plain, value))
    return None if value is ... else value


# --- accepted values -------------------------------------------------------------------------


@pytest.mark.parametrize("around", ["small", "padded before", "padded after", "in a long list"])
@pytest.mark.parametrize("odd", ODD)
def test_an_unexpected_value_is_accepted_or_refused_as_by_the_full_check(
    odd: str, around: str
) -> None:
    value = ODD[odd]
    check_agreement(
        {
            "small": {"k": value},
            "padded before": padded({"k": value}),
            "padded after": padded({"k": value}, at_the_end=True),
            "in a long list": padded({"k": [*range(100), value]}),
        }[around]
    )


@pytest.mark.parametrize("is_large", [False, True])
@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("wrap", [lambda inner: {"k": inner}, lambda inner: [inner]])
def test_nesting_is_accepted_up_to_the_limit_in_any_type(
    depth: int, is_large: bool, wrap: Any
) -> None:
    value: Any = [PADDING] if is_large else []
    for _ in range(depth - 2):
        value = wrap(value)
    response = {"k": value}
    assert is_storable(response) == (depth <= 200)
    check_agreement(response)


@given(response=json_objects, at_the_end=st.booleans(), is_large=st.booleans())
def test_json_comes_back_as_it_was_saved(
    response: dict[str, Any], at_the_end: bool, is_large: bool
) -> None:
    if is_large:
        response = padded(response, at_the_end)
    [row] = codec_of(JiraCache).rows([document(response)])
    assert same_as_exactly(decode(decompress(row["response"])), response)


@given(
    found=hidden(unstorable_values | unstorable_keys.map(lambda key: {key: [1]})),
    is_large=st.booleans(),
)
@example(found=({"k": math.nan}, "k"), is_large=True)
@example(found=({"k": ["\ud800"]}, "k[0]"), is_large=True)
def test_values_other_than_json_are_refused_with_their_path(
    found: tuple[dict[str, Any], str], is_large: bool
) -> None:
    response, path = found
    check_agreement(padded(response) if is_large else response)
    with pytest.raises(ValidationError, match="response") as refused:
        codec_of(JiraCache).rows([document(response)])
    assert path.split("[")[0] in str(refused.value)


@pytest.mark.parametrize("response", [None, [], "{}", 3, (), b"{}", [PADDING], ..., {1}])
def test_values_other_than_objects_are_refused(response: Any) -> None:
    with pytest.raises(ValidationError) as quickly:
        codec_of(JiraCache).rows([document(response)])
    with pytest.raises(ValidationError) as carefully:
        codec_of(JiraCache).entity(document(response))
    assert str(quickly.value) == str(carefully.value)


@given(st.dictionaries(st.text("abc"), st.integers(-(2**63), 2**64 - 1) | st.floats() | st.none()))
def test_encoded_json_is_checked_as_any_other_value(value: dict[str, Any]) -> None:
    def verdict(check: Any) -> str | None:
        try:
            check(value)
        except PydanticCustomError as error:
            return str(error)
        return None

    assert verdict(check_encoded) == verdict(check_storable)


@pytest.mark.parametrize("around", [-1, 0, 1])
def test_the_size_from_which_another_thread_is_used_changes_no_result(around: int) -> None:
    response = {"k": "x" * (compression._LARGE + around - len('{"k":""}'))}
    assert len(json.dumps(response, separators=(",", ":"))) == compression._LARGE + around
    check_agreement(response)


def test_a_backend_returns_a_large_response(backend: SQLiteBackend) -> None:
    response = padded({"z": 1, "a": [{"é": 2**70, "f": 1e22}], "m": None}, at_the_end=True)
    backend.save_profile({"id": "p"})
    backend.save_query("p", {"id": "q"})
    backend.save_jira_cache("p", "q", "k", response, LATER)
    found = backend.get_jira_cache("p", "q", "k")
    assert same_as_exactly(found, response)
    with pytest.raises(ValidationError):
        backend.save_jira_cache("p", "q", "k", {**response, "odd": {1}}, LATER)
    assert backend.get_jira_cache("p", "q", "k") == found


def test_a_change_after_encoding_is_stored() -> None:
    """The string that was compressed for one row is never used for another."""
    [completed] = codec_of(JiraCache).complete([document({"before": 1})])
    completed["response"]["after"] = 2
    [row] = codec_of(JiraCache).rows([completed])
    assert decode(decompress(row["response"])) == {"before": 1, "after": 2}
    entity = codec_of(JiraCache).entity(completed)
    assert decode(decompress(compress(entity.response))) == {"before": 1, "after": 2}


# --- threads ---------------------------------------------------------------------------------

Start = Callable[[Callable[[], None], tuple[()]], int]


def stored(response: dict[str, Any]) -> Any:
    """Return a response as it is read after it was saved."""
    [row] = codec_of(JiraCache).rows([document(response)])
    return decode(decompress(row["response"]))


class Threads:
    """A replacement of ``_thread`` that records the threads it starts, and can wait for them."""

    def __init__(self) -> None:
        self.ended: list[threading.Event] = []
        self._start = _thread.start_new_thread

    def __call__(self, run: Callable[[], None], arguments: tuple[()]) -> int:
        self.ended.append(ended := threading.Event())

        def noted() -> None:
            try:
                run(*arguments)
            finally:
                ended.set()

        return self._start(noted, ())

    def join(self) -> None:
        assert all(ended.wait(60) for ended in self.ended)


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> Threads:
    noted = Threads()
    monkeypatch.setattr(_thread, "start_new_thread", noted)
    return noted


def raising(error: type[BaseException]) -> Start:
    def start(_: Callable[[], None], __: tuple[()]) -> int:
        raise error

    return start


def never_running(_: Callable[[], None], __: tuple[()]) -> int:
    """Return a thread starter whose threads die before they run, without an error."""
    return 1


def running_late(run: Callable[[], None], _: tuple[()]) -> int:
    LATE.append(run)
    return 1


LATE: list[Callable[[], None]] = []
"""Threads that run only when no other thread waits for them."""


class Failing:
    """A compressor that runs out of memory."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def compress(self, _: object) -> bytes:
        raise self._error

    multi_compress_to_buffer = compress


SHORTAGES = [
    MemoryError(),
    zstandard.ZstdError("cannot compress: Allocation error : not enough memory"),
]


def test_only_large_responses_are_compressed_by_another_thread(
    threads: Threads,
) -> None:
    codec_of(JiraCache).rows([document({"k": "small"})])
    assert threads.ended == []
    codec_of(JiraCache).rows([document(padded({}))])
    assert len(threads.ended) == 1
    threads.join()


def test_many_threads_each_get_their_own_response() -> None:
    def number_of(number: int) -> Any:
        response = padded({"number": number, "more": [number] * 1000}, at_the_end=number % 2 == 0)
        if number % 5 == 0:
            with pytest.raises(ValidationError):
                codec_of(JiraCache).rows([document({**response, "odd": math.nan})])
        return stored(response)["number"]

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(number_of, range(40))) == list(range(40))


@pytest.mark.parametrize("odd", ["decimal", "NaN", "65 bits", "201 dicts", "surrogate", "enum"])
@pytest.mark.parametrize(
    "start",
    [raising(RuntimeError), raising(MemoryError), never_running, running_late],
    ids=["no thread", "no memory for one", "one that dies", "one that is late"],
)
def test_without_threads_the_result_is_the_same(
    start: Start, odd: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_thread, "start_new_thread", start)
    check_agreement(padded({"z": 1, "a": 2}))
    check_agreement(padded({"k": ODD[odd]}))
    while LATE:
        LATE.pop()()


@pytest.mark.parametrize("error", SHORTAGES, ids=repr)
def test_a_response_is_compressed_here_if_the_other_thread_runs_out_of_memory(
    error: Exception, threads: Threads, monkeypatch: pytest.MonkeyPatch
) -> None:
    compress({})  # creates the compressor of this thread
    monkeypatch.setattr(zstandard, "ZstdCompressor", lambda **_: Failing(error))
    assert stored(padded({"k": 1})) == padded({"k": 1})
    threads.join()


@pytest.mark.parametrize("is_large", [False, True])
@pytest.mark.parametrize("error", SHORTAGES, ids=repr)
def test_without_memory_to_compress_nothing_is_stored(
    backend: SQLiteBackend, error: Exception, is_large: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend.save_profile({"id": "p"})
    backend.save_query("p", {"id": "q"})
    response = padded({}) if is_large else {}
    with monkeypatch.context() as patched:
        patched.setattr(zstandard, "ZstdCompressor", lambda **_: Failing(error))
        patched.setattr(zstd, "_zstd", zstd._Zstd())
        with pytest.raises(StorageError, match="not enough memory"):
            backend.save_jira_cache("p", "q", "k", response, LATER)
        with pytest.raises(StorageError, match="not enough memory"):
            backend.save_jira_changelog("p", "q", "K-1", {"big": 2**70})  # compressed when bound
    assert backend.list_jira_caches("p", "q") == []
    assert backend.list_jira_changelogs("p", "q") == []
    backend.save_jira_cache("p", "q", "k", response, LATER)
    assert backend.get_jira_cache("p", "q", "k") == response


def test_an_interrupted_check_leaves_no_thread(
    threads: Threads, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(compression, "check_encoded", interrupted)
    with pytest.raises(KeyboardInterrupt):
        codec_of(JiraCache).rows([document(padded({}))])
    threads.join()


def test_an_interrupted_wait_leaves_the_compressor_to_its_thread(
    threads: Threads, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only one thread at a time may use a compressor, and the other may still do so."""
    used: list[tuple[object, int]] = []
    at_work, may_end = threading.Event(), threading.Event()
    make = zstandard.ZstdCompressor

    class Noted:
        def __init__(self, *, write_checksum: bool) -> None:
            self._real = make(write_checksum=write_checksum)

        def compress(self, encoded: bytes) -> bytes:
            used.append((self, threading.get_ident()))
            return self._real.compress(encoded)

        def multi_compress_to_buffer(self, contents: list[bytes]) -> object:
            used.append((self, threading.get_ident()))
            at_work.set()
            assert may_end.wait(60)
            return self._real.multi_compress_to_buffer(contents)

    def interrupted(_: compression._Compression) -> None:
        assert at_work.wait(60)
        raise KeyboardInterrupt

    monkeypatch.setattr(zstandard, "ZstdCompressor", Noted)
    monkeypatch.setattr(zstd, "_zstd", zstd._Zstd())
    monkeypatch.setattr(compression._Compression, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        codec_of(JiraCache).rows([document(padded({}))])
    compress({"next": 1})
    may_end.set()
    threads.join()
    assert len({compressor for compressor, _ in used}) == len({thread for _, thread in used}) == 2


def test_the_child_of_a_fork_does_not_wait_for_a_thread_of_its_parent(
    threads: Threads, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fork happens while the other thread compresses, as in a signal handler."""
    at_work, forked = threading.Event(), threading.Event()
    make, check = zstandard.ZstdCompressor, check_encoded
    children: list[int] = []

    class Slow:
        def __init__(self, *, write_checksum: bool) -> None:
            self._real = make(write_checksum=write_checksum)

        def multi_compress_to_buffer(self, contents: list[bytes]) -> object:
            at_work.set()
            assert forked.wait(60)
            return self._real.multi_compress_to_buffer(contents)

    def forking(value: dict[str, Any]) -> None:
        assert at_work.wait(60)
        children.append(os.fork())
        if children == [0]:
            signal.alarm(60)  # ends a child that waits forever
        check(value)
        forked.set()

    compress({})  # creates the compressor of this thread
    monkeypatch.setattr(zstandard, "ZstdCompressor", Slow)
    monkeypatch.setattr(compression, "check_encoded", forking)
    found = None
    try:
        found = stored(padded({"k": 1}))
    finally:
        if children == [0]:
            os._exit(0 if found == padded({"k": 1}) else 1)
    assert found == padded({"k": 1})
    threads.join()
    assert os.waitpid(children[0], 0)[1] == 0
