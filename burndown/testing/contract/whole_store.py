"""The store itself: its location, size and version, closing, and opening it again."""

from typing import Any

import pytest

from burndown import PersistenceBackend
from burndown.testing.contract.part import ContractPart
from burndown.testing.controlled_store import Store, everything, fill, same

__all__ = ["StoreContract"]


class StoreContract(ContractPart):
    """The contract of the store itself."""

    def test_a_backend_describes_its_store(self, store: Store) -> None:
        """A description has a location, a size and a version."""
        described = store.describe()
        assert described.keys() == {"location", "size_bytes", "free_bytes", "schema_version"}
        assert isinstance(described["location"], str)
        assert described["location"]
        assert isinstance(described["size_bytes"], int)
        assert described["size_bytes"] > 0
        assert isinstance(described["schema_version"], str)
        assert described["schema_version"] == store.get_app_state("schema_version")

    def test_a_store_that_is_compacted_keeps_its_content(self, store: Store) -> None:
        """It has no free bytes that it knows of."""
        for number in range(20):
            store.save_project_data("p", "q", {"text": str(number) * 10_000})
            fill(store, "new", str(number))
        store.delete_profile("new")
        before = store.everything()
        assert store.compact() >= 0
        assert store.describe()["free_bytes"] in (0, None)
        assert store.everything() == before
        assert store.check_integrity() == (True, [])

    def test_a_store_in_use_exists_and_is_intact(self, store: Store) -> None:
        """It is intact whether it is closed or not, also after deletions."""
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

    def test_a_closed_backend_is_opened_by_the_next_call(self, store: Store) -> None:
        """It can be closed twice, and is open again when it is used."""
        fill(store, "new", "q")
        before = store.everything()
        store.close()
        store.close()
        assert store.everything() == before
        store.set_app_state("key", "value")
        assert store.get_app_state("key") == "value"

    def test_a_block_closes_the_backend_and_propagates_errors(self, store: Store) -> None:
        """At the end of a ``with`` block it is closed, and errors of the block are raised."""
        with store.another() as other:
            assert isinstance(other, PersistenceBackend)
            other.set_app_state("key", "value")
        assert store.get_app_state("key") == "value"
        with pytest.raises(LookupError), store.another():
            raise LookupError

    def test_saved_data_is_there_in_the_next_backend(self, store: Store) -> None:
        """Another one on the same storage sees each call, also after the first is closed."""
        fill(store, "new", "q")
        store.save_profile({"id": "p", "unknown": [1, 2.0, True]})
        with store.another() as other:
            profile: Any = other.get_profile("p")
            assert same(profile["unknown"], [1, 2.0, True])
            other.delete_profile("new")
            assert store.get_profile("new") is None
            before = store.everything()
            store.close()
            assert everything(other) == before

    def test_two_stores_share_nothing(self, store: Store, another_store: Store) -> None:
        """Data saved into one store is not in another one of the same backend."""
        before = another_store.everything()
        fill(store, "new", "q")
        store.set_app_state("key", "value")
        assert another_store.everything() == before
        another_store.save_profile({"id": "elsewhere"})
        assert store.get_profile("elsewhere") is None
