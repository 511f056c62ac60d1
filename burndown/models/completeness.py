"""Completeness of pages from Jira, or of several pages that were joined."""

from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["count_distinct", "distinct", "is_complete"]


_IDENTITIES = (str, int)  # `str | int` would be made anew for each item


def distinct(items: Iterable[Any]) -> dict[Any, Any]:
    """Return issues or histories by their key or id; the last one of those that have the same.

    The key of an item without either is its position, as a tuple.
    """
    found: dict[Any, Any] = {}
    for position, item in enumerate(items):
        fields = item if isinstance(item, dict) else {}
        identity = fields.get("key")
        if identity is None:
            identity = fields.get("id")
        found[identity if isinstance(identity, _IDENTITIES) else (position,)] = item
    return found


def count_distinct(items: Iterable[Any]) -> int:
    """Return the number of distinct issues or histories; one without key and id counts as such."""
    return len(distinct(items))


def is_complete(page: Mapping[str, Any], count: int) -> bool | None:
    """Return whether a page is complete, as far as the page itself states it.

    Jira states it by a total (in the old dashboard's files ``total_issues``), by ``isLast``, or by
    the token or address of the next page. A token of ``null`` means that this is the last page.

    Args:
        page: the page, or joined pages in the form of one.
        count: the number of distinct objects in it.

    Returns:
        ``False`` if a statement means that something is missing; ``None`` if there is no statement,
        or more objects than the total; else ``True``.
    """
    statements: set[bool | None] = set(_last_page(page))
    for total in (page.get("total"), page.get("total_issues")):
        if type(total) is int:
            statements.add(count == total if count <= total else None)
    if False in statements:
        return False
    return True if statements == {True} else None


def _last_page(page: Mapping[str, Any]) -> Iterable[bool]:
    if isinstance(page.get("isLast"), bool):
        yield page["isLast"]
    if "nextPageToken" in page and page["nextPageToken"] is None:
        yield True
    if page.get("nextPageToken") or page.get("nextPage"):
        yield False
    start = page.get("startAt")
    if type(start) is int and start > 0:  # earlier pages are missing
        yield False
