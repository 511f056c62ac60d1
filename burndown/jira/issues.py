"""Issues in cached responses, with the values of their fields as Python values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from burndown import models
from burndown.jira.history import History
from burndown.jira.points import points_fields
from burndown.jira.rich_text import is_rich_text, plain_text
from burndown.jira.sources import reader_of
from burndown.jira.values import Value, read, to_day, to_number, to_time, to_timestamp
from burndown.models import Document
from burndown.models.completeness import identity_of

__all__ = ["Issue", "history_of", "issues_of"]


@dataclass(frozen=True, slots=True)
class _Context:
    """The facts that the issues of a response share."""

    points_fields: tuple[str, ...]
    changelogs: Mapping[str, Any]


_ALONE = _Context((), {})
"""Of an issue without a profile."""


# The functions that make properties do not call others: that would double the time of a field.


def _name(field: str, key: str) -> Any:
    """Return a property with the name in the object of a field, ``None`` if it has none."""

    def name(self: "Issue") -> str | None:
        value = self.fields.get(field)
        if value is None:
            return None
        try:
            found = value[key]
        except (LookupError, TypeError):
            return None
        return (found or None) if isinstance(found, str) else None

    return property(name)


def _names(field: str) -> Any:
    """Return a property with the names of the objects in the list of a field."""

    def names(self: "Issue") -> tuple[str, ...]:
        values = self.fields.get(field)
        if not values or not isinstance(values, list):
            return ()
        found = []
        for value in values:  # a comprehension takes twice as long
            name = value.get("name") if isinstance(value, dict) else None
            if isinstance(name, str):
                found.append(name)
        return tuple(found)

    return property(names)


def _timestamp(field: str) -> Any:
    """Return a property with the timestamp in a field, ``None`` if it is none."""

    def timestamp(self: "Issue") -> datetime | None:
        value = self.fields.get(field)
        if value is None:
            return None
        try:
            found = _from_iso(value)
        except (TypeError, ValueError):
            return None
        return found if found.tzinfo is UTC else to_timestamp(value)

    return property(timestamp)


_from_iso = datetime.fromisoformat


class Issue:
    """A view of an issue in a response of a server (REST API v2) or the cloud (v3).

    A field is read when it is asked for. One that is absent, null or of another type is ``None``,
    or empty if it is a tuple. Nothing raises, whatever Jira or the old dashboard has stored.
    """

    __slots__ = ("_context", "_history", "document", "fields", "key")

    def __init__(self, document: Document, context: _Context = _ALONE) -> None:
        key, fields = document.get("key"), document.get("fields")
        self.key: str | None = key if isinstance(key, str) else None
        """The key, such as ``KAFKA-19853``; absent if the response was requested without fields."""
        self.document = document
        """The issue as Jira sent it."""
        self.fields: Document = fields if isinstance(fields, dict) else {}
        """Its fields as Jira sent them."""
        self._context = context
        self._history: History | None = None

    def __repr__(self) -> str:
        return f"<Issue {self.key}>"

    @property
    def summary(self) -> str | None:
        """Return the summary."""
        value = self.fields.get("summary")
        return (value or None) if isinstance(value, str) else None

    @property
    def description(self) -> str | None:
        """Return the description, rich text of the cloud as plain text; ``None`` if it is empty."""
        value = self.fields.get("description")
        text = plain_text(value) if is_rich_text(value) else value
        return (text or None) if isinstance(text, str) else None

    type: str | None = _name("issuetype", "name")
    """The name of the issue type, such as ``Bug``."""
    status: str | None = _name("status", "name")
    """The name of the status, such as ``In Progress``."""
    priority: str | None = _name("priority", "name")
    """The name of the priority."""
    resolution: str | None = _name("resolution", "name")
    """The name of the resolution; ``None`` while the issue is not resolved."""
    assignee: str | None = _name("assignee", "displayName")
    """The full name of the assignee."""
    parent: str | None = _name("parent", "key")
    """The key of the parent: of a sub-task, or in the cloud also of an issue in an epic."""
    components: tuple[str, ...] = _names("components")
    """The names of the components."""
    fix_versions: tuple[str, ...] = _names("fixVersions")
    """The names of the versions in which it is fixed."""
    created: datetime | None = _timestamp("created")
    """When it was created, UTC."""
    updated: datetime | None = _timestamp("updated")
    """When it was last changed, UTC."""
    resolved: datetime | None = _timestamp("resolutiondate")
    """When it was resolved, UTC; ``None`` while it is not."""

    @property
    def status_category(self) -> str | None:
        """Return ``new``, ``indeterminate`` or ``done``, the same in every language."""
        status: Any = self.fields.get("status")
        try:
            found = status["statusCategory"]["key"]
        except (LookupError, TypeError):
            return None
        return found if isinstance(found, str) else None

    @property
    def project(self) -> str | None:
        """Return the key of the project, which the key of the issue begins with."""
        project: Any = self.fields.get("project")
        try:
            found = project["key"]
        except (LookupError, TypeError):
            found = None
        if isinstance(found, str) and found:
            return found
        return None if self.key is None else self.key.rpartition("-")[0] or None

    @property
    def labels(self) -> tuple[str, ...]:
        """Return the labels."""
        values = self.fields.get("labels")
        if not values or not isinstance(values, list):
            return ()
        return tuple([each for each in values if isinstance(each, str)])

    @property
    def due(self) -> date | None:
        """Return the day on which it is due."""
        value = self.fields.get("duedate")
        return None if value is None else to_day(value)

    @property
    def points(self) -> float | None:
        """Return the story points, from the field that the profile names for them."""
        for field in self._context.points_fields:
            value = self.fields.get(field)
            if type(value) is float:  # most are
                return value
            if value is not None and (points := to_number(value)) is not None:
                return points
        return None

    @property
    def history(self) -> History:
        """Return the changes, from the changelogs given or else from the issue itself."""
        if self._history is None:
            changelog = self._context.changelogs.get(self.key or "", self.document)
            self._history = History(changelog, self.created, self.status)
        return self._history

    def value_of(self, source: str | Mapping[str, Any] | None) -> Value:
        """Return the value of a field mapping, as people see it in Jira.

        Args:
            source: a field (``priority``) or a path into it (``fixVersions.releaseDate``), a field
                with a value (``customfield_1=Yes``), a change (``status:Done.DateTime``), each with
                or without projects (``OPS.priority``), or a rule of the old dashboard.

        Returns:
            A string for objects, such as options and users, and for rich text; a number; a
            ``datetime`` in UTC or a ``date``; a tuple for a list. Whether the field has the value,
            or the time of the first such change. ``None`` if there is no value, if the issue is of
            another project, or if nobody can read the source.
        """
        return read(reader_of(source)(self))

    def time_of(self, source: str | Mapping[str, Any] | None) -> datetime | None:
        """Return the time of a field mapping in UTC, so that two of them can be subtracted.

        Args:
            source: as for :meth:`value_of`.

        Returns:
            A day, such as the release of a version, begins at midnight UTC. Of several times, the
            first in the list: ``fixVersions`` has the date of the first version with one. ``None``
            if there is no time.
        """
        return to_time(reader_of(source)(self))


def issues_of(
    response: Mapping[str, Any] | Sequence[Any] | None,
    profile: "models.Profile | Mapping[str, Any] | None" = None,
    changelogs: Mapping[str, Any] | None = None,
) -> list[Issue]:
    """Return views of the issues in a response.

    Args:
        response: a cached response, the document of one, or a list of issues; ``None`` if there is
            none.
        profile: the profile or its document, which names the field of story points.
        changelogs: the changelogs by issue key, as ``get_jira_changelogs`` returns them, for
            histories. An issue without one has the history that is in the issue itself.

    Returns:
        The issues in their order, each once: of those with the same key the last one, at the
        position of the first. Empty if there are none.
    """
    context = _Context(points_fields(profile), changelogs or {})
    found: dict[Any, Issue] = {}
    for document in _list_of_issues(response):
        if isinstance(document, dict):
            issue = Issue(document, context)
            found[issue.key or _name_of(issue)] = issue
    return list(found.values())


def _name_of(issue: Issue) -> Any:
    """Return what no other issue has: the key or id of any type, or else the issue itself."""
    key, number = identity_of(issue.document)
    name = number if key is None else key
    return issue if name is None else name


def _list_of_issues(response: Any) -> list[Any]:
    while isinstance(response, dict):
        response = response["issues"] if "issues" in response else response.get("response")
    return response if isinstance(response, list) else []


def history_of(issue_or_changelog: Any) -> History:
    """Return the history of an issue or of its changelog.

    Args:
        issue_or_changelog: an :class:`Issue`; an issue as Jira sent it, with its ``changelog``; a
            page or a list of histories; a bulk fetch; or the document of a cached changelog.
            Anything else has no changes.

    Returns:
        The history. It knows the creation of the issue if its fields are there.
    """
    if isinstance(issue_or_changelog, Issue):
        return issue_or_changelog.history
    if isinstance(issue_or_changelog, dict):
        return Issue(issue_or_changelog).history
    return History(issue_or_changelog)
