"""Responses of many issues, compressed in frames, so that a few can be replaced without the others.

The bytes are frames of zstd (RFC 8878). The first one is skippable, and contains an index,
compressed: two lines of JSON: the response without its issues, and lists of the size of each
following frame, of the number of its issues, and of the keys and ids of all issues. These frames
contain the issues as lines of JSON. Since a string in JSON contains no line break, the lines are
found without parsing.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice

from burndown.models.completeness import Identity
from burndown.models.documents import Document
from burndown.models.json_codec import decode_array, decode_object, encode
from burndown.models.zstd import compress_frame, decompress_frame

__all__ = [
    "FRAME_SIZE",
    "FramedResponse",
    "IssueFrame",
    "cut_lines",
    "frames_of",
    "is_framed",
    "join_frames",
]

FRAME_SIZE = 2**18
"""Bytes of JSON from which on a frame takes no more issues. A response takes 18 % more space than
as a whole; with half the size 33 %, and a merge a quarter less time."""

_MAGIC = b"\x50\x2a\x4d\x18"
"""How a skippable frame begins; the size of its content follows, in 4 bytes."""
_HEADER_SIZE = len(_MAGIC) + 4


@dataclass
class IssueFrame:
    """Some of the issues of a response."""

    identities: list[Identity]
    """The key and the id of each."""
    compressed: bytes

    def content(self) -> bytes:
        """Return the JSON of the issues, each in a line.

        Raises:
            zstandard.ZstdError, ValueError: the frame is damaged.
        """
        content = decompress_frame(self.compressed)
        # A changed bit in its header can make it an empty frame, which has no checksum.
        count = content.count(b"\n") + 1 if content else 0
        if count != len(self.identities):
            raise ValueError(f"there are {count} issues instead of {len(self.identities)}")
        return content

    def lines(self) -> list[bytes]:
        """Return the JSON of each issue.

        Raises:
            zstandard.ZstdError, ValueError: the frame is damaged.
        """
        content = self.content()
        return content.split(b"\n") if content else []


@dataclass
class FramedResponse:
    """A response of many issues."""

    page: Document
    """The response without its issues; the list of them is empty."""
    frames: list[IssueFrame]

    @classmethod
    def read(cls, stored: bytes) -> "FramedResponse":
        """Return a response from its bytes.

        Raises:
            zstandard.ZstdError, ValueError, TypeError: the index is damaged.
        """
        end = _HEADER_SIZE + int.from_bytes(stored[len(_MAGIC) : _HEADER_SIZE], "little")
        page, _, index = decompress_frame(stored[_HEADER_SIZE:end]).partition(b"\n")
        sizes, counts, keys, ids = decode_array(index)
        identities = zip(keys, ids, strict=True)
        frames = []
        for size, count in zip(sizes, counts, strict=True):
            begin, end = end, end + size
            frames.append(IssueFrame(list(islice(identities, count)), stored[begin:end]))
        if end != len(stored):
            raise ValueError(f"there are {len(stored)} bytes instead of {end}")
        return cls(decode_object(page), frames)

    def stored(self) -> bytes:
        """Return the bytes of the response.

        Raises:
            StorageError: there is not enough memory to compress the index.
        """
        return join_frames(encode(self.page), self.frames)

    def encoded(self) -> bytes:
        """Return the JSON of the response, in one line.

        Raises:
            zstandard.ZstdError, ValueError: a frame is damaged.
        """
        issues = b"[%b]" % b",".join(self._items())
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
        parsed = (decode_array(b"[%b]" % items) for items in self._items())
        return {**self.page, "issues": list(chain.from_iterable(parsed))}

    def identities(self) -> list[Identity]:
        """Return the key and the id of each issue."""
        return list(chain.from_iterable(frame.identities for frame in self.frames))

    def _items(self) -> Iterator[bytes]:
        """Yield the items of a JSON array in each frame."""
        for frame in self.frames:
            yield frame.content().replace(b"\n", b",")


def is_framed(stored: bytes) -> bool:
    """Return whether bytes are a response in frames, and not one compressed as a whole."""
    return stored.startswith(_MAGIC)


def cut_lines(
    lines: Iterable[bytes], identities: Iterable[Identity]
) -> Iterator[tuple[list[Identity], bytes]]:
    """Yield what belongs into each frame: keys and ids, and the JSON of the issues.

    Args:
        lines: the JSON of each issue.
        identities: the key and the id of each.
    """
    of_frame: list[Identity] = []
    content: list[bytes] = []
    size = 0
    for line, identity in zip(lines, identities, strict=True):
        content.append(line)
        of_frame.append(identity)
        size += len(line)
        if size >= FRAME_SIZE:
            yield of_frame, b"\n".join(content)
            of_frame, content, size = [], [], 0
    if content:
        yield of_frame, b"\n".join(content)


def frames_of(lines: Iterable[bytes], identities: Iterable[Identity]) -> Iterator[IssueFrame]:
    """Yield the frames of issues; the arguments are those of :func:`cut_lines`.

    Raises:
        StorageError: there is not enough memory to compress them.
    """
    for of_frame, content in cut_lines(lines, identities):
        yield IssueFrame(of_frame, compress_frame(content))


def join_frames(page: bytes, frames: list[IssueFrame]) -> bytes:
    """Return the bytes of a response.

    Args:
        page: the JSON of the response without its issues.
        frames: the issues.

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
    index = compress_frame(page + b"\n" + encode(listed))
    size = len(index).to_bytes(_HEADER_SIZE - len(_MAGIC), "little")
    return b"".join([_MAGIC, size, index, *(frame.compressed for frame in frames)])
