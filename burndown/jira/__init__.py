"""Reading and merging the issues of cached Jira responses."""

from burndown.jira.merging import merge

__all__ = ["merge"]
