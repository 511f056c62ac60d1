"""Errors without what they were made from: the driver's hold values of rows."""

from typing import NoReturn

__all__ = ["raise_alone"]


def raise_alone(error: Exception) -> NoReturn:
    """Raise the error with its traceback, but neither cause nor context.

    ``from None`` only has them not printed; logging services walk ``__context__`` all the same.
    """
    try:
        raise error
    finally:
        error.__cause__ = error.__context__ = None
        del error  # or it would hold itself by this frame, and with it open cursors
