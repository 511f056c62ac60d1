"""The interface asks a backend for what it cannot write in terms of other methods."""

from datetime import UTC, datetime
from unittest.mock import Mock

from burndown import PersistenceBackend
from burndown.testing import Clock
from burndown.testing.controlled_store import START
from burndown.testing.model import Model


def test_a_backend_implements_few_methods() -> None:
    assert PersistenceBackend.__abstractmethods__ == {
        *("records", "save_records", "_delete_keys", "transaction", "in_transaction"),
        *("describe", "exists", "_back_up", "restore"),
    }


def test_a_backend_that_takes_no_clock_has_the_current_time() -> None:
    """Its constructor need not call that of the interface."""

    class Untimed(Model):
        def __init__(self) -> None:
            pass

    before = datetime.now(UTC)
    assert before <= Untimed().now() <= datetime.now(UTC)


def test_now_is_in_utc() -> None:
    clock = Clock(START)
    assert Model(clock).now() == START
    clock.now = START.astimezone().replace(tzinfo=None)
    assert Model(clock).now() == START
    assert Model(clock).now().tzinfo is UTC


def test_a_mock_of_the_interface_has_its_methods() -> None:
    mock = Mock(spec=PersistenceBackend)
    mock.get_profile.return_value = None
    mock.now.return_value = START
    assert mock.get_profile("kafka") is None
    assert mock.now() == START
