"""Responses of many issues, compressed in frames, so that a few can be replaced without the others.

The bytes are frames of zstd (RFC 8878). The first one is skippable, and contains an index,
compressed: two lines of JSON: the response without its issues, and lists of the size of each
following frame, of the number of its issues, and of the keys and ids of all issues. These frames
contain the issues as lines of JSON. Since a string in JSON contains no line break, the lines are
found without parsing.

The line of the response ends with a space if no integer in it or in an issue has more than 64 bits,
so that a faster parser, which knows only these, can read them.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, TypeVar

from burndown.models.completeness import Identity
from burndown.models.documents import Document
from burndown.models.json_codec import (
    check_encoded,
    decode,
    decode_fast,
    encode,
    encode_fast,
    encode_strict,
)
from burndown.models.zstd import compress_frame, decompress_frame

__all__ = [
    "FRAME_SIZE",
    "FramedResponse",
    "IssueFrame",
    "ResponseEncoder",
    "frames_of",
    "is_framed",
    "join_frames",
]

T = TypeVar("T")

FRAME_SIZE = 2**18
"""Bytes of JSON from which on a frame takes no more issues. A response takes 18 % more space than
as a whole; with half the size 33 %, and a merge a quarter less time."""

_MAGIC = b"\x50\x2a\x4d\x18"
"""How a skippable frame begins; the size of its content follows, in 4 bytes."""
_HEADER_SIZE = len(_MAGIC) + 4
_FITS_64_BITS = b" "

_BATCH = 32
"""Issues that are encoded, and then checked, while they are in the cache of the processor. All of
1,350 together take a quarter more time."""


@dataclass
class ResponseEncoder:
    """The encoding of the parts of a response as lines of JSON."""

    fits_64_bits: bool = True
    """No integer so far has more bits."""

    def page(self, page: Document) -> bytes:
        """Return the JSON of a response without its issues.

        Raises:
            PydanticCustomError: it cannot be stored exactly.
        """
        encoded = self._encode(page)
        check_encoded(page)
        return encoded

    def lines(self, issues: list[Any]) -> Iterator[bytes]:
        """Yield the JSON of each issue.

        Raises:
            PydanticCustomError: an issue cannot be stored exactly. The path begins at the issue.
        """
        for begin in range(0, len(issues), _BATCH):
            batch = issues[begin : begin + _BATCH]
            lines = list(map(self._encode, batch))
            check_encoded(batch, depth=1)
            yield from lines

    def _encode(self, value: Any) -> bytes:
        encoded = encode_fast(value)
        if encoded is None:
            self.fits_64_bits = False
            return encode_strict(value)
        return encoded


@dataclass
class IssueFrame:
    """Some of the issues of a response."""

    identities: list[Identity]
    """The key and the id of each."""
    compressed: bytes

    def lines(self) -> list[bytes]:
        """Return the JSON of each issue.

        Raises:
            zstandard.ZstdError, ValueError: the frame is damaged.
        """
        content = decompress_frame(self.compressed)
        return self._counted(content.split(b"\n") if content else [])

    def issues(self, decode: Callable[[bytes], Any]) -> list[Any]:
        """Return the issues.

        Args:
            decode: parses a JSON array.

        Raises:
            zstandard.ZstdError, ValueError: the frame is damaged.
        """
        content = decompress_frame(self.compressed)
        return self._counted(decode(b"[%b]" % content.replace(b"\n", b",")))

    def _counted(self, found: list[T]) -> list[T]:
        """Return what was found, if it is one for each issue.

        Raises:
            ValueError: it is not. A changed bit in the header of the frame can make it an empty
                one, which has no checksum.
        """
        if len(found) != len(self.identities):
            raise ValueError(f"there are {len(found)} issues instead of {len(self.identities)}")
        return found


@dataclass
class FramedResponse:
    """A response of many issues."""

    page: Document
    """The response without its issues; the list of them is empty."""
    frames: list[IssueFrame]
    fits_64_bits: bool
    """No integer has more bits."""

    @classmethod
    def read(cls, stored: bytes) -> "FramedResponse":
        """Return a response from its bytes.

        Raises:
            zstandard.ZstdError, ValueError, TypeError: the index is damaged.
        """
        end = _HEADER_SIZE + int.from_bytes(stored[len(_MAGIC) : _HEADER_SIZE], "little")
        page, _, index = decompress_frame(stored[_HEADER_SIZE:end]).partition(b"\n")
        fits_64_bits = page.endswith(_FITS_64_BITS)
        sizes, counts, keys, ids = _decoder(fits_64_bits)(index)
        identities = zip(keys, ids, strict=True)
        frames = []
        for size, count in zip(sizes, counts, strict=True):
            begin, end = end, end + size
            frames.append(IssueFrame(list(islice(identities, count)), stored[begin:end]))
        if end != len(stored):
            raise ValueError(f"there are {len(stored)} bytes instead of {end}")
        return cls(_decoder(fits_64_bits)(page), frames, fits_64_bits)

    def encoded(self) -> bytes:
        """Return the JSON of the response, in one line.

        Raises:
            zstandard.ZstdError, ValueError: a frame is damaged.
        """
        issues = b"[%b]" % b",".join(chain.from_iterable(each.lines() for each in self.frames))
        members = [
            b"%b:%b" % (encode(key), issues if key == "issues" else encode(value))
            for key, value in self.page.items()
        ]
        return b"{%b}" % b",".join(members)

    def decoded(self) -> Document:
        """Return the response.

        Raises:
            zstandard.ZstdError, ValueError: a frame is damaged.
        """
        decode = _decoder(self.fits_64_bits)
        parsed = (frame.issues(decode) for frame in self.frames)
        return {**self.page, "issues": list(chain.from_iterable(parsed))}

    def identities(self) -> list[Identity]:
        """Return the key and the id of each issue."""
        return list(chain.from_iterable(frame.identities for frame in self.frames))


def _decoder(fits_64_bits: bool) -> Callable[[bytes], Any]:
    """Return the fastest parser that reads all integers exactly."""
    return decode_fast if fits_64_bits else decode


def is_framed(stored: bytes) -> bool:
    """Return whether bytes are a response in frames, and not one compressed as a whole."""
    return stored.startswith(_MAGIC)


def frames_of(lines: Iterable[bytes], identities: Iterable[Identity]) -> Iterator[IssueFrame]:
    """Yield the frames of issues.

    Args:
        lines: the JSON of each issue.
        identities: the key and the id of each.

    Raises:
        StorageError: there is not enough memory to compress them.
    """
    of_frame: list[Identity] = []
    content: list[bytes] = []
    size = 0
    for line, identity in zip(lines, identities, strict=True):
        content.append(line)
        of_frame.append(identity)
        size += len(line)
        if size >= FRAME_SIZE:
            yield IssueFrame(of_frame, compress_frame(b"\n".join(content)))
            of_frame, content, size = [], [], 0
    if content:
        yield IssueFrame(of_frame, compress_frame(b"\n".join(content)))


def join_frames(page: bytes, frames: list[IssueFrame], *, fits_64_bits: bool) -> bytes:
    """Return the bytes of a response.

    Args:
        page: the JSON of the response without its issues.
        frames: the issues.
        fits_64_bits: no integer has more bits.

    Raises:
        StorageError: there is not enough memory to compress the index.
    """
    identities = [identity for frame in frames for identity in frame.identities]
    listed = [
        [len(frame.compressed) for frame in frames],
        [len(frame.identities) for frame in frames],
        [key for key, _ in identities],
        [number for _, number in identities],
    ]
    ending = _FITS_64_BITS if fits_64_bits else b""
    index = compress_frame(b"%b%b\n%b" % (page, ending, encode(listed)))
    size = len(index).to_bytes(_HEADER_SIZE - len(_MAGIC), "little")
    return b"".join([_MAGIC, size, index, *(frame.compressed for frame in frames)])
