"""Sprints of issues, from the field of the sprint and from their histories."""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from burndown.jira import Issue
from burndown.jira.values import to_timestamp
from burndown.models import Document
from burndown.tables.declared import SprintRow

__all__ = ["sprint_rows"]

_STATES = {"active", "closed", "future"}
_server_form = re.compile(r"[\w.]*Sprint@\w+\[(.*)\]", re.DOTALL).fullmatch
"""A sprint as older servers send it: ``com.atlassian.greenhopper.service.sprint.Sprint@1f[…]``."""


def sprint_rows(profile_id: str, query_id: str, issue: Issue) -> Iterator[SprintRow]:
    """Yield the sprints that an issue, which has a key, is or was in."""
    current = {each["name"]: each for each in _sprints_of(issue)}
    added, removed = _changes_of(issue)
    for name in dict.fromkeys([*current, *added, *removed]):
        sprint = current.get(name, {})
        yield SprintRow(
            profile_id,
            query_id,
            name,
            str(issue.key),
            sprint.get("state", "").lower() or None,
            to_timestamp(sprint.get("startDate")),
            to_timestamp(sprint.get("endDate")),
            to_timestamp(sprint.get("completeDate")),
            added.get(name),
            removed.get(name),
        )


def _changes_of(issue: Issue) -> tuple[dict[str, datetime], dict[str, datetime]]:
    """Return when the issue was last added to sprints, and when it was removed from them."""
    added: dict[str, datetime] = {}
    removed: dict[str, datetime] = {}
    for change in issue.history.changes("Sprint"):
        old, new = _names(change.old), _names(change.new)
        for name in new - old:
            added[name] = change.at
            removed.pop(name, None)
        removed.update(dict.fromkeys(old - new, change.at))
    return added, removed


def _names(names: str | None) -> set[str]:
    return {each.strip() for each in (names or "").split(",")} - {""}


def _sprints_of(issue: Issue) -> Iterator[Document]:
    """Yield the sprints in whichever field has them, each with its name and state."""
    for value in issue.fields.values():
        for each in value if isinstance(value, list) else [value]:
            sprint = _parsed(each) if isinstance(each, str) else each
            if isinstance(sprint, dict) and _is_sprint(sprint.get("name"), sprint.get("state")):
                yield sprint


def _is_sprint(name: Any, state: Any) -> bool:
    is_named = isinstance(name, str) and name != ""
    return is_named and isinstance(state, str) and state.lower() in _STATES


def _parsed(text: str) -> dict[str, str]:
    found = _server_form(text)
    return {} if found is None else dict(re.findall(r"(\w+)=(.*?)(?=,\w+=|$)", found[1], re.DOTALL))
