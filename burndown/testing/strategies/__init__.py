"""Hypothesis strategies for what a workspace stores, valid by construction.

They return documents, as backends take them: plain dicts of JSON values. Each argument narrows what
is drawn: it takes a strategy or a value. Failing examples shrink to what a person would write, such
as ``{"id": "kafka"}``.
"""

from burndown.testing.strategies.entities import (
    budgets,
    documents,
    metrics_snapshots,
    profiles,
    queries,
    tasks,
)
from burndown.testing.strategies.histories import changelogs
from burndown.testing.strategies.jira import jira_issues, jira_responses
from burndown.testing.strategies.json_content import json_objects, json_values, strings
from burndown.testing.strategies.short_strings import (
    identifiers,
    issue_keys,
    keys,
    lines,
    names,
    words,
)
from burndown.testing.strategies.times import days, timestamps, weeks
from burndown.testing.strategies.workspaces import legacy_workspaces

__all__ = [
    "budgets",
    "changelogs",
    "days",
    "documents",
    "identifiers",
    "issue_keys",
    "jira_issues",
    "jira_responses",
    "json_objects",
    "json_values",
    "keys",
    "legacy_workspaces",
    "lines",
    "metrics_snapshots",
    "names",
    "profiles",
    "queries",
    "strings",
    "tasks",
    "timestamps",
    "weeks",
    "words",
]
