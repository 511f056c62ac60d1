"""The history of an issue: its changes, and the statuses that it was in."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any, NamedTuple

from burndown.jira.values import to_timestamp
from burndown.models.completeness import find_page
from burndown.models.timestamps import to_utc

__all__ = ["Change", "History", "Stay"]


class Change(NamedTuple):
    """A change of one field."""

    at: datetime
    """When it was made, UTC."""
    field: str
    """The field, as it was asked for."""
    old: str | None
    """The value before, as Jira shows it; ``None`` for none."""
    new: str | None
    """The value afterwards."""
    old_id: str | None = None
    """The id of the value before, such as of a status, or ``7, 9`` of two sprints."""
    new_id: str | None = None
    """The id of the value afterwards. It stays when the value is renamed; the names do not."""


class Stay(NamedTuple):
    """The time that an issue spent in a status without a break."""

    status: str
    """The name of the status."""
    entered: datetime | None
    """When it entered the status, UTC; ``None`` if that is not known."""
    left: datetime | None
    """When it left the status, UTC; ``None`` if it is still there."""


class History:
    """The changes of an issue in the order of time, in whatever order and form they were sent.

    A change that was sent twice counts once, and one without a valid time does not count. Changes
    of the same time are in the order of their ids, or else in that of the changelog.
    """

    __slots__ = ("_changes", "_created", "_page", "_status")

    def __init__(
        self, changelog: Any, created: datetime | None = None, status: str | None = None
    ) -> None:
        """Read a changelog, of an issue that was created at a time and is in a status."""
        self._page = find_page(changelog)
        self._created = created
        self._status = status
        self._changes: dict[str, tuple[Change, ...]] = {}

    def __repr__(self) -> str:
        return f"<History of {len(self.status_changes)} changes of the status>"

    @property
    def is_known(self) -> bool:
        """Return whether there is a changelog at all, if only one without changes."""
        return self._page is not None

    @property
    def is_complete(self) -> bool | None:
        """Return whether the changelog has all changes, as it states itself; else ``None``."""
        return None if self._page is None else self._page.is_complete

    @property
    def status_changes(self) -> tuple[Change, ...]:
        """Return the changes of the status."""
        return self.changes("status")

    def changes(self, field: str) -> tuple[Change, ...]:
        """Return the changes of a field, empty if there are none.

        Args:
            field: its name as changelogs have it, such as ``Sprint``, or its id, such as
                ``customfield_10020``, which servers do not send.
        """
        if field not in self._changes:
            histories = [] if self._page is None else self._page.histories
            self._changes[field] = _in_order(histories, field)
        return self._changes[field]

    @property
    def stays(self) -> tuple[Stay, ...]:
        """Return the statuses that the issue was in, from its creation until now.

        Each begins when the previous one ends. It is not known when the first one began if the
        creation is unknown, or if the changelog is absent or lacks changes.
        """
        changes = self.status_changes
        entered = self._created
        if entered is not None and (not self.is_known or self.is_complete is False):
            entered = None  # it was in other statuses before
        status = changes[0].old if changes else self._status
        found = []
        for change in changes:
            if status is not None:
                found.append(Stay(status, entered, change.at))
            status, entered = change.new, change.at
        if status is not None:
            found.append(Stay(status, entered, None))
        return tuple(found)

    def time_in(self, statuses: str | Iterable[str], now: datetime) -> timedelta:
        """Return the time that the issue spent in statuses until now.

        Args:
            statuses: their names, in upper or lower case.
            now: the end of the current stay, or an earlier time: what was later does not count.

        Returns:
            The sum of all stays, without one whose beginning is not known.
        """
        wanted = {statuses} if isinstance(statuses, str) else statuses
        names = {status.casefold() for status in wanted}
        until = to_utc(now)
        total = timedelta()
        for stay in self.stays:
            if stay.entered is not None and stay.status.casefold() in names:
                left = until if stay.left is None else min(stay.left, until)
                total += max(left - stay.entered, timedelta())
        return total


_VALUES = ("fromString", "toString", "from", "to")
"""The keys of the values of a change, in its order."""


def _in_order(histories: list[Any], field: str) -> tuple[Change, ...]:
    """Return the changes of a field, each once, in the order of time."""
    dated: dict[Any, tuple[datetime, int, list[Change]]] = {}
    for history in histories:
        items = history.get("items") if isinstance(history, dict) else None
        if not isinstance(items, list):
            continue
        of_field = [item for item in items if _is_of(item, field)]
        if of_field and (at := to_timestamp(history.get("created"))) is not None:
            made = [Change(at, field, *map(_text, map(item.get, _VALUES))) for item in of_field]
            number, identity = _identity(history.get("id"))
            dated[(at, *made) if identity is None else identity] = (at, number, made)
    found = list(dated.values())
    if found and found[0][0] > found[-1][0]:  # from the cloud, newest first
        found.reverse()
    found.sort(key=itemgetter(0, 1))
    return tuple([change for *_, made in found for change in made])


def _is_of(item: Any, field: str) -> bool:
    return isinstance(item, dict) and (item.get("field") == field or item.get("fieldId") == field)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _identity(value: Any) -> tuple[int, str | int | None]:
    """Return the number of an id, 0 if it is none, and the id itself if there is one."""
    if not isinstance(value, (str, int)):
        return 0, None
    try:
        return int(value), value
    except ValueError:
        return 0, value
