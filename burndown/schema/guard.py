"""Triggers that refuse what the published dashboard writes into a SQLite file of ours.

The dashboard opens ``profiles/burndown.db`` whatever is in it, checks nothing, and continues after
each error. The triggers refuse its INSERT and DELETE statements with a message that the dashboard
logs, and shows in some dialogs; its updates are upserts, for which triggers of INSERT run first. It
can change no other table of ours: those have other columns, or names that it does not know. No
table of ours may have the name ``jira_issues`` or ``budget_settings``: it deletes cached responses
after it has deleted from the first, and drops ``jira_cache`` after it has altered the second.

The dashboard is recognized by two settings of its connections together: foreign keys are on, and
the busy timeout is 10 seconds. By default, ``sqlite3`` has neither, so that other programs can
write. Connections of this package never have its busy timeout (:func:`unlike_dashboard`). Reading
the settings takes 4 us, so it is done only while a connection has changed nothing; the dashboard
opens one for each operation.

A table that a later schema version rebuilds loses its triggers, and needs them again.
"""

from collections.abc import Iterator

__all__ = ["GUARDS", "create_guards", "drop_guards", "unlike_dashboard"]

_DASHBOARD_SECONDS = 10
_MARGIN_SECONDS = 0.01

_MESSAGE = (
    "This database belongs to the package burndown, and the dashboard cannot write to it; to go "
    "back to the dashboard, run `burndown export --legacy DIR` and start it in DIR"
)
_IS_DASHBOARD = (
    "total_changes() = 0 "
    "AND (SELECT timeout FROM pragma_busy_timeout) = 10000 "
    "AND (SELECT foreign_keys FROM pragma_foreign_keys) = 1"
)
GUARDS = {
    f"refuse_dashboard_{operation}_{table}": f"BEFORE {operation.upper()} ON {table}"
    for table in ("app_state", "profiles", "queries", "task_progress")
    for operation in ("insert", "delete")
}
"""The triggers by name, with what each of them runs before."""


def unlike_dashboard(busy_timeout: float) -> float:
    """Return a busy timeout in seconds which no connection of the dashboard has.

    Those from its own on become longer by 10 ms; SQLite rounds shorter ones down to milliseconds.
    """
    return busy_timeout if busy_timeout < _DASHBOARD_SECONDS else busy_timeout + _MARGIN_SECONDS


def create_guards(dialect: str) -> Iterator[str]:
    """Yield the statements that create the triggers: none for PostgreSQL."""
    if dialect == "sqlite":
        for name, event in GUARDS.items():
            yield (
                f"CREATE TRIGGER {name} {event} WHEN {_IS_DASHBOARD} "
                f"BEGIN SELECT RAISE(ABORT, '{_MESSAGE}'); END"
            )


def drop_guards(dialect: str) -> Iterator[str]:
    """Yield the statements that drop the triggers, unless others have."""
    if dialect == "sqlite":
        for name in GUARDS:
            yield f"DROP TRIGGER IF EXISTS {name}"
