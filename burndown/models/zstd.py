"""Compression with zstd (RFC 8878)."""

import threading

import zstandard

from burndown.errors import StorageError

__all__ = ["compress_frame", "decompress_frame", "new_compressor"]

_USUAL_RATIO = 256
"""The usual ratio of JSON to its compressed size, at most: issues with few fields reach 70. If a
frame claims more, which damage can cause, no memory is allocated before the data is there, and
decompressing takes twice as long."""


class _Zstd(threading.local):
    """A compressor for each thread: making one costs more than most values."""

    def __init__(self) -> None:
        self.compressor = new_compressor()
        self.decompressor = zstandard.ZstdDecompressor()


def new_compressor() -> zstandard.ZstdCompressor:
    """Return a compressor, for one thread at a time, of frames with a checksum."""
    return zstandard.ZstdCompressor(write_checksum=True)


_zstd = _Zstd()


def compress_frame(content: bytes) -> bytes:
    """Return the content as a zstd frame with a checksum.

    Raises:
        StorageError: there is not enough memory to compress it.
    """
    try:
        return _zstd.compressor.compress(content)
    except (MemoryError, zstandard.ZstdError) as error:
        raise StorageError(
            f"There is not enough memory to compress {len(content)} bytes of JSON; "
            "nothing was stored"
        ) from error


def decompress_frame(frame: bytes) -> bytes:
    """Return the content of a zstd frame.

    Raises:
        zstandard.ZstdError, ValueError: it is not a complete frame.
    """
    if zstandard.frame_content_size(frame) <= _USUAL_RATIO * len(frame):
        return _zstd.decompressor.decompress(frame)
    stream = _zstd.decompressor.decompressobj()
    content = stream.decompress(frame)
    if not stream.eof:
        raise ValueError("the compressed data is incomplete")
    return content
