"""A store can be copied into another one, completely or not at all."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from burndown import ImportExportError
from burndown.copying import copy_store
from burndown.models import ENTITIES, MetricsSnapshot, Query
from burndown.testing.contract.examples import given
from burndown.testing.contract.part import ContractPart, new_store
from burndown.testing.contract.records import everything_storable
from burndown.testing.controlled_store import Document, OpenBackend, Store, fill

__all__ = ["CopyingContract"]

Pair = tuple[Store, Store]


class CopyingContract(ContractPart):
    """The contract of copies: all records come back equal from another store."""

    @pytest.fixture(scope="class")
    @staticmethod
    def shared_pair(open_backend: OpenBackend) -> Iterator[Pair]:
        """Open two stores, which each example empties."""
        with new_store(open_backend) as one, new_store(open_backend) as other:
            yield one, other

    @pytest.fixture
    @staticmethod
    def pair(shared_pair: Pair) -> Pair:
        """Fill the first with every entity, and leave the second empty."""
        source, target = shared_pair
        target.clear()
        fill(source.empty(), "o", "q")
        source.set_app_state("key", "value")
        source.save_task_progress("task", 12.5, "running")
        return source, target

    @given(content=everything_storable, divisor=7)
    def test_a_copy_is_equal_and_so_is_its_copy_back(
        self, shared_pair: Pair, content: dict[Any, list[Document]]
    ) -> None:
        """Every value of every record is equal after copying there and back."""
        source, target = shared_pair
        source.empty()
        for model, documents in content.items():
            source.save_records(model, documents)
        before = source.everything()
        target.clear().clock.now += timedelta(days=1)
        copied = copy_store(source.backend, target.backend)
        assert target.everything() == before
        assert copied["queries"] == 1 + len(content[Query])
        source.clear()
        assert copy_store(target.backend, source.backend) == copied
        assert source.everything() == before

    def test_progress_reports_the_number_of_records(self, pair: Pair) -> None:
        """The last number of each entity is the total."""
        told: dict[str, int] = {}
        copied = copy_store(pair[0].backend, pair[1].backend, progress=told.__setitem__)
        assert told == {name: number for name, number in copied.items() if number}
        assert set(copied) == {entity.LABEL for entity in ENTITIES}

    def test_a_target_that_is_not_empty_is_refused(self, pair: Pair) -> None:
        """Unless it is to be replaced; then nothing of it stays."""
        source, target = pair
        saves: list[Callable[[], object]] = [
            lambda: target.save_profile({"id": "mine"}),
            lambda: target.save_task_progress("mine", 1, "running"),
            lambda: target.set_app_state("mine", "1"),
        ]
        for save in saves:
            target.clear()
            save()
            before = target.everything()
            with pytest.raises(ImportExportError, match="is not empty"):
                copy_store(source.backend, target.backend)
            assert target.everything() == before
        copy_store(source.backend, target.backend, replace=True)
        assert target.everything() == source.everything()

    def test_a_target_with_nothing_but_the_migration_mark_is_empty(self, pair: Pair) -> None:
        """An application that found nothing to migrate has stored the mark."""
        source, target = pair
        target.set_app_state("migration_complete", "true")
        copy_store(source.backend, target.backend)
        assert target.get_query("o", "q") is not None

    def test_a_copy_that_fails_changes_nothing(self, pair: Pair) -> None:
        """Wherever it fails, and whatever it was to replace."""
        source, target = pair
        target.save_profile({"id": "mine"})
        before = source.everything(), target.everything()

        def fail(at: str, what: str, _: int) -> None:
            if what == at:
                raise LookupError

        for entity in ENTITIES:
            progress = partial(fail, entity.LABEL)
            with pytest.raises(LookupError):
                copy_store(source.backend, target.backend, replace=True, progress=progress)
            assert (source.everything(), target.everything()) == before

    def test_a_target_that_returns_another_value_is_detected(
        self, pair: Pair, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A wrong value in one record undoes the complete copy."""
        source, target = pair
        before = target.everything()
        save = target.backend.save_records

        def save_wrong_value(model: Any, records: list[Document]) -> None:
            changed = {"metrics": {"k": 1.0}} if model is MetricsSnapshot else {}
            save(model, [{**record, **changed} for record in records])

        monkeypatch.setattr(target.backend, "save_records", save_wrong_value)
        with pytest.raises(ImportExportError, match="does not return the metrics snapshots"):
            copy_store(source.backend, target.backend)
        assert target.everything() == before

    def test_a_store_is_not_copied_onto_itself(self, pair: Pair) -> None:
        """Nor onto another backend on the same storage."""
        source, _ = pair
        before = source.everything()
        with (
            source.another() as other,
            pytest.raises(ImportExportError, match="cannot be copied onto itself"),
        ):
            copy_store(source.backend, other, replace=True)
        assert source.everything() == before

    def test_more_records_than_fit_in_a_batch_are_copied(self, pair: Pair) -> None:
        """Each of them is copied once."""
        source, target = pair
        changelogs = {f"K-{number}": {"n": number} for number in range(501)}
        source.empty().save_jira_changelogs("p", "q", changelogs)
        assert copy_store(source.backend, target.backend)["changelogs"] == 501
        assert target.get_jira_changelogs("p", "q") == changelogs
