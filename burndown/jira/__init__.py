"""Views of issues and their histories in cached responses and changelogs, and merging responses.

Views read what they are asked for, and nothing else. Odd values give ``None`` and never raise.
"""

from typing import TYPE_CHECKING

from burndown.lazy_names import LazyNames

if TYPE_CHECKING:
    from burndown.jira.history import Change, History, Stay
    from burndown.jira.issues import Issue, history_of, issues_of
    from burndown.jira.merging import merge
    from burndown.jira.points import points_fields
    from burndown.jira.values import Value

_NAMES = LazyNames(
    __name__,
    {
        "history": ("Change", "History", "Stay"),
        "issues": ("Issue", "history_of", "issues_of"),
        "merging": ("merge",),
        "points": ("points_fields",),
        "values": ("Value",),
    },
)

__all__ = [
    "Change",
    "History",
    "Issue",
    "Stay",
    "Value",
    "history_of",
    "issues_of",
    "merge",
    "points_fields",
]


def __getattr__(name: str) -> object:
    return _NAMES.load(name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
