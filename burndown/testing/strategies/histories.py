"""Changelogs of issues, with histories that are possible."""

from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from burndown.demo.jira import STATUSES
from burndown.jira.values import to_timestamp
from burndown.models import Document
from burndown.testing.strategies.jira import FROM_CLOUD, jira_issues, sent, users
from burndown.testing.strategies.json_content import narrowed

__all__ = ["changelogs"]

_EARLIER_VALUES: dict[str, list[str | None]] = {
    "status": [*STATUSES],
    "priority": ["High", "Medium", "Low", None],
    "assignee": ["Ada Quill", "Bo Lindqvist", "Chiara Söder", None],
    "labels": ["", "backend", "backend tech-debt"],
}
"""What fields held before, as changelogs show it."""


def changelogs(
    *,
    cloud: SearchStrategy[bool] | bool = FROM_CLOUD,
    issue: SearchStrategy[Document] | Document | None = None,
    max_size: int = 6,
) -> SearchStrategy[Document]:
    """Return issues with their ``changelog``, as a request with ``expand=changelog`` does.

    The histories are possible: they lie between the creation and the last update of the issue, each
    change of a field starts from the value that the one before it set, and the last one ends in the
    value that the issue has. Servers send the oldest first, the cloud the newest.

    Args:
        cloud: whether they are of the cloud, or of a server.
        issue: the issue; :func:`jira_issues` if not given.
        max_size: the largest number of histories.
    """
    of_both = {
        flag: jira_issues(cloud=flag) if issue is None else narrowed(issue, issue=dict)
        for flag in (False, True)
    }
    return _changelogs(narrowed(cloud, cloud=bool), of_both, max_size)


@st.composite
def _changelogs(
    draw: st.DrawFn,
    cloud: SearchStrategy[bool],
    issues: dict[bool, SearchStrategy[Document]],
    max_size: int,
) -> Document:
    is_cloud = draw(cloud)
    issue = draw(issues[is_cloud])
    fields = issue.get("fields") or {}
    current = {name: _shown(fields[name]) for name in _EARLIER_VALUES if name in fields}
    histories = []
    if current:
        for time in draw(_times_back(fields, max_size)):
            author = draw(users(is_cloud))
            items = draw(_items_before(current, is_cloud))
            histories.append({"author": author, "created": sent(time), "items": items})
    histories.reverse()
    for number, history in enumerate(histories, start=1):
        history["id"] = str(1000 + number)
    if is_cloud:
        histories.reverse()
    count = len(histories)
    page = {"startAt": 0, "maxResults": count, "total": count, "histories": histories}
    return {**issue, "changelog": page}


def _shown(value: Any) -> str | None:
    """Return the value of a field as changelogs show it."""
    if isinstance(value, list):
        return " ".join(map(str, value))
    if isinstance(value, dict):
        value = value.get("displayName", value.get("name"))
    return value if isinstance(value, str) else None


@st.composite
def _times_back(draw: st.DrawFn, fields: Document, max_size: int) -> list[datetime]:
    """Draw different times from the last update of an issue back to its creation."""
    updated = to_timestamp(fields.get("updated"))
    created = to_timestamp(fields.get("created"))
    if created is None or updated is None:
        return []
    minutes = max(updated - created, timedelta()) // timedelta(minutes=1)
    ages = st.lists(st.integers(0, minutes), max_size=min(max_size, minutes), unique=True)
    return [updated - timedelta(minutes=age) for age in sorted(draw(ages))]


@st.composite
def _items_before(
    draw: st.DrawFn, current: dict[str, str | None], is_cloud: bool
) -> list[Document]:
    """Draw changes that led to the current values, which become those before them."""
    changes: list[SearchStrategy[tuple[str, str | None]]] = [
        st.sampled_from([(name, each) for each in _EARLIER_VALUES[name] if each != new])
        for name, new in current.items()
    ]
    one_or_two = st.lists(st.one_of(changes), min_size=1, max_size=2, unique_by=itemgetter(0))
    items = []
    for name, old in draw(one_or_two):
        new = current[name]
        item = {"field": name, "fieldtype": "jira", "fromString": old, "toString": new}
        items.append({**item, "fieldId": name} if is_cloud else item)
        current[name] = old
    return items
