"""JSON compressed with zstd (RFC 8878), for large values that come from Jira."""

import _thread
import os
import threading
import time
from contextlib import suppress
from typing import Any

import zstandard

from burndown.errors import StorageError
from burndown.models.issue_lines import encode_lines
from burndown.models.json_codec import check_encoded, check_object

__all__ = ["compress", "compress_text", "decompress"]

_LARGE = 2**18
"""Bytes of JSON above which another thread compresses: below, starting one takes as long."""

_USUAL_RATIO = 256
"""The usual ratio of JSON to its compressed size, at most: issues with few fields reach 70. If a
frame claims more, which damage can cause, no memory is allocated before the data is there, and
decompressing takes twice as long."""


class _Zstd(threading.local):
    """A compressor for each thread: making one costs more than most values."""

    def __init__(self) -> None:
        self.compressor = zstandard.ZstdCompressor()
        self.decompressor = zstandard.ZstdDecompressor()


_zstd = _Zstd()


def compress(value: Any) -> bytes:
    """Return a JSON object, checked and compressed; of a response each issue is on its own line.

    Compressing releases the interpreter lock. A large object is checked at the same time: for 1,000
    issues, checking takes as long as compressing.

    Raises:
        PydanticCustomError: it is not an object, or holds what cannot be stored exactly.
        StorageError: there is not enough memory to compress it.
    """
    if type(value) is not dict:
        check_object(value)
    encoded = encode_lines(value)
    if len(encoded) < _LARGE:
        check_object(value)
        return compress_text(encoded)
    compression = _Compression(encoded)
    try:
        check_encoded(value)
    finally:
        compression.wait()
    return compression.result()


def compress_text(encoded: bytes) -> bytes:
    """Return JSON compressed.

    Raises:
        StorageError: there is not enough memory to compress it.
    """
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


class _Compression:
    """JSON that another thread compresses, or this one if the other has not begun.

    A thread may not start, or die before it runs, when memory or threads run out, and the child of
    a fork does not have it. So no call waits for a thread that has not begun, or does not exist.
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
        return compress_text(self._encoded) if self._compressed is None else self._compressed

    def _run(self) -> None:
        if self._begun.acquire(blocking=False):
            try:  # a compressor of its own: the waiting thread may be interrupted, and use its own
                self._compressed = zstandard.ZstdCompressor().compress(self._encoded)
            except (MemoryError, zstandard.ZstdError):
                pass  # the waiting thread tries it again, and raises the error
            finally:
                self._working.release()
