"""Views of issues and their histories in cached responses and changelogs.

They read what they are asked for, and nothing else. Odd values give ``None`` and never raise.
"""

from burndown.jira.history import Change, History, Stay
from burndown.jira.issues import Issue, history_of, issues_of
from burndown.jira.points import points_fields
from burndown.jira.values import Value

__all__ = [
    "Change",
    "History",
    "Issue",
    "Stay",
    "Value",
    "history_of",
    "issues_of",
    "points_fields",
]
