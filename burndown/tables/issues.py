"""Rows of the issues of a query, and of their statuses."""

import json
from collections.abc import Collection, Iterator
from datetime import datetime, timedelta

from burndown.jira import Issue
from burndown.models import ProfileDocument
from burndown.tables.declared import IssueRow, StatusChangeRow

__all__ = ["Workflow", "issue_row", "status_rows"]

_DAY = timedelta(days=1)


class Workflow:
    """The statuses with which work begins and ends, as a profile names them."""

    def __init__(self, profile: ProfileDocument) -> None:
        named = profile["project_classification"]
        start = named.get("flow_start_statuses") or named.get("active_statuses", [])
        self._start = _folded(start)
        self._end = _folded(named.get("flow_end_statuses", []))

    def started_at(self, issue: Issue) -> datetime | None:
        """Return when the issue first entered a status with which work begins."""
        stays = (each for each in issue.history.stays if each.status.casefold() in self._start)
        return next((stay.entered for stay in stays), None)

    def finished_at(self, issue: Issue) -> datetime | None:
        """Return when the issue entered the statuses of done work, if it still is in one.

        It is when it was resolved if the profile names none, or the time is not known.
        """
        if not self._end:
            return issue.resolved
        finished = None
        for stay in reversed(issue.history.stays):
            if stay.status.casefold() not in self._end:
                break
            finished = stay.entered or issue.resolved
        return finished


def issue_row(profile_id: str, query_id: str, issue: Issue, workflow: Workflow) -> IssueRow:
    """Return the row of an issue, which has a key."""
    started, finished = workflow.started_at(issue), workflow.finished_at(issue)
    return IssueRow(
        profile_id=profile_id,
        query_id=query_id,
        issue_key=str(issue.key),
        project=issue.project,
        type=issue.type,
        summary=issue.summary,
        status=issue.status,
        status_category=issue.status_category,
        priority=issue.priority,
        resolution=issue.resolution,
        assignee=issue.assignee,
        parent=issue.parent,
        labels=_array(issue.labels),
        components=_array(issue.components),
        fix_versions=_array(issue.fix_versions),
        points=issue.points,
        due=issue.due,
        created_at=issue.created,
        updated_at=issue.updated,
        resolved_at=issue.resolved,
        started_at=started,
        finished_at=finished,
        cycle_time_days=_days(started, finished),
    )


def status_rows(profile_id: str, query_id: str, issue: Issue) -> Iterator[StatusChangeRow]:
    """Yield the statuses that an issue, which has a key, has entered, in the order of time."""
    previous = None
    for number, stay in enumerate(issue.history.stays, start=1):
        yield StatusChangeRow(
            profile_id=profile_id,
            query_id=query_id,
            issue_key=str(issue.key),
            number=number,
            previous_status=previous,
            status=stay.status,
            entered_at=stay.entered,
            left_at=stay.left,
            days=_days(stay.entered, stay.left),
        )
        previous = stay.status


def _days(begin: datetime | None, end: datetime | None) -> float | None:
    """Return the days between two times; ``None`` if one is missing, or they are in wrong order."""
    return None if begin is None or end is None or end < begin else (end - begin) / _DAY


def _array(names: tuple[str, ...]) -> str | None:
    return json.dumps(names, ensure_ascii=False) if names else None


def _folded(statuses: Collection[str]) -> frozenset[str]:
    return frozenset(each.casefold() for each in statuses)
