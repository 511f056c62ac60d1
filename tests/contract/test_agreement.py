"""All backends answer alike: any sequence of calls, as a model of plain dicts does."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from burndown import PersistenceBackend
from tests.contract.backends import BACKENDS, NewStorage
from tests.contract.calls import ORPHANS, REFUSED, SAVES_OF_A_LINE, SAVES_OF_A_VALUE, Save
from tests.contract.conftest import new_store
from tests.contract.machine import AgreementMachine, outcome, said
from tests.contract.store import Store
from tests.strategies import nested


@contextmanager
def all_backends(request: pytest.FixtureRequest) -> Iterator[dict[str, NewStorage]]:
    """Those that this machine can run; a test without one of them says so at its end."""
    found, missing = {}, []
    for name, new_storage in BACKENDS.items():
        try:
            with new_storage(request):
                found[name] = new_storage
        except pytest.skip.Exception as reason:
            missing.append(f"{name}: {reason}")
    yield found
    if missing:
        pytest.skip("; ".join(["the others agree", *missing]))


def drive(request: pytest.FixtureRequest, examples: int, steps: int) -> None:
    """Run the machine on all backends."""
    with all_backends(request) as backends:
        storages = {name: partial(new, request) for name, new in backends.items()}
        run_state_machine_as_test(
            lambda: AgreementMachine(storages),
            settings=settings(
                max_examples=examples,
                stateful_step_count=steps,
                deadline=None,
                suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
            ),
        )


def test_the_machine_makes_every_call() -> None:
    """A call that is added to the interface has to be driven too."""
    assert vars(AgreementMachine).keys() >= PersistenceBackend.__abstractmethods__


def test_backends_answer_as_plain_dicts_do(request: pytest.FixtureRequest) -> None:
    """After any calls, in transactions or not, all backends hold and answer the same."""
    drive(request, examples=20, steps=30)


@pytest.mark.soak
def test_backends_answer_as_plain_dicts_do_for_long(request: pytest.FixtureRequest) -> None:
    """The same in more and longer runs."""
    drive(request, examples=200, steps=50)


@pytest.fixture
def stores(request: pytest.FixtureRequest) -> Iterator[list[Store]]:
    """A storage of every backend, with the profile ``p`` and its query ``q``."""
    with all_backends(request) as backends, ExitStack() as stack:
        yield [stack.enter_context(new_store(name, request)).empty() for name in backends]


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
"""Calls that mostly are refused."""


def test_refusals_are_worded_alike(stores: list[Store]) -> None:
    """The kind of an error, its text and its paths do not depend on the backend."""
    refused = 0
    for what, save in REFUSALS.items():
        outcomes = [outcome(partial(save, store.backend)) for store in stores]
        refused += isinstance(outcomes[0], Exception)
        for found in outcomes:
            assert type(found) is type(outcomes[0]), what
            assert not isinstance(found, Exception) or said(found) == said(outcomes[0]), what
        if not isinstance(outcomes[0], Exception):
            for store in stores:
                store.empty()
    assert refused > len(REFUSALS) * 0.9
