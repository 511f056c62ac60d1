"""Whether a page of Jira, or several that were joined, holds all that there is."""

from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["count_distinct", "is_complete"]


def count_distinct(items: Iterable[Any]) -> int:
    """Return how many different issues or histories there are, told apart by their key or id.

    What has neither differs from all others.
    """
    identities: set[Any] = set()
    for position, item in enumerate(items):
        fields = item if isinstance(item, dict) else {}
        identity = fields.get("key")
        if identity is None:
            identity = fields.get("id")
        identities.add(identity if isinstance(identity, str | int) else (position,))
    return len(identities)


def is_complete(page: Mapping[str, Any], count: int) -> bool | None:
    """Return whether a page holds all that there is, as far as the page says.

    Jira says it in several ways: with a total (in the old dashboard's files ``total_issues``), with
    ``isLast``, or with a token or address of the next page, where a ``null`` token means that this
    is the last page.

    Args:
        page: the page, or joined pages in the form of one.
        count: how many different objects it holds.

    Returns:
        ``False`` if anything says that something is missing; ``None`` if nothing says anything,
        or if there are more objects than the page says there are; else ``True``.
    """
    said: set[bool | None] = set(_last_page(page))
    for total in (page.get("total"), page.get("total_issues")):
        if type(total) is int:
            said.add(count == total if count <= total else None)
    if False in said:
        return False
    return True if said == {True} else None


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
