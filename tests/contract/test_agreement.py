"""All backends agree with each other: what they return, raise and store is the same."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test

from burndown import PersistenceBackend
from burndown.models import Entity
from burndown.testing.calls import ORPHANS, REFUSED, SAVES_OF_A_LINE, SAVES_OF_A_VALUE, Save
from burndown.testing.contract.drawn import (
    ENTITIES,
    json_values,
    nested,
    strings,
    unstorable_values,
)
from burndown.testing.contract.examples import given
from burndown.testing.controlled_store import KEYS, START, Document, Store
from burndown.testing.machine.outcomes import as_json, error_text, outcome, records_of
from tests.contract.machine import AgreementMachine
from tests.support.backends import BACKENDS
from tests.support.store import backend_of, new_store_of


@contextmanager
def all_backends(request: pytest.FixtureRequest) -> Iterator[list[str]]:
    """Yield the names of backends that can run here; a missing one skips the test at its end."""
    found, missing = [], []
    for name, new_storage in BACKENDS.items():
        try:
            with new_storage(request):
                found.append(name)
        except pytest.skip.Exception as reason:
            missing.append(f"{name}: {reason}")
    yield found
    if missing:
        pytest.skip("; ".join(["the others agree", *missing]))


def test_the_machine_makes_every_call() -> None:
    """A call that is added to the interface has to be added to the machine."""
    calls = {each for each in dir(PersistenceBackend) if not each.startswith("_")}
    assert calls - {*dir(AgreementMachine)} == {
        *("now", "task"),
        *("accept_edits", "erase_deleted", "foreign_objects", "integrity_notes"),
    }


@pytest.mark.soak
def test_backends_agree_with_each_other_in_long_runs(request: pytest.FixtureRequest) -> None:
    """After any calls, in transactions or not, they return, raise and store the same."""
    with all_backends(request) as names, ExitStack() as stack:
        backends = {name: stack.enter_context(backend_of(name, request)) for name in names}
        run_state_machine_as_test(
            lambda: AgreementMachine(backends),
            settings=settings(
                max_examples=200,
                stateful_step_count=50,
                deadline=None,
                suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
            ),
        )


@pytest.fixture(scope="module")
def stores(request: pytest.FixtureRequest) -> Iterator[list[Store]]:
    """Open a store of every backend."""
    with all_backends(request) as names, ExitStack() as stack:
        yield [stack.enter_context(new_store_of(name, request)) for name in names]


TEXTS = ["", "\0", "a\0b", "\ud800", "a\udfff", "../up", "x" * 201, "\u202e" * 300]
VALUES = [float("nan"), float("inf"), "\ud800", {"\udfff": 1}, {3: 1}, (), 10**5000, nested(201)]
REFUSALS: dict[str, Save] = {
    **REFUSED,
    **{
        f"{what} {text[:10]!a}": partial(lambda save, text, store: save(store, text), save, text)
        for what, save in SAVES_OF_A_LINE.items()
        for text in TEXTS
    },
    **{
        f"{what} {number}": partial(lambda save, value, store: save(store, value), save, value)
        for what, save in SAVES_OF_A_VALUE.items()
        for number, value in enumerate(VALUES)
    },
    **{
        f"{what} of {ids}": partial(lambda save, ids, store: save(store, *ids), save, ids)
        for what, save in ORPHANS.items()
        for ids in (("p", "nope"), ("nope", "q"), ("\0", "q"), ("p", ""), ("\ud800", "\ud800"))
    },
}
"""Calls most of which raise an error."""


def test_errors_are_the_same_on_all_backends(stores: list[Store]) -> None:
    """The type of an error, its message and its paths do not depend on the backend."""
    refused = 0
    for store in stores:
        store.empty()
    for what, save in REFUSALS.items():
        outcomes = [outcome(partial(save, store.backend)) for store in stores]
        refused += isinstance(outcomes[0], Exception)
        for found in outcomes:
            assert type(found) is type(outcomes[0]), what
            if isinstance(found, Exception):
                assert error_text(found) == error_text(outcomes[0]), what
        if not isinstance(outcomes[0], Exception):
            for store in stores:
                store.empty()
    assert refused > len(REFUSALS) * 0.9


def stored(store: Store) -> dict[type[Entity], str]:
    """Return all that is stored, as strings in which the order of keys does not count."""
    return {model: as_json(records_of(store.backend, model)) for model in KEYS}


@st.composite
def unexpected_documents(draw: st.DrawFn, model: type[Entity]) -> Document:
    """Draw a document below the first query in which some values have any type, or are missing."""
    document = draw(ENTITIES[model])
    document |= {name: name[0] for name in KEYS[model] if name in ("profile_id", "query_id")}
    for key in draw(st.lists(st.sampled_from([*document, "unknown"]), max_size=2)):
        if draw(st.booleans()):
            document[key] = draw(json_values | unstorable_values | strings)
        else:
            document.pop(key, None)
    # A new record has the current time, which is not that of the test's clock.
    timestamps = model.model_fields.keys() & {"created_at", "last_used", "updated_at"}
    return {**dict.fromkeys(timestamps, START), **document}


@pytest.mark.parametrize("model", KEYS)
@given(data=st.data(), divisor=3)
def test_unexpected_records_are_stored_or_refused_by_all_backends(
    stores: list[Store], model: type[Entity], data: st.DataObject
) -> None:
    """All backends store the same of a record, or refuse it with the same message."""
    document: Any = data.draw(unexpected_documents(model))
    outcomes = []
    for store in stores:
        before = stored(store.empty())
        save = partial(store.save_records, model, [document])
        found = outcome(save)
        assert found is None or isinstance(found, Exception)
        assert found is None or stored(store) == before
        outcomes.append((found and error_text(found), stored(store)))
    assert all(str(each) == str(outcomes[0]) for each in outcomes)
