"""Completeness of pages from Jira, or of several pages that were joined."""

from collections.abc import Iterable, Mapping, Set
from typing import Any, NamedTuple

__all__ = [
    "ChangelogPage",
    "Identity",
    "changelog_counts",
    "count_distinct",
    "count_identities",
    "find_page",
    "identity_of",
    "is_complete",
    "response_counts",
]

Identity = tuple[str | int | bytes | None, str | int | bytes | None]
"""The key and the id of an issue or a history, each ``None`` if there is none."""

_HISTORY_KEYS = ("histories", "values", "changeHistories")

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


def response_counts(response: Any) -> dict[str, Any]:
    """Return ``issue_count`` and ``is_complete`` of a response.

    Issues are counted once for each key, so that a page that was joined twice counts once. Without
    a list of issues nothing is known to be complete.
    """
    page = response if isinstance(response, dict) else {}
    issues = page.get("issues")
    if not isinstance(issues, list):
        return {"issue_count": 0, "is_complete": None}
    count = count_distinct(issues)
    return {"issue_count": count, "is_complete": is_complete(page, count)}


def changelog_counts(changelog: Any) -> dict[str, Any]:
    """Return ``is_complete`` of a changelog: whether it holds all histories of the issue.

    It is ``None`` if the changelog does not say so, contradicts itself, or has no list of them.
    """
    found = find_page(changelog)
    if found is None:
        return {"is_complete": None}
    return {"is_complete": found.is_complete}


class ChangelogPage(NamedTuple):
    """The histories of one issue, and the object that they were in."""

    page: Mapping[str, Any]
    """The object that states whether there are further histories."""
    histories: list[Any]

    @property
    def is_complete(self) -> bool | None:
        """Return whether these are all histories of the issue, ``None`` if that is not known."""
        return is_complete(self.page, count_distinct(self.histories))


def find_page(value: Any, issue_ids: Set[str] = frozenset()) -> ChangelogPage | None:
    """Return the page of histories in what Jira or the old dashboard gave, or ``None``.

    ``GET issue/{key}?expand=changelog`` has ``histories`` below ``changelog``, and ``GET
    issue/{key}/changelog`` has ``values``. A bulk fetch has ``changeHistories``, for each issue in
    ``issueChangeLogs``. All of them are read at the top and below ``changelog``.
    """
    if isinstance(value, list):
        return ChangelogPage({}, value)
    if not isinstance(value, dict):
        return None
    issue_ids = {*issue_ids, str(value.get("id"))}
    if (below := find_page(value.get("changelog"), issue_ids)) is not None:
        return below
    found = [value[key] for key in _HISTORY_KEYS if isinstance(value.get(key), list)]
    if found:
        return ChangelogPage(
            value, next(filter(None, found), [])
        )  # one can be an empty placeholder
    return _find_in_bulk(value, issue_ids)


def _find_in_bulk(value: dict[str, Any], issue_ids: Set[str]) -> ChangelogPage | None:
    """Return the histories of one issue in a bulk fetch, whose pages each hold a part of them."""
    entries = value.get("issueChangeLogs")
    parts = [
        (entry.get("issueId"), entry["changeHistories"])
        for entry in (entries if isinstance(entries, list) else [])
        if isinstance(entry, dict) and isinstance(entry.get("changeHistories"), list)
    ]
    if any(issue_id != parts[0][0] for issue_id, _ in parts):
        parts = [part for part in parts if str(part[0]) in issue_ids]
    return ChangelogPage(value, [each for _, part in parts for each in part]) if parts else None
