"""Sprints of issues, from the field of the sprint and from their histories."""

import re
from collections.abc import Iterator, Sequence
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


def sprint_rows(profile_id: str, query_id: str, issues: Sequence[Issue]) -> Iterator[SprintRow]:
    """Yield the sprints that the issues of a query, which have keys, are or were in."""
    sprints = _Sprints(issues)
    for issue in issues:
        added, removed = sprints.changes_of(issue)
        current = map(_identity, _sprints_of(issue))
        for identity in dict.fromkeys([*current, *added, *removed]):
            sprint = sprints.known.get(identity, {})
            yield SprintRow(
                profile_id,
                query_id,
                identity,
                str(issue.key),
                sprint.get("name") or sprints.names.get(identity, identity),
                sprint.get("state", "").lower() or None,
                to_timestamp(sprint.get("startDate")),
                to_timestamp(sprint.get("endDate")),
                to_timestamp(sprint.get("completeDate")),
                added.get(identity),
                removed.get(identity),
            )


class _Sprints:
    """The sprints of a query, from the fields and the histories of all its issues.

    A sprint that an issue was removed from is not in its field any more, but in that of others. A
    sprint can have been renamed since a change, which has its id as well; only changes that the
    published dashboard has stored have none.
    """

    def __init__(self, issues: Sequence[Issue]) -> None:
        self.known = {_identity(each): each for issue in issues for each in _sprints_of(issue)}
        """The sprints in fields, by id."""
        self.names: dict[str, str] = {}
        """The names in changes, by id."""
        for issue in issues:
            for change in issue.history.changes("Sprint"):
                for names, ids in ((change.old, change.old_id), (change.new, change.new_id)):
                    self.names.update(_named(names, ids))
        named = {identity: each["name"] for identity, each in self.known.items()}
        self._ids = {name: identity for identity, name in [*self.names.items(), *named.items()]}

    def changes_of(self, issue: Issue) -> tuple[dict[str, datetime], dict[str, datetime]]:
        """Return when the issue was last added to sprints, and when it was removed from them."""
        added: dict[str, datetime] = {}
        removed: dict[str, datetime] = {}
        for change in issue.history.changes("Sprint"):
            old = self._members(change.old, change.old_id)
            new = self._members(change.new, change.new_id)
            for identity in new - old:
                added[identity] = change.at
                removed.pop(identity, None)
            removed.update(dict.fromkeys(old - new, change.at))
        return added, removed

    def _members(self, names: str | None, ids: str | None) -> set[str]:
        return set(_listed(ids)) or {self._ids.get(each, each) for each in _listed(names)}


def _identity(sprint: Document) -> str:
    """Return the id of a sprint, or its name if it has none."""
    return str(sprint.get("id") or sprint["name"])


def _named(names: str | None, ids: str | None) -> dict[str, str]:
    """Return the names of the sprints in a change by id, as far as they can be told apart."""
    found, identities = _listed(names), _listed(ids)
    if len(identities) == 1:
        found = [str(names)]  # which may have a comma
    return dict(zip(identities, found, strict=True)) if len(identities) == len(found) else {}


def _listed(values: str | None) -> list[str]:
    return [each.strip() for each in (values or "").split(",") if each.strip()]


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
