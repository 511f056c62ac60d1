"""Errors without the ones that they were made from, which hold values of rows."""

from typing import NoReturn

__all__ = ["raise_without_context"]


def raise_without_context(error: Exception) -> NoReturn:
    """Raise the error with its traceback, but without cause and context.

    ``raise ... from None`` only suppresses the context when the error is printed; logging services
    walk ``__context__`` all the same.
    """
    try:
        raise error
    finally:
        error.__cause__ = error.__context__ = None
        # Otherwise this frame and the error would refer to each other, and keep cursors open until
        # the garbage collector runs.
        del error
