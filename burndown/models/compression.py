"""JSON compressed with zstd (RFC 8878), for what is large and comes from Jira."""

import _thread
import os
import threading
import time
from contextlib import suppress
from typing import Annotated, Any

import orjson
import zstandard

from burndown.errors import StorageError
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
    """A JSON object that is compressed already."""

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
    """Return a JSON value that was checked, compressed.

    Raises:
        StorageError: there is not enough memory for it.
    """
    if isinstance(value, _Compressed):
        return value.compressed
    return _compressed(encode(value))


def _compressed(encoded: bytes) -> bytes:
    try:
        return _zstd.compressor.compress(encoded)
    except (MemoryError, zstandard.ZstdError) as error:
        raise StorageError(
            f"There is not enough memory to compress {len(encoded)} bytes of JSON; "
            "nothing was stored"
        ) from error


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
        StorageError: there is not enough memory to compress it.
    """
    if type(value) is not dict:
        raise ValueError("a JSON object was expected")
    try:
        encoded = orjson.dumps(value, option=_STRICTLY)
    except orjson.JSONEncodeError as error:
        raise ValueError(str(error)) from None
    if len(encoded) < _LARGE:
        check_storable(value)
        return _Compressed(value, _compressed(encoded))
    compression = _Compression(encoded)
    try:
        check_encoded(value)
    finally:
        compression.wait()
    return _Compressed(value, compression.result())


class _Compression:
    """JSON that another thread compresses, or this one if the other has not begun.

    A thread may not start, or die before it runs, when memory or threads run out, and the child of
    a fork does not have it. So nobody waits for a thread that has not begun, or is not here.
    :class:`threading.Thread` waits for it without end when it starts one.
    """

    def __init__(self, encoded: bytes) -> None:
        self._encoded = encoded
        self._compressed: bytes | None = None
        self._process = os.getpid()
        self._begun = _thread.allocate_lock()
        self._working = _thread.allocate_lock()
        self._working.acquire()
        with suppress(RuntimeError, MemoryError):
            _thread.start_new_thread(self._run, ())
            time.sleep(0)  # lets it begin; or else it waits for the interpreter lock, for 5 ms

    def wait(self) -> None:
        """Wait until the other thread has ended its work; if it has not begun, it never will."""
        if not self._begun.acquire(blocking=False) and os.getpid() == self._process:
            with self._working:
                pass

    def result(self) -> bytes:
        """Return the compressed JSON, after :meth:`wait`.

        Raises:
            StorageError: there is not enough memory for it.
        """
        return _compressed(self._encoded) if self._compressed is None else self._compressed

    def _run(self) -> None:
        if self._begun.acquire(blocking=False):
            try:  # a compressor of its own: who waits may be interrupted, and go on with theirs
                self._compressed = zstandard.ZstdCompressor().compress(self._encoded)
            except (MemoryError, zstandard.ZstdError):
                pass  # who waits tries it again, and raises the error
            finally:
                self._working.release()


CompressibleObject = Annotated[JsonObject, Quick(quick_values.checked(_checked))]
"""A JSON object for a compressed column, kept exactly as it is given."""
