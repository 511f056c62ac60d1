"""A marker in files that this package wrote; they are read without conversion.

A file without it is read as one of the old formats. The marker holds a digest of the rest of the
file, so that it is void once the old dashboard has changed the file.
"""

from typing import Any

from burndown.files.reading import digest
from burndown.models import Document
from burndown.models.json_codec import encode

__all__ = ["add_marker", "remove_marker"]

_KEY = "_burndown"
_VERSION = 1


def add_marker(document: Document) -> Document:
    """Return the document with the marker; a value under the marker's key moves into it."""
    marker: dict[str, Any] = {"version": _VERSION, "digest": digest(encode(document))}
    if _KEY in document:
        marker["value"] = document[_KEY]
    return {**document, _KEY: marker}


def remove_marker(written: Document, identifier: str) -> tuple[Document, bool]:
    """Return the document without the marker, and whether the marker is valid for this id."""
    marker = written.get(_KEY)
    if not isinstance(marker, dict) or marker.get("version") != _VERSION:
        return written, False
    document = dict(written)
    if "value" in marker:
        document[_KEY] = marker["value"]
    else:
        del document[_KEY]
    try:
        is_unchanged = digest(encode(document)) == marker.get("digest")
    except ValueError:  # nested too deeply to encode, so this package did not write it
        return document, False
    return document, is_unchanged and document.get("id") == identifier
