"""The database of the published dashboard, read into documents of the models.

Since December 2025 the dashboard stores its workspace in SQLite, in tables of six shapes. The
functions that read rows take those of its exchange file as well.

::

    rows          a row as a mapping, and the values of JSON columns
    tables        which tables and columns there are, and their rows
    timestamps    timestamps in the columns
    profiles      profiles and queries
    issues        issues as a response of Jira
    changelogs    changes of fields as changelogs
    project_data  weekly statistics and scope
    metrics       metrics as weekly snapshots
    budgets       the budget of a query, with its revisions
    app_state     the app state to keep
    reports       reports on many rows as one
    store         the content of a database
"""

from burndown.published.budgets import OF_PROFILE, budget_document
from burndown.published.changelogs import changelog_documents
from burndown.published.issues import REBUILT, response_document
from burndown.published.metrics import snapshot_documents
from burndown.published.profiles import profile_document, query_document
from burndown.published.project_data import project_data_document
from burndown.published.rows import Row, flat_row
from burndown.published.store import PublishedProfile, PublishedQuery, PublishedStore
from burndown.published.tables import columns_without_place

__all__ = [
    "OF_PROFILE",
    "REBUILT",
    "PublishedProfile",
    "PublishedQuery",
    "PublishedStore",
    "Row",
    "budget_document",
    "changelog_documents",
    "columns_without_place",
    "flat_row",
    "profile_document",
    "project_data_document",
    "query_document",
    "response_document",
    "snapshot_documents",
]
