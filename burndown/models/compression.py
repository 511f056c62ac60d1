"""Large JSON values that come from Jira, compressed."""

from typing import Any

from pydantic_core import PydanticCustomError

from burndown.models.completeness import identity_of
from burndown.models.documents import Document
from burndown.models.issue_frames import (
    FramedResponse,
    ResponseEncoder,
    frames_of,
    is_framed,
    join_frames,
)
from burndown.models.json_codec import (
    check_encoded,
    check_object,
    check_storable,
    decode_object,
    encode_strict,
)
from burndown.models.zstd import compress_frame, decompress_frame

__all__ = ["compress", "decompress", "decompress_object"]

MANY_ISSUES = 100
"""Issues from which on a response is compressed in frames: fewer are parsed as fast."""


def compress(value: Any) -> bytes:
    """Return a JSON object, checked and compressed; a response of many issues in frames.

    Raises:
        PydanticCustomError: it is not an object, or holds what cannot be stored exactly.
        StorageError: there is not enough memory to compress it.
    """
    if type(value) is not dict:
        check_object(value)
    issues = value.get("issues")
    if type(issues) is list and len(issues) >= MANY_ISSUES:
        return _compress_issues(value, issues)
    encoded = encode_strict(value)
    check_encoded(value)
    return compress_frame(encoded)


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
    page = {**response, "issues": []}
    encoder = ResponseEncoder()
    try:
        encoded = encoder.page(page)
        frames = list(frames_of(encoder.lines(issues), map(identity_of, issues)))
    except PydanticCustomError:
        check_storable(response)  # raises the error with the complete path
        raise
    return join_frames(encoded, frames, fits_64_bits=encoder.fits_64_bits)
