"""Rules for records, transactions and the store itself."""

import copy
from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from burndown.models import Entity, QueryData
from burndown.testing.controlled_store import KEYS
from burndown.testing.machine.comparison import ComparingMachine
from burndown.testing.machine.outcomes import as_json, compare_listings, records_of
from burndown.testing.machine.values import OF_A_QUERY, Ids, Kept, models, of_query, read_records

__all__ = ["StoreRules"]


class StoreRules(ComparingMachine):
    """Calls of records and transactions, time that passes, and other processes that look."""

    @rule()
    def describe(self) -> None:
        for backend in self.backends.values():
            found = backend.describe()
            assert found.keys() == {"location", "size_bytes", "free_bytes", "schema_version"}
            assert found["schema_version"] == backend.get_app_state("schema_version") is not None

    @precondition(lambda self: not self.open)
    @rule()
    def compact(self) -> None:
        for backend in self.backends.values():
            assert backend.compact() >= 0

    @rule()
    def exists(self) -> None:
        self.ask("exists")

    @rule()
    def check_integrity(self) -> None:
        self.ask("check_integrity")

    @rule(target=read_records, model=models)
    def records(self, model: type[Entity]) -> Kept:
        expected = records_of(self.model, model)
        for name, backend in self.backends.items():
            assert as_json(records_of(backend, model)) == as_json(expected), name
        return model, copy.deepcopy(expected)

    @rule(ids=of_query, model=st.sampled_from(OF_A_QUERY), is_of_query=st.booleans())
    def delete_records(self, ids: Ids, model: type[QueryData], is_of_query: bool) -> None:
        self.ask("delete_records", model, *(ids if is_of_query else ids[:1]))

    @rule(kept=read_records)
    def save_records(self, kept: Kept) -> None:
        """Save records read earlier; it fails if a parent was deleted or a name is taken."""
        self.ask("save_records", *kept)

    @rule()
    def save_back_all_records(self) -> None:
        """Save the current records again, which changes nothing."""
        for model in KEYS:
            assert self.ask("save_records", model, records_of(self.model, model))

    @rule(hours=st.sampled_from([0, 1, 5]), microseconds=st.sampled_from([-1, 0, 1]))
    def time_passes(self, hours: int, microseconds: int) -> None:
        self.clock.now += timedelta(hours=hours, microseconds=max(microseconds, -hours))

    @rule()
    def in_transaction(self) -> None:
        self.ask("in_transaction")

    @precondition(lambda self: len(self.open) < 3)
    @rule()
    def transaction(self) -> None:
        begun = [each.transaction() for each in (*self.backends.values(), self.model)]
        for each in begun:
            each.__enter__()
        self.open.append(begun)

    @precondition(lambda self: self.open)
    @rule()
    def transaction_succeeds(self) -> None:
        self.end_transaction(None)

    @precondition(lambda self: self.open)
    @rule(kind=st.sampled_from([LookupError, KeyboardInterrupt]))
    def transaction_fails(self, kind: type[BaseException]) -> None:
        self.end_transaction(kind())

    @precondition(lambda self: not self.open)
    @rule(again=st.booleans())
    def close(self, again: bool) -> None:
        """Close all; the next call opens them, or backends as of another process are opened."""
        for backend in self.backends.values():
            backend.close()
        self.looked_at = False
        if again:
            self.backends = self.open_backends()
            self.tasks = []  # as those of a process that was killed

    @rule()
    def others_look(self) -> None:
        """Another process sees all committed changes, and none of an open transaction."""
        others = self.open_backends()
        compare_listings(others, self.model.committed())
        for other in others.values():
            other.close()

    @rule()
    def list_everything(self) -> None:
        compare_listings(self.backends, self.model)
