"""The local time of the machine that wrote a database."""

from collections.abc import Iterator

import pytest

from burndown.testing.contract.time_zones import local_time_zone


@pytest.fixture
def berlin() -> Iterator[None]:
    """Run in the time zone of Berlin, an hour ahead of UTC in November."""
    with local_time_zone("Europe/Berlin"):
        yield
