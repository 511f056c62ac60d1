r"""A signature at the end of each file that this package writes, by which damage is found.

It is a line of 64 blanks and tabs, the bits of a digest, which JSON and the old dashboard ignore.
A file that the dashboard, or an editor that removes white space, has written has none: it was
edited, which is no damage.
"""

import hashlib

__all__ = ["DAMAGED", "has_signature", "sign", "verified"]

DAMAGED = (
    "it is not as it was saved; restore a backup, or delete its last line, which is white space, "
    "if you have changed the file"
)
"""The reason in errors."""

_SIZE = 8
_LENGTH = 8 * _SIZE + 2
_WHITE_SPACE = b" \t\n\v\f\r"


def sign(content: bytes) -> bytes:
    """Return the content of a file with its signature."""
    return content + _signature(content)


def has_signature(data: bytes) -> bool:
    """Return whether the content of a file ends with a signature, which may be damaged.

    A changed bit can make one of its characters visible. The end of a file without a signature has
    more of them, such as the brackets that it closes.
    """
    visible = data[-_LENGTH:].translate(None, _WHITE_SPACE)
    return len(data) >= _LENGTH and len(visible) <= 1


def verified(data: bytes) -> bytes:
    """Return the content of a file without its signature, if there is one.

    Raises:
        ValueError: the content is not as it was when it was signed.
    """
    if not has_signature(data):
        return data
    content = data[:-_LENGTH]
    if _signature(content) != data[-_LENGTH:]:
        raise ValueError(DAMAGED)
    return content


def _signature(content: bytes) -> bytes:
    digest = hashlib.blake2b(content, digest_size=_SIZE, usedforsecurity=False).digest()
    bits = f"{int.from_bytes(digest):0{8 * _SIZE}b}"
    return f"\n{bits.replace('0', ' ').replace('1', chr(9))}\n".encode()
