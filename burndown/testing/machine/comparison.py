"""A machine that makes each call on all backends and on the model, and compares the results."""

import copy
from collections.abc import Mapping
from contextlib import AbstractContextManager, ExitStack
from typing import Any

from hypothesis.stateful import RuleBasedStateMachine, invariant

from burndown import PersistenceBackend, Task, ValidationError
from burndown.testing.clocks import Clock
from burndown.testing.controlled_store import KEYS, START, OpenBackend, new_storage
from burndown.testing.machine.outcomes import (
    as_json,
    comparable,
    error_text,
    outcome,
    records_of,
    spoil,
)
from burndown.testing.model import Model
from burndown.testing.model.refusals import RefusedError

__all__ = ["ComparingMachine"]

READS = ("get_", "find_", "list_", "query_status", "exists", "check_")


class ComparingMachine(RuleBasedStateMachine):
    """A machine without rules, which compares all records after each call that changes some.

    Args:
        backends: a function by name that opens a backend on the storage of a folder.
    """

    def __init__(self, backends: Mapping[str, OpenBackend]) -> None:
        super().__init__()
        self.clock = Clock(START)
        self.model = Model(self.clock)
        self.open: list[list[AbstractContextManager[None]]] = []
        self.tasks: list[dict[str, Task]] = []
        self.begun = 0
        self.storages = ExitStack()
        self.openers = {
            name: self.storages.enter_context(new_storage(open_backend))
            for name, open_backend in backends.items()
        }
        self.backends = self.open_backends()
        self.looked_at = False

    def open_backends(self) -> dict[str, PersistenceBackend]:
        """Open further backends on the stores of this run, which are empty at first."""
        return {name: open_backend(self.clock) for name, open_backend in self.openers.items()}

    def teardown(self) -> None:
        with self.storages:
            while self.open:
                self.end_transaction(LookupError())
            for backend in self.backends.values():
                backend.close()

    def ask(self, method: str, *arguments: Any, **options: Any) -> bool:
        """Make the call on all and compare the results; return whether it was accepted."""
        expected = outcome(
            lambda: getattr(self.model, method)(*copy.deepcopy(arguments), **copy.deepcopy(options))
        )
        refusals = []
        for name, backend in self.backends.items():
            given, given_options = copy.deepcopy((arguments, options))
            call = getattr(backend, method)
            found = outcome(lambda: call(*given, **given_options))  # noqa: B023 - called immediately
            assert repr((given, given_options)) == repr((arguments, options)), name
            spoil(list(given))
            spoil(given_options)
            if isinstance(found, Exception) and not isinstance(expected, Exception):
                raise found  # its traceback says more than a comparison
            if isinstance(expected, RefusedError):
                assert isinstance(found, ValidationError), name
                assert sorted(each.path for each in found.problems) == expected.paths, name
                assert expected.mentioned in str(found), name
                refusals.append(error_text(found))
            else:
                assert comparable(found) == comparable(expected), name
            spoil(found)
        assert all(error == refusals[0] for error in refusals)
        self.looked_at &= method.startswith(READS)
        return not isinstance(expected, Exception)

    def end_transaction(self, error: BaseException | None) -> None:
        """End the innermost transaction of all, with an error that undoes it or without one."""
        kind = None if error is None else type(error)
        for each in self.open.pop():
            assert not each.__exit__(kind, error, None)
        self.looked_at = False

    @invariant()
    def all_records_are_equal(self) -> None:
        """Compare all records after each call that can change something."""
        if self.looked_at:
            return
        self.looked_at = True
        expected = {model: as_json(records_of(self.model, model)) for model in KEYS}
        for name, backend in self.backends.items():
            with backend.transaction():  # one comparison is faster than eight
                found = {model: as_json(records_of(backend, model)) for model in KEYS}
            assert found == expected, name
