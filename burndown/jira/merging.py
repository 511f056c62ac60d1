"""Cached responses with the issues that have changed since.

Issues are the same if they have the same key, or the same id: an issue that was moved to another
project has a new key.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Set
from typing import Any, TypeVar

from pydantic_core import PydanticCustomError

from burndown.errors import ValidationError
from burndown.models.completeness import Identity, count_identities, identity_of, is_complete
from burndown.models.documents import Document
from burndown.models.issue_lines import IssueLines, encode_line, identity_of_line
from burndown.models.json_codec import check_storable
from burndown.models.json_values import copy_containers, to_json_value

__all__ = ["check_changes", "merge", "merge_encoded"]

T = TypeVar("T")

_SUBJECT = "Merge"
_TOTALS = ("total", "total_issues")


def merge(
    response: Mapping[str, Any], changed: Iterable[Mapping[str, Any]], removed: Iterable[str] = ()
) -> Document:
    """Return a response with the issues that have changed since.

    Args:
        response: the response, with a list of ``issues``. It is not changed.
        changed: issues as Jira gave them later. Each replaces the same issue in its place; new ones
            are added at the end, in their order. Of two that are the same, the last one counts.
        removed: keys or ids of issues that the search no longer finds. One that is also in
            ``changed`` is there again.

    Returns:
        A new response, with the issues and all else of the old one. ``total`` and ``total_issues``,
        if they are numbers, are raised or lowered by the change of the number of issues, so that a
        complete response remains complete.

    Raises:
        ValidationError: the response has no list of issues, or a changed issue has no key.
    """
    issues = _list_of_issues(response)
    issues_changed, keys = check_changes(changed, removed)
    page, merged, _ = _merged(response, _identified(issues), _identified(issues_changed), keys)
    return {**page, "issues": [issue for issue, _ in merged]}


def check_changes(changed: Any, removed: Any) -> tuple[list[Document], set[str]]:
    """Return the changed issues and the removed keys of a merge.

    Raises:
        ValidationError: a changed issue is not an object with a key that can be stored exactly, or
            a removed key is not a string.
    """
    if isinstance(changed, Mapping | str | bytes):
        raise _invalid("changed", "input should be a list of issues", changed)
    if isinstance(removed, str | bytes):
        raise _invalid("removed", "input should be a list of keys", removed)
    issues = _storable(list(changed))
    for position, issue in enumerate(issues):
        if not isinstance(issue, dict):
            raise _invalid(f"changed[{position}]", "input should be an issue as an object", issue)
        if identity_of(issue) == (None, None):
            path = f"changed[{position}].key"
            raise _invalid(path, "input should be the key of an issue", issue.get("key"))
    keys = list(removed)
    for position, key in enumerate(keys):
        if not isinstance(key, str):
            raise _invalid(f"removed[{position}]", "input should be the key of an issue", key)
    return issues, set(keys)


def merge_encoded(
    text: bytes, changed: list[Document], removed: set[str]
) -> tuple[bytes, dict[str, Any]]:
    """Return the JSON of a response as :func:`merge`, and its counts, parsing as little as needed.

    Args:
        text: the JSON of the response, fastest as :func:`~burndown.models.issue_lines.encode_lines`
            returned it.
        changed: as of :func:`check_changes`.
        removed: as of :func:`check_changes`.

    Returns:
        The JSON, and what :func:`~burndown.models.jira_cache.response_counts` returns of it.

    Raises:
        ValidationError: the response has no list of issues.
        ValueError: it is not JSON, as far as it was parsed.
    """
    stored = IssueLines.decode(text)
    _list_of_issues(stored.page)
    lines = list(zip(stored.lines, stored.identities(), strict=True))
    new = [(line, identity_of_line(line)) for line in map(encode_line, changed)]
    names = {name.encode(errors="surrogatepass") for name in removed}
    page, merged, count = _merged(stored.page, lines, new, names)
    counts = {"issue_count": count, "is_complete": is_complete(page, count)}
    return IssueLines(page, [line for line, _ in merged]).encode(), counts


def _merged(
    page: Mapping[str, Any],
    stored: list[tuple[T, Identity]],
    changed: list[tuple[T, Identity]],
    removed: Set[str | bytes],
) -> tuple[Document, list[tuple[T, Identity]], int]:
    """Return a page with its totals, the stored issues with the changed ones, and their number.

    Args:
        page: the response; its issues are not looked at.
        stored: its issues in any form, each with its key and id.
        changed: the changed issues in the same form.
        removed: keys and ids of stored issues that are not returned.
    """
    merged = [*stored]
    wanted = {*removed, *(name for _, identity in changed for name in identity)} - {None}
    positions: defaultdict[Any, set[int]] = defaultdict(set)
    for position, (_, identity) in enumerate(stored):
        for name in identity:
            if name in wanted:
                positions[name].add(position)
    dropped = {position for name in removed for position in positions[name]}
    for issue in changed:
        _, identity = issue
        same = sorted({each for name in identity for each in positions[name]} - dropped)
        if same:
            first, *others = same
            for name in merged[first][1]:  # which another issue may have now
                positions[name].discard(first)
            merged[first] = issue
            dropped.update(others)
        else:
            first = len(merged)
            merged.append(issue)
        for name in wanted.intersection(identity):  # for a later one that is the same
            positions[name].add(first)
    remaining = [each for position, each in enumerate(merged) if position not in dropped]
    before, after = (count_identities(each for _, each in issues) for issues in (stored, remaining))
    return _with_totals(page, after - before), remaining, after


def _list_of_issues(page: Mapping[str, Any]) -> list[Any]:
    issues = page.get("issues")
    if not isinstance(issues, list):
        raise _invalid("issues", "input should be a list of issues", issues)
    return issues


def _identified(issues: list[Any]) -> list[tuple[Any, Identity]]:
    return [(issue, identity_of(issue)) for issue in issues]


def _with_totals(page: Mapping[str, Any], added: int) -> Document:
    """Return a page whose totals count the issues that were added."""
    totals = {name: page[name] + added for name in _TOTALS if type(page.get(name)) is int}
    return {**page, **{name: max(total, 0) for name, total in totals.items()}}


def _storable(changed: list[Any]) -> list[Any]:
    """Return the changed issues, with values of other libraries as JSON values.

    Raises:
        ValidationError: one holds what cannot be stored exactly.
    """
    try:
        check_storable(changed, depth=1)
    except PydanticCustomError:
        changed = copy_containers(changed, to_json_value)
    try:
        check_storable(changed, depth=1)
    except PydanticCustomError as error:
        found: Any = error.context
        path = f"changed{found['path']}"
        raise _invalid(path, found["expected"], found["value"]) from None
    return changed


def _invalid(path: str, expected: str, got: object) -> ValidationError:
    return ValidationError.of(_SUBJECT, path, expected, got)
