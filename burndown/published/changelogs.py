"""Changes of single fields as the changelogs of issues."""

from collections.abc import Sequence
from typing import Any

from burndown.conversion import Report
from burndown.models import Document
from burndown.models.field_types import is_key
from burndown.published.reports import summed_up
from burndown.published.rows import Row
from burndown.published.timestamps import column_times

__all__ = ["changelog_documents"]


def changelog_documents(rows: Sequence[Row], report: Report) -> list[Document]:
    """Return what rows of ``jira_changelog_entries`` make, as documents of ``JiraChangelog``.

    Changes of an issue by one author at one time are one history, in the order of the rows.

    Args:
        rows: the entries of a query.
        report: takes a sentence on what cannot be read.

    Returns:
        One document for each issue, without the ids of profile and query.
    """
    histories: dict[str, dict[Any, Document]] = {}
    expiries: dict[str, set[Any]] = {}
    with summed_up(report) as report_row:
        times = column_times(rows, "expires_at", "issue_key", report_row)
        for row in rows:
            key, created, author = row.get("issue_key"), row.get("change_date"), row.get("author")
            if not is_key(key):
                report_row(str(created), "issue_key: input should be the key of an issue; skipped")
                continue
            of_issue = histories.setdefault(key, {})
            history = of_issue.get((created, author))
            if history is None:
                named = None if author is None else {"displayName": author}
                history = {"created": created, "author": named, "items": []}
                of_issue[created, author] = history
            history["items"].append(
                {
                    "field": row.get("field_name"),
                    "fieldtype": row.get("field_type"),
                    "fromString": row.get("old_value"),
                    "toString": row.get("new_value"),
                }
            )
            expiries.setdefault(key, set()).add(row.get("expires_at"))
    return [
        {
            "issue_key": key,
            "expires_at": min(
                (times[each] for each in expiries[key] if each in times), default=None
            ),
            "changelog": {"key": key, "changelog": {"histories": list(found.values())}},
        }
        for key, found in histories.items()
    ]
