"""The exit codes of the commands."""

from enum import IntEnum

__all__ = ["ExitCode", "exit_code_of"]


class ExitCode(IntEnum):
    """The reasons for which a command fails."""

    FAILED = 1
    """For another reason than those below, such as a secret key that is missing."""
    USAGE = 2
    """Its arguments are wrong; typer ends it."""
    NOT_FOUND = 3
    """A profile, query, task, store or file does not exist."""
    NOT_VALID = 4
    """A value, file or database was refused, as it is."""
    UNAVAILABLE = 5
    """The store is busy, read-only or out of reach, or the disk is full."""
    DAMAGED = 6
    """The store is damaged."""


def exit_code_of(error: Exception) -> ExitCode:
    """Return the exit code of a command that an error of the package or the system ends."""
    from burndown import errors  # not at the top; see `burndown.cli`

    codes: list[tuple[tuple[type[Exception], ...], ExitCode]] = [
        ((errors.NotFoundError, FileNotFoundError), ExitCode.NOT_FOUND),
        ((errors.DatabaseCorruptionError,), ExitCode.DAMAGED),
        (
            (errors.StoreLocationError, errors.ForeignDatabaseError, errors.SchemaTooNewError),
            ExitCode.NOT_VALID,
        ),
        ((errors.SecretKeyError, errors.MissingExtraError), ExitCode.FAILED),
        ((errors.TaskRunningError, OSError), ExitCode.UNAVAILABLE),  # StorageError is an OSError
    ]
    for types, code in codes:
        if isinstance(error, types):
            return code
    return ExitCode.NOT_VALID
