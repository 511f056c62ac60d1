"""Documents of the Atlassian Document Format, as Jira Cloud has rich text, as plain strings."""

import re
from typing import Any, TypeGuard

__all__ = ["is_rich_text", "plain_text"]

_INLINE = ("text", "mention", "emoji", "date", "inlineCard", "status", "placeholder")
"""The nodes within a line; all others begin a new one."""

_LABELS = ("text", "shortName", "url", "timestamp")
"""The attributes in which mentions, emojis, links and dates have what people see of them."""

_EMPTY_LINES = re.compile(r"\n\s*\n")


def is_rich_text(value: Any) -> TypeGuard[dict[str, Any]]:
    """Return whether a value is a document of rich text."""
    return isinstance(value, dict) and value.get("type") == "doc"


def plain_text(document: dict[str, Any]) -> str:
    """Return the text of a document, with each paragraph, item, heading or cell on a line."""
    parts: list[str] = []
    pending: list[Any] = [document]
    while pending:  # not recursive: documents can be nested deeper than Python calls
        node = pending.pop()
        if isinstance(node, str):
            parts.append(node)
        elif isinstance(node, dict):
            parts.append(_label(node))
            content = node.get("content")
            children = content[::-1] if isinstance(content, list) else []
            is_line = node.get("type") not in _INLINE
            pending += ["\n", *children] if is_line else children
    return _EMPTY_LINES.sub("\n", "".join(parts)).strip()


def _label(node: dict[str, Any]) -> str:
    """Return the text of a node itself, without its content."""
    if isinstance(text := node.get("text"), str):
        return text
    attributes = node.get("attrs")
    if not isinstance(attributes, dict):
        return ""
    return next((label for key in _LABELS if isinstance(label := attributes.get(key), str)), "")
