"""The store as a whole: where it lies, how it closes, and that it is there for the next one."""

import pytest

from burndown import PersistenceBackend
from tests.support.store import Store, everything, fill, same


def test_a_backend_says_where_its_data_lie(store: Store) -> None:
    """A description has a place, a size and a version."""
    described = store.describe()
    assert described.keys() == {"location", "size_bytes", "schema_version"}
    assert isinstance(described["location"], str)
    assert described["location"]
    assert isinstance(described["size_bytes"], int)
    assert described["size_bytes"] > 0
    assert isinstance(described["schema_version"], str)
    assert described["schema_version"] == store.get_app_state("schema_version")


def test_what_was_saved_exists_and_is_whole(store: Store) -> None:
    """A storage that is used exists and is whole, closed or not, after deletions too."""
    fill(store, "new", "q")
    store.delete_query("new", "q")
    store.delete_profile("new")
    store.save_task_progress("task", 1, "running")
    for _ in range(2):
        assert store.exists()
        assert store.check_integrity() == (True, [])
        store.close()
    with store.another() as other:
        assert other.exists()


def test_closing_lets_go_and_the_next_call_opens_again(store: Store) -> None:
    """A closed backend can be closed once more, and is open again when it is used."""
    fill(store, "new", "q")
    before = store.everything()
    store.close()
    store.close()
    assert store.everything() == before
    store.set_app_state("key", "value")
    assert store.get_app_state("key") == "value"


def test_a_block_closes_the_backend_and_lets_errors_through(store: Store) -> None:
    """Used in a block, a backend closes at its end, and errors of the block go on."""
    with store.another() as other:
        assert isinstance(other, PersistenceBackend)
        other.set_app_state("key", "value")
    assert store.get_app_state("key") == "value"
    with pytest.raises(LookupError), store.another():
        raise LookupError


def test_what_is_saved_is_there_in_the_next_backend(store: Store) -> None:
    """Each call is seen by another backend on the same storage, and stays when the first closes."""
    fill(store, "new", "q")
    store.save_profile({"id": "p", "unknown": [1, 2.0, True]})
    with store.another() as other:
        assert same(other.get_profile("p")["unknown"], [1, 2.0, True])
        other.delete_profile("new")
        assert store.get_profile("new") is None
        before = store.everything()
        store.close()
        assert everything(other) == before


def test_two_storages_share_nothing(store: Store, another_store: Store) -> None:
    """What is saved into one storage is not in another one of the same kind."""
    before = another_store.everything()
    fill(store, "new", "q")
    store.set_app_state("key", "value")
    assert another_store.everything() == before
    another_store.save_profile({"id": "elsewhere"})
    assert store.get_profile("elsewhere") is None
