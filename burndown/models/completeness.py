"""Completeness of pages from Jira, or of several pages that were joined."""

from collections.abc import Iterable, Mapping
from typing import Any

__all__ = [
    "Identity",
    "count_distinct",
    "count_identities",
    "identity_of",
    "is_complete",
]

Identity = tuple[str | int | bytes | None, str | int | bytes | None]
"""The key and the id of an issue or a history, each ``None`` if there is none."""

_NAMES = (str, int)  # `str | int` would be made anew for each item


def identity_of(item: Any) -> Identity:
    """Return the key and the id of an issue or a history."""
    if not isinstance(item, dict):
        return None, None
    key, number = item.get("key"), item.get("id")
    return (
        key if isinstance(key, _NAMES) else None,
        number if isinstance(number, _NAMES) else None,
    )


def count_distinct(items: Iterable[Any]) -> int:
    """Return the number of distinct issues or histories; one without key and id counts as such."""
    return count_identities(map(identity_of, items))


def count_identities(identities: Iterable[Identity]) -> int:
    """Return the number of distinct issues or histories as :func:`count_distinct`."""
    names = [number if key is None else key for key, number in identities]
    without = names.count(None)
    return len(set(names)) - (without > 0) + without


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
