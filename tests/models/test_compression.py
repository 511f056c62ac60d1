"""Large JSON is encoded, checked and compressed fast, and accepted exactly as by the full check."""

import json
import math
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
from burndown.models import zstd
from burndown.models.codec import codec_of
from burndown.models.compression import MANY_ISSUES, compress, decompress, decompress_object
from burndown.models.json_codec import check_encoded, check_storable, decode
from burndown.testing.contract.drawn import json_objects, nested, unstorable_keys, unstorable_values
from tests.support.strategies import hidden

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


PLACES: dict[str, Callable[[Any], dict[str, Any]]] = {
    "alone": lambda value: {"k": value},
    "in a long list": lambda value: {"k": [*range(100), value]},
    "in an issue of many": lambda value: {"issues": [*range(MANY_ISSUES), {"k": value}]},
    "in an issue of many more": lambda value: {"issues": [{"k": value}, *range(MANY_ISSUES)]},
    "in a page of many issues": lambda value: {"issues": [*range(MANY_ISSUES)], "k": value},
}
"""Where a value is: a response of many issues is encoded in parts."""

places = st.sampled_from([*PLACES.values()])


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
        assert same_as_exactly(
            decompress_object(row["response"]), decode(decompress(row["response"]))
        )
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


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
@pytest.mark.parametrize("odd", ODD)
def test_an_unexpected_value_is_accepted_or_refused_as_by_the_full_check(
    odd: str, place: Callable[[Any], dict[str, Any]]
) -> None:
    check_agreement(place(ODD[odd]))


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("wrap", [lambda inner: {"k": inner}, lambda inner: [inner]])
def test_nesting_is_accepted_up_to_the_limit_in_any_type(
    depth: int, wrap: Any, place: Callable[[Any], dict[str, Any]]
) -> None:
    before = json.dumps(place("here")).partition("here")[0]
    around = sum(map(before.count, "{[")) - sum(map(before.count, "}]"))
    value: Any = []
    for _ in range(depth - 1 - around):
        value = wrap(value)
    response = place(value)
    assert is_storable(response) == (depth <= 200)
    check_agreement(response)


@given(json_objects, places)
def test_json_comes_back_as_it_was_saved(
    value: dict[str, Any], place: Callable[[Any], dict[str, Any]]
) -> None:
    response = place(value)
    [row] = codec_of(JiraCache).rows([document(response)])
    assert same_as_exactly(decode(decompress(row["response"])), response)
    assert same_as_exactly(decompress_object(row["response"]), response)


@given(hidden(unstorable_values | unstorable_keys.map(lambda key: {key: [1]})), places)
@example(({"k": math.nan}, "k"), PLACES["in an issue of many"])
@example(({"k": ["\ud800"]}, "k[0]"), PLACES["in an issue of many"])
def test_values_other_than_json_are_refused_with_their_path(
    found: tuple[dict[str, Any], str], place: Callable[[Any], dict[str, Any]]
) -> None:
    value, path = found
    check_agreement(place(value))
    with pytest.raises(ValidationError, match="response") as refused:
        codec_of(JiraCache).rows([document(place(value))])
    assert path.split("[")[0] in str(refused.value)


@pytest.mark.parametrize("response", [None, [], "{}", 3, (), b"{}", ["x"], ..., {1}])
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


def test_a_backend_returns_a_large_response(backend: SQLiteBackend) -> None:
    response = PLACES["in an issue of many"]({"z": 1, "a": [{"é": 2**70, "f": 1e22}], "m": None})
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


# --- memory and threads ----------------------------------------------------------------------


class Failing:
    """A compressor that runs out of memory."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def compress(self, _: object) -> bytes:
        raise self._error


SHORTAGES = [
    MemoryError(),
    zstandard.ZstdError("cannot compress: Allocation error : not enough memory"),
]


def test_many_threads_each_get_their_own_response() -> None:
    def number_of(number: int) -> Any:
        response = {"issues": [number] * 1000, "number": number}
        if number % 5 == 0:
            with pytest.raises(ValidationError):
                compress_response({**response, "odd": math.nan})
        return decode(decompress(compress_response(response)))["number"]

    def compress_response(response: dict[str, Any]) -> Any:
        [row] = codec_of(JiraCache).rows([document(response)])
        return row["response"]

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(number_of, range(40))) == list(range(40))


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
@pytest.mark.parametrize("error", SHORTAGES, ids=repr)
def test_without_memory_to_compress_nothing_is_stored(
    backend: SQLiteBackend,
    error: Exception,
    place: Callable[[Any], dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    backend.save_profile({"id": "p"})
    backend.save_query("p", {"id": "q"})
    response = place(1)
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
