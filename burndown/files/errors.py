"""Errors of the system as errors of this package."""

from collections.abc import Iterator
from contextlib import contextmanager

from burndown.errors import StorageError

__all__ = ["storage_errors"]


@contextmanager
def storage_errors() -> Iterator[None]:
    """Raise an ``OSError`` as a StorageError that names the file and the reason."""
    try:
        yield
    except StorageError:
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        where = f" ({error.filename})" if error.filename is not None else ""
        raise StorageError(f"The storage failed: {reason}{where}") from error
