"""JSON as zstd-compressed text (RFC 8878), for what is large and comes from Jira."""

import threading
from typing import Annotated, Any

import orjson
import zstandard

from burndown.models import quick_values
from burndown.models.json_codec import check_encoded, check_storable, encode
from burndown.models.quick import Quick
from burndown.models.values import JsonObject

__all__ = ["CompressibleObject", "compress", "decompress"]

_STRICTLY = (
    orjson.OPT_PASSTHROUGH_DATACLASS
    | orjson.OPT_PASSTHROUGH_DATETIME
    | orjson.OPT_PASSTHROUGH_SUBCLASS
)
"""Refuse much of what is no JSON. Four times as fast as :func:`encode`, which takes what this does
not: integers beyond 64 bits."""

_LARGE = 2**18
"""Bytes of JSON from which on another thread compresses them: below, starting one is no gain."""


_USUAL_RATIO = 64
"""How many times as long as its compressed data JSON is at most, as a rule. If a frame claims more,
which damage can cause, no memory is allocated before the data is there."""


class _Compressed(dict[str, Any]):
    """A JSON object with its compressed text."""

    def __init__(self, value: dict[str, Any], compressed: bytes) -> None:
        super().__init__(value)
        self.compressed = compressed


class _Zstd(threading.local):
    """A compressor for each thread: making one costs more than most values."""

    def __init__(self) -> None:
        self.compressor = zstandard.ZstdCompressor()
        self.decompressor = zstandard.ZstdDecompressor()


_zstd = _Zstd()


def compress(value: Any) -> bytes:
    """A JSON value that was checked, as compressed text."""
    if isinstance(value, _Compressed):
        return value.compressed
    return _zstd.compressor.compress(encode(value))


def decompress(compressed: bytes) -> bytes:
    """Return the JSON.

    Raises:
        zstandard.ZstdError, ValueError: the bytes are not what :func:`compress` returned.
    """
    if zstandard.frame_content_size(compressed) <= _USUAL_RATIO * len(compressed):
        return _zstd.decompressor.decompress(compressed)
    stream = _zstd.decompressor.decompressobj()
    encoded = stream.decompress(compressed)
    if not stream.eof:
        raise ValueError("the compressed data is incomplete")
    return encoded


def _checked(value: Any) -> dict[str, Any]:
    """The object as it is, compressed already.

    Compressing lets other threads go on, so that a large one is checked at the same time.

    Raises:
        ValueError: this is not sure to be storable.
    """
    if type(value) is not dict:
        raise ValueError("a JSON object was expected")
    try:
        text = orjson.dumps(value, option=_STRICTLY)
    except orjson.JSONEncodeError as error:
        raise ValueError(str(error)) from None
    if len(text) < _LARGE:
        check_storable(value)
        return _Compressed(value, _zstd.compressor.compress(text))
    compressing = _Compressing(text)
    try:
        compressing.start()
    except RuntimeError:  # there is no thread to be had, as when the program ends
        compressing.run()
    try:
        check_encoded(value)
    finally:
        if compressing.ident is not None:  # it was started
            compressing.join()
    return _Compressed(value, compressing.compressed)


class _Compressing(threading.Thread):
    """Compresses a text.

    It has a compressor of its own: who waits for it may be interrupted, and go on with theirs.
    """

    compressed: bytes

    def __init__(self, text: bytes) -> None:
        super().__init__(name="burndown-compressing")
        self._text = text

    def run(self) -> None:
        self.compressed = _zstd.compressor.compress(self._text)


CompressibleObject = Annotated[JsonObject, Quick(quick_values.checked(_checked))]
"""A JSON object for a compressed column, kept exactly as it is given."""
