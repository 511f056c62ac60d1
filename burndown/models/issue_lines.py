"""JSON of responses with a line for each issue, so that a few can be replaced without the others.

It is JSON as any other. Since a string in JSON contains no line break, the lines are found without
parsing: to parse 1,350 issues, replace 2 and encode them takes three times as long.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic_core import PydanticCustomError

from burndown.models.completeness import Identity, identity_of
from burndown.models.documents import Document
from burndown.models.json_codec import decode, decode_object, encode_strict

__all__ = ["IssueLines", "encode_line", "encode_lines", "identity_of_line", "joined_lines"]

_ISSUES = "issues"
_BEGIN = b'"issues":['
# Jira writes the id, the address and the key, strings all of them, before the fields.
_first_members = re.compile(
    rb'\{(?:"\w+":"[^"\\]*",)*?"id":"([^"\\]*)",(?:"\w+":"[^"\\]*",)*?"key":"([^"\\]*)"'
).match


@dataclass
class IssueLines:
    """A response whose issues are encoded one by one."""

    page: Document
    """The response without its issues; the list of them is empty."""
    lines: list[bytes]
    """The JSON of each issue, followed by a comma, in order."""

    @classmethod
    def decode(cls, text: bytes) -> "IssueLines":
        """Return the lines of what :func:`encode_lines` returned.

        JSON without lines is parsed, since an earlier release wrote it. A response without a list
        of issues is a page without lines.

        Raises:
            ValueError: it is not a JSON object.
        """
        first, *lines = text.split(b"\n")
        last = lines.pop() if lines else b""
        if first.endswith(_BEGIN) and last.startswith(b"]"):
            if lines:
                lines[-1] += b","
            return cls(decode_object(first + last), lines)
        response = decode_object(text)
        issues = response.get(_ISSUES)
        if not isinstance(issues, list):
            return cls(response, [])
        return cls({**response, _ISSUES: []}, list(map(encode_line, issues)))

    def encode(self) -> bytes:
        """Return the JSON of the response."""
        return _encode(self.page, self.lines)

    def identities(self) -> list[Identity]:
        """Return the key and the id of each issue; strings as UTF-8, as they are in the line."""
        return list(map(identity_of_line, self.lines))


def encode_line(issue: Any) -> bytes:
    """Return the line of an issue.

    Raises:
        PydanticCustomError: as :func:`~burndown.models.json_codec.encode_strict`.
    """
    return encode_strict(issue) + b","


def identity_of_line(line: bytes) -> Identity:
    """Return the key and the id of the issue in a line; strings as UTF-8."""
    found = _first_members(line)
    if found is not None:
        return found[2], found[1]
    key, number = identity_of(decode(line[:-1]))
    return _as_bytes(key), _as_bytes(number)


def encode_lines(response: Mapping[str, Any]) -> bytes:
    """Return an object as compact JSON, with each of its ``issues``, if any, on its own line.

    Raises:
        PydanticCustomError: as :func:`~burndown.models.json_codec.encode_strict`.
    """
    issues = response.get(_ISSUES)
    if type(issues) is not list:
        return encode_strict(response)
    try:
        return _encode(response, list(map(encode_line, issues)))
    except PydanticCustomError:
        return encode_strict(response)  # raises the error with the complete path


def joined_lines(text: bytes) -> bytes:
    """Return JSON without line breaks, as :func:`~burndown.models.json_codec.encode` returns it."""
    return text.replace(b"\n", b"")


def _encode(page: Mapping[str, Any], lines: list[bytes]) -> bytes:
    before: Document = {}
    after: Document = {}
    members = before
    for key, value in page.items():
        if key == _ISSUES:
            members = after
        else:
            members[key] = value
    first = encode_strict(before)[:-1] + (b"," if before else b"") + _BEGIN
    last = b"]" + (b"," + encode_strict(after)[1:] if after else b"}")
    if lines:
        lines = [*lines[:-1], lines[-1][:-1]]
    return b"\n".join([first, *lines, last])


def _as_bytes(name: Any) -> Any:
    return name.encode() if isinstance(name, str) else name
