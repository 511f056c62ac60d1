"""Large JSON values that come from Jira, compressed."""

import _thread
import os
import time
from contextlib import suppress
from typing import Any

import zstandard
from pydantic_core import PydanticCustomError

from burndown.models.completeness import identity_of
from burndown.models.documents import Document
from burndown.models.issue_frames import (
    FramedResponse,
    IssueFrame,
    cut_lines,
    is_framed,
    join_frames,
)
from burndown.models.json_codec import (
    check_encoded,
    check_object,
    decode_object,
    encode_strict,
)
from burndown.models.zstd import compress_frame, decompress_frame, new_compressor

__all__ = ["compress", "decompress", "decompress_object"]

MANY_ISSUES = 100
"""Issues from which on a response is compressed in frames: fewer are parsed as fast."""

_LARGE = 2**18
"""Bytes of JSON above which another thread compresses: below, starting one takes as long."""


def compress(value: Any) -> bytes:
    """Return a JSON object, checked and compressed; a response of many issues in frames.

    Compressing releases the interpreter lock. A large object is checked at the same time: for 1,000
    issues, checking takes as long as compressing.

    Raises:
        PydanticCustomError: it is not an object, or holds what cannot be stored exactly.
        StorageError: there is not enough memory to compress it.
    """
    if type(value) is not dict:
        check_object(value)
    issues = value.get("issues")
    if type(issues) is list and len(issues) >= MANY_ISSUES:
        return _compress_issues(value, issues)
    [frame] = _checked_and_compressed(value, [encode_strict(value)])
    return frame


def decompress(compressed: bytes) -> bytes:
    """Return the JSON.

    Raises:
        zstandard.ZstdError, ValueError: the bytes are not what :func:`compress` returned.
    """
    if is_framed(compressed):
        return FramedResponse.read(compressed).encoded()
    return decompress_frame(compressed)


def decompress_object(compressed: bytes) -> Document:
    """Return the JSON object.

    Raises:
        zstandard.ZstdError, ValueError: the bytes are not what :func:`compress` returned.
    """
    if is_framed(compressed):
        return FramedResponse.read(compressed).decoded()
    return decode_object(decompress_frame(compressed))


def _compress_issues(response: Document, issues: list[Any]) -> bytes:
    try:
        page = encode_strict({**response, "issues": []})
        # Not a list of all lines: orjson allocates more than it needs for each.
        groups = list(cut_lines(map(encode_strict, issues), map(identity_of, issues)))
    except PydanticCustomError:
        encode_strict(response)  # raises the error with the complete path
        raise
    frames = _checked_and_compressed(response, [content for _, content in groups])
    return join_frames(
        page,
        [
            IssueFrame(identities, frame)
            for (identities, _), frame in zip(groups, frames, strict=True)
        ],
    )


def _checked_and_compressed(value: Document, contents: list[bytes]) -> list[bytes]:
    """Return a frame of each content, after a check of the value that was encoded into them."""
    if sum(map(len, contents)) < _LARGE:
        check_object(value)
        return list(map(compress_frame, contents))
    compression = _Compression(contents)
    try:
        check_encoded(value)
    finally:
        compression.wait()
    return compression.result()


class _Compression:
    """JSON that another thread compresses, or this one if the other has not begun.

    A thread may not start, or die before it runs, when memory or threads run out, and the child of
    a fork does not have it. So no call waits for a thread that has not begun, or does not exist.
    :class:`threading.Thread` waits for it without end when it starts one.
    """

    def __init__(self, contents: list[bytes]) -> None:
        self._contents = contents
        self._frames: list[bytes] | None = None
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

    def result(self) -> list[bytes]:
        """Return a frame of each content, after :meth:`wait`.

        Raises:
            StorageError: there is not enough memory for it.
        """
        return list(map(compress_frame, self._contents)) if self._frames is None else self._frames

    def _run(self) -> None:
        if self._begun.acquire(blocking=False):
            try:  # a compressor of its own: the waiting thread may be interrupted, and use its own
                # All in one call: to get the interpreter lock back after each takes up to 5 ms.
                frames = new_compressor().multi_compress_to_buffer([*self._contents])
                self._frames = [frames[at].tobytes() for at in range(len(frames))]
            except (MemoryError, zstandard.ZstdError):
                pass  # the waiting thread tries it again, and raises the error
            finally:
                self._working.release()
