"""Other time zones than that of the machine."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

__all__ = ["local_time_zone"]


@contextmanager
def local_time_zone(zone: str) -> Iterator[None]:
    """Change the time zone of this process during a block.

    Windows has one for the machine only, which then stays in force.

    Args:
        zone: such as ``CET-1CEST,M3.5.0,M10.5.0/3``, as in the variable ``TZ``.
    """
    if not hasattr(time, "tzset"):
        yield
        return
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("TZ", zone)
            time.tzset()
            yield
    finally:
        time.tzset()
