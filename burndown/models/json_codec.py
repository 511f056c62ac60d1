"""JSON that is read exactly as it was written, or refused.

Text is UTF-8, compact, in the given key order; integers have any size below 4,299 digits (readers
take 4,300 characters, and some count the sign); floats keep their last bit. One value is not kept:
``...``, which examples write for what they leave out, is stored as ``null``.
"""

import math
import re
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from typing import Any

import orjson
import ormsgpack
from pydantic_core import PydanticCustomError, from_json, to_json

__all__ = [
    "FILE_LAYERS",
    "MAX_DEPTH",
    "check_encoded",
    "check_object",
    "check_storable",
    "check_text",
    "decode",
    "decode_array",
    "decode_fast",
    "decode_object",
    "encode",
    "encode_fast",
    "encode_strict",
]

MAX_DEPTH = 200
"""The deepest nesting of containers that the JSON reader accepts."""

FILE_LAYERS = 8
"""Containers that a file puts around a value that nests as deep as can be stored."""

_STRICT = (
    orjson.OPT_PASSTHROUGH_DATACLASS
    | orjson.OPT_PASSTHROUGH_DATETIME
    | orjson.OPT_PASSTHROUGH_SUBCLASS
)
"""Refuse most of what is not JSON. orjson takes a quarter of the time of :func:`encode`, but also
refuses integers beyond 64 bits."""

_STRICTER = (
    ormsgpack.OPT_PASSTHROUGH_DATACLASS
    | ormsgpack.OPT_PASSTHROUGH_DATETIME
    | ormsgpack.OPT_PASSTHROUGH_ENUM
    | ormsgpack.OPT_PASSTHROUGH_SUBCLASS
    | ormsgpack.OPT_PASSTHROUGH_TUPLE
    | ormsgpack.OPT_PASSTHROUGH_UUID
)
"""Refuse all that is not JSON. orjson writes tuples, enums and UUIDs as JSON values."""

_NON_FINITE = re.compile(rb"\xcb[\x7f\xff][\xf0-\xff]")
"""How MessagePack writes NaN and infinities. UTF-8 has no such bytes, but numbers can."""

_MAX_INT_BITS = 14_280  # up to 4,298 digits always fit, and 4,300 never do
# Integers below need no check of their size, which takes a call; nearly all are.
_SMALL = 2**63
_SURROGATE = re.compile("[\ud800-\udfff]")
_UNCHECKED = (type(None), type(...))  # `...` is stored as null


def encode(value: Any, indent: int | None = None) -> bytes:
    """Return a value that has passed :func:`check_storable` as JSON, compact or indented."""
    return to_json(value, indent=indent, fallback=_null_for_ellipsis)


def encode_strict(value: Any) -> bytes:
    """Return a value as compact JSON, and refuse objects that are not JSON.

    It does not refuse all that cannot be stored: the value has been validated, or is checked by
    :func:`check_encoded`.

    Raises:
        PydanticCustomError: with the path to what cannot be stored.
    """
    encoded = encode_fast(value)
    if encoded is None:
        _check(value, 0)
        return encode(value)
    return encoded


def encode_fast(value: Any) -> bytes | None:
    """Return the JSON as :func:`encode_strict`; ``None`` if orjson refuses the value.

    All integers in the JSON have 64 bits at most.
    """
    try:
        return orjson.dumps(value, option=_STRICT)
    except orjson.JSONEncodeError:
        return None


def decode(text: str | bytes | bytearray) -> Any:
    """Return the value of a JSON text.

    A number beyond any float, such as 1e400, is read as infinity, which
    :func:`check_storable` refuses.

    Raises:
        ValueError: it is not JSON, holds NaN or an infinity, or nests deeper than 200.
    """
    return from_json(text, allow_inf_nan=False)


def decode_fast(text: bytes) -> Any:
    """Return the value of what :func:`encode_fast` has returned.

    Integers beyond 64 bits, which it never returns, would be read as floats.

    Raises:
        ValueError: it is not JSON.
    """
    return orjson.loads(text)


def decode_object(text: str | bytes | bytearray) -> dict[str, Any]:
    """Return the JSON object.

    Raises:
        ValueError: as :func:`decode`, or it is another JSON value.
    """
    value = from_json(text, allow_inf_nan=False)
    if type(value) is not dict:
        raise ValueError("input should be a JSON object")
    return value


def decode_array(text: str | bytes | bytearray) -> list[Any]:
    """Return the JSON array.

    Raises:
        ValueError: as :func:`decode`, or it is another JSON value.
    """
    value = from_json(text, allow_inf_nan=False)
    if type(value) is not list:
        raise ValueError("input should be a JSON array")
    return value


def check_object(value: Any, depth: int = 0) -> dict[str, Any]:
    """Return a JSON object unchanged.

    Args:
        value: the object.
        depth: the number of containers around it.

    Raises:
        PydanticCustomError: it is something else, or holds what cannot be stored exactly.
    """
    if not isinstance(value, dict):
        # Without the value, which is the input itself: pydantic formats the values of a context,
        # and fails for huge integers.
        expected = "input should be a JSON object"
        raise PydanticCustomError("object_type", "{expected}", {"expected": expected})
    checked: dict[str, Any] = check_storable(value, depth)
    return checked


def check_text(text: str) -> str:
    """Return a string unchanged.

    Raises:
        PydanticCustomError: it holds a lone surrogate, which UTF-8 cannot encode.
    """
    if not text.isascii() and _SURROGATE.search(text):
        raise _refusal("", "input should be a string without lone surrogates", text)
    return text


def check_storable(value: Any, depth: int = 0) -> Any:
    """Return a value unchanged, if JSON can represent it exactly.

    Args:
        value: dicts with string keys, lists, strings, numbers, booleans and ``None``.
        depth: the number of containers around it.

    Raises:
        PydanticCustomError: with the path to what cannot be stored: NaN, infinities, lone
            surrogates, keys that are not strings, other types, nesting deeper than 200.
    """
    if encode_fast(value) is None:
        _check(value, depth)
    else:
        check_encoded(value, depth)
    return value


def check_encoded(value: Any, depth: int = 0) -> None:
    """Check a value that :func:`encode_strict` has encoded.

    A second encoder refuses most of what the first one takes, in a quarter of the time of a walk in
    Python, which for 1,000 issues visits 100,000 values.

    Args:
        value: the value.
        depth: the number of containers around it.

    Raises:
        PydanticCustomError: with the path to what cannot be stored exactly.
    """
    deepest = value
    for _ in range(depth + _packed_depth() - MAX_DEPTH):  # so that it refuses deeper values
        deepest = [deepest]
    try:
        packed = ormsgpack.packb(deepest, option=_STRICTER)
    except ormsgpack.MsgpackEncodeError:
        _check(value, depth)
    else:
        if _NON_FINITE.search(packed):
            _check(value, depth)


@cache
def _packed_depth() -> int:
    """Return how many containers the second encoder nests."""
    value: list[Any] = []
    depth = 0
    with suppress(ormsgpack.MsgpackEncodeError):
        while True:
            ormsgpack.packb(value)
            depth, value = depth + 1, [value]
    return depth


def _check(value: Any, depth: int) -> None:
    """Check each value in a value, one after the other, to find the path of what is wrong."""
    kind = type(value)
    if kind is str:
        check_text(value)
    elif isinstance(value, dict):
        for key in value:
            if type(key) is not str or not key.isascii():
                _check_key(key)
        _check_items(value.items(), depth)
    elif isinstance(value, list):
        _check_items(enumerate(value), depth)
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise _refusal("", "input should be a finite number", value)
    elif isinstance(value, int):
        if value.bit_length() > _MAX_INT_BITS:
            raise _refusal("", "input should be an integer of fewer than 4,299 digits")
    elif isinstance(value, str):
        check_text(value)
    elif kind not in _UNCHECKED:
        raise _refusal("", "input should be a JSON value", value)


def _check_items(items: Iterable[tuple[str | int, Any]], depth: int) -> None:
    """Check the items of a container, by key or position; most values need no further call."""
    if depth >= MAX_DEPTH:
        raise _refusal("", f"input should nest at most {MAX_DEPTH} levels")
    for step, item in items:
        kind = type(item)
        if kind is str:
            if item.isascii():
                continue
        elif kind is int:
            if -_SMALL < item < _SMALL:
                continue
        elif kind is float:
            if item - item == 0.0:  # neither NaN nor infinite
                continue
        elif item is None or kind is bool:
            continue
        try:
            _check(item, depth + 1)
        except PydanticCustomError as error:
            path = f"[{step}]" if isinstance(step, int) else f".{step}"
            raise _below(path, error) from None


def _check_key(key: Any) -> None:
    if not isinstance(key, str):
        raise _refusal("", "input should be a string as key", key)
    check_text(key)


def _null_for_ellipsis(value: Any) -> None:
    if value is not ...:
        raise TypeError(f"{type(value).__name__} is not a JSON value")


def _refusal(path: str, expected: str, value: object = None) -> PydanticCustomError:
    if isinstance(value, str):
        value = value.encode(errors="backslashreplace").decode()
    where = f"at {path.removeprefix('.')}: " if path else ""
    context = {"path": path, "where": where, "expected": expected, "value": value}
    return PydanticCustomError("not_storable", "{where}{expected}", context)


def _below(step: str, error: PydanticCustomError) -> PydanticCustomError:
    context = error.context or {}
    return _refusal(step + context["path"], context["expected"], context["value"])
