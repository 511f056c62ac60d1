"""Every error that this package raises.

::

    PersistenceError
    ├── ProfileNotFoundError    (also ValueError)
    ├── QueryNotFoundError      (also ValueError)
    ├── ValidationError         (also ValueError)
    ├── MigrationError
    ├── ImportExportError
    └── StorageError            (also OSError)
        ├── TransactionAbortedError
        ├── TransactionConflictError
        ├── DatabaseCorruptionError
        ├── ForeignDatabaseError
        └── SchemaTooNewError

Constructing a model directly (``Profile(name="")``) raises pydantic's own
``ValidationError``, a ``ValueError`` too; everything that stores or reads raises these.
No message holds a token, nor a control character of a value or file name that it quotes.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import pydantic_core

from burndown.distribution import install_command
from burndown.escaping import escaped

__all__ = [
    "DatabaseCorruptionError",
    "ForeignDatabaseError",
    "ImportExportError",
    "MigrationError",
    "PersistenceError",
    "Problem",
    "ProfileNotFoundError",
    "QueryNotFoundError",
    "SchemaTooNewError",
    "StorageError",
    "TransactionAbortedError",
    "TransactionConflictError",
    "ValidationError",
    "format_value",
    "is_secret",
]

_SECRET = re.compile(r"token|passw(or)?d|secret|authorization|api[-_]?key", re.IGNORECASE)


def is_secret(key: str) -> bool:
    """Whether a setting of this name must not be shown or exported, such as ``jira_token``."""
    return _SECRET.search(key) is not None


class PersistenceError(Exception):
    """Something could not be stored, read or moved; the base of all errors here.

    Args:
        lines: the message. It may name files and values of others, which are escaped, so that
            each of these stays one line.
    """

    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(map(escaped, lines)))


class ProfileNotFoundError(PersistenceError, ValueError):
    """There is no profile of this id.

    Attributes:
        profile_id: the id that was asked for.
    """

    def __init__(self, profile_id: str) -> None:
        super().__init__(f"Profile '{profile_id}' not found")
        self.profile_id = profile_id

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.profile_id,)


class QueryNotFoundError(PersistenceError, ValueError):
    """The profile has no query of this id.

    Attributes:
        profile_id: the profile that was looked in.
        query_id: the id that was asked for.
    """

    def __init__(self, profile_id: str, query_id: str) -> None:
        super().__init__(f"Query '{query_id}' not found in profile '{profile_id}'")
        self.profile_id = profile_id
        self.query_id = query_id

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.profile_id, self.query_id)


class Problem(NamedTuple):
    """One thing wrong with an input."""

    path: str
    """Where, such as ``jira_config.base_url`` or ``metrics.weeks[2]``."""
    expected: str
    """What would have been right."""
    got: str | None
    """What was found, shortened; ``None`` where it is secret or absent."""

    def __str__(self) -> str:
        found = f", got {self.got}" if self.got is not None else ""
        return f"{self.path}: {self.expected}{found}"


class ValidationError(PersistenceError, ValueError):
    """An input was refused; nothing was written.

    Attributes:
        subject: what was refused, such as ``Profile 'kafka'``.
        problems: every problem found, each with its path and what was expected.
    """

    def __init__(self, subject: str, problems: Iterable[Problem]) -> None:
        self.subject = subject
        self.problems = tuple(problems)
        super().__init__(f"{subject} is not valid: " + "; ".join(map(str, self.problems)))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.subject, self.problems)

    @classmethod
    def of(cls, subject: str, path: str, expected: str, got: object = None) -> "ValidationError":
        """A refusal with one problem; ``got=None`` says nothing of the value."""
        found = None if got is None or is_secret(path) else format_value(got)
        return cls(subject, [Problem(path, expected, found)])

    @classmethod
    def from_pydantic(
        cls, subject: str, error: pydantic_core.ValidationError, transparent: str = ""
    ) -> "ValidationError":
        """The same refusal in this package's terms, with secrets left out.

        Args:
            subject: what was refused.
            error: what pydantic says.
            transparent: a field that callers do not see; paths into it start below it.
        """
        problems = map(_problem, error.errors(include_url=False))
        hidden = f"{transparent}."
        return cls(
            subject, (found._replace(path=found.path.removeprefix(hidden)) for found in problems)
        )


def _problem(details: pydantic_core.ErrorDetails) -> Problem:
    context = details.get("ctx", {})
    path = (_dotted(details["loc"]) + context.get("path", "")).lstrip(".")
    expected = str(context.get("expected", details["msg"])).removeprefix("Value error, ")
    value = context.get("value", details["input"])
    if details["type"] == "missing":
        got = None
    elif details["type"] in ("model_type", "dict_type"):
        got = type(value).__name__
    else:
        got = None if is_secret(path) else format_value(value)
    return Problem(path, expected[:1].lower() + expected[1:], got)


def _dotted(location: tuple[int | str, ...]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)


def format_value(value: object) -> str:
    """The value for a message: short, and nothing of a container, which may hold a secret."""
    if value is None or isinstance(value, str | int | float):
        text = repr(value) if not isinstance(value, int) or abs(value) < 10**40 else "a huge number"
        return text if len(text) <= 80 else text[:77] + "..."
    return f"a value of type {type(value).__name__}"


class MigrationError(PersistenceError):
    """The legacy workspace was not moved in; its files are as they were, and no database is left.

    Attributes:
        problems: for each file that stops the migration, the file and the reason.
    """

    def __init__(self, message: str, problems: Iterable[tuple[Path, str]] = ()) -> None:
        self.message = message
        self.problems = tuple(problems)
        super().__init__(message, *(f"  {path}: {reason}" for path, reason in self.problems))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.message, self.problems)


class ImportExportError(PersistenceError):
    """An export could not be written or is not readable; nothing was changed."""


class StorageError(PersistenceError, OSError):
    """The storage failed: locked too long, disk full, read-only or out of reach."""


class TransactionAbortedError(StorageError):
    """The transaction cannot go on; nothing of it was stored.

    The database has ended it, such as when the disk was full, or its connection was lost, or this
    process was forked within it. Each further call in it raises this, and so does its end.
    """


class TransactionConflictError(StorageError):
    """A server could not order a transaction among others; nothing was changed, try it again."""


class DatabaseCorruptionError(StorageError):
    """The database file is damaged, or is no database."""


class ForeignDatabaseError(StorageError):
    """The database belongs to another program; it was not changed.

    Attributes:
        location: the path or URL.
        found: what it looks like, such as ``has the tables bookmarks``.
    """

    def __init__(self, location: str, found: str) -> None:
        super().__init__(
            f"{location} is not a database of burndown: it {found}. It was not changed; name "
            "another one (--database, BURNDOWN_DATABASE_URL)"
        )
        self.location = location
        self.found = found

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.location, self.found)


class SchemaTooNewError(StorageError):
    """A newer release made the database; it was not touched.

    Attributes:
        found: the version of its tables.
        known: the newest version that this release knows.
    """

    def __init__(self, location: str, found: str, known: str) -> None:
        super().__init__(
            f"{location} has the schema version {found}, and this release of burndown knows none "
            f"after {known}; upgrade it: {install_command()}"
        )
        self.location = location
        self.found = found
        self.known = known

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.location, self.found, self.known)
