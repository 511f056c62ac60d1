"""Every error that this package raises.

::

    PersistenceError
    ├── NotFoundError
    │   ├── ProfileNotFoundError    (also ValueError)
    │   ├── QueryNotFoundError      (also ValueError)
    │   ├── BudgetNotFoundError     (also ValueError)
    │   └── StoreNotFoundError      (also StorageError)
    ├── ValidationError         (also ValueError)
    ├── RevisionConflictError   (also ValueError)
    ├── TaskRunningError
    ├── TaskCancelledError
    │   └── TaskLostError
    ├── FetchFailedError
    ├── MigrationError
    ├── ImportExportError
    └── StorageError            (also OSError)
        ├── StoreLocationError
        ├── TransactionAbortedError
        ├── TransactionConflictError
        ├── DatabaseCorruptionError
        ├── ForeignDatabaseError
        │   └── PublishedDatabaseError
        ├── SchemaTooNewError
        ├── SecretKeyError
        └── MissingExtraError

Constructing a model directly (``Profile(name="")``) raises pydantic's own ``ValidationError``,
which is also a ``ValueError``; everything that stores or reads raises the errors above.
No message contains a token, or a control character of a value or file name that it quotes.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import pydantic_core

from burndown.distribution import install_command
from burndown.escaping import escaped
from burndown.quoting import format_value, is_secret, path_of, quotable

__all__ = [
    "BudgetNotFoundError",
    "DatabaseCorruptionError",
    "FetchFailedError",
    "ForeignDatabaseError",
    "ImportExportError",
    "MigrationError",
    "MissingExtraError",
    "NotFoundError",
    "PersistenceError",
    "Problem",
    "ProfileNotFoundError",
    "PublishedDatabaseError",
    "QueryNotFoundError",
    "RevisionConflictError",
    "SchemaTooNewError",
    "SecretKeyError",
    "StorageError",
    "StoreLocationError",
    "StoreNotFoundError",
    "TaskCancelledError",
    "TaskLostError",
    "TaskRunningError",
    "TransactionAbortedError",
    "TransactionConflictError",
    "ValidationError",
    "format_value",
    "is_secret",
]


class PersistenceError(Exception):
    """The base of all errors of this package.

    Args:
        lines: the message. Each line is escaped, since it may quote values and file names that
            contain line breaks or control characters.
    """

    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(map(escaped, lines)))


class NotFoundError(PersistenceError):
    """A profile, query, store or other thing that the caller named does not exist."""


class ProfileNotFoundError(NotFoundError, ValueError):
    """The profile does not exist.

    Attributes:
        profile_id: the id that was requested.
    """

    def __init__(self, profile_id: str) -> None:
        super().__init__(f"Profile '{profile_id}' not found")
        self.profile_id = profile_id

    # Pickle calls the constructor with ``args``, which holds the message. Errors cross process
    # boundaries in pools and test runners, so each class with other parameters names them here.
    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.profile_id,)


class QueryNotFoundError(NotFoundError, ValueError):
    """The query does not exist in the profile.

    Attributes:
        profile_id: the profile that was searched.
        query_id: the id that was requested.
    """

    def __init__(self, profile_id: str, query_id: str) -> None:
        super().__init__(f"Query '{query_id}' not found in profile '{profile_id}'")
        self.profile_id = profile_id
        self.query_id = query_id

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.profile_id, self.query_id)


class BudgetNotFoundError(NotFoundError, ValueError):
    """The query has no budget, or does not exist.

    Attributes:
        profile_id: the profile of the query.
        query_id: the query whose budget was requested.
    """

    def __init__(self, profile_id: str, query_id: str) -> None:
        super().__init__(f"Query '{query_id}' in profile '{profile_id}' has no budget")
        self.profile_id = profile_id
        self.query_id = query_id

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.profile_id, self.query_id)


class Problem(NamedTuple):
    """One invalid value of an input."""

    path: str
    """Path to the value, such as ``metrics.weeks[2]``; empty for the input itself."""
    expected: str
    """Requirement that the value does not meet, such as ``input should be a number``."""
    got: str | None
    """The value, shortened; ``None`` if it is secret or absent."""

    @property
    def message(self) -> str:
        """The requirement and the value, such as ``input should be a number, got 'x'``."""
        return self.expected if self.got is None else f"{self.expected}, got {self.got}"

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class ValidationError(PersistenceError, ValueError):
    """An input is not valid; nothing was written.

    Attributes:
        subject: the invalid input, such as ``Profile 'kafka'``.
        problems: all problems found, each with the path to the value and the requirement.
    """

    def __init__(self, subject: str, problems: Iterable[Problem]) -> None:
        self.subject = subject
        self.problems = tuple(problems)
        super().__init__(f"{subject} is not valid: " + "; ".join(map(str, self.problems)))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.subject, self.problems)

    def by_path(self) -> dict[str, str]:
        """Return the problems by path, as a form shows them next to its fields.

        Such as ``{"jira_config.cache_size_mb": "input should be a valid integer, got 'x'"}``.
        Several problems of one path are joined by semicolons. The path of a problem of the input
        itself is empty.
        """
        messages: dict[str, str] = {}
        for problem in self.problems:
            message = escaped(problem.message)
            before = messages.get(problem.path)
            messages[problem.path] = message if before is None else f"{before}; {message}"
        return messages

    @classmethod
    def of(cls, subject: str, path: str, expected: str, got: object = None) -> "ValidationError":
        """Return an error with one problem; with ``got=None`` it does not quote the value."""
        quoted = None if got is None or is_secret(path) else format_value(got)
        return cls(subject, [Problem(path, expected, quoted)])

    @classmethod
    def from_pydantic(
        cls, subject: str, error: pydantic_core.ValidationError, transparent: str = ""
    ) -> "ValidationError":
        """Return an error of this package for one of pydantic, without secrets.

        Args:
            subject: the invalid input.
            error: the error of pydantic.
            transparent: a field that callers do not see; paths into it omit its name.
        """
        problems = map(_problem, error.errors(include_url=False))
        hidden = f"{transparent}."
        return cls(
            subject, (each._replace(path=each.path.removeprefix(hidden)) for each in problems)
        )


def _problem(details: pydantic_core.ErrorDetails) -> Problem:
    path = path_of(details)
    expected = str(details.get("ctx", {}).get("expected", details["msg"]))
    expected = expected.removeprefix("Value error, ")
    is_quoted = details["type"] != "missing" and not is_secret(path)
    got = format_value(quotable(details)) if is_quoted else None
    return Problem(path, expected[:1].lower() + expected[1:], got)


class RevisionConflictError(PersistenceError, ValueError):
    """The profile or query was changed since the caller read it; nothing was written.

    Attributes:
        subject: what was to be saved, such as ``Profile 'kafka'``.
        given: the revision that the caller read.
        current: the stored revision.
    """

    def __init__(self, subject: str, given: int, current: int) -> None:
        super().__init__(
            f"{subject} has revision {current}, not {given}: it was changed in the meantime; read "
            "it again, and repeat the change"
        )
        self.subject = subject
        self.given = given
        self.current = current

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.subject, self.given, self.current)


class TaskRunningError(PersistenceError):
    """The task is running already; its owner holds the lease.

    Attributes:
        task_name: the name of the task.
        owner: the owner, such as ``host:4711:0f3a``.
        started_at: when that began it, ISO 8601 in UTC.
    """

    def __init__(self, task_name: str, owner: str, started_at: str) -> None:
        super().__init__(
            f"Task '{task_name}' has been running since {started_at}, owned by {owner}; wait for "
            "its end, or cancel it"
        )
        self.task_name = task_name
        self.owner = owner
        self.started_at = started_at

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.task_name, self.owner, self.started_at)


class TaskCancelledError(PersistenceError):
    """Somebody has asked this process to end the task.

    Attributes:
        task_name: the name of the task.
    """

    _reason: ClassVar[str] = "was cancelled"

    def __init__(self, task_name: str) -> None:
        super().__init__(f"Task '{task_name}' {self._reason}")
        self.task_name = task_name

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.task_name,)


class TaskLostError(TaskCancelledError):
    """The task does not belong to this process any more, so that it cannot report progress.

    Its lease had run out and another owner took it, its progress was cleared, or its block has
    ended.
    """

    _reason = "does not belong to this process any more: end it without storing its results"


class FetchFailedError(PersistenceError):
    """The fetch of another caller failed, for which this one waited; nothing was stored.

    Attributes:
        error: the name of the class of its error, whose message may hold a secret.
    """

    def __init__(self, error: str) -> None:
        super().__init__(f"The fetch of another caller ended with {error}; try again")
        self.error = error

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.error,)


class MigrationError(PersistenceError):
    """The legacy workspace was not migrated; its files are unchanged, and no database remains.

    Attributes:
        message: the first line of the message.
        problems: the path of each file that prevents the migration, with the reason.
    """

    def __init__(self, message: str, problems: Iterable[tuple[Path, str]] = ()) -> None:
        self.message = message
        self.problems = tuple(problems)
        super().__init__(message, *(f"  {path}: {reason}" for path, reason in self.problems))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.message, self.problems)


class ImportExportError(PersistenceError):
    """An export could not be written or read; nothing was changed."""


class StorageError(PersistenceError, OSError):
    """The storage failed: locked for too long, full, read-only or unreachable."""


class StoreLocationError(StorageError):
    """The path, URL or setting of a store is not valid, so that no store was opened."""


class StoreNotFoundError(NotFoundError, StorageError):
    """There is no store at the location; nothing was created."""


class SecretKeyError(StorageError):
    """The key of secrets is missing or not valid, so that none is sealed or opened."""


class MissingExtraError(StorageError):
    """An extra of the distribution is not installed.

    Attributes:
        need: what needs it.
        extra: its name.
    """

    def __init__(self, need: str, extra: str) -> None:
        super().__init__(f"{need}: {install_command(extra)}")
        self.need = need
        self.extra = extra

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.need, self.extra)


class TransactionAbortedError(StorageError):
    """The transaction cannot continue; nothing of it was stored.

    The database ended it (such as because the disk is full), its connection was lost, or this
    process was forked within it. Each further call in the transaction raises this error, and so
    does its end.
    """


class TransactionConflictError(StorageError):
    """The server could not serialize concurrent transactions; nothing was changed, try again."""


class DatabaseCorruptionError(StorageError):
    """The database file is damaged, or is not a database."""


class ForeignDatabaseError(StorageError):
    """The database belongs to another program; it was not changed.

    Attributes:
        location: the path or URL.
        found: the evidence, such as ``has the tables bookmarks``.
    """

    _advice: ClassVar[str] = "choose another one (--database, BURNDOWN_DATABASE_URL)"

    def __init__(self, location: str, found: str) -> None:
        super().__init__(
            f"{location} is not a database of burndown: it {found}. It was not changed; "
            f"{self._advice}"
        )
        self.location = location
        self.found = found

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.location, self.found)


class PublishedDatabaseError(ForeignDatabaseError):
    """The database is that of the published dashboard, which has to be migrated first."""

    _advice = "`burndown migrate` moves its content into one"


class SchemaTooNewError(StorageError):
    """The database was written by a newer release; it was not changed.

    Attributes:
        location: the path or URL.
        found: the schema version of the database.
        known: the newest schema version that this release supports.
    """

    def __init__(self, location: str, found: str, known: str) -> None:
        super().__init__(
            f"{location} has schema version {found}, but this release of burndown supports only "
            f"versions up to {known}; upgrade it: {install_command()}"
        )
        self.location = location
        self.found = found
        self.known = known

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.location, self.found, self.known)
