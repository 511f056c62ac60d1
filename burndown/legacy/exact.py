"""A marker in what this package writes, by which it is later taken exactly as it stands.

Without it, a file is read as one of the old formats. The marker holds a digest of all else, so that
it says nothing once the old dashboard has changed the file around it.
"""

from typing import Any

from burndown.files.reading import digest
from burndown.models.json_codec import encode

__all__ = ["marked", "unmarked"]

_KEY = "_burndown"
_VERSION = 1


def marked(document: dict[str, Any]) -> dict[str, Any]:
    """The document with the marker; what it has under the key of the marker moves into that."""
    marker: dict[str, Any] = {"version": _VERSION, "digest": digest(encode(document))}
    if _KEY in document:
        marker["value"] = document[_KEY]
    return {**document, _KEY: marker}


def unmarked(written: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    """The document without the marker, and whether it is exactly the one that was marked."""
    marker = written.get(_KEY)
    if not isinstance(marker, dict) or marker.get("version") != _VERSION:
        return written, False
    document = dict(written)
    if "value" in marker:
        document[_KEY] = marker["value"]
    else:
        del document[_KEY]
    try:
        return document, digest(encode(document)) == marker.get("digest")
    except ValueError:  # the marker stands in a file that nests too deep
        return document, False
